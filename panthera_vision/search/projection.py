"""A map of the collection: photos that the model finds alike lie near each other."""

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
# Neighbours that say where a query belongs, and how quickly the less similar lose their say.
NEIGHBOURS = 10
_SIMILARITY_SCALE = 0.02
# t-SNE is usually given so many principal components: the rest is mostly noise.
_COMPONENTS = 50
_FEWEST_FOR_TSNE = 10


@dataclass(frozen=True)
class PhotoMap:
    """Where each photo of an index lies, (N, 2), from -1 to 1, in the index's order."""

    places: np.ndarray

    def place_of(self, neighbours: list[Hit]) -> np.ndarray:
        """About where a photo with these nearest neighbours belongs, (2,).

        The mean of their places, weighted such that the most similar decide. t-SNE has no place
        for a photo that it was not given, so this is a guess.
        """
        similarities = np.array([hit.similarity for hit in neighbours])
        weights = np.exp((similarities - similarities.max()) / _SIMILARITY_SCALE)
        rows = [hit.row for hit in neighbours]
        return np.asarray(np.average(self.places[rows], axis=0, weights=weights))


def fit_tsne(vectors: np.ndarray, *, perplexity: float, seed: int) -> np.ndarray:
    """Places (N, 2) from -1 to 1 for vectors (N, dimension), the same for a seed.

    t-SNE on the principal components; a handful of photos is laid out by these alone.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(vectors)
    if count == 1:
        return np.zeros((1, 2))
    components = min(_COMPONENTS, count, vectors.shape[1])
    reduced = PCA(components, svd_solver="full").fit_transform(vectors.astype(np.float64))
    if count >= _FEWEST_FOR_TSNE:
        tsne = TSNE(
            perplexity=min(perplexity, (count - 1) / 3),
            init="pca",
            learning_rate="auto",
            random_state=seed,
            n_jobs=1,
        )
        places = tsne.fit_transform(reduced).astype(np.float64)
    else:
        places = np.zeros((count, 2))
        places[:, : min(2, components)] = reduced[:, :2]
    places -= (places.max(axis=0) + places.min(axis=0)) / 2
    reach = np.abs(places).max()
    return np.asarray(places / reach if reach > 0 else places)


def write_map(ids: pd.Series, places: np.ndarray, path: Path) -> None:
    """Write where each photo lies: id, x, y."""
    table = pd.DataFrame({"id": ids, "x": places[:, 0].round(4), "y": places[:, 1].round(4)})
    write_table(table, path)


def read_map(path: Path, ids: pd.Series) -> PhotoMap:
    """Read what `write_map` wrote for an index with the photos `ids`.

    Raises:
        UserError: it is missing, broken or of other photos.
    """
    table = read_table(path, MAP_COLUMNS)
    if table["id"].tolist() != ids.tolist():
        raise UserError(f"{path} maps other photos than the index has; `dvc repro` makes it anew")
    try:
        places = table[["x", "y"]].astype(float).to_numpy()
    except ValueError:
        places = np.array([[np.nan, np.nan]])
    if not np.isfinite(places).all():
        raise UserError(f"{path} has places that are no numbers; `dvc repro` makes it anew")
    return PhotoMap(places)


def plot_map(species: pd.Series, places: np.ndarray, path: Path) -> None:
    """The map as a picture, species by colour and shape."""
    figure = Figure(figsize=(8, 8.4), layout="constrained")
    axes = figure.subplots()
    names = species.to_numpy(dtype=object)
    for name, mark in marker_styles(sorted(set(names))).items():
        at = places[names == name]
        axes.scatter(
            at[:, 0],
            at[:, 1],
            s=16,
            color=mark.color,
            marker=mark.marker,
            edgecolors="black",
            linewidths=0.2,
            label=f"{name} ({len(at)})",
        )
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_title(f"{len(names)} photos: what the model finds alike lies close together (t-SNE)")
    figure.legend(loc="outside lower center", ncols=3, prop={"style": "italic"})
    save_figure(figure, path)
