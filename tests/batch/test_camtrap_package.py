"""A Camtrap DP package in, the package with the model's observations out, valid by frictionless."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from panthera_vision.batch.batch_items import BatchItem
from panthera_vision.batch.batch_predict import BatchOptions, batch_predict
from panthera_vision.batch.camtrap_package import (
    PREDICTIONS_FILE,
    CamtrapOutput,
    classification_of,
    find_package_photos,
)
from panthera_vision.cli import predict
from panthera_vision.cli.runner import build_parser
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import save_checkpoint
from panthera_vision.sources.camtrap_dp.package import open_package
from panthera_vision.sources.camtrap_dp.writing import (
    Classification,
    Classifier,
    observation_row,
    updated_descriptor,
)

from ..conftest import SPECIES
from ..made_search import untrained_model
from ..sources.camtrap_packages import (
    descriptor,
    medium,
    seen,
    table_schema,
    write_package,
)

MEDIUM = ("m1", "dep1", "2023-05-01T05:00:00+05:45")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that answers with a species on every photo."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("model") / "best_model.pth"
    save_checkpoint(untrained_model(32), path)
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Three photos, one of which is broken, a film, and two human observations."""
    media = [medium(f"m{n}", n) for n in (1, 2, 3)]
    write_package(tmp_path / "valley", media, [], photos=True)
    observations = [seen("o1", "m1", observationComments="=1+1, ünlü"), seen("o2", "", mediaID="")]
    observations[1] |= {"observationLevel": "event", "deploymentID": "dep2"}
    media += [medium("m4", fileMediatype="video/mp4", filePath="media/m4.mp4")]
    write_package(tmp_path / "valley", media, observations)
    (tmp_path / "valley" / "media" / "m3.jpg").write_bytes(b"no photo")
    return tmp_path / "valley"


def run(model: Path, *words: str | Path) -> str:
    arguments = build_parser(predict).parse_args([*map(str, words), "--model", str(model)])
    return predict.main(arguments)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def problems(folder: Path) -> list[Any]:
    """What frictionless finds wrong with a package, by the rules of Camtrap DP 1.0."""
    frictionless = pytest.importorskip("frictionless")
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    del described["profile"]  # an address
    for resource in described["resources"]:
        resource["schema"] = table_schema(resource["name"])
    report = frictionless.Package.from_descriptor(described, basepath=str(folder)).validate()
    return list(report.flatten(["title", "fieldName", "rowNumber", "note"]))


def test_a_package_gets_the_models_observations_and_stays_valid(
    model: Path, package: Path, tmp_path: Path
) -> None:
    out = tmp_path / "classified"
    line = run(model, package, "--out", out)
    assert "2 photos classified" in line
    assert "1 can't be read (1 not a photo" in line
    assert "; 2 observations added to 2, 1 media not classified (1 video); " in line
    assert problems(out) == []
    rows = table(out / "observations.csv")
    human, ours = rows[:2], rows[2:]
    before = table(package / "observations.csv")
    assert human == before  # cell by cell, the comment included
    assert [row["mediaID"] for row in ours] == ["m1", "m2"]
    predictions = table(out / PREDICTIONS_FILE)
    for row, predicted in zip(ours, predictions, strict=False):
        assert row["scientificName"] == predicted["answer"]
        assert row["classificationProbability"] == f"{float(predicted['probability']):g}"
        assert row["classificationMethod"] == "machine"
        assert row["classifiedBy"].startswith("panthera-vision ")
        assert row["classifiedBy"].endswith(predicted["model"])
        assert row["observationLevel"] == "media"
        assert row["count"] == row["lifeStage"] == row["sex"] == row["bboxX"] == ""
    for name in ("deployments.csv", "media.csv"):
        assert (out / name).read_bytes() == (package / name).read_bytes()
    described = json.loads((out / "datapackage.json").read_text(encoding="utf-8"))
    assert described["project"]["observationLevel"] == ["event", "media"]
    names = {taxon["scientificName"] for taxon in described["taxonomic"]}
    assert names == {"Panthera tigris", *(row["scientificName"] for row in ours)}


def test_a_second_run_replaces_the_observations_of_the_first(
    model: Path, package: Path, tmp_path: Path
) -> None:
    run(model, package, "--out", tmp_path / "first")
    package.joinpath("media").rename(tmp_path / "first" / "media")  # photos are not copied
    before = {row["observationID"] for row in table(tmp_path / "first" / "observations.csv")}
    line = run(model, tmp_path / "first", "--out", tmp_path / "again")
    assert "2 observations added to 2, 2 of an earlier run of this model replaced" in line
    assert {row["observationID"] for row in table(tmp_path / "again" / "observations.csv")} == (
        before
    )
    assert problems(tmp_path / "again") == []


def test_a_package_can_be_classified_into_a_table(
    model: Path, package: Path, tmp_path: Path
) -> None:
    grouped = ("--group-by", "deploymentID")
    line = run(model, package / "datapackage.json", "--out", tmp_path / "p.csv", *grouped)
    assert "1 media not classified (1 video)" in line
    rows = table(tmp_path / "p.csv")
    assert [Path(row["file"]).name for row in rows] == ["m1.jpg", "m2.jpg", "m3.jpg"]
    assert [row["group"] for row in rows[:2]] == ["dep1", "dep2"]
    with pytest.raises(UserError, match=r"no column 'deployment' \(did you mean deploymentID"):
        run(model, package, "--out", tmp_path / "p.csv", "--group-by", "deployment")


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("valley", "would overwrite the package"),
        ("valley/out", "would overwrite the package"),
        ("full", "has other files in it"),
        ("file", "is a file"),
    ],
)
def test_a_package_is_written_into_a_folder_of_its_own(
    model: Path, package: Path, tmp_path: Path, out: str, message: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=message):
        run(model, package, "--out", tmp_path / out)


def test_photos_at_web_addresses_or_behind_links_are_counted_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    media = [
        medium("m1"),
        medium("m2", filePath="https://example.org/2.jpg", filePublic="true"),
        medium("m3", filePath="media/link.jpg"),
        medium("m4", filePath="../secret.jpg"),
        medium("m5", filePath="media/M1.JPG"),
    ]
    write_package(tmp_path / "p", media[:1], [], photos=True)
    write_package(tmp_path / "p", media, [])
    (tmp_path / "p" / "media" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    photos = find_package_photos(open_package(tmp_path / "p"))
    assert [medium[0] for medium in photos.media.values()] == ["m1"]
    assert photos.skipped == {
        "at a web address": 1,
        "file path outside the package": 2,
        "file named before": 1,
    }
    write_package(tmp_path / "web", media[1:2], [])
    with pytest.raises(UserError, match="--download fetches them"):
        find_package_photos(open_package(tmp_path / "web"))


def test_boxes_of_a_detector_become_observations_with_a_box(package: Path, tmp_path: Path) -> None:
    predictor = Predictor(untrained_model(32))
    photos = find_package_photos(open_package(package))
    first, second, _ = map(Path, photos.media)
    box = {"x": 0.25, "y": 0.5, "width": 0.5, "height": 0.5, "detection_confidence": 0.9}
    items = [
        BatchItem(first, 0, first, box | {"box": 0}),
        BatchItem(first, 1, columns=box | {"box": 1, "answer": "person"}),
        BatchItem(second, columns={"answer": "blank"}),
    ]
    out = tmp_path / "out"
    output = CamtrapOutput(photos, out, "f" * 64)
    batch_predict(predictor, items, out / PREDICTIONS_FILE, BatchOptions(outputs=[output]))
    assert problems(out) == []
    animal, human, blank = table(out / "observations.csv")[2:]
    assert animal["observationType"] == "animal"
    assert [animal[f"bbox{side}"] for side in ("X", "Y", "Width", "Height")] == [
        *("0.25", "0.5", "0.5", "0.5")
    ]
    assert (human["observationType"], human["classificationProbability"]) == ("human", "0.9")
    assert (blank["observationType"], blank["classificationProbability"]) == ("blank", "")
    assert animal["observationID"] != human["observationID"]


def test_a_detectors_file_and_a_package_go_together(
    model: Path, package: Path, tmp_path: Path
) -> None:
    box = {"category": "1", "conf": 0.9, "bbox": [0.1, 0.2, 0.5, 0.6]}
    detections = {
        "info": {"format_version": "1.4"},
        "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
        "images": [
            {"file": "media/m1.jpg", "detections": [box, {**box, "category": "2"}]},
            {"file": "media\\m2.jpg", "detections": []},
        ],
    }
    (tmp_path / "md.json").write_text(json.dumps(detections))
    run(model, package, "--detections", tmp_path / "md.json", "--out", tmp_path / "out")
    assert problems(tmp_path / "out") == []
    ours = table(tmp_path / "out" / "observations.csv")[2:]
    assert [(row["mediaID"], row["observationType"], row["bboxX"]) for row in ours] == [
        ("m1", "animal", "0.1"),
        ("m1", "human", "0.1"),
        ("m2", "blank", ""),
    ]


def test_a_schema_of_the_packages_own_keeps_its_order_and_gets_the_new_columns(
    model: Path, package: Path, tmp_path: Path
) -> None:
    frictionless = pytest.importorskip("frictionless")
    described = json.loads((package / "datapackage.json").read_text())
    names = ["observationType", "observationID", "deploymentID", "mediaID", "weather"]
    described["resources"][2]["schema"] = {"fields": [{"name": n, "type": "any"} for n in names]}
    (package / "datapackage.json").write_text(json.dumps(described))
    (package / "observations.csv").write_text(",".join(names) + "\nblank,o1,dep1,m1,rain\n")
    run(model, package, "--out", tmp_path / "out")
    rows = table(tmp_path / "out" / "observations.csv")
    assert list(rows[0])[:5] == names
    assert rows[0]["weather"] == "rain"
    written = json.loads((tmp_path / "out" / "datapackage.json").read_text())["resources"][2]
    assert frictionless.Resource(written, basepath=str(tmp_path / "out")).validate().valid


def test_none_of_these_is_unknown_on_a_whole_photo_and_an_unnamed_animal_in_a_box() -> None:
    row = {"answer": "none of these", "species": "Panthera leo", "probability": 0.4}
    whole = classification_of(row, MEDIUM)
    assert (whole.kind, whole.species, whole.probability) == ("unknown", "", None)
    boxed = classification_of(row | {"x": 0, "y": 0, "width": 0.1, "height": 0.1}, MEDIUM)
    assert (boxed.kind, boxed.species) == ("animal", "")
    assert "Panthera leo" in boxed.comment


def test_a_box_beyond_the_photo_is_cut_to_what_the_format_allows() -> None:
    each = Classification(*MEDIUM, "animal", SPECIES[0], 0.5, (-0.1, 0.0, 1.2, 0.0))
    row = observation_row(each, Classifier("c", "t"))
    assert (row["bboxX"], row["bboxWidth"], row["bboxHeight"]) == ("0", "1", "1e-15")


@pytest.mark.parametrize(
    "changes",
    [
        {"taxonomic": None},
        {"taxonomic": [7, {"scientificName": ["x"]}]},
        {"project": []},
        {"project": {"observationLevel": 7}},
        {"sources": "x"},
    ],
)
def test_an_odd_descriptor_is_still_written(changes: dict[str, Any]) -> None:
    updated = updated_descriptor(descriptor(**changes), ["Panthera leo"], Classifier("c", "t"))
    assert updated["taxonomic"][-1] == {
        "scientificName": "Panthera leo",
        "taxonRank": "species",
        "vernacularNames": {"eng": "lion"},
    }


@pytest.mark.faults
def test_the_output_is_valid_by_the_published_schemas(
    model: Path, package: Path, tmp_path: Path
) -> None:
    """Needs the network: frictionless fetches profile and schemas from the addresses in it."""
    requests = pytest.importorskip("requests")
    frictionless = pytest.importorskip("frictionless")
    run(model, package, "--out", tmp_path / "out")
    try:
        requests.get(descriptor()["profile"], timeout=5).raise_for_status()
    except requests.RequestException:
        pytest.skip("the schemas can't be reached")
    report = frictionless.Package(str(tmp_path / "out" / "datapackage.json")).validate()
    assert report.valid, report.to_summary()
