"""Measure camera-sized JPEGs: full decoding against decoding at the scale the network needs."""

import io
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.harness import table
from benchmarks.speed.networks import network_to_time
from panthera_vision.images.decoding import decode, open_photo
from panthera_vision.inference.predictor import Predictor

BACKBONE = "efficientnet_lite0"
LONGER_SIDES = (1024, 2048, 4000, 6000)
COUNT = 12
_GRAIN = 4  # standard deviation of the added noise, which gives the files a realistic size


def enlarged(photo: Image.Image, longer_side: int) -> bytes:
    """Return a JPEG of the photo, upscaled and with noise, as large as a camera's."""
    scale = longer_side / max(photo.size)
    large = photo.resize(
        (round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS
    )
    pixels = np.asarray(large, dtype=np.float32)
    grain = np.random.default_rng(0).normal(0, _GRAIN, pixels.shape).astype(np.float32)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(
        buffer, format="JPEG", quality=90
    )
    return buffer.getvalue()


def section(photos: Sequence[Path]) -> str:
    """Return milliseconds per photo by size, and the similarity of the features, as Markdown."""
    predictor = Predictor(network_to_time(BACKBONE, []), precision="fp32")
    preprocessing = predictor.model.preprocessing
    some = [open_photo(path) for path in photos[:: max(1, len(photos) // COUNT)][:COUNT]]
    rows = []
    for side in LONGER_SIDES:
        files = [enlarged(photo, side) for photo in some]
        whole, whole_ms = _timed(lambda data: preprocessing(decode(data)), files)
        reduced, reduced_ms = _timed(
            lambda data: preprocessing(
                decode(data, min_decoded_side=preprocessing.min_decoded_side)
            ),
            files,
        )
        cosines = torch.nn.functional.cosine_similarity(
            predictor.outputs(whole).features, predictor.outputs(reduced).features
        )
        megabytes = statistics.mean(len(data) for data in files) / 1e6
        rows.append(
            [
                f"{side} pixels, {megabytes:.1f} MB",
                f"{whole_ms:.0f}",
                f"{reduced_ms:.0f}",
                f"{whole_ms / reduced_ms:.1f}",
                f"{cosines.min():.4f}",
            ]
        )
    header = [
        "longer side, file",
        "full decode, ms",
        "reduced decode, ms",
        "speedup",
        "worst cosine",
    ]
    return "\n\n".join(
        [
            f"Decoding and cropping camera-sized JPEG files in one thread; {len(some)} photos, "
            "upscaled with added grain. The decoder skips detail that the network would not see; "
            "photos of 500 pixels, as above, gain nothing. Cosine: features of "
            f"{BACKBONE}, float32.",
            table(header, rows),
        ]
    )


def _timed(
    work: Callable[[bytes], torch.Tensor], files: Sequence[bytes]
) -> tuple[torch.Tensor, float]:
    """Return the stacked results of all files, and the median milliseconds per file."""
    results, taken = [], []
    for data in files:
        start = time.perf_counter()
        results.append(work(data))
        taken.append(1000 * (time.perf_counter() - start))
    return torch.stack(results), statistics.median(taken)
