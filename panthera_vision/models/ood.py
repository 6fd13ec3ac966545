"""Out-of-distribution (OOD) score: how unlike the training photos of every class a photo is."""

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
