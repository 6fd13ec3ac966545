from collections.abc import Callable

import pytest
import torch
from torch import nn

from panthera_vision.models import running
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.classifier import Classifier, empty_classifier, pretrained_classifier
from panthera_vision.models.running import RunningNetwork, fold_batch_norms, number_type

from ..conftest import SPECIES, draw_photo

CPU = torch.device("cpu")


def settled(name: str) -> Classifier:
    """A network whose batch norms have statistics: Lite0's own, or those of drawn photos."""
    torch.manual_seed(0)
    if name == "efficientnet_lite0":
        return pretrained_classifier(BACKBONES[name], SPECIES).eval()
    network = empty_classifier(BACKBONES[name], len(SPECIES))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train().trunk(photos(name))
    return network.eval()


def photos(name: str) -> torch.Tensor:
    preprocessing = BACKBONES[name].preprocessing(128)
    return torch.stack([preprocessing(draw_photo(SPECIES[seed % 5], seed)) for seed in range(8)])


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
    fast = RunningNetwork(network, CPU, "fp32")
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fast._classifier.modules())
    for one, other in zip(fast.outputs(photos(name)), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    # What is trained on, saved or exported is the original.
    assert state.keys() == network.state_dict().keys()
    assert all(torch.equal(state[key], value) for key, value in network.state_dict().items())


def test_bfloat16_stays_close(name: str, network: Classifier) -> None:
    with torch.inference_mode():
        expected = network.outputs(photos(name))
    found = RunningNetwork(network, CPU, "bf16", BACKBONES[name].rounded_from).outputs(photos(name))
    assert all(part.dtype == torch.float32 for part in found)
    cosines = nn.functional.cosine_similarity(found.features, expected.features)
    # Weights at random amplify rounding in photos that they hardly see at all.
    is_trained = name == "efficientnet_lite0"
    assert (cosines.min() if is_trained else cosines.mean()) >= 0.998
    assert not torch.equal(found.features, expected.features)  # it did compute otherwise


def test_a_batch_norm_elsewhere_stays() -> None:
    class Branching(nn.Module):
        """Both norms stand behind a convolution, and get something else than its result."""

        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 1)
            self.norm = nn.BatchNorm2d(3)
            self.pair = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.pair(self.norm(given) + self.convolution(given))
            return result

    network = Branching().eval()
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean = torch.rand(3)
                part.running_var = torch.rand(3) + 0.5
        given = torch.rand(2, 3, 8, 8)
        expected = network(given)
        fold_batch_norms(network)
        torch.testing.assert_close(network(given), expected)
    assert isinstance(network.norm, nn.BatchNorm2d)
    assert isinstance(network.pair[1], nn.Identity)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
        ({"avx2": True, "avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_auto_asks_the_processor(
    capabilities: dict[str, bool], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: Callable[[], dict[str, bool]] = lambda: capabilities  # noqa: E731
    monkeypatch.setattr(running.torch.cpu, "get_capabilities", answer)
    assert number_type("auto", CPU) == expected
    assert number_type("fp32", CPU) == torch.float32
    assert number_type("bf16", CPU) == torch.bfloat16
