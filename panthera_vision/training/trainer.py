"""The training loop, from the pretrained network to the best epoch by validation accuracy."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.errors import UserError
from panthera_vision.inference.distributed import distributed_outputs
from panthera_vision.inference.fuse_batchnorm import FusedTrainingNetwork
from panthera_vision.inference.predictor import Predictor, default_device
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier, pretrained_classifier
from panthera_vision.parameters import TrainParameters
from panthera_vision.training.augmentation import Augmentation
from panthera_vision.training.calibration import calibrate
from panthera_vision.training.dataset import LabeledPhotos, epoch_length, training_batches
from panthera_vision.training.history import Epoch
from panthera_vision.training.optim import (
    balanced_class_weights,
    optimizer,
    uses_bf16,
    warmup_cosine_schedule,
)
from panthera_vision.training.resume import TrainingState


def fine_tune(
    parameters: TrainParameters,
    class_names: tuple[str, ...],
    train: LabeledPhotos,
    validation: LabeledPhotos,
    *,
    data_fingerprint: str = "",
    notes: Mapping[str, Any] = MappingProxyType({}),
    state_file: Path | None = None,
    on_epoch: Callable[[Epoch, bool], None] = lambda epoch, is_best: None,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> TrainedModel:
    """Fine-tune the backbone of `parameters` on `train`.

    The weights that are validated, and kept where they are the best, are an exponential moving
    average of those that are trained.

    Several processes share each batch, and take the step that one would take with the whole of it.

    Args:
        parameters: the recipe.
        class_names: species in the order of the labels.
        train: photos to learn from; every class has some.
        validation: photos by which the best epoch is chosen and its confidence calibrated.
        data_fingerprint: goes into the model.
        notes: go into the model's `training`, beside the best epoch's figures.
        state_file: where the state is kept after each epoch. A training that finds its own state
            there goes on from it, and ends with the same weights as if it had never stopped.
        on_epoch: called after each epoch with its figures and whether it is the best so far; for
            epochs before a resumption too. Of several processes, only the first calls it, and
            only its state is kept.
        processes: that train together.

    Returns:
        The best epoch's model; its `training` holds that epoch's figures.

    Raises:
        UserError: a batch has fewer photos than there are processes.
    """
    if min(len(train.paths), parameters.batch_size) < processes.world_size:
        raise UserError(
            f"train.batch_size = {parameters.batch_size}: {processes.world_size} processes share "
            "each batch, and every one of them needs a photo"
        )
    torch.manual_seed(parameters.seed)
    device = default_device()
    backbone = BACKBONES[parameters.backbone]
    preprocessing = backbone.preprocessing(parameters.image_size)
    classifier = pretrained_classifier(backbone, class_names, parameters.dropout)
    model = TrainedModel(
        classifier=classifier,
        backbone=parameters.backbone,
        class_names=class_names,
        preprocessing=preprocessing,
        parameters=parameters.model_dump(),
        data_fingerprint=data_fingerprint,
    )
    classifier.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    class_weights = (
        balanced_class_weights(train.labels, len(class_names))
        if parameters.class_weights == "balanced"
        else torch.ones(len(class_names))
    )
    summed_loss = nn.CrossEntropyLoss(
        weight=class_weights.to(device),
        label_smoothing=parameters.label_smoothing,
        reduction="sum",
    )
    rates = optimizer(
        classifier,
        backbone_learning_rate=parameters.backbone_learning_rate,
        head_learning_rate=parameters.head_learning_rate,
        weight_decay=parameters.weight_decay,
    )
    augmentation = Augmentation(
        preprocessing, parameters.min_crop_scale, parameters.color_jitter, parameters.zoom_out
    )
    average = AveragedModel(classifier, multi_avg_fn=get_ema_multi_avg_fn(parameters.ema_decay))
    network = processes.data_parallel(FusedTrainingNetwork(classifier))
    in_bf16 = uses_bf16(parameters.precision, backbone, device)
    steps = epoch_length(train, parameters.batch_size)
    schedule = warmup_cosine_schedule(
        rates,
        steps=steps * parameters.epochs,
        warmup_steps=round(steps * parameters.warmup_epochs),
    )
    parts: dict[str, Any] = {
        "classifier": classifier,
        "rates": rates,
        "average": average,
        "schedule": schedule,
    }
    state = TrainingState(
        state_file, parameters, class_names, [train, validation], data_fingerprint
    )
    best_score = (-1.0, 0.0)
    if processes.is_main:
        state.restore()
    state = processes.broadcast(state)
    if state.epochs:
        for name, part in parts.items():
            part.load_state_dict(state.content[name])
        for epoch in state.epochs:
            is_best = _score(epoch) > best_score
            best_score = max(best_score, _score(epoch))
            if processes.is_main:
                on_epoch(epoch, is_best)

    for number in range(len(state.epochs) + 1, parameters.epochs + 1):
        # Dropout is the same after a resumption, and different in every process.
        torch.manual_seed(parameters.seed + number + (processes.rank << 32))
        rate = rates.param_groups[-1]["lr"]
        seen, loss_sum, hits = 0, 0.0, 0.0
        batches = training_batches(
            train,
            augmentation,
            batch_size=parameters.batch_size,
            threads=parameters.num_threads,
            seed=parameters.seed + number,
            processes=processes,
        )
        description = f"epoch {number}/{parameters.epochs}"
        with progress_bar(description, "batch", steps, batches) as progress:
            for photos, labels in progress:
                photos = photos.to(device, memory_format=torch.channels_last)
                own = processes.shard(labels).to(device)
                with torch.autocast(device.type, torch.bfloat16, enabled=in_bf16):
                    logits = network(photos)
                    # By the weight of the whole batch: all processes' parts add up to its mean.
                    loss = summed_loss(logits, own) / class_weights[labels].sum().item()
                rates.zero_grad(set_to_none=True)
                # Their gradients are averaged, and should be added up.
                (loss * processes.world_size).backward()
                nn.utils.clip_grad_norm_(classifier.parameters(), max_norm=5.0)
                rates.step()
                schedule.step()
                average.update_parameters(classifier)
                seen += len(labels)
                loss_sum += loss.item() * len(labels)
                hits += (logits.argmax(1) == own).sum().item()
                progress.set_postfix(
                    loss=f"{loss_sum * processes.world_size / seen:.3f}",
                    accuracy=f"{hits * processes.world_size / seen:.3f}",
                    refresh=False,
                )
        loss_sum, hits = processes.all_reduce_sum([loss_sum, hits])
        averaged = copy.deepcopy(cast(Classifier, average.module)).eval()
        model = replace(model, classifier=averaged)
        outputs = distributed_outputs(
            Predictor(model, precision=parameters.precision),
            validation.paths,
            batch_size=parameters.batch_size,
            threads=parameters.num_threads,
            processes=processes,
        )
        validation_loss, validation_accuracy = _loss_and_accuracy(outputs.logits, validation.labels)
        epoch = Epoch(
            number, loss_sum / seen, hits / seen, validation_loss, validation_accuracy, rate
        )
        is_best = _score(epoch) > best_score
        if is_best:
            best_score, state.best_epoch = _score(epoch), number
            state.content["best"] = averaged.state_dict()
        state.epochs.append(epoch)
        state.content |= {name: part.state_dict() for name, part in parts.items()}
        if processes.is_main:
            state.save()
            on_epoch(epoch, is_best)

    model.classifier.load_state_dict(state.content["best"])
    best = state.epochs[state.best_epoch - 1]
    model = replace(model, training={**notes, **best.as_dict()})
    return calibrate(
        model,
        train,
        validation,
        batch_size=parameters.batch_size,
        threads=parameters.num_threads,
        processes=processes,
    )


def _score(epoch: Epoch) -> tuple[float, float]:
    """What the best epoch is best at: accuracy, and between equally accurate ones the loss.

    With few validation photos many epochs are equally accurate; the first should not win for that.
    """
    return epoch.validation_accuracy, -epoch.validation_loss


def _loss_and_accuracy(logits: torch.Tensor, labels: Sequence[int]) -> tuple[float, float]:
    """Mean cross-entropy in nats, and accuracy."""
    truth = torch.tensor(labels)
    loss = nn.functional.cross_entropy(logits, truth).item()
    return loss, (logits.argmax(1) == truth).float().mean().item()
