"""Measure how best to combine several photos of one encounter; writes benchmarks/encounters.md.

The folder needs panthera_photos/, second_source/ and other_felids/, each with <Species>/ folders.
"""

import argparse
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.combination_rules import ANSWERS, OOD_SCORES, THIS_PROJECT, Photos
from benchmarks.encounter_sets import Measured, corner, draw, frame, random_encounters
from benchmarks.folders import labeled, species_below
from benchmarks.harness import table
from panthera_vision.cli.runner import run
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.ood import ood_detection_metrics
from panthera_vision.images.perceptual_hash import hash_file, pairs_of_near_duplicates
from panthera_vision.io.atomic import write_text
from panthera_vision.training.dataset import LabeledPhotos

PAGE = Path(__file__).with_suffix(".md")
FRAMES = 3
_SEED = 17
_PARTITIONS = 100
_STRANGERS = 300
RANDOM = f"{FRAMES} random photos of one species"
CROPS = f"{FRAMES} crops of one photo"
EMPTY = "one photo and two empty frames"


def compare(photos: Photos, labels: np.ndarray) -> dict[str, float]:
    """Return accuracy, gain over one photo, difference to the project's rule, and NLL, by rule."""
    one = float((photos.probabilities.argmax(axis=2) == labels[:, None]).mean())
    found, losses = {}, {}
    for name, rule in ANSWERS.items():
        combined = rule(photos)
        found[name] = float((combined.argmax(axis=1) == labels).mean())
        likelihood = combined[np.arange(len(labels)), labels]
        losses[name] = float(-np.log(np.maximum(likelihood, 1e-6)).mean())
    return {
        "one": one,
        **{f"accuracy {name}": value for name, value in found.items()},
        **{f"gain {name}": value - one for name, value in found.items()},
        **{f"difference {name}": v - found[THIS_PROJECT] for name, v in found.items()},
        **{f"nll {name}": value for name, value in losses.items()},
    }


def answers(
    metrics: Callable[[np.ndarray], dict[str, float]], value: dict[str, float], count: int
) -> str:
    """Tabulate the rules; `metrics` computes `compare` for rows of photos, `count` in all."""
    intervals = bootstrap_intervals(metrics, [str(row) for row in range(count)])

    def cell(key: str) -> str:
        low, high = intervals[key]
        return f"{value[key]:+.3f} ({low:+.3f} to {high:+.3f})"

    low, high = intervals["one"]
    rows = [["one photo", f"{value['one']:.3f} ({low:.3f}–{high:.3f})", "", "", ""]]
    for name in ANSWERS:
        low, high = intervals[f"accuracy {name}"]
        rows.append(
            [
                name,
                f"{value[f'accuracy {name}']:.3f} ({low:.3f}–{high:.3f})",
                cell(f"gain {name}"),
                "" if name == THIS_PROJECT else cell(f"difference {name}"),
                f"{value[f'nll {name}']:.3f}",
            ]
        )
    return table(["rule", "accuracy", "gain over one photo", "against this project", "NLL"], rows)


def random_triples(photos: Photos, labels: np.ndarray) -> str:
    """Tabulate the rules on random photos of one species, anew for each bootstrap resample."""

    def metrics(rows: np.ndarray, seed: int = 0) -> dict[str, float]:
        drawn = draw(rows, labels, FRAMES, seed)
        return compare(random_encounters(photos, drawn), labels[drawn[:, 0]])

    whole = np.arange(len(labels))
    parts = [metrics(whole, seed) for seed in range(_PARTITIONS)]
    value = {key: float(np.mean([part[key] for part in parts])) for key in parts[0]}
    return answers(metrics, value, len(labels))


def fixed_encounters(photos: Photos, labels: np.ndarray) -> str:
    """Tabulate the rules on given encounters, which the bootstrap resamples."""
    value = compare(photos, labels)
    return answers(lambda rows: compare(photos.of(rows), labels[rows]), value, len(labels))


def by_size(photos: Photos, labels: np.ndarray) -> str:
    """Tabulate the accuracy of random encounters by their number of photos."""
    names = ["majority vote", "mean of probabilities", THIS_PROJECT]
    rows = []
    for size in (1, 2, 3, 5, 10):
        parts = []
        for seed in range(_PARTITIONS):
            drawn = draw(np.arange(len(labels)), labels, size, seed)
            parts.append(compare(random_encounters(photos, drawn), labels[drawn[:, 0]]))
        means = [float(np.mean([part[f"accuracy {name}"] for part in parts])) for name in names]
        rows.append([str(size), *(f"{mean:.3f}" for mean in means)])
    return table(["photos", *names], rows)


def refusals(own: dict[str, Photos], strangers: dict[str, Photos]) -> str:
    """Tabulate acceptance, rejection and AUROC of the rules that combine OOD scores."""
    rows = []
    for name, rule in OOD_SCORES.items():
        row = [name]
        for photos in own.values():
            row.append(f"{(rule(photos) <= photos.threshold).mean():.1%}")
        for photos in strangers.values():
            row.append(f"{(rule(photos) > photos.threshold).mean():.1%}")
        for key, photos in strangers.items():
            score = ood_detection_metrics(rule(own[key]), rule(photos))["auroc"]
            row.append(f"{score:.3f}")
        rows.append(row)
    header = [
        "OOD score of the encounter",
        *(f"accepted: {key}" for key in own),
        *(f"refused: {key} of other cats" for key in strangers),
        *(f"AUROC: {key}" for key in strangers),
    ]
    return table(header, rows)


def near_duplicates(photos: LabeledPhotos, folder: str) -> str:
    """Count the near-duplicates of a data set by perceptual hash, in a sentence."""
    hashes = [(row, hash_file(path)) for row, path in enumerate(photos.paths)]
    known = [(row, each) for row, each in hashes if each is not None]
    pairs = list(pairs_of_near_duplicates(np.array([each for _, each in known])))
    same = sum(photos.labels[known[a][0]] == photos.labels[known[b][0]] for a, b in pairs)
    return f"`{folder}` has {len(pairs)} pairs among {len(known)} photos ({same} of one species)"


def triples(photos: Photos, labels: Sequence[int]) -> Photos:
    """Return random encounters of photos of one species."""
    rows = np.arange(len(labels))
    drawn = [draw(rows, np.asarray(labels), FRAMES, seed) for seed in range(_PARTITIONS)]
    return random_encounters(photos, np.concatenate(drawn))


def main(arguments: argparse.Namespace) -> str:
    start = time.monotonic()
    torch.manual_seed(_SEED)
    measured = Measured(arguments.data, _SEED)
    source = labeled(arguments.data / "second_source", measured.class_names)
    felids = arguments.data / "other_felids"
    others = labeled(felids, species_below(felids))
    labels, frames = np.asarray(source.labels), [frame(number) for number in range(FRAMES)]
    single = measured.photos(source.paths, None)
    bursts = measured.photos(source.paths, *frames)
    corners = measured.photos(source.paths, None, corner(False), corner(True))
    single_others = measured.photos(others.paths, None)
    some = others.paths[:: max(1, len(others.paths) // _STRANGERS)]
    own = {RANDOM: triples(single, source.labels), CROPS: bursts, EMPTY: corners}
    strangers = {
        RANDOM: triples(single_others, others.labels),
        CROPS: measured.photos(some, *frames),
    }
    parts = {
        f"Answers: {RANDOM}": random_triples(single, labels),
        f"Answers: {CROPS}": fixed_encounters(bursts, labels),
        f"Answers: {EMPTY}": fixed_encounters(corners, labels),
        "Random photos of one species, by their number": by_size(single, labels),
        "None of these": refusals(own, strangers),
    }
    empty = corners.ood_scores[:, 1:]
    everything = labeled(arguments.data / "panthera_photos", measured.class_names)
    facts = (
        f"{len(labels)} photos of the five species, {len(others.paths)} of "
        f"{', '.join(species_below(felids))}; {(empty > measured.threshold).mean():.1%} of the "
        "empty frames are refused one by one",
        f"near-duplicates by perceptual hash: {near_duplicates(everything, 'panthera_photos')}, "
        f"{near_duplicates(source, 'second_source')}: too few to measure on",
    )
    minutes = (time.monotonic() - start) / 60
    write_text(arguments.out, page(parts, facts, minutes))
    return f"encounters: measured in {minutes:.1f} minutes; {arguments.out}"


def page(parts: dict[str, str], facts: Sequence[str], minutes: float) -> str:
    """Return the page in Markdown; `parts` are sections by heading."""
    listed = "\n".join(f"- {fact}" for fact in facts)
    head = f"""# Several photos of one encounter

Written by `python -m benchmarks.encounters DATA`, where DATA has the folders panthera_photos,
second_source and other_felids.

- network: EfficientNet-Lite0 with ImageNet's own head, not fine-tuned; calibrated on
  panthera_photos
{listed}
- machine: {platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}; \
{minutes:.0f} minutes

The data have next to no real encounters, so three kinds stand in for them:

- **{RANDOM}**: independent photos, so their gain is the most that a real encounter can have;
- **{CROPS}**: to 70–95% of the sides, each in other light. They are not independent: animal, pose
  and most pixels are the same. Their gain is about the least;
- **{EMPTY}**: the photo's upper corners, which rarely show the animal.

Gain: accuracy of the answer for an encounter minus the mean accuracy of its single photos (empty
frames included). Intervals: 95% bootstrap over photos, paired. NLL: negative log-likelihood of the
answer, lower is better calibrated; n: effective number of photos, (sum of the weights)² / sum of
their squares."""
    sections = [f"## {title}\n\n{body}" for title, body in parts.items()]
    return "\n\n".join([head, *sections]) + "\n"


parser = argparse.ArgumentParser(prog="python -m benchmarks.encounters", description=__doc__)
parser.add_argument("data", type=Path, help="folder with the three folders of photos")
parser.add_argument("out", type=Path, nargs="?", default=PAGE, help="default: %(default)s")

if __name__ == "__main__":
    run(main, parser)
