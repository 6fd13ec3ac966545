"""Keep the decoded squares of photos that are classified again and again, in bounded memory.

Training does so with its validation photos, after each epoch and for each interpolation of weights.
"""

from pathlib import Path

import numpy as np
import torch

from panthera_vision.images.decoding import open_photo
from panthera_vision.models.preprocessing import Preprocessing

LIMIT = 512 * 2**20  # bytes: 3,500 squares of 224 pixels


class SquareCache:
    """Load the input of a network for a photo; decode a photo once, as long as there is room.

    Threads may share it. It expects that the files don't change.
    """

    def __init__(self, preprocessing: Preprocessing, limit: int = LIMIT) -> None:
        self._preprocessing = preprocessing
        self._room = limit
        self._squares: dict[Path, np.ndarray] = {}

    def __call__(self, path: Path) -> torch.Tensor:
        """Return the network's input (3, image_size, image_size), float32.

        Raises:
            UserError: the file can't be read as a photo.
        """
        square = self._squares.get(path)
        if square is None:
            photo = open_photo(path, self._preprocessing.min_decoded_side)
            square = np.asarray(self._preprocessing.crop(photo))
            if square.nbytes <= self._room:
                self._room -= square.nbytes
                self._squares[path] = square
        return self._preprocessing.normalize(square)
