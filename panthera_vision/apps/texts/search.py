"""What the search app says."""

from panthera_vision.apps.texts.shared import SHARED
from panthera_vision.taxa import Language

SEARCH: dict[str, dict[Language, str]] = SHARED | {
    "title": {"en": "Similar photos of big cats", "ru": "Похожие фотографии больших кошек"},
    "intro": {
        "en": "Upload a photo, and see the most similar ones of the collection.",
        "ru": "Загрузите фотографию и посмотрите на самые похожие снимки коллекции.",
    },
    "no_index": {
        "en": "The search is not ready: {problem}",
        "ru": "Поиск пока не готов: {problem}",
    },
    "no_index_help": {
        "en": "Run `make demo` in the project's top folder for the synthetic demo set, "
        "or `dvc repro` in this folder for an iNaturalist export. Then reload the page.",
        "ru": "Запустите `make demo` в корневой папке проекта (синтетический демонстрационный "
        "набор) или `dvc repro` в этой папке (выгрузка iNaturalist). Затем обновите страницу.",
    },
    "species_filter": {"en": "Only these species", "ru": "Только эти виды"},
    "all_species": {"en": "all species", "ru": "все виды"},
    "results": {"en": "The {count} most similar", "ru": "Самые похожие: {count}"},
    "your_photo": {"en": "Your photo", "ru": "Ваша фотография"},
    "no_hits": {
        "en": "No photo of the collection passes the filter.",
        "ru": "Ни одна фотография коллекции не проходит через фильтр.",
    },
    "collection": {
        "en": "The collection: {count} photos.",
        "ru": "Фотографий в коллекции: {count}.",
    },
}
