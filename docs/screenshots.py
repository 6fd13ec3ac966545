"""Take README's screenshots of both apps, with what their pipelines' folders hold."""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.app_server import CHROMIUM, served
from panthera_vision.cli.runner import run
from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n import Translator

REPOSITORY = Path(__file__).resolve().parents[1]
LANGUAGES: tuple[Language, ...] = ("en", "ru")
PATIENCE = 120_000  # milliseconds; the first page waits for the libraries
WINDOW = ViewportSize(width=1280, height=1000)


def answer(page: Page, language: Language) -> None:
    """Show a classified example with its Grad-CAM heatmap."""
    example = Translator("classification", language)("example", number=2)
    page.get_by_role("button", name=example, exact=True).click()
    page.get_by_text(Translator("classification", language)("probabilities"), exact=True).wait_for()
    page.get_by_text(Translator("classification", language)("attention")).first.click()
    page.wait_for_timeout(4000)
    page.get_by_text(Translator("classification", language)("probabilities"), exact=True).evaluate(
        "words => words.scrollIntoView({block: 'center'})"
    )


def quality(page: Page, language: Language) -> None:
    """Show the quality page."""
    page.get_by_role("link", name=Translator("classification", language)("page_quality")).click()
    page.get_by_role("heading", name=Translator("quality", language)("confusions")).wait_for()
    page.wait_for_timeout(3000)
    matrix = page.get_by_test_id("stVegaLiteChart").first
    matrix.evaluate("chart => chart.scrollIntoView({block: 'center'})")


def similar(page: Page, language: Language) -> None:
    """Show the photos similar to an example."""
    page.get_by_role("button", name=Translator("search", language)("choose_example")).nth(2).click()
    heading = page.get_by_role("heading", name=Translator("search", language)("results", count=10))
    heading.wait_for()
    page.wait_for_timeout(3000)
    heading.evaluate("words => words.scrollIntoView({block: 'center'})")


APPS: dict[str, dict[str, Callable[[Page, Language], None]]] = {
    "cv-classification-dvc-pipeline": {"answer": answer, "quality": quality},
    "image-search-dvc-pipeline": {"similar": similar},
}


def take(browser: Browser, address: str, name: str, language: Language, folder: Path) -> None:
    """Take one screenshot, `folder`/<name>.<language>.png."""
    context = browser.new_context(viewport=WINDOW, locale=language)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{address}/?lang={language}")
    page.get_by_test_id("stFileUploaderDropzone").wait_for()
    page.wait_for_timeout(3000)
    steps = {step: do for app in APPS.values() for step, do in app.items()}
    steps[name](page, language)
    page.mouse.move(0, 0)  # else what appears under the pointer covers something
    page.wait_for_timeout(1000)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # A page has few colours; so written, a picture is a third of the size.
    shot.quantize(dither=Image.Dither.NONE).save(folder / f"{name}.{language}.png", optimize=True)
    context.close()


def main(arguments: argparse.Namespace) -> str:
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if CHROMIUM.exists() else None, args=["--no-sandbox"]
        )
        for folder, steps in APPS.items():
            with served(REPOSITORY / folder) as address:
                for name in steps:
                    for language in LANGUAGES:
                        take(browser, address, name, language, arguments.folder)
        browser.close()
    return f"screenshots: {len(LANGUAGES) * 3} pictures; {arguments.folder}"


parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=__doc__)
parser.add_argument("folder", type=Path, help="gets the pictures")

if __name__ == "__main__":
    run(main, parser)
