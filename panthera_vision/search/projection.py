"""Project the embeddings of a collection to a two-dimensional map with t-SNE."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import read_table, write_table
from panthera_vision.errors import UserError
from panthera_vision.reporting.palette import marker_styles
from panthera_vision.search.index.photo_index import Hit
from panthera_vision.search.parameters import MapParameters

MAP_COLUMNS = ("id", "x", "y")
# Neighbors that place a query on the map, and how fast their weight falls with the similarity.
NEIGHBORS = 10
_SIMILARITY_SCALE = 0.02
# t-SNE is usually given so many principal components; the rest is mostly noise.
_COMPONENTS = 50
_MIN_PHOTOS_FOR_TSNE = 10
_ROWS_PER_BLOCK = 8192


@dataclass(frozen=True)
class PhotoMap:
    """Hold the position of each photo of an index (N, 2), from -1 to 1, in the index's order."""

    positions: np.ndarray

    def position_of(self, neighbors: list[Hit]) -> np.ndarray:
        """Estimate the position (2,) of a photo from its nearest neighbors.

        The mean of their positions, weighted by similarity: t-SNE cannot place a new photo.
        """
        similarities = np.array([[hit.similarity for hit in neighbors]])
        rows = [hit.row for hit in neighbors]
        return np.asarray(_weighted_positions(self.positions[None, rows], similarities)[0])


def project(
    vectors_at: Callable[[np.ndarray], np.ndarray],
    count: int,
    parameters: MapParameters,
) -> np.ndarray:
    """Compute positions (N, 2), from -1 to 1, of the photos of an index; deterministic.

    t-SNE on the principal components of at most `parameters.photos` photos, drawn at random. The
    others get the mean position of their nearest neighbors among these, weighted by similarity, so
    that the cost of a large collection grows with its size.

    Args:
        vectors_at: returns the L2-normalized embeddings (n, dimension) of rows (n,).
        count: N, the number of photos.
        parameters: of the t-SNE.
    """
    from sklearn.decomposition import PCA

    if count == 1:
        return np.zeros((1, 2))
    drawn = np.random.default_rng(parameters.seed).permutation(count)[: parameters.photos]
    rows = np.sort(drawn)
    sample = vectors_at(rows)
    components = min(_COMPONENTS, *sample.shape)
    pca = PCA(components, svd_solver="covariance_eigh").fit(sample)
    reduced = np.ascontiguousarray(pca.transform(sample), dtype=np.float32)
    positions = _fit_tsne(reduced, parameters)
    positions -= (positions.max(axis=0) + positions.min(axis=0)) / 2
    scale = np.abs(positions).max()
    positions = np.asarray(positions / scale if scale > 0 else positions)
    if len(rows) == count:
        return positions
    nearest = faiss.IndexFlatL2(components)
    nearest.add(reduced)
    everything = np.empty((count, 2))
    for start in range(0, count, _ROWS_PER_BLOCK):
        block = np.arange(start, min(start + _ROWS_PER_BLOCK, count))
        queries = np.ascontiguousarray(pca.transform(vectors_at(block)), dtype=np.float32)
        squares, found = nearest.search(queries, min(NEIGHBORS, len(rows)))
        # Of unit vectors, the similarity is 1 − squared distance / 2.
        everything[block] = _weighted_positions(positions[found], -squares / 2)
    everything[rows] = positions
    return everything


def _fit_tsne(reduced: np.ndarray, parameters: MapParameters) -> np.ndarray:
    """Compute positions (N, 2); of fewer than ten photos, they are the first two components."""
    from sklearn.manifold import TSNE

    count = len(reduced)
    if count < _MIN_PHOTOS_FOR_TSNE:
        positions = np.zeros((count, 2))
        positions[:, : min(2, reduced.shape[1])] = reduced[:, :2]
        return positions
    tsne = TSNE(
        perplexity=min(parameters.perplexity, (count - 1) / 3),
        init="pca",
        learning_rate="auto",
        random_state=parameters.seed,
        n_jobs=1,
    )
    return np.asarray(tsne.fit_transform(reduced), dtype=np.float64)


def _weighted_positions(positions: np.ndarray, similarities: np.ndarray) -> np.ndarray:
    """Return the means (Q, 2) of positions (Q, K, 2), weighted by similarities (Q, K)."""
    highest = similarities.max(axis=1, keepdims=True)
    weights = np.exp((similarities - highest) / _SIMILARITY_SCALE)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((positions * weights[:, :, None]).sum(axis=1))


def write_map(ids: pd.Series, positions: np.ndarray, path: Path) -> None:
    """Write the position of each photo: id, x, y."""
    table = pd.DataFrame({"id": ids, "x": positions[:, 0].round(4), "y": positions[:, 1].round(4)})
    write_table(table, path)


def read_map(path: Path, ids: pd.Series) -> PhotoMap:
    """Read the map that `write_map` wrote for an index with the photos `ids`.

    Raises:
        UserError: it is missing, damaged, or of other photos.
    """
    table = read_table(path, MAP_COLUMNS)
    if table["id"].tolist() != ids.tolist():
        raise UserError(
            f"{path} was made for other photos than the index's; `dvc repro` rebuilds it"
        )
    try:
        positions = table[["x", "y"]].astype(float).to_numpy()
    except ValueError:
        positions = np.array([[np.nan, np.nan]])
    if not np.isfinite(positions).all():
        raise UserError(f"{path}: some positions are not numbers; `dvc repro` rebuilds it")
    return PhotoMap(positions)


def plot_map(species: pd.Series, positions: np.ndarray, path: Path) -> None:
    """Plot the map, with a color and a marker for each species."""
    from matplotlib.figure import Figure

    from panthera_vision.reporting.figures import save_figure

    figure = Figure(figsize=(8, 8.4), layout="constrained")
    axes = figure.subplots()
    names = species.to_numpy(dtype=object)
    for name, style in marker_styles(sorted(set(names))).items():
        at = positions[names == name]
        axes.scatter(
            at[:, 0],
            at[:, 1],
            s=16,
            color=style.color,
            marker=style.marker,
            edgecolors="black",
            linewidths=0.2,
            label=f"{name} ({len(at)})",
        )
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_title(f"{len(names)} photos: what the model finds alike lies close together (t-SNE)")
    figure.legend(loc="outside lower center", ncols=3, prop={"style": "italic"})
    save_figure(figure, path)
