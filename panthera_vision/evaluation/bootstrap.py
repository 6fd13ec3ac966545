"""Compute confidence intervals by the cluster bootstrap."""

from collections.abc import Callable, Sequence

import numpy as np

RESAMPLES = 1000


def bootstrap_intervals(
    metrics: Callable[[np.ndarray], dict[str, float]],
    groups: Sequence[str],
    *,
    level: float = 0.95,
    seed: int = 17,
) -> dict[str, tuple[float, float]]:
    """Compute percentile cluster-bootstrap intervals of several metrics at once.

    Resamples draw whole groups: photos of one encounter tend to be right or wrong together, so
    drawing single photos would make the intervals too narrow.

    Args:
        metrics: computes the metrics of the photos with the given row numbers.
        groups: the group (cluster) of each photo.
        level: the confidence level.
    """
    _, group_of_photo = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(group_of_photo, kind="stable")
    sizes = np.bincount(group_of_photo)
    begins = np.cumsum(sizes) - sizes
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(RESAMPLES):
        drawn = random.integers(len(sizes), size=len(sizes))
        ends = np.cumsum(sizes[drawn])
        # The places of the drawn groups' members in `order`, without a loop over groups.
        places = np.arange(ends[-1]) + np.repeat(begins[drawn] - ends + sizes[drawn], sizes[drawn])
        samples.append(metrics(order[places]))
    tail = (1 - level) / 2
    return {
        name: (float(low), float(high))
        for name in samples[0]
        for low, high in [np.quantile([sample[name] for sample in samples], [tail, 1 - tail])]
    }
