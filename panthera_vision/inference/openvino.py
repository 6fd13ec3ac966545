"""A classifier on Intel's OpenVINO, which on processors is faster than PyTorch; an extra.

`pip install "panthera-vision[openvino]"`. Which layers are rounded is the same as in
`panthera_vision.inference.optimized`, so answers are as close to float32 as there.
"""

import copy
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.inference.fuse_batchnorm import fuse_batch_norms
from panthera_vision.inference.optimized import resolve_precision
from panthera_vision.inference.options import Precision
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.classifier import Classifier, Outputs

if TYPE_CHECKING:
    import openvino

_CPU = torch.device("cpu")


def import_openvino() -> Any:
    """The library.

    Raises:
        UserError: it is not installed.
    """
    # Without this package nothing is reported to the vendor, and nothing asks for the network.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError:
        raise UserError(
            "the engine openvino is not installed: pip install openvino, or use the engine torch"
        ) from None
    return openvino


class OpenVinoClassifier:
    """A classifier's trunk compiled for the processor; its heads stay in PyTorch, in float32.

    Attributes:
        precision: of the trunk, beyond its first layers: "fp32" or "bf16".
    """

    def __init__(
        self,
        classifier: Classifier,
        backbone: Backbone,
        image_size: int,
        precision: Precision = "auto",
    ) -> None:
        """
        Args:
            classifier: any device, any mode; it stays as it is.
            backbone: the kind of its trunk.
            image_size: side of the photos, in pixels.
            precision: "auto" asks the processor.

        Raises:
            UserError: OpenVINO is not installed.
        """
        self.precision = resolve_precision(precision, _CPU, backbone)
        self._classifier = copy.deepcopy(classifier).eval().requires_grad_(False).to(_CPU)
        trunk = self._classifier.trunk.to(memory_format=torch.contiguous_format)
        # Behind folded norms, OpenVINO's convolutions are still named after PyTorch's.
        fuse_batch_norms(trunk)
        openvino = import_openvino()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of how OpenVINO asks PyTorch
            whole = openvino.convert_model(
                trunk,
                example_input=torch.zeros(2, 3, image_size, image_size),
                input=[(-1, 3, image_size, image_size)],
            )
        parts = [(whole, "f32")]
        if self.precision == "bf16":
            before, after = _divided(openvino, whole, backbone.bf16_from)
            parts = [(before, "f32"), (after, "bf16")]
        core = openvino.Core()
        self._compiled = [
            core.compile_model(part, "CPU", {"INFERENCE_PRECISION_HINT": number_type})
            for part, number_type in parts
        ]
        self._classifier.trunk = nn.Identity()

    @torch.inference_mode()
    def outputs(self, photos: torch.Tensor) -> Outputs:
        """All that the network has to say of photos (N, 3, H, W), on the CPU."""
        values = np.ascontiguousarray(photos.cpu().numpy())
        for part in self._compiled:
            values = part([values])[0]
        # The next call writes over what the compiled network owns.
        return self._classifier.outputs_of_features(torch.from_numpy(values.copy()))


def _divided(
    openvino: Any, whole: "openvino.Model", first: str
) -> tuple["openvino.Model", "openvino.Model"]:
    """The network before the part that PyTorch names `first`, and from there on."""
    entry = next(
        operation
        for operation in whole.get_ordered_ops()
        if operation.get_type_name() in ("Convolution", "GroupConvolution")
        and operation.friendly_name.startswith(f"__module.{first}.")
    )
    between = entry.input_value(0)
    before = openvino.Model([between], whole.get_parameters()).clone()
    begin = openvino.opset13.parameter(between.partial_shape, np.float32)
    for consumer in list(between.get_target_inputs()):
        consumer.replace_source_output(begin.output(0))
    return before, openvino.Model(whole.get_results(), [begin])
