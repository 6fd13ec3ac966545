"""Helpers of the browser tests."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    TimeoutError,
    ViewportSize,
    expect,
    sync_playwright,
)

from benchmarks.app_server import CHROMIUM

PHONE = ViewportSize(width=375, height=740)
DESKTOP = ViewportSize(width=1280, height=900)
LAPTOP = ViewportSize(width=1280, height=800)
PHONE_WINDOW = ViewportSize(width=375, height=812)
# Chromium's own moving test picture in place of a camera, and leave to use it.
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PATIENCE = 60_000  # milliseconds, on a machine that is busy with other tests
_TAKING = 5_000  # milliseconds until a picture is taken


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


class Visitors:
    """Open pages as visitors of an app do.

    Loading the app anew takes half of a processor's second more than out of the browser's cache,
    which pages of one language and color scheme share. What else they would share, cookies and
    local storage, is cleared after each test.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: dict[tuple[str, str], BrowserContext] = {}
        self._pages: list[Page] = []

    def visit(
        self,
        address: str,
        window: ViewportSize = DESKTOP,
        locale: str = "en-GB",
        scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        """Open a page, which gets a session of its own from Streamlit."""
        context = self._contexts.get((locale, scheme))
        if context is None:
            context = self._browser.new_context(locale=locale, color_scheme=scheme)
            context.set_default_timeout(PATIENCE)
            self._contexts[locale, scheme] = context
        page = context.new_page()
        self._pages.append(page)
        page.set_viewport_size(window)
        page.goto(address)
        return page

    def leave(self) -> None:
        """Close all pages; nothing is left of them but the cache."""
        while self._pages:
            page = self._pages.pop()
            with suppress(Error):  # a page that was never opened has none
                page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            page.close()
        for context in self._contexts.values():
            context.clear_cookies()


def take_picture(page: Page) -> None:
    """Press the camera's button until it takes a picture.

    Streamlit opens the camera twice, the second time with the width of the page, up to a second
    later. Until the camera's first picture has come, the button does nothing.
    """
    page.locator("video").wait_for()
    for _ in range(PATIENCE // _TAKING):
        if not page.locator("video").count():  # a picture that was taken replaces it
            return
        with suppress(TimeoutError):
            page.wait_for_function(
                "() => document.querySelector('video')?.videoWidth !== 0", timeout=_TAKING
            )
            page.get_by_role("button", name="Take Photo").click(timeout=_TAKING)
            page.locator("video").wait_for(state="detached", timeout=_TAKING)
    assert not page.locator("video").count(), "the camera takes no picture"


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
