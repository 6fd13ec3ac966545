"""Run `src/search.py`, which is `panthera search`: photos in, JSON out."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.search.filters import FilterColumns, PhotoFilter
from panthera_vision.search.index.photo_index import Hit
from panthera_vision.search.results import HitGroup, describe_hits

from ..conftest import REPOSITORY
from ..detections.made_detections import detection, write_json
from ..made_search import make_search

pytestmark = pytest.mark.slow

SCRIPT = REPOSITORY / "image-search-dvc-pipeline" / "src" / "search.py"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_search(tmp_path_factory.mktemp("pipeline"))


def run(pipeline: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    model = pipeline / "model_weights" / "best_model.pth"
    options = ["--model", str(model), "--index", str(pipeline / "faiss_index")]
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, words), *options],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def found(result: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    photos: list[dict[str, Any]] = json.loads(result.stdout)["photos"]
    return photos


def test_each_photo_has_its_hits_and_an_unreadable_one_its_reason(
    pipeline: Path, tmp_path: Path
) -> None:
    images = pipeline / "data" / "dataset_images"
    (tmp_path / "page.jpg").write_text("<html>")
    out = tmp_path / "results.json"
    words = (images / "0.png", tmp_path, images / "4.png", "--count", "3", "--out", out)
    result = run(pipeline, *words)
    assert result.returncode == 1
    assert "error: 1 of 3 photos can't be read (1 not a photo)" in result.stderr
    written = json.loads(out.read_text("utf-8"))
    first, broken, second = written["photos"]
    assert written["collection"] == 10
    assert (broken["reason"], broken["hits"]) == ("not a photo", [])
    # The photo itself comes first, its copy behind it.
    best = first["hits"][0]
    assert {best["id"], *(photo["id"] for photo in best["near_duplicates"])} == {"0", "9"}
    assert best["similarity"] == pytest.approx(1, abs=1e-4)
    assert best["file"] in {str(images / f"{number}.png") for number in (0, 9)}
    assert len(first["hits"]) == len(second["hits"]) == 3
    assert second["hits"][0]["id"] == "4"
    assert sum(count["hits"] for count in second["agreement"]["counts"]) == 3


def test_filters_apply_within_the_search_and_typos_are_named(pipeline: Path) -> None:
    photo = pipeline / "data" / "dataset_images" / "0.png"
    result = run(
        *(pipeline, "--species", "panthera_LEO", "--species", "Panthera tigris", photo),
        *("--license", "cc-by", "--first-day", "2020-01-03", "--place", "серенгети"),
    )
    assert result.returncode == 0, result.stderr
    (answer,) = found(result)
    # Rows 3, 5 (and 0, 8, which have other licences).
    assert {hit["id"] for hit in answer["hits"]} == {"3", "5"}
    refused = run(pipeline, photo, "--species", "Panthera tigra")
    assert refused.returncode == 1
    assert "species 'Panthera tigra'" in refused.stderr and "Panthera tigris" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_all_lists_near_duplicates_as_hits_of_their_own(pipeline: Path) -> None:
    result = run(
        pipeline,
        pipeline / "data" / "dataset_images" / "0.png",
        "--no-group-duplicates",
        "--count",
        "2",
    )
    (answer,) = found(result)
    assert {hit["id"] for hit in answer["hits"]} == {"0", "9"}


def test_missing_and_invalid_values_of_the_table_are_empty() -> None:
    photos = pd.DataFrame({"id": ["1"], "species": ["Panthera leo"], "latitude": ["inf"]})
    similar = describe_hits(photos, [HitGroup(Hit(0, 0.123456789))])
    (hit,) = similar.hits
    assert (hit.similarity, hit.latitude, hit.longitude, hit.place) == (0.123457, None, None, "")
    assert json.loads(similar.model_dump_json())["agreement"]["majority"] == "Panthera leo"
    assert describe_hits(photos, []).agreement.majority is None


def test_days_in_the_wrong_order_are_refused_and_all_rights_reserved_is_a_license() -> None:
    photos = pd.DataFrame({"license": ["", "CC-BY"]})
    assert FilterColumns(photos).resolve(
        PhotoFilter(licenses=("All-Rights-Reserved",))
    ).licenses == ("",)
    with pytest.raises(UserError, match="is after the last"):
        FilterColumns(photos).resolve(
            PhotoFilter(first_day=date(2021, 1, 1), last_day=date(2020, 1, 1))
        )
    with pytest.raises(UserError, match="observer 'x'"):
        FilterColumns(photos).resolve(PhotoFilter(observers=("x",)))


def test_with_a_detectors_file_each_animal_is_searched_with_and_a_person_is_not(
    pipeline: Path, tmp_path: Path
) -> None:
    (tmp_path / "study").mkdir()
    frame = Image.new("RGB", (400, 300), "gray")
    with Image.open(pipeline / "data" / "dataset_images" / "4.png") as animal:
        # As high as its square: nothing of the frame is in the crop.
        frame.paste(animal.convert("RGB").crop((10, 0, 70, 60)).resize((120, 120)), (200, 100))
    frame.save(tmp_path / "study" / "a.png")
    found_by_detector = [
        detection(0.9, (0.5, 100 / 300, 0.3, 0.4)),
        detection(0.8, category="2"),
        detection(0.9, (0.5, 0.5, 0.0, 0.4)),
    ]
    md = write_json(tmp_path / "md.json", [{"file": "a.png", "detections": found_by_detector}])
    words = (tmp_path / "study", "--detections", md, "--margin", "0", "--count", "1")
    result = run(pipeline, *words, "--out", tmp_path / "r.json")
    assert "error: 1 of 3 photos can't be read (1 box without area)" in result.stderr
    animal, person, invalid = json.loads((tmp_path / "r.json").read_text("utf-8"))["photos"]
    assert animal["hits"][0]["species"] == "Panthera uncia"
    assert (animal["x"], animal["detection_confidence"]) == (0.5, 0.9)
    assert (person["answer"], person["hits"]) == ("person", [])
    assert (invalid["reason"], invalid["hits"]) == ("box without area", [])
