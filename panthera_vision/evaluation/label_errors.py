"""Find label errors by confident learning (cleanlab), as a list for manual review.

A fine-tuned backbone has learned the training labels, wrong ones included, so the features come
from the backbone with its ImageNet weights; see `data/confident_learning.py`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.apply_corrections import VERDICT
from panthera_vision.data.confident_learning import (
    cross_validated_probabilities,
    label_issues,
)
from panthera_vision.data.splits import observation_groups
from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.parameters import ReviewParameters, TrainParameters
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails

PHOTOS_PER_PAGE = 200
_DIGITS = 4


def write_label_review(
    photos: pd.DataFrame,
    paths: Sequence[Path],
    review: ReviewParameters,
    train: TrainParameters,
    table_path: Path,
    page_path: Path,
) -> str:
    """Write the suspected label errors of all splits as a CSV table and an HTML page of photos.

    Args:
        photos: rows of `photos.csv` with their splits, N of them.
        paths: the photo files (N,).
        train: names the backbone and the image size.

    Returns:
        The summary of `review_summary`.

    Raises:
        UserError: if a photo is unreadable or the ImageNet weights cannot be downloaded.
    """
    class_names = sorted(photos["species"].unique())
    probabilities = cross_validated_probabilities(
        _pretrained_features(paths, review, train),
        photos["species"].map(class_names.index).to_numpy(),
        list(observation_groups(photos, "observer_day")),
        class_count=len(class_names),
        folds=review.folds,
        seed=review.seed,
    )
    suspected = suspected_labels(photos, probabilities, class_names)
    summary = review_summary(photos, probabilities, class_names, len(suspected))
    tiles = review_thumbnails(suspected, photos, paths)
    section = Section(
        f"Given species → suggested species: {summary}; {len(tiles)} shown",
        tiles,
        "No label errors suspected.",
    )
    write_table_for_people(suspected, table_path)
    save_html_page("Suspected label errors", [section], page_path)
    return summary


def _pretrained_features(
    paths: Sequence[Path], review: ReviewParameters, train: TrainParameters
) -> np.ndarray:
    """Compute L2-normalized features (N, dimension) with the backbone's pretrained weights."""
    backbone = find_backbone(train.backbone, weights=train.weights, image_size=train.image_size)
    # Every model has a head; its class names are irrelevant to the features.
    head = ("unused",)
    model = TrainedModel(
        pretrained_classifier(backbone, head),
        backbone,
        head,
        backbone.preprocessing,
    )
    return Predictor(model).embeddings_of_files(
        paths, batch_size=review.batch_size, threads=review.num_threads
    )


def suspected_labels(
    table: pd.DataFrame, probabilities: np.ndarray, class_names: Sequence[str]
) -> pd.DataFrame:
    """List the photos whose label is probably wrong and was not reviewed, the worst first.

    Args:
        table: rows of `photos.csv` with their splits, N of them.
        probabilities: from `cross_validated_probabilities`, (N, classes); NaN rows are skipped.
        class_names: all species of `table`, in the order of the probabilities.

    Returns:
        One row per suspected label. `label_quality` is the probability of the given species
        (cleanlab's self-confidence), `suggested_probability` that of the most probable other one,
        `verdict` is empty for the reviewer.
    """
    judged = ~np.isnan(probabilities).any(axis=1)
    table, probabilities = table[judged].reset_index(drop=True), probabilities[judged]
    labels = table["species"].map(list(class_names).index).to_numpy(dtype=int)
    suspected, quality = label_issues(labels, probabilities)
    rows = np.arange(len(table))
    others = probabilities.copy()
    others[rows, labels] = -1
    suggested = others.argmax(axis=1)
    review = pd.DataFrame(
        {
            "id": table["id"],
            "file": table["file"],
            "given_species": table["species"],
            "suggested_species": [class_names[number] for number in suggested],
            "label_quality": quality.round(_DIGITS),
            "suggested_probability": probabilities[rows, suggested].round(_DIGITS),
            "observer": table["observer"],
            "observation_url": table["observation_url"],
            "split": table["split"],
            "verdict": "",
        }
    )
    if VERDICT in table:  # a person has decided
        suspected &= (table[VERDICT] == "").to_numpy()
    return review[suspected].sort_values(["label_quality", "id"], ignore_index=True)


def review_summary(
    table: pd.DataFrame, probabilities: np.ndarray, class_names: Sequence[str], suspected: int
) -> str:
    """Return one line: how many labels are suspected, how good the model is, what was not judged.

    A model that agrees with few labels is a poor judge, and its list is worth little.
    """
    judged = ~np.isnan(probabilities).any(axis=1)
    summary = f"{suspected} of {int(judged.sum())} labels suspected"
    if judged.any():
        predicted = np.array(class_names, dtype=object)[probabilities[judged].argmax(axis=1)]
        agreement = float((table["species"][judged] == predicted).mean())
        summary += f" by a model that agrees with {agreement:.0%} of them"
    if judged.all():
        return summary
    unjudged = ", ".join(
        f"{photos} of {species}"
        for species, photos in table["species"][~judged].value_counts(sort=False).items()
    )
    return f"{summary}; not judged (too few observer-days): {unjudged}"


def review_thumbnails(
    review: pd.DataFrame, table: pd.DataFrame, paths: Sequence[Path]
) -> list[Thumbnail]:
    """Make thumbnails of the first `PHOTOS_PER_PAGE` suspected labels, given → suggested species.

    Raises:
        UserError: if a photo is unreadable.
    """
    shown = review.head(PHOTOS_PER_PAGE)
    numbers = pd.Series(range(len(table)), index=table["id"])[shown["id"]].tolist()
    return make_thumbnails(
        table.iloc[numbers],
        [paths[number] for number in numbers],
        list(shown["suggested_species"]),
        [f"{probability:.1%} probability" for probability in shown["suggested_probability"]],
    )
