"""The start-up hook that prepares the dvc command of the project's .venv."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from dvc.fs import localfs

from ..conftest import REPOSITORY


@pytest.fixture(scope="module")
def start() -> ModuleType:
    file = REPOSITORY / "environment" / "dvc_startup.py"
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
def test_only_dvc_is_recognized(start: ModuleType, command: list[str], answer: bool) -> None:
    assert start.is_dvc(command) is answer


def test_the_programs_of_the_venv_come_first_on_path(start: ModuleType, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin"}
    for _ in range(2):
        start.prepend_to_path(environment, str(tmp_path))
    assert environment["PATH"] == f"{tmp_path / 'bin'}:/usr/bin"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["no repository", "broken worktree", "empty .git"])
def test_dvc_repro_runs_without_a_usable_git_repository(tmp_path: Path, kind: str) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").touch()
    (tmp_path / "dvc.yaml").write_text("stages:\n  a:\n    cmd: echo x > y\n    outs: [y]\n")
    if kind == "broken worktree":
        (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    elif kind == "empty .git":
        (tmp_path / ".git").mkdir()
    dvc = Path(sys.executable).with_name("dvc")
    for said in ("Running stage", "up to date"):
        done = subprocess.run([dvc, "repro"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    if kind == "no repository":
        for command in (["exp", "run"], ["metrics", "diff"]):
            refused = subprocess.run([dvc, *command], cwd=tmp_path, capture_output=True, text=True)
            assert "git repositor" in refused.stderr.lower()


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8"])
def test_utf8_file_names_are_accepted(start: ModuleType, encoding: str) -> None:
    assert start.encoding_error(encoding) is None


def test_other_encodings_are_named_in_the_error(start: ModuleType) -> None:
    assert "file names are in ascii" in start.encoding_error("ascii")


def test_an_interrupted_write_leaves_the_old_file(start: ModuleType, tmp_path: Path) -> None:
    lock, link = tmp_path / "dvc.lock", tmp_path / "link"
    link.symlink_to(lock)
    files = start.AtomicFileSystem(localfs)
    for path, words in ((lock, "before"), (link, "after")):
        with files.open(str(path), "w", encoding="utf-8") as file:
            file.write(words)
        assert files.open(str(lock)).__enter__().read() == words
        with pytest.raises(KeyboardInterrupt), files.open(str(path), "w") as file:
            file.write("half of it")
            raise KeyboardInterrupt
        assert lock.read_text() == words
    assert link.is_symlink()
    assert files.exists(str(lock))


# DVC as it starts with the hook, cut off in the middle of writing.
CUT_OFF = """
import importlib.util, json, os, sys
spec = importlib.util.spec_from_file_location("start", sys.argv[1])
start = importlib.util.module_from_spec(spec)
spec.loader.exec_module(start)
sys.meta_path.insert(0, start.PatchingFinder)
from dvc.fs import localfs
from dvc.rwlock import _edit_rwlock
from dvc.utils.serialize import dump_yaml, modify_yaml
folder = sys.argv[2]
dump_yaml(f"{folder}/dvc.lock", {"a": 1})
with modify_yaml(f"{folder}/dvc.lock", fs=localfs) as data:
    data["b"] = 2
with _edit_rwlock(folder, localfs, False) as lock:
    lock["read"]["file"].append({"pid": 1, "cmd": "dvc"})
try:
    dump_yaml(f"{folder}/dvc.lock", {"a": list(range(10_000)), "b": object()})
except Exception as error:
    print(type(error).__name__)
with _edit_rwlock(folder, localfs, False) as lock:
    json.dump = lambda data, file: (file.write("{"), file.flush(), os._exit(9))
"""


def test_the_installed_dvc_writes_atomically(tmp_path: Path) -> None:
    """Call DVC's private functions, which another version may call otherwise."""
    file = REPOSITORY / "environment" / "dvc_startup.py"
    command = [sys.executable, "-u", "-c", CUT_OFF, str(file), str(tmp_path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (result.returncode, result.stdout.strip()) == (9, "RepresenterError"), result.stderr
    assert (tmp_path / "dvc.lock").read_text() == "a: 1\nb: 2\n"
    noted = json.loads((tmp_path / "rwlock").read_text())
    assert noted["read"] == {"file": [{"pid": 1, "cmd": "dvc"}]}


def test_other_programs_do_not_load_the_hook() -> None:
    """The hook is installed in the .venv by `make setup` and loaded for `dvc` alone."""
    ask = "import sys; print('dvc_startup' in sys.modules)"
    for words, loaded in (
        (["bin/dvc"], "True"),
        (["cv-classification-dvc-pipeline/a.py"], "False"),
    ):
        result = subprocess.run(
            [sys.executable, "-c", ask, *words], check=True, capture_output=True, text=True
        )
        assert result.stdout.strip() == loaded
