"""A child process that decodes its input, so that crashes, hangs and memory can be measured.

Each input is 4 bytes of length and the bytes; each answer is a line, `picture` or the reason of
the failure. At the end it prints its peak memory, in MiB, and exits.
"""

import sys
from pathlib import Path

from panthera_vision.images.decoding import END_MISSING, PhotoError, as_jpeg, decode
from panthera_vision.ui.uploads import decode_upload

_MIN_SIDE = 16  # small, so that small photos are reduced as those of cameras are


def decoded(data: bytes) -> str:
    """Decode at full and at reduced size and as an upload of the apps; all must agree."""
    upload = decode_upload("photo.jpg", data)
    try:
        reduced = decode(data, min_decoded_side=_MIN_SIDE).mode
    except PhotoError as error:
        reduced = error.reason
    try:
        mode = decode(data).mode
    except PhotoError as error:
        assert upload.photo is None, "the app accepts what the stages refuse"
        assert upload.reason == reduced == error.reason
        return error.reason
    assert upload.photo is not None, f"the app refuses what the stages accept: {upload.reason}"
    assert mode == reduced == upload.photo.mode == "RGB"
    try:
        assert as_jpeg(data).startswith(b"\xff\xd8\xff")
    except PhotoError:
        assert upload.note == END_MISSING, "the download refuses what the others accept"
    return "picture"


def peak_memory() -> int:
    """Return the peak memory of this process, without its parent, in MiB."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


def main() -> None:
    take, give = sys.stdin.buffer, sys.stdout
    while length := take.read(4):
        print(decoded(take.read(int.from_bytes(length, "big"))), file=give, flush=True)
    print(peak_memory(), file=give, flush=True)


if __name__ == "__main__":
    main()
