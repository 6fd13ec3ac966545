"""The review page in a browser: by keyboard, closed and opened again, applied by the pipeline."""

import json
import time
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from benchmarks.app_server import served

from ..translators import REVIEW
from .browsing import DESKTOP, PATIENCE, PHONE, Visitors, require_accessible, require_whole
from .conftest import Clone

NEXT_SECONDS = 3.0  # on a machine that is busy with other tests; docs/review.md has the measurement
T = REVIEW["en"]


@pytest.fixture(scope="module")
def address(made: Clone) -> Iterator[str]:
    corrections = made.classifier / "data/corrections.csv"
    before = corrections.read_text()
    with served(made.classifier, "--review") as app:
        yield f"{app}/review"
    corrections.write_text(before)  # other tests share the pipeline
    made.repro(made.classifier, "--single-item", "prepare")


def open_page(
    visitors: Visitors,
    address: str,
    window: ViewportSize = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
) -> Page:
    page = visitors.visit(address, window, scheme=scheme)
    expect(page.locator(".st-key-photo img")).to_be_visible()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until the page is drawn: before, a key is for the photo that is still shown, or lost."""
    page.locator('[data-test-script-state="notRunning"]').wait_for()


def progress(page: Page, done: int) -> None:
    expect(page.get_by_text(T("progress", done=done, count=0).split(",")[0])).to_be_visible()


def test_ten_photos_are_reviewed_by_keyboard_and_nine_corrections_take_effect(
    made: Clone, visitors: Visitors, address: str
) -> None:
    page = open_page(visitors, address)
    waits = []
    for done, key in enumerate("0120w0n304", 1):
        start = time.monotonic()
        page.keyboard.press(key)
        progress(page, done)
        waits.append(time.monotonic() - start)
        settle(page)
    assert sorted(waits)[len(waits) // 2] < NEXT_SECONDS
    visitors.leave()

    page = open_page(visitors, address)
    progress(page, 10)
    page.keyboard.press("u")
    progress(page, 9)
    visitors.leave()
    lines = (made.classifier / "data/corrections.csv").read_text().splitlines()
    assert len(lines) == 1 + 10 + 1  # nothing is overwritten

    printed = made.repro(made.classifier, "--single-item", "prepare")
    assert "9 corrections in effect" in printed
    report = json.loads((made.classifier / "results/preparation_report.json").read_text())
    found = report["corrections"]
    assert sum(found["in_effect"].values()) == 9
    assert (found["read"], found["withdrawn"], found["superseded"]) == (11, 2, 0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_photo_and_every_decision_are_seen_without_scrolling(
    visitors: Visitors, address: str, scheme: Literal["light", "dark"]
) -> None:
    page = open_page(visitors, address, scheme=scheme)
    undo = page.get_by_role("button", name=T("undo")).bounding_box()
    assert undo and undo["y"] + undo["height"] <= DESKTOP["height"]
    require_accessible(page)


def test_a_phone_shows_photo_and_first_decisions(visitors: Visitors, address: str) -> None:
    page = open_page(visitors, address, PHONE)
    correct = page.get_by_role("button", name=T("correct")).bounding_box()
    assert correct and correct["y"] + correct["height"] <= PHONE["height"]
    require_whole(page)


def test_without_the_option_there_is_no_review_page(made: Clone, visitors: Visitors) -> None:
    with served(made.classifier) as app:
        page = visitors.visit(app)
        expect(page.get_by_role("heading").first).to_be_visible(timeout=PATIENCE)
        assert not page.get_by_text(T("title")).count()
