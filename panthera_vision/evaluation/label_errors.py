"""Labels that are likely wrong, for a person to look at.

Confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021) needs the probabilities of a model that has not seen the label which
it judges. The features are therefore those of the backbone as ImageNet left it: a fine-tuned
trunk has learned the training photos' labels, wrong ones too, and finds some of those plausible.
Only a logistic regression over the features is fitted, on the other folds' labels.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.reporting.thumbnails import Thumbnail, make_thumbnails

PHOTOS_PER_PAGE = 200
_DIGITS = 4


def pretrained_features(
    paths: Sequence[Path], *, backbone: str, image_size: int, batch_size: int, threads: int
) -> np.ndarray:
    """L2-normalised features (N, dimension) of photo files by a backbone that saw no label of ours.

    Raises:
        UserError: a file can't be read as a photo, or the ImageNet weights can't be had.
    """
    kind = BACKBONES[backbone]
    # A head is part of every model; the features are taken before it.
    head = ("unused",)
    model = TrainedModel(
        pretrained_classifier(kind, head), kind.name, head, kind.preprocessing(image_size)
    )
    return Predictor(model).embeddings_of_files(paths, batch_size=batch_size, threads=threads)


def cross_validated_probabilities(
    features: np.ndarray,
    labels: np.ndarray,
    groups: Sequence[str],
    *,
    class_count: int,
    folds: int,
    seed: int,
) -> np.ndarray:
    """The probability of each class for each photo, by a model that saw none of its group.

    There are fewer folds where a class has fewer groups, but for a class of one group, which can't
    be judged.

    Args:
        features: (N, dimension).
        labels: class numbers (N,).
        groups: each photo's group; no group is divided among folds.
        class_count: how many classes there are.
        folds: how many parts the photos are divided into, each judged by the others.
        seed: of the division.

    Returns:
        Probabilities (N, class_count). A row is NaN where the photo's class has no photo outside
        its fold: nothing can be said about it then.
    """
    probabilities = np.full((len(labels), class_count), np.nan)
    for fitted, judged in _folds(labels, groups, folds=folds, seed=seed):
        known = np.unique(labels[fitted])
        if len(known) < 2:
            continue
        # For features of length 1 this penalty is strong: it does not follow single wrong labels.
        regression = LogisticRegression(C=1.0, max_iter=1000)
        regression.fit(features[fitted], labels[fitted])
        can_be_judged = judged[np.isin(labels[judged], known)]
        if len(can_be_judged):
            probabilities[can_be_judged] = 0.0
            probabilities[np.ix_(can_be_judged, known)] = regression.predict_proba(
                features[can_be_judged]
            )
    return probabilities


def _folds(
    labels: np.ndarray, groups: Sequence[str], *, folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Row numbers to fit on and to judge, for each fold; none where no class can be divided."""
    pairs = pd.DataFrame({"label": labels, "group": list(groups)})
    groups_of_class = pairs.groupby("label")["group"].nunique()
    divisible = groups_of_class[groups_of_class >= 2]
    if divisible.empty:
        return []
    splitter = StratifiedGroupKFold(
        n_splits=min(folds, int(divisible.min())), shuffle=True, random_state=seed
    )
    with warnings.catch_warnings():
        # A class that cannot be divided is not judged, and `review_summary` says so.
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(labels, labels, pairs["group"]))


def suspected_labels(
    table: pd.DataFrame, probabilities: np.ndarray, class_names: Sequence[str]
) -> pd.DataFrame:
    """The photos whose species is likely wrong, the least plausible label first.

    Args:
        table: rows of `photos.csv` with their splits, N of them.
        probabilities: of `cross_validated_probabilities`, (N, classes); rows of NaN are not judged.
        class_names: in the order of the probabilities; all species of `table` are among them.

    Returns:
        One row a suspected label. `label_quality` is the probability of the given species, 0
        where it is surely wrong; `suggested_probability` that of the likeliest other species.
        `verdict` is empty, for whoever looks at the photo.
    """
    judged = ~np.isnan(probabilities).any(axis=1)
    table, probabilities = table[judged].reset_index(drop=True), probabilities[judged]
    numbers = {name: number for number, name in enumerate(class_names)}
    labels = table["species"].map(numbers).to_numpy(dtype=int)
    suspected, quality = _issues(labels, probabilities)
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
    order = ["label_quality", "id"]
    return review[suspected].sort_values(order, ignore_index=True)


def _issues(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which labels are suspected (N,), and the quality of all (N,), by confident learning."""
    # Classes without a judged photo have no column: the method has no threshold for them.
    there, compact = np.unique(labels, return_inverse=True)
    if len(there) < 2:
        return np.zeros(len(labels), dtype=bool), np.ones(len(labels))
    compact_probabilities = probabilities[:, there]
    compact_probabilities = compact_probabilities / compact_probabilities.sum(axis=1, keepdims=True)
    quality = get_label_quality_scores(compact, compact_probabilities, method="self_confidence")
    # How many labels are wrong is estimated class by class; which ones, the list's order says.
    suspected = find_label_issues(
        compact, compact_probabilities, filter_by="low_self_confidence", n_jobs=1
    )
    return suspected & (compact_probabilities.argmax(axis=1) != compact), quality


def review_summary(
    table: pd.DataFrame, probabilities: np.ndarray, class_names: Sequence[str], suspected: int
) -> str:
    """One phrase: how many labels are suspected, how able their judge is, what was not judged.

    A judge that agrees with few labels knows little, and so does its list.

    Args:
        table, probabilities, class_names: as for `suspected_labels`.
        suspected: how many labels are.
    """
    judged = ~np.isnan(probabilities).any(axis=1)
    summary = f"{suspected} of {int(judged.sum())} labels suspected"
    if judged.any():
        likeliest = np.array(class_names, dtype=object)[probabilities[judged].argmax(axis=1)]
        agreement = float((table["species"][judged] == likeliest).mean())
        summary += f" by a model that agrees with {agreement:.0%}"
    if judged.all():
        return summary
    unjudged = ", ".join(
        f"{photos} of {species}"
        for species, photos in table["species"][~judged].value_counts(sort=False).items()
    )
    return f"{summary}; not judged, as too few observers' days have the species: {unjudged}"


def review_tiles(
    review: pd.DataFrame, table: pd.DataFrame, paths: Sequence[Path]
) -> list[Thumbnail]:
    """Tiles of the first `PHOTOS_PER_PAGE` suspected labels, given species → suggested one.

    Args:
        review: of `suspected_labels`.
        table: rows of `photos.csv`, N of them.
        paths: their photos.

    Raises:
        UserError: a photo can't be read.
    """
    shown = review.head(PHOTOS_PER_PAGE)
    numbers = pd.Series(range(len(table)), index=table["id"])[shown["id"]].tolist()
    return make_thumbnails(
        table.iloc[numbers],
        [paths[number] for number in numbers],
        list(shown["suggested_species"]),
        list(shown["suggested_probability"]),
    )
