"""Optimizer, learning rate schedule, class weights and mixed precision of the fine-tuning."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from panthera_vision.inference.optimized import has_fast_bf16, resolve_precision
from panthera_vision.inference.options import Precision
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.classifier import Classifier


def build_optimizer(
    classifier: Classifier,
    *,
    backbone_learning_rate: float,
    head_learning_rate: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """Build AdamW with a learning rate per part, and no weight decay of biases and norms.

    The last parameter group is of the head.
    """
    groups = []
    for module, rate in (
        (classifier.trunk, backbone_learning_rate),
        (classifier.head, head_learning_rate),
    ):
        parameters = [p for p in module.parameters() if p.requires_grad]
        for is_matrix, decay in ((True, weight_decay), (False, 0.0)):
            chosen = [p for p in parameters if (p.ndim > 1) == is_matrix]
            groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    return torch.optim.AdamW([group for group in groups if group["params"]])


def warmup_cosine_schedule(
    optimizer: torch.optim.Optimizer, *, steps: int, warmup_steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Build a scheduler with linear warmup, then cosine decay to zero, per step."""

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        progress = (step - warmup_steps) / max(1, steps - warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def balanced_class_weights(labels: Sequence[int], class_count: int) -> torch.Tensor:
    """Compute weights (class_count,) inverse to the class frequencies, 1 on average per photo."""
    counts = np.bincount(labels, minlength=class_count)
    return torch.tensor(len(labels) / (class_count * counts), dtype=torch.float32)


def uses_bf16(precision: Precision, backbone: Backbone, device: torch.device) -> bool:
    """Return whether to train in bfloat16 autocast; the weights are always float32."""
    if precision == "auto" and device.type == "cuda":  # on GPUs every backbone gains
        return has_fast_bf16(device)
    return resolve_precision(precision, device, backbone) == "bf16"
