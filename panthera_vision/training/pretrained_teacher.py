"""Look at the training photos with the pretrained network before it is fine-tuned.

Two uses: its ImageNet probabilities are the targets of a distillation that keeps fine-tuning from
forgetting them, and a cross-validation on its features finds training labels that are probably
wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from panthera_vision.data.confident_learning import cross_validated_probabilities, label_issues
from panthera_vision.models.ood import OODHead
from panthera_vision.training.dataset import TrainingData

_FOLDS = 5
# Never drop more of a class than this: a class that the features can't tell is not mislabeled.
_MAX_DROPPED_SHARE = 0.35


@dataclass(frozen=True)
class PretrainedTeacher:
    """Hold the outputs of the pretrained network for N training photos.

    Attributes:
        features: penultimate, (N, feature_dimension).
        probabilities: of the classes of its ImageNet head, (N, 1000); None without such a head.
    """

    features: torch.Tensor
    probabilities: torch.Tensor | None

    @classmethod
    def from_features(
        cls, features: torch.Tensor, ood_head: nn.Module | None
    ) -> "PretrainedTeacher":
        """Apply the pretrained head that `ood_head` keeps, if it keeps one, to features.

        Args:
            features: (N, feature_dimension), on the CPU.
            ood_head: on any device.
        """
        if not isinstance(ood_head, OODHead):
            return cls(features, None)
        on_device = features.to(ood_head.imagenet.weight.device)
        with torch.no_grad():
            return cls(features, ood_head.imagenet(on_device).softmax(1).cpu())

    def distillation_loss(
        self, features: torch.Tensor, numbers: torch.Tensor, ood_head: nn.Module | None
    ) -> torch.Tensor:
        """Sum the Kullback-Leibler divergences of augmented views from the photos seen whole.

        "Learning without Forgetting" (Li and Hoiem, ECCV 2016): fine-tuned features should still
        give what the pretrained network said with the ImageNet head that `ood_head` keeps. The
        loss is 0 without such a head.

        Args:
            features: of augmented views, (N, dimension).
            numbers: of their photos, (N,).
            ood_head: of the classifier in training.

        Returns:
            The sum over photos, in nats.
        """
        if self.probabilities is None or not isinstance(ood_head, OODHead):
            return features.new_zeros(())
        predicted = functional.log_softmax(ood_head.imagenet(features), dim=1)
        targets = self.probabilities[numbers].to(features.device)
        return functional.kl_div(predicted, targets, reduction="sum")

    def subset(self, numbers: Sequence[int]) -> "PretrainedTeacher":
        """Return the outputs for the photos with these numbers."""
        rows = torch.as_tensor(numbers)
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        return PretrainedTeacher(self.features[rows], probabilities)

    def doubtful_labels(
        self, labels: Sequence[int], groups: Sequence[str], class_count: int, seed: int
    ) -> list[int]:
        """Return the numbers of the photos whose label is probably wrong (confident learning).

        Args:
            labels: class numbers (N,).
            groups: one per photo, never split across folds; empty: every photo is its own.
            class_count: number of classes.
            seed: of the folds.
        """
        given = np.asarray(labels)
        probabilities = cross_validated_probabilities(
            functional.normalize(self.features).numpy(),
            given,
            groups or [str(number) for number in range(len(given))],
            class_count=class_count,
            folds=_FOLDS,
            seed=seed,
        )
        judged = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
        suspected, quality = label_issues(given[judged], probabilities[judged])
        dropped: list[int] = []
        for number in range(class_count):
            of_class = suspected & (given[judged] == number)
            worst_first = np.argsort(quality[of_class], kind="stable")
            most = int(_MAX_DROPPED_SHARE * (given == number).sum())
            dropped += judged[of_class][worst_first[:most]].tolist()
        return sorted(dropped)


def drop_doubtful_labels(
    data: TrainingData, teacher: PretrainedTeacher, seed: int
) -> tuple[TrainingData, PretrainedTeacher]:
    """Return data and teacher without the training photos whose label is probably wrong.

    Labels that a person reviewed stay. The number of dropped ones is added to the data's notes as
    `dropped_labels`.
    """
    photos = data.train
    doubtful = set(
        teacher.doubtful_labels(photos.labels, photos.groups, len(data.class_names), seed)
    )
    doubtful -= {number for number, reviewed in enumerate(photos.reviewed) if reviewed}
    kept = [number for number in range(len(photos.labels)) if number not in doubtful]
    notes = {**data.notes, "dropped_labels": len(doubtful)}
    return replace(data, train=photos.subset(kept), notes=notes), teacher.subset(kept)
