"""Ways from a network's features to the vectors that are searched, each fitted on known photos."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax
from torch.nn import functional

from benchmarks.embedding_features import Features
from panthera_vision.search.embedding.embedder import whitened_vectors
from panthera_vision.search.embedding.whitening import fit_whitening

# Features of N photos, seen once or several times → L2-normalised vectors (N, dimension).
Embed = Callable[[list[Features]], np.ndarray]
# Features of the photos to fit on, and their labels.
Fit = Callable[[Features, np.ndarray], Embed]
_DIMENSION = 256
_STEPS = 300


@dataclass(frozen=True)
class Kind:
    """A way to embed.

    Attributes:
        name: as the table has it.
        passes: how many passes through a network a photo takes.
        fit: gives the way, fitted.
        views: how many views of each photo it wants: itself, its mirror image, its middle.
    """

    name: str
    passes: int
    fit: Fit
    views: int = 1


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def as_they_are(choose: Callable[[Features], np.ndarray]) -> Fit:
    return lambda known, labels: lambda views: unit(choose(views[0]))


def side_by_side(*parts: tuple[float, Fit]) -> Fit:
    """Several vectors one after the other: their cosines are added with these weights."""

    def fit(known: Features, labels: np.ndarray) -> Embed:
        fitted = [(np.sqrt(weight), part(known, labels)) for weight, part in parts]
        return lambda views: np.concatenate([w * embed(views) for w, embed in fitted], axis=1)

    return fit


def posteriors(known: Features, labels: np.ndarray) -> Embed:
    return lambda views: np.sqrt(softmax(views[0].logits, axis=1))


def principal(known: Features, labels: np.ndarray) -> Embed:
    """The first components, all with the same variance (Jégou and Chum, ECCV 2012)."""
    vectors = unit(known.tuned)
    mean = vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(vectors - mean, full_matrices=False)
    weights = directions[:_DIMENSION].T / sizes[:_DIMENSION]
    return lambda views: unit((unit(views[0].tuned) - mean) @ weights)


def whitened(choose: Callable[[Features], np.ndarray]) -> Fit:
    def fit(known: Features, labels: np.ndarray) -> Embed:
        whitening = fit_whitening(choose(known), known.logits.argmax(axis=1))
        return lambda views: whitening(choose(views[0]))

    return fit


def kept(known: Features, labels: np.ndarray) -> Embed:
    """The search pipeline's, of all views, averaged."""
    whitening = fit_whitening(known.tuned, known.logits.argmax(axis=1))

    def embed(views: list[Features]) -> np.ndarray:
        vectors = [whitened_vectors(view.tuned, view.logits, whitening) for view in views]
        return unit(np.mean(vectors, axis=0))

    return embed


def projected(loss: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]) -> Fit:
    """A linear projection of the fine-tuned features, trained on the labels with `loss`."""

    def fit(known: Features, labels: np.ndarray) -> Embed:
        torch.manual_seed(17)
        vectors, truth = torch.from_numpy(unit(known.tuned)), torch.from_numpy(labels)
        projection = torch.nn.Linear(vectors.shape[1], _DIMENSION, bias=False)
        centres = torch.nn.Parameter(torch.randn(int(truth.max()) + 1, _DIMENSION))
        adam = torch.optim.AdamW([*projection.parameters(), centres], lr=1e-3, weight_decay=0.05)
        for _ in range(_STEPS):
            adam.zero_grad()
            out = functional.normalize(projection(functional.dropout(vectors, 0.2)), dim=1)
            loss(out, truth, functional.normalize(centres, dim=1)).backward()
            adam.step()
        weights = projection.weight.detach().numpy().T
        return lambda views: unit(unit(views[0].tuned) @ weights)

    return fit


def arcface(vectors: torch.Tensor, labels: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """Deng et al., "ArcFace", CVPR 2019; margin 0.3, scale 16."""
    cosine = (vectors @ centres.T).clamp(-1 + 1e-6, 1 - 1e-6)
    own = functional.one_hot(labels, len(centres)).bool()
    return functional.cross_entropy(
        16 * torch.where(own, (cosine.arccos() + 0.3).cos(), cosine), labels
    )


def contrastive(vectors: torch.Tensor, labels: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    """Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020; temperature 0.1."""
    itself = torch.eye(len(vectors), dtype=torch.bool)
    log = (vectors @ vectors.T / 0.1).masked_fill(itself, -torch.inf).log_softmax(dim=1)
    same = (labels[:, None] == labels) & ~itself
    return -(log.masked_fill(~same, 0).sum(dim=1) / same.sum(dim=1).clamp_min(1)).mean()


TARGET_TPR = "**kept: rooted, whitened within species, with the species seen**"
BEFORE = "fine-tuned features (before)"
_tuned = as_they_are(lambda features: features.tuned)
_imagenet = as_they_are(lambda features: features.imagenet)
KINDS = (
    Kind("ImageNet's features", 1, _imagenet),
    Kind("ImageNet's, generalised mean", 1, as_they_are(lambda features: features.imagenet_gem)),
    Kind(BEFORE, 1, _tuned),
    Kind("fine-tuned, generalised mean", 1, as_they_are(lambda features: features.tuned_gem)),
    Kind("both, 0.3 of ImageNet's", 2, side_by_side((0.3, _imagenet), (0.7, _tuned))),
    Kind("both, 0.7 of ImageNet's", 2, side_by_side((0.7, _imagenet), (0.3, _tuned))),
    Kind("fine-tuned, 256 components whitened", 1, principal),
    Kind("fine-tuned, ArcFace projection", 1, projected(arcface)),
    Kind("fine-tuned, contrastive projection", 1, projected(contrastive)),
    Kind("fine-tuned, 0.2 of the species seen", 1, side_by_side((0.2, posteriors), (0.8, _tuned))),
    Kind(
        "ImageNet's, 0.2 of the species seen", 2, side_by_side((0.2, posteriors), (0.8, _imagenet))
    ),
    Kind("fine-tuned, rooted, whitened within species", 1, whitened(lambda f: f.tuned)),
    Kind(TARGET_TPR, 1, kept),
    Kind(
        "the same, of generalised means",
        1,
        side_by_side((0.2, posteriors), (0.8, whitened(lambda features: features.tuned_gem))),
    ),
    Kind(
        "the same, of both networks",
        2,
        side_by_side(
            (0.2, posteriors),
            (0.4, whitened(lambda features: features.tuned)),
            (0.4, whitened(lambda features: features.imagenet)),
        ),
    ),
    Kind("kept, averaged with the mirror image", 2, kept, views=2),
    Kind("kept, averaged with mirror image and middle", 3, kept, views=3),
)
