"""Streaming photos of all kinds through a network: order, batches, reasons, bounded prefetch."""

from pathlib import Path

import pytest
import torch
from PIL import ExifTags, Image

from panthera_vision.batch.predict_files import Photo, load_photo, predict_files
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.models.preprocessing import Preprocessing

from ..conftest import SPECIES, draw_photo

PREPROCESSING = Preprocessing(8, 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def means(photos: torch.Tensor) -> list[float]:
    return photos.mean(dim=(1, 2, 3)).tolist()


def test_paths_bytes_images_and_loaders_give_the_same_output(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    draw_photo(SPECIES[0], 0).save(path)
    with Image.open(path) as image:
        photos: list[Photo] = [path, str(path), path.read_bytes(), image, lambda: read_photo(path)]
        outputs = list(predict_files(photos, means, PREPROCESSING, batch_size=2))
    assert len(outputs) == 5
    assert len(set(outputs)) == 1 and not isinstance(outputs[0], PhotoError)


def test_unreadable_photos_keep_their_place_and_reason_in_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    draw_photo(SPECIES[0], 0).save(path)
    cut = tmp_path / "cut.png"
    cut.write_bytes(path.read_bytes()[:2000])
    sizes: list[int] = []

    def network(photos: torch.Tensor) -> list[float]:
        sizes.append(len(photos))
        return means(photos)

    with Image.open(cut) as truncated:
        photos: list[Photo] = [
            path,
            tmp_path / "missing.png",
            path,
            path,
            b"<html>",
            truncated,
            path,
        ]
        outputs = list(predict_files(photos, network, PREPROCESSING, batch_size=2))
    reasons = [output.reason if isinstance(output, PhotoError) else "" for output in outputs]
    assert reasons == ["", "file missing", "", "", "not a photo", "broken photo", ""]
    assert sizes == [1, 2, 1]


def test_open_images_are_turned_upright_and_made_rgb_and_left_unchanged() -> None:
    image = Image.new("LA", (40, 20), (0, 0))
    image.getexif()[ExifTags.Base.Orientation] = 6
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    image.info["exif"] = exif.tobytes()
    upright = load_photo(image)
    assert (upright.size, upright.mode) == ((20, 40), "RGB")
    assert upright.getpixel((0, 0)) == (255, 255, 255)
    assert (image.size, image.mode) == ((40, 20), "LA")


def test_inputs_are_read_only_a_little_ahead() -> None:
    begun = 0

    def photos():  # type: ignore[no-untyped-def]
        nonlocal begun
        for number in range(200):
            begun += 1
            yield draw_photo(SPECIES[0], number)

    for number, _ in enumerate(predict_files(photos(), means, PREPROCESSING, batch_size=4), 1):
        assert begun <= number + 3 * 4
    assert begun == 200


def test_an_error_of_the_network_is_raised(tmp_path: Path) -> None:
    def network(photos: torch.Tensor) -> list[float]:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        next(predict_files([draw_photo(SPECIES[0], 0)], network, PREPROCESSING))
