"""How a photo becomes the vector that it is searched by."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.inference import Predictor
from panthera_vision.models.loading import batches_ahead, open_photo
from panthera_vision.progress import progress_bar

Load = Callable[[], Image.Image]


class Embedder:
    """Photos → L2-normalised vectors, by a trained model."""

    def __init__(self, model: TrainedModel, device: torch.device | None = None) -> None:
        self.predictor = Predictor(model, device)

    @property
    def model(self) -> TrainedModel:
        return self.predictor.model

    def embeddings(self, photos: torch.Tensor) -> np.ndarray:
        """Vectors (N, dimension) of preprocessed photos (N, 3, H, W), float32."""
        return self.predictor.embeddings(photos).numpy()

    def embedding(self, photo: Image.Image) -> np.ndarray:
        """The vector (dimension,) of one RGB photo."""
        return np.asarray(self.embeddings(self.model.preprocessing(photo)[None])[0])

    def embeddings_of(
        self, photos: Sequence[Load], *, batch_size: int, threads: int, purpose: str
    ) -> np.ndarray:
        """Vectors (N, dimension) of RGB photos, each loaded when its turn comes."""
        jobs = (partial(self._prepare, load) for load in photos)
        parts = []
        with progress_bar(purpose, "photo", len(photos)) as progress:
            for batch in batches_ahead(jobs, batch_size=batch_size, threads=threads):
                parts.append(self.embeddings(batch))
                progress.update(len(batch))
        return np.concatenate(parts)

    def embeddings_of_files(
        self, paths: Sequence[Path], *, batch_size: int, threads: int
    ) -> np.ndarray:
        """Vectors (N, dimension) of photo files.

        Raises:
            UserError: a file can't be read as a photo.
        """
        loads = [partial(open_photo, path) for path in paths]
        return self.embeddings_of(loads, batch_size=batch_size, threads=threads, purpose="embed")

    def _prepare(self, load: Load) -> torch.Tensor:
        return self.model.preprocessing(load())
