import numpy as np
import pytest
from PIL import Image

from panthera_vision.search.evaluation.perturbations import PERTURBATIONS, perturb

from ..conftest import draw_photo


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_an_altered_copy_differs_and_is_the_same_whenever_it_is_made(name: str) -> None:
    photo = draw_photo("Panthera tigris", 1)
    before = np.asarray(photo).copy()
    copy = perturb(photo, name, "1.jpg")
    assert copy.mode == "RGB"
    assert copy.size != photo.size or (np.asarray(copy) != before).any()
    assert np.array_equal(np.asarray(copy), np.asarray(perturb(photo, name, "1.jpg")))
    assert np.array_equal(np.asarray(photo), before)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_photos_of_one_pixel_are_altered_too(name: str) -> None:
    assert min(perturb(Image.new("RGB", (1, 1)), name, "x").size) == 1
