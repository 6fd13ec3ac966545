"""Propose photos without labels that are worth labeling: uncertain, new to the model, and diverse.

Writes a table and a page of photos, best first. Run it in the folder of the classification
pipeline; the review page (`streamlit run web_app.py -- --review`) then offers the photos, and
`panthera corrections export` adds the labeled ones to the training photos.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from panthera_vision.cli.corrections import PHOTOS, PROPOSED
from panthera_vision.cli.model_choice import add_model_arguments, load_chosen_model
from panthera_vision.cli.runner import positive_int

if TYPE_CHECKING:
    from panthera_vision.data.proposed_photos import ProposedPhoto
    from panthera_vision.models.checkpoint import TrainedModel

MODEL = Path("models", "best_model.pth")
_READABLE_SIDE = 64  # pixels; decoding at a reduced size finds damaged files, too


def main(arguments: argparse.Namespace) -> str:
    """Classify the photos, choose some, write the table and the page, and return a summary."""
    from panthera_vision.data.photo_table import read_photos
    from panthera_vision.data.proposed_photos import write_proposed_photos
    from panthera_vision.errors import UserError
    from panthera_vision.images.folders import list_photos
    from panthera_vision.images.readable import reason_if_unreadable
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.io.atomic import sha256_of_file

    configure_process()
    if not arguments.folder.is_dir():
        raise UserError(f"{arguments.folder} is not a folder; name the folder of your photos")
    known = set(read_photos(PHOTOS)["sha256"]) if PHOTOS.exists() else set()
    photos: dict[str, Path] = {}
    skipped = {"unreadable": 0, "in the training data already": 0, "copies": 0}
    listing = list_photos(arguments.folder)
    for photo in listing.photos:
        if reason_if_unreadable(photo, _READABLE_SIDE):
            skipped["unreadable"] += 1
            continue
        sha256 = sha256_of_file(photo)
        if sha256 in known or sha256 in photos:
            skipped["copies" if sha256 in photos else "in the training data already"] += 1
        else:
            photos[sha256] = photo.resolve()
    if not photos:
        raise UserError(f"{arguments.folder}: no photo that is not in the training data already")
    chosen = _choose(photos, load_chosen_model(arguments), arguments.count)
    write_proposed_photos(chosen, arguments.out)
    page = arguments.out.with_suffix(".html")
    _write_page(chosen, page)
    left = ", ".join(f"{count} {why}" for why, count in skipped.items() if count)
    note = f" (left out: {left})" if left else ""
    return (
        f"propose: {len(chosen)} of {len(photos)} photos{note}{listing.note()}; {arguments.out}, "
        f"{page}"
    )


def _choose(photos: dict[str, Path], model: "TrainedModel", count: int) -> "list[ProposedPhoto]":
    """Return the photos worth labeling, the best first."""
    import numpy as np

    from panthera_vision.data.proposed_photos import ProposedPhoto
    from panthera_vision.inference.active_learning import k_center_greedy, novelty, uncertainty
    from panthera_vision.inference.predictor import Predictor

    predictor = Predictor(model)
    files, sha256s = list(photos.values()), list(photos)
    outputs = predictor.outputs_of_files(files, batch_size=32, threads=2)
    probabilities = (outputs.logits / model.temperature).softmax(1).numpy()
    scores = outputs.ood_scores.numpy()
    unsure, new = uncertainty(probabilities), novelty(scores)
    features = outputs.features.numpy()
    vectors = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    rows = k_center_greedy(vectors, (unsure + new) / 2, count)
    threshold = model.ood_threshold
    return [
        ProposedPhoto(
            rank,
            str(files[row]),
            sha256s[row],
            _reason(unsure[row], threshold is not None and bool(scores[row] > threshold)),
            model.class_names[int(probabilities[row].argmax())],
            round(float(probabilities[row].max()), 4),
            round(float(scores[row]), 4),
        )
        for rank, row in enumerate(rows, 1)
    ]


def _reason(unsure: float, is_refused: bool) -> str:
    if is_refused:
        return "unlike the training photos"
    return "two species are about as probable" if unsure > 0.5 else "unlike the photos above it"


def _write_page(chosen: "list[ProposedPhoto]", page: Path) -> None:
    import pandas as pd

    from panthera_vision.reporting.html_page import save_html_page
    from panthera_vision.reporting.thumbnails import Section, make_thumbnails

    names = [photo.predicted_species for photo in chosen]
    table = pd.DataFrame(
        {"id": [photo.path.name for photo in chosen], "species": names}
        | dict.fromkeys(("observer", "license", "attribution", "observation_url"), "")
    )
    captions = [f"{photo.confidence:.0%}, {photo.reason}" for photo in chosen]
    tiles = make_thumbnails(table, [photo.path for photo in chosen], names, captions)
    section = Section("Photos worth labeling, the best first", tiles, "No photos.")
    save_html_page("Photos worth labeling", [section], page)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="photos without labels")
    parser.add_argument(
        "--count", type=positive_int, default=100, help="photos to propose; default: %(default)s"
    )
    parser.add_argument(
        "--out", type=Path, default=PROPOSED, help="table to write; default: %(default)s"
    )
    add_model_arguments(
        parser, MODEL, Path("params.yaml") if Path("params.yaml").exists() else None
    )
