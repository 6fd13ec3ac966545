"""What the apps say, in English and Russian."""

from panthera_vision.apps.texts.classification import CLASSIFICATION
from panthera_vision.apps.texts.data import DATA, REASONS
from panthera_vision.apps.texts.quality import QUALITY
from panthera_vision.apps.texts.search import SEARCH
from panthera_vision.apps.texts.wording import (
    LANGUAGES,
    choose_language,
    number,
    percent,
    plain,
    probability,
    text,
)

__all__ = [
    "CLASSIFICATION",
    "DATA",
    "LANGUAGES",
    "QUALITY",
    "REASONS",
    "SEARCH",
    "choose_language",
    "number",
    "percent",
    "plain",
    "probability",
    "text",
]
