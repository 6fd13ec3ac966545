"""A process that decodes what it is sent, so that a crash, a hang and its memory can be seen.

Each input is 4 bytes of length and the bytes; each answer a line, `picture` or why there is none.
At the end of the inputs it prints the most memory that it ever had, in MiB, and exits.
"""

import sys
from pathlib import Path

from panthera_vision.images.decoding import PhotoError, as_jpeg, decode
from panthera_vision.ui.uploads import take_upload

_SIDE_WANTED = 16  # small, so that small photos are reduced as those of cameras are


def decoded(data: bytes) -> str:
    """What becomes of an input in the stages, whole and reduced, and in the apps; all agree."""
    upload = take_upload("photo.jpg", data)
    try:
        reduced = decode(data, min_decoded_side=_SIDE_WANTED).mode
    except PhotoError as error:
        reduced = error.reason
    try:
        mode = decode(data).mode
        jpeg = as_jpeg(data)
    except PhotoError as error:
        assert upload.photo is None, "the app takes what the stages refuse"
        assert upload.reason == reduced == error.reason
        return error.reason
    assert upload.photo is not None, f"the app refuses what the stages take: {upload.reason}"
    assert mode == reduced == upload.photo.mode == "RGB"
    assert jpeg.startswith(b"\xff\xd8\xff")
    return "picture"


def most_memory() -> int:
    """The most memory that this process had, in MiB; what its parent had does not count."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


def main() -> None:
    take, give = sys.stdin.buffer, sys.stdout
    while length := take.read(4):
        print(decoded(take.read(int.from_bytes(length, "big"))), file=give, flush=True)
    print(most_memory(), file=give, flush=True)


if __name__ == "__main__":
    main()
