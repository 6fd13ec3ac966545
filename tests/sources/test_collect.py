"""Incremental collection from a server on loopback that imitates the iNaturalist API."""

import csv
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from panthera_vision.errors import UserError
from panthera_vision.parameters import CollectParameters, DownloadParameters, read_parameters
from panthera_vision.sources.inaturalist.client import CACHE_FILE, ApiSettings
from panthera_vision.sources.inaturalist.collect import (
    PAGE_LOG_FILE,
    STATE_FOLDER,
    CollectReport,
    api_settings,
    collect_observations,
)
from panthera_vision.sources.inaturalist.export import EXPORT_COLUMNS
from panthera_vision.sources.observations import prepare_observations

from ..conftest import REPOSITORY

LEO, UNCIA = "Panthera leo", "Panthera uncia"
PIPELINE = REPOSITORY / "cv-classification-dvc-pipeline"
PARAMETERS = PIPELINE / "params.yaml"


def observation(id: int, name: str = LEO, **changes: Any) -> dict[str, Any]:
    """An observation of the API with one photo and all fields that an export has."""
    return {
        "id": id,
        "uuid": f"00000000-0000-4000-8000-{id:012d}",
        "quality_grade": "research",
        "observed_on": "2021-03-04",
        "observed_on_string": "2021/03/04 9:15 AM",
        "observed_time_zone": "Africa/Nairobi",
        "time_observed_at": "2021-03-04T09:15:00+03:00",
        "created_at": "2021-03-05T20:00:00+03:00",
        "updated_at": "2021-03-06T20:00:00Z",
        "license_code": "cc-by",
        "captive": False,
        "obscured": True,
        "location": "-2.3,34.8",
        "place_guess": "Serengeti, TZ",
        "tags": ["pride", "cub"],
        "user": {"id": 7, "login": "ann", "name": "Ann, B."},
        "taxon": {"id": 1, "name": name, "iconic_taxon_name": "Mammalia"},
        "photos": [photo(id)],
        "sounds": [],
        **changes,
    }


def photo(number: int, code: str | None = "cc-by-nc", **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "license_code": code,
        "attribution": "(c) Ann, B., some rights reserved (CC BY-NC)",
        "url": f"https://static.inaturalist.org/photos/{number}/square.jpg?1234",
        **changes,
    }


Response = tuple[int, dict[str, str], bytes]


class Site:
    """Serve `observations`; first `faults`, one a request."""

    def __init__(self) -> None:
        self.observations: list[dict[str, Any]] = []
        self.faults: list[Response] = []
        self.requested: list[dict[str, str]] = []
        self.agents: set[str] = set()
        self.times: list[float] = []
        self.after: Callable[[], None] = lambda: None
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                site.requested.append(
                    {key: value[0] for key, value in parse_qs(parts.query).items()}
                )
                site.agents.add(self.headers["User-Agent"])
                site.times.append(time.monotonic())
                status, headers, body = (
                    site.faults.pop(0)
                    if site.faults
                    else site.respond(site.requested[-1])
                    if parts.path == "/v1/observations"
                    else (404, {}, b"{}")
                )
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def respond(self, requested: dict[str, str]) -> Response:
        assert (requested["order_by"], requested["order"]) == ("id", "asc")
        codes = requested["photo_license"].lower().split(",")
        found = sorted(
            (
                o
                for o in self.observations
                if o["id"] > int(requested.get("id_above", 0))
                and o["taxon"]["name"].startswith(requested["taxon_name"])
                and o["quality_grade"] == requested["quality_grade"]
                and any(p["license_code"] in codes for p in o["photos"])
            ),
            key=lambda o: o["id"],
        )
        page = found[: int(requested["per_page"])]
        return 200, {}, json.dumps({"total_results": len(found), "results": page}).encode()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def collect(site: Site, tmp_path: Path) -> Callable[..., CollectReport]:
    """Collect lions from the site into a folder, without a rate limit."""

    def run(
        *species: str, force: bool = False, address: str = site.address, **changes: Any
    ) -> CollectReport:
        parameters = CollectParameters.model_validate(
            {
                "photos_per_taxon": 1000,
                "photos_per_observation": 1,
                "licenses": ("cc0", "cc-by", "cc-by-nc"),
                "quality_grade": "research",
                "requests_per_minute": 60,
            }
            | changes
        )
        settings = ApiSettings(
            address=address,
            user_agent="PantheraVision/test (ann@example.org)",
            requests_per_second=500,
            attempts=3,
            timeout_seconds=2,
            first_backoff_s=0.01,
        )
        return collect_observations(tmp_path, species or (LEO,), parameters, settings, force=force)

    return run


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "observations.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ids_of(folder: Path) -> list[int]:
    return [int(row["id"]) for row in rows_of(folder)]


Collect = Callable[..., CollectReport]


def test_all_pages_are_requested_in_order(site: Site, collect: Collect, tmp_path: Path) -> None:
    site.observations = [observation(id) for id in range(1000, 1450)]
    report = collect()
    assert ids_of(tmp_path) == list(range(1000, 1450))
    assert [requested.get("id_above", "0") for requested in site.requested] == ["0", "1199", "1399"]
    assert site.requested[0]["per_page"] == "200"
    assert site.requested[0]["photo_license"] == "CC0,CC-BY,CC-BY-NC"
    assert report.summary().startswith("450 photos of 1 species, 450 of them new")
    (agent,) = site.agents
    assert "ann@example.org" in agent


def test_the_table_is_an_export_that_the_pipeline_reads(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    site.observations = [
        observation(5, "Panthera leo melanochaita"),
        observation(3, UNCIA, photos=[photo(9, "cc0", attribution="Kim, no rights reserved")]),
    ]
    collect(LEO, UNCIA)
    first, second = rows_of(tmp_path)
    assert tuple(first) == (*EXPORT_COLUMNS, "attribution")
    assert {column: first[column] for column in ("observed_on", "user_login", "url")} == {
        "observed_on": "2021-03-04",
        "user_login": "ann",
        "url": "https://www.inaturalist.org/observations/5",
    }
    # In UTC, as in an export, whatever the time zone in the API.
    assert first["time_observed_at"] == "2021-03-04 06:15:00 UTC"
    assert (first["captive_cultivated"], first["coordinates_obscured"]) == ("false", "true")
    assert (first["latitude"], first["longitude"]) == ("-2.3", "34.8")
    assert first["tag_list"] == "pride, cub"
    assert first["image_url"] == "https://static.inaturalist.org/photos/5/medium.jpg"
    table, report = prepare_observations(tmp_path, [LEO, UNCIA])
    assert report.rows_kept == 2
    assert report.columns_missing == ()
    # The photo's own licence, not the observation's.
    assert list(table["license"]) == ["CC-BY-NC", "CC0"]
    assert list(table["attribution"]) == [first["attribution"], "Kim, no rights reserved"]
    assert first["attribution"] == "(c) Ann, B., some rights reserved (CC BY-NC)"
    assert second["scientific_name"] == UNCIA


def test_photos_per_taxon_limits_the_rows_and_raising_it_resumes(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    site.observations = [observation(id) for id in range(1, 301)]
    collect(photos_per_taxon=50)
    assert ids_of(tmp_path) == list(range(1, 51))
    collect(photos_per_taxon=250)
    assert ids_of(tmp_path) == list(range(1, 251))
    assert [requested.get("id_above", "0") for requested in site.requested] == ["0", "50"]
    collect(photos_per_taxon=50)
    assert ids_of(tmp_path) == list(range(1, 51))
    assert len(site.requested) == 2


def test_every_skipped_observation_has_a_reason(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    strange = [
        observation(1, "Panthera leo × tigris"),
        observation(2, "Panthera leontina"),
        observation(3, quality_grade="needs_id"),
        observation(4, photos=[]),
        observation(5, photos=[photo(5, None), photo(6, "cc-by-nd")]),
        observation(6, photos=[photo(6, url="https://example.org/assets/infringement.png")]),
        observation(7, photos="none", user=None, taxon={"name": LEO}, tags=None),
        observation(8, taxon=None),
        observation(9, description="\ud800", place_guess={"a": 1}, user=[], location=5),
    ]
    body = json.dumps({"total_results": 9, "results": strange}).encode()
    site.faults = [(200, {}, body)]
    report = collect()
    assert report.skipped_by_reason == {
        "not of grade research": 1,
        "of another taxon": 3,
        "without a photo": 2,
        "without a photo under an allowed licence": 1,
        "without a usable photo address": 1,
    }
    (row,) = rows_of(tmp_path)
    assert (row["id"], row["description"], row["place_guess"]) == ("9", "?", "")


def test_further_photos_of_an_observation_have_their_own_ids(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    photos = [photo(1, None), photo(2, "cc0"), photo(3), photo(4), photo(5)]
    site.observations = [observation(8, photos=photos)]
    collect(photos_per_observation=3)
    rows = rows_of(tmp_path)
    assert [row["id"] for row in rows] == ["8", "8_2", "8_3"]
    assert [row["license"] for row in rows] == ["CC0", "CC-BY-NC", "CC-BY-NC"]
    assert prepare_observations(tmp_path, [LEO])[1].rows_kept == 3


def test_an_interrupted_run_resumes_from_the_page_log(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    site.observations = [observation(id) for id in range(1, 501)]
    pages = site.respond

    def fail_later(requested: dict[str, str]) -> Response:
        return (500, {}, b"{}") if requested.get("id_above") == "400" else pages(requested)

    site.respond = fail_later  # type: ignore[method-assign]
    with pytest.raises(UserError, match=r"HTTP 500, 3 times in a row\. 400 photos are collected"):
        collect()
    assert not (tmp_path / "observations.csv").exists()
    site.respond = pages  # type: ignore[method-assign]
    site.requested.clear()
    state = tmp_path / STATE_FOLDER
    (state / CACHE_FILE).unlink()  # the page log suffices
    log = state / PAGE_LOG_FILE
    log.write_bytes(log.read_bytes()[:-30])  # killed in the middle of a line
    report = collect()
    assert ids_of(tmp_path) == list(range(1, 501))
    assert [requested["id_above"] for requested in site.requested] == ["200", "400"]
    assert report.new_rows == 300


def test_a_later_run_requests_only_newer_observations(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    site.observations = [observation(id) for id in (1, 2, 3)]
    collect()
    site.observations.append(observation(4))
    site.requested.clear()
    assert collect().new_rows == 1
    assert [requested["id_above"] for requested in site.requested] == ["3"]
    assert ids_of(tmp_path) == [1, 2, 3, 4]


def test_other_licenses_empty_the_page_log(site: Site, collect: Collect, tmp_path: Path) -> None:
    site.observations = [observation(1), observation(2, photos=[photo(2, "cc0")])]
    collect()
    collect(licenses=("cc0",))
    assert [row["license"] for row in rows_of(tmp_path)] == ["CC0"]
    assert len(site.requested) == 2


def test_retry_after_is_respected(site: Site, collect: Collect) -> None:
    site.observations = [observation(1)]
    site.faults = [(429, {"Retry-After": "0.4"}, b"{}"), (503, {}, b"{}")]
    assert collect().new_rows == 1
    assert len(site.times) == 3
    assert site.times[1] - site.times[0] >= 0.4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("response", "message"),
    [
        ((200, {}, b'{"total_results": 3, "resul'), "the response is not JSON"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "the response is not JSON"),
        ((200, {}, b"[" * 100_000), "the response is not JSON"),
        ((200, {}, b"[]"), "not a page of observations"),
        ((200, {}, b'{"total_results": "3", "results": []}'), "not a page of observations"),
        ((200, {}, b'{"total_results": 3, "results": [1]}'), "not a page of observations"),
        ((200, {}, b'{"total_results": 3, "results": [{"id": "1"}]}'), "not in ascending order"),
        ((200, {}, b'{"total_results": 3, "results": [{"id": 0}]}'), "not in ascending order"),
        ((429, {}, b"{}"), "HTTP 429"),
    ],
)
def test_bad_responses_end_in_one_line_and_are_not_cached(
    site: Site, collect: Collect, response: Response, message: str
) -> None:
    site.observations = [observation(1)]
    site.faults = [response] * 3
    with pytest.raises(UserError, match=f"{message}.*, 3 times in a row. 0 photos are") as caught:
        collect()
    assert "\n" not in str(caught.value)
    assert collect().new_rows == 1


@pytest.mark.parametrize("status", [301, 403, 404, 422])
def test_a_refused_request_is_not_retried(site: Site, collect: Collect, status: int) -> None:
    site.faults = [(status, {"Location": "/v1/observations"}, b"{}")]
    with pytest.raises(UserError, match=f"HTTP {status}. 0 photos"):
        collect()
    assert len(site.requested) == 1


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:9/v1", "no connection, 3 times in a row"),
        ("http://no-such-host.invalid/v1", "no connection, 3 times in a row"),
        ("api.inaturalist.org", "not a web address"),
    ],
)
def test_a_missing_network_or_a_wrong_address_is_reported_in_one_line(
    collect: Collect, address: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        collect(address=address)


def test_a_table_that_was_not_collected_is_not_overwritten(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    site.observations = [observation(1)]
    table = tmp_path / "observations.csv"
    table.write_text("id,image_url,scientific_name\n")
    with pytest.raises(UserError, match=r"observations\.csv was not collected.*--force"):
        collect()
    assert table.read_text() == "id,image_url,scientific_name\n"
    assert not site.requested
    collect(force=True)
    assert ids_of(tmp_path) == [1]
    collect()  # collected now
    table.write_text(table.read_text() + "\n")
    with pytest.raises(UserError, match="or was edited since"):
        collect()


def test_species_without_photos_are_named(site: Site, collect: Collect, tmp_path: Path) -> None:
    site.observations = [observation(1)]
    assert collect(LEO, UNCIA).summary().endswith("; no photo of Panthera uncia")
    with pytest.raises(UserError, match="has no such photo of Panthera uncia"):
        collect(UNCIA, licenses=("cc0",))
    assert ids_of(tmp_path) == [1]


def test_a_damaged_cache_is_reported_in_one_line(
    site: Site, collect: Collect, tmp_path: Path
) -> None:
    (tmp_path / STATE_FOLDER).mkdir()
    (tmp_path / STATE_FOLDER / CACHE_FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match=r"not a database; delete cache\.sqlite"):
        collect()


def test_the_cache_cannot_run_code(site: Site, collect: Collect, tmp_path: Path) -> None:
    site.observations = [observation(1)]
    collect()
    with sqlite3.connect(tmp_path / STATE_FOLDER / CACHE_FILE) as cache:
        (value,) = cache.execute("SELECT value FROM responses").fetchone()
    assert json.loads(value)["status_code"] == 200


def test_the_rate_limit_is_one_request_per_second(site: Site, tmp_path: Path) -> None:
    collect = read_parameters("collect", CollectParameters, PARAMETERS)
    download = read_parameters("download", DownloadParameters, PARAMETERS)
    settings = api_settings(collect, download, f"{site.address}/")
    assert settings.requests_per_second <= 1
    assert settings.address == site.address
    site.observations = [observation(1), observation(2, UNCIA)]
    collect_observations(tmp_path, [LEO, UNCIA], collect, settings)
    # One second between the requests, seen from the server, whose threads start late under load.
    assert site.times[1] - site.times[0] >= 0.85


@pytest.mark.slow
def test_the_script_collects_the_species_of_params_yaml(site: Site, tmp_path: Path) -> None:
    parameters = YAML(typ="safe").load(PARAMETERS)
    parameters["prepare"]["allowed_species"] = [LEO, UNCIA]
    parameters["download"] |= {"contact": "kim@example.org", "attempts": 1}
    YAML().dump(parameters, tmp_path / "params.yaml")
    site.observations = [observation(1), observation(2, UNCIA)]

    def run(address: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PIPELINE / "src" / "collect.py"), "снимки"]
        return subprocess.run(
            [*command, "--api", address],
            cwd=tmp_path,
            env={"PATH": "", "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    done = run(site.address)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("collect: 2 photos of 2 species, 2 of them new")
    assert ids_of(tmp_path / "снимки") == [1, 2]
    (agent,) = site.agents
    assert "kim@example.org" in agent
    refused = run("http://127.0.0.1:9/v1")
    assert refused.returncode == 1
    (line,) = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert "http://127.0.0.1:9/v1: no connection" in line
    assert "Traceback" not in refused.stderr
