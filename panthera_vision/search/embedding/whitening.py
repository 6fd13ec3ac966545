"""Features turned such that no difference within a species drowns the others.

What varies most among photos of one species is light, framing and ground; what tells one photo
from another is spread over many weaker directions. Within-class whitening gives all of them the
same weight (Hatch, Kajarekar and Stolcke, "Within-Class Covariance Normalization for SVM-based
Speaker Recognition", Interspeech 2006; for retrieval after it, Jégou and Chum, "Negative Evidences
and Co-occurrences in Image Retrieval: the Benefit of PCA and Whitening", ECCV 2012). Differences
between the species stay, so that photos of one species still come first. Before that, the square
root keeps a few strong features from deciding alone (Arandjelović and Zisserman, "Three Things
Everyone Should Know to Improve Object Retrieval", CVPR 2012).
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write

# The fit begins as if so many photos had shown the same variance in every direction: with few
# photos the features are nearly left as they are. Chosen on real photos, see docs/search.md.
_PRIOR_PHOTOS = 1500


@dataclass(frozen=True)
class Whitening:
    """A turn and a stretch of features.

    Attributes:
        mean: of the rooted features (dimension,), float32.
        weights: (dimension, dimension), symmetric, float32.
    """

    mean: np.ndarray
    weights: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Whitened, L2-normalised features (N, dimension), float32, of a network's (N, dimension).

        The features' own length makes no difference.
        """
        return _unit((_rooted(features) - self.mean) @ self.weights)


def fit_whitening(features: np.ndarray, classes: np.ndarray) -> Whitening:
    """Learn what varies within the classes.

    Args:
        features: a network's (N, dimension); two photos are the least, hundreds are wanted.
        classes: what it takes each photo for (N,). Its own answers serve: no label is needed.
    """
    rooted = _rooted(features).astype(np.float64)
    mean = rooted.mean(axis=0)
    for number in np.unique(classes):
        rooted[classes == number] -= rooted[classes == number].mean(axis=0)
    count, dimension = rooted.shape
    scatter = rooted.T @ rooted
    # One photo a class shows no variance; the smallest keeps the fit defined.
    typical = max(np.trace(scatter) / count / dimension, 1e-12)
    covariance = (scatter + _PRIOR_PHOTOS * typical * np.eye(dimension)) / (count + _PRIOR_PHOTOS)
    values, directions = np.linalg.eigh(covariance)
    # The symmetric root is the one that does not hang on the directions' order and signs.
    weights = (directions / np.sqrt(values)) @ directions.T
    return Whitening(mean.astype(np.float32), weights.astype(np.float32))


def write_whitening(whitening: Whitening, path: Path) -> None:
    """Write it as one array, the mean above the weights; the same bytes for the same values."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.save(file, np.vstack([whitening.mean, whitening.weights]), allow_pickle=False)


def read_whitening(path: Path) -> Whitening:
    """Read what `write_whitening` wrote.

    Raises:
        UserError: it is missing or broken.
    """
    try:
        values = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path} is not there; `dvc repro` makes it") from None
    except (ValueError, EOFError, OSError):
        values = np.empty(0)
    if (
        values.ndim != 2
        or values.shape[0] != values.shape[1] + 1
        or values.dtype != np.float32
        or not np.isfinite(values).all()
    ):
        raise UserError(f"{path} is broken; `dvc repro` makes it anew")
    return Whitening(values[0], values[1:])


def _rooted(features: np.ndarray) -> np.ndarray:
    """L2-normalised square roots with the features' signs."""
    return _unit(np.sign(features) * np.sqrt(np.abs(features)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)
