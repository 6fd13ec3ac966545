"""Write the demo set: pictures, and an observations.csv in the form of an iNaturalist export."""

import signal
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from panthera_vision.data.taxonomy import common_name, species_of
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.csv_table import csv_table_writer
from panthera_vision.io.progress import progress_bar
from panthera_vision.sources.inaturalist.export import EXPORT_COLUMNS
from panthera_vision.synthetic.coats import draw_coat
from panthera_vision.synthetic.scenes import LIGHTS, PLACES, Scene, draw_scene

DESCRIPTION = "Synthetic picture drawn by panthera_vision.synthetic"
OBSERVERS = 40
FLAWED_ROWS = 7
_FIRST_ID = 900_000_001
_IGNORE_CTRL_C = (signal.SIGINT, signal.SIG_IGN)  # the process that started the others ends them

Row = dict[str, object]
# Place, latitude, longitude, time zone and its hours ahead of UTC.
_Habitat = tuple[str, float, float, str, float]
_SERENGETI: _Habitat = ("Serengeti, TZ (invented)", -2.3, 34.8, "Nairobi", 3)
_KRUGER: _Habitat = ("Kruger, ZA (invented)", -24.0, 31.5, "Pretoria", 2)
_KANHA: _Habitat = ("Kanha, IN (invented)", 22.3, 80.6, "New Delhi", 5.5)
_HABITATS: dict[str, dict[str, _Habitat]] = {
    "Panthera leo": {
        "Panthera leo melanochaita": _SERENGETI,
        "Panthera leo leo": ("Gir, IN (invented)", 21.1, 70.8, "New Delhi", 5.5),
        "Panthera leo": _SERENGETI,
    },
    "Panthera onca": {"Panthera onca": ("Pantanal, BR (invented)", -17.0, -56.9, "Brasilia", -3)},
    "Panthera pardus": {
        "Panthera pardus pardus": _KRUGER,
        "Panthera pardus fusca": ("Nagarhole, IN (invented)", 12.0, 76.1, "New Delhi", 5.5),
        "Panthera pardus": _KRUGER,
    },
    "Panthera tigris": {
        "Panthera tigris tigris": _KANHA,
        "Panthera tigris altaica": ("Sikhote-Alin, RU (invented)", 45.3, 136.2, "Vladivostok", 10),
        "Panthera tigris": _KANHA,
    },
    "Panthera uncia": {"Panthera uncia": ("Ladakh, IN (invented)", 34.2, 77.6, "New Delhi", 5.5)},
}
_LICENSES = ("CC-BY-NC", "CC-BY-NC", "CC-BY-NC", "CC-BY", "CC0", "")


def draw_demo_set(
    folder: Path, *, photos_per_species: int = 72, seed: int = 0, processes: int = 1
) -> int:
    """Draw observations.csv and photos/<id>.jpg into `folder`, the same bytes for a seed.

    Each encounter of an observer on a day gives two to five photos of one individual in one place
    and light, as with real observers, so that careless splits leak here, too. Some rows have the
    flaws of real tables and no photo.

    Args:
        folder: to write to.
        photos_per_species: number of pictures of each species.
        seed: of all that is drawn.
        processes: that draw side by side. With more than one, the calling script needs its
            `if __name__ == "__main__"`.

    Returns:
        The number of pictures.
    """
    rows: list[Row] = []
    for _, shared in _encounters(photos_per_species, seed):
        id = _FIRST_ID + len(rows)
        values = shared | _photo_cells(id, seed, shared)
        rows.append(_row(id, seed, **values, image_url=f"photos/{id}.jpg"))
    total = len(rows)
    draw = partial(_draw_photo, folder, photos_per_species, seed)
    with ExitStack() as stack:
        drawn: Iterator[None] = map(draw, range(total))
        if processes > 1:
            # Each process starts anew: a forked one could inherit the locks of other threads. An
            # executor, unlike multiprocessing.Pool, ends if they can't start.
            pool = ProcessPoolExecutor(
                processes, get_context("spawn"), signal.signal, _IGNORE_CTRL_C
            )
            drawn = stack.enter_context(pool).map(draw, range(total), chunksize=4)
        for _ in progress_bar("draw", "picture", total, drawn):
            pass
    rows += _flawed_rows(rows, seed)
    with csv_table_writer(folder / "observations.csv", EXPORT_COLUMNS) as writer:
        writer.writerows(rows)
    return total


def _draw_photo(folder: Path, photos_per_species: int, seed: int, number: int) -> None:
    """Draw the picture `number` of the set with this seed."""
    id = _FIRST_ID + number
    picture = draw_scene(
        _scenes(photos_per_species, seed)[number], np.random.default_rng([seed, id])
    )
    with atomic_write(folder / "photos" / f"{id}.jpg") as file:
        picture.save(file, format="JPEG", quality=88)


@lru_cache(maxsize=1)
def _scenes(photos_per_species: int, seed: int) -> list[Scene]:
    """Return the scene of each picture; every process makes them itself, from the seed."""
    return [scene for scene, _ in _encounters(photos_per_species, seed)]


def _encounters(photos_per_species: int, seed: int) -> Iterator[tuple[Scene, Row]]:
    """Yield the scene and the shared cells of each photo, encounter by encounter."""
    for number, species in enumerate(_HABITATS):
        rng = np.random.default_rng([seed, number])
        photos = photos_per_species
        while photos > 0:
            size = min(photos, int(rng.integers(2, 6)))
            photos -= size
            scene = Scene(
                draw_coat(species, rng),
                PLACES[rng.integers(len(PLACES))],
                LIGHTS[rng.integers(len(LIGHTS))],
            )
            shared = _encounter_cells(species, rng)
            yield from [(scene, shared)] * size


def _encounter_cells(species: str, rng: np.random.Generator) -> Row:
    """Draw the cells that the rows of an encounter share."""
    observer = int(rng.integers(1, OBSERVERS + 1))
    day = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=int(rng.integers(0, 3650)))
    north, east = rng.normal(0, 0.5, 2)
    taxon = tuple(_HABITATS[species])[rng.integers(len(_HABITATS[species]))]
    place, latitude, longitude, zone, _ = _HABITATS[species][taxon]
    return {
        "observed_on": f"{day:%Y-%m-%d}",
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


def _photo_cells(id: int, seed: int, shared: Row) -> Row:
    """Draw the times and identifications of one photo, from a generator of their own."""
    rng = np.random.default_rng([seed, id, 1])
    taxon = str(shared["scientific_name"])
    hours_ahead = _HABITATS[species_of(taxon) or ""][taxon][4]
    local = datetime.fromisoformat(f"{shared['observed_on']}T06:00:00+00:00")
    local += timedelta(minutes=int(rng.integers(0, 12 * 60)))
    created = local + timedelta(seconds=int(rng.integers(86_400, 40 * 86_400)))
    updated = created + timedelta(seconds=int(rng.integers(3_600, 300 * 86_400)))
    return {
        "observed_on_string": f"{local:%Y-%m-%d %H:%M}",
        "time_observed_at": f"{local - timedelta(hours=hours_ahead):%Y-%m-%d %H:%M:%S UTC}",
        "created_at": f"{created:%Y-%m-%d %H:%M:%S UTC}",
        "updated_at": f"{updated:%Y-%m-%d %H:%M:%S UTC}",
        "num_identification_agreements": int(rng.integers(2, 9)),
        "num_identification_disagreements": 0,
        "public_positional_accuracy": int(rng.integers(26_000, 32_000)),
    }


def _row(id: int, seed: int, **values: object) -> Row:
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


def _flawed_rows(rows: list[Row], seed: int) -> list[Row]:
    """Return rows that cleaning must drop: no photo, a duplicate, another taxon, only a genus."""
    next_id = _FIRST_ID + len(rows)
    shared = {key: rows[0][key] for key in ("user_id", "user_login", "user_name", "observed_on")}
    photo: Row = {"image_url": "photos/none.jpg"}
    flawed: list[tuple[str, Row]] = [
        ("Panthera leo", {}),
        ("Panthera pardus", {}),
        ("Acinonyx jubatus", photo),
        ("Acinonyx jubatus", photo),
        ("Panthera", photo),
    ]
    made = [
        _row(next_id + number, seed, **shared, scientific_name=name, **more)
        for number, (name, more) in enumerate(flawed)
    ]
    return [*made[:2], rows[0] | photo, rows[1] | photo, *made[2:]]
