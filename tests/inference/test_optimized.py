from collections.abc import Callable

import pytest
import torch
from torch import nn

from panthera_vision.inference import optimized as running
from panthera_vision.inference.optimized import OptimizedClassifier, resolve_precision
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.classifier import Classifier

from .settled import photos, settled

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=list(BACKBONES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(name: str) -> Classifier:
    return settled(name)


def test_folding_leaves_no_batch_norm_and_all_numbers(name: str, network: Classifier) -> None:
    with torch.inference_mode():
        expected = network.outputs(photos(name))
    state = {key: value.clone() for key, value in network.state_dict().items()}
    fast = OptimizedClassifier(network, BACKBONES[name], CPU, "fp32")
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fast._classifier.modules())
    for one, other in zip(fast.outputs(photos(name)), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    # What is trained on, saved or exported is the original.
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())


def test_bfloat16_stays_close(name: str, network: Classifier) -> None:
    with torch.inference_mode():
        expected = network.outputs(photos(name))
    found = OptimizedClassifier(network, BACKBONES[name], CPU, "bf16").outputs(photos(name))
    assert all(part.dtype == torch.float32 for part in found)
    cosines = nn.functional.cosine_similarity(found.features, expected.features)
    # Weights at random amplify rounding in photos that they hardly see at all.
    is_trained = name == "efficientnet_lite0"
    assert (cosines.min() if is_trained else cosines.mean()) >= 0.998
    assert not torch.equal(found.features, expected.features)  # it did compute otherwise


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, "bf16"),
        ({"avx512_bf16": False, "amx_bf16": True}, "bf16"),
        ({"avx2": True, "avx512_bf16": False}, "fp32"),
        ({}, "fp32"),
    ],
)
def test_auto_asks_the_processor_and_the_backbone(
    capabilities: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: Callable[[], dict[str, bool]] = lambda: capabilities  # noqa: E731
    monkeypatch.setattr(running.torch.cpu, "get_capabilities", answer)
    gains, loses = BACKBONES["efficientnet_v2_s"], BACKBONES["efficientnet_lite0"]
    assert resolve_precision("auto", CPU, gains) == expected
    assert resolve_precision("auto", CPU, loses) == "fp32"
    assert resolve_precision("fp32", CPU, gains) == "fp32"
    assert resolve_precision("bf16", CPU, loses) == "bf16"
