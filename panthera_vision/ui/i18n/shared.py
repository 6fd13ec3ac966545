"""What both apps say."""

from panthera_vision.data.taxonomy import Language

SHARED: dict[str, dict[Language, str]] = {
    "language": {"en": "Language", "ru": "Язык"},
    "upload_one": {"en": "A photo", "ru": "Фотография"},
    "upload_many": {"en": "One photo or several", "ru": "Одна или несколько фотографий"},
    "browse": {"en": "Choose files", "ru": "Выбрать файлы"},
    "browse_one": {"en": "Choose a file", "ru": "Выбрать файл"},
    "upload_limit": {
        "en": "or drop them here, or paste; up to {megabytes} MB each",
        "ru": "или перетащите сюда, или вставьте; каждый файл не больше {megabytes}\u00a0МБ",
    },
    "allow_camera": {
        "en": "Allow this page to use the camera.",
        "ru": "Разрешите этой странице доступ к камере.",
    },
    "take_photo": {"en": "Take a photo", "ru": "Сделать снимок"},
    "retake_photo": {"en": "Take another one", "ru": "Снять заново"},
    "file_refused": {"en": "This file can't be used.", "ru": "Этот файл не подходит."},
    "why_refused": {
        "en": "A file is marked red: it is no picture of a known kind, or larger than "
        "{megabytes} MB.",
        "ru": "Красным отмечен файл, который не подходит: это не изображение или он больше "
        "{megabytes}\u00a0МБ.",
    },
    "camera": {"en": "Use the camera", "ru": "Снять на камеру"},
    "camera_photo": {"en": "Photo from the camera", "ru": "Снимок с камеры"},
    "examples": {"en": "Or try an example", "ru": "Или попробуйте на примере"},
    "slider_percent": {"en": "%d%%", "ru": "%d\u00a0%%"},
    "example": {"en": "Example {number}", "ru": "Пример {number}"},
    "example_named": {
        "en": "Example {number}; observers say: {species}",
        "ru": "Пример {number}; по мнению наблюдателей: {species}",
    },
    "close_example": {"en": "Close the example", "ru": "Закрыть пример"},
    "observation": {"en": "observation", "ru": "наблюдение"},
    "similarity": {"en": "similarity {value}", "ru": "сходство {value}"},
    "photo_gone": {
        "en": "The photo's file is gone; `dvc repro` fetches it again.",
        "ru": "Файла фотографии больше нет; `dvc repro` загрузит его снова.",
    },
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
    "too narrow": {
        "en": "the picture is a very narrow strip",
        "ru": "изображение — слишком узкая полоса",
    },
    "too many parts": {
        "en": "the file has too many parts for a photo",
        "ru": "в файле слишком много частей для фотографии",
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
