"""API responses that never end or come a byte at a time end at the time and size limits."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from panthera_vision.errors import UserError
from panthera_vision.sources.inaturalist import client as api
from panthera_vision.sources.inaturalist.client import INaturalistClient, Query
from panthera_vision.sources.inaturalist.http_limits import (
    LimitedHTTPAdapter,
    ResponseTooLargeError,
)

from ..download.faulty_site import FaultySite, photo_bytes

MAXIMUM, SECONDS = 2_000_000, 1.0


@pytest.fixture
def site() -> Iterator[FaultySite]:
    site = FaultySite()
    yield site
    site.close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", LimitedHTTPAdapter(MAXIMUM, SECONDS))
        yield session


def test_a_good_response_passes_unchanged(site: FaultySite, session: requests.Session) -> None:
    response = session.get(site.address("is healthy"), timeout=0.5)
    assert (response.status_code, response.content) == (200, photo_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("fault", [fault for fault in FaultySite.FAULTS if fault != "is healthy"])
def test_every_response_ends_within_the_time_and_size_limits(
    site: FaultySite, session: requests.Session, fault: str
) -> None:
    began = time.perf_counter()
    try:
        response = session.get(site.address(fault), timeout=0.5)
        assert len(response.content) <= MAXIMUM
    except requests.RequestException:
        pass
    assert time.perf_counter() - began < SECONDS + 2
    assert site.sent[fault] < MAXIMUM + 16_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drips its body, byte by byte", requests.ReadTimeout),
        ("drips its header, letter by letter", requests.ReadTimeout),
        ("sends an endless body", ResponseTooLargeError),
        ("sends endless chunks", ResponseTooLargeError),
        ("sends 200 MB compressed to 200 KB", ResponseTooLargeError),
    ],
)
def test_the_error_names_the_limit(
    site: FaultySite, session: requests.Session, fault: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        session.get(site.address(fault), timeout=0.5)


@pytest.mark.slow
def test_the_client_reports_the_exceeded_limit(
    site: FaultySite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_MAXIMUM_BYTES", MAXIMUM)
    settings = api.ApiSettings("", "PantheraVision/test", 1000, 2, 0.3, first_backoff_s=0.1)
    query = Query("Panthera leo", "research", ("cc0",))
    for fault, words in (
        ("sends an endless body", "the response is too large, 2 times in a row"),
        ("drips its body, byte by byte", "timed out, 2 times in a row"),
    ):
        address = site.address(fault).rpartition("/")[0]
        (tmp_path / words[:9]).mkdir()
        with (
            pytest.raises(UserError, match=words),
            INaturalistClient(replace(settings, address=address), tmp_path / words[:9]) as client,
        ):
            client.page(query, 0)
