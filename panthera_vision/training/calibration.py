"""What makes answers honest: how sure they are, and when there should be none."""

from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.inference.distributed import distributed_outputs
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.training.dataset import LabeledPhotos

_BOUNDS = (-3.0, 3.0)  # of the temperature's logarithm: from 1/20 to 20
TARGET_TPR = 0.95


def calibrate(
    model: TrainedModel,
    train: LabeledPhotos,
    validation: LabeledPhotos,
    *,
    batch_size: int,
    threads: int,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> TrainedModel:
    """The model with all that it needs to know how far to trust itself.

    Args:
        model: with its final weights.
        train: what it learnt from; they show what is typical of each class.
        validation: photos that it has not seen, by which its temperature and its threshold are
            fitted.
        batch_size: photos that go through the network at once.
        threads: that decode photos.
        processes: share the photos.
    """
    ood_head = model.classifier.ood_head
    if ood_head is None:
        raise ValueError("the network has no sense for what is familiar")
    # The same thresholds on every machine.
    predictor = Predictor(model, precision="fp32")
    known, held_out = (
        distributed_outputs(
            predictor, photos.paths, batch_size=batch_size, threads=threads, processes=processes
        )
        for photos in (train, validation)
    )
    model.classifier.to("cpu")
    ood_head.fit(known.features, torch.tensor(train.labels))
    scores = ood_head.score(held_out.features)
    return replace(
        model,
        temperature=fit_temperature(held_out.logits.numpy(), np.asarray(validation.labels)),
        ood_threshold=fit_ood_threshold(scores.numpy()),
    )


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature by which logits are divided before the softmax.

    It minimises the mean negative log-likelihood of held-out photos and changes no prediction.
    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. The labels are believed to
    all but one part in N + 2 (Platt, "Probabilistic Outputs for Support Vector Machines", 1999):
    a network that gets a small held-out set all right must not claim to be infallible.

    Args:
        logits: (N, classes) of photos that the network was not trained on.
        labels: class numbers (N,).
    """
    logits = np.asarray(logits, dtype=np.float64)
    photos, classes = logits.shape
    doubt = 1 / (photos + 2)
    targets = np.full(logits.shape, doubt / (classes - 1))
    targets[np.arange(photos), labels] = 1 - doubt

    def loss(logarithm: float) -> float:
        return float(-(targets * log_softmax(logits / np.exp(logarithm), axis=1)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x))


def fit_ood_threshold(scores: np.ndarray, kept: float = TARGET_TPR) -> float:
    """The score above which a photo is taken for none of the classes.

    Args:
        scores: none-of-these scores (N,) of photos of the classes that the network was not
            trained on.
        kept: the least share of them that stays at or below the threshold.
    """
    return float(np.quantile(scores, kept, method="higher"))
