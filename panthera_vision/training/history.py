"""Training history: metrics per epoch, to the terminal, to DVCLive and to a JSON file."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dvclive.live import Live
from tqdm import tqdm

from panthera_vision.io.atomic import write_json


@dataclass(frozen=True)
class Epoch:
    """Hold the metrics of one epoch; losses in nats, the learning rate of the head."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class HistoryWriter:
    """Log each epoch as it ends; a context manager."""

    def __init__(self, history: Path, live: Path) -> None:
        """
        Args:
            history: JSON file, rewritten atomically after each epoch.
            live: folder for DVCLive, which `dvc plots` watches.
        """
        self._path = history
        self._live = Live(dir=str(live), dvcyaml=None, save_dvc_exp=False)
        self._epochs: list[Epoch] = []
        self._best = 0

    def __enter__(self) -> "HistoryWriter":
        self._live.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._live.__exit__(*error)

    def add(self, epoch: Epoch, is_best: bool) -> None:
        """Log an epoch; `is_best` says whether it is the best so far."""
        self._epochs.append(epoch)
        if is_best:
            self._best = len(self._epochs) - 1
        metrics = epoch.as_dict()
        self._live.step = metrics.pop("epoch")
        for name, value in metrics.items():
            split, _, metric = name.partition("_")
            key = f"{split}/{metric}" if split in ("train", "validation") else name
            self._live.log_metric(key, value)
        self._live.next_step()
        best = self._epochs[self._best]
        write_json(
            self._path,
            {
                "best_epoch": best.epoch,
                "best_validation_accuracy": best.validation_accuracy,
                "epochs": [epoch.as_dict() for epoch in self._epochs],
            },
        )
        tqdm.write(
            f"epoch {epoch.epoch}: train loss {epoch.train_loss:.3f}, accuracy "
            f"{epoch.train_accuracy:.3f}; validation loss {epoch.validation_loss:.3f}, accuracy "
            f"{epoch.validation_accuracy:.3f}{' (best so far)' if is_best else ''}"
        )


def is_best_epoch(epoch: Epoch, earlier: Sequence[Epoch], photos: int) -> bool:
    """Return whether an epoch is within one standard error of the best so far.

    With few validation photos the highest accuracy is chance; of epochs that can't be told apart,
    a later one has the smaller learning rate and the longer average of weights.

    Args:
        epoch: the last one.
        earlier: those before it.
        photos: number of validation photos.
    """
    best = max(other.validation_accuracy for other in (*earlier, epoch))
    return epoch.validation_accuracy >= best - _standard_error(best, photos)


def _standard_error(accuracy: float, photos: int) -> float:
    """Return the standard error of an accuracy measured on a number of photos."""
    return math.sqrt(accuracy * (1 - accuracy) / photos)
