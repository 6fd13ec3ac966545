"""Measure inference from files: the tutorial's code, single optimizations, and the package."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.harness import cosine_similarities, table
from benchmarks.speed.interleaved_runs import Timed, in_turns
from benchmarks.speed.networks import GIGA_MACS, network_to_time
from benchmarks.tutorial_recipe import squashed
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.fuse_batchnorm import fuse_batch_norms
from panthera_vision.inference.optimized import resolve_precision
from panthera_vision.inference.options import Engine, Precision
from panthera_vision.inference.predictor import Predictor, default_device
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.models.backbones import find_backbone

BATCH = 32
PACKAGE = "**the package**"
TUTORIAL = "tutorial: Pillow, DataLoader, eager fp32"
REFERENCE = "tutorial's network, the package's crop"
NUMBER_TYPES = {"fp32": "float32", "bf16": "bfloat16"}
Numbers = tuple[np.ndarray, np.ndarray]  # features (N, dimension), logits (N, classes)


class TutorialPhotos(Dataset[tuple[torch.Tensor, int]]):
    """Open and resize photos with Pillow on access; yields them with their labels, or 0."""

    def __init__(
        self,
        paths: Sequence[Path],
        to_tensor: Callable[[Image.Image], torch.Tensor],
        labels: Sequence[int] | None = None,
    ) -> None:
        self._paths, self._to_tensor = paths, to_tensor
        self._labels = labels or [0] * len(paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        photo = Image.open(self._paths[number]).convert("RGB")
        return self._to_tensor(photo), self._labels[number]


@dataclass(frozen=True)
class Optimizations:
    """Select the optimizations to apply to the tutorial's code."""

    inference_mode: bool = False
    channels_last: bool = False
    batchnorm_folding: bool = False
    bf16: bool = False
    prefetch: bool = False
    package_crop: bool = False
    malloc_tuning: bool = False


def tutorial(
    name: str, photos: Sequence[Path], seen: Sequence[Path], use: Optimizations
) -> Callable[[], Numbers]:
    """Prepare PIL, DataLoader without workers, and eager fp32 under no_grad."""
    if use.malloc_tuning:
        configure_process()
    model = network_to_time(name, seen)
    device = default_device()
    network = model.classifier.to(device)
    if use.batchnorm_folding:
        fuse_batch_norms(network.trunk)
    layout = torch.channels_last if use.channels_last else torch.contiguous_format
    network.to(memory_format=layout)
    to_tensor = model.preprocessing if use.package_crop else partial(squashed, model.preprocessing)

    def work() -> Numbers:
        if use.prefetch:
            jobs = (lambda path=path: to_tensor(open_photo(path)) for path in photos)
            batches = prefetch_batches(jobs, batch_size=BATCH, threads=2)
        else:
            loader = DataLoader(TutorialPhotos(photos, to_tensor), batch_size=BATCH)
            batches = (batch for batch, _ in loader)
        parts = []
        with (
            torch.inference_mode() if use.inference_mode else torch.no_grad(),
            torch.autocast(device.type, torch.bfloat16, enabled=use.bf16),
        ):
            for batch in batches:
                features = network.features(batch.to(device, memory_format=layout))
                parts.append((features.float().cpu(), network.head(features).float().cpu()))
        both = [torch.cat(part).numpy() for part in zip(*parts, strict=True)]
        return both[0], both[1]

    return work


def package(
    name: str,
    photos: Sequence[Path],
    seen: Sequence[Path],
    precision: Precision = "auto",
    engine: Engine = "torch",
    batch_size: int = BATCH,
) -> Callable[[], Numbers]:
    """Prepare inference as `embed`, `predict` and `evaluate` do it."""
    predictor = Predictor(network_to_time(name, seen), precision=precision, engine=engine)

    def work() -> Numbers:
        outputs = predictor.outputs_of_files(
            photos, batch_size=batch_size, threads=max(2, os.cpu_count() or 1)
        )
        return outputs.features.numpy(), outputs.logits.numpy()

    return work


def section(name: str, photos: Sequence[Path], turns: int) -> str:
    """Return the section of one backbone, as Markdown."""
    seen = photos[:: max(1, len(photos) // BATCH)][:BATCH]

    def way(**optimizations: bool) -> partial[Callable[[], Numbers]]:
        return partial(tutorial, name, photos, seen, Optimizations(**optimizations))

    ours = partial(package, name, photos, seen)
    chosen = resolve_precision("auto", default_device(), find_backbone(name))
    other: Precision = "fp32" if chosen == "bf16" else "bf16"
    other_number_type = NUMBER_TYPES[other]
    openvino = (
        {
            "the package with OpenVINO": partial(ours, "auto", "openvino"),
            f"the package with OpenVINO, {other_number_type}": partial(ours, other, "openvino"),
        }
        if find_spec("openvino")
        else {}
    )
    timed = in_turns(
        {
            TUTORIAL: way(),
            "+ inference mode": way(inference_mode=True),
            "+ channels-last": way(channels_last=True),
            "+ batch-norm folding": way(batchnorm_folding=True),
            "+ bfloat16 (autocast)": way(bf16=True),
            "+ prefetch, two threads": way(prefetch=True),
            REFERENCE: way(package_crop=True),
            "+ malloc tuning": way(malloc_tuning=True),
            PACKAGE: ours,
            "the package, batches of 8": partial(ours, batch_size=8),
            f"the package, {other_number_type}": partial(ours, other),
            **openvino,
        },
        turns,
    )
    baseline, reference, fast = (timed[key] for key in (TUTORIAL, REFERENCE, PACKAGE))
    rows = [
        [
            key,
            f"{len(photos) / float(np.median(one.seconds)):.1f}",
            f"{one.ratio(baseline):.2f}",
            f"{one.peak_megabytes:.0f}",
        ]
        for key, one in timed.items()
    ]
    gigaflops = 2 * GIGA_MACS[name] * len(photos) / float(np.median(fast.seconds))
    return "\n\n".join(
        [
            f"### {name}",
            table(["variant", "photos/s", "speedup over tutorial", "peak memory, MB"], rows),
            f"The package uses {NUMBER_TYPES[chosen]} here and reaches {gigaflops:.0f} billion "
            "operations per second, counting the network's arithmetic only; the machine's peak is "
            "below. " + agreement(fast, reference),
        ]
    )


def agreement(fast: Timed, reference: Timed) -> str:
    """Compare the package's outputs with eager fp32 on the same crops."""
    (features, logits), (exact, exact_logits) = fast.result, reference.result
    cosines = cosine_similarities(features, exact)
    agree = float((logits.argmax(1) == exact_logits.argmax(1)).mean())
    return (
        f"Cosine similarity of its features to eager fp32 on the same crops: mean "
        f"{cosines.mean():.5f}, worst {cosines.min():.5f}; same species for {agree:.2%} of "
        f"{len(cosines)} photos."
    )
