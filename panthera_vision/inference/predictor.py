"""Predictor: predictions, features and embeddings of photos from a trained model, in batches."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.openvino import OpenVinoClassifier
from panthera_vision.inference.optimized import OptimizedClassifier
from panthera_vision.inference.options import Engine, Precision
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Outputs
from panthera_vision.models.prediction import Prediction


def default_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Predictor:
    """Run a trained model on a device; threads may share one predictor."""

    def __init__(
        self,
        model: TrainedModel,
        device: torch.device | None = None,
        precision: Precision = "auto",
        engine: Engine = "torch",
    ) -> None:
        """
        Args:
            model: a loaded model; it is copied, not changed.
            device: `default_device()` if None; OpenVINO uses the CPU only.
            precision: number format of the trunk.
            engine: library that runs the trunk.

        Raises:
            UserError: the engine is not installed.
        """
        self.model = model
        self._engine = engine
        backbone = model.backbone
        self._network: OptimizedClassifier | OpenVinoClassifier
        if engine == "openvino":
            self.device = torch.device("cpu")
            self._network = OpenVinoClassifier(
                model.classifier, backbone, model.preprocessing.image_size, precision
            )
        else:
            self.device = device or default_device()
            self._network = OptimizedClassifier(model.classifier, backbone, self.device, precision)

    def of_model(self, model: TrainedModel) -> "Predictor":
        """Return a predictor of another model with the same device and engine."""
        return Predictor(model, self.device, engine=self._engine)

    @property
    def precision(self) -> Precision:
        """Return the number format in use, "fp32" or "bf16"."""
        return self._network.precision

    def outputs(self, photos: torch.Tensor) -> Outputs:
        """Return all outputs for preprocessed photos (N, 3, H, W), on the CPU."""
        return Outputs(*(part.cpu() for part in self._network.outputs(photos)))

    def embeddings(self, photos: torch.Tensor) -> torch.Tensor:
        """Return L2-normalized features (N, dimension) of preprocessed photos, on the CPU."""
        return torch.nn.functional.normalize(self.outputs(photos).features, dim=1)

    def predict(self, photos: torch.Tensor) -> list[Prediction]:
        """Return a prediction for each of the preprocessed photos (N, 3, H, W)."""
        outputs = self.outputs(photos)
        probabilities = torch.softmax(outputs.logits / self.model.temperature, dim=1)
        return [
            self._prediction(*row)
            for row in zip(probabilities.tolist(), outputs.ood_scores.tolist(), strict=True)
        ]

    def predict_image(self, photo: Image.Image) -> Prediction:
        """Return the prediction for one RGB photo."""
        return self.predict(self.model.preprocessing(photo)[None])[0]

    def outputs_of_files(
        self,
        paths: Sequence[Path],
        *,
        batch_size: int,
        threads: int = 2,
        processes: ProcessGroup = SINGLE_PROCESS,
        load: Callable[[Path], torch.Tensor] | None = None,
    ) -> Outputs:
        """Return features, logits and OOD scores of photo files, on the CPU, in order.

        Args:
            paths: the files.
            batch_size: photos per forward pass.
            threads: that decode photos.
            processes: each runs whole batches and returns the outputs of all, bit for bit those of
                a single process.
            load: returns the network's input for a file, such as a `SquareCache`.

        Raises:
            UserError: a file can't be read as a photo.
        """
        shard = processes.shard_batches(paths, batch_size)
        jobs = (partial(load or self._load, path) for path in shard)
        parts = []
        with progress_bar("classify", "photo", len(shard)) as progress:
            for photos in prefetch_batches(jobs, batch_size=batch_size, threads=threads):
                parts.append(self.outputs(photos))
                progress.update(len(photos))
        parts = [part for shards in processes.all_gather(parts) for part in shards]
        return Outputs(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def embeddings_of_files(
        self, paths: Sequence[Path], *, batch_size: int, threads: int = 2
    ) -> np.ndarray:
        """Return L2-normalized features (N, dimension) of photo files, float32, in order."""
        outputs = self.outputs_of_files(paths, batch_size=batch_size, threads=threads)
        return torch.nn.functional.normalize(outputs.features, dim=1).numpy()

    def _load(self, path: Path) -> torch.Tensor:
        preprocessing = self.model.preprocessing
        return preprocessing(open_photo(path, preprocessing.min_decoded_side))

    def _prediction(self, probabilities: list[float], ood_score: float) -> Prediction:
        by_species = zip(self.model.class_names, probabilities, strict=True)
        threshold = self.model.ood_threshold
        return Prediction(
            dict(sorted(by_species, key=lambda pair: -pair[1])),
            ood_score=ood_score,
            is_none_of_these=threshold is not None and ood_score > threshold,
        )
