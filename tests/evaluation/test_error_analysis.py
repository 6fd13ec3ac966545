from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import binomtest

from panthera_vision.evaluation.error_analysis import (
    least_confident,
    most_confident_mistakes,
    write_error_analysis,
)
from panthera_vision.evaluation.report import ModelOutputs
from panthera_vision.evaluation.subgroups import (
    accuracy_by,
    observer_summary,
    per_observer_accuracy,
    per_subspecies_accuracy,
)

from ..conftest import draw_photo

NAMES = ("Panthera leo", "Panthera onca", "Panthera uncia")


@pytest.fixture
def photos(tmp_path: Path) -> tuple[pd.DataFrame, list[Path]]:
    """Return seven rows of test photos and their files."""
    actual = [0, 0, 0, 0, 1, 1, 2]
    paths = [tmp_path / f"p{number}.jpg" for number in range(7)]
    for number, path in enumerate(paths):
        draw_photo(NAMES[actual[number]], number).save(path)
    table = pd.DataFrame(
        {
            "id": [path.stem for path in paths],
            "species": [NAMES[number] for number in actual],
            "taxon": ["Panthera leo leo"] * 3
            + ["Panthera leo $x^$", *(NAMES[n] for n in (1, 1, 2))],
            "file": [path.name for path in paths],
            "observer": ["ann", "ann", "ann", "bob", "=cmd()", "", ""],
            "observed_on": "2020-01-01",
            "license": "CC-BY",
            "attribution": "(c) Ann",
            "observation_url": [f"https://example.org/{path.stem}" for path in paths],
        }
    )
    return table, paths


def outputs_of(predicted: list[int], strength: list[float]) -> ModelOutputs:
    logits = np.eye(3)[predicted] * np.array(strength)[:, None]
    return ModelOutputs(logits, np.zeros(len(logits)), NAMES, 1.0, None)


class Page(HTMLParser):
    """Parse a page into its elements (tag and attributes) and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str | None]:
        return [attributes["href"] for tag, attributes in self.elements if tag == "a"]


def test_most_confident_mistakes_and_least_confident_photos_come_first() -> None:
    confidence = np.array([0.9, 0.5, 0.7, 0.99, 0.7])
    right = np.array([False, True, False, True, False])
    assert most_confident_mistakes(confidence, right, 9).tolist() == [0, 2, 4]
    assert most_confident_mistakes(confidence, right, 2).tolist() == [0, 2]
    assert least_confident(confidence, 3).tolist() == [1, 2, 4]


def test_contact_sheets_tables_and_page_are_reproducible_and_link_to_observations(
    photos: tuple[pd.DataFrame, list[Path]], tmp_path: Path
) -> None:
    test, paths = photos
    outputs = outputs_of([0, 0, 1, 1, 1, 0, 2], [4, 4, 2, 6, 1, 3, 5])
    for folder in ("one", "two"):
        write_error_analysis(test, paths, outputs, tmp_path / folder)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file
    for name in ("confident_mistakes", "least_certain", "per_subspecies_accuracy"):
        with Image.open(tmp_path / "one" / f"{name}.png") as picture:
            assert picture.width > 800, name
    page = Page(tmp_path / "one/error_analysis.html")
    in_order = [link for number, link in enumerate(page.links()) if number % 2]
    # The mistakes, most confident first; then all photos, least confident first.
    expected = ["p3", "p5", "p2", "p4", "p2", "p5", "p0", "p1", "p6", "p3"]
    assert in_order == [f"https://example.org/{name}" for name in expected]
    assert "3 of 7 test photos are wrong" in page.text
    assert "license: CC-BY; (c) Ann" in page.text
    observers = pd.read_csv(tmp_path / "one/per_observer_accuracy.csv")
    # Escaped against CSV formula injection.
    assert set(observers["observer"]) == {"ann", "bob", "'=cmd()", "unknown"}


def test_untrusted_text_is_escaped_and_only_web_addresses_become_links(
    photos: tuple[pd.DataFrame, list[Path]], tmp_path: Path
) -> None:
    test, paths = photos
    test["observer"] = "</small><script>alert(1)</script>"
    test["attribution"] = "<img src=x onerror=alert(1)> {title} & more"
    test["license"] = '"><b onclick="alert(1)">'
    addresses = [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//example.org",
        "",
        "http://[",
        'https://example.org/"onmouseover="alert(1)',
    ]
    test["observation_url"] = addresses
    write_error_analysis(test, paths, outputs_of([0] * 7, [1] * 7), tmp_path / "out")
    page = Page(tmp_path / "out/error_analysis.html")
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "b", "iframe"})
    assert not [name for _, given in page.elements for name in given if name.startswith("on")]
    assert set(page.links()) == {addresses[-1]}
    pictures = [given["src"] or "" for tag, given in page.elements if tag == "img"]
    assert len(pictures) == 3 + 7
    assert all(source.startswith("data:image/jpeg;base64,") for source in pictures)
    assert "<script>alert(1)</script>" in page.text
    assert "{title} & more" in page.text


def test_a_page_without_mistakes_says_so(
    photos: tuple[pd.DataFrame, list[Path]], tmp_path: Path
) -> None:
    test, paths = photos
    outputs = outputs_of([0, 0, 0, 0, 1, 1, 2], [5] * 7)
    write_error_analysis(test, paths, outputs, tmp_path / "out")
    page = Page(tmp_path / "out/error_analysis.html")
    assert "No mistakes: all 7 test photos are classified correctly." in page.text
    with Image.open(tmp_path / "out/confident_mistakes.png") as picture:
        assert len(picture.convert("L").getcolors() or []) > 1  # not blank


def test_accuracy_per_observer_and_per_subspecies(
    photos: tuple[pd.DataFrame, list[Path]],
) -> None:
    test, _ = photos
    right = pd.Series([True, True, False, False, True, True, True])
    observers = per_observer_accuracy(test, right)
    assert observers["observer"].tolist() == ["bob", "ann", "unknown", "=cmd()"]
    assert observers["photos"].tolist() == [1, 3, 2, 1]
    assert observers["mistakes"].tolist() == [1, 1, 0, 0]
    subspecies = per_subspecies_accuracy(test, right)
    assert subspecies["taxon"].tolist() == [
        "Panthera leo leo",
        "Panthera leo $x^$",
        *NAMES[1:],
    ]
    assert subspecies["species"].tolist() == ["Panthera leo", "Panthera leo", *NAMES[1:]]
    summary = observer_summary(test, right)
    assert summary["observers"] == 4
    assert summary["mean_accuracy"] == pytest.approx((2 / 3 + 0 + 1 + 1) / 4)


def test_wilson_score_intervals_are_scipys() -> None:
    pairs = [(hits, photos) for photos in (1, 2, 7, 60) for hits in range(photos + 1)]
    keys = [f"{hits} of {photos}" for hits, photos in pairs for _ in range(photos)]
    right = [number < hits for hits, photos in pairs for number in range(photos)]
    table = accuracy_by(pd.Series(keys), pd.Series(right))
    for hits, photos in pairs:
        expected = binomtest(hits, photos).proportion_ci(0.95, method="wilson")
        found = table.loc[f"{hits} of {photos}", ["interval_low", "interval_high"]]
        assert found.tolist() == pytest.approx([expected.low, expected.high], abs=6e-5)


def test_wilson_score_intervals_by_hand() -> None:
    right = pd.Series([True] * 8 + [False] * 2 + [True] * 3)
    table = accuracy_by(pd.Series(["a"] * 10 + ["b"] * 3), right)
    # By hand from Wilson's formula with z = 1.959964.
    assert table.loc["a", ["interval_low", "interval_high"]].tolist() == [0.4902, 0.9433]
    assert table.loc["b", ["interval_low", "interval_high"]].tolist() == [0.4385, 1.0]
