"""An app served as its users have it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from panthera_vision.errors import UserError

CHROMIUM = Path("/usr/bin/chromium")  # Debian's; where it is not, Playwright's own is used


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
    try:
        while True:
            try:
                with urlopen(f"{address}/_stcore/health", timeout=5):
                    break
            except (URLError, OSError):
                if process.poll() is not None:
                    raise UserError(f"{folder}: streamlit has ended") from None
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
