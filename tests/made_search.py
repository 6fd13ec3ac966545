"""A small search pipeline: a model, drawn photos, and their index."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel, load_checkpoint, save_checkpoint
from panthera_vision.models.classifier import empty_classifier, pretrained_classifier
from panthera_vision.search.index.backend import IndexSpec
from panthera_vision.search.index.build_index import build_index

from .conftest import SPECIES, draw_photo

PLACES = ("Серенгети, TZ", 'a "quoted" place', "50% of a_b", "back\\slash", "ÉTOSHA  park", "")


def filterable_table(count: int) -> pd.DataFrame:
    """A table of photos with awkward names, and some without a date."""
    random = np.random.default_rng(1)
    days = [f"20{10 + number % 9}-0{1 + number % 7}-03" for number in range(count)]
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(count)],
            "species": random.choice(SPECIES, count),
            "license": random.choice(["CC-BY", "CC-BY-NC", ""], count),
            "observer": [f"o'{number % 50}\"" for number in range(count)],
            "observed_on": np.where(random.random(count) < 0.1, "", days),
            "place": random.choice(PLACES, count),
        }
    )


def untrained_model(image_size: int = 64, **fields: Any) -> TrainedModel:
    """A model of the five species with random weights, of torch's global seed."""
    backbone = find_backbone("efficientnet_lite0", image_size=image_size)
    network = empty_classifier(backbone, len(SPECIES)).eval()
    return TrainedModel(network, backbone, SPECIES, backbone.preprocessing, **fields)


def make_search(folder: Path) -> Path:
    """A pipeline's folder with ten photos, two of them the same, in its index; returns it."""
    images = folder / "data" / "dataset_images"
    images.mkdir(parents=True)
    backbone = find_backbone("efficientnet_lite0", image_size=32)
    torch.manual_seed(1)
    network = pretrained_classifier(backbone, SPECIES)
    save_checkpoint(
        TrainedModel(network, backbone, SPECIES, backbone.preprocessing),
        folder / "model_weights" / "best_model.pth",
    )
    model = load_checkpoint(folder / "model_weights" / "best_model.pth")
    rows, files = [], []
    for number in range(10):
        files.append(images / f"{number}.png")
        draw_photo(SPECIES[number % 5], number % 9).save(files[-1])
        rows.append(
            {
                "id": str(number),
                "species": SPECIES[number % 5],
                "observer": f"observer {number % 3}",
                "observed_on": f"2020-01-{number + 1:02}",
                "license": "CC-BY" if number % 2 else "",
                "latitude": "nan" if number else "-1.5",
                "place": "Серенгети",
                "file": f"../data/dataset_images/{number}.png",
            }
        )
    # The last one is the first one's photo once more.
    files[9].write_bytes(files[0].read_bytes())
    embeddings = Predictor(model).embeddings_of_files(files, batch_size=5)
    build_index(embeddings, pd.DataFrame(rows), model, folder / "faiss_index", IndexSpec(0.9999))
    return folder
