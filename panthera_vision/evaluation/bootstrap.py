"""How much a figure of a small test set may be due to chance."""

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
    """Percentile bootstrap intervals of several metrics at once.

    Whole groups are drawn, not photos: photos of one encounter are right or wrong together, and
    drawing them singly would make the intervals too narrow.

    Args:
        metrics: gives the metrics of the photos with the given numbers.
        groups: each photo's group.
        level: the share of resamples that the interval holds.
        seed: of the resampling.
    """
    _, of_photo = np.unique(np.asarray(groups), return_inverse=True)
    members = np.split(np.argsort(of_photo, kind="stable"), np.cumsum(np.bincount(of_photo))[:-1])
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(RESAMPLES):
        drawn = random.integers(len(members), size=len(members))
        draws.append(metrics(np.concatenate([members[number] for number in drawn])))
    tail = (1 - level) / 2
    return {
        name: (
            float(np.quantile([draw[name] for draw in draws], tail)),
            float(np.quantile([draw[name] for draw in draws], 1 - tail)),
        )
        for name in draws[0]
    }
