"""What the page "About the data" says."""

from panthera_vision.apps.texts.shared import SHARED
from panthera_vision.taxa import Language

DATA: dict[str, dict[Language, str]] = SHARED | {
    "title": {"en": "About the data", "ru": "О данных"},
    "no_data": {"en": "There is no data yet: {problem}", "ru": "Данных пока нет: {problem}"},
    "no_data_help": {
        "en": "`dvc repro` in this folder fetches the photos of an iNaturalist export. Then reload "
        "the page.",
        "ru": "Фотографии из выгрузки iNaturalist загружает `dvc repro` в этой папке. Затем "
        "обновите страницу.",
    },
    "intro": {
        "en": "{photos} photos by {observers} observers, observed from {first} to {last}.",
        "ru": "Фотографий: {photos}, наблюдателей: {observers}, даты наблюдений: с {first} по "
        "{last}.",
    },
    "by_species": {"en": "Photos by species", "ru": "Фотографии по видам"},
    "species": {"en": "Species", "ru": "Вид"},
    "photos": {"en": "Photos", "ru": "Фотографии"},
    "split": {"en": "Split", "ru": "Выборка"},
    "train": {"en": "training", "ru": "обучение"},
    "validation": {"en": "validation", "ru": "валидация"},
    "test": {"en": "test", "ru": "тест"},
    "by_year": {"en": "Photos by year", "ru": "Фотографии по годам"},
    "year": {"en": "Year of the observation", "ru": "Год наблюдения"},
    "left_out": {"en": "Left out", "ru": "Не вошли"},
    "left_out_none": {
        "en": "Every row of the export has become a photo.",
        "ru": "Каждая строка выгрузки стала фотографией.",
    },
    "reason": {"en": "Reason", "ru": "Причина"},
    "rows": {"en": "Rows", "ru": "Строки"},
    "licenses": {"en": "Licences", "ru": "Лицензии"},
    "license": {"en": "Licence", "ru": "Лицензия"},
    "licenses_help": {
        "en": "The photos belong to their observers. Most licences forbid commercial use; that "
        "binds the model, too.",
        "ru": "Фотографии принадлежат своим авторам. Большинство лицензий запрещает коммерческое "
        "использование; это касается и модели.",
    },
    "map": {"en": "Where the photos were taken", "ru": "Где сделаны снимки"},
    "map_help": {
        "en": "{count} photos have coordinates. iNaturalist moves those of threatened species by "
        "up to some tens of kilometres, to protect the animals.",
        "ru": "Координаты есть у стольких фотографий: {count}. Для угрожаемых видов iNaturalist "
        "сдвигает их на десятки километров, чтобы защитить животных.",
    },
    "map_alt": {
        "en": "Map of the observations. {counts}",
        "ru": "Карта наблюдений. {counts}",
    },
    "no_map": {
        "en": "No photo has coordinates.",
        "ru": "Координат нет ни у одной фотографии.",
    },
    "place": {"en": "Place", "ru": "Место"},
    "date": {"en": "Date", "ru": "Дата"},
    "latitude": {"en": "Latitude", "ru": "Широта"},
    "longitude": {"en": "Longitude", "ru": "Долгота"},
}
