"""What `dvc` needs of its surroundings, seen to before it touches a file.

Python runs this at start-up (see environment/README.md), in every program of the environment;
only for `dvc` does it do anything. It stands alone: the package may not be importable yet.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


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


class WholeWriting:
    """A file system of DVC's in which a file that is written is there whole, or as it was."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    @contextmanager
    def open(self, path: str, mode: str = "r", **more: Any) -> Iterator[Any]:
        """As the file system's own."""
        writes = "w" in mode
        target = Path(path).resolve()
        used = target.with_name(f"{target.name}.part") if writes else target
        with self._files.open(str(used), mode, **more) as file:
            yield file
        if writes:
            used.replace(target)


class _Builtin:
    """What DVC takes where it is given no file system."""

    open = staticmethod(open)


def write_yaml_whole(module: ModuleType) -> None:
    """Of the part of DVC that writes dvc.lock, dvc.yaml and params.yaml."""
    if dump := getattr(module, "_dump_data", None):

        def dump_whole(path: Any, data: Any, dumper: Any, fs: Any = None, **more: Any) -> None:
            dump(path, data, dumper, WholeWriting(_Builtin if fs is None else fs), **more)

        module._dump_data = dump_whole  # type: ignore[attr-defined]


def write_locks_whole(module: ModuleType) -> None:
    """Of the part of DVC that notes which run uses which file."""
    if edit := getattr(module, "_edit_rwlock", None):

        def edit_whole(lock_dir: Any, fs: Any, *arguments: Any) -> Any:
            return edit(lock_dir, WholeWriting(fs), *arguments)

        module._edit_rwlock = edit_whole  # type: ignore[attr-defined]


# DVC writes these files in place: killed meanwhile, it leaves one that it can't read, and every
# `dvc repro` after that ends with an error.
MENDED = {"dvc.utils.serialize._common": write_yaml_whole, "dvc.rwlock": write_locks_whole}


class Mending:
    """Takes part in Python's imports: the modules in `MENDED` are changed, others pass by."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        mend = MENDED.get(name)
        spec: ModuleSpec | None = PathFinder.find_spec(name, path) if mend else None
        if mend is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            mend(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if is_dvc(sys.orig_argv):
    problem = encoding_problem(sys.getfilesystemencoding())
    if problem:
        os.write(2, (problem + "\n").encode())
        os._exit(1)
    prefer_own_programs(os.environ, sys.prefix)
    sys.meta_path.insert(0, Mending)
