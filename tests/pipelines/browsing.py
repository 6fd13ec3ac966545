"""Helpers of the browser tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, ViewportSize, expect, sync_playwright

from benchmarks.app_server import CHROMIUM

PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
LAPTOP = ViewportSize(width=1280, height=800)
PHONE_WINDOW = ViewportSize(width=375, height=812)
# Chromium's own moving test picture in place of a camera, and leave to use it.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other tests


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium, or Playwright's; skip the test if there is neither."""
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


@contextmanager
def opened_page(
    browser: Browser, address: str, window: ViewportSize, locale: str
) -> Iterator[Page]:
    """Open a page in a window of its own, as another visitor."""
    context = browser.new_context(viewport=window, locale=locale)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def take_picture(page: Page) -> None:
    """Press the button of the camera, which does nothing before the camera's first picture."""
    page.wait_for_function("() => document.querySelector('video')?.videoWidth > 0")
    page.get_by_test_id("stCameraInputButton").click()


def require_whole(page: Page) -> None:
    """Assert that nothing is wider than the window and no error is shown."""
    width, window = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert width <= window
    assert page.get_by_test_id("stException").count() == 0


def require_accessible(page: Page) -> None:
    """Assert that axe-core finds no violation: contrast, names, roles, headings."""
    # What is being redrawn is paler, and does not count.
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(1000)
    # The upload box of Streamlit contradicts itself: it has no role, and a name.
    rules = {"presentation-role-conflict": {"enabled": False}}
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules})
    assert not found.violations_count, found.generate_report()
