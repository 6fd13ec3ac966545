"""A classified photo is shown whether or not its model can be explained."""

from pathlib import Path

import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier
from panthera_vision.models.preprocessing import Preprocessing
from panthera_vision.ui.classification.photo_view import PhotoView
from panthera_vision.ui.paths import ClassifierPaths

from ..conftest import SPECIES, draw_photo
from ..translators import CLASSIFICATION


class MeanColor(nn.Module):
    """A network without a map of the photo."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return photos.mean((2, 3)) * self.scale


def test_without_a_map_the_photo_is_shown_and_one_line_says_so(tmp_path: Path) -> None:
    def script(view: object, photo: object) -> None:
        from panthera_vision.ui.classification.prediction_cache import Classified
        from panthera_vision.ui.uploads import decode_upload

        content = photo.read_bytes()  # type: ignore[attr-defined]
        opened = decode_upload(photo.name, content).photo
        assert opened is not None
        prediction = view.predictor.predict_image(opened)
        view.show(Classified("key", photo.name, prediction), content, 0.5)

    t = CLASSIFICATION["en"]
    draw_photo(SPECIES[0], 1).save(tmp_path / "photo.png")
    prepare = Preprocessing(32, 1.0, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    classifier = Classifier(MeanColor(), nn.Linear(3, 5)).eval()
    backbone = find_backbone("efficientnet_lite0")
    predictor = Predictor(TrainedModel(classifier, backbone, SPECIES, prepare), precision="fp32")
    view = PhotoView(predictor, None, ClassifierPaths(tmp_path), t)
    test = AppTest.from_function(script, default_timeout=60, args=(view, tmp_path / "photo.png"))
    test.run().toggle[0].set_value(True).run()
    assert not test.exception
    assert t("attention_unavailable") in [caption.value for caption in test.caption]
    assert len(test.get("image")) == 1
    assert not test.slider
