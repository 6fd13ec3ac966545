"""Combine the predictions for several photos of one encounter into one answer.

Photos of one encounter are those of an observation, or the frames of a camera's burst.
"""

from collections.abc import Iterable

import numpy as np

from panthera_vision.models.prediction import Prediction

_MIN_PROBABILITY = 1e-6  # so that no single photo rules a species out


class EncounterSums:
    """Sum up the photos of encounters one by one, in memory that grows with the encounters only.

    The answer of an encounter is a weighted sum of log-probabilities, scaled to a sum of 1 (a
    logarithmic opinion pool; Genest and Zidek, "Combining Probability Distributions", Statistical
    Science 1986). The squares of the weights add up to 1, so that n equal photos have the weight
    √n together: with 1 the answer would be no surer than its photos; with n it would be too sure,
    as photos of an encounter are not independent. A weight is proportional to

    - exp(−s / |t|), for the photo's OOD score s and the model's OOD threshold t: an empty frame
      has next to no say beside a photo of the animal;
    - 1 − the entropy of the photo's probabilities, as a share of the largest possible: a photo on
      which the model can't decide has less say.

    The OOD score of the encounter is the mean of its photos' with the first of these as weight, a
    soft minimum. benchmarks/encounters.md compares this rule with others.

    Args:
        encounters: their number.
        classes: the number of species.
        ood_threshold: of the model; without one OOD scores have no influence.
    """

    def __init__(self, encounters: int, classes: int, ood_threshold: float | None) -> None:
        self._log_probabilities = np.zeros((encounters, classes))
        self._squares = np.zeros(encounters)  # of the weights
        self._likeness = np.zeros(encounters)  # sum of exp(−s / |t|)
        self._ood_scores = np.zeros(encounters)
        self._lowest = np.full(encounters, np.inf)
        self._threshold = ood_threshold

    def add(self, encounter: int, probabilities: np.ndarray, ood_score: float) -> None:
        """Add a photo to an encounter.

        Args:
            encounter: its number.
            probabilities: calibrated (classes,).
            ood_score: of the photo.
        """
        logs = np.log(np.maximum(probabilities, _MIN_PROBABILITY))
        likeness = self._factor(encounter, ood_score)
        # A photo that says nothing has a little weight still: the encounter may have no other.
        weight = likeness * max(1 + float(probabilities @ logs) / np.log(max(len(logs), 2)), 1e-6)
        self._log_probabilities[encounter] += weight * logs
        self._squares[encounter] += weight**2
        self._ood_scores[encounter] += likeness * ood_score
        self._likeness[encounter] += likeness

    def _factor(self, encounter: int, ood_score: float) -> float:
        """Return exp(−(s − lowest s) / |t|); a new lowest score rescales the sums (overflow)."""
        if self._threshold is None:
            return 1.0
        scale = max(abs(self._threshold), 1e-6)
        lowest = self._lowest[encounter]
        if ood_score < lowest:
            shrink = float(np.exp((ood_score - lowest) / scale))
            for sums in (self._log_probabilities, self._ood_scores, self._likeness):
                sums[encounter] *= shrink
            self._squares[encounter] *= shrink**2
            self._lowest[encounter] = lowest = ood_score
        return float(np.exp((lowest - ood_score) / scale))

    def probabilities(self, encounter: int) -> np.ndarray:
        """Return the probabilities (classes,) of an encounter with at least one photo."""
        pooled = self._log_probabilities[encounter] / np.sqrt(self._squares[encounter])
        unscaled = np.exp(pooled - pooled.max())
        return np.asarray(unscaled / unscaled.sum())

    def ood_score(self, encounter: int) -> float:
        """Return the OOD score of an encounter with at least one photo."""
        return float(self._ood_scores[encounter] / self._likeness[encounter])

    def is_none_of_these(self, encounter: int) -> bool:
        """Return whether that score is above the model's threshold."""
        return self._threshold is not None and self.ood_score(encounter) > self._threshold


def combine_predictions(
    predictions: Iterable[Prediction], ood_threshold: float | None
) -> Prediction | None:
    """Return the prediction for the encounter that several photos show; None without photos.

    Args:
        predictions: of one model; those without probabilities (unreadable photos) are left out.
        ood_threshold: of the model.
    """
    photos = [each for each in predictions if each.probabilities]
    if not photos:
        return None
    names = sorted(photos[0].probabilities)
    sums = EncounterSums(1, len(names), ood_threshold)
    for photo in photos:
        given = np.array([photo.probabilities[name] for name in names])
        sums.add(0, given, photo.ood_score)
    by_species = zip(names, sums.probabilities(0).tolist(), strict=True)
    return Prediction(
        dict(sorted(by_species, key=lambda pair: -pair[1])),
        ood_score=sums.ood_score(0),
        is_none_of_these=sums.is_none_of_these(0),
    )
