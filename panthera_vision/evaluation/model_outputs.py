"""ModelOutputs: what a model says about photos, and how to read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import softmax

from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Outputs


@dataclass(frozen=True)
class ModelOutputs:
    """Hold a model's outputs on photos, and how to read them.

    Attributes:
        logits: (N, classes).
        ood_scores: (N,).
        class_names: in the order of the logits.
        temperature: divides the logits (temperature scaling); see `fit_temperature`.
        ood_threshold: a higher OOD score means "none of these species".
        scores_of_others: OOD scores (M,) of photos that show none of the species, if there are any.
    """

    logits: np.ndarray
    ood_scores: np.ndarray
    class_names: Sequence[str]
    temperature: float
    ood_threshold: float | None
    scores_of_others: np.ndarray | None = None

    def probabilities(self, *, calibrated: bool = True) -> np.ndarray:
        """Return class probabilities (N, classes), after temperature scaling if `calibrated`."""
        logits = self.logits / self.temperature if calibrated else self.logits
        return np.asarray(softmax(logits, axis=1))

    @classmethod
    def of(
        cls, model: TrainedModel, outputs: Outputs, scores_of_others: np.ndarray | None = None
    ) -> Self:
        """Return the outputs of `model`."""
        return cls(
            outputs.logits.numpy(),
            outputs.ood_scores.numpy(),
            model.class_names,
            model.temperature,
            model.ood_threshold,
            scores_of_others,
        )
