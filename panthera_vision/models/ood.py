"""How familiar a photo is: whether ImageNet's classes speak of it as they do of our classes."""

import torch
from torch import nn
from torch.nn import functional


class OODHead(nn.Module):
    """Compares what ImageNet's head says of a photo with what it says of the training photos.

    ImageNet's thousand classes describe a photo of any species, named by them or not: a caracal is
    partly a lynx, partly a puma, and a bicycle is neither. Photos whose description is unlike that
    of every class are strange. Comparing class posteriors with one template a class is KL matching
    (Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World Settings", ICML 2022);
    here with ImageNet's head, which fine-tuning leaves as it was, and with Bhattacharyya's distance
    (1943), which a single unlikely class does not blow up.

    Attributes:
        imagenet: features → ImageNet's logits, (N, 1000), as pretrained.
        class_means: ImageNet's mean probabilities of the photos of each class, (classes, 1000).
    """

    class_means: torch.Tensor

    def __init__(self, imagenet: nn.Linear, class_count: int) -> None:
        super().__init__()
        self.imagenet = imagenet.requires_grad_(False)
        everything = imagenet.out_features
        self.register_buffer("class_means", torch.full((class_count, everything), 1 / everything))

    @torch.no_grad()
    def fit(self, features: torch.Tensor, labels: torch.Tensor) -> None:
        """Take what is typical of each class from photos of it.

        Args:
            features: of the training photos, (N, feature_dimension).
            labels: their class numbers, (N,); every class has some.
        """
        probabilities = self.imagenet(features).softmax(1)
        for number in range(len(self.class_means)):
            self.class_means[number] = probabilities[labels == number].mean(0)

    def score(self, features: torch.Tensor) -> torch.Tensor:
        """Bhattacharyya's distance to the nearest class, (N,); 0 is typical, higher is stranger."""
        roots = (functional.log_softmax(self.imagenet(features), dim=1) / 2).exp()
        affinity = (roots @ self.class_means.sqrt().T).amax(1)
        # Rounding may leave nothing of a very small affinity.
        return -affinity.clamp_min(torch.finfo(torch.float32).tiny).log()
