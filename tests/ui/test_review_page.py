"""The review page: what it offers, saves and takes back."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from panthera_vision.data.corrections import (
    Correction,
    append_corrections,
    current_verdicts,
    read_corrections,
)
from panthera_vision.data.proposed_photos import ProposedPhoto, write_proposed_photos
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.ui.i18n import LANGUAGES
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.review import access

from ..conftest import draw_photo
from ..translators import REVIEW
from .made_pipeline import write_pipeline

LION, TIGER = "Panthera leo", "Panthera tigris"


def write_lists(pipeline: Path) -> None:
    """Write the lists of photos to look at: 2 is suspected and a mistake, 3 a duplicate of 1."""
    search = pipeline.parent / "image-search-dvc-pipeline/results"
    search.mkdir(parents=True)
    columns = ["id", "given_species", "suggested_species"]
    pd.DataFrame([["2", LION, TIGER]], columns=columns).assign(priority=0.9).to_csv(
        pipeline / "results/label_review.csv", index=False
    )
    pd.DataFrame([["1", LION, TIGER]], columns=columns).assign(
        neighbours=8, mean_similarity=0.5
    ).to_csv(search / "disagreeing_neighbours.csv", index=False)
    pd.DataFrame([["1", LION], ["3", TIGER]], columns=["id", "species"]).assign(
        group=7, similarity=0.9
    ).to_csv(search / "duplicates_across_splits.csv", index=False)


@pytest.fixture
def paths(tmp_path: Path) -> ClassifierPaths:
    pipeline = tmp_path / "cv-classification-dvc-pipeline"
    pipeline.mkdir()
    write_pipeline(pipeline)
    write_lists(pipeline)
    return ClassifierPaths(pipeline)


def open_page(paths: ClassifierPaths, language: str = "en") -> AppTest:
    def script(paths: object, language: str) -> None:
        from panthera_vision.ui.review.page import show_review_page

        show_review_page(paths, language)  # type: ignore[arg-type]

    page = AppTest.from_function(script, default_timeout=60, args=(paths, language)).run()
    assert not page.exception
    return page


def press(page: AppTest, key: str) -> AppTest:
    page = next(button for button in page.button if button.key == key).click().run()
    assert not page.exception
    return page


def shown(page: AppTest) -> str:
    """Return the id of the photo that is shown."""
    return page.caption[0].value.rpartition(" · ")[2]


def said(paths: ClassifierPaths) -> dict[str, tuple[str, str]]:
    verdicts = current_verdicts(read_corrections(paths.corrections))
    return {key: (each.verdict, each.species) for key, each in verdicts.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_most_suspicious_photo_comes_first_with_the_reasons(
    paths: ClassifierPaths, language: str
) -> None:
    page = open_page(paths, language)
    t = REVIEW[language]  # type: ignore[index]
    assert shown(page) == "2"
    assert t("why_label", share=t.percent(0.9, 0)) in page.caption[0].value
    assert t("why_mistakes", share=t.percent(0.6, 0)) in page.caption[0].value
    assert t("suggested", species=t.species(TIGER)) in page.caption[0].value
    assert len(page.get("image")) == 1


def test_decisions_are_saved_at_once_and_the_next_photo_follows(paths: ClassifierPaths) -> None:
    page = open_page(paths)
    page.text_input[0].set_value("Ann").run()
    page = press(page, f"species {TIGER}")
    assert said(paths) == {"2": ("species", TIGER)}
    assert read_corrections(paths.corrections)[0].reviewer == "Ann"
    after = shown(page)
    assert after != "2"
    press(page, "correct")
    assert said(paths)[after] == ("correct", "")


def test_the_own_label_pressed_as_a_species_confirms_it(paths: ClassifierPaths) -> None:
    press(open_page(paths), f"species {LION}")
    assert said(paths) == {"2": ("correct", "")}


def test_undo_takes_the_last_decision_back_also_after_closing_the_page(
    paths: ClassifierPaths,
) -> None:
    page = press(open_page(paths), "unusable drawing")
    press(page, "correct")
    page = open_page(paths)  # anew
    page = press(page, "undo")
    assert said(paths) == {"2": ("unusable", "")}
    page = press(page, "undo")
    assert said(paths) == {}
    assert shown(page) == "2"
    assert all(button.disabled for button in page.button if button.key == "undo")


def test_undo_takes_back_nobody_elses_decision(paths: ClassifierPaths) -> None:
    append_corrections(paths.corrections, [Correction("1", "", "correct", reviewer="Ben")])
    page = open_page(paths)
    assert all(button.disabled for button in page.button if button.key == "undo")


def test_what_another_reviewer_decides_meanwhile_is_kept_and_not_asked_again(
    paths: ClassifierPaths,
) -> None:
    page = open_page(paths)
    append_corrections(paths.corrections, [Correction("1", "", "correct", reviewer="Ben")])
    page = press(page, "correct")
    assert said(paths) == {"1": ("correct", ""), "2": ("correct", "")}
    assert shown(page) not in ("1", "2")


def test_skipping_goes_round_and_decides_nothing(paths: ClassifierPaths) -> None:
    page = open_page(paths)
    seen = [shown(page)]
    while shown(page := press(page, "next")) not in seen:
        seen.append(shown(page))
    assert sorted(seen) == ["1", "2", "3", "4"] and shown(page) == "2"
    assert shown(press(page, "previous")) == seen[-1]
    assert said(paths) == {}


def test_a_duplicate_names_the_photo_that_stays(paths: ClassifierPaths) -> None:
    page = open_page(paths)
    page.multiselect[0].set_value(["duplicates"]).run()
    assert shown(page) == "3"
    press(page, "duplicate")
    (decision,) = read_corrections(paths.corrections)
    assert (decision.id, decision.verdict, decision.duplicate_of) == ("3", "duplicate", "1")


def test_a_list_is_chosen_and_ends(paths: ClassifierPaths) -> None:
    page = open_page(paths)
    page.multiselect[0].set_value(["label"]).run()
    page = press(page, "correct")
    assert page.success[0].value == REVIEW["en"]("nothing_left")
    assert shown(press(page, "undo")) == "2"  # undone


def test_a_proposed_photo_is_labeled_by_its_content(paths: ClassifierPaths, tmp_path: Path) -> None:
    photo = tmp_path / "new.jpg"
    draw_photo(TIGER, 9).save(photo)
    sha256 = sha256_of_file(photo)
    proposed = ProposedPhoto(1, str(photo), sha256, "unsure", LION, 0.5, 1.0)
    write_proposed_photos([proposed], paths.results / "proposed_photos.csv")
    page = open_page(paths)
    page.multiselect[0].set_value(["proposed"]).run()
    assert shown(page) == r"new\.jpg"
    assert not any(button.key == "correct" for button in page.button)
    press(page, f"species {TIGER}")
    assert said(paths) == {sha256: ("species", TIGER)}


def test_a_proposed_file_with_another_content_is_not_shown(
    paths: ClassifierPaths, tmp_path: Path
) -> None:
    photo = tmp_path / "secret.jpg"
    draw_photo(TIGER, 9).save(photo)
    proposed = ProposedPhoto(1, str(photo), "ab" * 32, "unsure", LION, 0.5, 1.0)
    write_proposed_photos([proposed], paths.results / "proposed_photos.csv")
    page = open_page(paths)
    page.multiselect[0].set_value(["proposed"]).run()
    assert not page.get("image")
    assert page.warning[0].value == REVIEW["en"]("photo_gone")


def test_a_decision_that_cannot_be_saved_is_not_lost_silently(
    paths: ClassifierPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(paths)

    def fail(*_: object) -> None:
        raise OSError(30, "Read-only file system", str(paths.corrections))

    monkeypatch.setattr("panthera_vision.ui.review.session.append_corrections", fail)
    page = press(page, "correct")
    assert r"Read\-only file system" in page.error[0].value
    assert shown(page) == "2"


def test_a_read_only_folder_is_said_before_anything_is_decided(
    paths: ClassifierPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panthera_vision.ui.review.page.is_writable", lambda _: False)
    page = open_page(paths)
    assert page.warning[0].value.startswith("Decisions can't be saved")


def test_the_page_is_off_unless_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["web_app.py"])
    monkeypatch.delenv(access.VARIABLE, raising=False)
    assert not access.is_review_allowed()
    monkeypatch.setattr("sys.argv", ["web_app.py", "--review"])
    assert access.is_review_allowed()


def test_a_broken_line_of_the_corrections_is_named(paths: ClassifierPaths) -> None:
    paths.corrections.write_text("id,verdict\n1,perhaps\n")
    page = open_page(paths)
    assert "line 2" in page.warning[0].value
