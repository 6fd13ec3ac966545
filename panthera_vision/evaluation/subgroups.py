"""Compute accuracy by subgroup of the test photos: per observer and per subspecies."""

import pandas as pd
from scipy.stats import norm

UNKNOWN_OBSERVER = "unknown"
_DIGITS = 4
_Z = float(norm.ppf(0.975))  # of a 95% interval


def accuracy_by(keys: pd.Series, correct: pd.Series) -> pd.DataFrame:
    """Compute accuracy with a 95% Wilson score interval for each key.

    The intervals (Wilson, JASA 1927) assume independent photos. Photos of one encounter are not,
    so the true intervals are wider.

    Args:
        keys: the subgroup of each photo, such as its observer (N,).
        correct: whether the species was predicted correctly (N,).

    Returns:
        Columns photos, right, accuracy, interval_low and interval_high, indexed by key.
    """
    groups = correct.groupby(keys)
    table = pd.DataFrame({"photos": groups.size(), "right": groups.sum().astype(int)})
    accuracy = table["right"] / table["photos"]
    # On columns: a call of SciPy's binomtest for each of 10,000 observers takes seconds.
    shrinkage = 1 + _Z**2 / table["photos"]
    center = (accuracy + _Z**2 / (2 * table["photos"])) / shrinkage
    variance = accuracy * (1 - accuracy) / table["photos"] + (_Z / (2 * table["photos"])) ** 2
    half = _Z * variance**0.5 / shrinkage
    return table.assign(
        accuracy=accuracy.round(_DIGITS),
        interval_low=(center - half).clip(lower=0).round(_DIGITS),
        interval_high=(center + half).clip(upper=1).round(_DIGITS),
    )


def per_observer_accuracy(test: pd.DataFrame, correct: pd.Series) -> pd.DataFrame:
    """Tabulate accuracy per observer, the observers with the most mistakes first.

    A missing observer counts as the observer `UNKNOWN_OBSERVER`.
    """
    table = accuracy_by(_observers(test), correct).rename_axis("observer").reset_index()
    table.insert(2, "mistakes", table["photos"] - table["right"])
    return table.sort_values(
        ["mistakes", "accuracy", "photos", "observer"],
        ascending=[False, True, False, True],
        ignore_index=True,
    )


def per_subspecies_accuracy(test: pd.DataFrame, correct: pd.Series) -> pd.DataFrame:
    """Tabulate accuracy per observed taxon: a subspecies, or the species if none is given.

    The rows are sorted by species, and then by the number of photos, largest first.
    """
    taxa = test["taxon"].where(test["taxon"] != "", test["species"])
    table = accuracy_by(taxa, correct).rename_axis("taxon").reset_index()
    table.insert(0, "species", table["taxon"].map(dict(zip(taxa, test["species"], strict=True))))
    return table.sort_values(
        ["species", "photos", "taxon"], ascending=[True, False, True], ignore_index=True
    )


def observer_summary(test: pd.DataFrame, correct: pd.Series) -> dict[str, float]:
    """Compute the number of observers and the macro-average of their accuracies.

    Observers with many photos dominate the accuracy over photos. A gap to this average means that
    a few observers make the figure.
    """
    by_observer = correct.groupby(_observers(test)).mean()
    return {"observers": len(by_observer), "mean_accuracy": float(by_observer.mean())}


def _observers(test: pd.DataFrame) -> pd.Series:
    return test["observer"].where(test["observer"] != "", UNKNOWN_OBSERVER)
