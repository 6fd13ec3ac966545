"""What a page says of an answer: which species, how surely, or why none."""

from enum import Enum

from panthera_vision.models.prediction import Prediction

# Of the calibrated probability, from the surest down: 19 of 20, 4 of 5 are right.
_WORDS = ((0.95, "very_sure"), (0.8, "fairly_sure"))


class Verdict(Enum):
    """What is made of an answer."""

    NAMED = "named"
    UNSURE = "unsure"
    NONE_OF_THESE = "none_of_these"


def verdict(answer: Prediction, least_probability: float) -> Verdict:
    """None of the species where the model says so; a species only from `least_probability` up."""
    if answer.is_none_of_these:
        return Verdict.NONE_OF_THESE
    return Verdict.NAMED if answer.probability >= least_probability else Verdict.UNSURE


def certainty_words(probability: float) -> str:
    """The key of the text that puts a calibrated probability in words."""
    for least, key in _WORDS:
        if probability >= least:
            return key
    return "rather_unsure"
