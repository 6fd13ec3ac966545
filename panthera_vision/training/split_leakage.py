"""Find near-duplicates across splits, which make validation and test easier than they should be."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import photo_path
from panthera_vision.images.perceptual_hash import (
    HASH_WORDS,
    NEAR_DUPLICATE_BITS,
    hash_file,
    nearest_hashes,
)

# Each later split is compared with those that the model has learned from or was chosen by.
_COMPARED = {"validation": ("train",), "test": ("train", "validation")}


def leakage_warning(table: pd.DataFrame, folder: Path, images: Path, threads: int) -> str:
    """Return one phrase about near-duplicates across splits; "" if there are none.

    Args:
        table: `photos.csv` (columns id, split, file).
        folder: that the table's files are relative to.
        images: folder in which they must lie.
        threads: that decode photos. A photo that can't be read has no near-duplicates.

    Raises:
        UserError: the table names a file elsewhere.
    """
    root = images.resolve()
    paths = [photo_path(file, folder, [root]) for file in table["file"]]
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(hash_file, paths))
    table = table[[each is not None for each in found]].reset_index(drop=True)
    hashes = np.array([each for each in found if each is not None], dtype=np.uint64)
    phrases = [
        phrase
        for split, others in _COMPARED.items()
        if (phrase := _compare(table, hashes.reshape(-1, HASH_WORDS), split, others))
    ]
    if not phrases:
        return ""
    return (
        f"WARNING: near-duplicates across splits make the figures too good: {'; '.join(phrases)}; "
        "put such photos into one group (docs/own_photos.md)"
    )


def _compare(table: pd.DataFrame, hashes: np.ndarray, split: str, others: Sequence[str]) -> str:
    queries = np.flatnonzero(table["split"] == split)
    known = np.flatnonzero(table["split"].isin(others))
    if not len(queries) or not len(known):
        return ""
    pairs = [
        (query, known[row])
        for query, (row, bits) in zip(
            queries, nearest_hashes(hashes[queries], hashes[known]), strict=True
        )
        if bits <= NEAR_DUPLICATE_BITS
    ]
    if not pairs:
        return ""
    ids = table["id"]
    example = f"{ids[pairs[0][0]]} and {ids[pairs[0][1]]}"
    return (
        f"{len(pairs)} of {len(queries)} {split} photos look like one of {' or '.join(others)}, "
        f"such as {example}"
    )
