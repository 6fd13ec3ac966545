"""Settings of the service: model, index, and limits."""

from dataclasses import dataclass
from pathlib import Path

from panthera_vision.data.coordinates import Coordinates

MEGA = 1_000_000


@dataclass(frozen=True)
class ServiceSettings:
    """Hold the service's files and its limits on what clients can make it do.

    At the limits, the service needs about `(at_once + waiting) * upload_bytes` bytes for uploads,
    and 8 bytes for each of `pixels` for each of `at_once` photos.

    Attributes:
        model: the checkpoint; None for the pretrained model.
        index: the folder of the search index; None for classification only.
        species: those that the pretrained model distinguishes, which answers as long as there is
            no checkpoint; None to answer with a checkpoint only.
        upload_bytes: size of the largest request.
        pixels: of the largest photo once decoded: the guard against decompression bombs.
        upload_seconds: longest time that a request may take to arrive.
        at_once: photos that are decoded and put through the network at a time.
        waiting: further requests that may upload or wait; more are refused.
        coordinates: how exact those of photos are in answers.
        origins: web origins that browsers may call from (CORS), such as "https://example.org".
    """

    model: Path | None
    index: Path | None
    species: tuple[str, ...] | None = None
    upload_bytes: int = 20 * MEGA
    pixels: int = 60 * MEGA
    upload_seconds: float = 30
    at_once: int = 2
    waiting: int = 32
    coordinates: Coordinates = "obscured"
    origins: tuple[str, ...] = ()
