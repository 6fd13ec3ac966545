"""Resume an interrupted training after its last complete epoch, with identical results."""

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from panthera_vision.io.atomic import atomic_write
from panthera_vision.parameters import TrainParameters
from panthera_vision.training.dataset import TrainingData
from panthera_vision.training.history import Epoch

_VERSION = 2  # of the keys of `tensors`


class TrainingState:
    """Hold the progress of a training; save it to and restore it from a file.

    A saved state belongs to the same parameters, classes, photos, labels and version of torch;
    that of another training is ignored.

    Attributes:
        epochs: metrics of the completed epochs.
        best_epoch: number of the best of them; 0 before the first.
        tensors: state_dicts by name.
    """

    def __init__(self, file: Path | None, parameters: TrainParameters, data: TrainingData) -> None:
        self.epochs: list[Epoch] = []
        self.best_epoch = 0
        self.tensors: dict[str, Any] = {}
        self._file = file
        identity = (
            _VERSION,
            parameters.model_dump(),
            data.class_names,
            [(list(map(str, p.paths)), list(p.labels)) for p in (data.train, data.validation)],
            data.fingerprint,
            torch.__version__,
        )
        self._key = sha256(repr(identity).encode()).hexdigest()

    def restore(self) -> None:
        """Read the file if it exists and holds a state of this training."""
        if self._file is None or not self._file.exists():
            return
        try:
            saved = torch.load(self._file, map_location="cpu", weights_only=True)
            if saved["key"] == self._key:
                self.epochs = [Epoch(**metrics) for metrics in saved["epochs"]]
                self.best_epoch = saved["best_epoch"]
                self.tensors = saved["tensors"]
        except (UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError):
            return  # damaged or of another program: start from the first epoch

    def save(self) -> None:
        """Write the file atomically."""
        if self._file is None:
            return
        content = {
            "key": self._key,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "best_epoch": self.best_epoch,
            "tensors": self.tensors,
        }
        with atomic_write(self._file) as partial:
            torch.save(content, partial)
