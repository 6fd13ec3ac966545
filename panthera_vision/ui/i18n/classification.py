"""What the classification app says."""

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n.shared import SHARED

CLASSIFICATION: dict[str, dict[Language, str]] = SHARED | {
    "title": {"en": "Which big cat is this?", "ru": "Какая это большая кошка?"},
    "intro": {
        "en": "Upload photos, and the model names the species.",
        "ru": "Загрузите фотографии, и модель назовёт вид.",
    },
    "no_model": {
        "en": "There is no usable model yet: {problem}",
        "ru": "Готовой модели пока нет: {problem}",
    },
    "no_model_help": {
        "en": "Train one on the synthetic demo set with `make demo` in the project's top folder, "
        "or on an iNaturalist export with `dvc repro` in this folder. Then reload the page.",
        "ru": "Обучите её на синтетическом демонстрационном наборе командой `make demo` в корневой "
        "папке проекта или на выгрузке iNaturalist командой `dvc repro` в этой папке. "
        "Затем обновите страницу.",
    },
    "page_classify": {"en": "Classify photos", "ru": "Определить вид"},
    "page_quality": {"en": "How good is it?", "ru": "Насколько это точно?"},
    "page_data": {"en": "About the data", "ru": "О данных"},
    "too_many": {
        "en": "Only the first {count} photos are taken; `python src/predict.py` does more.",
        "ru": "Взяты только первые {count}; больше снимков обработает `python src/predict.py`.",
    },
    "from_before": {
        "en": "Photos that you gave before: {count}.",
        "ru": "Снимки, которые вы уже загрузили: {count}.",
    },
    "take_away": {"en": "Take them away", "ru": "Убрать их"},
    "classifying": {"en": "{done} of {count} photos", "ru": "Обработано: {done} из {count}"},
    "very_sure": {"en": "very sure", "ru": "очень уверенно"},
    "fairly_sure": {"en": "fairly sure", "ru": "довольно уверенно"},
    "rather_unsure": {"en": "rather unsure", "ru": "скорее неуверенно"},
    "runner_up": {
        "en": "It could also be: {species} ({probability}).",
        "ru": "Возможен и другой вид: {species} ({probability}).",
    },
    "unsure": {"en": "Not sure enough", "ru": "Модель недостаточно уверена"},
    "unsure_why": {
        "en": "The likeliest species is below the {threshold} that you ask for: {species} "
        "({probability}).",
        "ru": "Самый вероятный вид не достигает заданного порога {threshold}: {species} "
        "({probability}).",
    },
    "threshold": {
        "en": "Name a species from this confidence up",
        "ru": "Называть вид, если уверенность не меньше",
    },
    "threshold_advice": {
        "en": "On the test photos, {accuracy} of the answers from {threshold} up were right; "
        "{coverage} of the photos got one.",
        "ru": "На тестовых снимках начиная с {threshold} верны {accuracy} ответов; "
        "ответ получили {coverage} снимков.",
    },
    "none_of_these": {
        "en": "Not one of the {count} species",
        "ru": "Не похоже ни на один из видов (их {count})",
    },
    "none_of_these_why": {
        "en": "The photo is unlike the photos of these species that the model knows. Were it one "
        "of them, the likeliest would be: {species}.",
        "ru": "Снимок не похож на те фотографии этих видов, на которых училась модель. Если бы "
        "это был один из них, вероятнее всего: {species}.",
    },
    "probabilities_presume": {
        "en": "They presume that the photo shows one of the species.",
        "ru": "Они исходят из того, что на снимке один из этих видов.",
    },
    "none_of_these_short": {"en": "none of the species", "ru": "ни один из видов"},
    "unsure_short": {"en": "not sure enough", "ru": "недостаточно уверенно"},
    "unreadable_short": {"en": "no picture", "ru": "не изображение"},
    "probabilities": {"en": "Probabilities", "ru": "Вероятности"},
    "probability": {"en": "probability", "ru": "вероятность"},
    "species": {"en": "Species", "ru": "Вид"},
    "scientific_name": {"en": "Scientific name", "ru": "Научное название"},
    "answer": {"en": "Answer", "ru": "Ответ"},
    "file": {"en": "File", "ru": "Файл"},
    "photo_alt": {"en": "Photo {name}: {answer}", "ru": "Снимок {name}: {answer}"},
    "gallery": {"en": "Gallery", "ru": "Галерея"},
    "table": {"en": "Table", "ru": "Таблица"},
    "show_as": {"en": "Show as", "ru": "Показать как"},
    "answers_shown": {"en": "Answers", "ru": "Ответы"},
    "all_answers": {"en": "all answers", "ru": "все ответы"},
    "uncertain_first": {"en": "Uncertain ones first", "ru": "Сначала неуверенные"},
    "photos_count": {"en": "Photos: {count}", "ru": "Снимков: {count}"},
    "open": {"en": "Open", "ru": "Открыть"},
    "open_photo": {"en": "Open {name}", "ru": "Открыть {name}"},
    "back_to_all": {"en": "Back to all photos", "ru": "Ко всем снимкам"},
    "show_more": {"en": "Show more ({count})", "ru": "Показать ещё ({count})"},
    "take_table": {"en": "Download the table (CSV)", "ru": "Скачать таблицу (CSV)"},
    "similar_photos": {"en": "Similar photos", "ru": "Похожие снимки"},
    "similar_help": {
        "en": "From the collection that the search app is made of.",
        "ru": "Из коллекции, по которой ищет приложение поиска.",
    },
    "no_similar": {
        "en": "Similar photos would be shown here, but there is no search index of this model: "
        "`dvc repro` in image-search-dvc-pipeline makes one.",
        "ru": "Здесь были бы похожие снимки, но поискового индекса этой модели нет: его создаёт "
        "`dvc repro` в папке image-search-dvc-pipeline.",
    },
    "attention": {"en": "Where the model looked", "ru": "Куда смотрела модель"},
    "attention_help": {
        "en": "The brighter a part of the photo, the more it speaks for the first species "
        "(Grad-CAM). It is a rough picture, and does not show that the answer is right. "
        "The model sees the square in the middle of the photo.",
        "ru": "Чем ярче участок снимка, тем сильнее он говорит в пользу первого вида (Grad-CAM). "
        "Это грубая картина, и правильности ответа она не доказывает. Модель видит квадрат "
        "в середине снимка.",
    },
    "attention_strength": {"en": "Strength of the overlay", "ru": "Яркость наложения"},
    "about": {"en": "About the model", "ru": "О модели"},
    "about_text": {
        "en": "Network {backbone}, {species} species, validation accuracy {accuracy}, "
        "fingerprint {fingerprint}.",
        "ru": "Сеть {backbone}, видов: {species}, точность на валидации {accuracy}, "
        "отпечаток {fingerprint}.",
    },
}
