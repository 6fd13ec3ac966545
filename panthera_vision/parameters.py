"""params.yaml as typed, validated settings: one class a stage.

A wrong setting ends in one line that names the key, the value and what is allowed.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from panthera_vision import __version__
from panthera_vision.errors import UserError
from panthera_vision.inference.options import Engine, Precision
from panthera_vision.models.backbone_names import BackboneName

Share = Annotated[float, Field(gt=0, lt=1)]
_SPECIES = re.compile(r"[A-Z][a-z-]+ [a-z-]+")


class StageParameters(BaseModel):
    """What all stages' settings have in common: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DrawParameters(StageParameters):
    """How many synthetic pictures are drawn."""

    photos_per_species: int = Field(ge=6, le=2000)
    seed: int = Field(ge=0)


class PrepareParameters(StageParameters):
    """Which observations are taken, from where."""

    observations: Path
    allowed_species: tuple[str, ...] = Field(min_length=1)

    @field_validator("allowed_species")
    @classmethod
    def _binomials(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _SPECIES.fullmatch(name):
                raise ValueError(f"{name!r} is no species name such as 'Panthera leo'")
        if len(set(names)) < len(names):
            raise ValueError("a species is named twice")
        return names


LicenseCode = Literal[
    "cc0", "cc-by", "cc-by-nc", "cc-by-nd", "cc-by-sa", "cc-by-nc-nd", "cc-by-nc-sa"
]


class CollectParameters(StageParameters):
    """Which observations are asked of iNaturalist, and how gently."""

    photos_per_taxon: int = Field(ge=1, le=100_000)
    photos_per_observation: int = Field(ge=1, le=20)
    licenses: tuple[LicenseCode, ...] = Field(min_length=1)
    quality_grade: Literal["research", "needs_id", "casual"]
    requests_per_minute: int = Field(ge=1, le=60)


class SplitParameters(StageParameters):
    """How photos are divided into train, validation and test."""

    validation_share: Share
    test_share: Share
    group_by: Literal["observer_day", "observer"]
    seed: int = Field(ge=0)

    @field_validator("test_share")
    @classmethod
    def _leaves_training(cls, test_share: float, info: Any) -> float:
        if test_share + info.data.get("validation_share", 0) >= 1:
            raise ValueError(
                "validation_share and test_share together must leave some for training"
            )
        return test_share


class DownloadParameters(StageParameters):
    """How gently, and with how much patience, photos are fetched."""

    photos_per_second: float = Field(gt=0)
    concurrent_per_host: int = Field(ge=1, le=64)
    gigabytes_per_hour: float = Field(gt=0)
    gigabytes_per_day: float = Field(gt=0)
    attempts: int = Field(ge=1, le=20)
    timeout_seconds: float = Field(gt=0, le=600)
    megabytes_per_photo: float = Field(gt=0)
    minimum_share: float = Field(ge=0, le=1)
    contact: str
    local_photos: Path | None
    allow_private_addresses: bool

    @field_validator("contact")
    @classmethod
    def _fits_a_header(cls, contact: str) -> str:
        if not (contact.isascii() and contact.isprintable()):
            raise ValueError("must be one line of Latin letters, such as a mail address")
        return contact

    @property
    def user_agent(self) -> str:
        """Says who asks a server for something, and how to reach them."""
        contact = f"; {self.contact}" if self.contact else ""
        return f"PantheraVision/{__version__} (wildlife photo classification{contact})"


class TrainParameters(StageParameters):
    """What is trained, and how."""

    backbone: BackboneName
    image_size: int = Field(ge=32, le=1024)
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    head_learning_rate: float = Field(gt=0)
    backbone_learning_rate: float = Field(ge=0)
    warmup_epochs: float = Field(ge=0)
    weight_decay: float = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    dropout: float = Field(ge=0, lt=1)
    min_crop_scale: float = Field(gt=0, le=1)
    color_jitter: float = Field(ge=0, le=1)
    zoom_out: float = Field(ge=0, le=1)
    ema_decay: float = Field(ge=0, lt=1)
    class_weights: Literal["balanced", "none"]
    num_threads: int = Field(ge=1, le=64)
    precision: Precision
    seed: int = Field(ge=0)


class EvaluateParameters(StageParameters):
    """How the held-out photos are classified, and what else is shown to the model."""

    batch_size: int = Field(ge=1)
    num_threads: int = Field(ge=1, le=64)
    other_photos: Path | None


class ReviewParameters(StageParameters):
    """How suspected wrong labels are found."""

    batch_size: int = Field(ge=1)
    num_threads: int = Field(ge=1, le=64)
    folds: int = Field(ge=2, le=50)
    seed: int = Field(ge=0, le=2**32 - 1)


class FitEmbeddingParameters(StageParameters):
    """On how many photos the embedding is fitted."""

    photos: int = Field(ge=1)
    seed: int = Field(ge=0, le=2**32 - 1)


class EmbedParameters(StageParameters):
    """How photos are embedded."""

    batch_size: int = Field(ge=1)
    num_threads: int = Field(ge=1, le=64)
    precision: Precision
    engine: Engine


class IndexParameters(StageParameters):
    """What kind of index, how it is searched, and which photos count as near-duplicates.

    `factory` and `search` are in FAISS's words, and FAISS judges them when it builds the index;
    Milvus takes those that it has too. `uri` is Milvus's: an address, or a local file.
    """

    backend: Literal["faiss", "milvus"]
    uri: str
    factory: str = Field(min_length=1)
    search: str
    duplicate_similarity: float = Field(gt=0, le=1)


class RetrievalParameters(StageParameters):
    """How the search is evaluated: how many photos are searched with, and how many are altered."""

    batch_size: int = Field(ge=1)
    num_threads: int = Field(ge=1, le=64)
    queries: int = Field(ge=1)
    altered_photos: int = Field(ge=1)
    seed: int = Field(ge=0, le=2**32 - 1)


class CurateParameters(StageParameters):
    """Which photos are listed for a person to look at."""

    neighbours_share: float = Field(gt=0.5, le=1)


class MapParameters(StageParameters):
    """How the collection is laid out on a plane."""

    perplexity: float = Field(ge=2, le=200)
    seed: int = Field(ge=0, le=2**32 - 1)


Section = TypeVar("Section", bound=StageParameters)


def read_parameters(section: str, kind: type[Section], file: Path = Path("params.yaml")) -> Section:
    """The section of `file` named `section`, as a `kind`.

    Raises:
        UserError: the file or the section is missing, or a setting is wrong; one line says which.
    """
    try:
        document = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{file} is not here ({Path.cwd()}); run this in the pipeline's folder"
        ) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise UserError(f"{file}, line {line}: not YAML: {error.problem}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get(section), dict):
        raise UserError(f"{file}: section '{section}' is missing")
    try:
        return kind.model_validate(document[section])
    except ValidationError as error:
        problems = [_describe(section, kind, detail) for detail in error.errors()]
        raise UserError(f"{file}: " + "; ".join(problems)) from None


# Keys of earlier versions, by section → their names today.
_RENAMED = {
    "averaging_decay": "ema_decay",
    "colour_jitter": "color_jitter",
    "decoding_threads": "num_threads",
    "smallest_crop": "min_crop_scale",
    "warm_up_epochs": "warmup_epochs",
}


def _describe(section: str, kind: type[StageParameters], detail: ErrorDetails) -> str:
    key = ".".join([section, *map(str, detail["loc"])])
    if detail["type"] == "extra_forbidden":
        if new_name := _RENAMED.get(str(detail["loc"][-1])):
            return f"{key} is now {section}.{new_name}; rename it"
        return f"{key}: no such setting; there are {', '.join(kind.model_fields)}"
    if detail["type"] == "missing":
        return f"{key}: is missing"
    problem = detail["msg"].removeprefix("Value error, ")
    return f"{key} = {detail['input']!r}: {problem[0].lower() + problem[1:]}"
