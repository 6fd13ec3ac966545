"""Compare embeddings for similarity search: pretrained, fine-tuned, and the whitened ones in use.

DATA needs panthera_photos/<Species>/ and other_felids/<Species>/ with photos.
"""

import argparse
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.folders import Divided, divide, labeled, species_below
from benchmarks.harness import Change, Recipe, interval, shifted, table
from benchmarks.quality import PARAMETERS
from benchmarks.shifts import SHIFTS
from panthera_vision.cli.runner import run
from panthera_vision.io.atomic import write_text
from panthera_vision.models.checkpoint import TrainedModel, load_checkpoint
from panthera_vision.models.classifier import Outputs, pretrained_classifier
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.search.embedding.embedder import combine_vectors
from panthera_vision.search.embedding.whitening import Whitening, fit_whitening
from panthera_vision.search.evaluation.metrics import SearchFunction, leave_one_out, originals_found
from panthera_vision.search.perturbations import PERTURBATIONS, perturb
from panthera_vision.training.dataset import LabeledPhotos, TrainingData
from panthera_vision.training.trainer import fine_tune

EPOCHS = 4
SEED = 17
# The number of photos that are shifted and copied.
SAMPLE = 120
EASY = ("mirrored", "cropped", "darker", "brighter")
HEADER = [
    "vectors",
    "dimensions",
    "precision@10",
    "mAP@10",
    "precision@10, shifted",
    "precision@10, other cats",
    "original first: mirrored, cropped, darker, brighter",
    "half size",
    "all combined",
    "original first, other cats",
]

Embed = Callable[[Outputs], np.ndarray]


def sample(count: int) -> np.ndarray:
    """Draw up to `SAMPLE` of so many rows."""
    return np.sort(np.random.default_rng(SEED).permutation(count)[:SAMPLE])


def photo_sets(
    data: Divided, others: LabeledPhotos
) -> dict[str, tuple[Sequence[Path], Change | None]]:
    """Return every set of photos to embed by name: its files, and how they are changed."""
    few = [data.test.paths[row] for row in sample(len(data.test.paths))]
    few_others = [others.paths[row] for row in sample(len(others.paths))]

    def perturbed(name: str) -> Change:
        return lambda photo, path: perturb(photo, name, path.name)

    return {
        "gallery": ([*data.train.paths, *data.validation.paths], None),
        "test": (data.test.paths, None),
        "others": (others.paths, None),
        **{f"shifted, {name}": (few, shifted(name)) for name in SHIFTS},
        **{f"copies, {name}": (few, perturbed(name)) for name in PERTURBATIONS},
        **{f"copies of others, {name}": (few_others, perturbed(name)) for name in EASY},
    }


def exact_search(vectors: np.ndarray, allowed: np.ndarray) -> SearchFunction:
    """Return a brute-force search among the allowed rows of `vectors`."""

    def search(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        similarities = queries @ vectors[allowed].T
        best = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(similarities, best, 1), allowed[best]

    return search


def precisions(
    vectors: np.ndarray, queries: np.ndarray, labels: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """Compute precision@10 and average precision (Q, 2) of queries among the allowed rows.

    The folders name no observers, so each photo is a group of its own.
    """
    groups = [str(number) for number in range(len(vectors))]
    search = exact_search(vectors, allowed)
    found = leave_one_out(search, vectors[queries], queries, labels, groups, allowed)
    return found.metrics[["precision_at_10", "map_at_10"]].to_numpy()


def measure(
    embed: Embed, outputs: dict[str, Outputs], data: Divided, others: LabeledPhotos
) -> list[str]:
    """Return the table row of one embedding, without its name."""
    vectors = {name: embed(some) for name, some in outputs.items()}
    known = [*data.train.labels, *data.validation.labels]
    labels = np.array([*known, *data.test.labels])
    gallery, queries = np.split(np.arange(len(labels)), [len(known)])
    everything = np.concatenate([vectors["gallery"], vectors["test"]])
    rows = queries[sample(len(queries))]

    def of_shifted(name: str) -> np.ndarray:
        changed = everything.copy()
        changed[rows] = vectors[f"shifted, {name}"]
        return precisions(changed, rows, labels, gallery)[:, 0]

    def originals_first(prefix: str, name: str, among: np.ndarray, of: np.ndarray) -> np.ndarray:
        search = exact_search(among, np.arange(len(among)))
        contents = [str(number) for number in range(len(among))]
        return originals_found(search, vectors[f"{prefix}, {name}"], of, contents).astype(float)

    plain = precisions(everything, queries, labels, gallery)
    other_rows = np.arange(len(others.labels))
    others_found = precisions(vectors["others"], other_rows, np.array(others.labels), other_rows)
    copies = {name: originals_first("copies", name, everything, rows) for name in PERTURBATIONS}
    other_sample = sample(len(others.labels))
    other_copies = [
        originals_first("copies of others", name, vectors["others"], other_sample) for name in EASY
    ]
    return [
        str(everything.shape[1]),
        interval(plain[:, 0]),
        f"{plain[:, 1].mean():.3f}",
        interval(np.stack([of_shifted(name) for name in SHIFTS], axis=1)),
        f"{others_found[:, 0].mean():.3f}",
        interval(np.stack([copies[name] for name in EASY], axis=1)),
        f"{copies['saved small'].mean():.3f}",
        f"{copies['all at once'].mean():.3f}",
        interval(np.stack(other_copies, axis=1)),
    ]


def embedding_table(model: TrainedModel, data: Divided, others: LabeledPhotos) -> str:
    """Measure all embeddings; each network sees each photo once."""
    untrained = pretrained_classifier(model.backbone, data.class_names)
    sets = photo_sets(data, others)

    def run_network(recipe: Recipe) -> dict[str, Outputs]:
        return {name: recipe.outputs(*photos) for name, photos in sets.items()}

    pretrained = run_network(Recipe("pretrained", untrained, model.preprocessing))
    tuned = run_network(Recipe("fine-tuned", model.classifier, model.preprocessing))

    def embedding(whitening: Whitening | None) -> Embed:
        return lambda o: combine_vectors(o.features.numpy(), o.logits.numpy(), whitening)

    gallery = tuned["gallery"]
    whitening = fit_whitening(gallery.features.numpy(), gallery.logits.numpy().argmax(axis=1))
    used = "**used: square root, whitened within species, predicted species**"
    rows = [
        [name, *measure(embed, outputs, data, others)]
        for name, embed, outputs in (
            ("ImageNet's features", embedding(None), pretrained),
            ("fine-tuned features", embedding(None), tuned),
            (used, embedding(whitening), tuned),
        )
    ]
    return table(HEADER, rows)


def embeddings_section(folder: Path, epochs: int = EPOCHS, checkpoint: Path | None = None) -> str:
    """Return the section "Embeddings" in Markdown.

    Args:
        folder: has panthera_photos/ and other_felids/.
        epochs: of the training.
        checkpoint: replaces the training; it must not have seen the test photos.
    """
    start = time.monotonic()
    data = divide(folder / "panthera_photos", SEED)
    felids = folder / "other_felids"
    others = labeled(felids, species_below(felids))
    if checkpoint:
        model = load_checkpoint(checkpoint)
    else:
        parameters = read_parameters("train", TrainParameters, PARAMETERS).model_copy(
            update={"backbone": "efficientnet_lite0", "seed": SEED, "epochs": epochs}
        )
        model = fine_tune(parameters, TrainingData(data.class_names, data.train, data.validation))
    body = embedding_table(model, data, others)
    minutes = (time.monotonic() - start) / 60
    made = f"--model {checkpoint}" if checkpoint else f"--epochs {epochs}"
    return f"""## Embeddings

- command: `python -m benchmarks.embeddings {folder} OUT {made}`; {minutes:.1f} minutes
- machine: {platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}
- network: {model.backbone.name}, trained on {len(data.train.paths)} photos, best epoch by
  validation on {len(data.validation.paths)}; random split within each species, seed {SEED}
- {len(data.test.paths)} test photos query the training and validation photos; a hit is of the same
  species
- shifted: {len(sample(len(data.test.paths)))} of the test photos with six synthetic shifts
  (`benchmarks/shifts.py`)
- other cats: {len(others.paths)} photos of species that no training saw, each a query among the
  others, and copies of {len(sample(len(others.paths)))}; not used for any choice
- original first: perturbed copies (`panthera_vision/search/perturbations.py`) of the
  same test photos query all photos of the five species; a hit is the original as the first result

Intervals are 95% bootstrap intervals over photos. The whitening is fitted on the searched photos
alone. More embeddings that were tried once: [embeddings.md](embeddings.md).

{body}
"""


def main(arguments: argparse.Namespace) -> str:
    section = embeddings_section(arguments.data, arguments.epochs, arguments.model)
    write_text(arguments.out, section)
    return f"embeddings: measured; {arguments.out}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.embeddings", description=__doc__)
parser.add_argument("data", type=Path, help="folder with panthera_photos/ and other_felids/")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--epochs", type=int, default=EPOCHS, help="of the training")
parser.add_argument("--model", type=Path, help="a checkpoint that has not seen the test photos")

if __name__ == "__main__":
    run(main, parser)
