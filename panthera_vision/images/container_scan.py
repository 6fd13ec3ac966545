"""Scan an image container for decompression bombs: count its parts before decoding any.

A file of a few megabytes may hold a million parts, each of which costs far more time than its
bytes: scans of a progressive JPEG, each of which goes over the whole image ("Two Issues with the
JPEG Standard", libjpeg-turbo, 2013), or empty segments, chunks and blocks.
"""

import re
from dataclasses import dataclass

_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# Within the data of a scan, 0xFF followed by any other byte is a marker.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_FILL = re.compile(rb"\xff*")


@dataclass(frozen=True)
class ContainerInfo:
    """Count what a file consists of.

    Attributes:
        parts: segments, chunks or blocks, up to the end of the first image.
        scans: of a JPEG.
        buffered: bytes a pixel of a JPEG that keeps all scans in memory before the first pixel.
        frame: a JPEG's number of components, and three bytes for each, the first its id.
        scan_headers: of a JPEG, in order.
    """

    parts: int = 1
    scans: int = 1
    buffered: float = 0.0
    frame: bytes = b""
    scan_headers: tuple[bytes, ...] = ()

    def has_all_coefficients(self) -> bool:
        """Return whether a JPEG's scans hold each coefficient to the last bit.

        A scan's header is the number of its components, two bytes for each, the first and the
        last coefficient, and the bits that are still missing, in the lower half of a byte.
        """
        missing = {(id, k) for id in self.frame[1 : 3 * self.frame[0] + 1 : 3] for k in range(64)}
        for header in self.scan_headers:
            first, last, bits = header[1 + 2 * header[0] :][:3]
            if not bits & 15:
                ids = header[1 : 1 + 2 * header[0] : 2]
                missing -= {(id, k) for id in ids for k in range(first, min(last, 63) + 1)}
        return not missing


def scan_container(data: bytes, max_parts: int) -> ContainerInfo:
    """Count the parts of a JPEG, PNG or GIF; stop soon after `max_parts` parts.

    Other formats list their parts in a header that their decoders bound. Damaged files pass.
    """
    if data.startswith(b"\xff\xd8"):
        return _scan_jpeg(data, max_parts)
    if data.startswith(b"\x89PNG"):
        return ContainerInfo(parts=_count_png_chunks(data, max_parts))
    if data.startswith(b"GIF8"):
        return ContainerInfo(parts=_count_gif_blocks(data, max_parts))
    return ContainerInfo()


def _scan_jpeg(data: bytes, max_parts: int) -> ContainerInfo:
    at, parts, frame, is_buffered = 2, 0, b"", False
    headers: list[bytes] = []
    while parts <= max_parts and at < len(data):
        fill = _FILL.match(data, at)
        fill_length = fill.end() - at if fill else 0
        # Pillow skips fill bytes and misplaced bytes one at a time.
        parts += max(fill_length, 1)
        at += max(fill_length, 1)
        if not fill_length or at >= len(data) or data[at] == 0:
            continue
        marker = data[at]
        at += 1
        if marker == _END_OF_IMAGE:
            break
        if 0xD0 <= marker <= 0xD8 or marker == 1:  # markers without a segment
            continue
        body, at = at + 2, at + max(int.from_bytes(data[at : at + 2], "big"), 2)
        if marker in _FRAMES:
            frame = data[body + 5 : at]
            is_buffered = is_buffered or marker in _PROGRESSIVE
        if marker == _START_OF_SCAN:
            headers.append(data[body:at])
            is_buffered = is_buffered or data[body : body + 1] < frame[:1]
            following = _NEXT_MARKER.search(data, at)
            at = following.start() if following else len(data)
    buffered = _coefficient_bytes(frame) if is_buffered else 0.0
    return ContainerInfo(parts, max(len(headers), 1), buffered, frame, tuple(headers))


def _coefficient_bytes(frame: bytes) -> float:
    """Return the bytes a pixel of a JPEG's coefficients, of 2 bytes each.

    `frame` begins with the number of components, each of three bytes, the second of which holds
    the sampling factors.
    """
    sampling = [((byte >> 4) or 1, (byte & 15) or 1) for byte in frame[2 : 3 * frame[0] + 1 : 3]]
    widest, highest = max(w for w, _ in sampling), max(h for _, h in sampling)
    return sum(2 * w * h for w, h in sampling) / (widest * highest)


def _count_png_chunks(data: bytes, max_parts: int) -> int:
    at, chunks = 8, 0
    while chunks <= max_parts and at + 8 <= len(data):
        chunks += 1
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return chunks


def _count_gif_blocks(data: bytes, max_parts: int) -> int:
    """Count the blocks before the first image; a byte outside all blocks counts as one."""
    palette = 3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0
    at, blocks = 13 + palette, 0
    while blocks <= max_parts and at < len(data) and data[at] not in b",;":
        blocks += 1
        is_extension = data[at] == ord("!")
        at += 2 if is_extension else 1
        while is_extension and blocks <= max_parts and at < len(data):
            length = data[at]
            at += 1 + length
            blocks += 1
            if not length:
                break
    return blocks
