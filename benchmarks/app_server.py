"""Start a web app or the service as users do, on a free port."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from panthera_vision.errors import UserError

CHROMIUM = Path("/usr/bin/chromium")  # Debian's; otherwise Playwright's own is used
START_TIMEOUT = 120  # seconds


def served(folder: Path, *options: str) -> AbstractContextManager[str]:
    """Run `streamlit run web_app.py -- OPTIONS` in `folder`; yields the app's URL."""
    command = ["-m", "streamlit", "run", "web_app.py", "--server.headless=true"]
    address = ["--server.address=127.0.0.1", "--server.port={port}"]
    return serving([*command, *address, "--", *options], folder, "/_stcore/health")


def free_port() -> int:
    """Return a port of localhost that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(words: list[str], folder: Path, health: str) -> Iterator[str]:
    """Run a Python server on localhost; yields its URL once the health check succeeds.

    Args:
        words: the program and its options, with `{port}` as placeholder.
        folder: the working directory.
        health: the path of the health check.
    """
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *(word.format(port=port) for word in words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    # Ignore any proxy of the environment.
    opener = build_opener(ProxyHandler({}))
    try:
        give_up = time.monotonic() + START_TIMEOUT
        while True:
            try:
                with opener.open(f"{address}{health}", timeout=5):
                    break
            except (URLError, OSError):
                if process.poll() is not None or time.monotonic() > give_up:
                    raise UserError(f"{folder}: {words[0]} does not start") from None
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
