"""What a service may be told: which model and index, and how much of anything it takes."""

from dataclasses import dataclass
from pathlib import Path

MEGA = 1_000_000


@dataclass(frozen=True)
class ServiceSettings:
    """Limits bound what strangers can make a service do; it needs about
    `(at_once + waiting) * upload_bytes` bytes for uploads, and 8 bytes a pixel of `pixels` for
    each of `at_once`, when all of them are used up.

    Attributes:
        model: the checkpoint.
        index: the folder with the search index.
        upload_bytes: the largest request.
        pixels: of the largest photo, once decoded.
        upload_seconds: how long a request may take to come in.
        at_once: photos that are decoded and shown to the network at a time.
        waiting: requests that may come in or wait for their turn besides; more are refused.
        origins: of web pages that may ask from a browser, such as "https://example.org".
    """

    model: Path
    index: Path
    upload_bytes: int = 20 * MEGA
    pixels: int = 60 * MEGA
    upload_seconds: float = 30
    at_once: int = 2
    waiting: int = 32
    origins: tuple[str, ...] = ()
