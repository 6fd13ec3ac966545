"""How long the scripts take to say how they are used, and `dvc repro` to find nothing to do.

Beside each script's `--help` stands what it would take with the imports of its work at the top of
the file. `dvc repro` is asked in the pipelines of this checkout, which must be up to date.
"""

import argparse
import ast
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import table
from panthera_vision.cli.runner import run
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import write_text

REPOSITORY = Path(__file__).resolve().parents[1]
PIPELINES = ("cv-classification-dvc-pipeline", "image-search-dvc-pipeline")
DVC = Path(sys.executable).with_name("dvc")
UP_TO_DATE = "Data and pipelines are up to date."


def seconds(command: list[str], folder: Path, runs: int) -> tuple[float, str]:
    """The median over `runs`, and what was printed last.

    The first run, which fills the system's file cache, is not counted.

    Raises:
        UserError: the command fails.
    """
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        taken.append(time.perf_counter() - start)
        if result.returncode:
            raise UserError(f"{' '.join(command)} failed: {result.stderr.strip()[-300:]}")
    return statistics.median(taken[1:]), result.stdout


def with_imports_on_top(script: str) -> str:
    """The script, with every import that stands in a function before all else."""
    tree = ast.parse(script)
    inner = [
        node
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    documentation = [tree.body[0]] if ast.get_docstring(tree) else []
    tree.body = [*documentation, *inner, *tree.body[len(documentation) :]]
    return ast.unparse(tree)


def help_row(folder: Path, runs: int) -> list[str]:
    """Of a pipeline: its scripts, the median and the slowest, as they are and with all on top."""
    ours: dict[str, float] = {}
    on_top: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as other:
        for script in sorted((folder / "src").glob("*.py")):
            ours[script.name], _ = seconds([sys.executable, str(script), "--help"], folder, runs)
            changed = Path(other) / script.name
            changed.write_text(with_imports_on_top(script.read_text("utf-8")), encoding="utf-8")
            command = [sys.executable, str(changed), "--help"]
            on_top[script.name], _ = seconds(command, folder, runs)
    cells = [folder.name, str(len(ours))]
    for taken in (ours, on_top):
        slowest = max(taken, key=lambda name: taken[name])
        cells.append(f"{statistics.median(taken.values()):.2f}")
        cells.append(f"{taken[slowest]:.2f} ({slowest})")
    return cells


def nothing_to_do(folder: Path, runs: int) -> float:
    """The seconds of a `dvc repro` that has nothing to do.

    Raises:
        UserError: it would have something to do.
    """
    asked = subprocess.run(
        [str(DVC), "repro", "--dry"], cwd=folder, capture_output=True, text=True, check=False
    )
    if asked.returncode or UP_TO_DATE not in asked.stdout:
        raise UserError(f"{folder.name} is not up to date; run `dvc repro` there first")
    taken, printed = seconds([str(DVC), "repro"], folder, runs)
    if UP_TO_DATE not in printed:
        raise UserError(f"{folder.name} was not up to date")
    return taken


def start_section(runs: int = 3) -> str:
    """The measurement as a section in Markdown."""
    folders = [REPOSITORY / name for name in PIPELINES]
    helps = [help_row(folder, runs) for folder in folders]
    repros = [[folder.name, f"{nothing_to_do(folder, runs):.1f}"] for folder in folders]
    header = ["pipeline", "scripts", "--help, median s", "the slowest, s"]
    header += ["with all imports on top, median s", "the slowest, s"]
    return (
        "## Start\n\n"
        f"`python -m benchmarks.startup_time --runs {runs}`: the median of {runs} runs, after one "
        f"that is not counted; {os.cpu_count()} cores. Libraries are imported where they are used; "
        "beside it, the same scripts with all imports on top of the file.\n\n"
        + table(header, helps)
        + "\n\n"
        + table(["pipeline", "`dvc repro` with nothing to do, s"], repros)
        + "\n"
    )


def main(arguments: argparse.Namespace) -> str:
    text = start_section(arguments.runs)
    if arguments.out:
        write_text(arguments.out, text)
        return f"start: {arguments.out}"
    return text


parser = argparse.ArgumentParser(prog="python -m benchmarks.startup_time", description=__doc__)
parser.add_argument("--runs", type=int, default=3, help="of each command; %(default)s")
parser.add_argument("--out", type=Path, help="the page to write; default: the terminal")

if __name__ == "__main__":
    run(main, parser)
