"""The synthetic demo set: reproducible bytes, and a table in the form of an export."""

import csv
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from panthera_vision.sources.inaturalist.export import EXPORT_COLUMNS
from panthera_vision.sources.observations import prepare_observations
from panthera_vision.synthetic import draw_demo_set
from panthera_vision.synthetic.dataset import FLAWED_ROWS

from ..conftest import SPECIES


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert draw_demo_set(folder, photos_per_species=6, seed=3) == 30
    return folder


@pytest.mark.slow
def test_the_same_seed_draws_the_same_bytes_whatever_the_processes(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Streamlit's AppTest leaves a script there, which other processes would run.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    draw_demo_set(tmp_path, photos_per_species=6, seed=3, processes=2)
    files = sorted(path.relative_to(drawn) for path in drawn.rglob("*") if path.is_file())
    assert len(files) == 31
    for file in files:
        assert (drawn / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_the_table_has_the_forty_columns_of_an_export(drawn: Path) -> None:
    with (drawn / "observations.csv").open(encoding="utf-8") as file:
        assert tuple(next(csv.reader(file))) == EXPORT_COLUMNS
    assert len(set(EXPORT_COLUMNS)) == 40


def test_the_columns_equal_those_of_a_real_export(drawn: Path, real_data: Path) -> None:
    with (real_data / "inaturalist" / "observations.csv").open(encoding="utf-8") as file:
        assert tuple(next(csv.reader(file))) == EXPORT_COLUMNS


def test_cleaning_keeps_every_picture_and_drops_the_flawed_rows(drawn: Path) -> None:
    table, report = prepare_observations(drawn, SPECIES)
    assert report.kept_by_species == dict.fromkeys(SPECIES, 6)
    assert sum(report.dropped_by_reason.values()) == FLAWED_ROWS
    assert len(report.dropped_by_reason) == 4
    assert set(table["tags"]) == {"synthetic"}
    assert set(table["observation_url"]) == {""}  # no link to a real observation
    for address in table["image_url"]:
        with Image.open(drawn / address) as picture:
            assert picture.mode == "RGB"
            assert max(picture.size) <= 400


def test_encounters_have_several_photos(drawn: Path) -> None:
    table, _ = prepare_observations(drawn, SPECIES)
    sizes = Counter(zip(table["observer"], table["observed_on"], strict=True))
    assert len(sizes) < len(table)
    assert max(sizes.values()) >= 2
