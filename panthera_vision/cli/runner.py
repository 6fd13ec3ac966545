"""Run a command or a stage script: one line on success, one line per user error, exit codes."""

import argparse
import atexit
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from panthera_vision.errors import UserError
from panthera_vision.inference.garbage_collection import collect_less_often

# Errors of the operating system that a user understands better without a traceback.
_OS_ERRORS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EMFILE,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}
# Modules of the optional dependencies that commands import → the extra that installs them.
_EXTRAS = {
    module: extra
    for extra, modules in {
        "serve": "fastapi starlette uvicorn",
        "pipeline": "aiohttp cleanlab dvclive filelock matplotlib psutil pyinaturalist requests "
        "requests_ratelimiter ruamel scipy seaborn sklearn urllib3 yaml",
        "apps": "altair pytorch_grad_cam streamlit",
        "onnx": "onnx onnxruntime onnxscript",
    }.items()
    for module in modules.split()
}


def build_parser(command: ModuleType, **defaults: Any) -> argparse.ArgumentParser:
    """Return the parser of a module of `panthera_vision.cli`; its docstring is the help text.

    `defaults` are passed on to its `add_arguments`.
    """
    parser = argparse.ArgumentParser(
        description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_arguments(parser, **defaults)
    return parser


def run(
    main: Callable[[argparse.Namespace], str],
    parser: argparse.ArgumentParser,
    argv: list[str] | None = None,
) -> None:
    """Parse the command line, call `main`, print the line that it returns, and exit.

    A process of a distributed run other than the first returns "", and nothing is printed.

    Exit codes: 0 success; 1 an error that the user can fix, in one line on stderr; 2 a wrong
    command line; 130 interrupted. Any other exception is a bug and keeps its traceback.

    Args:
        main: gets the parsed arguments.
        parser: of the command line.
        argv: the words of a command line; None for that of this process, which then starts and
            ends as quickly as it can (see `_FastExit`), and does not return. Files that `main`
            opens it must close.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show Russian must not end the run.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if argv is not None:
        _run(main, parser, argv)
        return
    collect_less_often()
    fast_exit = _FastExit()
    if atexit._ncallbacks() == 0:  # handlers registered before would come after it
        atexit.register(fast_exit)
    try:
        _run(main, parser, None)
        sys.exit(0)
    except SystemExit as end:
        fast_exit.code = end.code if isinstance(end.code, int) else None
        raise


class _FastExit:
    """End the process without freeing each object, which takes a second after `import torch`.

    Exit handlers run in reverse order: this one, which must be registered first, comes last. It
    does nothing before `code`, the exit code, is set, as after an exception.
    """

    def __init__(self) -> None:
        self.code: int | None = None

    def __call__(self) -> None:
        if self.code is None:
            return
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # a full disk, a closed pipe
            if self.code == 0:
                return  # Python flushes again, reports the error, and exits with 120
        os._exit(self.code)


def _run(
    main: Callable[[argparse.Namespace], str],
    parser: argparse.ArgumentParser,
    argv: list[str] | None,
) -> None:
    arguments = parser.parse_args(argv)
    try:
        line = main(arguments)
        if argv is None and threading.current_thread() is threading.main_thread():
            # The work is done: Ctrl-C would only make DVC run the stage again.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if line:
            print(line)
        sys.stdout.flush()
    except UserError as error:
        _exit(f"error: {error}", 1)
    except KeyboardInterrupt:
        _exit("interrupted; run the same command again to continue", 130)
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in _EXTRAS:
            raise
        extra = _EXTRAS[module]
        _exit(f"error: {module} is not installed: pip install 'panthera-vision[{extra}]'", 1)
    except OSError as error:
        output_failed = _discard_failing_output()
        if error.errno not in _OS_ERRORS and not output_failed:
            raise
        place = f": {error.filename}" if error.filename else ""
        _exit(f"error: {os.strerror(error.errno or 0)}{place}", 1)


def _discard_failing_output() -> bool:
    """Tell whether stdout can't be written: a full disk, a closed pipe; if so, discard the rest.

    Otherwise Python would try again at its end, and report it a second time.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _exit(line: str, code: int) -> None:
    print(line, file=sys.stderr, flush=True)
    sys.exit(code)


def positive_int(text: str) -> int:
    """Parse an integer of at least 1 (an argparse type)."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def positive_float(text: str) -> float:
    """Parse a finite number above 0 (an argparse type)."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def day(text: str) -> date:
    """Parse a date such as 2020-12-31 (an argparse type)."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2020-12-31") from None


def add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a command that streams photos through the network."""
    parser.add_argument("--batch-size", type=positive_int, default=32, help="default: %(default)s")
    parser.add_argument(
        "--threads", type=positive_int, default=2, help="decoding threads; default: %(default)s"
    )


def add_coordinates_argument(parser: argparse.ArgumentParser, default: str = "exact") -> None:
    """Declare how exact coordinates are in the output."""
    parser.add_argument(
        "--coordinates",
        choices=("exact", "obscured", "none"),
        default=default,
        help="where photos were taken: exact, to a tenth of a degree (about 11 km), or left out; "
        "exact ones endanger animals that are hunted; default: %(default)s",
    )


def add_path_argument(
    parser: argparse.ArgumentParser, name: str, default: Path | None, help: str
) -> None:
    """Declare an option that is a path, required where there is no default."""
    if default is not None:
        help += "; default: %(default)s"
    parser.add_argument(name, type=Path, default=default, required=default is None, help=help)


def fraction(text: str) -> float:
    """Parse a number of 0 to 1 (an argparse type)."""
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError
    return number


def add_detection_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a command that takes a detector's boxes."""
    parser.add_argument(
        "--detections",
        type=Path,
        metavar="JSON",
        help="boxes of the animals: the file that MegaDetector, AddaxAI or SpeciesNet wrote",
    )
    parser.add_argument(
        "--detection-threshold",
        type=fraction,
        metavar="0…1",
        help="lowest confidence of a detection; default: the typical one that the file states, or "
        "that of its detector's version",
    )
    parser.add_argument(
        "--margin",
        type=fraction,
        default=0.15,
        help="around a box, as a fraction of its longer side; default: %(default)s",
    )
