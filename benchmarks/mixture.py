"""Draw any number of synthetic vectors from a Gaussian mixture fitted to real embeddings."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

# The number of k-means clusters, and of principal directions within them.
_CLUSTERS = 40
_DIRECTIONS = 256
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Mixture:
    """Hold a Gaussian mixture with a shared covariance, projected to the unit sphere.

    Attributes:
        centers: (clusters, dimension).
        weights: of the clusters (clusters,).
        directions: scaled principal directions within clusters (directions, dimension).
        origin: a description.
    """

    centers: np.ndarray
    weights: np.ndarray
    directions: np.ndarray
    origin: str

    def draw(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """Yield `count` unit vectors in blocks (≤ 10,000, dimension), float32, reproducibly."""
        for number, start in enumerate(range(0, count, _ROWS_AT_ONCE)):
            random = np.random.default_rng([seed, number])
            size = min(_ROWS_AT_ONCE, count - start)
            within = random.standard_normal((size, len(self.directions)), dtype=np.float32)
            block = within @ self.directions
            block += self.centers[random.choice(len(self.centers), size, p=self.weights)]
            block /= np.linalg.norm(block, axis=1, keepdims=True)
            yield block

    def write(self, count: int, seed: int, path: Path) -> None:
        """Draw into a .npy file, with one block in memory at a time."""
        shape = (count, self.centers.shape[1])
        vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        start = 0
        for block in self.draw(count, seed):
            vectors[start : start + len(block)] = block
            start += len(block)
        vectors.flush()


def fitted_mixture(embeddings: np.ndarray) -> Mixture:
    """Fit a mixture to embeddings (N, dimension): k-means, and the PCA of the residuals."""
    count, dimension = embeddings.shape
    clusters = min(_CLUSTERS, count // 10)
    means = faiss.Kmeans(dimension, clusters, seed=17, min_points_per_centroid=1)
    means.train(embeddings)
    centers = np.asarray(means.centroids)
    _, nearest = means.index.search(embeddings, 1)
    of_cluster = nearest[:, 0]
    residuals = embeddings - centers[of_cluster]
    _, lengths, directions = np.linalg.svd(residuals, full_matrices=False)
    scales = lengths[:_DIRECTIONS, None] / np.sqrt(count - clusters)
    return Mixture(
        centers,
        np.bincount(of_cluster, minlength=clusters) / count,
        (scales * directions[:_DIRECTIONS]).astype(np.float32),
        f"{clusters} Gaussian clusters fitted to the embeddings of {count:,} real photos",
    )


def assumed_mixture(dimension: int, seed: int = 17) -> Mixture:
    """Return a mixture with assumed scales, for use without real embeddings.

    The scales are those of EfficientNet-Lite0 fine-tuned on 1,056 photos of five species: the
    cluster centers vary about as much as the photos around them, and the variance in the n-th
    direction falls as 1/n.
    """
    random = np.random.default_rng(seed)
    falling = 1 / np.sqrt(np.arange(1, _DIRECTIONS + 1))
    falling /= np.linalg.norm(falling)
    turned = np.linalg.qr(random.standard_normal((dimension, _DIRECTIONS)))[0].T
    common = random.standard_normal(dimension)
    common /= np.linalg.norm(common)
    apart = (random.standard_normal((_CLUSTERS, _DIRECTIONS)) * falling) @ turned
    return Mixture(
        (common + 0.5 * apart).astype(np.float32),
        np.full(_CLUSTERS, 1 / _CLUSTERS),
        (0.5 * falling[:, None] * turned).astype(np.float32),
        f"{_CLUSTERS} Gaussian clusters with assumed scales (no index of real photos was given)",
    )
