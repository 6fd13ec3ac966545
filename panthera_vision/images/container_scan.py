"""How many parts a picture file has, seen before a decoder walks through them one by one.

A file of a few megabytes may have a million parts, each of which costs far more time than its
bytes: scans of a progressive JPEG, of which each goes over the whole picture ("Two Issues with the
JPEG Standard", libjpeg-turbo, 2013), or empty segments, chunks and blocks.
"""

import re
from dataclasses import dataclass

_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# In the data of a scan, whatever else follows 0xFF is a marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_FILL = re.compile(rb"\xff*")


@dataclass(frozen=True)
class ContainerInfo:
    """Of what a file consists.

    Attributes:
        parts: segments, chunks or blocks, up to the first picture's end.
        scans: of a JPEG; each goes over the whole picture.
        buffered: bytes a pixel of a JPEG whose scans are all in memory before there is a picture.
    """

    parts: int = 1
    scans: int = 1
    buffered: float = 0.0


def scan_container(data: bytes, most: int) -> ContainerInfo:
    """The structure of a JPEG, PNG or GIF; counting ends soon after `most` parts or scans.

    Other formats have a list of their parts at the beginning, which their decoders bound. What is
    broken is not judged here.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data, most)
    if data.startswith(b"\x89PNG"):
        return ContainerInfo(parts=_png_chunks(data, most))
    if data.startswith(b"GIF8"):
        return ContainerInfo(parts=_gif_blocks(data, most))
    return ContainerInfo()


def _jpeg(data: bytes, most: int) -> ContainerInfo:
    at, parts, scans, frame, is_buffered = 2, 0, 0, b"", False
    while parts <= most and at < len(data):
        fill = _FILL.match(data, at)
        length_of_fill = fill.end() - at if fill else 0
        # Pillow takes fill bytes, and what stands where none should, one at a time.
        parts += max(length_of_fill, 1)
        at += max(length_of_fill, 1)
        if not length_of_fill or at >= len(data) or data[at] == 0:
            continue
        marker = data[at]
        at += 1
        if marker == _END_OF_IMAGE:
            break
        if 0xD0 <= marker <= 0xD8 or marker == 1:  # these stand alone
            continue
        body, at = at + 2, at + max(int.from_bytes(data[at : at + 2], "big"), 2)
        if marker in _FRAMES:
            frame = data[body + 5 : at]
            is_buffered = is_buffered or marker in _PROGRESSIVE
        if marker == _START_OF_SCAN:
            scans += 1
            is_buffered = is_buffered or data[body : body + 1] < frame[:1]
            following = _NEXT_MARKER.search(data, at)
            at = following.start() if following else len(data)
    return ContainerInfo(parts, max(scans, 1), _coefficients(frame) if is_buffered else 0.0)


def _coefficients(frame: bytes) -> float:
    """Bytes a pixel that a JPEG's coefficients take, of 2 bytes each; `frame` begins with the
    number of components, each with three bytes, whose second says how it is sampled."""
    sampled = [((byte >> 4) or 1, (byte & 15) or 1) for byte in frame[2 : 3 * frame[0] + 1 : 3]]
    widest, highest = max(w for w, _ in sampled), max(h for _, h in sampled)
    return sum(2 * w * h for w, h in sampled) / (widest * highest)


def _png_chunks(data: bytes, most: int) -> int:
    at, chunks = 8, 0
    while chunks <= most and at + 8 <= len(data):
        chunks += 1
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return chunks


def _gif_blocks(data: bytes, most: int) -> int:
    """Blocks before the first picture; each byte that belongs to none counts as one."""
    palette = 3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0
    at, blocks = 13 + palette, 0
    while blocks <= most and at < len(data) and data[at] not in b",;":
        blocks += 1
        extension = data[at] == ord("!")
        at += 2 if extension else 1
        while extension and blocks <= most and at < len(data):
            length = data[at]
            at += 1 + length
            blocks += 1
            if not length:
                break
    return blocks
