"""What the page "How good is it?" says."""

from panthera_vision.apps.texts.shared import SHARED
from panthera_vision.taxa import Language

QUALITY: dict[str, dict[Language, str]] = SHARED | {
    "title": {"en": "How good is it?", "ru": "Насколько это точно?"},
    "intro": {
        "en": "Measured on {count} test photos that the model has not learnt from. The intervals "
        "are the range in which the value would lie 95 times of 100 with other photos of the same "
        "kind.",
        "ru": "Измерено на тестовых снимках ({count}), которых модель при обучении не видела. "
        "Интервал показывает, где значение лежало бы в 95 случаях из 100 на других таких же "
        "снимках.",
    },
    "no_results": {
        "en": "There are no results of an evaluation yet: {problem}",
        "ru": "Результатов оценки пока нет: {problem}",
    },
    "no_results_help": {
        "en": "`dvc repro` in this folder evaluates the model. Then reload the page.",
        "ru": "Модель оценивает команда `dvc repro` в этой папке. Затем обновите страницу.",
    },
    "accuracy": {"en": "Accuracy", "ru": "Доля верных ответов"},
    "macro_f1": {"en": "Macro F1", "ru": "Макро-F1"},
    "ece": {"en": "Calibration error (ECE)", "ru": "Ошибка калибровки (ECE)"},
    "interval": {"en": "{low} to {high}", "ru": "от {low} до {high}"},
    "confusions": {"en": "What is taken for what", "ru": "Что с чем путают"},
    "confusions_help": {
        "en": "Choose a cell, or the two species below it, to see the photos.",
        "ru": "Выберите клетку или два вида под таблицей, чтобы увидеть снимки.",
    },
    "actual": {"en": "Observers say", "ru": "По мнению наблюдателей"},
    "predicted": {"en": "The model says", "ru": "По мнению модели"},
    "photos": {"en": "Photos", "ru": "Снимки"},
    "photos_in_cell": {"en": "{count} photos", "ru": "Снимков: {count}"},
    "no_photos_in_cell": {"en": "No test photo.", "ru": "Таких тестовых снимков нет."},
    "matrix_alt": {
        "en": "Confusion matrix. {cells}",
        "ru": "Матрица ошибок. {cells}",
    },
    "matrix_cell": {
        "en": "{actual} taken for {predicted}: {count}.",
        "ru": "{actual}, названный как {predicted}: {count}.",
    },
    "reliability": {"en": "Do the probabilities hold?", "ru": "Можно ли верить вероятностям?"},
    "reliability_help": {
        "en": "Photos are grouped by how sure the model is. On the grey line it is right as often "
        "as it says; larger points stand for more photos.",
        "ru": "Снимки сгруппированы по уверенности модели. На серой линии она права ровно так "
        "часто, как обещает; чем больше точка, тем больше снимков.",
    },
    "confidence": {"en": "Confidence", "ru": "Уверенность"},
    "risk": {"en": "What is gained by not answering", "ru": "Что даёт отказ от ответа"},
    "risk_help": {
        "en": "The surest photos come first: how accurate the answers are if only this share of "
        "the photos gets one.",
        "ru": "Сначала самые уверенные ответы: какова доля верных, если ответ получает только "
        "такая часть снимков.",
    },
    "coverage": {"en": "Share of photos answered", "ru": "Доля снимков с ответом"},
    "selective": {
        "en": "From a confidence of {threshold} up, {accuracy} of the answers are right; "
        "{coverage} of the photos get one.",
        "ru": "При уверенности от {threshold} верны {accuracy} ответов; ответ получают {coverage} "
        "снимков.",
    },
    "chart_alt": {
        "en": "{title}. {points}",
        "ru": "{title}. {points}",
    },
    "by_species": {"en": "By species", "ru": "По видам"},
    "species": {"en": "Species", "ru": "Вид"},
    "precision": {"en": "Precision", "ru": "Точность (precision)"},
    "recall": {"en": "Recall", "ru": "Полнота (recall)"},
    "f1": {"en": "F1", "ru": "F1"},
    "none_of_these": {"en": "None of the species", "ru": "Ни один из видов"},
    "kept": {
        "en": "{share} of the test photos are recognised as showing one of the species.",
        "ru": "{share} тестовых снимков признаны снимками одного из видов.",
    },
    "told": {
        "en": "Of {count} photos of anything else, {share} are told to be none of them (AUROC "
        "{auroc}).",
        "ru": "Из снимков чего-то другого ({count}) распознаны как посторонние {share} (AUROC "
        "{auroc}).",
    },
    "not_measured": {
        "en": "How well strangers are told has not been measured: name a folder with photos of "
        "anything else in `evaluate.other_photos` of params.yaml.",
        "ru": "Насколько хорошо распознаются посторонние, не измерено: укажите папку со снимками "
        "чего-то другого в `evaluate.other_photos` файла params.yaml.",
    },
    "model_card": {"en": "Model card", "ru": "Паспорт модели (на английском)"},
    "take_card": {"en": "Download the model card", "ru": "Скачать паспорт модели"},
}
