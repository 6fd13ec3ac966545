"""An interrupted training goes on after its last whole epoch, as if nothing had happened."""

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from panthera_vision.io.atomic import atomic_write
from panthera_vision.parameters import TrainParameters
from panthera_vision.training.dataset import LabeledPhotos
from panthera_vision.training.history import Epoch


class TrainingState:
    """What a training has come to, in a file that is whole after every epoch.

    A state belongs to one training: to its parameters, its classes, its photos and labels, and
    the version of torch. One of another training is passed over.

    Attributes:
        epochs: figures of the epochs that are done.
        best_epoch: the number of the best of them; 0 before the first.
        content: tensors and plain values by name, as the loop left them.
    """

    def __init__(
        self,
        file: Path | None,
        parameters: TrainParameters,
        class_names: tuple[str, ...],
        photos: list[LabeledPhotos],
        data_fingerprint: str,
    ) -> None:
        self.epochs: list[Epoch] = []
        self.best_epoch = 0
        self.content: dict[str, Any] = {}
        self._file = file
        identity = (
            parameters.model_dump(),
            class_names,
            [(list(map(str, part.paths)), list(part.labels)) for part in photos],
            data_fingerprint,
            torch.__version__,
        )
        self._key = sha256(repr(identity).encode()).hexdigest()

    def restore(self) -> bool:
        """Read the file; whether it holds an unfinished run of this very training."""
        if self._file is None or not self._file.exists():
            return False
        try:
            saved = torch.load(self._file, map_location="cpu", weights_only=True)
            if saved["key"] != self._key:
                return False
            self.epochs = [Epoch(**figures) for figures in saved["epochs"]]
            self.best_epoch = saved["best_epoch"]
            self.content = saved["content"]
        except (UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError):
            return False  # not a state of ours: training simply starts anew
        return True

    def save(self) -> None:
        """Write the file, whole."""
        if self._file is None:
            return
        with atomic_write(self._file) as partial:
            torch.save(
                {
                    "key": self._key,
                    "epochs": [asdict(epoch) for epoch in self.epochs],
                    "best_epoch": self.best_epoch,
                    "content": self.content,
                },
                partial,
            )
