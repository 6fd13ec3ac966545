"""What the apps say, in English and Russian."""

from panthera_vision.ui.i18n.classification import CLASSIFICATION
from panthera_vision.ui.i18n.data import DATA, REASONS
from panthera_vision.ui.i18n.quality import QUALITY
from panthera_vision.ui.i18n.search import SEARCH
from panthera_vision.ui.i18n.wording import (
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
