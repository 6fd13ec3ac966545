"""The second test on near-duplicates: do the pixels of two similar photos show the same shot?"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from panthera_vision.images.aligned_correlation import (
    SAME_SHOT,
    SIDE,
    aligned_correlations,
    small_gray,
)
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.io.progress import progress_bar

_PAIRS_PER_BLOCK = 64
_PHOTOS_IN_MEMORY = 50_000  # of 4 KB each


@dataclass(frozen=True)
class Confirmation:
    """Hold which pairs show the same shot (P,), bool, and how many could not be compared."""

    same_shot: np.ndarray
    unreadable: int


def confirm_pairs(pairs: np.ndarray, path_of: Callable[[int], Path | None]) -> Confirmation:
    """Compare the pixels of pairs of photos (P, 2); see `aligned_correlations`.

    Args:
        pairs: rows of two photos each.
        path_of: returns the file of a row; None if there is none that may be read.
    """

    @lru_cache(_PHOTOS_IN_MEMORY)
    def photo(row: int) -> np.ndarray | None:
        path = path_of(row)
        try:
            return None if path is None else small_gray(read_photo(path, SIDE))
        except PhotoError:
            return None

    def correlations(block: np.ndarray) -> np.ndarray:
        """Return the correlation of each pair; NaN where a photo can't be read."""
        photos = [(photo(one), photo(other)) for one, other in block.tolist()]
        readable = [one is not None and other is not None for one, other in photos]
        found = np.full(len(block), np.nan)
        if any(readable):
            ones, others = zip(
                *(pair for pair, is_readable in zip(photos, readable, strict=True) if is_readable),
                strict=True,
            )
            found[readable] = aligned_correlations(np.stack(ones), np.stack(others))
        return found

    starts = range(0, len(pairs), _PAIRS_PER_BLOCK)
    blocks = [pairs[start : start + _PAIRS_PER_BLOCK] for start in starts]
    found = [np.empty(0)]
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress_bar("compare pixels", "pair", len(pairs)) as bar,
    ):
        for each in pool.map(correlations, blocks):
            found.append(each)
            bar.update(len(each))
    scores = np.concatenate(found)
    return Confirmation(scores >= SAME_SHOT, int(np.isnan(scores).sum()))
