"""Export a model to ONNX with its metadata, and verify it against PyTorch."""

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
# Largest difference from PyTorch that any output value may have: absolute up to a value of 1,
# relative above, because the OOD scores of photos unlike the training's have no upper limit.
TOLERANCE = 1e-4

_OPSET = 18  # native to the exporter; later ones go through a converter
_RANDOM_BATCH_SIZES = (1, 5)
_SEED = 17


class ExportedNetwork(nn.Module):
    """Compute logits, calibrated probabilities, OOD scores and embeddings as one graph."""

    def __init__(self, model: TrainedModel) -> None:
        super().__init__()
        # A copy, because the caller's may stay on a GPU; in the default memory format, because
        # another one would be exported too.
        self.classifier = copy.deepcopy(model.classifier).to(
            "cpu",
            memory_format=torch.contiguous_format,  # type: ignore[call-overload]
        )
        self.temperature = model.temperature
        self.eval()

    def outputs(self, photos: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the named outputs (N, …) of preprocessed photos (N, 3, H, W).

        `probabilities` are calibrated, `embeddings` L2-normalized. Outputs that are added here
        are exported and verified like the others.
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
    """Write `model` to one ONNX file, after ONNX Runtime gave the same outputs as PyTorch.

    Equal models give equal bytes. docs/onnx.md shows how to use the file without PyTorch.

    Args:
        model: a trained model, on any device.
        path: the file to write.
        photos: preprocessed photos (3, H, W) to compare outputs on, besides random ones.

    Returns:
        The largest difference for each output, see `TOLERANCE`.

    Raises:
        UserError: a difference exceeds `TOLERANCE`; there is no file at `path` then.
    """
    path.unlink(missing_ok=True)
    network = ExportedNetwork(model)
    content = _export(network, model)
    differences = _compare(network, content, _sample_batches(model, photos))
    name, largest = max(differences.items(), key=lambda item: item[1])
    if not largest <= TOLERANCE:  # in this form, NaN fails too
        raise UserError(
            f"{path} is not written: ONNX Runtime and PyTorch differ by {largest:.1e} in the "
            f"{name}, more than {TOLERANCE:.0e}"
        )
    with atomic_write(path) as partial:
        partial.write_bytes(content)
    return differences


def _metadata(model: TrainedModel) -> dict[str, str]:
    """Return the metadata of the file; strings as they are, other values as JSON."""
    preprocessing = model.preprocessing.as_dict() | {
        "shorter_side": model.preprocessing.shorter_side,
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
        "backbone": model.backbone.name,
        "checkpoint_fingerprint": model.fingerprint,
        "data_fingerprint": model.data_fingerprint,
        "training": model.training,
    }
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in values.items()
    }


def _export(network: ExportedNetwork, model: TrainedModel) -> bytes:
    """Export the network to the bytes of an ONNX file that includes the weights."""
    side = model.preprocessing.image_size
    # Two photos: a batch of one would be exported as a fixed size.
    example = torch.zeros(2, 3, side, side)
    with torch.no_grad():
        names = list(network.outputs(example))
        program = torch.onnx.export(
            network,
            (example,),
            input_names=[INPUT],
            output_names=names,
            opset_version=_OPSET,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    graph: onnx.ModelProto = program.model_proto
    _remove_stack_traces(graph)
    onnx.helper.set_model_props(graph, _metadata(model))
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def _remove_stack_traces(graph: onnx.ModelProto) -> None:
    """Remove the exporter's metadata: stack traces with paths of this machine."""
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


def _sample_batches(model: TrainedModel, photos: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return batches (N, 3, H, W) to compare on: random normalized pixels, and `photos`."""
    generator = torch.Generator().manual_seed(_SEED)
    side = model.preprocessing.image_size
    mean, std = (
        torch.tensor(values)[:, None, None]
        for values in (model.preprocessing.mean, model.preprocessing.std)
    )
    batches = [
        (torch.rand(count, 3, side, side, generator=generator) - mean) / std
        for count in _RANDOM_BATCH_SIZES
    ]
    return [*batches, torch.stack(list(photos))] if photos else batches


def _compare(
    network: ExportedNetwork, content: bytes, batches: Sequence[torch.Tensor]
) -> dict[str, float]:
    """Return each output's largest difference between PyTorch and ONNX Runtime."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    differences: dict[str, float] = {}
    for batch in batches:
        with torch.inference_mode():
            expected = network.outputs(batch)
        found = session.run(list(expected), {INPUT: batch.numpy()})
        for (name, values), other in zip(expected.items(), found, strict=True):
            wanted = values.numpy()
            difference = float((np.abs(wanted - other) / np.maximum(np.abs(wanted), 1)).max())
            # Unlike max(), this keeps a NaN.
            if not difference <= differences.get(name, -1.0):
                differences[name] = difference
    return differences
