"""Generate damaged photos, and decode them in a child process."""

import io
import os
import random
import select
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pillow_heif
from hypothesis import strategies as st
from PIL import Image

from ..conftest import REPOSITORY, draw_photo

pillow_heif.register_heif_opener()

_REMEMBERED = 20
_TELLING_BYTES = (0, 1, 0x7F, 0x80, 0xC2, 0xD8, 0xD9, 0xDA, 0xFE, 0xFF)


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return buffer.getvalue()


def drawn_seeds() -> list[bytes]:
    """A small photo of each format and mode that is accepted."""
    photo = draw_photo("Panthera leo", 0, (40, 30))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    frames = [draw_photo("Panthera onca", n, (24, 18)) for n in range(3)]
    palette = photo.convert("P")
    palette.info["transparency"] = 3
    grey = Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50)
    alpha = photo.convert("RGBA")
    alpha.putalpha(120)
    return [
        encoded(photo, "JPEG", exif=exif),
        encoded(photo, "JPEG", progressive=True),
        encoded(photo.convert("CMYK"), "JPEG"),
        encoded(photo.convert("L"), "JPEG", subsampling=0),
        encoded(photo, "MPO", save_all=True, append_images=frames),
        encoded(photo, "PNG", exif=exif),
        encoded(palette, "PNG"),
        encoded(grey, "PNG"),
        encoded(alpha, "PNG"),
        encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        encoded(photo, "WEBP", exif=exif),
        encoded(alpha, "WEBP", lossless=True),
        encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        encoded(photo, "TIFF", exif=exif),
        encoded(alpha, "TIFF", compression="tiff_lzw"),
        encoded(grey, "TIFF", compression="tiff_adobe_deflate"),
        encoded(photo, "TIFF", compression="jpeg"),
        encoded(photo, "BMP"),
        encoded(palette, "BMP"),
        encoded(photo, "HEIF", exif=exif.tobytes()),
        encoded(alpha, "HEIF"),
        encoded(photo, "AVIF", exif=exif),
        encoded(alpha, "AVIF"),
    ]


def real_seeds(count: int = 12) -> list[bytes]:
    """The smallest real photos, where there are any; the variable DATA names their folder."""
    data = Path(os.environ.get("DATA", REPOSITORY.parent / "shared" / "data"))
    photos = sorted(
        (data / "panthera_photos").rglob("*.jpg"), key=lambda path: (path.stat().st_size, path.name)
    )
    return [path.read_bytes() for path in photos[:count]]


def damage(seeds: Sequence[bytes], seed: int, mutations: int) -> bytes:
    """One of the seeds after so many random mutations; the same for the same numbers."""
    rng = random.Random(seed)
    data = bytearray(rng.choice(seeds))
    for _ in range(mutations):
        # Headers are a small part of a file and decide most.
        end = len(data) if rng.random() < 0.5 else min(len(data), 700)
        at = rng.randrange(end) if end else 0
        match rng.randrange(8):
            case 0 | 1:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 2:
                data[at : at + 1] = bytes([rng.choice(_TELLING_BYTES)])
            case 3:
                number = rng.choice((0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1))
                order = rng.choice(("big", "little"))
                width = 2 if number < 2**16 else 4
                data[at : at + width] = number.to_bytes(width, order)
            case 4:
                del data[at : at + rng.randrange(1, 64)]
            case 5:
                data[at:at] = data[at : at + rng.randrange(1, 64)] * rng.choice((1, 2, 50))
            case 6:
                other = rng.choice(seeds)
                begin = rng.randrange(len(other))
                data[at : at + 64] = other[begin : begin + rng.randrange(1, 256)]
            case 7:
                del data[at:]
    return bytes(data)


def damaged_photos(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Photos with up to thirty mutations."""
    return st.builds(damage, st.just(seeds), st.integers(0, 2**48), st.integers(0, 30))


class DecodingChild:
    """A child process that decodes; `folder` gets the last inputs where it crashes or hangs."""

    def __init__(self, folder: Path, longest_seconds: float = 20) -> None:
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0
        self._folder = folder
        self._longest_seconds = longest_seconds
        self._given: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._start()

    def _start(self) -> None:
        # Decoders in C write to stderr too; a full pipe would block them.
        with (self._folder / "stderr.txt").open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "tests.images.decoding_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=REPOSITORY,
            )

    def take(self, data: bytes) -> str:
        """Return the outcome of decoding `data`; fail where it crashes the process or hangs."""
        assert self._process.stdin and self._process.stdout
        began = time.perf_counter()
        self._given.append(data)
        try:
            self._process.stdin.write(len(data).to_bytes(4, "big") + data)
            self._process.stdin.flush()
            ready, _, _ = select.select([self._process.stdout], [], [], self._longest_seconds)
            outcome = self._process.stdout.readline().decode().strip() if ready else ""
        except BrokenPipeError:
            outcome = ""
        if not outcome:
            self._fail(time.perf_counter() - began)
        self.slowest = max(self.slowest, time.perf_counter() - began)
        self.outcomes[outcome] += 1
        return outcome

    def _fail(self, seconds: float) -> None:
        """Save the inputs, start a new process for the next, and fail."""
        self._process.kill()
        status = self._process.wait()
        for number, data in enumerate(self._given):
            (self._folder / f"input{number:02}.bin").write_bytes(data)
        words = (self._folder / "stderr.txt").read_text(errors="replace")[-1500:]
        self._start()
        raise AssertionError(f"no answer after {seconds:.1f} s ({status}), {self._folder}: {words}")

    def peak(self) -> int:
        """End the process and return its peak memory, in MiB."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        peak = int(self._process.stdout.readline())
        self._process.wait(10)
        return peak

    def __enter__(self) -> "DecodingChild":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
