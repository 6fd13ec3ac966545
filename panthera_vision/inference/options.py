"""Names of the settings that decide how a network is computed; importable without torch."""

from typing import Literal

# Number format; "auto" is the fastest on this machine that stays close enough to float32.
Precision = Literal["auto", "fp32", "bf16"]
# Library that runs the network; OpenVINO is an extra.
Engine = Literal["torch", "openvino"]
