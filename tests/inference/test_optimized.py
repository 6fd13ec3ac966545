"""The optimized classifier gives the outputs of the original and leaves it unchanged."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from panthera_vision.inference import optimized
from panthera_vision.inference.optimized import OptimizedClassifier, resolve_precision
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import Classifier

from .networks import photos, warmed_up_classifier

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=["efficientnet_v2_s", "efficientnet_lite0"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(name: str) -> Classifier:
    return warmed_up_classifier(name)


@pytest.mark.slow
def test_fusing_removes_batch_norms_and_keeps_outputs(name: str, network: Classifier) -> None:
    with torch.inference_mode():
        expected = network.outputs(photos(name))
    state = {key: value.clone() for key, value in network.state_dict().items()}
    fast = OptimizedClassifier(network, find_backbone(name), CPU, "fp32")
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fast._classifier.modules())
    for one, other in zip(fast.outputs(photos(name)), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    # The original, which is trained, saved and exported, is unchanged.
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())


@pytest.mark.slow
def test_bfloat16_is_close_to_float32(name: str, network: Classifier) -> None:
    with torch.inference_mode():
        expected = network.outputs(photos(name))
    found = OptimizedClassifier(network, find_backbone(name), CPU, "bf16").outputs(photos(name))
    assert all(part.dtype == torch.float32 for part in found)
    cosines = nn.functional.cosine_similarity(found.features, expected.features)
    # Random weights amplify rounding.
    is_trained = name == "efficientnet_lite0"
    assert (cosines.min() if is_trained else cosines.mean()) >= 0.998
    assert not torch.equal(found.features, expected.features)  # bfloat16 was used


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, "bf16"),
        ({"avx512_bf16": False, "amx_bf16": True}, "bf16"),
        ({"avx2": True, "avx512_bf16": False}, "fp32"),
        ({}, "fp32"),
    ],
)
def test_auto_precision_depends_on_cpu_and_backbone(
    capabilities: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: Callable[[], dict[str, bool]] = lambda: capabilities  # noqa: E731
    monkeypatch.setattr(optimized.torch.cpu, "get_capabilities", answer)
    gains, gains_little = find_backbone("efficientnet_v2_s"), find_backbone("efficientnet_lite0")
    assert resolve_precision("auto", CPU, gains) == expected
    assert resolve_precision("auto", CPU, gains_little) == "fp32"
    assert resolve_precision("fp32", CPU, gains) == "fp32"
    assert resolve_precision("bf16", CPU, gains_little) == "bf16"
