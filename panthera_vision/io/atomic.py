"""Atomic file writes: a file is complete or absent, and an error leaves the old one."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PARTIAL_SUFFIX = ".part"
_FULL_DISK_BYTES = 1 << 20  # less free space after a failed write means that the disk is full


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Put the name of the file into an OSError that has none, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` to write to, and rename it to `path` at the end.

    On an error the temporary file is deleted and `path` keeps its content.

    Raises:
        OSError: with the name of the file, also where a library reports a full disk otherwise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    try:
        with named_errors(path):
            yield partial
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(path)
    except RuntimeError as error:  # torch and FAISS report a full disk by one
        if shutil.disk_usage(path.parent).free < _FULL_DISK_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_partial_files(folder: Path) -> int:
    """Delete temporary files of interrupted runs below `folder`; return how many.

    Files of processes that still run on this machine stay.
    """
    leftovers = [path for path in folder.rglob(f"*{PARTIAL_SUFFIX}") if not _is_being_written(path)]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def _is_being_written(partial: Path) -> bool:
    import psutil

    process = partial.name.removesuffix(PARTIAL_SUFFIX).rpartition(".")[2]
    # A file with the ID of this process is from an earlier process that had the same ID.
    return process.isdecimal() and int(process) != os.getpid() and psutil.pid_exists(int(process))
