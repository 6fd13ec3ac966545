import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ..conftest import REPOSITORY


@pytest.fixture(scope="module")
def start() -> ModuleType:
    file = REPOSITORY / "environment" / "panthera_vision_environment.py"
    spec = importlib.util.spec_from_file_location("start", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["/x/.venv/bin/python", "/x/.venv/bin/dvc", "repro"], True),
        (["python", "-m", "dvc", "repro"], True),
        (["python", "-X", "utf8", "-m", "dvc"], False),
        (["python", "-m", "pytest", "dvc"], False),
        (["python", "src/train.py", "dvc"], False),
        (["python", "-c", "pass"], False),
        (["python"], False),
    ],
)
def test_only_dvc_is_meant(start: ModuleType, command: list[str], answer: bool) -> None:
    assert start.is_dvc(command) is answer


def test_the_environments_programs_come_first(start: ModuleType, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin"}
    for _ in range(2):
        start.prefer_own_programs(environment, str(tmp_path))
    assert environment["PATH"] == f"{tmp_path / 'bin'}:/usr/bin"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8"])
def test_utf8_is_fine(start: ModuleType, encoding: str) -> None:
    assert start.encoding_problem(encoding) is None


def test_other_encodings_are_told(start: ModuleType) -> None:
    assert "file names are in ascii" in start.encoding_problem("ascii")


def test_a_file_is_whole_or_as_it_was(start: ModuleType, tmp_path: Path) -> None:
    def dump(path: str, data: str, fail: bool = False) -> None:
        with Path(path).open("w", encoding="utf-8") as file:
            file.write(data[:2])
            if fail:
                raise KeyboardInterrupt
            file.write(data[2:])

    lock, link = tmp_path / "dvc.lock", tmp_path / "link"
    link.symlink_to(lock)
    whole = start.written_whole(dump)
    whole(lock, "before")
    with pytest.raises(KeyboardInterrupt):
        whole(lock, "after", fail=True)
    assert lock.read_text() == "before"
    whole(str(link), "after")
    assert link.is_symlink() and lock.read_text() == "after"


DUMPS = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("start", sys.argv[1])
start = importlib.util.module_from_spec(spec)
spec.loader.exec_module(start)
sys.meta_path.insert(0, start.WholeFiles)
from dvc.utils.serialize import dump_yaml, modify_yaml
dump_yaml(sys.argv[2], {"a": 1})
with modify_yaml(sys.argv[2]) as data:
    data["b"] = 2
try:
    dump_yaml(sys.argv[2], {"a": list(range(10_000)), "b": object()})
except Exception as error:
    print(type(error).__name__)
"""


def test_the_installed_dvc_writes_whole_files(tmp_path: Path) -> None:
    """By its own functions; in another version they may be called otherwise."""
    lock = tmp_path / "dvc.lock"
    file = REPOSITORY / "environment" / "panthera_vision_environment.py"
    command = [sys.executable, "-c", DUMPS, str(file), str(lock)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "RepresenterError"
    assert lock.read_text() == "a: 1\nb: 2\n"
