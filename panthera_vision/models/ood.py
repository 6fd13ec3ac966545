"""Out-of-distribution (OOD) scores: how unlike the training photos of every class a photo is."""

import torch
from torch import nn
from torch.nn import functional


class OODHead(nn.Module):
    """Compute OOD scores from the class probabilities of ImageNet's own head.

    ImageNet's thousand classes describe a photo of any species: a caracal is partly a lynx, partly
    a puma, and a bicycle is neither. Each of our classes has a template, the mean ImageNet
    probabilities of its training photos; the score is the distance to the nearest template.
    This is KL matching (Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World
    Settings", ICML 2022) with two changes: the posteriors come from ImageNet's head, which
    fine-tuning leaves frozen, and the distance is Bhattacharyya's (1943), which a single unlikely
    class does not dominate.

    Attributes:
        imagenet: frozen head, features → ImageNet logits (N, 1000).
        class_means: mean ImageNet probabilities of each class (classes, 1000).
    """

    class_means: torch.Tensor

    def __init__(self, imagenet: nn.Linear, class_count: int) -> None:
        super().__init__()
        self.imagenet = imagenet.requires_grad_(False)
        width = imagenet.out_features
        self.register_buffer("class_means", torch.full((class_count, width), 1 / width))

    @torch.no_grad()
    def fit(self, features: torch.Tensor, labels: torch.Tensor) -> None:
        """Set the class means from training features (N, dimension) and class numbers (N,).

        Every class needs at least one photo.
        """
        probabilities = self.imagenet(features).softmax(1)
        for number in range(len(self.class_means)):
            self.class_means[number] = probabilities[labels == number].mean(0)

    def score(self, features: torch.Tensor) -> torch.Tensor:
        """Return the Bhattacharyya distance (N,) to the nearest class mean; 0 is typical."""
        roots = (functional.log_softmax(self.imagenet(features), dim=1) / 2).exp()
        coefficients = (roots @ self.class_means.sqrt().T).amax(1)
        # A tiny coefficient may be rounded to 0, whose logarithm is infinite.
        return -coefficients.clamp_min(torch.finfo(torch.float32).tiny).log()


class FeatureOODHead(nn.Module):
    """Compute OOD scores from the distance to the nearest features of training photos.

    For networks without an ImageNet head. The score is 1 minus the cosine similarity to the k-th
    nearest of the training photos' features (Sun et al., "Out-of-Distribution Detection with Deep
    Nearest Neighbors", ICML 2022); Mahalanobis distances told other cats less well.

    Attributes:
        typical: L2-normalized features of training photos (photos, dimension), at most
            `MAX_PHOTOS`, as many of each class as possible.
    """

    typical: torch.Tensor
    MAX_PHOTOS = 4096
    NEIGHBORS = 10

    def __init__(self, dimension: int, photos: int = 1) -> None:
        super().__init__()
        self.register_buffer("typical", torch.zeros(photos, dimension))

    @torch.no_grad()
    def fit(self, features: torch.Tensor, labels: torch.Tensor) -> None:
        """Keep training features (N, dimension) of photos with these class numbers (N,)."""
        per_class = max(1, self.MAX_PHOTOS // len(labels.unique()))
        kept = []
        for number in labels.unique():
            rows = (labels == number).nonzero().flatten()
            kept.append(rows[torch.linspace(0, len(rows) - 1, min(per_class, len(rows))).long()])
        self.typical = functional.normalize(features[torch.cat(kept)[: self.MAX_PHOTOS]])

    def score(self, features: torch.Tensor) -> torch.Tensor:
        """Return 1 − cosine similarity (N,) to the k-th nearest training photo; 0 is typical."""
        similarity = functional.normalize(features) @ self.typical.T
        return 1 - similarity.topk(min(self.NEIGHBORS, len(self.typical)), dim=1).values[:, -1]
