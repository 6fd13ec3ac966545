"""Measure the pretrained model: accuracy, calibration, and the choice of its OOD score.

Everything is chosen on panthera_photos and one half of other_felids, and reported on
second_source and the other half. The constants of `panthera_vision/models/pretrained.py` are the
temperature and the threshold that this prints.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.metrics import roc_auc_score

from benchmarks.folders import species_below
from benchmarks.harness import interval, table
from panthera_vision.cli.runner import run
from panthera_vision.data.taxonomy import folder_name
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.calibration import calibration_metrics
from panthera_vision.images.folders import photos_below
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.io.atomic import write_text
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.models.label_sets import species_rows
from panthera_vision.models.ood import OODHead
from panthera_vision.models.pretrained import (
    OOD_THRESHOLD,
    PANTHERA,
    TEMPERATURE,
    pretrained_model,
)
from panthera_vision.training.calibration import fit_ood_threshold, fit_temperature

# The share of panthera_photos that the threshold accepts: more than the 95% of trained models,
# because photos from elsewhere score higher.
ACCEPTED = 0.98
# Species to allow, beside all five, in the table that shows that one threshold serves any of them.
SUBSETS = (
    ("Panthera leo", "Panthera tigris"),
    ("Panthera onca", "Panthera uncia"),
    ("Panthera pardus",),
    ("Acinonyx jubatus",),
)
Score = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Photos:
    """Hold the ImageNet logits (N, 1000) of photos by species."""

    logits: dict[str, np.ndarray]

    @property
    def all(self) -> np.ndarray:
        return np.concatenate(list(self.logits.values()))

    def labels(self, names: Sequence[str]) -> np.ndarray:
        """Return the class number of each photo of `all` (N,)."""
        numbers = [np.full(len(x), names.index(name)) for name, x in self.logits.items()]
        return np.concatenate(numbers)

    def halves(self) -> tuple["Photos", "Photos"]:
        """Divide the photos of each species at random."""
        first, second = {}, {}
        for name, logits in self.logits.items():
            rows = list(range(len(logits)))
            Random(17).shuffle(rows)
            first[name], second[name] = logits[rows[::2]], logits[rows[1::2]]
        return Photos(first), Photos(second)


def imagenet_logits(folder: Path, predictor: Predictor) -> Photos:
    """Classify the photos of <folder>/<Species>/."""
    head = predictor.model.classifier.ood_head
    assert isinstance(head, OODHead)
    logits = {}
    for name in species_below(folder):
        paths = photos_below(folder / folder_name(name))
        features = predictor.outputs_of_files(paths, batch_size=32).features
        logits[name] = head.imagenet(features).detach().double().numpy()
    return Photos(logits)


def rows_of(names: Sequence[str]) -> list[int]:
    """Return the ImageNet classes of species."""
    numbers = species_rows("imagenet-1k")
    return [numbers[name] for name in names]


def highest_probability(names: Sequence[str], temperature: float = 1.0) -> Score:
    """Return the score of the pretrained model for these allowed species."""
    rows = rows_of(names)
    return lambda x: -log_softmax(x / temperature, axis=1)[:, rows].max(axis=1) / 2


def scores(fitted_on: Photos) -> dict[str, Score]:
    """Return the OOD scores to choose from; only the class means are fitted on photos."""
    rows = rows_of(PANTHERA)
    rest = np.setdiff1d(np.arange(1000), rows)
    means = np.stack([softmax(x, axis=1).mean(axis=0) for x in fitted_on.logits.values()])

    def bhattacharyya(x: np.ndarray) -> np.ndarray:
        roots = np.exp(log_softmax(x, axis=1) / 2)
        return np.asarray(-np.log((roots @ np.sqrt(means).T).max(axis=1)))

    return {
        "highest probability of an allowed species": highest_probability(PANTHERA),
        "the same, temperature 0.7": highest_probability(PANTHERA, 0.7),
        "the same, temperature 1.5": highest_probability(PANTHERA, 1.5),
        "probability mass of the allowed species": lambda x: (
            logsumexp(x[:, rest], axis=1) - logsumexp(x[:, rows], axis=1)
        ),
        "highest logit of an allowed species": lambda x: -x[:, rows].max(axis=1),
        "distance to class means of panthera_photos (needs photos)": bhattacharyya,
    }


def compare_scores(one: Photos, other: Photos, felids: tuple[Photos, Photos]) -> str:
    """Tabulate the AUROC of all scores where they are chosen and where they are reported."""
    rows = []
    for name, score in scores(one).items():
        chosen, reported = auroc(score, one, felids[0]), auroc(score, other, felids[1])
        threshold = fit_ood_threshold(score(one.all), ACCEPTED)
        refused = float((score(other.all) > threshold).mean())
        told = float((score(felids[1].all) > threshold).mean())
        figures = [f"{chosen:.3f}", f"{reported:.3f}", f"{refused:.3f}", f"{told:.3f}"]
        rows.append([name, *figures])
    return table(["OOD score", "AUROC, choice", "AUROC", "refused", "told"], rows)


def auroc(score: Score, known: Photos, strange: Photos) -> float:
    """Return how well a score tells strangers from known photos."""
    values = np.concatenate([score(known.all), score(strange.all)])
    is_ood = np.repeat([0, 1], [len(known.all), len(strange.all)])
    return float(roc_auc_score(is_ood, values))


def accuracy(photos: dict[str, Photos], names: Sequence[str]) -> str:
    """Tabulate accuracy by species with bootstrap intervals."""
    rows = []
    for name, some in photos.items():
        hits = some.all[:, rows_of(names)].argmax(axis=1) == some.labels(names)
        by_species = [
            f"{(x[:, rows_of(names)].argmax(axis=1) == names.index(species)).mean():.3f}"
            for species, x in some.logits.items()
        ]
        rows.append([name, str(len(hits)), interval(hits.astype(float)), *by_species])
    return table(["photos", "number", "accuracy", *names], rows)


def other_weights(names: Sequence[str], folder: Path, shipped: Photos) -> str:
    """Tabulate other backbones' accuracy at their native sizes, paired with the shipped one's."""
    rows = []
    for name in names:
        backbone = find_backbone(name)
        classifier = pretrained_classifier(backbone, PANTHERA).eval()
        model = TrainedModel(classifier, backbone, PANTHERA, backbone.preprocessing)
        found = imagenet_logits(folder, Predictor(model, precision="fp32"))
        hits = _hits(found)
        size = str(model.preprocessing.image_size)
        rows.append([name, size, interval(hits), interval(hits - _hits(shipped))])
    return table(["backbone", "image size", "accuracy", "difference to the shipped one"], rows)


def _hits(photos: Photos) -> np.ndarray:
    predicted = photos.all[:, rows_of(PANTHERA)].argmax(axis=1)
    return np.asarray(predicted == photos.labels(PANTHERA), dtype=float)


def calibration(photos: dict[str, Photos], temperature: float) -> str:
    """Tabulate calibration before and after temperature scaling."""
    rows = []
    for name, some in photos.items():
        for value in (1.0, temperature):
            probabilities = softmax(some.all[:, rows_of(PANTHERA)] / value, axis=1)
            metrics = partial(_calibration_of_rows, probabilities, some.labels(PANTHERA))
            everything = np.arange(len(probabilities))
            groups = [str(number) for number in everything]
            intervals = bootstrap_intervals(metrics, groups)
            figures = [
                f"{figure:.3f} ({intervals[key][0]:.3f}–{intervals[key][1]:.3f})"
                for key, figure in metrics(everything).items()
            ]
            rows.append([name, f"{value:.3f}", *figures])
    return table(["photos", "temperature", "ECE (15 bins)", "NLL", "Brier"], rows)


def _calibration_of_rows(
    probabilities: np.ndarray, labels: np.ndarray, rows: np.ndarray
) -> dict[str, float]:
    return calibration_metrics(probabilities[rows], labels[rows])


def at_threshold(known: Photos, strangers: Photos, threshold: float) -> str:
    """Tabulate which photos the threshold refuses, for several choices of allowed species."""
    everything = known.logits | strangers.logits
    rows = []
    for allowed in (PANTHERA, *SUBSETS):
        score = highest_probability(allowed)
        own = np.concatenate([score(everything[name]) for name in allowed]) > threshold
        others = [name for name in everything if name not in allowed]
        shares = [f"{name} {(score(everything[name]) > threshold).mean():.2f}" for name in others]
        strange = np.concatenate([score(everything[name]) for name in others]) > threshold
        label = "all five" if allowed == PANTHERA else ", ".join(allowed)
        refused, told = interval(own.astype(float)), interval(strange.astype(float))
        rows.append([label, refused, told, ", ".join(shares)])
    return table(["allowed", "refused", "others told", "told, by species"], rows)


def main(arguments: argparse.Namespace) -> str:
    """Classify all photos once, and write the page."""
    configure_process()
    predictor = Predictor(pretrained_model(), precision="fp32")
    one, other, strangers = (
        imagenet_logits(arguments.data / name, predictor)
        for name in ("panthera_photos", "second_source", "other_felids")
    )
    felids = strangers.halves()
    temperature = fit_temperature(one.all[:, rows_of(PANTHERA)], one.labels(PANTHERA))
    threshold = fit_ood_threshold(highest_probability(PANTHERA)(one.all), ACCEPTED)
    both = {"panthera_photos": one, "second_source": other}
    command = "python -m benchmarks.pretrained DATA"
    if arguments.backbones:
        command += f" --backbones {' '.join(arguments.backbones)}"
    page = f"""# The pretrained model, without any training

Written by `{command}`. ImageNet's own head of \
{predictor.model.backbone.name}, restricted to the allowed species. Chosen and fitted on \
panthera_photos and one half of other_felids; second_source and the other half are for the \
report. Intervals are 95% bootstrap intervals over photos.

- temperature: {temperature:.3f} (shipped: {TEMPERATURE})
- OOD threshold: {threshold:.3f} (shipped: {OOD_THRESHOLD}), which accepts {ACCEPTED:.0%} of \
panthera_photos

## Accuracy

{accuracy(both, PANTHERA)}

## Calibration

{calibration(both, temperature)}

## Choice of the OOD score

"Refused" is the share of second_source, "told" that of other_felids, at the threshold that \
accepts {ACCEPTED:.0%} of panthera_photos.

{compare_scores(one, other, felids)}

## At the shipped threshold

On second_source and all of other_felids (cheetahs are photos of an allowed species in the last \
row).

{at_threshold(other, strangers, OOD_THRESHOLD)}
"""
    if arguments.backbones:
        others = other_weights(arguments.backbones, arguments.data / "second_source", other)
        page += f"\n## Other weights, on second_source\n\n{others}\n"
    write_text(arguments.out, page)
    return f"pretrained: temperature {temperature:.3f}, threshold {threshold:.3f}; {arguments.out}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.pretrained", description=__doc__)
parser.add_argument(
    "data", type=Path, help="folder with panthera_photos/, second_source/ and other_felids/"
)
parser.add_argument("out", type=Path, nargs="?", default=Path("benchmarks/pretrained.md"))
parser.add_argument("--backbones", nargs="*", default=[], help="other backbones to compare with")

if __name__ == "__main__":
    run(main, parser)
