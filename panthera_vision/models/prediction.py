"""Prediction: species probabilities and the OOD decision for one photo."""

from dataclasses import dataclass

NONE_OF_THESE = "none of these"


@dataclass(frozen=True)
class Prediction:
    """Hold a model's prediction for one photo.

    Attributes:
        probabilities: calibrated, by species, in descending order; they presume that the photo
            shows one of the species.
        ood_score: how unlike the training photos of every species the photo is.
        is_none_of_these: whether that score is above the model's threshold.
    """

    probabilities: dict[str, float]
    ood_score: float
    is_none_of_these: bool

    @property
    def species(self) -> str:
        """Return the most probable species."""
        return self._ranked(0)[0]

    @property
    def probability(self) -> float:
        return self._ranked(0)[1]

    @property
    def runner_up(self) -> str:
        """Return the second most probable species, "" if the model has one class only."""
        return self._ranked(1)[0]

    @property
    def runner_up_probability(self) -> float:
        return self._ranked(1)[1]

    def _ranked(self, place: int) -> tuple[str, float]:
        ranked = list(self.probabilities.items())
        return ranked[place] if place < len(ranked) else ("", 0.0)
