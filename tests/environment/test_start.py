import importlib.util
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
