"""Tabulate what benchmarks/quality.py measures: accuracy, calibration, OOD scores, encounters."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.special import softmax

from benchmarks import combination_rules
from benchmarks.combination_rules import ANSWERS, THIS_PROJECT
from benchmarks.encounter_sets import corner, draw, encounter_photos, random_encounters
from benchmarks.folders import Divided
from benchmarks.harness import Recipe, interval, table
from benchmarks.ood_scores import fit_ood_scores
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.calibration import calibration_metrics, risk_coverage
from panthera_vision.evaluation.ood import ood_detection_metrics
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.label_sets import own_classes
from panthera_vision.models.ood import OODHead
from panthera_vision.training.dataset import LabeledPhotos

_SPEED_PHOTOS, _SPEED_ROUNDS = 64, 3
_PARTITIONS = 100
Metrics = Callable[[np.ndarray], dict[str, float]]


@dataclass(frozen=True)
class Photos:
    """Hold a named set of labeled photos; `names` are those of their classes."""

    title: str
    labeled: LabeledPhotos
    names: tuple[str, ...] = ()

    @property
    def labels(self) -> np.ndarray:
        """Return class numbers (N,)."""
        return np.asarray(self.labeled.labels)


@dataclass(frozen=True)
class Training:
    """Hold a trained recipe with its split, OOD threshold and share of fine-tuned weights."""

    recipe: Recipe
    data: Divided
    threshold: float
    share: float

    def accepts(self, photos: Sequence[Path]) -> np.ndarray:
        """Return whether each photo's OOD score is at or below the threshold (N,)."""
        scores = self.recipe.outputs(photos).ood_scores.numpy()
        return np.asarray(scores <= self.threshold)


def compare_recipes(
    tutorial: Recipe, untrained: Recipe, trainings: Sequence[Training], source: Photos
) -> str:
    """Tabulate accuracy on validation, test and second-source photos, and by species."""
    names = trainings[0].data.class_names
    rows = []
    first = trainings[0].data
    runs = [(untrained, first), (tutorial, first), *((t.recipe, t.data) for t in trainings)]
    for recipe, data in runs:
        if recipe is untrained:
            recipe.validation_accuracy = recipe.hits(data.validation).mean()
        hits = recipe.hits(source.labeled)
        row = [recipe.name, f"{recipe.minutes:.1f}", f"{recipe.validation_accuracy:.3f}"]
        row += [interval(recipe.hits(data.test)), interval(hits)]
        rows.append(row + _by_class(hits, source.labels, len(names)))
    hits = _mean_hits(trainings, source)
    by_class = _by_class(hits, source.labels, len(names))
    rows.append(["**(c) this project, mean**", "", "", "", f"**{interval(hits)}**", *by_class])
    shares = ", ".join(f"{training.share}" for training in trainings)
    header = ["recipe", "minutes", "validation", "test", "second source", *names]
    return table(header, rows) + f"\n\nShares of the fine-tuned weights: {shares}."


def _by_class(hits: np.ndarray, labels: np.ndarray, classes: int) -> list[str]:
    return [f"{hits[labels == number].mean():.3f}" for number in range(classes)]


def _mean_hits(trainings: Sequence[Training], photos: Photos) -> np.ndarray:
    """Return for each photo the share of trainings that classify it correctly (N,)."""
    hits = [training.recipe.hits(photos.labeled) for training in trainings]
    return np.asarray(np.mean(hits, axis=0))


def differences(
    tutorial: Recipe, untrained: Recipe, trainings: Sequence[Training], source: Photos
) -> str:
    """Tabulate paired differences of accuracy, with bootstrap intervals over photos."""
    baselines = {recipe.name: recipe.hits(source.labeled) for recipe in (untrained, tutorial)}
    rows = []
    for training in trainings:
        hits = training.recipe.hits(source.labeled)
        rows.append([training.recipe.name, *(interval(hits - b) for b in baselines.values())])
    hits = _mean_hits(trainings, source)
    rows.append(["**mean**", *(f"**{interval(hits - b)}**" for b in baselines.values())])
    return table(["", *(f"minus {name}" for name in baselines)], rows)


def calibration(trainings: Sequence[Training], source: Photos) -> str:
    """Tabulate ECE, NLL, Brier score and coverage at 99% accuracy, at the fitted temperature."""
    rows = []
    for training in trainings:
        recipe = training.recipe
        for title, photos in (("test", training.data.test), (source.title, source.labeled)):
            logits, labels = recipe.outputs(photos.paths).logits.numpy(), np.asarray(photos.labels)
            for temperature in (1.0, recipe.temperature):
                probabilities = softmax(logits / temperature, axis=1)
                values = calibration_metrics(probabilities, labels).values()
                curve = risk_coverage(
                    probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
                )
                point = curve.at_accuracy(0.99)
                coverage = f"{point[1]:.1%}" if point else "none"
                figures = [f"{value:.3f}" for value in values]
                rows.append([recipe.name, title, f"{temperature:.2f}", *figures, coverage])
    header = ["", "photos", "temperature", "ECE (15 bins)", "NLL", "Brier"]
    return table([*header, "coverage at 99% accuracy"], rows)


def refusals(
    trainings: Sequence[Training], source: Photos, others: Photos, far: Sequence[Path] | None
) -> str:
    """Tabulate which photos each training's OOD threshold refuses, and AUROC."""
    rows = []
    for training in trainings:
        recipe, test = training.recipe, training.data.test
        refused = 1.0 - training.accepts(others.labeled.paths)
        scores = [
            recipe.outputs(photos.paths).ood_scores.numpy()
            for photos in (test, source.labeled, others.labeled)
        ]
        row = [
            recipe.name,
            f"{1 - training.accepts(test.paths).mean():.3f}",
            interval(1.0 - training.accepts(source.labeled.paths)),
            interval(refused),
            *_by_class(refused, others.labels, len(others.names)),
            *(f"{ood_detection_metrics(own, scores[2])['auroc']:.3f}" for own in scores[:2]),
        ]
        rows.append(row + ([interval(1.0 - training.accepts(far))] if far else []))
    header = [
        "share refused of:",
        "test photos",
        source.title,
        others.title,
        *(f"*{name}*" for name in others.names),
        f"AUROC, {others.title} against test",
        f"AUROC, against {source.title}",
    ]
    return table(header + (["anything else"] if far else []), rows)


def ood_scores(training: Training, source: Photos, others: Photos) -> str:
    """Tabulate AUROC and FPR@95TPR of OOD scores from the literature beside the checkpoint's."""
    recipe, train = training.recipe, training.data.train
    ood_head = recipe.classifier.ood_head
    assert isinstance(ood_head, OODHead)
    own_rows = own_classes("imagenet-1k", training.data.class_names)
    outputs = [recipe.outputs(photos.paths) for photos in (source.labeled, others.labeled)]
    fitted = fit_ood_scores(
        recipe.outputs(train.paths), np.asarray(train.labels), ood_head.imagenet, own_rows
    )
    scores = {name: [score(each) for each in outputs] for name, score in fitted.items()}
    scores["**the OOD score of the checkpoint**"] = [each.ood_scores.numpy() for each in outputs]
    rows = []
    for name, (own, strange) in scores.items():
        metrics = ood_detection_metrics(own, strange)
        cells = [f"{metrics['auroc']:.3f}", f"{metrics['fpr_at_95_tpr']:.3f}"]
        for number in range(len(others.names)):
            one = ood_detection_metrics(own, strange[others.labels == number])
            cells.append(f"{one['auroc']:.3f}")
        rows.append([name, *cells])
    header = [f"{others.title} against {source.title}", "AUROC", "FPR@95TPR"]
    return table([*header, *(f"AUROC *{name}*" for name in others.names)], rows)


def encounters(trainings: Sequence[Training], source: Photos) -> str:
    """Tabulate what combining photos gains: random triples, and a photo with two empty frames."""
    rows = []
    everything, paths = np.arange(len(source.labels)), source.labeled.paths
    for training in trainings:
        of_paths = partial(encounter_photos, training.recipe, training.threshold, paths)
        triples = partial(_gain_of_triples, of_paths(None), source.labels)
        bursts = partial(_gain_of_rows, of_paths(None, corner(False), corner(True)), source.labels)
        partitions = [triples(everything, seed) for seed in range(_PARTITIONS)]
        mean = {key: float(np.mean([one[key] for one in partitions])) for key in partitions[0]}
        measured: tuple[tuple[str, dict[str, float], Metrics], ...] = (
            ("three random photos of one species", mean, triples),
            ("one photo and two empty frames", bursts(everything), bursts),
        )
        for title, value, metrics in measured:
            low, high = bootstrap_intervals(metrics, [str(row) for row in everything])["gain"]
            cells = [f"{value['one']:.3f}", f"{value['combined']:.3f}"]
            gain = f"{value['gain']:+.3f} ({low:+.3f} to {high:+.3f})"
            rows.append([training.recipe.name, title, *cells, gain])
    return table(["", "photos", "one by one", "combined", "gain"], rows)


def _gain_of_triples(
    photos: combination_rules.Photos, labels: np.ndarray, rows: np.ndarray, seed: int = 0
) -> dict[str, float]:
    drawn = draw(rows, labels, 3, seed)
    return _gain(random_encounters(photos, drawn), labels[drawn[:, 0]])


def _gain_of_rows(
    photos: combination_rules.Photos, labels: np.ndarray, rows: np.ndarray
) -> dict[str, float]:
    return _gain(photos.of(rows), labels[rows])


def _gain(photos: combination_rules.Photos, labels: np.ndarray) -> dict[str, float]:
    one = float((photos.probabilities.argmax(axis=2) == labels[:, None]).mean())
    combined = float((ANSWERS[THIS_PROJECT](photos).argmax(axis=1) == labels).mean())
    return {"one": one, "combined": combined, "gain": combined - one}


def compare_backbones(
    untrained: Sequence[Recipe], trained: Mapping[str, Recipe], source: Photos
) -> str:
    """Tabulate second-source accuracy and speed; the first backbone is the one to compare with.

    Args:
        untrained: a recipe with ImageNet's head for each backbone, of its name.
        trained: fine-tuned ones by name.
        source: the second source.
    """
    seconds = np.full((_SPEED_ROUNDS, len(untrained)), np.inf)
    photos = source.labeled.paths[:_SPEED_PHOTOS]
    for turn in range(_SPEED_ROUNDS):
        for number, recipe in enumerate(untrained):
            start = time.process_time()
            recipe.run(photos)
            seconds[turn, number] = (time.process_time() - start) / len(photos)
    best = seconds.min(axis=0)
    rows = []
    first = untrained[0].hits(source.labeled)
    for recipe, cost in zip(untrained, best, strict=True):
        hits = recipe.hits(source.labeled)
        fine_tuned = trained.get(recipe.name)
        after = interval(fine_tuned.hits(source.labeled)) if fine_tuned else ""
        paired = "" if recipe is untrained[0] else interval(hits - first)
        size = str(find_backbone(recipe.name).preprocessing.image_size)
        speed = f"{best[0] / cost:.2f}"
        rows.append([recipe.name, size, interval(hits), paired, after, speed])
    header = ["backbone", "size", "pretrained ImageNet head", "difference to the first"]
    return table([*header, "fine-tuned, one training", "photos per CPU second, relative"], rows)
