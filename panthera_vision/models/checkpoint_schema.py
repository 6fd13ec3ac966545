"""Validate the content of untrusted checkpoints, and refuse zip bombs.

The values of a checkpoint decide how much memory is allocated, which names appear in tables and
pages, and by what logits are divided; so each is checked before it is used.
"""

import re
import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from panthera_vision.data.taxonomy import is_binomial
from panthera_vision.errors import UserError
from panthera_vision.models.architecture import Architecture, Library
from panthera_vision.models.backbone_names import BackboneName
from panthera_vision.models.preprocessing import CropMode, Interpolation, Preprocessing

_MAX_CLASSES = 10_000
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


class PreprocessingSchema(_Strict):
    """Validate the values of a `Preprocessing`."""

    image_size: int = Field(ge=16, le=2048)
    crop_pct: float = Field(gt=0.1, le=1)
    mean: tuple[_Number, _Number, _Number] = Field(strict=False)
    std: tuple[_Positive, _Positive, _Positive] = Field(strict=False)
    interpolation: Interpolation
    crop_mode: CropMode

    def preprocessing(self) -> Preprocessing:
        """Return the validated `Preprocessing`."""
        return Preprocessing(**self.model_dump())


class BackboneSchema(_Strict):
    """Validate the values of a `Backbone`; its builder is looked up, never imported by name."""

    name: BackboneName
    library: Library
    architecture: str = Field(max_length=200)
    arguments: dict[str, bool | int | float | str | tuple[int, ...]] = Field(max_length=30)
    labels: str = Field(max_length=40, pattern=r"^[\w-]*$")
    source: str = Field(max_length=500)
    license: str = Field(max_length=200)

    @model_validator(mode="after")
    def _has_a_builder(self) -> Self:
        self.as_architecture()
        return self

    def as_architecture(self) -> Architecture:
        """Return the validated `Architecture`; raise ValueError if no library has it."""
        return Architecture(self.library, self.architecture, self.arguments)


class CheckpointSchema(_Strict):
    """Validate the keys of a checkpoint; `TrainedModel` says what they mean."""

    format: Literal["panthera-vision-checkpoint"]
    version: int
    backbone: BackboneSchema
    class_names: list[str] = Field(max_length=_MAX_CLASSES)
    preprocessing: PreprocessingSchema
    temperature: _Positive
    ood_threshold: _Number | None
    parameters: dict[str, Any]
    data_fingerprint: str = Field(max_length=200)
    training: dict[str, Any]
    state_dict: dict[str, torch.Tensor]

    @field_validator("class_names")
    @classmethod
    def _species(cls, names: list[str]) -> list[str]:
        for name in names:
            if not is_binomial(name):
                raise ValueError(f"{name[:40]!r} is not a species name such as 'Panthera leo'")
        if len(set(names)) < len(names):
            raise ValueError("a species is listed twice")
        return names

    @field_validator("state_dict")
    @classmethod
    def _finite(cls, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        for name, weights in state.items():
            # An expanded tensor repeats one number a billion times in a file of a few bytes.
            if (
                weights.is_complex()
                or weights.layout != torch.strided
                or weights.numel() * weights.element_size() > weights.untyped_storage().nbytes()
            ):
                raise ValueError(f"{name!r} is complex, sparse or expanded; no network here is")
            if not bool(torch.isfinite(weights).all()):
                raise ValueError(f"{name!r} has weights that are infinite or not numbers")
        return state


# Keys of version 3 → keys of version 4.
_RENAMED_KEYS = {"none_of_these_threshold": "ood_threshold"}
_RENAMED_PREPROCESSING = {"crop_share": "crop_pct", "standard_deviation": "std"}
_RENAMED_WEIGHTS = {
    "familiarity.typical": "ood_head.class_means",
    "familiarity.imagenet.weight": "ood_head.imagenet.weight",
    "familiarity.imagenet.bias": "ood_head.imagenet.bias",
}
# The OOD score up to version 4 was its first part alone.
_BHATTACHARYYA_ALONE = {
    "ood_head.near_classes": torch.arange(20),
    "ood_head.centers": torch.zeros(3),
    "ood_head.weights": torch.tensor([1.0, 0.0, 0.0]),
}
# The two backbones of version 4 → their builders.
_FORMER_BACKBONES = {
    "efficientnet_v2_s": ("torchvision", "efficientnet_v2_s"),
    "efficientnet_lite0": ("timm", "tf_efficientnet_lite0"),
}


def upgrade_checkpoint(content: dict[str, Any]) -> dict[str, Any]:
    """Turn a checkpoint of version 3 or 4 into one of version 5; return others unchanged."""
    parts = [content.get("preprocessing"), content.get("state_dict")]
    if content.get("version") not in (3, 4) or not all(isinstance(part, dict) for part in parts):
        return content
    upgraded = _rename(content, _RENAMED_KEYS) | {"version": 5}
    preprocessing = _rename(content["preprocessing"], _RENAMED_PREPROCESSING)
    upgraded["preprocessing"] = preprocessing | {"interpolation": "bicubic", "crop_mode": "center"}
    weights = _rename(content["state_dict"], _RENAMED_WEIGHTS)
    if "ood_head.class_means" in weights:
        weights = _BHATTACHARYYA_ALONE | weights
    name = content.get("backbone")
    if isinstance(name, str) and name in _FORMER_BACKBONES:
        library, architecture = _FORMER_BACKBONES[name]
        upgraded["backbone"] = {
            "name": name,
            "library": library,
            "architecture": architecture,
            "arguments": {"num_classes": 1000},
            "labels": "imagenet-1k",
            "source": "",
            "license": "",
        }
        if library == "torchvision":
            weights = {
                re.sub(r"^trunk\.0\.", "trunk.features.", str(key)): value
                for key, value in weights.items()
            }
    upgraded["state_dict"] = weights
    return upgraded


def _rename(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}


def validate_checkpoint(content: dict[str, Any], path: Path) -> CheckpointSchema:
    """Validate the content of a checkpoint file.

    Raises:
        UserError: a value is missing, unknown or wrong; the message names the first one.
    """
    try:
        return CheckpointSchema.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = " ".join(".".join(map(str, problem["loc"])).split())[:80]
        words = problem["msg"].removeprefix("Value error, ")
        words = words[0].lower() + words[1:]
        raise UserError(f"{path} is a damaged checkpoint ({key}: {words}); train again") from None


def reject_zip_bomb(path: Path) -> None:
    """Refuse a compressed archive, which may expand without limit; torch stores uncompressed.

    Raises:
        UserError: it is compressed.
        zipfile.BadZipFile: it is a damaged archive.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            return  # torch checks other formats
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > path.stat().st_size or any(entry.compress_type for entry in entries):
        raise UserError(
            f"{path} was refused as a zip bomb: unpacked, it has {unpacked / 1e6:,.0f} MB"
        )
