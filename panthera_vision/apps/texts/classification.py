"""What the classification app says."""

from panthera_vision.apps.texts.shared import SHARED
from panthera_vision.taxa import Language

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
