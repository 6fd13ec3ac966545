"""Names of the backbones; importable without torch."""

from typing import Literal

BackboneName = Literal["efficientnet_v2_s", "efficientnet_lite0"]
