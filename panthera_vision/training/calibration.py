"""Calibration after training: temperature scaling, the OOD head and its threshold."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.stats.mstats import hdquantiles

from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.label_sets import own_classes
from panthera_vision.training.dataset import TrainingData

_LOG_TEMPERATURE_BOUNDS = (-3.0, 3.0)  # temperatures from 1/20 to 20
TARGET_TPR = 0.95


def calibrate(
    model: TrainedModel,
    data: TrainingData,
    *,
    batch_size: int,
    threads: int,
    processes: ProcessGroup = SINGLE_PROCESS,
    load_validation: Callable[[Path], torch.Tensor] | None = None,
) -> TrainedModel:
    """Fit the OOD head on the training photos, temperature and OOD threshold on the validation.

    Args:
        model: with its final weights.
        data: the photos that it was trained and validated on.
        batch_size: photos per forward pass.
        threads: that decode photos.
        processes: share the photos.
        load_validation: see `Predictor.outputs_of_files`.
    """
    ood_head = model.classifier.ood_head
    if ood_head is None:
        raise ValueError("the classifier has no OOD head to fit")
    # float32, for the same thresholds on every machine.
    predictor = Predictor(model, precision="fp32")
    train, validation = (
        predictor.outputs_of_files(
            photos.paths, batch_size=batch_size, threads=threads, processes=processes, load=load
        )
        for photos, load in ((data.train, None), (data.validation, load_validation))
    )
    model.classifier.to("cpu")
    own = own_classes(model.backbone.labels, data.class_names)
    ood_head.fit(train.features, train.logits, torch.tensor(data.train.labels), own)
    scores = ood_head.score(validation.features, validation.logits)
    return replace(
        model,
        temperature=fit_temperature(validation.logits.numpy(), np.asarray(data.validation.labels)),
        ood_threshold=fit_ood_threshold(scores.numpy()),
    )


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fit the temperature that minimizes the negative log-likelihood of held-out photos.

    Dividing logits by it before the softmax calibrates the probabilities and changes no prediction
    (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017). The labels are smoothed by
    1 / (N + 2) (Platt, "Probabilistic Outputs for Support Vector Machines", 1999): otherwise a
    network without errors on a small held-out set would claim to be infallible.

    Args:
        logits: (N, classes) of photos that the network was not trained on.
        labels: class numbers (N,).
    """
    logits = np.asarray(logits, dtype=np.float64)
    photos, classes = logits.shape
    smoothing = 1 / (photos + 2)
    targets = np.full(logits.shape, smoothing / (classes - 1))
    targets[np.arange(photos), labels] = 1 - smoothing

    def loss(log_temperature: float) -> float:
        return float(-(targets * log_softmax(logits / np.exp(log_temperature), axis=1)).sum())

    result = minimize_scalar(loss, bounds=_LOG_TEMPERATURE_BOUNDS, method="bounded")
    return float(np.exp(result.x))


def fit_ood_threshold(scores: np.ndarray, target_tpr: float = TARGET_TPR) -> float:
    """Estimate the OOD score below which a share `target_tpr` of in-distribution photos lies.

    With a hundred photos, the 95% quantile is one of the five highest scores, and their gaps are
    chance. The estimator of Harrell and Davis (Biometrika 1982) averages all scores, weighted by
    how likely each is to be the quantile, and varies less.

    Args:
        scores: of in-distribution photos that the network was not trained on (N,).
        target_tpr: share of the photos to accept.
    """
    return float(hdquantiles(np.asarray(scores, dtype=np.float64), [target_tpr])[0])
