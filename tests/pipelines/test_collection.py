"""The stage `collection`: which photos the search indexes, and from where."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_paths, read_photos, write_table
from panthera_vision.io.atomic import sha256_of_file

from ..conftest import REPOSITORY, draw_photo
from .conftest import CLASSIFIER, SEARCHER

LION, TIGER = "Panthera leo", "Panthera tigris"
OPTIONS = {
    "--classifier-settings": f"../{CLASSIFIER}/params.yaml",
    "--classifier-photos": f"../{CLASSIFIER}/data/photos.csv",
    "--images": "data/dataset_images",
    "--log": "data/download_log.jsonl",
    "--photos": "data/photos.csv",
    "--outcomes": "results/download_outcomes.csv",
    "--credits": "results/CREDITS.csv",
}


def write_pipeline(folder: Path, *ids: str) -> None:
    """Write the `photos.csv` of a pipeline that has downloaded lions."""
    images = folder / "data" / "dataset_images"
    images.mkdir(parents=True)
    rows = []
    for id in ids:
        draw_photo(LION, int(id)).save(images / f"{id}.jpg")
        rows.append(
            {
                "id": id,
                "species": LION,
                "split": "test",
                "image_url": f"photos/{id}.jpg",
                "file": f"dataset_images/{id}.jpg",
                "sha256": sha256_of_file(images / f"{id}.jpg"),
                "outcome": "ok",
            }
        )
    write_table(pd.DataFrame(rows), folder / "data" / "photos.csv")


@pytest.fixture
def pipelines(tmp_path: Path) -> Path:
    """Two pipelines of which the classifier has photos 1 and 2; its settings are the only ones."""
    write_pipeline(tmp_path / CLASSIFIER, "1", "2")
    (tmp_path / SEARCHER).mkdir()
    settings = {
        "prepare": {"allowed_species": [LION, TIGER]},
        "split": {},
        "download": {"attempts": 1},
    }
    (tmp_path / CLASSIFIER / "params.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path


def collect(pipelines: Path, **settings: str) -> str:
    """Run the stage; return what it printed."""
    search = pipelines / SEARCHER
    (search / "params.yaml").write_text(yaml.safe_dump({"collection": settings}))
    script = REPOSITORY / SEARCHER / "src" / "collection.py"
    words = [word for option in OPTIONS.items() for word in option]
    result = subprocess.run(
        [sys.executable, str(script), *words], cwd=search, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def photos_of(pipelines: Path) -> list[tuple[str, Path]]:
    """The id and the resolved file of each photo to index, checked as every later stage does."""
    search = pipelines / SEARCHER
    table = read_photos(search / "data" / "photos.csv")
    assert "split" not in table
    paths = photo_paths(table, search / "data", photo_folders(search))
    return list(zip(table["id"], [path.resolve() for path in paths], strict=True))


def test_the_classifiers_photos_are_indexed_where_they_are(pipelines: Path) -> None:
    assert "2 already here" in collect(pipelines)
    images = pipelines / CLASSIFIER / "data" / "dataset_images"
    assert photos_of(pipelines) == [("1", images / "1.jpg"), ("2", images / "2.jpg")]
    own = pipelines / SEARCHER / "data" / "dataset_images"
    assert [path.name for path in own.iterdir()] == ["README.txt"]  # says where they are


def test_photos_of_any_other_pipeline_are_indexed_where_they_are(pipelines: Path) -> None:
    write_pipeline(pipelines / "third", "7")
    collect(pipelines, source="../third/data/photos.csv")
    assert photos_of(pipelines) == [("7", pipelines / "third/data/dataset_images/7.jpg")]


def test_a_larger_export_adds_to_what_the_classifier_has(pipelines: Path) -> None:
    mine = pipelines / "mine"
    (mine / "photos").mkdir(parents=True)
    rows = [("1", LION), ("2", LION), ("3", TIGER), ("4", "Puma concolor")]
    for id, _ in rows:
        draw_photo(LION, int(id)).save(mine / "photos" / f"{id}.jpg")
    lines = [f"{id},photos/{id}.jpg,{species}" for id, species in rows]
    (mine / "observations.csv").write_text(
        "\n".join(["id,image_url,scientific_name", *lines]) + "\n"
    )
    printed = collect(pipelines, source="../mine")
    assert "3 of 4 rows kept" in printed
    assert "2 already here, 1 fetched" in printed
    assert photos_of(pipelines)[2] == (
        "3",
        pipelines / SEARCHER / "data/dataset_images/Panthera_tigris/3.jpg",
    )
    assert (pipelines / SEARCHER / "results" / "CREDITS.csv").exists()
