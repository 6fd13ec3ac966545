"""Stream many photos through a network: whole batches, prefetch threads, bounded memory."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import torch
from PIL import Image

from panthera_vision.images.decoding import (
    PhotoError,
    decode,
    photo_note,
    read_photo,
    to_upright_rgb,
)
from panthera_vision.inference.prefetch import batched, prefetch
from panthera_vision.models.preprocessing import Preprocessing

# A path, the bytes of a file, an open PIL image, or a function that returns an RGB image.
Photo = Path | str | bytes | Image.Image | Callable[[], Image.Image]
Output = TypeVar("Output")


@dataclass(frozen=True)
class FileOutput(Generic[Output]):
    """Hold the network's output for a photo, and what is odd about its file (or "")."""

    value: Output
    note: str = ""


def predict_files(
    photos: Iterable[Photo],
    network: Callable[[torch.Tensor], Iterable[Output]],
    preprocessing: Preprocessing,
    *,
    batch_size: int = 32,
    threads: int = 2,
) -> Generator[FileOutput[Output] | PhotoError, None, None]:
    """Yield the network's output for each photo in order, or why the photo can't be read.

    Memory does not grow with the number of photos: at most two batches of tensors are held. A
    photo's numbers depend in their last digits on its batch, so the same photos in the same
    order and `batch_size` give the same bytes.

    Args:
        photos: what to read; consumed lazily.
        network: maps preprocessed photos (N, 3, H, W) to N outputs, such as `Predictor.predict`.
        preprocessing: of the network's model.
        batch_size: photos per batch, unreadable ones included.
        threads: that decode and resize.
    """
    jobs = (partial(_preprocess, photo, preprocessing) for photo in photos)
    with closing(prefetch(jobs, ahead=2 * batch_size, threads=threads)) as loaded:
        for batch in batched(loaded, batch_size):
            tensors = [item.value for item in batch if isinstance(item, FileOutput)]
            outputs = iter(network(torch.stack(tensors)) if tensors else ())
            for item in batch:
                if isinstance(item, PhotoError):
                    yield item
                else:
                    yield FileOutput(next(outputs), item.note)


def _preprocess(
    photo: Photo, preprocessing: Preprocessing
) -> FileOutput[torch.Tensor] | PhotoError:
    try:
        image = load_photo(photo, preprocessing.min_decoded_side)
        return FileOutput(preprocessing(image), photo_note(image))
    except PhotoError as error:
        return error


def load_photo(photo: Photo, min_decoded_side: int | None = None) -> Image.Image:
    """Return an upright RGB image of any kind of `Photo`; `min_decoded_side` as in `decode`.

    Raises:
        PhotoError: it can't be read.
    """
    if isinstance(photo, str | Path):
        return read_photo(Path(photo), min_decoded_side)
    if isinstance(photo, bytes):
        return decode(photo, min_decoded_side=min_decoded_side)
    if isinstance(photo, Image.Image):
        return to_upright_rgb(photo)
    return photo()
