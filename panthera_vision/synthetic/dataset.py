"""The demo set on disk: pictures and an observations.csv in the form of an iNaturalist export."""

import csv
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from panthera_vision.data.taxonomy import common_name
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.progress import progress_bar
from panthera_vision.sources.inaturalist.export import EXPORT_COLUMNS
from panthera_vision.synthetic.coats import draw_coat
from panthera_vision.synthetic.scenes import LIGHTS, PLACES, Scene, draw_scene

DESCRIPTION = "Synthetic picture drawn by panthera_vision.synthetic"
OBSERVERS = 40
FLAWED_ROWS = 7

# Where each taxon is met: place, latitude, longitude, time zone and its hours ahead of UTC.
_Home = tuple[str, float, float, str, float]
_SERENGETI: _Home = ("Serengeti, TZ (invented)", -2.3, 34.8, "Nairobi", 3)
_HOMES: dict[str, dict[str, _Home]] = {
    "Panthera leo": {
        "Panthera leo melanochaita": _SERENGETI,
        "Panthera leo leo": ("Gir, IN (invented)", 21.1, 70.8, "New Delhi", 5.5),
        "Panthera leo": _SERENGETI,
    },
    "Panthera onca": {"Panthera onca": ("Pantanal, BR (invented)", -17.0, -56.9, "Brasilia", -3)},
    "Panthera pardus": {
        "Panthera pardus pardus": ("Kruger, ZA (invented)", -24.0, 31.5, "Pretoria", 2),
        "Panthera pardus fusca": ("Nagarhole, IN (invented)", 12.0, 76.1, "New Delhi", 5.5),
        "Panthera pardus": ("Kruger, ZA (invented)", -24.0, 31.5, "Pretoria", 2),
    },
    "Panthera tigris": {
        "Panthera tigris tigris": ("Kanha, IN (invented)", 22.3, 80.6, "New Delhi", 5.5),
        "Panthera tigris altaica": ("Sikhote-Alin, RU (invented)", 45.3, 136.2, "Vladivostok", 10),
        "Panthera tigris": ("Kanha, IN (invented)", 22.3, 80.6, "New Delhi", 5.5),
    },
    "Panthera uncia": {"Panthera uncia": ("Ladakh, IN (invented)", 34.2, 77.6, "New Delhi", 5.5)},
}
_LICENSES = ("CC-BY-NC", "CC-BY-NC", "CC-BY-NC", "CC-BY", "CC0", "")


def draw_demo_set(folder: Path, *, photos_per_species: int = 72, seed: int = 0) -> int:
    """Draw the set into `folder`: observations.csv and photos/<id>.jpg, the same for a seed.

    Each encounter of an observer on a day gives two to five photos of one individual in one
    place and light, as real observers do, so that careless splits leak here as they do there.
    Some rows are flawed as in real tables; no photo belongs to them.

    Returns:
        How many pictures were drawn.
    """
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    total = photos_per_species * len(_HOMES)
    with progress_bar("draw", "picture", total) as progress:
        for number, species in enumerate(_HOMES):
            encounters = np.random.default_rng([seed, number])
            for size in _encounter_sizes(photos_per_species, encounters):
                scene = Scene(
                    draw_coat(species, encounters),
                    PLACES[encounters.integers(len(PLACES))],
                    LIGHTS[encounters.integers(len(LIGHTS))],
                )
                shared = _encounter(species, encounters)
                for _ in range(size):
                    id = 900_000_001 + len(rows)
                    picture = draw_scene(scene, np.random.default_rng([seed, id]))
                    with atomic_write(folder / "photos" / f"{id}.jpg") as partial:
                        picture.save(partial, format="JPEG", quality=88)
                    values = {**shared, **_times(id, seed, shared)}
                    rows.append(_row(id, seed, **values, image_url=f"photos/{id}.jpg"))
                    progress.update()
    rows += _flawed_rows(rows, seed)
    with (
        atomic_write(folder / "observations.csv") as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, EXPORT_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return total


def _encounter_sizes(photos: int, random: np.random.Generator) -> Iterator[int]:
    """Sizes of two to five that add up to `photos` (the last may be one)."""
    while photos > 0:
        size = min(photos, int(random.integers(2, 6)))
        yield size
        photos -= size


def _encounter(species: str, random: np.random.Generator) -> dict[str, object]:
    """What the rows of one encounter share."""
    observer = int(random.integers(1, OBSERVERS + 1))
    midnight = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=int(random.integers(0, 3650)))
    north, east = random.normal(0, 0.5, 2)
    taxon = tuple(_HOMES[species])[random.integers(len(_HOMES[species]))]
    place, latitude, longitude, zone, _ = _HOMES[species][taxon]
    return {
        "observed_on": f"{midnight:%Y-%m-%d}",
        "time_zone": zone,
        "user_id": observer,
        "user_login": f"demo_observer_{observer:02d}",
        "user_name": f"Demo Observer {observer}",
        "license": _LICENSES[observer % len(_LICENSES)],
        "place_guess": place,
        "latitude": round(latitude + north, 4),
        "longitude": round(longitude + east, 4),
        "scientific_name": taxon,
        "species_guess": common_name(species, "en"),
        "common_name": common_name(species, "en"),
    }


def _times(id: int, seed: int, shared: dict[str, object]) -> dict[str, object]:
    """What the photos of an encounter do not share: the minute, the upload, who agreed."""
    # Of its own generator, so that the table's details leave the pictures as they are.
    random = np.random.default_rng([seed, id, 1])
    taxon = str(shared["scientific_name"])
    hours_ahead = _HOMES[" ".join(taxon.split()[:2])][taxon][4]
    local = datetime.fromisoformat(f"{shared['observed_on']}T06:00:00+00:00")
    local += timedelta(minutes=int(random.integers(0, 12 * 60)))
    created = local + timedelta(seconds=int(random.integers(86_400, 40 * 86_400)))
    updated = created + timedelta(seconds=int(random.integers(3_600, 300 * 86_400)))
    return {
        "observed_on_string": f"{local:%Y-%m-%d %H:%M}",
        "time_observed_at": f"{local - timedelta(hours=hours_ahead):%Y-%m-%d %H:%M:%S UTC}",
        "created_at": f"{created:%Y-%m-%d %H:%M:%S UTC}",
        "updated_at": f"{updated:%Y-%m-%d %H:%M:%S UTC}",
        "num_identification_agreements": int(random.integers(2, 9)),
        "num_identification_disagreements": 0,
        "public_positional_accuracy": int(random.integers(26_000, 32_000)),
    }


def _row(id: int, seed: int, **values: object) -> dict[str, object]:
    return {
        "id": id,
        "uuid": uuid.uuid5(uuid.NAMESPACE_URL, f"panthera-vision/demo/{seed}/{id}"),
        "quality_grade": "research",
        "description": DESCRIPTION,
        "tag_list": "synthetic",
        "captive_cultivated": "false",
        "taxon_geoprivacy": "obscured",
        "coordinates_obscured": "true",
        "iconic_taxon_name": "Mammalia",
        **values,
    }


def _flawed_rows(rows: list[dict[str, object]], seed: int) -> list[dict[str, object]]:
    """Rows that cleaning has to drop: no photo, twice, another taxon, only a genus."""
    first, second = rows[0], rows[1]
    id = 900_000_001 + len(rows)
    shared = {key: first[key] for key in ("user_id", "user_login", "user_name", "observed_on")}
    return [
        _row(id, seed, **shared, scientific_name="Panthera leo"),
        _row(id + 1, seed, **shared, scientific_name="Panthera pardus"),
        {**first, "image_url": "photos/none.jpg"},
        {**second, "image_url": "photos/none.jpg"},
        _row(
            id + 2, seed, **shared, scientific_name="Acinonyx jubatus", image_url="photos/none.jpg"
        ),
        _row(
            id + 3, seed, **shared, scientific_name="Acinonyx jubatus", image_url="photos/none.jpg"
        ),
        _row(id + 4, seed, **shared, scientific_name="Panthera", image_url="photos/none.jpg"),
    ]
