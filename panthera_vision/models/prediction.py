"""What the model says of one photo."""

from dataclasses import dataclass

NONE_OF_THESE = "none of these"


@dataclass(frozen=True)
class Prediction:
    """Probabilities of the species, and whether the photo shows any of them.

    Attributes:
        probabilities: calibrated, by species, the likeliest first. They presume that the photo
            shows one of the species.
        ood_score: how unlike the photos of all species it is; higher is stranger.
        is_none_of_these: whether that is more than the model's threshold.
    """

    probabilities: dict[str, float]
    ood_score: float
    is_none_of_these: bool

    @property
    def species(self) -> str:
        """The likeliest species."""
        return self._ranked(0)[0]

    @property
    def probability(self) -> float:
        return self._ranked(0)[1]

    @property
    def runner_up(self) -> str:
        """The second likeliest species; empty where the model knows but one."""
        return self._ranked(1)[0]

    @property
    def runner_up_probability(self) -> float:
        return self._ranked(1)[1]

    def _ranked(self, place: int) -> tuple[str, float]:
        ranked = list(self.probabilities.items())
        return ranked[place] if place < len(ranked) else ("", 0.0)
