"""The apps' texts by language, as the tests look for them on the pages."""

from panthera_vision.ui.i18n import LANGUAGES, Translator

CLASSIFICATION = {language: Translator("classification", language) for language in LANGUAGES}
QUALITY = {language: Translator("quality", language) for language in LANGUAGES}
DATA = {language: Translator("data", language) for language in LANGUAGES}
SEARCH = {language: Translator("search", language) for language in LANGUAGES}
REVIEW = {language: Translator("review", language) for language in LANGUAGES}
