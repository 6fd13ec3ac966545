"""Out-of-distribution (OOD) scores: how unlike the training photos of every class a photo is."""

from collections.abc import Collection

import torch
from torch import nn
from torch.nn import functional


class OODHead(nn.Module):
    """Compute OOD scores from the pretrained ImageNet head and the logits of the species.

    ImageNet's thousand classes describe a photo of any species: a caracal is partly a lynx, partly
    a puma, and a bicycle is neither. The score is the sum of three parts, each divided by its
    standard deviation on the training photos:

    1. The Bhattacharyya distance (1943) of the photo's ImageNet probabilities to the nearest
       template, the mean probabilities of a species' training photos. This is KL matching
       (Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World Settings", ICML
       2022) with a distance that a single unlikely class does not dominate.
    2. The negative of the largest species logit (MaxLogit, in the same paper).
    3. The log-odds of the `NEAR` ImageNet classes that training photos resemble most, other than
       the species themselves, against the species: for cats, lynxes and pumas against lions.

    Attributes:
        imagenet: frozen head, features → ImageNet logits (N, 1000).
        class_means: mean ImageNet probabilities of each class (classes, 1000).
        near_classes: numbers of the near ImageNet classes (NEAR,).
        centers, weights: mean and inverse standard deviation of each part on the training photos
            (3,); the score is Σ weights · (parts − centers).
    """

    NEAR = 20
    class_means: torch.Tensor
    near_classes: torch.Tensor
    centers: torch.Tensor
    weights: torch.Tensor

    def __init__(self, imagenet: nn.Linear, class_count: int) -> None:
        super().__init__()
        self.imagenet = imagenet.requires_grad_(False)
        width = imagenet.out_features
        self.register_buffer("class_means", torch.full((class_count, width), 1 / width))
        self.register_buffer("near_classes", torch.arange(min(self.NEAR, width)))
        self.register_buffer("centers", torch.zeros(3))
        self.register_buffer("weights", torch.tensor([1.0, 0.0, 0.0]))

    @torch.no_grad()
    def fit(
        self,
        features: torch.Tensor,
        logits: torch.Tensor,
        labels: torch.Tensor,
        own_classes: Collection[int] = (),
    ) -> None:
        """Fit templates, near classes and scales to training photos.

        Args:
            features: (N, dimension).
            logits: of the species (N, classes).
            labels: class numbers (N,); every class needs at least one photo.
            own_classes: numbers of the ImageNet classes that are one of the species.
        """
        imagenet = self.imagenet(features)
        probabilities = imagenet.softmax(1)
        for number in range(len(self.class_means)):
            self.class_means[number] = probabilities[labels == number].mean(0)
        resemblance = imagenet.mean(0)
        resemblance[list(own_classes)] = -torch.inf
        self.near_classes.copy_(resemblance.topk(len(self.near_classes)).indices)
        parts = self._parts(features, logits)
        self.centers.copy_(parts.mean(0))
        # A single photo has no deviation.
        self.weights.copy_(1 / parts.std(0, correction=0).clamp_min(1e-3))

    def check(self) -> None:
        """Check values that an untrusted checkpoint may have set.

        Raises:
            ValueError: a number of a near class is not that of an ImageNet class.
        """
        if not bool(
            ((self.near_classes >= 0) & (self.near_classes < len(self.imagenet.bias))).all()
        ):
            raise ValueError("ood_head.near_classes are not numbers of classes")

    def score(self, features: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return OOD scores (N,); about 0 for a typical training photo, higher is less typical.

        Args:
            features: (N, dimension).
            logits: of the species (N, classes).
        """
        return (self._parts(features, logits) - self.centers) @ self.weights

    def _parts(self, features: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return the three parts of the score (N, 3), before scaling."""
        imagenet = self.imagenet(features)
        roots = (functional.log_softmax(imagenet, dim=1) / 2).exp()
        coefficients = (roots @ self.class_means.sqrt().T).amax(1)
        # A tiny coefficient may be rounded to 0, whose logarithm is infinite.
        distance = -coefficients.clamp_min(torch.finfo(torch.float32).tiny).log()
        near = imagenet[:, self.near_classes].logsumexp(1) - logits.logsumexp(1)
        return torch.stack([distance, -logits.amax(1), near], dim=1)


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
    def fit(
        self,
        features: torch.Tensor,
        logits: torch.Tensor,
        labels: torch.Tensor,
        own_classes: Collection[int] = (),
    ) -> None:
        """Keep training features (N, dimension) of photos with these class numbers (N,).

        Logits and `own_classes` have no part in it.
        """
        per_class = max(1, self.MAX_PHOTOS // len(labels.unique()))
        kept = []
        for number in labels.unique():
            rows = (labels == number).nonzero().flatten()
            kept.append(rows[torch.linspace(0, len(rows) - 1, min(per_class, len(rows))).long()])
        self.typical = functional.normalize(features[torch.cat(kept)[: self.MAX_PHOTOS]])

    def score(self, features: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return 1 − cosine similarity (N,) to the k-th nearest training photo; 0 is typical.

        Logits have no part in it.
        """
        similarity = functional.normalize(features) @ self.typical.T
        return 1 - similarity.topk(min(self.NEIGHBORS, len(self.typical)), dim=1).values[:, -1]
