"""Networks of all families give the same outputs optimized, in OpenVINO and in bfloat16."""

import copy
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from panthera_vision.inference.bf16_layers import bf16_start
from panthera_vision.inference.fuse_batchnorm import FusedTrainingNetwork, fuse_batch_norms
from panthera_vision.inference.openvino import OpenVinoClassifier
from panthera_vision.inference.optimized import OptimizedClassifier
from panthera_vision.inference.options import Precision

from ..tiny_networks import FAMILIES, WITH_BATCH_NORM, backbone, photos, tiny_classifier

# Where bfloat16 begins: after the first stages, whose rounding the others would amplify.
BF16_START = {
    "efficientnet": "blocks.1",
    "convnext": "stages.1",
    "resnet": "layer1.0",
    "mobilenetv4": "blocks.1",
    "vit": "blocks.1",
    "dinov2": "blocks.1",
    "swin": "layers.1",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_bfloat16_begins_after_the_first_stages(family: str) -> None:
    assert bf16_start(backbone(family)) == BF16_START[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_batch_norms_are_folded_where_there_are_any_and_outputs_stay(family: str) -> None:
    classifier, given = tiny_classifier(family), photos(family)
    folded = copy.deepcopy(classifier)
    pairs = fuse_batch_norms(folded.trunk)
    assert bool(pairs) == (family in WITH_BATCH_NORM)
    left = [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    assert not left
    with torch.inference_mode():
        torch.testing.assert_close(folded(given), classifier(given), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_fused_training_has_the_classifiers_gradients(family: str) -> None:
    plain = tiny_classifier(family).double()
    fused = copy.deepcopy(plain)
    given, truth = photos(family, 3).double(), torch.arange(3)
    nn.functional.cross_entropy(plain(given), truth).backward()
    network = FusedTrainingNetwork(fused)
    network._fused[0].eval()  # without stochastic depth
    nn.functional.cross_entropy(network(given).logits, truth).backward()
    for (name, one), other in zip(plain.named_parameters(), fused.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=1e-9, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_those_of_the_network_in_both_engines_and_precisions(
    family: str, engine: str, precision: Precision
) -> None:
    if engine == "openvino" and not find_spec("openvino"):  # an import would load its telemetry
        pytest.skip("OpenVINO is not installed")
    classifier, given = tiny_classifier(family), photos(family)
    fast: OptimizedClassifier | OpenVinoClassifier
    if engine == "openvino":
        fast = OpenVinoClassifier(classifier, backbone(family), given.shape[-1], precision)
    else:
        fast = OptimizedClassifier(classifier, backbone(family), torch.device("cpu"), precision)
    with torch.inference_mode():
        expected = classifier.features(given)
    for count in (8, 3):
        features = fast.outputs(given[:count]).features
        cosines = nn.functional.cosine_similarity(features, expected[:count])
        assert cosines.min() >= (0.995 if precision == "bf16" else 0.99999)


class StandardizedConvolution(nn.Conv2d):
    """Weight standardization: the weights that are used are not those that are stored."""

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return self._conv_forward(given, weight, self.bias)


def test_convolutions_that_change_their_weights_keep_their_batch_norm() -> None:
    network = nn.Sequential(StandardizedConvolution(3, 4, 3), nn.BatchNorm2d(4)).eval()
    assert fuse_batch_norms(network) == []


def test_a_network_of_a_fixed_size_that_is_not_known_is_left_alone() -> None:
    class Fixed(nn.Sequential):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            assert given.shape[-1] == 48
            result: torch.Tensor = super().forward(given)
            return result

    network = Fixed(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    assert fuse_batch_norms(network) == []
    network.pretrained_cfg = {"input_size": (3, 48, 48), "fixed_input_size": True}  # type: ignore
    assert len(fuse_batch_norms(network)) == 1
