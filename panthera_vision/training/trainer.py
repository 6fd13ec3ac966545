"""Trainer: fine-tune a pretrained backbone and keep the EMA weights of the best epoch."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.errors import UserError
from panthera_vision.inference.fuse_batchnorm import FusedTrainingNetwork
from panthera_vision.inference.predictor import Predictor, default_device
from panthera_vision.inference.square_cache import SquareCache
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier, Outputs, pretrained_classifier
from panthera_vision.models.label_sets import species_rows
from panthera_vision.parameters import TrainParameters
from panthera_vision.training.augmentation import Augmentation, training_size
from panthera_vision.training.calibration import calibrate
from panthera_vision.training.dataset import (
    TrainingData,
    batches_per_epoch,
    training_batches,
)
from panthera_vision.training.history import Epoch, is_best_epoch
from panthera_vision.training.loss import TrainingLoss
from panthera_vision.training.optim import (
    build_optimizer,
    uses_bf16,
    warmup_cosine_schedule,
)
from panthera_vision.training.pretrained_teacher import PretrainedTeacher, drop_doubtful_labels
from panthera_vision.training.resume import TrainingState
from panthera_vision.training.weight_interpolation import interpolate_model

_MAX_GRADIENT_NORM = 5.0

OnEpoch = Callable[[Epoch, bool], None]


def fine_tune(
    parameters: TrainParameters,
    data: TrainingData,
    *,
    state_file: Path | None = None,
    on_epoch: OnEpoch = lambda epoch, is_best: None,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> TrainedModel:
    """Fine-tune and calibrate the backbone of `parameters`.

    Args:
        parameters: the recipe.
        data: photos, labels and class names.
        state_file: where the state is saved after each epoch; a training that finds its own state
            there resumes, and ends with the same weights as without the interruption.
        on_epoch: called after each epoch, also for those before a resumption, with its metrics and
            whether it is the best so far; in the main process only.
        processes: train together on shards of each batch, with the steps of a single process.

    Returns:
        The model of the best epoch; its `training` holds that epoch's metrics.

    Raises:
        UserError: a batch has fewer photos than there are processes.
    """
    return Trainer(parameters, data, state_file=state_file, processes=processes).fit(on_epoch)


class Trainer:
    """Train a classifier; validate and keep an exponential moving average (EMA) of its weights."""

    def __init__(
        self,
        parameters: TrainParameters,
        data: TrainingData,
        *,
        state_file: Path | None = None,
        processes: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        """See `fine_tune`."""
        if min(len(data.train.paths), parameters.batch_size) < processes.world_size:
            raise UserError(
                f"train.batch_size = {parameters.batch_size}: {processes.world_size} processes "
                "share each batch, and each of them needs at least one photo"
            )
        self.parameters, self.data, self.processes = parameters, data, processes
        self.device = default_device()
        torch.manual_seed(parameters.seed)
        backbone = find_backbone(
            parameters.backbone, weights=parameters.weights, image_size=parameters.image_size
        )
        size = training_size(backbone, parameters.train_image_size)
        inputs = replace(backbone.preprocessing, image_size=size)
        self.load_validation = SquareCache(backbone.preprocessing)
        self.augmentation = Augmentation(
            inputs, parameters.min_crop_scale, parameters.color_jitter, parameters.zoom_out
        )
        self.classifier = pretrained_classifier(backbone, data.class_names, parameters.dropout)
        self.classifier.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = TrainedModel(
            classifier=self.classifier,
            backbone=backbone,
            class_names=data.class_names,
            preprocessing=backbone.preprocessing,
            parameters=parameters.model_dump(mode="json"),
            data_fingerprint=data.fingerprint,
        )
        self.start = copy.deepcopy(self.classifier).eval()
        known = species_rows(backbone.labels)
        self.pretrained_rows = [name in known for name in data.class_names]
        self.teacher: PretrainedTeacher | None = None
        self.data = data = self._look_at_photos(data)
        self.loss = TrainingLoss(parameters, data, self.teacher, self.classifier.ood_head)
        self.optimizer = build_optimizer(
            self.classifier,
            backbone_learning_rate=parameters.backbone_learning_rate,
            head_learning_rate=parameters.head_learning_rate,
            weight_decay=parameters.weight_decay,
        )
        self.steps = batches_per_epoch(data.train, parameters.batch_size)
        self.scheduler = warmup_cosine_schedule(
            self.optimizer,
            steps=self.steps * parameters.epochs,
            warmup_steps=round(self.steps * parameters.warmup_epochs),
        )
        self.ema = AveragedModel(
            self.classifier, multi_avg_fn=get_ema_multi_avg_fn(parameters.ema_decay)
        )
        self.network = processes.data_parallel(FusedTrainingNetwork(self.classifier))
        self.bf16 = uses_bf16(parameters.precision, backbone, self.device)
        self.state = TrainingState(state_file, parameters, data)

    def fit(self, on_epoch: OnEpoch) -> TrainedModel:
        """Train all epochs that are left, then return the calibrated model of the best one."""
        self.restore(on_epoch)
        for number in range(len(self.state.epochs) + 1, self.parameters.epochs + 1):
            learning_rate = self.optimizer.param_groups[-1]["lr"]
            train = self.train_one_epoch(number)
            validation = self.evaluate()
            self.save(Epoch(number, *train, *validation, learning_rate), on_epoch)
        self.model.classifier.load_state_dict(self.state.tensors["best"])
        best = self.state.epochs[self.state.best_epoch - 1]
        notes = {**self.data.notes, **best.as_dict()}
        photos = len(self.data.validation.paths)
        fine_tuned = replace(self.model, training={**notes, "validation_photos": photos})
        share = self.parameters.weight_interpolation
        return calibrate(
            interpolate_model(fine_tuned, self.start, self.pretrained_rows, share, self._validate),
            self.data,
            batch_size=self.parameters.batch_size,
            threads=self.parameters.num_threads,
            processes=self.processes,
            load_validation=self.load_validation,
        )

    def _look_at_photos(self, data: TrainingData) -> TrainingData:
        """Make the teacher, if it is needed; return the data without doubtful labels."""
        drops = self.parameters.doubtful_labels == "drop"
        if not self.parameters.distillation and not drops:
            return data
        # float32, so that the same labels are doubted on every machine.
        untrained = Predictor(replace(self.model, classifier=self.start), precision="fp32")
        features = self._outputs(untrained, data.train.paths).features
        self.teacher = PretrainedTeacher.from_features(features, self.start.ood_head)
        if drops:
            data, self.teacher = drop_doubtful_labels(data, self.teacher, self.parameters.seed)
        return data

    def _outputs(
        self, predictor: Predictor, paths: Sequence[Path], load: SquareCache | None = None
    ) -> Outputs:
        return predictor.outputs_of_files(
            paths,
            batch_size=self.parameters.batch_size,
            threads=self.parameters.num_threads,
            processes=self.processes,
            load=load,
        )

    def train_one_epoch(self, number: int) -> tuple[float, float]:
        """Train on every photo once; return mean loss and accuracy.

        Args:
            number: of the epoch, from 1.
        """
        # Seeds dropout: the same after a resumption, different in every process.
        torch.manual_seed(self.parameters.seed + number + (self.processes.rank << 32))
        batches = training_batches(
            self.data.train,
            self.augmentation,
            batch_size=self.parameters.batch_size,
            threads=self.parameters.num_threads,
            seed=self.parameters.seed + number,
            processes=self.processes,
        )
        world_size = self.processes.world_size
        seen, loss_sum, correct = 0, 0.0, 0.0
        description = f"epoch {number}/{self.parameters.epochs}"
        with progress_bar(description, "batch", self.steps, batches) as progress:
            for photos, numbers in progress:
                loss, hits = self._train_step(photos, numbers)
                seen += len(numbers)
                loss_sum += loss * len(numbers)
                correct += hits
                progress.set_postfix(
                    loss=f"{loss_sum * world_size / seen:.3f}",
                    accuracy=f"{correct * world_size / seen:.3f}",
                    refresh=False,
                )
        loss_sum, correct = self.processes.all_reduce_sum([loss_sum, correct])
        return loss_sum / seen, correct / seen

    def _train_step(self, photos: torch.Tensor, numbers: torch.Tensor) -> tuple[float, float]:
        """Take one optimizer step; return this process's part of loss and correct predictions.

        Args:
            photos: this process's shard of the batch.
            numbers: of the photos of the whole batch.
        """
        photos = photos.to(self.device, memory_format=torch.channels_last)
        own = self.processes.shard(numbers)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            outputs = self.network(photos)
            loss = self.loss(outputs, own, numbers)
        self.optimizer.zero_grad(set_to_none=True)
        # DistributedDataParallel averages gradients; these should be summed.
        (loss * self.processes.world_size).backward()
        nn.utils.clip_grad_norm_(self.classifier.parameters(), max_norm=_MAX_GRADIENT_NORM)
        self.optimizer.step()
        self.scheduler.step()
        self.ema.update_parameters(self.classifier)
        return loss.item(), (outputs.logits.argmax(1).cpu() == self.loss.labels[own]).sum().item()

    def evaluate(self) -> tuple[float, float]:
        """Put the EMA weights into `model`; return loss and accuracy on the validation photos."""
        ema_classifier = copy.deepcopy(cast(Classifier, self.ema.module)).eval()
        self.model = replace(self.model, classifier=ema_classifier)
        loss, hits = self._validate(self.model)
        return loss, hits.float().mean().item()

    def _validate(self, model: TrainedModel) -> tuple[float, torch.Tensor]:
        """Return the loss of `model` on the validation photos, and which are right (N,)."""
        predictor = Predictor(model, precision=self.parameters.precision)
        paths = self.data.validation.paths
        logits = self._outputs(predictor, paths, self.load_validation).logits
        labels = torch.tensor(self.data.validation.labels)
        loss = nn.functional.cross_entropy(logits, labels).item()
        return loss, logits.argmax(1) == labels

    def save(self, epoch: Epoch, on_epoch: OnEpoch) -> None:
        """Save the state after `epoch`, and keep the weights of `model` if it is the best."""
        is_best = is_best_epoch(epoch, self.state.epochs, len(self.data.validation.paths))
        if is_best:
            self.state.best_epoch = epoch.epoch
            self.state.tensors["best"] = self.model.classifier.state_dict()
        self.state.epochs.append(epoch)
        for name, part in self._stateful_parts().items():
            self.state.tensors[name] = part.state_dict()
        if self.processes.is_main:
            self.state.save()
            on_epoch(epoch, is_best)

    def restore(self, on_epoch: OnEpoch) -> None:
        """Restore the state that the main process saved, if any, and report its epochs."""
        if self.processes.is_main:
            self.state.restore()
        self.state = self.processes.broadcast(self.state)
        if not self.state.epochs:
            return
        for name, part in self._stateful_parts().items():
            part.load_state_dict(self.state.tensors[name])
        photos = len(self.data.validation.paths)
        if self.processes.is_main:
            for place, epoch in enumerate(self.state.epochs):
                on_epoch(epoch, is_best_epoch(epoch, self.state.epochs[:place], photos))

    def _stateful_parts(self) -> dict[str, Any]:
        return {
            "classifier": self.classifier,
            "optimizer": self.optimizer,
            "ema": self.ema,
            "scheduler": self.scheduler,
        }
