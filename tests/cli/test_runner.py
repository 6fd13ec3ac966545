"""A wrong path given to a command ends in one line, not in a traceback."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from panthera_vision.cli import serve
from panthera_vision.cli.runner import build_parser, day, run

from ..conftest import REPOSITORY


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (".", "Is a directory: ."),
        ("file.csv/index.json", "Not a directory: file.csv/index.json"),
        ("x" * 300, "File name too long: xxx"),
        ("loop", "Too many levels of symbolic links: loop"),
    ],
)
def test_wrong_kind_of_path_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    path: str,
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file.csv").touch()
    Path("loop").symlink_to("loop")

    def read(_: argparse.Namespace) -> str:
        return Path(path).read_text()

    with pytest.raises(SystemExit, match="1"):
        run(read, argparse.ArgumentParser(), [])
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {reason}")
    assert printed.err.count("\n") == 1


PROGRAM = """
import argparse, atexit, signal, sys, threading
from panthera_vision.cli.runner import run
from panthera_vision.errors import UserError

def main(arguments):
    atexit.register(lambda: print("handlers run"))
    # Lasts longer than the main thread.
    threading.Thread(target=lambda: threading.main_thread().join() or print("threads end")).start()
    if not arguments.word:
        raise UserError("no word")
    if arguments.word == "bug":
        raise ValueError("a bug")
    atexit.register(signal.raise_signal, signal.SIGINT)
    return f"done: {arguments.word}"

parser = argparse.ArgumentParser()
parser.add_argument("word", nargs="?")
run(main, parser)
"""


def executed(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What a program did that a new interpreter ran."""
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "code", "printed", "error"),
    [
        (["it"], 0, "done: it\nthreads end\nhandlers run\n", ""),
        ([], 1, "threads end\nhandlers run\n", "error: no word\n"),
        (["bug"], 1, "threads end\nhandlers run\n", "ValueError: a bug\n"),
        (["a", "b"], 2, "", "unrecognized arguments: b\n"),
    ],
)
def test_a_command_ends_with_its_exit_code_and_all_it_printed(
    words: list[str], code: int, printed: str, error: str
) -> None:
    """Ctrl-C after the result, which the first one sends itself, changes nothing."""
    done = executed(PROGRAM, *words)
    assert (done.returncode, done.stdout) == (code, printed)
    assert done.stderr.endswith(error)
    if code == 0:
        assert done.stderr == ""


def test_exit_handlers_from_before_the_command_run_too() -> None:
    """They remove temporary folders, and come last."""
    before = 'import atexit\natexit.register(lambda: print("first handler runs"))\n'
    done = executed(before + PROGRAM, "it")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("done: it", "threads end", "handlers run", "first handler runs")
    ]


def test_nothing_after_a_command_changes_its_exit_code() -> None:
    done = executed(f"{PROGRAM}\nraise ValueError('never reached')", "it")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("handlers_before", ["", "import logging\n"])
def test_output_that_can_not_be_written_is_an_error_in_one_line(
    unbuffered: str, handlers_before: str
) -> None:
    program = (
        f"{handlers_before}import argparse\n"
        "from panthera_vision.cli.runner import run\n"
        "run(lambda _: print('a table') or 'done', argparse.ArgumentParser())"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


COUNT_HANDLERS = """
import atexit, os, runpy, sys
from pathlib import Path
from panthera_vision.cli import runner

runner.run = lambda *_, **__: os._exit(atexit._ncallbacks())
for script in sys.argv[1:]:
    if os.fork() == 0:
        sys.path.insert(0, str(Path(script).parent))
        runpy.run_path(script, run_name="__main__")
        os._exit(99)  # it did not call run
    print(os.waitstatus_to_exitcode(os.wait()[1]), script)
"""


def test_every_stage_can_exit_fast() -> None:
    """A module that registers an exit handler is imported by `main`, not by the script."""
    scripts = [
        path
        for path in sorted(REPOSITORY.glob("*-dvc-pipeline/src/*.py"))
        if "run(" in path.read_text()
    ]
    assert len(scripts) > 15
    done = executed(COUNT_HANDLERS, *map(str, scripts))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"0 {script}" for script in scripts]


def test_ctrl_c_says_in_one_line_how_to_go_on() -> None:
    done = executed(PROGRAM.replace('UserError("no word")', "KeyboardInterrupt"))
    assert done.returncode == 130
    assert done.stderr == "interrupted; run the same command again to continue\n"


def test_date_in_another_notation_is_refused_with_the_right_one() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"'31\.12\.2020' is no date; write 2020-"):
        day("31.12.2020")


def test_impossible_port_is_refused_before_the_model_is_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser(serve, model=Path("m"), index=Path("i")).parse_args(["--port", "99999"])
    assert "99999 is no port; ports are 1 to 65535" in capsys.readouterr().err
