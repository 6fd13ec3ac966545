"""The recipe: what moves how fast, and what each photo counts."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from panthera_vision.inference.optimized import has_fast_bf16, resolve_precision
from panthera_vision.inference.options import Precision
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.classifier import Classifier


def optimizer(
    classifier: Classifier,
    *,
    backbone_learning_rate: float,
    head_learning_rate: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """AdamW with a slower trunk than head; biases and norms are not decayed."""
    groups = []
    for module, rate in (
        (classifier.trunk, backbone_learning_rate),
        (classifier.head, head_learning_rate),
    ):
        parameters = [p for p in module.parameters() if p.requires_grad]
        groups.append(
            {
                "params": [p for p in parameters if p.ndim > 1],
                "lr": rate,
                "weight_decay": weight_decay,
            }
        )
        groups.append(
            {"params": [p for p in parameters if p.ndim <= 1], "lr": rate, "weight_decay": 0.0}
        )
    return torch.optim.AdamW([group for group in groups if group["params"]])


def warmup_cosine_schedule(
    optimizer: torch.optim.Optimizer, *, steps: int, warmup_steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Learning rates that rise linearly, then fall to zero along half a cosine."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        progress = (step - warmup_steps) / max(1, steps - warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def balanced_class_weights(labels: Sequence[int], class_count: int) -> torch.Tensor:
    """Weights (class_count,) in inverse proportion to each class's photos, 1 on average a photo."""
    counts = np.bincount(labels, minlength=class_count)
    return torch.tensor(len(labels) / (class_count * counts), dtype=torch.float32)


def uses_bf16(precision: Precision, backbone: Backbone, device: torch.device) -> bool:
    """Whether the steps of a training are computed in bfloat16; its weights are float32 always."""
    if precision == "auto" and device.type == "cuda":  # gains by it with any backbone
        return has_fast_bf16(device)
    return resolve_precision(precision, device, backbone) == "bf16"
