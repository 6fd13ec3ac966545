"""What `dvc` needs of its surroundings, seen to before it touches a file.

Python runs this at start-up (see environment/README.md), in every program of the environment;
only for `dvc` does it do anything. It stands alone: the package may not be importable yet.
"""

import os
import sys
from pathlib import Path


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


if is_dvc(sys.orig_argv):
    problem = encoding_problem(sys.getfilesystemencoding())
    if problem:
        os.write(2, (problem + "\n").encode())
        os._exit(1)
    prefer_own_programs(os.environ, sys.prefix)
