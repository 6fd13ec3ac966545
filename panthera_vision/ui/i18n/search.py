"""What the search app says."""

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n.shared import SHARED

SEARCH: dict[str, dict[Language, str]] = SHARED | {
    "title": {"en": "Similar photos of big cats", "ru": "Похожие фотографии больших кошек"},
    "intro": {
        "en": "Give a photo, and see the most similar ones of the collection. "
        "Any of them can be searched with in turn.",
        "ru": "Дайте фотографию и посмотрите на самые похожие снимки коллекции. "
        "С любым из них можно искать дальше.",
    },
    "collection": {
        "en": "The collection: {count} photos.",
        "ru": "Фотографий в коллекции: {count}.",
    },
    # ---- What is wrong, and what to run ----
    "no_index": {
        "en": "The search is not ready.",
        "ru": "Поиск пока не готов.",
    },
    "no_index_help": {
        "en": "Run `make demo` in the project's top folder for the synthetic demo set, "
        "or `dvc repro` in this folder for an iNaturalist export. Then reload the page.",
        "ru": "Запустите `make demo` в корневой папке проекта (синтетический демонстрационный "
        "набор) или `dvc repro` в этой папке (выгрузка iNaturalist). Затем обновите страницу.",
    },
    "damaged_index": {
        "en": "The index is damaged, or was made by an older version.",
        "ru": "Индекс повреждён или создан более старой версией.",
    },
    "foreign_index": {
        "en": "The index was made by another model.",
        "ru": "Индекс построен другой моделью.",
    },
    "mended_by_repro": {
        "en": "Run `dvc repro` in the search pipeline's folder "
        "(if it finds nothing to do: `dvc repro --force build_index`). Then reload the page.",
        "ru": "Запустите `dvc repro` в папке поискового конвейера "
        "(если он решит, что делать нечего: `dvc repro --force build_index`). "
        "Затем обновите страницу.",
    },
    "technical": {"en": "In detail: {problem}", "ru": "Подробности (по-английски): {problem}"},
    "earlier_index": {
        "en": "The index is being made anew, or can't be read. The answers come from the one that "
        "was loaded before.",
        "ru": "Индекс сейчас создаётся заново или не читается. Ответы даёт тот, что был загружен "
        "раньше.",
    },
    "unknown_photo": {
        "en": "The collection has no photo with the number in this page's address.",
        "ru": "В коллекции нет снимка с номером, который указан в адресе страницы.",
    },
    # ---- The photo that is searched with ----
    "view": {"en": "View", "ru": "Вид"},
    "view_search": {"en": "Search", "ru": "Поиск"},
    "view_map": {"en": "Map of the collection", "ru": "Карта коллекции"},
    "source": {"en": "Where the photo comes from", "ru": "Откуда взять фотографию"},
    "source_file": {"en": "File", "ru": "Файл"},
    "source_camera": {"en": "Camera", "ru": "Камера"},
    "camera": {"en": "Take a photo", "ru": "Снимите фотографию"},
    "examples": {"en": "Or choose an example", "ru": "Или выберите пример"},
    "choose_example": {"en": "Search with this one", "ru": "Искать с этим снимком"},
    "search_with_this": {"en": "Search with this one", "ru": "Искать с этим снимком"},
    "your_photo": {"en": "Your photo", "ru": "Ваша фотография"},
    "query_photo": {"en": "Searched with", "ru": "Ищем похожие на этот снимок"},
    "shareable": {
        "en": "The address of this page leads to this photo: copy it to share the search.",
        "ru": "Адрес этой страницы ведёт к этому снимку: скопируйте его, чтобы поделиться поиском.",
    },
    "back": {"en": "Back", "ru": "Назад"},
    "start_anew": {"en": "New search", "ru": "Новый поиск"},
    # ---- Filters ----
    "filters": {"en": "Filters", "ru": "Фильтры"},
    "species_filter": {"en": "Only these species", "ru": "Только эти виды"},
    "all_species": {"en": "all species", "ru": "все виды"},
    "observer_filter": {"en": "Only these observers", "ru": "Только эти наблюдатели"},
    "all_observers": {"en": "all observers", "ru": "все наблюдатели"},
    "license_filter": {"en": "Only these licences", "ru": "Только эти лицензии"},
    "all_licenses": {"en": "all licences", "ru": "все лицензии"},
    "place_filter": {"en": "Place contains", "ru": "Место содержит"},
    "place_example": {"en": "as in the observation", "ru": "как в наблюдении"},
    "first_day": {"en": "From this day", "ru": "С этого дня"},
    "last_day": {"en": "To this day", "ru": "По этот день"},
    "clear_filters": {"en": "Clear the filters", "ru": "Сбросить фильтры"},
    "passing": {
        "en": "Photos that pass the filters: {count} of {total}.",
        "ru": "Через фильтры проходит снимков: {count} из {total}.",
    },
    "wrong_days": {
        "en": "The first day is after the last one.",
        "ru": "Первый день позже последнего.",
    },
    # ---- Results ----
    "count": {"en": "How many results", "ru": "Сколько результатов"},
    "fold": {"en": "Fold near-duplicates", "ru": "Сворачивать почти одинаковые"},
    "fold_help": {
        "en": "Copies of a shot (cropped, mirrored, saved anew) appear as one result.",
        "ru": "Копии одного кадра (обрезанные, отражённые, пересохранённые) показываются одним "
        "результатом.",
    },
    "results": {"en": "The {count} most similar", "ru": "Самые похожие: {count}"},
    "more_like_this": {"en": "{count} more like this", "ru": "Ещё почти таких же: {count}"},
    "place": {"en": "Place: {place}", "ru": "Место: {place}"},
    "no_hits": {
        "en": "No photo of the collection passes the filter.",
        "ru": "Ни одна фотография коллекции не проходит через фильтр.",
    },
    "take_results": {"en": "Results (CSV)", "ru": "Результаты (CSV)"},
    "agreement_all": {
        "en": "The most similar photos all show one species: {species} ({count} of {total}).",
        "ru": "Самые похожие снимки: на всех — {species} ({count} из {total}).",
    },
    "agreement_most": {
        "en": "{count} of the {total} most similar photos show one species: {species}.",
        "ru": "Самые похожие снимки: на {count} из {total} — {species}.",
    },
    "agreement_none": {
        "en": "The most similar photos show different species, none of them on more than half: "
        "{species}.",
        "ru": "На самых похожих снимках разные виды, и ни одного — больше чем на половине: "
        "{species}.",
    },
    "agreement_help": {
        "en": "Similar does not mean the same species: look for yourself.",
        "ru": "Сходство ещё не значит, что вид тот же: посмотрите сами.",
    },
    # ---- The map ----
    "map_help": {
        "en": "Each point is a photo; photos that the model finds alike lie close together. "
        "Distances between far-apart groups mean nothing. Point at one for its details, click it "
        "to see the photo, click a species below to bring it out; Shift and the wheel zoom.",
        "ru": "Каждая точка — снимок; снимки, похожие для модели, лежат рядом. Расстояния между "
        "далёкими группами ничего не значат. Наведите указатель на точку, чтобы прочесть о "
        "снимке, нажмите на неё, чтобы увидеть его, нажмите на вид внизу, чтобы его выделить; "
        "Shift и колесо меняют масштаб.",
    },
    "map_alt": {
        "en": "Scatter plot of the collection's photos, coloured by species.",
        "ru": "Точечная карта снимков коллекции, раскрашенная по видам.",
    },
    "map_query": {"en": "Searched with", "ru": "Искомый снимок"},
    "map_query_own": {
        "en": "The cross is the photo that you search with.",
        "ru": "Крестик — снимок, с которым вы ищете.",
    },
    "map_query_guess": {
        "en": "The cross is about where your photo belongs: the weighted mean of its nearest "
        "neighbours' places. The map was made without it.",
        "ru": "Крестик — примерное место вашей фотографии: взвешенное среднее мест её ближайших "
        "соседей. Сама карта построена без неё.",
    },
    "map_choose": {
        "en": "Or choose a photo by its number",
        "ru": "Или выберите снимок по номеру",
    },
    "map_nothing": {"en": "none chosen", "ru": "не выбран"},
    "map_species": {"en": "Species", "ru": "Вид"},
    "map_observer": {"en": "Observer", "ru": "Наблюдатель"},
    "map_day": {"en": "Date", "ru": "Дата"},
    "map_place": {"en": "Place", "ru": "Место"},
    "map_number": {"en": "Number", "ru": "Номер"},
    "no_map": {"en": "There is no usable map yet.", "ru": "Готовой карты пока нет."},
}
