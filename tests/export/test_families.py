"""Networks of all families are exported to ONNX with PyTorch's outputs, for any batch size."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from panthera_vision.export.onnx import export_onnx
from panthera_vision.models.checkpoint import TrainedModel

from ..conftest import SPECIES
from ..tiny_networks import FAMILIES, backbone, photos, preprocessing, tiny_classifier

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_equal_pytorchs_for_any_batch_size(family: str, tmp_path: Path) -> None:
    classifier = tiny_classifier(family)
    model = TrainedModel(classifier, backbone(family), SPECIES, preprocessing(family))
    differences = export_onnx(model, tmp_path / "model.onnx")
    assert max(differences.values()) <= 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for count in (1, 3):
        given = photos(family, count)
        (logits,) = session.run(["logits"], {"photos": given.numpy()})
        with torch.inference_mode():
            np.testing.assert_allclose(logits, classifier(given).numpy(), rtol=0, atol=1e-4)
