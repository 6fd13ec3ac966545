"""Write a model card: intended use, data, metrics, limitations and licenses of a checkpoint.

Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from panthera_vision import __version__
from panthera_vision.data.apply_corrections import VERDICT
from panthera_vision.data.corrections import CORRECT, SPECIES
from panthera_vision.data.photo_table import count_synthetic
from panthera_vision.data.splits import split_report
from panthera_vision.evaluation.encounters import describe_encounters
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.reporting.markdown import markdown_table

_NO_LICENSE = "none: all rights reserved"
_SHOWN_CONFUSIONS = 5


def model_card(
    model: TrainedModel,
    photos: pd.DataFrame,
    test: pd.DataFrame,
    logits: np.ndarray,
    metrics: Mapping[str, float],
    certainty: Mapping[str, Any],
) -> str:
    """Return the model card as Markdown.

    Args:
        model: the evaluated checkpoint.
        photos: rows of `photos.csv`, of all splits.
        test: rows of the test split (N,).
        logits: (N, classes), of the test photos.
        metrics, certainty: the contents of the two JSON files of `write_results`; those of
            `measure_other_source` are in `certainty`, as `other_source`.
    """
    names = list(model.class_names)
    actual, predicted = test["species"].map(names.index).to_numpy(), logits.argmax(axis=1)
    sections = (
        _model_details(model, photos),
        _intended_use(names),
        _data(photos),
        _licenses(photos),
        _metrics(metrics, certainty),
        _metrics_by_species(actual, predicted, names),
        _encounters(certainty.get("encounters")),
        _other_source(certainty.get("other_source"), metrics, certainty),
        _limitations(actual, predicted, names, photos),
        _ood(certainty.get("ood")),
        _usage_and_citation(model, photos),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _italic(names: Iterable[str]) -> list[str]:
    return [f"*{name}*" for name in names]


def _model_details(model: TrainedModel, photos: pd.DataFrame) -> str:
    text = f"""# Model card: {", ".join(model.class_names)}

An image classifier of {len(model.class_names)} species: `{model.backbone.name}`, pretrained and \
fine-tuned at {model.preprocessing.image_size} pixels by Panthera Vision {__version__}.

- Pretrained weights: {model.backbone.source or "of an earlier version, not recorded"}, license: \
{model.backbone.license or "not stated by their library"}

- Checkpoint: `{model.fingerprint}` (SHA-256 of the file)
- Data: `{model.data_fingerprint}` (SHA-256 of photos, species and splits)
- Best epoch: {model.training.get("epoch", "?")} of {model.parameters.get("epochs", "?")}, seed \
{model.parameters.get("seed", "?")}"""
    if synthetic := count_synthetic(photos):
        text += (
            f"\n\n**{synthetic} of the photos are synthetic drawings (the demo set). "
            "The figures in this card do not apply to real photos.**"
        )
    return text


def _intended_use(names: Sequence[str]) -> str:
    return f"""## Intended use

The model names the species on a photo that shows one of {", ".join(_italic(names))}, and answers
"none of these" otherwise. Use it to sort photo collections, to find label errors, and for
teaching. A prediction is a suggestion with a calibrated probability, to be reviewed by a person.

Out of scope: decisions about human safety or about single animals without human review;
recognizing individuals, sex or subspecies; counting animals; commercial use (see Licenses)."""


def _data(photos: pd.DataFrame) -> str:
    report = split_report(photos)
    species = sorted(photos["species"].unique())
    rows = [[split, *(counts.get(name, 0) for name in species)] for split, counts in report.items()]
    observers = photos.loc[photos["observer"] != "", "observer"].nunique()
    dates = photos.loc[photos["observed_on"] != "", "observed_on"]
    period = f", observed from {dates.min()} to {dates.max()}" if len(dates) else ""
    return f"""## Data

{len(photos)} photos by {observers} named observers{period}. All photos that an observer took on \
one day are in the same split, so that no scene is in both training and test data.\
{_reviewed(photos)}

{markdown_table(["split", *_italic(species)], rows)}"""


def _reviewed(photos: pd.DataFrame) -> str:
    """Say how many labels people corrected; "" if nobody reviewed any."""
    verdicts = photos[VERDICT] if VERDICT in photos else pd.Series(dtype=str)
    changed, confirmed = int((verdicts == SPECIES).sum()), int((verdicts == CORRECT).sum())
    if not changed + confirmed:
        return ""
    return f" People reviewed {changed + confirmed} labels: {changed} were corrected."


def _licenses(photos: pd.DataFrame) -> str:
    counts = photos["license"].replace("", _NO_LICENSE).value_counts()
    # "NC" in a Creative Commons license forbids commercial use, and so does no license.
    restricted = sum(
        int(count)
        for name, count in counts.items()
        if "nc" in str(name).lower() or str(name).startswith("none")
    )
    consequence = (
        f"{restricted} of {len(photos)} photos may not be used commercially. The weights are "
        "derived from them, so use the model for non-commercial purposes only, and credit"
        if restricted
        else "All photos have licenses that permit commercial use. Credit"
    )
    return f"""## Licenses

{consequence} the photographers (CREDITS.csv lists the author and the license of each photo).

{markdown_table(["license", "photos"], counts.items())}"""


def _metrics(metrics: Mapping[str, float], certainty: Mapping[str, Any]) -> str:
    headline = [
        (
            name.replace("_", " ").replace("f1", "F1"),
            f"{metrics[name]:.3f}",
            f"{interval['low']:.3f} to {interval['high']:.3f}",
        )
        for name, interval in certainty["interval_95"].items()
    ]
    # ECE, negative log-likelihood, Brier score; see `calibration_metrics`.
    calibration = [
        (key, *(f"{value:.3f}" for value in certainty[key].values()))
        for key in ("uncalibrated", "calibrated")
    ]
    selective = certainty.get("selective")
    coverage = (
        f"With only the predictions of at least {selective['threshold']:.3f} confidence accepted, "
        f"accuracy is {selective['accuracy']:.0%} and coverage {selective['coverage']:.0%} of the "
        "photos (selective prediction)."
        if selective
        else "No confidence threshold gives 99% accuracy on these photos (selective prediction)."
    )
    return f"""## Metrics

On {metrics["photos"]} test photos that were used neither for training nor for calibration. 95% \
intervals: cluster bootstrap over observer-days.

{markdown_table(["metric", "value", "95% interval"], headline)}

Calibration by temperature scaling (temperature {certainty["temperature"]:.3f}, fitted on the \
validation photos):

{markdown_table(["", "ECE (15 bins)", "negative log-likelihood", "Brier score"], calibration)}

{coverage}"""


def _metrics_by_species(actual: np.ndarray, predicted: np.ndarray, names: list[str]) -> str:
    precision, recall, f1, support = precision_recall_fscore_support(
        actual, predicted, labels=range(len(names)), zero_division=0.0
    )
    rows = [
        (name, f"{p:.3f}", f"{r:.3f}", f"{f:.3f}", count)
        for name, p, r, f, count in zip(_italic(names), precision, recall, f1, support, strict=True)
    ]
    return markdown_table(["species", "precision", "recall", "F1", "test photos"], rows)


def _encounters(metrics: dict[str, Any] | None) -> str:
    if not metrics:
        return ""
    return f"## Several photos of one encounter\n\n{describe_encounters(metrics)}"


def _other_source(
    other: dict[str, Any] | None, metrics: Mapping[str, float], certainty: Mapping[str, Any]
) -> str:
    if not other or not other["photos"]:
        return ""

    def with_interval(value: float, interval: dict[str, float]) -> str:
        return f"{value:.3f} (95% interval {interval['low']:.3f} to {interval['high']:.3f})"

    here = with_interval(metrics["accuracy"], certainty["interval_95"]["accuracy"])
    there = with_interval(other["accuracy"], other["interval_95"]["accuracy"])
    text = (
        f"On {other['photos']} photos of another source: accuracy {there}, on the test photos "
        f"{here}; ECE {other['calibrated']['ece']:.3f}."
    )
    if "refused" in other:
        text += (
            f' The model answers "none of these" for {other["refused"]:.1%} of them, although they '
            "show one of its species."
        )
    rows = [
        (
            f"*{name}*",
            each["photos"],
            f"{each['accuracy']:.3f}",
            f"{each['interval_low']:.3f} to {each['interval_high']:.3f}",
            f"{each['refused']:.1%}" if "refused" in each else "",
        )
        for name, each in other["by_species"].items()
    ]
    header = ["species", "photos", "accuracy", "95% interval", '"none of these"']
    return f"## Photos of another source\n\n{text}\n\n{markdown_table(header, rows)}"


def _limitations(
    actual: np.ndarray, predicted: np.ndarray, names: list[str], photos: pd.DataFrame
) -> str:
    counts = confusion_matrix(actual, predicted, labels=range(len(names)))
    support = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    worst = np.argsort(-counts, axis=None, kind="stable")[:_SHOWN_CONFUSIONS]
    pairs = [divmod(int(number), len(names)) for number in worst]
    confusions = [
        f"- *{names[true]}* predicted as *{names[named]}*: {counts[true, named]} of "
        f"{support[true]} test photos"
        for true, named in pairs
        if counts[true, named]
    ]
    per_species = photos["species"].value_counts()
    return f"""## Limitations

Most frequent confusions on the test photos:

{chr(10).join(confusions) or "- none"}

Other limitations:

- The labels are the community identifications of iNaturalist. Some are wrong, in training and test
  data alike (`label_review.csv` lists suspected label errors).
- Accuracy may be lower on photos from other sources (camera traps at night, museum specimens,
  drawings, distant animals): the test photos come from the same source as the training photos.
- The rarest species in the data, *{per_species.index[-1]}*, has {per_species.iloc[-1]} photos; \
figures per species rest on few test photos."""


def _ood(ood: Mapping[str, Any] | None) -> str:
    if not ood:
        return ""
    measured = (
        f"Of {ood['other_photos']} photos of anything else, {ood['ood_detection_rate']:.1%} score "
        f"above it (AUROC {ood['auroc']:.3f})."
        if "auroc" in ood
        else "Detection was not measured, because `evaluate.other_photos` is not set."
    )
    return f"""## Out-of-distribution (OOD) detection

The model answers "none of these" if the OOD score exceeds {ood["threshold"]:.2f}. \
{ood["id_acceptance_rate"]:.1%} of the test photos score below it. {measured} \
Similar species that the model never saw, such as other spotted cats, may still be accepted."""


def _usage_and_citation(model: TrainedModel, photos: pd.DataFrame) -> str:
    known = sorted(set(photos["citation"]) - {""}) if "citation" in photos else []
    sources = known or ["iNaturalist, https://www.inaturalist.org"]
    return f"""## How to use it

Run `python src/predict.py PHOTOS… --out predictions.csv`, the web app, or the exported ONNX model.
The checkpoint contains the preprocessing, the class names, the temperature and the OOD threshold.

## Citation

Panthera Vision, version {__version__}, model {model.fingerprint[:12]}. Photos: their
contributors, credited one by one in CREDITS.csv; {"; ".join(sources)}.
Backbone: Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021, or
"EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019 (Lite)."""
