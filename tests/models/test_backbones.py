"""Backbones load their pretrained weights, and these recognize the five species."""

import urllib.request
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import EfficientNet_V2_S_Weights, efficientnet_v2_s

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import Classifier, pretrained_classifier
from panthera_vision.models.label_sets import species_rows
from panthera_vision.models.ood import OODHead
from panthera_vision.models.pretrained_weights import load_pretrained

from ..conftest import SPECIES

LITE0 = find_backbone("efficientnet_lite0", image_size=224)
V2_S = find_backbone("efficientnet_v2_s")


def test_lite0_recognizes_real_photos_with_its_imagenet_head(real_data: Path) -> None:
    trunk, head = load_pretrained(LITE0)
    assert head is not None
    classifier = Classifier(trunk, head).eval()
    preprocessing = LITE0.preprocessing
    hits = []
    for species in SPECIES:
        folder = real_data / "panthera_photos" / species.replace(" ", "_")
        paths = sorted(folder.glob("*.jpg"))[::4]
        photos = torch.stack([preprocessing(open_photo(path)) for path in paths])
        with torch.inference_mode():
            named = classifier(photos).argmax(1)
        hits += (named == species_rows("imagenet-1k")[species]).tolist()
    assert len(hits) > 250
    assert sum(hits) / len(hits) >= 0.90


def test_head_rows_are_copied_from_imagenet_where_it_has_the_species() -> None:
    names = ("Panthera leo", "Felis margarita")
    classifier = pretrained_classifier(LITE0, names)
    _, imagenet = load_pretrained(LITE0)
    assert imagenet is not None
    assert torch.equal(classifier.head.weight[0], imagenet.weight[291])
    assert not (classifier.head.weight[1] == imagenet.weight).all(dim=1).any()


@pytest.mark.parametrize("name", ["efficientnet_v2_s", "efficientnet_lite0"])
def test_logits_are_the_head_applied_to_the_features(name: str) -> None:
    backbone = find_backbone(name)
    trunk, head = backbone.build()
    assert head is not None
    classifier = Classifier(trunk, head).eval()
    photos = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        features = classifier.features(photos)
        assert features.shape == (2, backbone.feature_dimension)
        assert torch.allclose(classifier(photos), head(features))


def test_ood_head_uses_imagenets_head_and_gets_no_gradients() -> None:
    # ImageNet has neither as a class.
    classifier = pretrained_classifier(LITE0, ("Caracal caracal", "Leopardus pardalis"))
    _, imagenet = load_pretrained(LITE0)
    assert imagenet is not None
    ood_head = classifier.ood_head
    assert isinstance(ood_head, OODHead)
    assert torch.equal(ood_head.imagenet.weight, imagenet.weight)
    outputs = classifier.eval().outputs(torch.rand(3, 3, 64, 64))
    assert torch.equal(outputs.ood_scores, ood_head.score(outputs.features, outputs.logits))
    outputs.ood_scores.sum().backward()
    assert all(parameter.grad is None for parameter in ood_head.parameters())


def test_without_ood_head_the_score_is_the_energy() -> None:
    trunk, _ = LITE0.build()
    classifier = Classifier(trunk, nn.Linear(1280, 2)).eval()
    outputs = classifier.outputs(torch.rand(3, 3, 64, 64))
    assert torch.allclose(outputs.ood_scores, -outputs.logits.logsumexp(dim=1))


def test_v2_s_loads_weights_from_the_torch_hub_cache_and_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    network = efficientnet_v2_s()
    file = tmp_path / "hub" / "checkpoints" / Path(EfficientNet_V2_S_Weights.IMAGENET1K_V1.url).name
    file.parent.mkdir(parents=True)
    torch.save(network.state_dict(), file)
    classifier = pretrained_classifier(V2_S, SPECIES)
    assert torch.equal(classifier.head.weight[0], network.classifier[1].weight[291])
    classifier.train()(torch.rand(2, 3, 64, 64)).sum().backward()
    trained = [*classifier.trunk.parameters(), *classifier.head.parameters()]
    assert all(parameter.grad is not None for parameter in trained)


def test_offline_error_names_url_cache_file_and_the_other_backbone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    # urllib caches its opener, with the proxies of the first request.
    monkeypatch.setattr(urllib.request, "_opener", None)
    with pytest.raises(UserError) as caught:
        pretrained_classifier(V2_S, SPECIES)
    message = str(caught.value)
    assert "https://download.pytorch.org" in message
    assert str(tmp_path) in message
    assert "train.backbone: efficientnet_lite1" in message
    assert "\n" not in message
