"""The training loss: class-balanced cross-entropy and distillation from the pretrained network."""

import torch
from torch import nn

from panthera_vision.inference.fuse_batchnorm import TrainingOutputs
from panthera_vision.parameters import TrainParameters
from panthera_vision.training.dataset import TrainingData
from panthera_vision.training.optim import balanced_class_weights
from panthera_vision.training.pretrained_teacher import PretrainedTeacher


class TrainingLoss:
    """Compute a process's part of the loss of a batch."""

    def __init__(
        self,
        parameters: TrainParameters,
        data: TrainingData,
        teacher: PretrainedTeacher | None,
        ood_head: nn.Module | None,
    ) -> None:
        """
        Args:
            parameters: class weights, label smoothing and the weight of the distillation.
            data: its train split has the labels.
            teacher: gives the targets of the distillation.
            ood_head: of the classifier in training; it keeps the pretrained head.
        """
        self.labels = torch.tensor(data.train.labels)
        self._class_weights = torch.ones(len(data.class_names))
        if parameters.class_weights == "balanced":
            self._class_weights = balanced_class_weights(data.train.labels, len(data.class_names))
        self._smoothing = parameters.label_smoothing
        self._distillation = parameters.distillation
        self._teacher, self._ood_head = teacher, ood_head

    def __call__(
        self, outputs: TrainingOutputs, own: torch.Tensor, numbers: torch.Tensor
    ) -> torch.Tensor:
        """Return the part of the batch's mean loss that is due to this process's photos.

        Args:
            outputs: of the network for this process's photos, N of them.
            own: numbers of these photos (N,).
            numbers: of all photos of the batch.
        """
        device = outputs.logits.device
        loss = nn.functional.cross_entropy(
            outputs.logits,
            self.labels[own].to(device),
            weight=self._class_weights.to(device),
            label_smoothing=self._smoothing,
            reduction="sum",
        )
        # Divided by the weight of the whole batch, the processes' losses sum to its mean.
        loss = loss / self._class_weights[self.labels[numbers]].sum().item()
        if self._distillation and self._teacher:
            divergence = self._teacher.distillation_loss(outputs.features, own, self._ood_head)
            loss = loss + self._distillation * divergence / len(numbers)
        return loss
