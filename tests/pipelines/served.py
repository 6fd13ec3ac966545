"""An app served as its users have it, and a browser to look at it with."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other tests


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """`streamlit run web_app.py` in `folder`; gives the app's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1"]
    program = [sys.executable, "-m", "streamlit", "run", "web_app.py", *options]
    process = subprocess.Popen(
        program, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                with urlopen(f"{address}/_stcore/health", timeout=5):
                    break
            except (URLError, OSError):
                assert process.poll() is None, "streamlit has ended"
                time.sleep(0.25)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or Playwright's own; the test is skipped where there is neither."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM if CHROMIUM.exists() else None, args=["--no-sandbox"]
            )
        except Error:
            pytest.skip("no Chromium; Debian has it, and so has `playwright install chromium`")
        try:
            yield browser
        finally:
            browser.close()


def require_whole(page: Page) -> None:
    """Nothing is wider than the window, and no error is shown."""
    width, window = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert width <= window
    assert page.get_by_test_id("stException").count() == 0
