"""The search app in a browser: examples, uploads, filters, map, phone, accessibility."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from playwright.sync_api import Page, ViewportSize, expect

from benchmarks.app_server import served
from panthera_vision.data.taxonomy import Language

from ..conftest import draw_photo
from ..translators import SEARCH
from .browsing import LAPTOP, PATIENCE, PHONE_WINDOW, Visitors, require_accessible, take_picture
from .conftest import Clone

# Of the map; the legend has symbols too.
POINTS = "svg.marks g.role-mark path"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def address(made: Clone) -> Iterator[str]:
    with served(made.searcher) as serving:
        yield serving


@pytest.fixture
def open_page(visitors: Visitors, address: str) -> Open:
    """Open the app at a path."""

    def open_page(
        path: str = "",
        width: int = 1280,
        locale: str = "en-US",
        scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        window = ViewportSize(width=width, height=900)
        return visitors.visit(f"{address}/{path}", window, locale, scheme)

    return open_page


@pytest.fixture
def photo(made: Clone) -> str:
    """The number of a photo of the collection."""
    table = pd.read_csv(made.searcher / "faiss_index/photos.csv", dtype=str)
    return str(table["id"][0])


def results_are_there(page: Page, count: int = 10, language: Language = "en") -> None:
    heading = SEARCH[language]("results", count=count)
    expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=PATIENCE)
    cards = page.locator(".st-key-results").get_by_role(
        "button", name=SEARCH[language]("search_with_this")
    )
    expect(cards).to_have_count(count, timeout=PATIENCE)


def use_result(page: Page, number: int) -> None:
    cards = page.locator(".st-key-results").get_by_role(
        "button", name=SEARCH["en"]("search_with_this")
    )
    cards.nth(number).click()


def test_from_an_example_to_a_result_and_back(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name=SEARCH["en"]("choose_example")).first.click()
    results_are_there(page)
    page.wait_for_url(re.compile(r"photo=\d+"))
    first = page.url
    pictures = page.locator(".st-key-results img")
    assert all(picture.get_attribute("alt") for picture in pictures.all())
    use_result(page, 2)
    page.wait_for_url(lambda address: address != first and "photo=" in address)
    results_are_there(page)
    page.get_by_role("button", name=SEARCH["en"]("back")).click()
    page.wait_for_url(first)
    results_are_there(page)


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_the_first_results_are_seen_without_scrolling(
    visitors: Visitors, address: str, locale: str
) -> None:
    t = SEARCH["ru" if locale == "ru-RU" else "en"]
    for window in (LAPTOP, PHONE_WINDOW):
        page = visitors.visit(address, window, locale)
        page.get_by_role("button", name=t("choose_example")).last.click()  # far below
        pictures = page.locator(".st-key-results img")
        expect(pictures).to_have_count(10)
        if window == LAPTOP:
            for number in range(5):
                expect(pictures.nth(number)).to_be_in_viewport(ratio=1)
        else:
            page.get_by_test_id("stMain").hover()
            page.mouse.wheel(0, 400)  # a flick
            expect(pictures.first).to_be_in_viewport(ratio=0.9)


def test_from_an_upload_to_a_table_of_results(open_page: Open, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    draw_photo("Panthera leo", 1).save(buffer, "JPEG")
    page = open_page()
    page.locator("input[type=file]").set_input_files(
        {"name": "кошка.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}
    )
    results_are_there(page)
    assert "photo=" not in page.url
    with page.expect_download() as download:
        page.get_by_role("button", name=SEARCH["en"]("take_results")).click()
    download.value.save_as(tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["rank"] for row in rows} == {str(rank) for rank in range(1, 11)}
    assert all(row["species"].startswith("Panthera") for row in rows)


def test_from_the_camera_to_results(open_page: Open) -> None:
    page = open_page()
    page.get_by_text(SEARCH["en"]("source_camera"), exact=True).click()
    take_picture(page)
    results_are_there(page)
    expect(page.get_by_text(SEARCH["en"]("camera_photo"))).to_be_visible()


def test_a_file_that_is_not_an_image_is_refused(open_page: Open) -> None:
    page = open_page()
    page.locator("input[type=file]").set_input_files(
        {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": b"<html>"}
    )
    expect(page.get_by_text("it is not an image")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("heading", name=SEARCH["en"]("examples"))).to_be_visible()


def test_a_place_filter_keeps_photos_from_there(open_page: Open, photo: str) -> None:
    page = open_page(f"?photo={photo}")
    results_are_there(page)
    page.get_by_text(SEARCH["en"]("filters"), exact=True).click()
    place = page.get_by_label(SEARCH["en"]("place_filter"))
    place.fill("ladakh")
    place.press("Enter")
    passing = SEARCH["en"]("passing", count=12, total=60)
    expect(page.get_by_text(passing)).to_be_visible(timeout=PATIENCE)
    results_are_there(page)
    places = page.locator(".st-key-results").get_by_text("Place: Ladakh")
    expect(places).to_have_count(10)


def test_a_copied_address_shows_a_colleague_the_same_filters_and_view(
    open_page: Open, photo: str
) -> None:
    page = open_page(f"?photo={photo}&species=Panthera+uncia&place=nowhere")
    expect(page.get_by_text(SEARCH["en"]("no_hits"))).to_be_visible(timeout=PATIENCE)
    place = page.get_by_label(SEARCH["en"]("place_filter"))
    expect(place).to_have_value("nowhere")
    place.fill("")
    place.press("Enter")
    page.wait_for_url(lambda address: "place=" not in address)
    results_are_there(page)
    page.get_by_text(SEARCH["en"]("view_map"), exact=True).click()
    page.wait_for_url(re.compile("view=map"))
    colleague = open_page(page.url.partition("/?")[2].join(["?", ""]))
    expect(colleague.locator(POINTS).first).to_be_visible(timeout=PATIENCE)
    colleague.get_by_text(SEARCH["en"]("view_search"), exact=True).click()
    colleague.wait_for_url(lambda address: "view=" not in address)
    expect(colleague.get_by_text("Snow leopard").first).to_be_visible(timeout=PATIENCE)
    assert "species=Panthera" in colleague.url


def test_the_page_follows_the_browsers_language(open_page: Open, photo: str) -> None:
    page = open_page(f"?photo={photo}", locale="ru-RU")
    results_are_there(page, language="ru")
    page.get_by_text("English", exact=True).click()
    results_are_there(page)
    page.wait_for_url(re.compile("lang=en"))
    assert f"photo={photo}" in page.url


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_nothing_is_cut_off_on_a_phone(open_page: Open, photo: str, locale: str) -> None:
    language: Language = "ru" if locale == "ru-RU" else "en"
    page = open_page(f"?photo={photo}", width=375, locale=locale)
    results_are_there(page, language=language)

    def too_wide() -> list[str]:
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        found: list[str] = page.evaluate(
            """[...document.querySelectorAll('[data-testid=stMain] :is(p, h1, h2, img, button)')]
            .filter(part => part.getBoundingClientRect().right > innerWidth + 1)
            .map(part => part.outerHTML.slice(0, 200))"""
        )
        return found

    assert too_wide() == []
    page.get_by_role("radio", name=SEARCH[language]("view_map")).click()
    expect(page.get_by_text(SEARCH[language]("map_query_own"))).to_be_visible(timeout=PATIENCE)
    expect(page.locator(POINTS).first).to_be_visible(timeout=PATIENCE)
    assert too_wide() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_accessible(open_page: Open, photo: str, scheme: str) -> None:
    page = open_page(scheme=scheme)
    expect(page.get_by_role("button", name=SEARCH["en"]("choose_example")).first).to_be_visible()
    require_accessible(page)
    page.goto(f"{page.url.split('?')[0]}?photo={photo}")
    results_are_there(page)
    require_accessible(page)
    page.get_by_text(SEARCH["en"]("view_map"), exact=True).click()
    expect(page.locator(POINTS).first).to_be_visible()
    require_accessible(page)


def test_a_clicked_point_of_the_map_shows_its_photo_and_searches_with_it(
    open_page: Open, photo: str
) -> None:
    page = open_page(f"?photo={photo}")
    results_are_there(page)
    page.get_by_role("radio", name=SEARCH["en"]("view_map")).click()
    points = page.locator(POINTS)
    expect(points).to_have_count(61, timeout=PATIENCE)  # 60 photos and the cross
    points.nth(30).hover(force=True)
    expect(page.locator("#vg-tooltip-element")).to_contain_text(SEARCH["en"]("map_species"))
    points.nth(30).click(force=True)
    lead_on = page.get_by_role("button", name=SEARCH["en"]("search_with_this"))
    expect(lead_on).to_be_visible(timeout=PATIENCE)
    lead_on.click()
    results_are_there(page)
    assert f"photo={photo}" not in page.url


def test_the_map_is_usable_by_keyboard(open_page: Open, photo: str) -> None:
    page = open_page(f"?photo={photo}")
    results_are_there(page)
    page.get_by_role("radio", name=SEARCH["en"]("view_map")).click()
    page.get_by_role("combobox", name=SEARCH["en"]("map_choose")).press_sequentially("900000006")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=SEARCH["en"]("search_with_this"))).to_be_visible(
        timeout=PATIENCE
    )
