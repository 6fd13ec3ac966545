"""Downloads from faulty servers end in time, within the limit on bytes, with a reason."""

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from panthera_vision.download import downloader
from panthera_vision.download.http import FetchSettings
from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.download.stage import collect_photos

from .faulty_site import FaultySite, photo_bytes

REASONS = {
    "is healthy": "ok",
    "hangs before it responds": "timed out",
    "drips its header, letter by letter": "timed out",
    "drips its body, byte by byte": "timed out",
    "sends HTML with status 200": "not a photo",
    "declares too large a Content-Length": "transfer cut off",
    "declares too small a Content-Length": "broken photo|the answer is not HTTP",
    "declares a terabyte": "file too large",
    "declares a Content-Length that is not a number": "the answer is not HTTP",
    "sends an endless body": "file too large",
    "sends endless chunks": "file too large",
    "sends an endless header": "the answer is not HTTP",
    "sends endless headers": "the answer is not HTTP",
    "sends 200 MB compressed to 200 KB": "file too large",
    "does not speak HTTP": "the answer is not HTTP",
    "closes the connection at once": "no connection",
    "redirects in a loop": "redirected in a circle",
    "redirects without end": "redirected in a circle",
    "sends Retry-After: nan": "HTTP 429",
    "always returns 503": "HTTP 503",
}
ATTEMPTS, TIMEOUT, MAXIMUM = 2, 0.6, 2_000_000
# The attempts, the longest backoff between two, and what else runs on this machine.
LONGEST = ATTEMPTS * TIMEOUT + 1 + 3


@pytest.fixture
def site() -> Iterator[FaultySite]:
    site = FaultySite()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fetch(*addresses: str, **changes: Any) -> tuple[list[str], Counter[str]]:
    settings = FetchSettings(
        limits=RateLimits(1e6, 8, 1e12, 1e12),
        attempts=ATTEMPTS,
        timeout_seconds=TIMEOUT,
        maximum_bytes=MAXIMUM,
        user_agent="PantheraVision/test",
        table_folder=Path("export"),
        local_photos=(Path("export"),),
        allow_private_addresses=True,
    )
    table = pd.DataFrame(
        {
            "id": [f"id{number}" for number in range(len(addresses))],
            "species": "Panthera leo",
            "image_url": addresses,
        }
    )
    photos, counts = collect_photos(
        table, Path("images"), Path("journal.jsonl"), replace(settings, **changes)
    )
    assert sum(counts.values()) == len(addresses)
    return list(photos["outcome"]), counts


@pytest.mark.slow
@pytest.mark.parametrize("fault", FaultySite.FAULTS)
def test_every_fault_ends_in_time_with_a_reason_and_no_partial_file(
    site: FaultySite, fault: str
) -> None:
    began = time.perf_counter()
    outcomes, _ = fetch(*(site.address(fault, number) for number in range(3)))
    assert set(outcomes) <= set(REASONS[fault].split("|"))
    assert time.perf_counter() - began < LONGEST
    # Sent bytes include those in flight when the connection closed.
    assert site.sent[fault] < 3 * ATTEMPTS * (MAXIMUM + 16_000_000)
    assert not list(Path("images").rglob("*.part"))


@pytest.mark.faults
@pytest.mark.parametrize("fault", FaultySite.FAULTS)
def test_every_fault_a_hundred_times(site: FaultySite, fault: str) -> None:
    began = time.perf_counter()
    outcomes, counts = fetch(*(site.address(fault, number) for number in range(100)))
    seconds = time.perf_counter() - began
    print(
        f"\n| {fault} | 100 | {', '.join(f'{n} {why}' for why, n in counts.items())} "
        f"| {site.requested[fault]} | {seconds:.1f} s | {site.sent[fault] / 1e6:.1f} MB |"
    )
    assert set(outcomes) <= set(REASONS[fault].split("|"))
    assert seconds < 100 / 8 * LONGEST


@pytest.mark.slow
def test_the_circuit_breaker_opens_for_a_server_that_stopped_answering(
    site: FaultySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloader, "BREAKER_SECONDS", 0.5)
    hanging = [site.address("hangs before it responds", number) for number in range(400)]
    began = time.perf_counter()
    outcomes, counts = fetch(*hanging, timeout_seconds=0.2)
    assert time.perf_counter() - began < 10
    assert counts[downloader.CIRCUIT_OPEN] > 300
    assert set(outcomes) == {"timed out", downloader.CIRCUIT_OPEN}
    assert site.requested["hangs before it responds"] < 200


def test_the_circuit_breaker_stays_closed_while_a_server_answers_now_and_then(
    site: FaultySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloader, "BREAKER_SECONDS", 0.0)
    kinds = ["always returns 503", "is healthy", "always returns 503", "redirects in a loop"]
    addresses = [site.address(kinds[number % 4], number) for number in range(40)]
    outcomes, counts = fetch(*addresses, limits=RateLimits(1e6, 1, 1e12, 1e12), attempts=1)
    assert downloader.CIRCUIT_OPEN not in counts
    assert outcomes.count("ok") == 10


@pytest.mark.slow
def test_without_a_network_a_thousand_photos_fail_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_resolver(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_resolver)
    monkeypatch.setattr(downloader, "BREAKER_SECONDS", 1.0)
    began = time.perf_counter()
    _, counts = fetch(*(f"https://photos.example.org/{n}.jpg" for n in range(1000)))
    assert set(counts) == {"host name not found", downloader.CIRCUIT_OPEN}
    assert time.perf_counter() - began < 10


def test_hundreds_of_hosts_are_served_a_few_at_a_time(site: FaultySite) -> None:
    addresses = [
        site.address("is healthy", n).replace("127.0.0.1", f"127.0.{n // 200}.{n % 200 + 1}")
        for n in range(400)
    ]
    outcomes, _ = fetch(*addresses, timeout_seconds=20)
    # The site listens on one address of loopback; the other hosts are dead.
    assert Counter(outcomes) == {"ok": 1, "no connection": 399}


def test_path_traversal_pipes_devices_and_folders_are_refused(tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    os.mkfifo(export / "pipe.jpg")
    (export / "zero.jpg").symlink_to("/dev/zero")
    (export / "round.jpg").symlink_to(export / "round.jpg")
    (export / "folder.jpg").mkdir()
    (export / "large.jpg").write_bytes(photo_bytes() + bytes(MAXIMUM))
    outside, unreadable = "file outside the photos' folder", "file unreadable"
    names = ["pipe.jpg", "zero.jpg", "round.jpg", "folder.jpg", "large.jpg", "x" * 300, "a\0b"]
    names += ["//etc/passwd", "\\\\server\\share\\x.jpg", "mine/../../x.jpg"]
    outcomes, _ = fetch(*names)
    assert outcomes == [
        unreadable,
        outside,
        unreadable,
        unreadable,
        "file too large",
        unreadable,
        unreadable,
        outside,
        outside,
        outside,
    ]
