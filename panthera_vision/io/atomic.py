"""Files that are either whole or not there."""

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
_NEARLY_NOTHING = 1 << 20  # bytes: what is left where something larger found no room


def partial_path(path: Path) -> Path:
    """A temporary name beside `path`, this process's own."""
    return path.with_name(f"{path.name}.{os.getpid()}{PARTIAL_SUFFIX}")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path` to write to; rename it to `path` when all went well.

    On an error the temporary file is removed and `path` stays as it was. Trouble with the disk is
    an OSError that names `path`, also where a library tells it in another way.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    except RuntimeError as error:
        # As torch and FAISS say it.
        if shutil.disk_usage(path.parent).free < _NEARLY_NOTHING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def sha256_of_file(path: Path) -> str:
    """The file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_partial_files(folder: Path) -> int:
    """Delete what interrupted runs left half written below `folder`; the number of files.

    What a process of this machine is still writing stays.
    """
    leftovers = [
        path for path in folder.rglob(f"*{PARTIAL_SUFFIX}") if not _has_a_living_writer(path)
    ]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


def _has_a_living_writer(partial: Path) -> bool:
    import psutil

    process = partial.name.removesuffix(PARTIAL_SUFFIX).rpartition(".")[2]
    # The last run of this very process has ended.
    return process.isdecimal() and int(process) != os.getpid() and psutil.pid_exists(int(process))
