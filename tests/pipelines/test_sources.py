"""A GBIF download, and folders of own photos, through the stages of the classification pipeline."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from ..conftest import SPECIES, draw_photo, write_camera_photo
from ..sources.made_gbif import CITATION, download_files, occurrence, photo, write_zip
from .conftest import CLASSIFIER, Clone, set_parameters

TWO = SPECIES[:2]


class _Photos(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        buffer = io.BytesIO()
        number = int(self.path.rpartition("/")[2].partition(".")[0])
        draw_photo(SPECIES[number % 5], number).save(buffer, "JPEG")
        self.send_response(404 if number == 19 else 200)
        self.end_headers()
        self.wfile.write(buffer.getvalue())


@pytest.fixture
def site() -> Iterator[str]:
    """A web server of photos on loopback; photo 19 is gone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Photos)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_gbif_download_becomes_photos_with_credits(fresh: Clone, site: str) -> None:
    occurrences = [
        occurrence(
            str(number),
            species=TWO[number % 2],
            scientificName=f"{TWO[number % 2]} (Linnaeus, 1758)",
            recordedBy=f"observer {number}",
            eventDate=f"2021-05-{number + 1:02}",
        )
        for number in range(20)
    ]
    media = [photo(str(n), f"{site}/{n}.jpg", rightsHolder="Ann") for n in range(20)]
    media.append(photo("0", f"{site}/roar.mp3", type="Sound", format="audio/mpeg"))
    archive = fresh.classifier / "data" / "gbif" / "0001234-210914110416597.zip"
    write_zip(archive, download_files(occurrences, media))
    set_parameters(
        fresh,
        CLASSIFIER,
        prepare__observations="data/gbif",
        prepare__allowed_species=list(TWO),
        download__allow_private_addresses=True,
        download__photos_per_second=1000,
    )
    printed = fresh.repro(fresh.classifier, "prepare", "download")
    assert "20 of 21 rows kept (dropped: 1 sound, not a photo such as" in printed
    photos = pd.read_csv(fresh.classifier / "data/photos.csv", dtype=str, keep_default_na=False)
    assert photos["outcome"].value_counts().to_dict() == {"ok": 19, "HTTP 404": 1}
    assert set(photos["split"]) == {"train", "validation", "test"}
    credits = pd.read_csv(fresh.classifier / "results/CREDITS.csv", dtype=str)
    assert set(credits["citation"]) == {CITATION}
    assert set(credits["attribution"]) == {"(c) Ann, some rights reserved (CC BY-NC)"}
    report = json.loads((fresh.classifier / "results/preparation_report.json").read_text())
    assert report["source"] == "GBIF download"
    assert not [each for each in archive.parent.iterdir() if each != archive]


def test_own_photos_are_ready_to_train_after_two_commands(fresh: Clone, tmp_path: Path) -> None:
    mine = tmp_path / "мои фото"
    for number in range(8):
        folder = mine / TWO[number % 2].replace(" ", "_")
        write_camera_photo(folder / f"{number}.jpg", time=f"2021:05:{number + 1:02} 06:30:00")
    started = fresh.run("python", "src/init.py", str(mine), cwd=fresh.classifier)
    assert started.returncode == 0, started.stderr
    assert "train with `dvc repro`" in started.stdout
    fresh.repro(fresh.classifier, "prepare", "download")
    photos = pd.read_csv(fresh.classifier / "data/photos.csv", dtype=str, keep_default_na=False)
    assert len(photos) == 8 and set(photos["outcome"]) == {"ok"}
    assert set(photos["species"]) == set(TWO)
    assert all(photos["taken_at"].str.startswith("2021-05-"))
