"""An app served as its users have it."""

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

CHROMIUM = Path("/usr/bin/chromium")  # Debian's; where it is not, Playwright's own is used
PATIENCE = 120  # seconds


def served(folder: Path) -> AbstractContextManager[str]:
    """`streamlit run web_app.py` in `folder`; gives the app's address."""
    command = ["-m", "streamlit", "run", "web_app.py", "--server.headless=true"]
    address = ["--server.address=127.0.0.1", "--server.port={port}"]
    return serving([*command, *address], folder, "/_stcore/health")


@contextmanager
def serving(words: list[str], folder: Path, health: str) -> Iterator[str]:
    """A Python program that serves on this machine; gives its address once it answers.

    Args:
        words: the program and its options, with `{port}` in the place of the port.
        folder: where it runs.
        health: the path that answers when it is ready.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *(word.format(port=port) for word in words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    # Not through a proxy that the surroundings may name.
    opener = build_opener(ProxyHandler({}))
    try:
        give_up = time.monotonic() + PATIENCE
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
