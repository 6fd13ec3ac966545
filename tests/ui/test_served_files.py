"""A served app against path traversal, uploads without a session, and fifty visitors at once."""

import asyncio
import http.client
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.app_server import served

from ..conftest import REPOSITORY

PIPELINE = REPOSITORY / "image-search-dvc-pipeline"
SECRETS = (b"root:", b"LiveIndex", b"duplicate_similarity", b"maxUploadSize = ")
UP = ["..", "%2e%2e", "..%2f..", "%252e%252e", "..%5c..", "....//", "..%00", "..;"]
FILES = ["etc/passwd", "web_app.py", "params.yaml", ".streamlit/config.toml", "proc/self/environ"]
ROOTS = ["", "/static", "/app/static", "/media", "/component", "/_stcore", "/_stcore/upload_file"]
VISITORS = 50


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(PIPELINE) as address:
        yield address


def ask(address: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """A request as it is written: no client puts its path in order."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=False, skip_accept_encoding=True)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.slow
def test_path_traversal_serves_no_file(address: str) -> None:
    asked = 0
    for root in ROOTS:
        for file in FILES:
            for climb in ("", *("/".join([up] * depth) for up in UP for depth in (1, 3, 8))):
                _, body = ask(address, "GET", "/".join([root, climb, file]).replace("//", "/"))
                assert not any(secret in body for secret in SECRETS), (root, climb, file)
                asked += 1
    for path in (
        "//etc/passwd",
        "/file:///etc/passwd",
        quote(f"{REPOSITORY}/README.md"),
        "/\\etc\\passwd",
    ):
        _, body = ask(address, "GET", path)
        assert b"Panthera Vision" not in body
        assert not any(secret in body for secret in SECRETS)
    print(f"\n{asked + 4} paths asked for")


def test_an_upload_without_a_session_is_refused(address: str) -> None:
    for path in ("/_stcore/upload_file/nobody/x", "/_stcore/upload_file/../../x/y"):
        for method in ("PUT", "POST", "DELETE"):
            status, _ = ask(address, method, path, b"x" * 1000)
            assert 400 <= status < 500


async def visit(session: aiohttp.ClientSession, address: str) -> list[str]:
    """Open the page as a browser does; the kinds of what came until the script had ended."""
    came: list[str] = []
    async with session.ws_connect(
        f"{address}/_stcore/stream", protocols=["streamlit", "x"], max_msg_size=0
    ) as socket:
        message = BackMsg()
        message.rerun_script.query_string = "photo=..%2F..%2Fetc%2Fpasswd&lang=ru"
        await socket.send_bytes(message.SerializeToString())
        async for part in socket:
            forward = ForwardMsg()
            forward.ParseFromString(part.data)
            kind = forward.WhichOneof("type")
            if kind == "delta":
                came.append(forward.delta.new_element.WhichOneof("type") or "block")
            if kind == "script_finished":
                return came
    raise AssertionError("the connection was closed")


@pytest.mark.faults
def test_fifty_visitors_at_once_are_served(address: str) -> None:
    async def all_of_them() -> list[list[str]]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            async with asyncio.timeout(120):
                return await asyncio.gather(*(visit(session, address) for _ in range(VISITORS)))

    pages = asyncio.run(all_of_them())
    assert len(pages) == VISITORS
    for page in pages:
        assert page
        assert "exception" not in page
