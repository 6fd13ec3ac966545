"""Take README's screenshots of both apps on the demo, or on what a workspace holds."""

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
WINDOW = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=375, height=812)


def answer(page: Page, language: Language) -> None:
    """Show a classified example with its Grad-CAM heatmap."""
    example = Translator("classification", language)("example", number=5)
    page.get_by_role("button", name=example, exact=True).click()
    page.get_by_text(Translator("classification", language)("probabilities"), exact=True).wait_for()
    page.get_by_text(Translator("classification", language)("attention")).first.click()
    page.wait_for_timeout(4000)


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
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")


def review(page: Page, language: Language) -> None:
    """Show the review page after two decisions."""
    page.get_by_role("link", name=Translator("classification", language)("page_review")).click()
    page.get_by_text(Translator("review", language)("neighbors")).wait_for()
    if page.viewport_size == PHONE:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    for key in "02":
        page.wait_for_timeout(2000)
        page.keyboard.press(key)
    page.wait_for_timeout(3000)


APPS: dict[str, dict[str, Callable[[Page, Language], None]]] = {
    "cv-classification-dvc-pipeline": {"answer": answer, "quality": quality, "review": review},
    "image-search-dvc-pipeline": {"similar": similar},
}


def take(browser: Browser, address: str, name: str, language: Language, file: Path) -> None:
    """Take one screenshot; the size of the window is a phone's if the name of the file says so."""
    window = PHONE if "phone" in file.name else WINDOW
    context = browser.new_context(viewport=window, locale=language)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{address}/?lang={language}")
    page.get_by_test_id("stFileUploaderDropzone").wait_for()
    page.wait_for_timeout(3000)
    if window is PHONE:
        page.get_by_test_id("stExpandSidebarButton").click()
    steps = {step: do for app in APPS.values() for step, do in app.items()}
    steps[name](page, language)
    page.mouse.move(0, 0)  # else what appears under the pointer covers something
    page.wait_for_timeout(1000)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # A page has few colours; so written, a picture is a third of the size.
    shot.quantize(dither=Image.Dither.NONE).save(file, optimize=True)
    context.close()


def main(arguments: argparse.Namespace) -> str:
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if CHROMIUM.exists() else None, args=["--no-sandbox"]
        )
        for folder, steps in APPS.items():
            with served(arguments.workspace / folder, "--review") as address:
                for name in steps:
                    for language in LANGUAGES:
                        file = arguments.folder / f"{name}.{language}.png"
                        take(browser, address, name, language, file)
                if "review" in steps:
                    file = arguments.folder / "review.phone.png"
                    take(browser, address, "review", "en", file)
        browser.close()
    return f"screenshots: {len(list(arguments.folder.glob('*.png')))} pictures; {arguments.folder}"


parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=__doc__)
parser.add_argument("folder", type=Path, help="gets the pictures")
parser.add_argument(
    "--workspace", type=Path, default=REPOSITORY / "demo_run", help="has both pipelines"
)

if __name__ == "__main__":
    run(main, parser)
