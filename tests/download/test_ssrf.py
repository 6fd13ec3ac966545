"""The SSRF guard: URLs of an untrusted table reach no server in the local network."""

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

from panthera_vision.download.http import PRIVATE_ADDRESS, FetchSettings
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
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(SSRFError):
        open_public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_public_addresses_are_accepted(address: str) -> None:
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    open_public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80))).close()


def test_other_kinds_of_sockets_are_refused() -> None:
    with pytest.raises(SSRFError):
        open_public_socket((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("8.8.8.8",)))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_embedded_in_ipv6_is_judged_as_ipv4(address: Any) -> None:
    number = int(address)
    spellings = [
        f"::ffff:{address}",
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
    ]
    assert {is_public(spelling) for spelling in spellings} == {is_public(str(address))}


class LocalServer:
    """A server in the local network; `/to/URL` redirects to URL."""

    def __init__(self) -> None:
        self.requested: list[str] = []
        local_server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                local_server.requested.append(self.path)
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
def local_server() -> Iterator[LocalServer]:
    server = LocalServer()
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
    fetch_settings = FetchSettings(
        limits=RateLimits(1e6, 8, 1e12, 1e12),
        attempts=2,
        timeout_seconds=2,
        maximum_bytes=1_000_000,
        user_agent="PantheraVision/test",
        table_folder=folder,
        local_photos=(folder,),
        **settings,
    )
    photos, _ = collect_photos(table, folder / "images", folder / "journal.jsonl", fetch_settings)
    return list(photos["outcome"])


def test_the_local_network_is_reached_only_with_allow_private_addresses(
    tmp_path: Path, local_server: LocalServer
) -> None:
    addresses = [
        f"http://127.0.0.1:{local_server.port}/a",
        f"http://localhost:{local_server.port}/b",
        f"http://0.0.0.0:{local_server.port}/d",
        f"http://[::1]:{local_server.port}/e",
        f"http://[::ffff:127.0.0.1]:{local_server.port}/f",
        f"http://user:word@127.0.0.1:{local_server.port}/g",
    ]
    assert outcomes(tmp_path, *addresses) == [PRIVATE_ADDRESS] * len(addresses)
    assert not local_server.requested
    outcomes(tmp_path, addresses[0], allow_private_addresses=True)
    assert local_server.requested == ["/a"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "①②⑦.0.0.1", "LOCALHOST."]
)
def test_odd_spellings_of_loopback_are_refused(
    tmp_path: Path, local_server: LocalServer, host: str
) -> None:
    (outcome,) = outcomes(tmp_path, f"http://{host}:{local_server.port}/a")
    assert outcome in (PRIVATE_ADDRESS, "address not valid", "host name not found")
    assert not local_server.requested


def test_dns_rebinding_is_refused(
    tmp_path: Path, local_server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name resolves to a public address first and to loopback at the connection."""
    answers = iter(["93.184.215.14"])

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = next(answers, "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert is_public(socket.getaddrinfo("rebinding.example", 80)[0][4][0])
    assert outcomes(tmp_path, f"http://rebinding.example:{local_server.port}/a") == [
        PRIVATE_ADDRESS
    ]
    assert not local_server.requested


def test_a_redirect_into_the_local_network_is_refused(
    tmp_path: Path, local_server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The redirecting server is on loopback, too; the test lets its port pass as public."""
    other = LocalServer()
    monkeypatch.setattr(
        "panthera_vision.download.http.open_public_socket",
        lambda info: (
            socket.socket(*info[:3])
            if info[4][1] == local_server.port
            else open_public_socket(info)
        ),
    )
    targets = [
        f"http://127.0.0.1:{other.port}/a",
        f"http://localhost:{other.port}/b",
        f"http://0.0.0.0:{other.port}/c",
    ]
    redirecting = [f"http://127.0.0.1:{local_server.port}/to/{target}" for target in targets]
    assert outcomes(tmp_path, *redirecting) == [PRIVATE_ADDRESS] * 3
    assert len(local_server.requested) == 3
    assert not other.requested
    other.server.shutdown()
    other.server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:image/png,x"])
def test_a_redirect_to_another_scheme_is_refused(
    tmp_path: Path, local_server: LocalServer, target: str
) -> None:
    redirecting = f"http://127.0.0.1:{local_server.port}/to/{target}"
    assert outcomes(tmp_path, redirecting, allow_private_addresses=True) == ["address not valid"]
