"""Prepare the `dvc` command at Python's start-up: PATH, UTF-8 file names, atomic writes, no git.

`make setup` copies this module and its .pth file into the project's own .venv, see README.md
beside it. It imports nothing of the package, which may not be importable yet.
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
    """Return whether the command line `command` (interpreter first) starts DVC."""
    for position, word in enumerate(command[1:], start=1):
        if word == "-m":
            return command[position + 1 : position + 2] == ["dvc"]
        if not word.startswith("-"):
            return Path(word).stem == "dvc"
    return False


def prepend_to_path(environment: dict[str, str] | os._Environ[str], prefix: str) -> None:
    """Put the virtual environment's programs first on PATH, so that a stage runs its `python`."""
    programs = str(Path(prefix) / ("Scripts" if os.name == "nt" else "bin"))
    path = environment.get("PATH", "")
    if path.split(os.pathsep)[0] != programs:
        environment["PATH"] = programs + (os.pathsep + path if path else "")


def encoding_error(encoding: str) -> str | None:
    """Return why DVC would fail with file names in `encoding`, or None if it would not.

    DVC writes paths as UTF-8. Under another encoding it fails only after it has deleted a stage's
    old outputs.
    """
    if encoding.replace("-", "").lower() == "utf8":
        return None
    return (
        f"error: file names are in {encoding} here, and DVC needs UTF-8: nothing was run. "
        "Set PYTHONUTF8=1, or a UTF-8 locale such as LC_ALL=C.UTF-8, and try again."
    )


class AtomicFileSystem:
    """Wrap a file system of DVC: a file opened for writing is renamed into place once closed."""

    def __init__(self, fs: Any) -> None:
        self._fs = fs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    @contextmanager
    def open(self, path: str, mode: str = "r", **options: Any) -> Iterator[Any]:
        """Open `path` as the wrapped file system does; write to `<path>.part` first."""
        writes = "w" in mode
        target = Path(path).resolve()
        opened = target.with_name(f"{target.name}.part") if writes else target
        with self._fs.open(str(opened), mode, **options) as file:
            yield file
        if writes:
            opened.replace(target)


class _BuiltinOpen:
    """Stand in for a file system where DVC is given none."""

    open = staticmethod(open)


def patch_yaml_writer(module: ModuleType) -> None:
    """Make DVC's writer of dvc.lock, dvc.yaml and params.yaml atomic."""
    if dump := getattr(module, "_dump_data", None):

        def atomic_dump(path: Any, data: Any, dumper: Any, fs: Any = None, **options: Any) -> None:
            fs = AtomicFileSystem(_BuiltinOpen if fs is None else fs)
            dump(path, data, dumper, fs, **options)

        module._dump_data = atomic_dump  # type: ignore[attr-defined]


def patch_rwlock(module: ModuleType) -> None:
    """Make DVC's writer of its rwlock (which run uses which file) atomic."""
    if edit := getattr(module, "_edit_rwlock", None):

        def atomic_edit(lock_dir: Any, fs: Any, *arguments: Any) -> Any:
            return edit(lock_dir, AtomicFileSystem(fs), *arguments)

        module._edit_rwlock = atomic_edit  # type: ignore[attr-defined]


def patch_scm(module: ModuleType) -> None:
    """Make DVC run where there is no usable git repository, such as in an unpacked ZIP.

    This has the effect of `core.no_scm`, for this run only: once there is a repository, it is used.
    """
    if find := getattr(module, "SCM", None):

        def scm_or_none(root: str, *arguments: Any, **options: Any) -> Any:
            try:
                return find(root, *arguments, **options)
            except module.SCMError:
                return module.NoSCM(root)

        module.SCM = scm_or_none  # type: ignore[attr-defined]


# DVC writes these files in place. Killed meanwhile, it leaves one that it can't parse, and every
# later `dvc repro` ends with an error.
PATCHES = {"dvc.utils.serialize._common": patch_yaml_writer, "dvc.rwlock": patch_rwlock}
# Experiments and comparisons need commits; without a repository, DVC's own error says so.
if not {"exp", "experiments", "diff"} & set(sys.orig_argv):
    PATCHES["dvc.scm"] = patch_scm


class PatchingFinder:
    """Patch the modules of `PATCHES` when they are imported (a finder of sys.meta_path)."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        """Return a module's spec whose loader applies the patch; None for all other modules."""
        patch = PATCHES.get(name)
        spec: ModuleSpec | None = PathFinder.find_spec(name, path) if patch else None
        if patch is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            patch(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if is_dvc(sys.orig_argv):
    error = encoding_error(sys.getfilesystemencoding())
    if error:
        os.write(2, (error + "\n").encode())
        os._exit(1)
    prepend_to_path(os.environ, sys.prefix)
    sys.meta_path.insert(0, PatchingFinder)
