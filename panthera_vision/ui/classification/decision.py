"""Decide what to show of a prediction: a species, "not sure enough", or "none of these"."""

from enum import Enum

from panthera_vision.models.prediction import Prediction

# Lowest calibrated probability → key of its words, highest first: 19 of 20, 4 of 5 are right.
_CERTAINTIES = ((0.95, "very_sure"), (0.8, "fairly_sure"))


class Decision(Enum):
    """What the page shows of a prediction."""

    NAMED = "named"
    UNSURE = "unsure"
    NONE_OF_THESE = "none_of_these"


def decide(prediction: Prediction, threshold: float) -> Decision:
    """Return whether a prediction is out of distribution, below the threshold, or named."""
    if prediction.is_none_of_these:
        return Decision.NONE_OF_THESE
    return Decision.NAMED if prediction.probability >= threshold else Decision.UNSURE


def certainty_key(probability: float) -> str:
    """Return the key of the text that puts a calibrated probability into words."""
    for least, key in _CERTAINTIES:
        if probability >= least:
            return key
    return "rather_unsure"
