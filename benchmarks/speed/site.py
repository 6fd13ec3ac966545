"""Serve photos on loopback with a given latency, and record when requests arrive."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path


@dataclass(frozen=True)
class Site:
    """Hold a running site, which serves photo number N at `address`/N.jpg for any N."""

    address: str
    _pipe: Connection

    def request_times(self) -> list[float]:
        """Return when requests arrived since the last call, in seconds, ascending."""
        self._pipe.send("times")
        times: list[float] = self._pipe.recv()
        return sorted(times)


@contextmanager
def photo_site(photos: list[Path], latency: float) -> Iterator[Site]:
    """Serve `photos` in rotation from a separate process, `latency` seconds after each request."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(photos, latency, theirs), daemon=True)
    process.start()
    try:
        yield Site(ours.recv(), ours)
    finally:
        process.kill()
        process.join()


def _serve(photos: list[Path], latency: float, pipe: Connection) -> None:
    asyncio.run(_serve_forever([path.read_bytes() for path in photos], latency, pipe))


async def _serve_forever(bodies: list[bytes], latency: float, pipe: Connection) -> None:
    times: list[float] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                times.append(time.perf_counter())
                await asyncio.sleep(latency)
                path = request.split(b" ", 2)[1]
                body = bodies[int(path.strip(b"/").partition(b".")[0]) % len(bodies)]
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
                    + f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]

    def send_times() -> None:
        pipe.recv()
        pipe.send(list(times))
        times.clear()

    asyncio.get_running_loop().add_reader(pipe.fileno(), send_times)
    pipe.send(f"http://127.0.0.1:{port}")
    await server.serve_forever()
