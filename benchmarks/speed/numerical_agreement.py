"""Compare predictions and embeddings in bfloat16 and by OpenVINO with float32."""

from pathlib import Path

import numpy as np

from benchmarks.folders import labeled, species_below
from benchmarks.harness import cosine_similarities, table
from benchmarks.speed.inference import BATCH
from benchmarks.speed.networks import network_to_time
from panthera_vision.errors import UserError
from panthera_vision.inference.openvino import import_openvino
from panthera_vision.inference.options import Engine, Precision
from panthera_vision.inference.predictor import Predictor
from panthera_vision.search.embedding.embedder import combine_vectors
from panthera_vision.search.embedding.whitening import Whitening, fit_whitening

BACKBONE = "efficientnet_lite0"  # the one whose ImageNet weights come with the project
DEPTH = 10
THREADS = 2


def precision_at_ten(vectors: np.ndarray, species: np.ndarray) -> float:
    """Compute precision@10 of each photo against all others."""
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    nearest = np.argpartition(-similarities, DEPTH, axis=1)[:, :DEPTH]
    return float((species[nearest] == species[:, None]).mean())


def mean_and_worst(one: np.ndarray, other: np.ndarray) -> str:
    """Format the mean and the worst cosine similarity of rows (N, dimension)."""
    cosines = cosine_similarities(one, other)
    return f"{cosines.mean():.5f} / {cosines.min():.5f}"


def section(folder: Path) -> str:
    """Return the agreement on all photos in <folder>/<Species>/, as Markdown."""
    photos = labeled(folder, species_below(folder))
    species = np.asarray(photos.labels)
    model = network_to_time(BACKBONE, [])
    ways: dict[str, tuple[Precision, Engine]] = {
        "float32": ("fp32", "torch"),
        "bfloat16": ("bf16", "torch"),
    }
    try:
        import_openvino()
        ways["OpenVINO, float32"] = ("fp32", "openvino")
        ways["OpenVINO, bfloat16"] = ("bf16", "openvino")
    except UserError:
        pass
    rows: list[list[str]] = []
    exact: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    whitening: Whitening | None = None
    for name, (precision, engine) in ways.items():
        predictor = Predictor(model, precision=precision, engine=engine)
        outputs = predictor.outputs_of_files(photos.paths, batch_size=BATCH, threads=THREADS)
        features, logits = outputs.features.numpy(), outputs.logits.numpy()
        named = logits.argmax(axis=1)
        whitening = whitening or fit_whitening(features, named)
        vectors = combine_vectors(features, logits, whitening)
        exact = exact or (features, named, vectors)
        rows.append(
            [
                name,
                mean_and_worst(features, exact[0]),
                mean_and_worst(vectors, exact[2]),
                f"{(named == exact[1]).mean():.2%}",
                f"{(named == species).mean():.4f}",
                f"{precision_at_ten(vectors, species):.4f}",
            ]
        )
    header = [
        "",
        "features: cosine, mean / worst",
        "search vectors: cosine, mean / worst",
        "same species",
    ]
    return "\n\n".join(
        [
            f"{BACKBONE} with ImageNet's weights and all {len(species)} photos. Search vectors are "
            "those of the index (whitened features and probabilities), whitened on these photos in "
            "float32. Precision@10: each photo queries all others.",
            table([*header, "accuracy", "precision@10"], rows),
        ]
    )
