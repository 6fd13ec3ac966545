"""What the apps say, in English and Russian."""

import re
from collections.abc import Mapping

from panthera_vision.taxa import Language

LANGUAGES: dict[Language, str] = {"en": "English", "ru": "Русский"}

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~$:]")

_SHARED: dict[str, dict[Language, str]] = {
    "language": {"en": "Language", "ru": "Язык"},
    "upload_one": {"en": "A photo", "ru": "Фотография"},
    "upload_many": {"en": "One photo or several", "ru": "Одна или несколько фотографий"},
    "privacy": {
        "en": "Photos stay in this computer's memory and are not stored.",
        "ru": "Фотографии остаются в памяти этого компьютера и не сохраняются.",
    },
    "unreadable": {
        "en": "{name} can't be used: {reason}.",
        "ru": "Файл {name} не подходит: {reason}.",
    },
    "empty file": {"en": "the file is empty", "ru": "он пуст"},
    "file too large": {"en": "the file is too large", "ru": "он слишком велик"},
    "too many pixels": {
        "en": "the picture has too many pixels",
        "ru": "в изображении слишком много точек",
    },
    "not a photo": {"en": "it is no picture", "ru": "это не изображение"},
    "broken photo": {"en": "the picture is damaged", "ru": "изображение повреждено"},
    "synthetic": {
        "en": "This model was trained on synthetic, drawn pictures (the demo set). "
        "Do not rely on its answers about real photos.",
        "ru": "Эта модель обучена на синтетических, нарисованных картинках (демонстрационный "
        "набор). Не полагайтесь на её ответы о настоящих фотографиях.",
    },
    "what_to_run": {"en": "What to run", "ru": "Что запустить"},
    "no_license": {"en": "all rights reserved", "ru": "все права защищены"},
    "about_data": {"en": "About the data", "ru": "О данных"},
    "about_data_text": {
        "en": "{count} photos, which belong to their observers. By licence:",
        "ru": "Фотографий: {count}; они принадлежат своим авторам. По лицензиям:",
    },
    "take_credits": {"en": "Authors and licences (CSV)", "ru": "Авторы и лицензии (CSV)"},
}

CLASSIFICATION: dict[str, dict[Language, str]] = _SHARED | {
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
    "none_of_these": {
        "en": "Not one of the {count} species",
        "ru": "Не похоже ни на один из видов (их {count})",
    },
    "none_of_these_why": {
        "en": "The photo looks more like something else than like any of the species. Were it one "
        "of them, the likeliest would be: {species}.",
        "ru": "Снимок больше похож на что-то другое, чем на любой из этих видов. Если бы это был "
        "один из них, вероятнее всего: {species}.",
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

SEARCH: dict[str, dict[Language, str]] = _SHARED | {
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
    "similarity": {"en": "similarity {value}", "ru": "сходство {value}"},
    "observation": {"en": "observation", "ru": "наблюдение"},
    "photo_gone": {
        "en": "The photo's file is gone; `dvc repro` fetches it again.",
        "ru": "Файла фотографии больше нет; `dvc repro` загрузит его снова.",
    },
    "no_hits": {
        "en": "No photo of the collection passes the filter.",
        "ru": "Ни одна фотография коллекции не проходит через фильтр.",
    },
    "collection": {
        "en": "The collection: {count} photos.",
        "ru": "Фотографий в коллекции: {count}.",
    },
}


def choose_language(asked: str | None, browser: str | None) -> Language:
    """The language that the address asks for, or the browser's, or English."""
    for wish in (asked, browser):
        code = (wish or "").lower().split("-")[0]
        for language in LANGUAGES:
            if code == language:
                return language
    return "en"


def text(
    texts: Mapping[str, Mapping[Language, str]], language: Language, key: str, **values: object
) -> str:
    """The text under `key`; the key itself where the apps have no words for it."""
    translations = texts.get(key)
    return translations[language].format(**values) if translations else key


def plain(words: str) -> str:
    """`words` of strangers, shown as they are, on one line, where Markdown is expected."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(words.split()))


def percent(share: float, language: Language) -> str:
    """A share of 1 as a percentage, with the language's decimal sign and space."""
    if language == "ru":
        return f"{share * 100:.1f}\N{NO-BREAK SPACE}%".replace(".", ",")
    return f"{share:.1%}"


def number(value: float, language: Language) -> str:
    """A number with three decimals and the language's decimal sign."""
    return f"{value:.3f}".replace(".", ",") if language == "ru" else f"{value:.3f}"
