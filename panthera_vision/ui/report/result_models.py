"""Hold the result files of `evaluate`, validated."""

from pydantic import BaseModel, FiniteFloat


class Metrics(BaseModel):
    """Hold the headline figures, shares of 1."""

    accuracy: FiniteFloat
    macro_f1: FiniteFloat


class Interval(BaseModel):
    """Hold the ends of a confidence interval."""

    low: FiniteFloat
    high: FiniteFloat


class Intervals(BaseModel):
    """Hold the 95% intervals of the headline figures."""

    accuracy: Interval
    macro_f1: Interval


class Calibration(BaseModel):
    """Hold the expected calibration error (ECE)."""

    ece: FiniteFloat


class OODFigures(BaseModel):
    """Hold the figures of OOD detection; None without photos of anything else."""

    id_acceptance_rate: FiniteFloat
    other_photos: int | None = None
    ood_detection_rate: FiniteFloat | None = None
    auroc: FiniteFloat | None = None


class Selective(BaseModel):
    """Hold the accuracy and coverage of answers from a confidence threshold up."""

    accuracy: FiniteFloat
    threshold: FiniteFloat
    coverage: FiniteFloat


class Encounters(BaseModel):
    """Hold the accuracy with and without combined photos; None if no encounter has several."""

    with_several_photos: int
    accuracy_per_photo: FiniteFloat | None = None
    accuracy_per_encounter: FiniteFloat | None = None


class AccuracyInterval(BaseModel):
    """Hold the 95% interval of the accuracy."""

    accuracy: Interval


class OtherSource(BaseModel):
    """Hold other_source_metrics.json: photos of another source; 0 if they were not measured."""

    photos: int = 0
    accuracy: FiniteFloat | None = None
    interval_95: AccuracyInterval | None = None
    refused: FiniteFloat | None = None


class Certainty(BaseModel):
    """Hold certainty_metrics.json: intervals, calibration, OOD detection, selective answers."""

    interval_95: Intervals
    calibrated: Calibration
    ood: OODFigures | None = None
    selective: Selective | None = None
    encounters: Encounters | None = None
