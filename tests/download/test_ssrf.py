"""A table from elsewhere must not make one's machine fetch inside its own network."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.download.http import PRIVATE, FetchSettings
from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.download.ssrf import SSRFError, is_public, open_public_socket
from panthera_vision.download.stage import collect_photos

NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:c0a8:1::1",
    "fe80::1",
    "fe80::1%2",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
    "2130706433",
    "127.1",
    "0x7f000001",
    "localhost",
    "",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_no_public_address_is_refused(address: str) -> None:
    assert not is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(SSRFError):
        open_public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_public_addresses_pass(address: str) -> None:
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    open_public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80))).close()


def test_other_kinds_of_sockets_are_refused() -> None:
    with pytest.raises(SSRFError):
        open_public_socket((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("8.8.8.8",)))


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_all_its_spellings_within_ipv6(address: Any) -> None:
    number = int(address)
    spellings = [
        f"::ffff:{address}",
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
    ]
    assert {is_public(spelling) for spelling in spellings} == {is_public(str(address))}


class Inside:
    """A server within one's own network that would rather not be asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        inside = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                inside.asked.append(self.path)
                if self.path.startswith("/to/"):
                    self.send_response(302)
                    self.send_header("Location", self.path.removeprefix("/to/"))
                else:
                    self.send_response(404)
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def inside() -> Iterator[Inside]:
    server = Inside()
    yield server
    server.server.shutdown()
    server.server.server_close()


def outcomes(folder: Path, *addresses: str, **settings: Any) -> list[str]:
    table = pd.DataFrame(
        {
            "id": [f"id{number}" for number in range(len(addresses))],
            "species": "Panthera leo",
            "image_url": addresses,
        }
    )
    fetching = FetchSettings(
        pace=RateLimits(1e6, 8, 1e12, 1e12),
        attempts=2,
        timeout_seconds=2,
        maximum_bytes=1_000_000,
        user_agent="PantheraVision/test",
        table_folder=folder,
        local_photos=folder,
        **settings,
    )
    photos, _ = collect_photos(table, folder / "images", folder / "journal.jsonl", fetching)
    return list(photos["outcome"])


def test_nothing_in_the_own_network_is_asked_unless_it_is_allowed(
    tmp_path: Path, inside: Inside
) -> None:
    addresses = [
        f"http://127.0.0.1:{inside.port}/a",
        f"http://localhost:{inside.port}/b",
        f"http://0.0.0.0:{inside.port}/d",
        f"http://[::1]:{inside.port}/e",
        f"http://[::ffff:127.0.0.1]:{inside.port}/f",
        f"http://user:word@127.0.0.1:{inside.port}/g",
    ]
    assert outcomes(tmp_path, *addresses) == [PRIVATE] * len(addresses)
    assert not inside.asked
    outcomes(tmp_path, addresses[0], allow_private_addresses=True)
    assert inside.asked == ["/a"]


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "①②⑦.0.0.1", "LOCALHOST."]
)
def test_odd_spellings_of_loopback_lead_nowhere(tmp_path: Path, inside: Inside, host: str) -> None:
    (outcome,) = outcomes(tmp_path, f"http://{host}:{inside.port}/a")
    assert outcome in (PRIVATE, "address not valid", "host name not found")
    assert not inside.asked


def test_a_name_that_answers_otherwise_the_second_time_is_refused(
    tmp_path: Path, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the name was public when somebody looked, and is not when it is asked."""
    answers = iter(["93.184.215.14"])

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = next(answers, "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert is_public(socket.getaddrinfo("rebinding.example", 80)[0][4][0])
    assert outcomes(tmp_path, f"http://rebinding.example:{inside.port}/a") == [PRIVATE]
    assert not inside.asked


def test_a_redirect_into_the_own_network_is_not_followed(
    tmp_path: Path, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The redirecting server is on loopback too: for this test, its port passes for public."""
    other = Inside()
    monkeypatch.setattr(
        "panthera_vision.download.http.open_public_socket",
        lambda info: (
            socket.socket(*info[:3]) if info[4][1] == inside.port else open_public_socket(info)
        ),
    )
    targets = [
        f"http://127.0.0.1:{other.port}/a",
        f"http://localhost:{other.port}/b",
        f"http://0.0.0.0:{other.port}/c",
    ]
    redirecting = [f"http://127.0.0.1:{inside.port}/to/{target}" for target in targets]
    assert outcomes(tmp_path, *redirecting) == [PRIVATE] * 3
    assert len(inside.asked) == 3
    assert not other.asked
    other.server.shutdown()
    other.server.server_close()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:image/png,x"])
def test_a_redirect_leads_to_the_web_alone(tmp_path: Path, inside: Inside, target: str) -> None:
    redirecting = f"http://127.0.0.1:{inside.port}/to/{target}"
    assert outcomes(tmp_path, redirecting, allow_private_addresses=True) == ["address not valid"]
