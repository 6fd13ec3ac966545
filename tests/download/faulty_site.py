"""A server on loopback whose responses have the fault that the path numbers, as in /3/7.jpg."""

import gzip
import io
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

from ..conftest import SPECIES, draw_photo

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n"
_EMPTY = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n"
_MEGABYTE = bytes(1 << 20)


@cache
def photo_bytes(number: int = 0) -> bytes:
    buffer = io.BytesIO()
    draw_photo(SPECIES[number % 5], number).save(buffer, "JPEG")
    return buffer.getvalue()


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(200_000_000), 9)


def _with_length(length: int | str, body: bytes) -> bytes:
    return _OK + f"Content-Length: {length}\r\n\r\n".encode() + body


def _endless(head: bytes, part: bytes, pause: float = 0.0) -> Iterator[bytes]:
    yield head
    while True:
        yield part
        time.sleep(pause)


def _responses(path: str) -> dict[str, Callable[[], Iterator[bytes]]]:
    body = photo_bytes()
    chunk = f"{len(_MEGABYTE):x}\r\n".encode() + _MEGABYTE + b"\r\n"
    bomb = _bomb()
    packed = b"Content-Encoding: gzip\r\n"
    redirect = _EMPTY % b"302 Found" + f"Location: {path}x\r\n\r\n".encode()
    return {
        "is healthy": lambda: iter([_with_length(len(body), body)]),
        "hangs before it responds": lambda: _endless(b"", b"", 0.05),
        "drips its header, letter by letter": lambda: _endless(
            b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.05
        ),
        "drips its body, byte by byte": lambda: _endless(_with_length(10**6, b""), b"\xff", 0.05),
        "sends HTML with status 200": lambda: iter([_with_length(20, b"<html>please log in<")]),
        "declares too large a Content-Length": lambda: iter([_with_length(len(body) + 50, body)]),
        "declares too small a Content-Length": lambda: iter([_with_length(len(body) // 2, body)]),
        "declares a terabyte": lambda: _endless(_with_length(10**12, b""), _MEGABYTE),
        "declares a Content-Length that is not a number": lambda: iter([_with_length("-5", body)]),
        "sends an endless body": lambda: _endless(_OK + b"\r\n", _MEGABYTE),
        "sends endless chunks": lambda: _endless(
            _OK + b"Transfer-Encoding: chunked\r\n\r\n", chunk
        ),
        "sends an endless header": lambda: _endless(_OK + b"X: ", b"x" * 9999),
        "sends endless headers": lambda: _endless(_OK, b"X: y\r\n" * 999),
        "sends 200 MB compressed to 200 KB": lambda: iter(
            [_OK + packed + f"Content-Length: {len(bomb)}\r\n\r\n".encode() + bomb]
        ),
        "does not speak HTTP": lambda: iter([b"SSH-2.0-OpenSSH_9.6\r\n" * 10]),
        "closes the connection at once": lambda: iter([]),
        "redirects in a loop": lambda: iter([redirect.replace(f"{path}x".encode(), path.encode())]),
        "redirects without end": lambda: iter([redirect]),
        "sends Retry-After: nan": lambda: iter([_EMPTY % b"429 No" + b"Retry-After: nan\r\n\r\n"]),
        "always returns 503": lambda: iter([_EMPTY % b"503 No" + b"\r\n"]),
    }


class FaultySite:
    """The server; `requested` counts requests by fault, `sent` the bytes sent."""

    FAULTS = tuple(_responses("/"))

    def __init__(self) -> None:
        self.requested: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self._closing = False
        _bomb()  # takes a while, once
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def address(self, fault: str, number: int = 0) -> str:
        """Return the URL of a photo that is served with this fault."""
        return f"http://127.0.0.1:{self.port}/{self.FAULTS.index(fault)}/{number}.jpg"

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._respond, args=(connection,), daemon=True).start()

    def _respond(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = connection.recv(65536)
                path = request.split()[1].decode()
                fault = self.FAULTS[int(path.split("/")[1])]
                self.requested[fault] += 1
                for part in _responses(path)[fault]():
                    if self._closing:
                        return
                    connection.sendall(part)
                    self.sent[fault] += len(part)
            except (OSError, IndexError, ValueError):
                return

    def close(self) -> None:
        self._closing = True
        self._socket.close()
