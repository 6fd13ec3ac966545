"""What people decide about photos is kept whole, with its history, and takes effect."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.data.apply_corrections import VERDICT, apply_by_content, apply_corrections
from panthera_vision.data.corrections import (
    COLUMNS,
    Correction,
    append_corrections,
    current_verdicts,
    now,
    read_corrections,
)
from panthera_vision.data.handwritten_verdicts import read_verdicts
from panthera_vision.errors import UserError

LION, LEOPARD, JAGUAR = "Panthera leo", "Panthera pardus", "Panthera onca"
SHA = "ab" * 32


def relabel(id: str, species: str = LEOPARD) -> Correction:
    return Correction(id, "", "species", species=species)


def photos(*ids: str) -> pd.DataFrame:
    columns = {"id": list(ids), "species": LION, "taxon": "Panthera leo leo", "split": "train"}
    return pd.DataFrame(columns)


def test_a_file_that_does_not_exist_has_no_corrections(tmp_path: Path) -> None:
    assert read_corrections(tmp_path / "corrections.csv") == []


@given(comment=st.text(max_size=30), reviewer=st.text(max_size=10))
def test_what_is_appended_is_read_again_whatever_people_write(
    comment: str, reviewer: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("corrections") / "corrections.csv"
    words = {"comment": " ".join(comment.split()), "reviewer": " ".join(reviewer.split())}
    correction = Correction("7", SHA, "unusable", reason="drawing", time=now(), **words)
    append_corrections(path, [correction])
    append_corrections(path, [relabel("8")])
    assert read_corrections(path) == [correction, relabel("8")]


def test_a_formula_in_a_comment_does_not_reach_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    append_corrections(path, [Correction("7", "", "correct", comment="=HYPERLINK(1)")])
    assert ",=HYPERLINK" not in path.read_text()


def test_two_reviewers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(append_corrections, path, [relabel(str(n))]) for n in range(40)]
    for job in jobs:
        job.result()
    assert {each.id for each in read_corrections(path)} == {str(n) for n in range(40)}


@pytest.mark.parametrize(
    ("correction", "problem"),
    [
        (Correction("7", "", "wrong"), "verdict 'wrong' is none of"),
        (Correction("7", "", "species", species="lion"), "species 'lion'"),
        (Correction("7", "", "unusable", reason="ugly"), "reason 'ugly'"),
        (Correction("7", "", "duplicate", duplicate_of="7"), "a duplicate of itself"),
        (Correction("", "", "correct"), "there is no SHA-256"),
        (Correction("../x", SHA, "correct"), "id '../x'"),
        (Correction("7", "12", "correct"), "64 hexadecimal digits"),
    ],
)
def test_an_invalid_decision_is_refused_and_nothing_is_written(
    correction: Correction, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=problem):
        append_corrections(tmp_path / "corrections.csv", [relabel("1"), correction])
    assert not (tmp_path / "corrections.csv").exists()


def test_an_invalid_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(f"{','.join(COLUMNS)}\n7,,correct,,,,,,\n8,,perhaps,,,,,,\n")
    with pytest.raises(UserError, match=r"corrections\.csv, line 3: verdict 'perhaps'"):
        read_corrections(path)


def test_the_last_decision_counts_and_a_withdrawal_takes_the_one_before_it_back() -> None:
    history = [relabel("7"), relabel("7", JAGUAR), relabel("8")]
    assert current_verdicts(history)["7"].species == JAGUAR
    undone = [*history, Correction("7", "", "withdrawn")]
    assert current_verdicts(undone)["7"].species == LEOPARD
    undone += [Correction("7", "", "withdrawn"), Correction("7", "", "withdrawn")]
    assert set(current_verdicts(undone)) == {"8"}


def test_every_verdict_takes_effect_and_is_counted() -> None:
    corrections = [
        relabel("1"),
        Correction("2", "", "unusable", reason="dead"),
        Correction("3", "", "duplicate", duplicate_of="4"),
        Correction("5", "", "correct"),
        relabel("6", "Puma concolor"),
        relabel("gone"),
        Correction("7", "", "duplicate", duplicate_of="2"),
        relabel("5"),
        Correction("5", "", "withdrawn"),
        Correction("1", "", "correct"),
        relabel("1"),
    ]
    table, applied = apply_corrections(photos(*"12345678"), corrections, [LION, LEOPARD])
    assert dict(zip(table["id"], table["species"], strict=True)) == {
        "1": LEOPARD,
        "4": LION,
        "5": LION,
        "7": LION,
        "8": LION,
    }
    assert list(table[VERDICT]) == ["species", "", "correct", "", ""]
    assert list(table["taxon"])[:2] == [LEOPARD, "Panthera leo leo"]
    assert applied.in_effect == {
        "relabeled": 1,
        "dead": 1,
        "duplicate": 1,
        "confirmed": 1,
        "of a species that is not in allowed_species": 1,
    }
    assert applied.without_effect.total() == 2
    counted = applied.in_effect.total() + applied.without_effect.total()
    assert counted + applied.superseded + applied.withdrawn == applied.read == len(corrections)
    assert "2 superseded" in applied.summary()


def test_of_two_photos_that_are_called_duplicates_of_each_other_one_stays() -> None:
    pair = [
        Correction("1", "", "duplicate", duplicate_of="2"),
        Correction("2", "", "duplicate", duplicate_of="1"),
    ]
    table, _ = apply_corrections(photos("1", "2"), pair, [LION])
    assert list(table["id"]) == ["2"]


def test_without_corrections_a_table_stays_as_it_is() -> None:
    table, applied = apply_corrections(photos("1", "2"), [], [LION])
    assert table.equals(photos("1", "2"))
    assert applied.as_dict() == {} and applied.summary() == ""


def test_a_photo_under_a_new_id_is_known_by_its_content() -> None:
    table = photos("1", "2", "3").assign(
        sha256=[SHA, "cd" * 32, "ef" * 32], outcome="ok", file=["a.jpg", "b.jpg", "c.jpg"]
    )
    table.loc[2, "species"] = LEOPARD
    corrections = [
        Correction("old", SHA, "species", species=LEOPARD),
        Correction("", "cd" * 32, "unusable", reason="drawing"),
        Correction("3", "ef" * 32, "species", species=LION),  # by its id: not here
    ]
    corrected, counts = apply_by_content(table, corrections)
    assert list(corrected["species"]) == [LEOPARD, LION, LEOPARD]
    assert list(corrected["outcome"]) == ["ok", "unusable: drawing", "ok"]
    assert counts == {"relabeled by content": 1, "left out as drawing": 1}


def write_review(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["group;id;species;verdict", *lines]), encoding="utf-8-sig")
    return path


def test_verdicts_of_a_spreadsheet_are_understood(tmp_path: Path) -> None:
    table = write_review(
        tmp_path / "review.csv",
        "1;10;Panthera leo;",
        "1;11;Panthera leo;Duplicate",
        "2;12;Panthera leo;leopard",
        "2;13;Panthera leo;Panthera leo",
        "3;14;Panthera leo;рисунок",
        "3;15;Panthera leo;duplicate of 99",
        "3;16;Panthera leo;OK",
        "3;17;Panthera leo;Ягуар",
    )
    found = read_verdicts(table, {"12": SHA}, "Ann")
    assert found.without_verdict == 1
    said = [(c.id, c.verdict, c.species or c.reason or c.duplicate_of) for c in found.corrections]
    assert said == [
        ("11", "duplicate", "10"),
        ("12", "species", LEOPARD),
        ("13", "correct", ""),
        ("14", "unusable", "drawing"),
        ("15", "duplicate", "99"),
        ("16", "correct", ""),
        ("17", "species", JAGUAR),
    ]
    assert found.corrections[1].sha256 == SHA and found.corrections[1].reviewer == "Ann"


def test_verdicts_that_are_not_understood_are_named_by_line(tmp_path: Path) -> None:
    table = write_review(
        tmp_path / "review.csv", "1;10;Panthera leo;correct", "1;1,2E+08;x;ok", "1;12;x;hm?"
    )
    with pytest.raises(UserError, match=r"2 verdicts .*line 3: id '1,2E\+08'.*line 4: 'hm\?'"):
        read_verdicts(table, {})
