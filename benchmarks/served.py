"""An app served as its users have it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from panthera_vision.errors import UserError

CHROMIUM = Path("/usr/bin/chromium")  # Debian's; where it is not, Playwright's own is used
PATIENCE = 120  # seconds


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """`streamlit run web_app.py` in `folder`; gives the app's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "web_app.py", *options],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    # Not through a proxy that the surroundings may name.
    health = build_opener(ProxyHandler({}))
    try:
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                with health.open(f"{address}/_stcore/health", timeout=5):
                    break
            except (URLError, OSError):
                if process.poll() is not None or time.monotonic() > give_up:
                    raise UserError(f"{folder}: the app does not start") from None
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
