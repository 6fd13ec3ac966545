"""How a stage script runs: one line about what it did, or one line about what went wrong."""

import argparse
import errno
import os
import sys
from collections.abc import Callable

from panthera_vision.errors import UserError

# What the machine refuses for reasons that a user understands better than a traceback.
_MACHINE_TROUBLES = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EMFILE,
}


def run(
    main: Callable[[argparse.Namespace], str],
    parser: argparse.ArgumentParser,
    argv: list[str] | None = None,
) -> None:
    """Parse the command line, call `main`, print the line that it returns, and exit.

    A process that only helps another returns "", and nothing is printed.

    Exit codes: 0 done; 1 something that the user can mend, said in one line on stderr;
    2 a wrong command line; 130 interrupted. Anything else is a defect and keeps its traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        # A report in Russian must not end a run on a terminal that cannot show it.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = parser.parse_args(argv)
    try:
        if line := main(arguments):
            print(line, flush=True)
    except UserError as error:
        _stop(f"error: {error}", 1)
    except KeyboardInterrupt:
        _stop("interrupted; run the same command again to go on", 130)
    except OSError as error:
        if error.errno not in _MACHINE_TROUBLES:
            raise
        place = f": {error.filename}" if error.filename else ""
        _stop(f"error: {os.strerror(error.errno or 0)}{place}", 1)


def _stop(line: str, code: int) -> None:
    print(line, file=sys.stderr, flush=True)
    sys.exit(code)
