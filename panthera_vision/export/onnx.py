"""best_model.onnx: the network for programs without PyTorch, with all that is needed to use it."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write
from panthera_vision.models.checkpoint import TrainedModel

FORMAT = "panthera-vision-onnx"
VERSION = 1
INPUT = "photos"
# The largest difference to PyTorch that any number of any output may have.
TOLERANCE = 1e-4

_OPERATORS = 18  # what the exporter writes natively; later sets go through a converter
_RANDOM_BATCHES = (1, 5)
_SEED = 17


class ExportedNetwork(nn.Module):
    """The classifier with what applications compute from it, as one graph."""

    def __init__(self, model: TrainedModel) -> None:
        super().__init__()
        # A copy, as the caller's network may be on a GPU and stays there; in one memory layout, as
        # another would be written into the file.
        self.classifier = copy.deepcopy(model.classifier).to(
            "cpu",
            memory_format=torch.contiguous_format,  # type: ignore[call-overload]
        )
        self.temperature = model.temperature
        self.eval()

    def outputs(self, photos: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each output under its name, (N, …), of preprocessed photos (N, 3, H, W).

        `probabilities` are calibrated, `embeddings` L2-normalised. What is added here is exported
        and verified like the rest.
        """
        features, logits, ood_scores = self.classifier.outputs(photos)
        return {
            "probabilities": torch.softmax(logits / self.temperature, dim=1),
            "ood_scores": ood_scores,
            "logits": logits,
            "embeddings": nn.functional.normalize(features, dim=1),
        }

    def forward(self, photos: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.outputs(photos).values())


def export_onnx(
    model: TrainedModel, path: Path, photos: Sequence[torch.Tensor] = ()
) -> dict[str, float]:
    """Write `model` to `path` as one ONNX file, once ONNX Runtime agrees with PyTorch on it.

    The same model gives the same bytes. How to use the file without PyTorch: docs/onnx.md.

    Args:
        model: a trained model, on any device.
        path: the file to write.
        photos: preprocessed photos (3, H, W) to compare on, besides random ones.

    Returns:
        For each output the largest absolute difference between the two.

    Raises:
        UserError: a difference is larger than `TOLERANCE`; nothing is left at `path`.
    """
    path.unlink(missing_ok=True)
    network = ExportedNetwork(model)
    content = _translate(network, model)
    differences = _compare(network, content, _examples(model, photos))
    name, largest = max(differences.items(), key=lambda item: item[1])
    if not largest <= TOLERANCE:  # said so that "not a number" fails too
        raise UserError(
            f"ONNX Runtime and PyTorch differ by {largest:.1e} in the {name}, more than "
            f"{TOLERANCE:.0e}; {path} is not written"
        )
    with atomic_write(path) as partial:
        partial.write_bytes(content)
    return differences


def _metadata(model: TrainedModel) -> dict[str, str]:
    """What the file says about itself; texts, and JSON for what has parts."""
    preprocessing = model.preprocessing.as_dict() | {
        "shorter_side": model.preprocessing.shorter_side,
        "interpolation": "bicubic",
        "crop": "centre",
        "channels": "RGB",
        "scale": 255,
    }
    values: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "class_names": list(model.class_names),
        "preprocessing": preprocessing,
        "temperature": model.temperature,
        "ood_threshold": model.ood_threshold,
        "backbone": model.backbone,
        "checkpoint_fingerprint": model.fingerprint,
        "data_fingerprint": model.data_fingerprint,
        "training": model.training,
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in values.items()
    }


def _translate(network: ExportedNetwork, model: TrainedModel) -> bytes:
    """The network as the bytes of an ONNX file with the weights inside."""
    side = model.preprocessing.image_size
    # Two photos: of one, the exporter would conclude that a batch always has one.
    example = torch.zeros(2, 3, side, side)
    with torch.no_grad():
        names = list(network.outputs(example))
        program = torch.onnx.export(
            network,
            (example,),
            input_names=[INPUT],
            output_names=names,
            opset_version=_OPERATORS,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    graph: onnx.ModelProto = program.model_proto
    _forget_the_source(graph)
    onnx.helper.set_model_props(graph, _metadata(model))
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def _forget_the_source(graph: onnx.ModelProto) -> None:
    """Drop the exporter's notes: stack traces with the paths of the machine that it ran on."""
    for part in (
        graph.graph,
        *graph.graph.node,
        *graph.graph.value_info,
        *graph.graph.input,
        *graph.graph.output,
        *graph.graph.initializer,
        *graph.functions,
        *(node for function in graph.functions for node in function.node),
    ):
        del part.metadata_props[:]
        part.doc_string = ""


def _examples(model: TrainedModel, photos: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Batches (N, 3, H, W) to compare on: random pixels, normalised, and the given photos."""
    generator = torch.Generator().manual_seed(_SEED)
    side = model.preprocessing.image_size
    mean, deviation = (
        torch.tensor(values)[:, None, None]
        for values in (model.preprocessing.mean, model.preprocessing.std)
    )
    batches = [
        (torch.rand(count, 3, side, side, generator=generator) - mean) / deviation
        for count in _RANDOM_BATCHES
    ]
    return [*batches, torch.stack(list(photos))] if photos else batches


def _compare(
    network: ExportedNetwork, content: bytes, batches: Sequence[torch.Tensor]
) -> dict[str, float]:
    """For each output the largest absolute difference between PyTorch and ONNX Runtime."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    differences: dict[str, float] = {}
    for batch in batches:
        with torch.inference_mode():
            expected = network.outputs(batch)
        found = session.run(list(expected), {INPUT: batch.numpy()})
        for (name, values), other in zip(expected.items(), found, strict=True):
            difference = float(np.abs(values.numpy() - other).max())
            # Not max(): a difference that is not a number must stay.
            if not difference <= differences.get(name, -1.0):
                differences[name] = difference
    return differences
