"""Measure what several photos of one encounter are worth, against one photo."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.data.encounters import DEFAULT_GAP_MINUTES, find_bursts
from panthera_vision.data.splits import observation_groups
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.models.combination import EncounterSums

_BY_OBSERVATION = "observation"
_BY_OBSERVER_DAY = "observer and day"
_BY_TIME = f"observer and day, at most {DEFAULT_GAP_MINUTES:.0f} minutes apart"


def find_encounters(test: pd.DataFrame) -> tuple[pd.Series, str]:
    """Return the encounter of each photo, and how they were found.

    Photos of one observation belong together. If no observation has several photos, those of one
    species by one observer on one day (or in one `group`) do: photos of two species do not show
    one animal. Where the time of photos is known, there is no gap of more than
    `DEFAULT_GAP_MINUTES` between them.

    Args:
        test: rows of `photos.csv` (N); `observation_url` and `taken_at` may be missing.
    """
    if "observation_url" in test:
        urls = test["observation_url"]
        observations = urls.where(urls != "", "\n" + test["id"])
        if observations.duplicated().any():
            return observations, _BY_OBSERVATION
    groups = observation_groups(test, "observer_day") + "\n\n\n\n" + test["species"]
    times = [_time(text) for text in test["taken_at"]] if "taken_at" in test else []
    if not any(times):
        return groups, _BY_OBSERVER_DAY
    bursts = find_bursts(groups, times, DEFAULT_GAP_MINUTES)
    names = [
        f"{burst[0]}\n{burst[1]}" if burst else group
        for burst, group in zip(bursts, groups, strict=True)
    ]
    return pd.Series(names, index=test.index), _BY_TIME


def _time(text: str) -> datetime | None:
    """Return an ISO time, in UTC where it has an offset; None for other text."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def encounter_metrics(
    test: pd.DataFrame,
    actual: np.ndarray,
    probabilities: np.ndarray,
    ood_scores: np.ndarray,
    ood_threshold: float | None,
) -> dict[str, Any]:
    """Compute the accuracy per photo and per encounter, where an encounter has several photos.

    The accuracy per photo is the mean over encounters, so that the gain is paired: both figures
    are of the same encounters with the same weights. Its interval is that of the cluster bootstrap
    over observers' days.

    Args:
        test: rows of `photos.csv` (N).
        actual: class numbers (N,).
        probabilities: calibrated (N, classes).
        ood_scores: of the photos (N,).
        ood_threshold: of the model.

    Returns:
        `grouped_by`, `encounters` and `with_several_photos`; and if there are any such encounters,
        their `photos`, `accuracy_per_photo`, `accuracy_per_encounter`, `gain` with the ends of its
        95% interval, and the shares that are refused as none of the species.
    """
    encounters, grouped_by = find_encounters(test)
    numbers, names = pd.factorize(encounters)
    sizes = np.bincount(numbers)
    several = sizes > 1
    found: dict[str, Any] = {
        "grouped_by": grouped_by,
        "encounters": len(names),
        "with_several_photos": int(several.sum()),
    }
    if not several.any():
        return found
    sums = EncounterSums(len(names), probabilities.shape[1], ood_threshold)
    for row, number in enumerate(numbers.tolist()):
        sums.add(number, probabilities[row], float(ood_scores[row]))
    first = np.unique(numbers, return_index=True)[1]
    is_right = probabilities.argmax(axis=1) == actual
    chosen = np.flatnonzero(several).tolist()
    one = (np.bincount(numbers, is_right) / sizes)[chosen]
    answers = np.array([sums.probabilities(number).argmax() for number in chosen])
    combined = (answers == actual[first[chosen]]).astype(float)
    gain = combined - one
    clusters = observation_groups(test, "observer_day").iloc[first[chosen]]
    interval = bootstrap_intervals(lambda rows: {"gain": float(gain[rows].mean())}, list(clusters))
    low, high = interval["gain"]
    refused = np.zeros(len(test)) if ood_threshold is None else ood_scores > ood_threshold
    return found | {
        "photos": int(sizes[chosen].sum()),
        "accuracy_per_photo": float(one.mean()),
        "accuracy_per_encounter": float(combined.mean()),
        "gain": float(gain.mean()),
        "gain_interval_95": {"low": low, "high": high},
        "refused_per_photo": float((np.bincount(numbers, refused) / sizes)[chosen].mean()),
        "refused_per_encounter": float(np.mean([sums.is_none_of_these(n) for n in chosen])),
    }


def describe_encounters(metrics: dict[str, Any]) -> str:
    """Return the figures of `encounter_metrics` as sentences."""
    if not metrics["with_several_photos"]:
        return (
            f"Each of the {metrics['encounters']} encounters (by {metrics['grouped_by']}) among "
            "the test photos has one photo only, so what several photos gain was not measured."
        )
    interval = metrics["gain_interval_95"]
    return (
        f"{metrics['with_several_photos']} of {metrics['encounters']} encounters (by "
        f"{metrics['grouped_by']}) have several of the test photos, {metrics['photos']} together. "
        f"Accuracy per photo: {metrics['accuracy_per_photo']:.3f}; with the photos of an encounter "
        f"combined: {metrics['accuracy_per_encounter']:.3f}; gain {metrics['gain']:+.3f} (95% "
        f"interval {interval['low']:+.3f} to {interval['high']:+.3f}). "
        f'"None of these": {metrics["refused_per_photo"]:.1%} of the photos, '
        f"{metrics['refused_per_encounter']:.1%} of the encounters."
    )
