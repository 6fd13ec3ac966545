"""Read params.yaml as typed, validated settings with defaults: one pydantic class per section.

A wrong setting ends in one line that names the key, the value and what is allowed.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from panthera_vision import __version__
from panthera_vision.data.coordinates import Coordinates
from panthera_vision.data.encounters import DEFAULT_GAP_MINUTES
from panthera_vision.errors import UserError, closest_name, list_names
from panthera_vision.inference.options import Precision
from panthera_vision.models.backbone_names import BackboneName, ImageSize

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Share = Annotated[float, Field(gt=0, lt=1)]
BatchSize = Annotated[int, Field(ge=1)]


def _check_interpolation(value: Any) -> Any:
    if value == "auto":
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError("must be auto, or a number above 0 and at most 1")
    return value


InterpolationShare = Annotated[Literal["auto"] | float, BeforeValidator(_check_interpolation)]
Threads = Annotated[int, Field(ge=1, le=64)]
LicenseCode = Literal[
    "cc0", "cc-by", "cc-by-nc", "cc-by-nd", "cc-by-sa", "cc-by-nc-nd", "cc-by-nc-sa"
]
_SPECIES = re.compile(r"[A-Z][a-z-]+ [a-z-]+")


class StageParameters(BaseModel):
    """Forbid unknown keys and changes, and validate, in all sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DrawParameters(StageParameters):
    """Set the size of the synthetic demo set."""

    photos_per_species: int = Field(72, ge=6, le=2000)
    seed: Seed = 0


class PrepareParameters(StageParameters):
    """Name the folder of the observations, and what to take from it."""

    observations: Path = Path("data/data_from_iNaturalist")
    allowed_species: tuple[str, ...] = Field(
        ("Panthera leo", "Panthera onca", "Panthera pardus", "Panthera tigris", "Panthera uncia"),
        min_length=1,
    )

    specimens: bool = False

    @field_validator("allowed_species")
    @classmethod
    def _are_binomials(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _SPECIES.fullmatch(name):
                raise ValueError(f"{name!r} is not a species name such as 'Panthera leo'")
        if len(set(names)) < len(names):
            raise ValueError("a species is named twice")
        return names


class CollectParameters(StageParameters):
    """Select observations of iNaturalist's API, and limit the rate of requests."""

    photos_per_taxon: int = Field(1500, ge=1, le=100_000)
    photos_per_observation: int = Field(1, ge=1, le=20)
    licenses: tuple[LicenseCode, ...] = Field(
        ("cc0", "cc-by", "cc-by-nc", "cc-by-sa", "cc-by-nc-sa"), min_length=1
    )
    quality_grade: Literal["research", "needs_id", "casual"] = "research"
    requests_per_minute: int = Field(60, ge=1, le=60)


class SplitParameters(StageParameters):
    """Divide photos into train, validation and test."""

    validation_share: Share = 0.15
    test_share: Share = 0.15
    group_by: Literal["observer_day", "observer"] = "observer_day"
    gap_minutes: float = Field(DEFAULT_GAP_MINUTES, ge=0, le=1440)
    seed: Seed = 17

    @field_validator("test_share")
    @classmethod
    def _leaves_training(cls, test_share: float, info: Any) -> float:
        if test_share + info.data.get("validation_share", 0) >= 1:
            raise ValueError(
                "validation_share and test_share together must leave some for training"
            )
        return test_share


class DownloadParameters(StageParameters):
    """Set rate limits, retries and sizes of downloads."""

    photos_per_second: float = Field(5, gt=0)
    concurrent_per_host: int = Field(8, ge=1, le=64)
    gigabytes_per_hour: float = Field(4, gt=0)
    gigabytes_per_day: float = Field(20, gt=0)
    attempts: int = Field(5, ge=1, le=20)
    timeout_seconds: float = Field(30, gt=0, le=600)
    megabytes_per_photo: float = Field(20, gt=0)
    minimum_share: float = Field(0.9, ge=0, le=1)
    contact: str = ""
    local_photos: Path | None = None
    allow_private_addresses: bool = False
    coordinates: Coordinates = "exact"

    @field_validator("contact")
    @classmethod
    def _fits_a_header(cls, contact: str) -> str:
        if not (contact.isascii() and contact.isprintable()):
            raise ValueError("must be one line of Latin letters, such as a mail address")
        return contact

    @property
    def user_agent(self) -> str:
        """Return the User-Agent header: the program, and how to contact its user."""
        contact = f"; {self.contact}" if self.contact else ""
        return f"PantheraVision/{__version__} (wildlife photo classification{contact})"

    def photos_root(self, table_folder: Path) -> Path:
        """Return the folder that local photos of a table must lie in."""
        return self.local_photos or table_folder

    def relative_to(self, folder: Path) -> Self:
        """Return these settings of a params.yaml in `folder` for use in the working directory."""
        local = folder / self.local_photos if self.local_photos else None
        return self.model_copy(update={"local_photos": local})


class TrainParameters(StageParameters):
    """Set the backbone, the optimizer and the augmentation of training."""

    backbone: BackboneName = "efficientnet_v2_s"
    weights: Path | None = None
    image_size: ImageSize = "auto"
    train_image_size: ImageSize = "auto"
    epochs: int = Field(24, ge=1)
    batch_size: int = Field(32, ge=2)
    head_learning_rate: float = Field(0.001, gt=0)
    backbone_learning_rate: float = Field(0.0002, ge=0)
    warmup_epochs: float = Field(1, ge=0)
    weight_decay: float = Field(0.05, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    dropout: float = Field(0.2, ge=0, lt=1)
    min_crop_scale: float = Field(0.15, gt=0, le=1)
    color_jitter: float = Field(0.4, ge=0, le=1)
    zoom_out: float = Field(0.4, ge=0, le=1)
    ema_decay: float = Field(0.95, ge=0, lt=1)
    distillation: float = Field(0.3, ge=0, le=10)
    weight_interpolation: InterpolationShare = "auto"
    doubtful_labels: Literal["drop", "keep"] = "drop"
    class_weights: Literal["balanced", "none"] = "balanced"
    num_threads: Threads = 2
    precision: Precision = "auto"
    seed: int = Field(17, ge=0)


class EvaluateParameters(StageParameters):
    """Set how the test photos are classified, and name photos from elsewhere to measure on."""

    batch_size: BatchSize = 32
    num_threads: Threads = 2
    other_photos: Path | None = None
    other_source: Path | None = None


class ReviewParameters(StageParameters):
    """Set the cross-validation that finds label errors."""

    batch_size: BatchSize = 32
    num_threads: Threads = 2
    folds: int = Field(5, ge=2, le=50)
    seed: Seed = 17


# Former keys → today's. Sections that are gone → what to do instead.
_RENAMED = {
    "altered_photos": "perturbed_photos",
    "averaging_decay": "ema_decay",
    "colour_jitter": "color_jitter",
    "decoding_threads": "num_threads",
    "neighbours_share": "min_neighbor_share",
    "smallest_crop": "min_crop_scale",
    "warm_up_epochs": "warmup_epochs",
}
_MOVED_SECTIONS = {
    "collection": (
        {"prepare", "download"},
        "are read from ../cv-classification-dvc-pipeline/params.yaml: remove them here, and name "
        "a separate collection in collection.source",
    )
}

Section = TypeVar("Section", bound=StageParameters)


def read_parameters(section: str, kind: type[Section], file: Path = Path("params.yaml")) -> Section:
    """Return the section of `file` named `section`, as a `kind`; a key left out has its default.

    Raises:
        UserError: the file or the section is missing, or a setting is wrong; one line says which.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{file} does not exist in {Path.cwd()}; run this in the pipeline's folder"
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{file}, line {line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get(section), dict):
        raise UserError(f"{file}: section '{section}' is missing")
    moved, advice = _MOVED_SECTIONS.get(section, (set(), ""))
    if found := sorted(moved & set(document)):
        raise UserError(f"{file}: the settings {' and '.join(found)} {advice}")
    try:
        return check_parameters(section, kind, document[section])
    except UserError as problem:
        raise UserError(f"{file}: {problem}") from None


def check_parameters(section: str, kind: type[Section], values: dict[str, Any]) -> Section:
    """Return settings as a `kind`; a key left out has its default.

    Raises:
        UserError: a setting is wrong; one line names it, its value and what is allowed.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [_describe(section, kind, detail) for detail in error.errors()]
        raise UserError("; ".join(problems)) from None


def _describe(section: str, kind: type[StageParameters], detail: ErrorDetails) -> str:
    key = ".".join([section, *map(str, detail["loc"])])
    if detail["type"] == "extra_forbidden":
        if new_name := _RENAMED.get(str(detail["loc"][-1])):
            return f"{key} is now {section}.{new_name}; rename it"
        close = closest_name(str(detail["loc"][-1]), kind.model_fields)
        meant = f" (did you mean {section}.{close}?)" if close else ""
        return f"{key}: no such setting{meant}; there are {list_names(kind.model_fields)}"
    problem = detail["msg"].removeprefix("Value error, ")
    return f"{key} = {detail['input']!r}: {problem[0].lower() + problem[1:]}"
