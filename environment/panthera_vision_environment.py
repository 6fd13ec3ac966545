"""What `dvc` needs of its surroundings, seen to before it touches a file.

Python runs this at start-up (see environment/README.md), in every program of the environment;
only for `dvc` does it do anything. It stands alone: the package may not be importable yet.
"""

import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

# The part of DVC that writes dvc.lock, dvc.yaml and params.yaml.
WRITER = "dvc.utils.serialize._common"


def is_dvc(command: list[str]) -> bool:
    """Whether the command line `command` (interpreter first) starts DVC."""
    for position, word in enumerate(command[1:], start=1):
        if word == "-m":
            return command[position + 1 : position + 2] == ["dvc"]
        if not word.startswith("-"):
            return Path(word).stem == "dvc"
    return False


def prefer_own_programs(environment: dict[str, str] | os._Environ[str], prefix: str) -> None:
    """Put the environment's programs first on PATH, so that a stage's `python` is its own."""
    programs = str(Path(prefix) / ("Scripts" if os.name == "nt" else "bin"))
    path = environment.get("PATH", "")
    if path.split(os.pathsep)[0] != programs:
        environment["PATH"] = programs + (os.pathsep + path if path else "")


def encoding_problem(encoding: str) -> str | None:
    """Why DVC would fail with file names in `encoding`, or None where all is well.

    DVC writes paths as UTF-8 and, under another encoding, finds out that it can't only after
    it has deleted a stage's old outputs.
    """
    if encoding.replace("-", "").lower() == "utf8":
        return None
    return (
        f"error: file names are in {encoding} here, and DVC needs UTF-8: nothing was run. "
        "Set PYTHONUTF8=1, or a UTF-8 locale such as LC_ALL=C.UTF-8, and try again."
    )


def written_whole(dump: Callable[..., None]) -> Callable[..., None]:
    """`dump`, which writes data to a path, such that the file is there whole or as it was.

    DVC itself writes in place: killed meanwhile, it would leave a dvc.lock that it can't read.
    """

    def dump_whole(path: str | os.PathLike[str], *arguments: Any, **more: Any) -> None:
        target = Path(path).resolve()
        partial = target.with_name(f"{target.name}.part")
        dump(str(partial), *arguments, **more)
        partial.replace(target)

    return dump_whole


class WholeFiles:
    """Finds `WRITER` for Python's import, and has it write whole files; other modules pass by."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        spec: ModuleSpec | None = PathFinder.find_spec(name, path) if name == WRITER else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if dump := getattr(module, "_dump_data", None):
                module._dump_data = written_whole(dump)  # type: ignore[attr-defined]

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if is_dvc(sys.orig_argv):
    problem = encoding_problem(sys.getfilesystemencoding())
    if problem:
        os.write(2, (problem + "\n").encode())
        os._exit(1)
    prefer_own_programs(os.environ, sys.prefix)
    sys.meta_path.insert(0, WholeFiles)
