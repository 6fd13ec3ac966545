"""Project the embeddings of a collection to a two-dimensional map with t-SNE."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from panthera_vision.data.photo_table import read_table, write_table
from panthera_vision.errors import UserError
from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.palette import marker_styles
from panthera_vision.search.index.photo_index import Hit

MAP_COLUMNS = ("id", "x", "y")
# Neighbors that place a query on the map, and how fast their weight falls with the similarity.
NEIGHBORS = 10
_SIMILARITY_SCALE = 0.02
# t-SNE is usually given so many principal components; the rest is mostly noise.
_COMPONENTS = 50
_MIN_PHOTOS_FOR_TSNE = 10


@dataclass(frozen=True)
class PhotoMap:
    """Hold the position of each photo of an index (N, 2), from -1 to 1, in the index's order."""

    positions: np.ndarray

    def position_of(self, neighbors: list[Hit]) -> np.ndarray:
        """Estimate the position (2,) of a photo from its nearest neighbors.

        The mean of their positions, weighted by similarity: t-SNE cannot place a new photo.
        """
        similarities = np.array([hit.similarity for hit in neighbors])
        weights = np.exp((similarities - similarities.max()) / _SIMILARITY_SCALE)
        rows = [hit.row for hit in neighbors]
        return np.asarray(np.average(self.positions[rows], axis=0, weights=weights))


def fit_tsne(vectors: np.ndarray, *, perplexity: float, seed: int) -> np.ndarray:
    """Compute positions (N, 2), from -1 to 1, of vectors (N, dimension); deterministic.

    t-SNE on the principal components; fewer than ten photos get the first two components.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(vectors)
    if count == 1:
        return np.zeros((1, 2))
    components = min(_COMPONENTS, count, vectors.shape[1])
    reduced = PCA(components, svd_solver="full").fit_transform(vectors.astype(np.float64))
    if count >= _MIN_PHOTOS_FOR_TSNE:
        tsne = TSNE(
            perplexity=min(perplexity, (count - 1) / 3),
            init="pca",
            learning_rate="auto",
            random_state=seed,
            n_jobs=1,
        )
        positions = tsne.fit_transform(reduced).astype(np.float64)
    else:
        positions = np.zeros((count, 2))
        positions[:, : min(2, components)] = reduced[:, :2]
    positions -= (positions.max(axis=0) + positions.min(axis=0)) / 2
    scale = np.abs(positions).max()
    return np.asarray(positions / scale if scale > 0 else positions)


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
