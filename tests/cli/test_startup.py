"""Start-up: `--help` comes at once, and no script loads a library that its work does not need."""

import ast
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from panthera_vision import __version__
from panthera_vision.cli.main import COMMANDS

from ..conftest import REPOSITORY

SCRIPTS = sorted([*REPOSITORY.glob("*-pipeline/src/*.py"), REPOSITORY / "demo" / "draw.py"])
# Stages that only handle tables and files: seconds of loading would be most of their time.
LIGHT = [s for s in SCRIPTS if s.stem in {"prepare", "download", "import_model"}]
LIGHT.append(REPOSITORY / "panthera_vision" / "cli" / "collect.py")
HEAVY = {
    *("torch", "torchvision", "faiss", "sklearn", "scipy", "matplotlib", "streamlit"),
    *("onnx", "onnxruntime", "dvclive", "fastapi", "uvicorn", "pymilvus"),
}
SECONDS = 0.5


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )


def packages(importtime: str) -> set[str]:
    """Return the third-party packages in a report of `-X importtime`."""
    modules = [line.rsplit("|", 1)[1].strip() for line in importtime.splitlines() if "|" in line]
    return {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def always() -> set[str]:
    """Return the packages that the environment loads into every program."""
    return packages(python("-X", "importtime", "-c", "pass").stderr)


def name(script: Path) -> str:
    return str(script.relative_to(REPOSITORY))


def test_the_scripts_are_found() -> None:
    assert {"train", "predict", "search", "serve", "embed", "draw"} <= {s.stem for s in SCRIPTS}
    assert len(LIGHT) == 4


def require_fast(always: set[str], *words: str) -> str:
    """Run Python, require no library and little CPU time; return what it prints."""
    result = python("-X", "importtime", *words)
    assert packages(result.stderr) - always <= {"panthera_vision"}
    # CPU time: other busy programs do not add to it.
    taken = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python(*words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(taken) < SECONDS
    return result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_help_of_a_script_is_fast_and_loads_no_library(script: Path, always: set[str]) -> None:
    assert "usage:" in require_fast(always, str(script), "--help")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_of_the_command_is_fast_and_loads_no_library(command: str, always: set[str]) -> None:
    start = "import sys; from panthera_vision.cli.main import main; main(sys.argv[1:])"
    words = [command] if command else []
    printed = require_fast(always, "-c", start, *words, "--help")
    assert all(name in printed for name in words or COMMANDS)
    assert __version__ in python("-c", start, "--version").stdout


@pytest.mark.slow
@pytest.mark.parametrize("script", LIGHT, ids=name)
def test_stages_of_tables_and_files_load_no_network(script: Path) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    loaded = python("-X", "importtime", "-c", "\n".join(map(ast.unparse, imports))).stderr
    assert "panthera_vision" in packages(loaded)
    assert not packages(loaded) & HEAVY
