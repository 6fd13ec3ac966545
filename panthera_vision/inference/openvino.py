"""Run a classifier with Intel's OpenVINO, which is faster than PyTorch on CPUs.

`pip install "panthera-vision[openvino]"`. The same layers run in bfloat16 as in
`panthera_vision.inference.optimized`, so the outputs are as close to float32.
"""

import copy
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.inference.bf16_layers import bf16_start
from panthera_vision.inference.fuse_batchnorm import fuse_batch_norms
from panthera_vision.inference.optimized import resolve_precision
from panthera_vision.inference.options import Precision
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.classifier import Classifier, Outputs

if TYPE_CHECKING:
    import openvino

_CPU = torch.device("cpu")


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report to the vendor.

    Raises:
        UserError: it is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError:
        raise UserError(
            "engine: openvino is not installed; run `pip install openvino`, or use engine: torch"
        ) from None
    return openvino


class OpenVinoClassifier:
    """Run a classifier's trunk compiled for the CPU; its heads stay in PyTorch, in float32.

    Attributes:
        precision: number format of the trunk after its first layers, "fp32" or "bf16".
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
            classifier: it is copied, not changed.
            backbone: architecture of its trunk.
            image_size: side of the photos, in pixels.
            precision: "auto" depends on the CPU and the backbone.

        Raises:
            UserError: OpenVINO is not installed.
        """
        self.precision = resolve_precision(precision, _CPU, backbone)
        self._classifier = copy.deepcopy(classifier).eval().requires_grad_(False).to(_CPU)
        trunk = self._classifier.trunk.to(memory_format=torch.contiguous_format)
        # Fused convolutions keep their names in OpenVINO, by which `_split` finds them.
        fuse_batch_norms(trunk)
        openvino = import_openvino()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tracer that OpenVINO uses
            whole = openvino.convert_model(
                trunk,
                example_input=torch.zeros(2, 3, image_size, image_size),
                input=[(-1, 3, image_size, image_size)],
            )
        parts = [(whole, "f32")]
        if self.precision == "bf16":
            try:
                first, second = _split(openvino, whole.clone(), bf16_start(backbone))
                parts = [(first, "f32"), (second, "bf16")]
            except RuntimeError:  # later layers need shapes of earlier ones, as a Swin's do
                parts = [(whole, "bf16")]
        core = openvino.Core()
        self._compiled = [
            core.compile_model(part, "CPU", {"INFERENCE_PRECISION_HINT": number_type})
            for part, number_type in parts
        ]
        self._classifier.trunk = nn.Identity()

    @torch.inference_mode()
    def outputs(self, photos: torch.Tensor) -> Outputs:
        """Return features, logits and OOD scores of photos (N, 3, H, W), on the CPU."""
        values = np.ascontiguousarray(photos.cpu().numpy())
        for part in self._compiled:
            values = part([values])[0]
        # The compiled network reuses its output buffer.
        return self._classifier.outputs_of_features(torch.from_numpy(values.copy()))


def _split(
    openvino: Any, whole: "openvino.Model", name: str
) -> tuple["openvino.Model", "openvino.Model"]:
    """Split a network before the submodule that PyTorch names `name`."""
    place = f"__module.{name}."
    entry = next(
        operation
        for operation in whole.get_ordered_ops()
        if operation.friendly_name.startswith(place)
        and operation.get_type_name() != "Constant"
        and not operation.input_value(0).get_node().friendly_name.startswith(place)
    )
    between = entry.input_value(0)
    before = openvino.Model([between], whole.get_parameters()).clone()
    begin = openvino.opset13.parameter(between.partial_shape, np.float32)
    for consumer in list(between.get_target_inputs()):
        consumer.replace_source_output(begin.output(0))
    return before, openvino.Model(whole.get_results(), [begin])
