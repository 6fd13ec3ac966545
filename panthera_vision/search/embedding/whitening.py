"""Within-class whitening of features, so that no direction within a species dominates.

What varies most among photos of one species is light, framing and ground; what distinguishes
photos is spread over many weaker directions. Within-class whitening gives all of them the same
weight (Hatch, Kajarekar and Stolcke, "Within-Class Covariance Normalization for SVM-based Speaker
Recognition", Interspeech 2006; for retrieval after it, Jégou and Chum, "Negative Evidences and
Co-occurrences in Image Retrieval: the Benefit of PCA and Whitening", ECCV 2012). Differences
between species remain, so that photos of one species still come first. The signed square root
before it keeps a few strong features from dominating (Arandjelović and Zisserman, "Three Things
Everyone Should Know to Improve Object Retrieval", CVPR 2012).
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write

# Shrinkage: the fit starts as if so many photos had shown the same variance in every direction, so
# that few photos leave the features nearly unchanged. Chosen on real photos, see docs/search.md.
_PRIOR_PHOTOS = 1500


@dataclass(frozen=True)
class Whitening:
    """Whiten features with a fitted linear map.

    Attributes:
        mean: of the square-rooted features (dimension,), float32.
        weights: (dimension, dimension), symmetric, float32.
    """

    mean: np.ndarray
    weights: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Whiten a network's features (N, dimension) of any norm: L2-normalized, float32."""
        return _normalize((_signed_sqrt(features) - self.mean) @ self.weights)


def fit_whitening(features: np.ndarray, classes: np.ndarray) -> Whitening:
    """Fit the whitening to the covariance within classes.

    Args:
        features: a network's (N, dimension), N ≥ 2; hundreds give a useful fit.
        classes: (N,); the network's own predictions will do, no labels are needed.
    """
    rooted = _signed_sqrt(features).astype(np.float64)
    mean = rooted.mean(axis=0)
    for number in np.unique(classes):
        rooted[classes == number] -= rooted[classes == number].mean(axis=0)
    count, dimension = rooted.shape
    scatter = rooted.T @ rooted
    # With one photo per class there is no variance; the minimum keeps the fit defined.
    variance = max(np.trace(scatter) / count / dimension, 1e-12)
    covariance = (scatter + _PRIOR_PHOTOS * variance * np.eye(dimension)) / (count + _PRIOR_PHOTOS)
    values, directions = np.linalg.eigh(covariance)
    # The symmetric root (ZCA) does not depend on the order and signs of the eigenvectors.
    weights = (directions / np.sqrt(values)) @ directions.T
    return Whitening(mean.astype(np.float32), weights.astype(np.float32))


def write_whitening(whitening: Whitening, path: Path) -> None:
    """Write the mean above the weights as one array; equal values give equal bytes."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.save(file, np.vstack([whitening.mean, whitening.weights]), allow_pickle=False)


def read_whitening(path: Path) -> Whitening:
    """Read the file that `write_whitening` wrote.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        values = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; `dvc repro` creates it") from None
    except (ValueError, EOFError, OSError):
        values = np.empty(0)
    if (
        values.ndim != 2
        or values.shape[0] != values.shape[1] + 1
        or values.dtype != np.float32
        or not np.isfinite(values).all()
    ):
        raise UserError(f"{path} is damaged; `dvc repro` rebuilds it")
    return Whitening(values[0], values[1:])


def _signed_sqrt(features: np.ndarray) -> np.ndarray:
    """Take square roots, keep the signs, and L2-normalize."""
    return _normalize(np.sign(features) * np.sqrt(np.abs(features)))


def _normalize(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, np.finfo(np.float32).tiny), dtype=np.float32)
