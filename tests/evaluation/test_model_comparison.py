"""Our answers beside SpeciesNet's: which photos are the same, who agrees, what to review."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from panthera_vision.cli import compare
from panthera_vision.cli.runner import build_parser
from panthera_vision.data.path_matching import match_paths
from panthera_vision.data.speciesnet_labels import parse_label, speciesnet_label
from panthera_vision.errors import UserError
from panthera_vision.evaluation.model_comparison import Answer, verdict
from panthera_vision.sources.observations import read_observations

from ..conftest import SPECIES, draw_photo

BLANK = "f1856211-cfb7-4a5b-9158-c0f72fd09ee6;;;;;;blank"
HUMAN = "990ae9dd-7a59-4344-afcb-1b7b21368000;mammalia;primates;hominidae;homo;sapiens;human"
NOTHING = "f2efdae9-efb8-48fb-8a91-eccf79ab4ffb" + 6 * ";no cv result"
GENUS = "x;mammalia;carnivora;felidae;panthera;;panthera species"
DEER = "y;mammalia;cetartiodactyla;cervidae;axis;axis;chital"
DEER_FAMILY = "z;mammalia;cetartiodactyla;cervidae;;;cervidae family"
LION, TIGER = speciesnet_label("Panthera leo"), speciesnet_label("Panthera tigris")


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        (BLANK, "blank", "blank"),
        (HUMAN, "human", "Homo sapiens"),
        (NOTHING, "unknown", "unknown"),
        ("", "unknown", "unknown"),
        (GENUS, "animal", "Panthera"),
        (DEER, "animal", "Axis axis"),
        ("a;mammalia;carnivora;felidae;uncia;uncia;snow leopard", "animal", "Panthera uncia"),
        ("1f689929-883d-4dae-958c-3d57ab5b6c16;;;;;;animal", "animal", "animal"),
        ("lion", "animal", "Panthera leo"),
        ("Panthera pardus fusca", "animal", "Panthera pardus"),
        ("person", "human", "person"),
        ("a;b", "animal", "a;b"),
        ("\ud800", "animal", "?"),
    ],
)
def test_labels_of_speciesnet_and_plain_names_are_read(text: str, kind: str, name: str) -> None:
    label = parse_label(text)
    assert (label.kind, label.name) == (kind, name)


@pytest.mark.parametrize(
    ("answer", "label", "expected"),
    [
        ("Panthera leo", LION, "yes"),
        ("Panthera leo", TIGER, "no"),
        ("Panthera leo", GENUS, "less specific"),
        ("Panthera leo", DEER_FAMILY, "no"),
        ("Panthera leo", BLANK, "no"),
        ("Panthera leo", NOTHING, ""),
        ("none of these", DEER, "yes"),
        ("none of these", LION, "no"),
        ("none of these", BLANK, "yes"),
        ("blank", BLANK, "yes"),
        ("blank", LION, "no"),
        ("person", HUMAN, "yes"),
        ("vehicle", HUMAN, "no"),
    ],
)
def test_two_answers_agree_where_they_name_the_same(answer: str, label: str, expected: str) -> None:
    our = Answer("1.jpg", answer, 0.9, frozenset([answer]))
    assert verdict(our, parse_label(label), frozenset(SPECIES)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/ann/valley/cam2/img_1.jpg", 1),
        ("cam1/IMG_1.JPG", 0),
        ("IMG_1.JPG", None),  # of which folder?
        ("/home/ann/cam3/IMG_1.JPG", None),
        ("elsewhere/only.jpg", 2),
        ("/b/cam4/100media/1.jpg", 4),
        ("/b/cam5/100media/1.jpg", None),
        ("", None),
    ],
)
def test_paths_of_another_machine_are_matched_by_their_end(path: str, expected: int | None) -> None:
    others = ["C:\\data\\cam1\\IMG_1.JPG", "C:\\data\\cam2\\IMG_1.JPG", "D:\\x\\only.jpg"]
    others += [f"C:\\data\\cam{number}\\100MEDIA\\1.JPG" for number in (3, 4)]
    assert match_paths([path], others) == [expected]


def test_a_path_is_matched_to_one_photo_only() -> None:
    ours = ["a/cam1/100MEDIA/1.jpg", "a/cam2/100MEDIA/1.jpg", "a/cam3/100MEDIA/1.jpg"]
    assert match_paths(ours, ["b/cam2/100MEDIA/1.jpg"]) == [None, 0, None]
    assert match_paths(ours, ["b/cam4/100MEDIA/1.jpg"]) == [None, None, None]
    assert match_paths(ours[:1], ["1.jpg"]) == [0]


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """A table of predict for five photos, one of which can't be read."""
    (tmp_path / "photos" / "cam1").mkdir(parents=True)
    answers = [
        ("Panthera leo", 0.9),
        ("Panthera leo", 0.6),
        ("Panthera tigris", 0.8),
        ("none of these", 0.5),
    ]
    lines = ["file,answer,species,probability,runner_up,runner_up_probability,ood_score,model"]
    lines[0] += ",reason,note"
    for number, (answer, probability) in enumerate(answers):
        file = f"photos/cam1/{number}.jpg"
        draw_photo("Panthera leo", number).save(tmp_path / file)
        species = answer if answer in SPECIES else "Panthera uncia"
        lines.append(f"{file},{answer},{species},{probability},Panthera pardus,0.1,0,f,,")
    lines.append("photos/cam1/4.jpg,,,,,,,f,broken photo,")
    (tmp_path / "predictions.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "predictions.csv"


def speciesnet_file(folder: Path, records: list[dict[str, Any]]) -> Path:
    path = folder / "predictions.json"
    path.write_text(json.dumps({"predictions": records}))
    return path


def record(number: int, label: str, score: float = 0.7) -> dict[str, Any]:
    file = f"C:\\cats\\cam1\\{number}.jpg"
    return {"filepath": file, "prediction": label, "prediction_score": score, "model_version": "4"}


def run(predictions: Path, theirs: Path, out: Path) -> str:
    words = [str(predictions), str(theirs), "--out", str(out)]
    return compare.main(build_parser(compare).parse_args(words))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_disagreements_are_listed_worst_first_and_labels_are_ready_for_prepare(
    predictions: Path, tmp_path: Path
) -> None:
    records = [
        record(0, TIGER, 0.6),  # 0.9 × 0.6
        record(1, TIGER, 0.95),  # 0.6 × 0.95
        record(2, TIGER),
        record(3, DEER),
        {"filepath": "C:\\cats\\cam1\\9.jpg", "failures": ["CLASSIFIER", "DETECTOR"]},
    ]
    out = tmp_path / "compared"
    line = run(predictions, speciesnet_file(tmp_path, records), out)
    assert line.startswith("compare: 4 photos: 2 agree, 0 agree with a higher taxon, 2 disagree")
    compared = rows(out / "comparison.csv")
    assert [row["agrees"] for row in compared] == ["no", "no", "yes", "yes"]
    assert compared[3]["speciesnet_species"] == "Axis axis"
    page = (out / "disagreements.html").read_text(encoding="utf-8")
    assert page.index("cam1/1.jpg") < page.index("cam1/0.jpg")
    assert "Panthera tigris" in page
    assert "2 of 2 shown" in page
    labels = rows(out / "observations.csv")
    assert [row["id"] for row in labels] == ["1", "0", "2", "3"]
    assert (out / labels[0]["image_url"]).is_file()
    table, report = read_observations(out, ["Panthera tigris"])
    assert list(table["id"]) == ["1", "0", "2"]
    assert report.dropped_by_reason == {"species not in allowed_species": 1}
    run(predictions, tmp_path / "predictions.json", out)  # again, over its own files


def test_the_format_of_megadetector_is_read_too(predictions: Path, tmp_path: Path) -> None:
    def image(number: int, *detections: dict[str, Any]) -> dict[str, Any]:
        return {"file": f"cam1/{number}.jpg", "detections": list(detections)}

    def found(conf: float, category: str = "1", **more: Any) -> dict[str, Any]:
        return {"category": category, "conf": conf, "bbox": [0, 0, 0.5, 0.5], **more}

    theirs = tmp_path / "md.json"
    content = {
        "info": {"format_version": "1.4", "detector": "md_v5a.0.1.pt"},
        "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
        "classification_categories": {"0": "lion", "1": "tiger"},
        "classification_category_descriptions": {"0": LION},
        "images": [
            image(0, found(0.5, classifications=[["1", 0.9]]), found(0.9, classifications=[])),
            image(1, found(0.9, classifications=[["0", 0.8], ["1", 0.1]])),
            image(2, found(0.9, "2")),
            image(3, found(0.01, classifications=[["1", 0.9]])),
        ],
    }
    theirs.write_text(json.dumps(content))
    out = tmp_path / "compared"
    run(predictions, theirs, out)
    compared = rows(out / "comparison.csv")
    assert [(row["speciesnet_species"], row["agrees"]) for row in compared] == [
        ("animal", "less specific"),
        ("Panthera leo", "yes"),
        ("person", "no"),
        ("blank", "yes"),
    ]
    del content["classification_categories"]
    theirs.write_text(json.dumps(content))
    with pytest.raises(UserError, match="has no species"):
        run(predictions, theirs, out)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.jsonl", "{}", r"reads the \.csv that predict writes"),
        ("p.csv", "file,answer\n1.jpg,x\n", "column 'species'"),
        ("p.csv", "file,answer,species,probability,runner_up,reason\n1,,,,,x\n", "no answer"),
        ("absent.csv", None, "absent.csv"),
    ],
)
def test_another_table_is_refused_in_one_line(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        run(tmp_path / name, speciesnet_file(tmp_path, [record(0, LION)]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_not_written_into(predictions: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has other files in it"):
        run(predictions, speciesnet_file(tmp_path, [record(0, LION)]), tmp_path)
