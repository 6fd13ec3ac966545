"""Fused batch norms compute and learn what the separate layers would."""

import copy

import pytest
import torch
from torch import nn

from panthera_vision.inference.fuse_batchnorm import FusedTrainingNetwork, fuse_batch_norms

from .networks import photos, warmed_up_classifier


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_v2_s", "efficientnet_lite0"])
def test_fused_training_has_the_classifiers_loss_and_gradients(name: str) -> None:
    classifier = warmed_up_classifier(name)
    if name == "efficientnet_v2_s":
        # Stochastic depth would drop blocks at random.
        for module in classifier.modules():
            if type(module).__name__ == "StochasticDepth":
                module.p = 0.0
    truth = torch.arange(8) % 5
    plain = copy.deepcopy(classifier).double()
    plain_loss = nn.functional.cross_entropy(plain(photos(name).double()), truth)
    plain_loss.backward()
    fused = copy.deepcopy(classifier).double()
    before = {key: value.clone() for key, value in fused.named_buffers()}
    logits = FusedTrainingNetwork(fused)(photos(name).double()).logits
    loss = nn.functional.cross_entropy(logits, truth)
    loss.backward()
    torch.testing.assert_close(loss, plain_loss)
    gradients = {key: part.grad for key, part in fused.named_parameters()}
    assert gradients.keys() == {key for key, _ in plain.named_parameters()}
    for key, part in plain.named_parameters():
        torch.testing.assert_close(gradients[key], part.grad, rtol=1e-6, atol=1e-9)
    assert all(torch.equal(before[key], value) for key, value in fused.named_buffers())


def test_fused_training_has_the_classifiers_parameters_and_dropout() -> None:
    classifier = warmed_up_classifier("efficientnet_lite0")
    training = FusedTrainingNetwork(classifier)
    own = {id(part) for part in classifier.parameters()}
    assert {id(part) for part in training.parameters()} == own
    for module in classifier.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.5
    training = FusedTrainingNetwork(classifier)
    torch.manual_seed(0)
    first = training(photos("efficientnet_lite0"))
    torch.manual_seed(1)
    second = training(photos("efficientnet_lite0"))
    assert not torch.equal(first.logits, second.logits)
    assert torch.equal(first.features, second.features)


def test_a_batch_norm_that_does_not_follow_a_convolution_is_kept() -> None:
    class Branching(nn.Module):
        """`norm` is defined after a convolution but applied before it; `pair` is fusable."""

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
        fuse_batch_norms(network)
        torch.testing.assert_close(network(given), expected)
    assert isinstance(network.norm, nn.BatchNorm2d)
    assert isinstance(network.pair[1], nn.Identity)
