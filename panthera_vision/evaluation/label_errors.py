"""Find label errors by confident learning (cleanlab), as a list for manual review.

A fine-tuned backbone has learned the training labels, wrong ones included, so the features come
from the backbone with its ImageNet weights; see `data/confident_learning.py`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from torch.nn import functional

from panthera_vision.data.apply_corrections import VERDICT
from panthera_vision.data.confident_learning import (
    cross_validated_probabilities,
    label_issues,
)
from panthera_vision.data.corrections import SPECIES
from panthera_vision.data.splits import observation_groups
from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.evaluation.review_ranking import (
    LabeledFeatures,
    near_corrected,
    neighbor_probabilities,
    review_priority,
)
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Outputs, pretrained_classifier
from panthera_vision.models.label_sets import species_rows
from panthera_vision.parameters import ReviewParameters, TrainParameters
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails

PHOTOS_PER_PAGE = 200
_DIGITS = 4
_SUSPECTED = 0.5  # priority above which the judges together prefer another species


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
    outputs, knows_species = _pretrained_outputs(paths, class_names, review, train)
    features = functional.normalize(outputs.features).numpy()
    labeled = LabeledFeatures(
        features,
        photos["species"].map(class_names.index).to_numpy(dtype=int),
        list(observation_groups(photos, "observer_day")),
        len(class_names),
    )
    probabilities = cross_validated_probabilities(
        features,
        labeled.labels,
        labeled.groups,
        class_count=len(class_names),
        folds=review.folds,
        seed=review.seed,
    )
    judges = [probabilities, neighbor_probabilities(labeled)]
    if knows_species:
        judges.append(outputs.logits.softmax(1).numpy())
    priority = review_priority(labeled, judges)
    if VERDICT in photos:
        corrected = (photos[VERDICT] == SPECIES).to_numpy()
        priority = np.maximum(priority, near_corrected(labeled, corrected))
    suspected = suspected_labels(photos, probabilities, class_names, priority)
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


def _pretrained_outputs(
    paths: Sequence[Path],
    class_names: Sequence[str],
    review: ReviewParameters,
    train: TrainParameters,
) -> tuple[Outputs, bool]:
    """Return the pretrained network's outputs, and whether its head knows every species."""
    backbone = find_backbone(train.backbone, weights=train.weights, image_size=train.image_size)
    names = tuple(class_names)
    network = pretrained_classifier(backbone, names).eval()
    model = TrainedModel(network, backbone, names, backbone.preprocessing)
    outputs = Predictor(model).outputs_of_files(
        paths, batch_size=review.batch_size, threads=review.num_threads
    )
    return outputs, set(names) <= set(species_rows(backbone.labels))


def suspected_labels(
    table: pd.DataFrame,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    priority: np.ndarray,
) -> pd.DataFrame:
    """List the photos whose label is probably wrong and was not reviewed, the worst first.

    Args:
        table: rows of `photos.csv` with their splits, N of them.
        probabilities: from `cross_validated_probabilities`, (N, classes); NaN rows are skipped.
        class_names: all species of `table`, in the order of the probabilities.
        priority: from `review_priority` (N,); labels above 0.5 are suspected, too.

    Returns:
        One row per suspected label, sorted by `priority`. `label_quality` is the probability of the
        given species (cleanlab's self-confidence), `suggested_probability` that of the most
        probable other one, `verdict` is empty for the reviewer.
    """
    judged = ~np.isnan(probabilities).any(axis=1)
    table, probabilities = table[judged].reset_index(drop=True), probabilities[judged]
    priority = priority[judged]
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
            "priority": priority.round(_DIGITS),
            "label_quality": quality.round(_DIGITS),
            "suggested_probability": probabilities[rows, suggested].round(_DIGITS),
            "observer": table["observer"],
            "observation_url": table["observation_url"],
            "split": table["split"],
            "verdict": "",
        }
    )
    suspected |= priority > _SUSPECTED
    if VERDICT in table:  # a person has decided
        suspected &= (table[VERDICT] == "").to_numpy()
    order = review[suspected].sort_values(["priority", "id"], ascending=[False, True])
    return order.reset_index(drop=True)


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
