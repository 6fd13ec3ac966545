"""What the page "About the data" says."""

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n.shared import SHARED

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
    "synthetic_photos": {
        "en": "These are synthetic, drawn pictures (the demo set); their places and dates are made "
        "up, too.",
        "ru": "Это синтетические, нарисованные картинки (демонстрационный набор); места и даты "
        "тоже вымышлены.",
    },
    "undated": {
        "en": "Photos without a date: {count}.",
        "ru": "Без даты наблюдения: {count}.",
    },
    "by_species": {"en": "Photos by species", "ru": "Фотографии по видам"},
    "splits_help": {
        "en": "The model learns from the training photos, the best of its states is chosen on the "
        "validation photos, and the test photos show how good it is. Photos of one observer on one "
        "day are always in the same split.",
        "ru": "На обучающих снимках модель учится, по валидационным выбирается лучшее её "
        "состояние, а тестовые показывают, насколько она точна. Снимки одного наблюдателя за один "
        "день всегда попадают в одну выборку.",
    },
    "species": {"en": "Species", "ru": "Вид"},
    "photos": {"en": "Photos", "ru": "Снимки"},
    "split": {"en": "Split", "ru": "Выборка"},
    "train": {"en": "training", "ru": "обучение"},
    "validation": {"en": "validation", "ru": "валидация"},
    "test": {"en": "test", "ru": "тест"},
    "all": {"en": "all", "ru": "всего"},
    "by_year": {"en": "Photos by year", "ru": "Фотографии по годам"},
    "year": {"en": "Year of the observation", "ru": "Год наблюдения"},
    "year_point": {"en": "{year}: {count}", "ru": "{year}: {count}"},
    "left_out": {"en": "Left out", "ru": "Что не вошло"},
    "left_out_text": {
        "en": "Rows of the export: {read}. Kept: {kept}. Photos that are there: {photos}.",
        "ru": "Строк в выгрузке: {read}. Подошли: {kept}. Фотографий получено: {photos}.",
    },
    "left_out_none": {
        "en": "Every row of the export has become a photo.",
        "ru": "Каждая строка выгрузки стала фотографией.",
    },
    "no_report": {
        "en": "What was left out is not known: {problem}",
        "ru": "Что не вошло, неизвестно: {problem}",
    },
    "reason": {"en": "Reason", "ru": "Причина"},
    "stage": {"en": "Stage", "ru": "Этап"},
    "prepare": {"en": "cleaning", "ru": "очистка"},
    "download": {"en": "download", "ru": "загрузка"},
    "rows": {"en": "Rows", "ru": "Строки"},
    "licenses": {"en": "Licences", "ru": "Лицензии"},
    "license": {"en": "Licence", "ru": "Лицензия"},
    "share": {"en": "Share", "ru": "Доля"},
    "licenses_help": {
        "en": "The photos belong to their observers. Of {photos} photos, {restricted} may not be "
        "used commercially; that binds the model, too.",
        "ru": "Фотографии принадлежат своим авторам. Из них (всего {photos}) нельзя использовать в "
        "коммерческих целях: {restricted}; это касается и модели.",
    },
    "no_credits_file": {
        "en": "The list of authors is not there; `dvc repro` in this folder writes it.",
        "ru": "Списка авторов нет; его создаёт `dvc repro` в этой папке.",
    },
    "map": {"en": "Where the photos were taken", "ru": "Где сделаны снимки"},
    "map_help": {
        "en": "Photos with coordinates: {count} of {photos}. To protect the animals, iNaturalist "
        "obscures the coordinates of threatened species: a point may lie some tens of kilometres "
        "from where the animal was. This is where people photographed them, not a map of their "
        "range.",
        "ru": "Снимки с координатами: {count} из {photos}. Чтобы защитить животных, iNaturalist "
        "скрывает точные координаты угрожаемых видов: точка может отстоять от места встречи на "
        "десятки километров. Карта показывает, где их снимали люди, а не ареал видов.",
    },
    "map_alt": {
        "en": "Map of the observations. {counts}",
        "ru": "Карта наблюдений. {counts}",
    },
    "map_count": {
        "en": "{species}: {count}, latitudes {south} to {north}, longitudes {west} to {east}.",
        "ru": "{species}: {count}, широты от {south} до {north}, долготы от {west} до {east}.",
    },
    "no_map": {
        "en": "There is no map: no photo has coordinates.",
        "ru": "Карты нет: координат нет ни у одного снимка.",
    },
    "place": {"en": "Place", "ru": "Место"},
    "date": {"en": "Date", "ru": "Дата"},
    "north": {"en": "N", "ru": "с. ш."},
    "south": {"en": "S", "ru": "ю. ш."},
    "east": {"en": "E", "ru": "в. д."},
    "west": {"en": "W", "ru": "з. д."},
    "tropic_of_cancer": {"en": "Tropic of Cancer", "ru": "Северный тропик"},
    "equator": {"en": "Equator", "ru": "Экватор"},
    "tropic_of_capricorn": {"en": "Tropic of Capricorn", "ru": "Южный тропик"},
    "north_america": {"en": "North America", "ru": "Северная Америка"},
    "south_america": {"en": "South America", "ru": "Южная Америка"},
    "europe": {"en": "Europe", "ru": "Европа"},
    "africa": {"en": "Africa", "ru": "Африка"},
    "asia": {"en": "Asia", "ru": "Азия"},
    "australia": {"en": "Australia", "ru": "Австралия"},
}

# Why a row of an export is no photo, in the words of the stages; others are shown as they are.
REASONS: dict[str, dict[Language, str]] = {
    "address is not http, https or a file": {
        "en": "the photo's address is neither a web address nor a file",
        "ru": "адрес снимка — не веб-адрес и не файл",
    },
    "duplicate id": {"en": "the observation is there already", "ru": "наблюдение уже есть"},
    "duplicate photo": {"en": "the photo is there already", "ru": "снимок уже есть"},
    "id missing or not plain letters and digits": {
        "en": "the number is missing or has odd characters",
        "ru": "номера нет, или в нём посторонние знаки",
    },
    "no photo": {"en": "no photo", "ru": "нет снимка"},
    "not identified to species": {
        "en": "not identified to species",
        "ru": "не определено до вида",
    },
    "species not in allowed_species": {
        "en": "another species (not in `allowed_species`)",
        "ru": "другой вид (не из `allowed_species`)",
    },
    "wrong number of fields": {
        "en": "the row has too many or too few fields",
        "ru": "в строке лишние поля или их не хватает",
    },
    "address not valid": {"en": "the address is not valid", "ru": "неверный адрес"},
    "broken photo": {"en": "the photo is damaged", "ru": "снимок повреждён"},
    "empty file": {"en": "the file is empty", "ru": "файл пуст"},
    "file missing": {"en": "the file is missing", "ru": "файла нет"},
    "file outside the photos' folder": {
        "en": "the file lies outside the photos' folder",
        "ru": "файл лежит вне папки снимков",
    },
    "file too large": {"en": "the file is too large", "ru": "файл слишком велик"},
    "file unreadable": {"en": "the file can't be read", "ru": "файл не читается"},
    "host name not found": {"en": "the server was not found", "ru": "сервер не найден"},
    "no connection": {"en": "no connection", "ru": "нет соединения"},
    "not a photo": {"en": "it is no picture", "ru": "это не изображение"},
    "redirected in a circle": {
        "en": "the address leads in a circle",
        "ru": "адрес перенаправляет по кругу",
    },
    "timed out": {"en": "the server did not answer in time", "ru": "сервер не ответил вовремя"},
    "too many pixels": {
        "en": "the picture has too many pixels",
        "ru": "в изображении слишком много точек",
    },
    "too narrow": {
        "en": "the picture is a very narrow strip",
        "ru": "изображение — слишком узкая полоса",
    },
    "too many parts": {
        "en": "the file has too many parts for a photo",
        "ru": "в файле слишком много частей для фотографии",
    },
    "private address, see download.allow_private_addresses": {
        "en": "the address leads into a private network (`download.allow_private_addresses`)",
        "ru": "адрес ведёт во внутреннюю сеть (`download.allow_private_addresses`)",
    },
    "not asked, as the server had stopped answering": {
        "en": "not asked, as the server had stopped answering",
        "ru": "не запрошен: сервер перестал отвечать",
    },
    "the answer is not HTTP": {
        "en": "the server did not answer by the rules of the web",
        "ru": "сервер ответил не по правилам HTTP",
    },
    "transfer cut off": {"en": "the transfer was cut off", "ru": "передача прервалась"},
}
