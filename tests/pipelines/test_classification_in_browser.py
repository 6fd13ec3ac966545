"""The classification app in a browser: examples, uploads, languages, phone, accessibility."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from benchmarks.app_server import served
from panthera_vision.images.kinds import KINDS

from ..conftest import SPECIES, draw_photo
from ..translators import CLASSIFICATION, DATA, QUALITY
from .browsing import (
    LAPTOP,
    PHONE,
    PHONE_WINDOW,
    Visitors,
    require_accessible,
    require_whole,
    take_picture,
)
from .conftest import Clone


@pytest.fixture(scope="module")
def address(made: Clone) -> Iterator[str]:
    with served(made.classifier) as serving:
        yield serving


@pytest.fixture
def page(visitors: Visitors, address: str) -> Page:
    return visitors.visit(address)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"{number}.jpg" for number in range(3)]
    for number, path in enumerate(paths):
        draw_photo(SPECIES[number], number, (300, 200)).save(path)
    draw_photo(SPECIES[3], 3, (300, 200)).save(folder / "3.webp")
    (folder / "4.jpg").write_text("<html>not a photo</html>")
    return [*paths, folder / "3.webp", folder / "4.jpg"]


def test_an_example_is_classified_with_one_click(page: Page) -> None:
    page.get_by_role("button", name="Example 1", exact=True).click()
    expect(page.get_by_role("heading", name=CLASSIFICATION["en"]("similar_photos"))).to_be_visible()
    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(chart).to_have_attribute("aria-label", re.compile(r"^Probabilities: .*%$"))
    require_whole(page)


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
def test_the_answer_is_seen_without_scrolling(
    address: str, visitors: Visitors, photos: list[Path], locale: str
) -> None:
    t = CLASSIFICATION["ru" if locale == "ru-RU" else "en"]
    for window in (LAPTOP, PHONE_WINDOW):
        page = visitors.visit(address, window, locale)
        page.get_by_role("button", name=t("example", number=5), exact=True).click()  # far below
        main = page.get_by_test_id("stMain")
        expect(main.get_by_role("heading", level=2).first).to_be_in_viewport(ratio=1)
        photo = page.locator(".st-key-photo img").first
        expect(photo).to_be_in_viewport(ratio=1 if window == LAPTOP else 0.1)
        if window == LAPTOP:
            expect(page.get_by_test_id("stVegaLiteChart").first).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name=t("other_photos")).click()
        expect(page.get_by_role("button", name=t("example", number=1), exact=True)).to_be_visible()
        box = page.get_by_test_id("stFileUploaderDropzoneInput")
        expect(box).to_have_count(1)  # it moves back from the sidebar
        box.set_input_files(photos[0])
        expect(page.get_by_text(photos[0].name, exact=True).last).to_be_attached()
        expect(main.get_by_role("heading", level=2).first).to_be_in_viewport(ratio=1)


def test_the_page_follows_the_browsers_language_and_keeps_it_in_the_address(
    address: str, visitors: Visitors
) -> None:
    page = visitors.visit(address, locale="ru-RU")
    expect(page.get_by_role("heading", name=CLASSIFICATION["ru"]("title"))).to_be_visible()
    box = page.get_by_test_id("stFileUploaderDropzone")
    shown = box.evaluate(
        "box => [...box.querySelectorAll('p, span')].filter(e => e.checkVisibility() && "
        "e.childElementCount === 0).map(e => parseFloat(getComputedStyle(e).fontSize) ? "
        "e.textContent : getComputedStyle(e, '::after').content.slice(1, -1))"
    )
    assert CLASSIFICATION["ru"]("browse") in shown
    assert not any("Upload" in words or "per file" in words for words in shown)
    page.get_by_text("English").click()
    expect(page.get_by_role("heading", name=CLASSIFICATION["en"]("title"))).to_be_visible()
    page.wait_for_url("**lang=en**")
    page.get_by_role("link", name=CLASSIFICATION["en"]("page_data")).click()
    expect(page.get_by_role("heading", name=DATA["en"]("title"), exact=True)).to_be_visible()
    page.wait_for_url("**/data?lang=en")


def test_many_photos_are_classified_and_the_table_is_downloaded(
    page: Page, photos: list[Path]
) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photos)
    count = CLASSIFICATION["en"]("photos_count", count=len(photos))
    expect(page.get_by_text(count, exact=True)).to_be_visible()
    expect(page.get_by_text("it is not an image")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name=CLASSIFICATION["en"]("take_table")).click()
    content = Path(download.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["file"] for row in rows] == [path.name for path in photos]
    assert [bool(row["species"]) for row in rows] == [True] * 4 + [False]
    page.get_by_test_id("stMain").get_by_role("button", name="Open", exact=True).last.click()
    expect(page.get_by_text(CLASSIFICATION["en"]("probabilities"), exact=True)).to_be_visible()
    page.get_by_role("button", name=CLASSIFICATION["en"]("back_to_all")).click()
    expect(page.get_by_text(count, exact=True)).to_be_visible()


def test_photos_and_settings_survive_a_change_of_page(page: Page, photos: list[Path]) -> None:
    t = CLASSIFICATION["en"]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photos[:2])
    count = t("photos_count", count=2)
    expect(page.get_by_text(count, exact=True)).to_be_visible()
    threshold = page.get_by_role("slider", name=t("threshold"))
    threshold.press("Home")
    expect(threshold).to_have_value("0")
    switch = page.get_by_test_id("stCheckbox").filter(has_text=t("use_pretrained"))
    switch.locator("label").click()  # and leaves the page at once
    page.get_by_role("link", name=t("page_data")).click()
    expect(page.get_by_role("heading", name=DATA["en"]("title"), exact=True)).to_be_visible()
    expect(switch.locator("input")).to_be_checked()
    page.get_by_role("link", name=t("page_classify")).click()
    expect(page.get_by_text(count, exact=True)).to_be_visible()
    expect(threshold).to_have_value("0")
    expect(switch.locator("input")).to_be_checked()
    expect(page.get_by_text(t("pretrained").strip("*"), exact=True)).to_be_visible()
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(photos[2])
    expect(page.get_by_text(t("photos_count", count=3), exact=True)).to_be_visible()
    page.get_by_role("button", name=t("remove_photos")).click()
    expect(page.get_by_text(t("probabilities"), exact=True)).to_be_visible()


def test_a_refused_file_is_explained_in_the_pages_language(
    address: str, visitors: Visitors, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    page = visitors.visit(address, locale="ru-RU")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / "notes.txt")
    chip = page.get_by_test_id("stFileChip")
    expect(chip).to_have_attribute("aria-invalid", "true")
    told = page.get_by_test_id("stFileUploader").evaluate(
        "box => getComputedStyle(box, '::after').content"
    )
    assert CLASSIFICATION["ru"]("why_refused", megabytes=20, kinds=KINDS) in told
    chip.hover()
    bubble = page.get_by_test_id("stTooltipErrorContent")
    expect(bubble).to_be_visible()
    sizes = bubble.evaluate(
        "b => [b, ...b.querySelectorAll('*')].map(e => getComputedStyle(e).fontSize)"
    )
    assert set(sizes) == {"0px"}


def test_an_image_is_pasted_from_the_clipboard(page: Page, photos: list[Path]) -> None:
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
    page.wait_for_function("() => Boolean(window.pantheraPaste)")
    page.evaluate(
        """bytes => {
            const transfer = new DataTransfer();
            const file = new File([new Uint8Array(bytes)], "pasted.jpg", {type: "image/jpeg"});
            transfer.items.add(file);
            document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer}));
        }""",
        list(photos[0].read_bytes()),
    )
    expect(page.get_by_text(CLASSIFICATION["en"]("probabilities"), exact=True)).to_be_visible()


def test_a_photo_is_taken_with_the_camera(page: Page) -> None:
    page.get_by_text(CLASSIFICATION["en"]("camera"), exact=True).click()
    take_picture(page)
    expect(page.get_by_text(CLASSIFICATION["en"]("probabilities"), exact=True)).to_be_visible()


def test_visitors_do_not_see_each_others_photos(
    address: str, visitors: Visitors, page: Page, photos: list[Path]
) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photos[0])
    expect(page.get_by_text(CLASSIFICATION["en"]("probabilities"), exact=True)).to_be_visible()
    other = visitors.visit(address, scheme="dark")  # in a browser context of its own
    expect(other.get_by_role("button", name="Example 1", exact=True)).to_be_visible()
    assert other.get_by_text(CLASSIFICATION["en"]("probabilities"), exact=True).count() == 0


def test_every_page_fits_a_phone(address: str, visitors: Visitors, photos: list[Path]) -> None:
    page = visitors.visit(address, PHONE, "ru-RU", "dark")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photos[0])
    expect(page.get_by_text(CLASSIFICATION["ru"]("probabilities"), exact=True)).to_be_visible()
    require_whole(page)
    for name, heading in (
        ("quality", QUALITY["ru"]("by_species")),
        ("data", DATA["ru"]("licenses")),
    ):
        page.goto(f"{address}/{name}?lang=ru")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        require_whole(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    address: str, visitors: Visitors, photos: list[Path], scheme: Literal["light", "dark"]
) -> None:
    page = visitors.visit(address, scheme=scheme)
    expect(page.get_by_role("button", name="Example 5", exact=True)).to_be_visible()
    require_accessible(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photos[0])
    expect(page.get_by_role("heading", name=CLASSIFICATION["en"]("similar_photos"))).to_be_visible()
    require_accessible(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(photos[1])
    count = CLASSIFICATION["en"]("photos_count", count=2)
    expect(page.get_by_text(count, exact=True)).to_be_visible()
    require_accessible(page)
    for name, heading in (
        ("quality", QUALITY["en"]("by_species")),
        ("data", DATA["en"]("licenses")),
    ):
        page.goto(f"{address}/{name}")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        require_accessible(page)


def test_a_cell_of_the_confusion_matrix_shows_its_photos(address: str, page: Page) -> None:
    page.goto(f"{address}/quality")
    expect(page.get_by_role("heading", name=QUALITY["en"]("confusions"))).to_be_visible()
    cells = page.get_by_test_id("stVegaLiteChart").first.locator("g.mark-rect path")
    expect(cells).to_have_count(len(SPECIES) ** 2)
    cells.last.click(force=True)  # its number lies above it
    for key in ("actual", "predicted"):
        box = page.get_by_role("combobox", name=QUALITY["en"](key))
        expect(box).to_have_value("Snow leopard")
