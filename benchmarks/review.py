"""Measure what a reviewer's time is worth: which order finds wrong labels, and what that brings.

Wrong labels are planted in panthera_photos; a simulated reviewer, who knows the truth, corrects
those among the first photos of an order; a linear head on the pretrained features is trained again
and measured on second_source. The real labels of panthera_photos, a few of which are wrong, count
as the truth. Writes benchmarks/review.md and docs/images/review_order.png.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from benchmarks.folders import labeled, species_below
from benchmarks.harness import interval, table
from panthera_vision.cli.runner import run
from panthera_vision.data.confident_learning import cross_validated_probabilities, label_issues
from panthera_vision.evaluation.review_ranking import (
    LabeledFeatures,
    neighbor_probabilities,
    review_priority,
)
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.io.atomic import write_text
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.palette import COLORS

SEEDS = (17, 18, 19)
NOISE = (0.05, 0.1, 0.2)
REVIEWED = (0.02, 0.05, 0.1)
FOLDS = 5
# Most mistakes among the five species are between these two; four times as likely to be planted.
CONFUSED = ("Panthera onca", "Panthera pardus")
_CONFUSED_WEIGHT = 4.0
THIS, CLEANLAB, RANDOM = "this project", "cleanlab", "random"
ORDERS = (THIS, CLEANLAB, RANDOM)
_CURVE_NOISE = 0.1


@dataclass(frozen=True)
class Photos:
    """Hold features (N, dimension), probabilities of the ImageNet head (N, 5) and labels (N,)."""

    features: np.ndarray
    imagenet: np.ndarray
    labels: np.ndarray


def look_at(folder: Path, names: tuple[str, ...], backbone_name: str) -> Photos:
    """Run the pretrained network on labeled photos."""
    backbone = find_backbone(backbone_name)
    network = pretrained_classifier(backbone, names).eval()
    model = TrainedModel(network, backbone, names, backbone.preprocessing)
    photos = labeled(folder, names)
    outputs = Predictor(model, precision="fp32").outputs_of_files(photos.paths, batch_size=32)
    features = functional.normalize(outputs.features).numpy()
    return Photos(features, outputs.logits.softmax(1).numpy(), np.asarray(photos.labels))


def plant(
    truth: np.ndarray, share: float, confused: Sequence[int], random: np.random.Generator
) -> np.ndarray:
    """Return labels (N,) of which a share is wrong, more often between two confused classes.

    Args:
        truth: class numbers (N,).
        share: of wrong labels.
        confused: two classes whose photos get each other's label; empty: all are alike.
        random: draws the photos and their labels.
    """
    weights = np.where(np.isin(truth, confused), _CONFUSED_WEIGHT, 1.0)
    count = round(share * len(truth))
    rows = random.choice(len(truth), count, replace=False, p=weights / weights.sum())
    labels, classes = truth.copy(), int(truth.max()) + 1
    labels[rows] = (truth[rows] + random.integers(1, classes, count)) % classes
    for one, other in (confused, tuple(reversed(confused))) if len(confused) else ():
        labels[rows[truth[rows] == one]] = other
    return labels


def cross_validate(photos: Photos, seed: int) -> np.ndarray:
    """Return out-of-sample class probabilities (N, classes)."""
    return cross_validated_probabilities(
        photos.features,
        photos.labels,
        _groups(photos),
        class_count=int(photos.labels.max()) + 1,
        folds=FOLDS,
        seed=seed,
    )


def _groups(photos: Photos) -> list[str]:
    return [str(number) for number in range(len(photos.labels))]


def orders(photos: Photos, crossed: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return the rows of all photos in each order of review."""
    count, classes = crossed.shape
    known = LabeledFeatures(photos.features, photos.labels, _groups(photos), classes)
    priority = review_priority(known, [crossed, neighbor_probabilities(known), photos.imagenet])
    _, quality = label_issues(photos.labels, crossed)
    return {
        THIS: np.argsort(-priority, kind="stable"),
        CLEANLAB: np.argsort(quality, kind="stable"),
        RANDOM: np.random.default_rng(seed).permutation(count),
    }


def train_and_measure(photos: Photos, doubted: np.ndarray, source: Photos) -> np.ndarray:
    """Return 1.0 for each photo of the second source that is right after training (M,).

    Args:
        photos: to train on.
        doubted: labels that the training drops (N,).
        source: to measure on.
    """
    head = LogisticRegression(C=10, max_iter=2000)
    head.fit(photos.features[~doubted], photos.labels[~doubted])
    return np.asarray(head.predict(source.features) == source.labels, dtype=float)


# Kind of noise, share of wrong labels, order, share of photos that were looked at.
Key = tuple[str, float, str, float]
Hits = dict[Key, list[np.ndarray]]


@dataclass
class Measured:
    """Collect what was found and what it brought."""

    found: dict[Key, list[float]]
    hits: Hits  # with doubted labels dropped
    hits_of_all: Hits  # trained on all labels
    curves: dict[str, list[np.ndarray]]


def measure(photos: Photos, source: Photos, kinds: dict[str, tuple[int, ...]]) -> Measured:
    """Simulate the reviewer for every kind of noise, share, seed and order."""
    result = Measured(defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list))
    for kind, noise, seed in _runs(kinds):
        random = np.random.default_rng(seed)
        noisy = replace(photos, labels=plant(photos.labels, noise, kinds[kind], random))
        wrong = noisy.labels != photos.labels
        crossed = cross_validate(noisy, seed)
        doubted, _ = label_issues(noisy.labels, crossed)
        none = np.zeros_like(doubted)
        result.hits[kind, noise, "nobody", 0].append(train_and_measure(noisy, doubted, source))
        result.hits_of_all[kind, noise, "nobody", 0].append(train_and_measure(noisy, none, source))
        for name, order in orders(noisy, crossed, seed).items():
            found = wrong[order].cumsum() / wrong.sum()
            if kind == "confused" and noise == _CURVE_NOISE:
                result.curves[name].append(found)
            for share in REVIEWED:
                looked_at = order[: round(share * len(order))]
                labels = noisy.labels.copy()
                labels[looked_at] = photos.labels[looked_at]
                corrected = replace(noisy, labels=labels)
                rest = doubted.copy()
                rest[looked_at] = False  # as in the recipe, reviewed labels are never dropped
                key = (kind, noise, name, share)
                result.found[key].append(float(found[len(looked_at) - 1]))
                result.hits[key].append(train_and_measure(corrected, rest, source))
                result.hits_of_all[key].append(train_and_measure(corrected, none, source))
    return result


def _runs(kinds: dict[str, tuple[int, ...]]) -> Iterator[tuple[str, float, int]]:
    for kind in kinds:
        for noise in NOISE:
            for seed in SEEDS:
                yield kind, noise, seed


def found_table(measured: Measured, kinds: Sequence[str]) -> str:
    """Tabulate the share of the wrong labels found; the most that is possible beside it."""
    header = ["planted", "reviewed", "at most", *ORDERS]
    rows = []
    for kind in kinds:
        for noise in NOISE:
            for share in REVIEWED:
                most = min(1.0, share / noise)
                found = [np.mean(measured.found[kind, noise, name, share]) for name in ORDERS]
                cells = [f"{value:.2f}" for value in (most, *found)]
                rows.append([f"{noise:.0%}, {kind}", f"{share:.0%}", *cells])
    return table(header, rows)


def accuracy_table(measured: Hits, kinds: Sequence[str]) -> str:
    """Tabulate accuracy on the second source after training, and paired differences."""
    header = ["planted", "reviewed", "nobody", *ORDERS, f"{THIS} minus nobody"]
    header.append(f"{THIS} minus {RANDOM}")
    rows = []
    for kind in kinds:
        for noise in NOISE:
            for share in REVIEWED:
                hits = {
                    name: np.mean(measured[kind, noise, name, share], axis=0) for name in ORDERS
                }
                nobody = np.mean(measured[kind, noise, "nobody", 0], axis=0)
                row = [f"{noise:.0%}, {kind}", f"{share:.0%}", f"{nobody.mean():.3f}"]
                row += [f"{hits[name].mean():.3f}" for name in ORDERS]
                row += [interval(hits[THIS] - nobody), interval(hits[THIS] - hits[RANDOM])]
                rows.append(row)
    return table(header, rows)


def plot_curves(measured: Measured, path: Path) -> None:
    """Plot the share of wrong labels found by the share of photos looked at."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for (name, curves), color, style in zip(
        measured.curves.items(), COLORS, ("-", "--", ":"), strict=False
    ):
        mean = np.mean(curves, axis=0)
        shares = np.arange(1, len(mean) + 1) / len(mean)
        axes.plot(100 * shares, 100 * mean, style, color=color, label=name, linewidth=2)
    axes.set(
        xlim=(0, 40),
        ylim=(0, 102),
        xlabel="photos looked at (%)",
        ylabel="wrong labels found (%)",
        title=f"{_CURVE_NOISE:.0%} wrong labels, mostly jaguars and leopards confused",
    )
    axes.legend(title="order")
    axes.grid(alpha=0.3)
    save_figure(figure, path)


def main(arguments: argparse.Namespace) -> str:
    """Measure all orders and write the page."""
    configure_process()
    names = species_below(arguments.data / "panthera_photos")
    photos, source = (
        look_at(arguments.data / folder, names, arguments.backbone)
        for folder in ("panthera_photos", "second_source")
    )
    kinds = {"any species": (), "confused": tuple(names.index(name) for name in CONFUSED)}
    measured = measure(photos, source, kinds)
    doubted, _ = label_issues(photos.labels, cross_validate(photos, SEEDS[0]))
    clean = train_and_measure(photos, doubted, source)
    page = f"""# Which labels to look at first

Written by `make benchmark-review`.

- {len(photos.labels)} photos of panthera_photos with planted wrong labels, {len(SEEDS)} seeds; \
a linear head on features of {arguments.backbone}, not the whole recipe; measured on \
{len(source.labels)} photos of second_source
- "any species": each wrong label is any other species; "confused": jaguars and leopards are four \
times as likely to be wrong, and get each other's label
- the real labels, a few of which are wrong, count as the truth: an order that finds these, too, \
looks worse than it is
- without planted labels, the head is right on {interval(clean)} of second_source

## Share of the wrong labels found

"At most" is what a perfect order finds.

{found_table(measured, list(kinds))}

## Accuracy on the second source after training again

Intervals are 95% bootstrap intervals of paired differences over photos, means over seeds.

With labels dropped that cross-validation doubts (`train.doubtful_labels: drop`, the default), \
unless they were reviewed:

{accuracy_table(measured.hits, list(kinds))}

With all labels (`keep`):

{accuracy_table(measured.hits_of_all, list(kinds))}
"""
    write_text(arguments.out, page)
    plot_curves(measured, arguments.plot)
    return f"review: {arguments.out}, {arguments.plot}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.review", description=__doc__)
parser.add_argument("data", type=Path, help="folder with panthera_photos/ and second_source/")
parser.add_argument("out", type=Path, nargs="?", default=Path("benchmarks/review.md"))
parser.add_argument("--plot", type=Path, default=Path("docs/images/review_order.png"))
parser.add_argument("--backbone", default="efficientnet_lite1")

if __name__ == "__main__":
    run(main, parser)
