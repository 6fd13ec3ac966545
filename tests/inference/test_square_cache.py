"""A photo that is classified again is decoded once, as long as there is room."""

from pathlib import Path

import pytest
import torch

from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.square_cache import SquareCache
from panthera_vision.models.backbones import find_backbone

from ..conftest import draw_photo

PREPROCESSING = find_backbone("efficientnet_lite0", image_size=32).preprocessing
SQUARE = 32 * 32 * 3


@pytest.mark.parametrize(("limit", "decoded"), [(2 * SQUARE, 2), (2 * SQUARE - 1, 3), (0, 4)])
def test_photos_are_decoded_once_within_the_limit_and_give_the_same_tensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, decoded: int
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for number, path in enumerate(paths):
        draw_photo("Panthera leo", number).save(path)
    opened = []

    def record(path: Path, min_decoded_side: int) -> object:
        opened.append(path)
        return open_photo(path, min_decoded_side)

    monkeypatch.setattr("panthera_vision.inference.square_cache.open_photo", record)
    load = SquareCache(PREPROCESSING, limit)
    for path in (*paths, *paths):
        expected = PREPROCESSING(open_photo(path, PREPROCESSING.min_decoded_side))
        assert torch.equal(load(path), expected)
    assert len(opened) == decoded
