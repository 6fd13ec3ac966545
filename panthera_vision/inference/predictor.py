"""Photos through a trained network, in batches: answers or embeddings."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.openvino import OpenVinoClassifier
from panthera_vision.inference.optimized import OptimizedClassifier
from panthera_vision.inference.options import Engine, Precision
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Outputs
from panthera_vision.models.prediction import Prediction


def default_device() -> torch.device:
    """The GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Predictor:
    """A trained model on a device, asked for answers or embeddings."""

    def __init__(
        self,
        model: TrainedModel,
        device: torch.device | None = None,
        precision: Precision = "auto",
        engine: Engine = "torch",
    ) -> None:
        """
        Args:
            model: as loaded; it stays as it is.
            device: where it shall run; the GPU where there is one by default.
            precision: "auto" for the fastest that is close enough to float32.
            engine: what computes. OpenVINO uses the processor only.

        Raises:
            UserError: the engine is not installed.
        """
        self.model = model
        backbone = BACKBONES[model.backbone]
        self._network: OptimizedClassifier | OpenVinoClassifier
        if engine == "openvino":
            self.device = torch.device("cpu")
            self._network = OpenVinoClassifier(
                model.classifier, backbone, model.preprocessing.image_size, precision
            )
        else:
            self.device = device or default_device()
            self._network = OptimizedClassifier(model.classifier, backbone, self.device, precision)

    @property
    def precision(self) -> Precision:
        """What the network computes in: "fp32" or "bf16"."""
        return self._network.precision

    def outputs(self, photos: torch.Tensor) -> Outputs:
        """Features, logits and scores of preprocessed photos (N, 3, H, W), on the CPU."""
        return Outputs(*(part.cpu() for part in self._network.outputs(photos)))

    def embeddings(self, photos: torch.Tensor) -> torch.Tensor:
        """L2-normalised penultimate features (N, dimension), on the CPU."""
        return torch.nn.functional.normalize(self.outputs(photos).features, dim=1)

    def predict(self, photos: torch.Tensor) -> list[Prediction]:
        """What the model says of preprocessed photos (N, 3, H, W), one by one."""
        outputs = self.outputs(photos)
        probabilities = torch.softmax(outputs.logits / self.model.temperature, dim=1)
        return [
            self._prediction(*row)
            for row in zip(probabilities.tolist(), outputs.ood_scores.tolist(), strict=True)
        ]

    def predict_image(self, photo: Image.Image) -> Prediction:
        """What the model says of one RGB photo."""
        return self.predict(self.model.preprocessing(photo)[None])[0]

    def _prediction(self, probabilities: list[float], score: float) -> Prediction:
        by_species = zip(self.model.class_names, probabilities, strict=True)
        threshold = self.model.ood_threshold
        return Prediction(
            dict(sorted(by_species, key=lambda pair: -pair[1])),
            ood_score=score,
            is_none_of_these=threshold is not None and score > threshold,
        )

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
            for photos in prefetch_batches(jobs, batch_size=batch_size, threads=threads):
                yield photos
                progress.update(len(photos))

    def _load(self, path: Path) -> torch.Tensor:
        preprocessing = self.model.preprocessing
        return preprocessing(open_photo(path, preprocessing.min_decoded_side))

    def outputs_of_files(
        self, paths: Sequence[Path], *, batch_size: int, threads: int = 2
    ) -> Outputs:
        """Features, logits and scores of photo files, on the CPU."""
        batches = self.batches(paths, batch_size=batch_size, threads=threads, purpose="classify")
        parts = zip(*(self.outputs(photos) for photos in batches), strict=True)
        return Outputs(*(torch.cat(part) for part in parts))

    def embeddings_of_files(
        self, paths: Sequence[Path], *, batch_size: int, threads: int = 2
    ) -> np.ndarray:
        """Embeddings (N, dimension) of photo files, float32, L2-normalised."""
        batches = self.batches(paths, batch_size=batch_size, threads=threads, purpose="embed")
        return torch.cat([self.embeddings(photos) for photos in batches]).numpy()
