"""Accuracy of parts of the test photos: by observer, and by subspecies."""

import pandas as pd
from scipy.stats import binomtest

UNKNOWN_OBSERVER = "unknown"
_DIGITS = 4


def accuracy_by(keys: pd.Series, right: pd.Series) -> pd.DataFrame:
    """How often the photos of each key are right.

    The intervals are Wilson's (JASA 1927), which stay within 0 and 1 and serve few photos too.
    They take photos for independent; those of one encounter are not, and the truth may lie
    farther off than they say.

    Args:
        keys: each photo's group, such as its observer (N,).
        right: whether the photo's species was predicted (N,).

    Returns:
        Columns photos, right, accuracy, interval_low and interval_high (95%); indexed and sorted
        by key.
    """
    groups = right.groupby(keys)
    counts = pd.DataFrame({"photos": groups.size(), "right": groups.sum().astype(int)})
    intervals = [
        binomtest(int(hits), int(photos)).proportion_ci(0.95, method="wilson")
        for hits, photos in zip(counts["right"], counts["photos"], strict=True)
    ]
    return counts.assign(
        accuracy=(counts["right"] / counts["photos"]).round(_DIGITS),
        interval_low=[round(float(interval.low), _DIGITS) for interval in intervals],
        interval_high=[round(float(interval.high), _DIGITS) for interval in intervals],
    )


def per_observer_accuracy(test: pd.DataFrame, right: pd.Series) -> pd.DataFrame:
    """Accuracy of each observer's photos, those with the most mistakes first.

    Photos whose observer is not known count as one observer's, `UNKNOWN_OBSERVER`.

    Args:
        test: rows of `photos.csv`, N of them.
        right: whether the photo's species was predicted (N,).
    """
    table = accuracy_by(_observers(test), right).rename_axis("observer").reset_index()
    table.insert(2, "mistakes", table["photos"] - table["right"])
    return table.sort_values(
        ["mistakes", "accuracy", "photos", "observer"],
        ascending=[False, True, False, True],
        ignore_index=True,
    )


def per_subspecies_accuracy(test: pd.DataFrame, right: pd.Series) -> pd.DataFrame:
    """Accuracy of each taxon's photos as observed, by species, the taxon with the most first.

    A taxon is a subspecies, or the species itself where the observation names none.

    Args:
        test: rows of `photos.csv`, N of them.
        right: whether the photo's species was predicted (N,).
    """
    taxa = test["taxon"].where(test["taxon"] != "", test["species"])
    table = accuracy_by(taxa, right).rename_axis("taxon").reset_index()
    species = dict(zip(taxa, test["species"], strict=True))
    table.insert(0, "species", table["taxon"].map(species))
    return table.sort_values(
        ["species", "photos", "taxon"], ascending=[True, False, True], ignore_index=True
    )


def observer_summary(test: pd.DataFrame, right: pd.Series) -> dict[str, float]:
    """How many observers there are, and their accuracy when each counts the same.

    The accuracy by photo is that of the observers with many photos; this one says what an
    observer may expect. A gap between the two means that a few observers make the figure.

    Args:
        test: rows of `photos.csv`, N of them.
        right: whether the photo's species was predicted (N,).
    """
    by_observer = right.groupby(_observers(test)).mean()
    return {"observers": len(by_observer), "mean_accuracy": float(by_observer.mean())}


def _observers(test: pd.DataFrame) -> pd.Series:
    return test["observer"].where(test["observer"] != "", UNKNOWN_OBSERVER)
