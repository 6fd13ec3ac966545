"""The download stage, with a server on loopback that fails on request."""

import io
import json
import threading
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from panthera_vision.data.coordinates import Coordinates
from panthera_vision.data.photo_table import rebase_files
from panthera_vision.download.http import FetchSettings
from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.download.stage import (
    DownloadFiles,
    collect_photos,
    download_table,
    known_photos,
    require_share,
)
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import read_photo
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.parameters import DownloadParameters

from ..conftest import SPECIES, draw_photo, write_camera_photo

GPS_PHOTO = Path("gps.jpg")


class Site:
    """Serve photos by number; the path names the fault, as in /truncate/7.jpg."""

    def __init__(self) -> None:
        self.requested: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.times: list[float] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                site.requested[self.path] += 1
                site.agents.add(self.headers["User-Agent"])
                site.times.append(time.monotonic())
                _, kind, name = self.path.split("/")
                number = int(name.removesuffix(".jpg"))
                buffer = io.BytesIO()
                draw_photo(SPECIES[number % 5], zlib.crc32(self.path.encode())).save(
                    buffer, "PNG" if kind == "png" else "JPEG"
                )
                body = GPS_PHOTO.read_bytes() if kind == "gps" else buffer.getvalue()
                retryable = site.requested[self.path] < 3
                if kind in ("429", "500", "404") and (retryable or kind == "404"):
                    headers = {"Retry-After": "0.2"} if kind == "429" else {}
                    return self.answer(int(kind), b"no", headers)
                if kind == "truncate" and retryable:
                    return self.answer(200, body, cut=len(body) // 2)
                if kind == "html":
                    return self.answer(200, b"<html>moved</html>")
                if kind == "circle":
                    return self.answer(302, b"", {"Location": self.path})
                if kind == "hang":
                    time.sleep(1.5)
                if kind == "endless":
                    return self.answer(200, b"x" * 3_000_000)
                return self.answer(200, body)

            def answer(
                self,
                status: int,
                body: bytes,
                headers: dict[str, str] | None = None,
                cut: int | None = None,
            ) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body[:cut])
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                if cut is not None:
                    self.close_connection = True

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


SETTINGS = FetchSettings(
    limits=RateLimits(1e6, 8, 1e12, 1e12),
    attempts=4,
    timeout_seconds=0.8,
    maximum_bytes=1_000_000,
    user_agent="PantheraVision/test",
    table_folder=Path("export"),
    local_photos=(Path("export"),),
    allow_private_addresses=True,  # the site is on loopback
)
IMAGES = Path("images")
LOG = Path("download_log.jsonl")


def table_of(*addresses: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"id{number}" for number in range(len(addresses))],
            "species": [SPECIES[number % 5] for number in range(len(addresses))],
            "image_url": addresses,
        }
    )


@pytest.mark.slow
def test_each_photo_is_downloaded_or_has_a_reason(site: Site) -> None:
    kinds = ("ok", "429", "500", "truncate", "404", "html", "circle", "hang", "endless", "png")
    table = table_of(*(f"{site.address}/{kind}/{n}.jpg" for kind in kinds for n in range(3)))
    photos, counts = collect_photos(table, IMAGES, LOG, SETTINGS)
    reasons = dict(zip(table["image_url"].str.split("/").str[3], photos["outcome"], strict=True))
    assert reasons == {
        "ok": "ok",
        "429": "ok",
        "500": "ok",
        "truncate": "ok",
        "png": "ok",
        "404": "HTTP 404",
        "html": "not a photo",
        "circle": "redirected in a circle",
        "hang": "timed out",
        "endless": "file too large",
    }
    assert counts["fetched"] == 15
    assert sum(counts.values()) == len(table)
    for row in photos[photos["outcome"] == "ok"].itertuples():
        assert row.file == f"images/{row.species.replace(' ', '_')}/{row.id}.jpg"
        assert sha256_of_file(Path(row.file)) == row.sha256
        assert read_photo(Path(row.file)).size == (80, 60)
    on_disk = {path.as_posix() for path in IMAGES.rglob("*") if path.is_file()}
    assert on_disk == set(photos.loc[photos["outcome"] == "ok", "file"])
    assert site.requested["/404/0.jpg"] == 1  # a 404 is not retried
    assert site.agents == {"PantheraVision/test"}


def test_a_second_run_downloads_nothing(site: Site) -> None:
    table = table_of(*(f"{site.address}/ok/{n}.jpg" for n in range(4)))
    first, _ = collect_photos(table, IMAGES, LOG, SETTINGS)
    site.requested.clear()
    second, counts = collect_photos(table, IMAGES, LOG, SETTINGS)
    assert not site.requested
    assert counts == {"already here": 4}
    pd.testing.assert_frame_equal(first, second)


def test_damaged_missing_and_replaced_photos_are_downloaded_again(site: Site) -> None:
    table = table_of(*(f"{site.address}/ok/{n}.jpg" for n in range(4)))
    photos, _ = collect_photos(table, IMAGES, LOG, SETTINGS)
    Path(photos["file"][0]).write_bytes(b"broken")
    Path(photos["file"][1]).unlink()
    # The same id with another address, as in the table of another profile.
    table.loc[2, "image_url"] = f"{site.address}/ok/77.jpg"
    again, counts = collect_photos(table, IMAGES, LOG, SETTINGS)
    assert counts == {"fetched": 3, "already here": 1}
    assert again["sha256"][0] == photos["sha256"][0]
    assert again["sha256"][2] != photos["sha256"][2]


def test_a_killed_run_resumes_despite_a_half_written_line_in_the_download_log(site: Site) -> None:
    table = table_of(*(f"{site.address}/ok/{n}.jpg" for n in range(4)))
    collect_photos(table[:2], IMAGES, LOG, SETTINGS)
    LOG.write_bytes(LOG.read_bytes()[:-20])
    (IMAGES / "Panthera_leo").mkdir(parents=True, exist_ok=True)
    (IMAGES / "Panthera_leo" / "id0.jpg.part").write_bytes(b"half")
    photos, counts = collect_photos(table, IMAGES, LOG, SETTINGS)
    assert counts == {"fetched": 3, "already here": 1}
    assert (photos["outcome"] == "ok").all()
    assert not list(IMAGES.rglob("*.part"))
    assert len(LOG.read_text().split()) > 0
    assert collect_photos(table, IMAGES, LOG, SETTINGS)[1] == {"already here": 4}


def test_photos_of_another_pipeline_are_used_in_place(site: Site, tmp_path: Path) -> None:
    table = table_of(*(f"{site.address}/ok/{n}.jpg" for n in range(4)))
    (tmp_path / "classifier" / "data").mkdir(parents=True)
    photos, _ = collect_photos(
        table[:3], Path("data/images"), LOG, SETTINGS
    )  # as seen from its own folder
    Path("data").rename("classifier/data-old")
    Path("classifier/data").rmdir()
    Path("classifier/data-old").rename("classifier/data")
    moved = rebase_files(photos, Path(), Path("data"))
    moved.to_csv("classifier/data/photos.csv", index=False)
    site.requested.clear()
    ours, counts = collect_photos(
        table,
        IMAGES,
        Path("ours.jsonl"),
        SETTINGS,
        reusable=known_photos(Path("classifier/data/photos.csv")),
    )
    assert counts == {"already here": 3, "fetched": 1}
    assert sum(site.requested.values()) == 1
    assert ours["file"][0] == "classifier/data/images/Panthera_leo/id0.jpg"
    assert len([path for path in IMAGES.rglob("*") if path.is_file()]) == 1


def test_path_traversal_out_of_the_local_photos_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "export" / "mine"
    inside.mkdir(parents=True)
    draw_photo("Panthera leo", 1).save(inside / "a.jpg")
    draw_photo("Panthera leo", 2).save(tmp_path / "secret.jpg")
    (inside / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    table = table_of(
        "mine/a.jpg",
        "../secret.jpg",
        str(tmp_path / "secret.jpg"),
        "mine/link.jpg",
        "mine/none.jpg",
        str(inside / "a.jpg"),
        "mine",
    )
    photos, _ = collect_photos(table, IMAGES, LOG, SETTINGS)
    outside = "file outside the photos' folder"
    assert list(photos["outcome"]) == [
        "ok",
        outside,
        outside,
        outside,
        "file missing",
        "ok",
        "file unreadable",
    ]


def test_local_photos_are_found_in_either_unicode_form_and_with_backslashes(
    tmp_path: Path,
) -> None:
    inside = tmp_path / "export" / "mine"
    inside.mkdir(parents=True)
    draw_photo("Panthera leo", 1).save(inside / unicodedata.normalize("NFD", "Йога.jpg"))
    draw_photo("Panthera leo", 3).save(inside / unicodedata.normalize("NFD", "Йод.jpg"))
    (tmp_path / "secret").mkdir()
    draw_photo("Panthera leo", 2).save(tmp_path / "secret" / "a.jpg")
    (inside / unicodedata.normalize("NFD", "ё")).symlink_to(tmp_path / "secret")
    names = ("mine/Йога.jpg", "mine\\Йод.jpg", "..\\secret\\a.jpg", "mine/ё/a.jpg")
    photos, _ = collect_photos(table_of(*names), IMAGES, LOG, SETTINGS)
    outside = "file outside the photos' folder"
    assert list(photos["outcome"]) == ["ok", "ok", outside, outside]


def test_a_changed_local_photo_is_copied_again(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    source = tmp_path / "export" / "a.jpg"
    draw_photo("Panthera leo", 1).save(source)
    before, _ = collect_photos(table_of("a.jpg"), IMAGES, LOG, SETTINGS)
    draw_photo("Panthera leo", 2).save(source)
    after, _ = collect_photos(table_of("a.jpg"), IMAGES, LOG, SETTINGS)
    assert before["sha256"][0] != after["sha256"][0] == sha256_of_file(Path(after["file"][0]))


def test_requests_keep_to_the_rate_limit(site: Site) -> None:
    settings = replace(SETTINGS, limits=RateLimits(20, 8, 1e12, 1e12))
    table = table_of(*(f"{site.address}/ok/{n}.jpg" for n in range(12)))
    collect_photos(table, IMAGES, LOG, settings)
    gaps = [later - earlier for earlier, later in zip(site.times, site.times[1:], strict=False)]
    assert sum(gaps) >= 11 / 20 * 0.95
    assert sorted(gaps)[len(gaps) // 2] >= 0.04


def test_dead_hosts_and_unknown_names_have_a_reason() -> None:
    settings = replace(SETTINGS, attempts=1)
    table = table_of("http://127.0.0.1:9/a.jpg", "http://no-such-host.invalid/b.jpg")
    photos, _ = collect_photos(table, IMAGES, LOG, settings)
    assert list(photos["outcome"]) == ["no connection", "host name not found"]


def test_too_few_photos_stop_the_stage_and_the_error_names_the_report() -> None:
    table = table_of("a", "b", "c").assign(outcome=["ok", "ok", "HTTP 404"])
    require_share(table[:2], 1.0, Path("outcomes.csv"))
    with pytest.raises(UserError, match=r"only 2 of 3 .*minimum_share = 90%; outcomes\.csv"):
        require_share(table, 0.9, Path("outcomes.csv"))
    with pytest.raises(UserError, match="no photo of Panthera pardus was downloaded"):
        require_share(table, 0.5, Path("outcomes.csv"))


def test_the_download_log_is_json_lines(site: Site) -> None:
    collect_photos(table_of(f"{site.address}/ok/1.jpg"), IMAGES, LOG, SETTINGS)
    (entry,) = [json.loads(line) for line in LOG.read_text().splitlines()]
    assert entry["image_url"] == f"{site.address}/ok/1.jpg"
    assert entry["bytes"] > 0


FILES = DownloadFiles(
    images=Path("data/images"),
    log=Path("data/log.jsonl"),
    photos=Path("data/photos.csv"),
    outcomes=Path("outcomes.csv"),
    credits=Path("CREDITS.csv"),
)


def test_the_stage_writes_the_credits(site: Site) -> None:
    table = table_of(f"{site.address}/ok/1.jpg", f"{site.address}/ok/2.jpg")
    names = [
        f"{s.replace(' ', '_')}/{id}.jpg"
        for s, id in zip(table["species"], table["id"], strict=True)
    ]
    download_table(
        table.assign(license=["CC-BY", "CC0"], attribution="(c) Ann"),
        DownloadParameters(allow_private_addresses=True),
        Path("export"),
        FILES,
    )
    photos = pd.read_csv("data/photos.csv")
    assert list(photos["file"]) == [f"images/{name}" for name in names]
    credits = pd.read_csv("CREDITS.csv", dtype=str)
    assert list(credits["license"]) == ["CC-BY", "CC0"]
    assert set(credits["attribution"]) == {"(c) Ann"}
    assert "PantheraVision/" in next(iter(site.agents))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("coordinates", "place"),
    [("exact", "-2.333333 34.833333"), ("obscured", "-2.3 34.8"), ("none", " ")],
)
def test_exif_fills_in_times_and_the_places_of_own_photos_only(
    site: Site, coordinates: Coordinates, place: str
) -> None:
    write_camera_photo(GPS_PHOTO)
    write_camera_photo(Path("export/own.jpg"), time="2021:06:01 07:00:00")
    write_camera_photo(Path("export/known.jpg"), time="2021:06:02 07:00:00")
    table = table_of("own.jpg", "known.jpg", f"{site.address}/gps/1.jpg").assign(
        latitude=["", "1.5", ""], longitude=["", "2.5", ""], taken_at=["", "2001-01-01T00:00", ""]
    )
    parameters = DownloadParameters(allow_private_addresses=True, coordinates=coordinates)
    download_table(table, parameters, Path("export"), FILES)
    photos = pd.read_csv("data/photos.csv", dtype=str, keep_default_na=False)
    assert list(photos["taken_at"]) == [
        "2021-06-01T07:00:00",
        "2001-01-01T00:00",
        "2021-05-01T06:30:00",
    ]
    assert list(photos["latitude"] + " " + photos["longitude"]) == [place, "1.5 2.5", " "]
