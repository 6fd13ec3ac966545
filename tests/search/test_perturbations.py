import numpy as np
import pytest
from PIL import Image

from panthera_vision.search.perturbations import PERTURBATIONS, perturb

from ..conftest import draw_photo


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbed_copy_differs_and_is_deterministic(name: str) -> None:
    photo = draw_photo("Panthera tigris", 1)
    before = np.asarray(photo).copy()
    copy = perturb(photo, name, "1.jpg")
    assert copy.mode == "RGB"
    assert copy.size != photo.size or (np.asarray(copy) != before).any()
    assert np.array_equal(np.asarray(copy), np.asarray(perturb(photo, name, "1.jpg")))
    assert np.array_equal(np.asarray(photo), before)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_one_pixel_photos_can_be_perturbed(name: str) -> None:
    assert min(perturb(Image.new("RGB", (1, 1)), name, "x").size) == 1
