"""Photos through a trained network, in batches: probabilities or embeddings."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.loading import batches_ahead, open_photo
from panthera_vision.models.memory import keep_freed_memory
from panthera_vision.progress import progress_bar


def default_device() -> torch.device:
    """The GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Predictor:
    """A trained model on a device, asked for logits or embeddings."""

    def __init__(self, model: TrainedModel, device: torch.device | None = None) -> None:
        keep_freed_memory()
        self.model = model
        self.device = device or default_device()
        self._network = model.classifier.to(
            self.device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]
        ).eval()

    @torch.inference_mode()
    def logits(self, photos: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of preprocessed photos (N, 3, H, W), on the CPU."""
        result: torch.Tensor = self._network(self._to_device(photos)).float().cpu()
        return result

    @torch.inference_mode()
    def embeddings(self, photos: torch.Tensor) -> torch.Tensor:
        """L2-normalised penultimate features (N, dimension), on the CPU."""
        features = self._network.features(self._to_device(photos)).float()
        return torch.nn.functional.normalize(features, dim=1).cpu()

    def probabilities(self, photo: Image.Image) -> dict[str, float]:
        """The calibrated probability of each species for one RGB photo."""
        logits = self.logits(self.model.preprocessing(photo)[None])
        values = torch.softmax(logits[0] / self.model.temperature, dim=0).tolist()
        return dict(zip(self.model.class_names, values, strict=True))

    def embedding(self, photo: Image.Image) -> np.ndarray:
        """The embedding (dimension,) of one RGB photo, float32."""
        return self.embeddings(self.model.preprocessing(photo)[None])[0].numpy()

    def batches(
        self, paths: Sequence[Path], *, batch_size: int, threads: int, purpose: str
    ) -> Iterator[torch.Tensor]:
        """Preprocessed photos (≤ batch_size, 3, H, W), in order, with a progress bar.

        Raises:
            UserError: a file can't be read as a photo.
        """
        jobs = (partial(self._load, path) for path in paths)
        with progress_bar(purpose, "photo", len(paths)) as progress:
            for photos in batches_ahead(jobs, batch_size=batch_size, threads=threads):
                yield photos
                progress.update(len(photos))

    def _load(self, path: Path) -> torch.Tensor:
        return self.model.preprocessing(open_photo(path))

    def logits_of_files(
        self, paths: Sequence[Path], *, batch_size: int, threads: int = 2
    ) -> np.ndarray:
        """Logits (N, classes) of photo files, float32."""
        batches = self.batches(paths, batch_size=batch_size, threads=threads, purpose="classify")
        return torch.cat([self.logits(photos) for photos in batches]).numpy()

    def embeddings_of_files(
        self, paths: Sequence[Path], *, batch_size: int, threads: int = 2
    ) -> np.ndarray:
        """Embeddings (N, dimension) of photo files, float32, L2-normalised."""
        batches = self.batches(paths, batch_size=batch_size, threads=threads, purpose="embed")
        return torch.cat([self.embeddings(photos) for photos in batches]).numpy()

    def _to_device(self, photos: torch.Tensor) -> torch.Tensor:
        return photos.to(self.device, memory_format=torch.channels_last, non_blocking=True)
