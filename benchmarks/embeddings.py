"""Which vectors should photos be searched by? Measures many, each photo seen once by each network.

DATA needs panthera_photos/<Species>/ and other_felids/<Species>/ with photos.
"""

import argparse
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks import harness as measured
from benchmarks.embedding_features import (
    Change,
    Features,
    TwoNetworks,
    alteration,
    as_it_is,
    middle,
    mirrored,
    shift,
)
from benchmarks.embedding_kinds import KINDS, Kind
from benchmarks.folders import Divided, divide, labelled, species_below
from benchmarks.quality import PARAMETERS
from benchmarks.shifts import SHIFTS
from panthera_vision.cli.runner import run
from panthera_vision.io.atomic import write_text
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.checkpoint import TrainedModel, load_checkpoint
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.search.evaluation.metrics import SearchFunction, leave_one_out, originals_found
from panthera_vision.search.evaluation.perturbations import ALTERATIONS
from panthera_vision.training.dataset import LabeledPhotos
from panthera_vision.training.trainer import fine_tune

EPOCHS = 4
SEED = 17
# Of so many photos, copies are made.
SAMPLE = 120
EASY = ("mirrored", "cropped", "darker", "brighter")
VIEWS: tuple[Change, ...] = (as_it_is, mirrored, middle)


@dataclass(frozen=True)
class Seen:
    """What the networks saw of each photo: a list of views, or of one where no more are measured.

    Attributes:
        gallery: the photos that are searched (train and validation).
        test: the photos searched with.
        sample: rows of the test photos that were changed and copied.
        shifted: these, changed as in `benchmarks/shifts.py`, by shift.
        copies: their altered copies, by alteration.
        others: photos of species that no training has seen, searched with one another.
        others_sample: rows of those that were copied.
        others_copies: their altered copies, by alteration.
    """

    gallery: list[Features]
    test: list[Features]
    sample: np.ndarray
    shifted: dict[str, list[Features]]
    copies: dict[str, list[Features]]
    others: list[Features]
    others_sample: np.ndarray
    others_copies: dict[str, list[Features]]


def look(model: TrainedModel, data: Divided, others: LabeledPhotos) -> Seen:
    """Every photo through both networks, once for each view and change."""
    untrained = pretrained_classifier(BACKBONES[model.backbone], data.class_names)
    networks = TwoNetworks(untrained, model)
    gallery, test = [*data.train.paths, *data.validation.paths], list(data.test.paths)
    sample, others_sample = drawn(len(test)), drawn(len(others.paths))
    few, few_others = [test[n] for n in sample], [others.paths[n] for n in others_sample]

    def views(photos: Sequence[Path], purpose: str, name: str | None = None) -> list[Features]:
        return [
            networks.features(
                photos,
                alteration(name, view) if name else view,
                purpose,
                tuned_only=view is not as_it_is,
            )
            for view in VIEWS
        ]

    return Seen(
        views(gallery, "gallery"),
        views(test, "test"),
        sample,
        {name: [networks.features(few, shift(name), name)] for name in SHIFTS},
        {name: views(few, name, name) for name in ALTERATIONS},
        [networks.features(others.paths, as_it_is, "other cats")],
        others_sample,
        {name: [networks.features(few_others, alteration(name), name)] for name in ALTERATIONS},
    )


def drawn(count: int) -> np.ndarray:
    """`SAMPLE` of so many rows."""
    return np.sort(np.random.default_rng(SEED).permutation(count)[:SAMPLE])


@dataclass(frozen=True)
class Answer:
    """Figures of one kind: one number a query, or for copies one a copy (originals, ways)."""

    precision: np.ndarray
    average_precision: np.ndarray
    shifted: np.ndarray | None
    others: np.ndarray | None
    easy_copies: np.ndarray
    small_copies: np.ndarray
    all_at_once: np.ndarray
    others_copies: np.ndarray | None
    dimension: int


def retrieved(
    vectors: np.ndarray, queries: np.ndarray, labels: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """Precision@10 and average precision (Q, 2) of some of the vectors, among others of them.

    The folders know no observers: each photo is a group of its own.
    """
    groups = [str(number) for number in range(len(vectors))]
    search = exact(vectors, allowed)
    found = leave_one_out(search, vectors[queries], queries, labels, groups, allowed)
    return found.measures[["precision_at_10", "map_at_10"]].to_numpy()


def exact(vectors: np.ndarray, allowed: np.ndarray) -> SearchFunction:
    """Search by comparing with every allowed vector."""

    def search(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        similarities = queries @ vectors[allowed].T
        best = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(similarities, best, 1), allowed[best]

    return search


def measure(kind: Kind, seen: Seen, data: Divided, other_labels: np.ndarray) -> Answer:
    known = np.array([*data.train.labels, *data.validation.labels])
    labels = np.concatenate([known, data.test.labels])
    fitted = kind.fit(seen.gallery[0], known)

    def embed(views: list[Features]) -> np.ndarray:
        return fitted(views[: kind.views])

    gallery, test = embed(seen.gallery), embed(seen.test)
    in_gallery, asked = np.split(np.arange(len(labels)), [len(known)])

    def of_queries(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
        everything = np.concatenate([gallery, test])
        everything[queries] = vectors
        return retrieved(everything, queries, labels, in_gallery)

    def first(
        vectors: np.ndarray, originals: np.ndarray, copies: dict[str, list[Features]]
    ) -> dict[str, np.ndarray]:
        search = exact(vectors, np.arange(len(vectors)))
        contents = [str(number) for number in range(len(vectors))]
        return {
            name: originals_found(search, embed(views), originals, contents).astype(float)
            for name, views in copies.items()
        }

    plain = of_queries(test, asked)
    shifted = others = others_copies = None
    if kind.views == 1:
        few = asked[seen.sample]
        precisions = [of_queries(embed(photos), few)[:, 0] for photos in seen.shifted.values()]
        shifted = np.stack(precisions, axis=1)
        vectors, rows = embed(seen.others), np.arange(len(other_labels))
        others = retrieved(vectors, rows, other_labels, rows)[:, 0]
        found = first(vectors, seen.others_sample, seen.others_copies)
        others_copies = np.stack([found[name] for name in EASY], axis=1)
    copies = first(np.concatenate([gallery, test]), asked[seen.sample], seen.copies)
    return Answer(
        plain[:, 0],
        plain[:, 1],
        shifted,
        others,
        np.stack([copies[name] for name in EASY], axis=1),
        copies["saved small"],
        copies["all at once"],
        others_copies,
        gallery.shape[1],
    )


def interval(values: np.ndarray | None) -> str:
    """The mean over all, with its 95% interval over photos; a dash where it was not measured."""
    return "–" if values is None else measured.interval(values)


def figures(seen: Seen, data: Divided, other_labels: np.ndarray) -> str:
    """The table of all kinds."""
    rows = []
    for kind in KINDS:
        answer = measure(kind, seen, data, other_labels)
        rows.append(
            [
                kind.name,
                str(kind.passes),
                str(answer.dimension),
                interval(answer.precision),
                f"{answer.average_precision.mean():.3f}",
                interval(answer.shifted),
                "–" if answer.others is None else f"{answer.others.mean():.3f}",
                interval(answer.easy_copies),
                f"{answer.small_copies.mean():.3f}",
                f"{answer.all_at_once.mean():.3f}",
                interval(answer.others_copies),
            ]
        )
    return measured.table(
        [
            "vectors",
            "passes",
            "numbers",
            "precision@10",
            "mAP@10",
            "precision@10, shifted",
            "precision@10, other cats",
            "original first: mirrored, cropped, darker, brighter",
            "saved small",
            "all at once",
            "original first, other cats",
        ],
        rows,
    )


def train(data: Divided, epochs: int) -> TrainedModel:
    parameters = read_parameters("train", TrainParameters, PARAMETERS).model_copy(
        update={"backbone": "efficientnet_lite0", "seed": SEED, "epochs": epochs}
    )
    return fine_tune(parameters, data.class_names, data.train, data.validation)


def section(folder: Path, epochs: int = EPOCHS, checkpoint: Path | None = None) -> str:
    """Train, look at all photos, measure every kind; the page's part in Markdown.

    Args:
        folder: has panthera_photos/ and other_felids/.
        epochs: of the training.
        checkpoint: used in place of a training; it must not have seen the test photos.
    """
    start = time.monotonic()
    data = divide(folder / "panthera_photos", SEED)
    felids = folder / "other_felids"
    others = labelled(felids, species_below(felids))
    model = load_checkpoint(checkpoint) if checkpoint else train(data, epochs)
    seen = look(model, data, others)
    body = figures(seen, data, np.array(others.labels))
    minutes = (time.monotonic() - start) / 60
    made = f"--model {checkpoint}" if checkpoint else f"--epochs {epochs}"
    return f"""## Which vectors

- command: `python -m benchmarks.embeddings {folder} OUT {made}`; {minutes:.1f} minutes
- machine: {platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}
- network: {model.backbone}, trained on {len(data.train.paths)} photos, the best epoch chosen by
  {len(data.validation.paths)}; divided at random within each species with seed {SEED}
- {len(data.test.paths)} test photos are searched with, among those; a hit is of the same species
- shifted: {len(seen.sample)} of the test photos, changed in six ways (`benchmarks/shifts.py`)
- other cats: {len(others.paths)} photos of three species that no training saw, each searched with
  among the others, and with copies of {len(seen.others_sample)}; nothing was chosen by them
- original first: altered copies (`panthera_vision/search/evaluation/perturbations.py`) of the same
  {len(seen.sample)} test photos, searched with among all photos of the five species; a hit is the
  very photo, as the first result

Intervals are 95% bootstrap intervals over photos. What is fitted is fitted on the searched photos
alone. "–": not measured.

{body}
"""


def main(arguments: argparse.Namespace) -> str:
    write_text(arguments.out, section(arguments.data, arguments.epochs, arguments.model))
    return f"embeddings: {len(KINDS)} ways measured; {arguments.out}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.embeddings", description=__doc__)
parser.add_argument("data", type=Path, help="folder with panthera_photos/ and other_felids/")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--epochs", type=int, default=EPOCHS, help="of the training")
parser.add_argument("--model", type=Path, help="a checkpoint that has not seen the test photos")

if __name__ == "__main__":
    run(main, parser)
