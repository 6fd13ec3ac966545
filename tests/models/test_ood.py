"""OOD scores of the pretrained head."""

import math

import pytest
import torch
from torch import nn

from panthera_vision.models.ood import OODHead

# ImageNet classes of this little head: two of our species, their near relative, and a thing.
LION, TIGER, PUMA, BICYCLE = range(4)


@pytest.fixture
def imagenet() -> nn.Linear:
    head = nn.Linear(4, 4)
    with torch.no_grad():
        head.weight.copy_(torch.eye(4))
        head.bias.zero_()
    return head


def test_the_score_of_an_unfitted_head_is_the_bhattacharyya_distance(imagenet: nn.Linear) -> None:
    ood_head = OODHead(imagenet, 2)
    ood_head.class_means.copy_(torch.eye(4)[:2])
    logits = torch.zeros(3, 2)
    # Half like one class and half like none; then like none.
    mixed = torch.tensor([[9.0, 0.0, 9.0, 0.0], [0.0, 0.0, 9.0, 0.0], [0.0, 0.0, 1000.0, 0.0]])
    half, other, certain = ood_head.score(mixed, logits).tolist()
    assert half == pytest.approx(math.log(2) / 2, abs=0.02)
    assert half < other < certain < math.inf


def test_photos_of_relatives_and_things_score_higher_than_training_photos(
    imagenet: nn.Linear,
) -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(40) % 2
    features = torch.randn(40, 4, generator=generator) * 0.5
    features[torch.arange(40), labels] += 9
    features[:, PUMA] += 3  # a lion is a little like a puma
    ood_head = OODHead(imagenet, 2)
    ood_head.NEAR = 1
    ood_head.near_classes = torch.zeros(1, dtype=torch.long)
    ood_head.fit(features, features[:, :2], labels, [LION, TIGER])
    assert ood_head.near_classes.tolist() == [PUMA]
    typical = ood_head.score(features, features[:, :2])
    assert typical.mean().item() == pytest.approx(0, abs=1e-4)
    strangers = torch.tensor([[4.0, 0, 9, 0], [0, 0, 9, 0], [0, 0, 0, 9], [0, 1, 0, 50]])
    found = ood_head.score(strangers, strangers[:, :2])
    assert (found > typical.max()).all()


def test_a_single_training_photo_of_a_class_gives_finite_scores(imagenet: nn.Linear) -> None:
    ood_head = OODHead(imagenet, 1)
    features = torch.tensor([[9.0, 0.0, 0.0, 0.0]])
    ood_head.fit(features, features[:, :1], torch.tensor([0]))
    assert torch.isfinite(ood_head.score(features + 100, features[:, :1])).all()


def test_numbers_that_are_no_classes_are_refused(imagenet: nn.Linear) -> None:
    ood_head = OODHead(imagenet, 2)
    ood_head.check()
    for number in (-1, 4):
        ood_head.near_classes[0] = number
        with pytest.raises(ValueError, match="near_classes"):
            ood_head.check()
