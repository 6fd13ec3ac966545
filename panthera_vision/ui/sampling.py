"""Bound what is sent to a browser: a sample of points, and lists that are not too long."""

from collections.abc import Sequence

import numpy as np

# More points are too much for a browser: 15,000 are 1.7 MB.
_MOST_POINTS = 15_000
# Of longer lists, the visitor types a part of a name instead.
MOST_CHOICES = 1000
_SEED = 17


def shown_rows(count: int, near: Sequence[int] = ()) -> np.ndarray:
    """Return the rows to show, ascending: all, or an even sample and the rows `near`."""
    if count <= _MOST_POINTS:
        return np.arange(count)
    drawn = np.random.default_rng(_SEED).choice(count, _MOST_POINTS, replace=False)
    return np.union1d(drawn, np.asarray(near, dtype=np.int64))
