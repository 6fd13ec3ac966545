"""What the page "How good is it?" says."""

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n.shared import SHARED

QUALITY: dict[str, dict[Language, str]] = SHARED | {
    "title": {"en": "How good is it?", "ru": "Насколько это точно?"},
    "intro": {
        "en": "Measured on {count} test photos that the model has not learnt from. In plain words: "
        "of 100 such photos it names the right species on about {right}; with another draw of "
        "photos of the same kind, that would most likely be {low} to {high}.",
        "ru": "Измерено на тестовых снимках, которых модель при обучении не видела (их {count}). "
        "Проще говоря: из 100 таких снимков вид назван верно примерно на {right}; на других "
        "подобных снимках это число, скорее всего, было бы от {low} до {high}.",
    },
    "intro_limits": {
        "en": "Photos from another source, such as camera traps at night, may do worse.",
        "ru": "На снимках из других источников, например с ночных фотоловушек, результат может "
        "быть хуже.",
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
    "interval": {
        "en": "95% interval: {low} to {high}",
        "ru": "95%-й интервал: от {low} до {high}",
    },
    "accuracy_help": {
        "en": "The share of the test photos that got the right species.",
        "ru": "Доля тестовых снимков, на которых вид назван верно.",
    },
    "macro_f1_help": {
        "en": "How rarely a species is missed or named in vain, from 0 to 1; every species counts "
        "alike, however few photos it has.",
        "ru": "Насколько редко вид пропускают или называют зря, от 0 до 1; все виды весят "
        "одинаково, сколько бы снимков у них ни было.",
    },
    "ece_help": {
        "en": "How far the stated probabilities are from the share that is right, on average; "
        "0 is perfect.",
        "ru": "Насколько названные вероятности в среднем отличаются от доли верных ответов; "
        "0 — идеально.",
    },
    "confusions": {"en": "What is taken for what", "ru": "Что с чем путают"},
    "confusions_help": {
        "en": "Choose a cell, or two species from the lists, to see the photos.",
        "ru": "Выберите клетку или два вида из списков, чтобы увидеть снимки.",
    },
    "actual": {"en": "Observers say", "ru": "По мнению наблюдателей"},
    "predicted": {"en": "The model says", "ru": "По мнению модели"},
    "photos": {"en": "Photos", "ru": "Снимки"},
    "photos_in_cell": {"en": "{count} photos", "ru": "Снимков: {count}"},
    "surest_first": {
        "en": "Photos: {count}. Those that the model was surest of come first.",
        "ru": "Снимков: {count}. Сначала те, в которых модель увереннее всего.",
    },
    "no_credits": {
        "en": "The photos can't be shown, since the table that says whose they are can't be read: "
        "{problem}",
        "ru": "Снимки нельзя показать: не читается таблица с указанием их авторов. {problem}",
    },
    "confidence_of": {"en": "confidence {probability}", "ru": "уверенность {probability}"},
    "photo_alt": {
        "en": "Test photo {id}: observers say {actual}, the model says {predicted}",
        "ru": "Тестовый снимок {id}: по мнению наблюдателей — {actual}, по мнению модели — "
        "{predicted}",
    },
    "show_more": {"en": "Show more ({count})", "ru": "Показать ещё ({count})"},
    "no_photos_in_cell": {"en": "No test photo.", "ru": "Таких тестовых снимков нет."},
    "matrix_alt": {
        "en": "Confusion matrix. {cells}",
        "ru": "Матрица ошибок. {cells}",
    },
    "matrix_cell": {
        "en": "{actual} named {predicted}: {count}.",
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
    "share": {"en": "Share of the true species", "ru": "Доля снимков этого вида"},
    "from_confidence": {"en": "Confidence of at least", "ru": "Уверенность не меньше"},
    "reliability_point": {
        "en": "at a confidence of {confidence}, {accuracy} are right (photos: {count})",
        "ru": "при уверенности {confidence} верны {accuracy} (снимков: {count})",
    },
    "coverage_point": {
        "en": "{coverage} answered, {accuracy} of the answers right",
        "ru": "с ответом {coverage}, из ответов верны {accuracy}",
    },
    "chart_alt": {
        "en": "{title}. {points}",
        "ru": "{title}. {points}",
    },
    "by_species": {"en": "By species", "ru": "По видам"},
    "by_species_help": {
        "en": "Precision: of the photos that were given this name, the share that shows the "
        "species. Recall: of the photos that show the species, the share that was given its name.",
        "ru": "Точность (precision): на какой доле снимков с таким ответом действительно этот "
        "вид. Полнота (recall): какая доля снимков этого вида получила верный ответ.",
    },
    "species": {"en": "Species", "ru": "Вид"},
    "precision": {"en": "Precision", "ru": "Точность"},
    "recall": {"en": "Recall", "ru": "Полнота"},
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
    "no_card": {
        "en": "There is no readable model card; `dvc repro` in this folder writes it.",
        "ru": "Читаемого паспорта модели нет; его создаёт `dvc repro` в этой папке.",
    },
    "model_card": {"en": "Model card", "ru": "Паспорт модели (на английском)"},
    "take_card": {"en": "Download the model card", "ru": "Скачать паспорт модели"},
}
