"""A browser to look at the apps with."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from benchmarks.served import CHROMIUM

PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
# Chromium's own moving test picture in place of a camera, and leave to use it.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other tests


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or Playwright's own; the test is skipped where there is neither."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM if CHROMIUM.exists() else None,
                args=["--no-sandbox", *CAMERA],
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
