"""Read a local file of weights (.pth, .pt, .bin or .safetensors), which is not trusted."""

from pathlib import Path
from typing import Any

import torch

from panthera_vision.errors import UserError
from panthera_vision.models.checkpoint_schema import reject_zip_bomb


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the state_dict in a file; one wrapped by a trainer is unwrapped.

    Raises:
        UserError: it is missing, damaged, a zip bomb, or holds anything but weights.
    """
    from timm.models import load_state_dict

    if not path.is_file():
        raise UserError(f"{path} does not exist")
    try:
        reject_zip_bomb(path)
        state: Any = load_state_dict(str(path), weights_only=True)
    except (OSError, UserError):
        raise
    except Exception as error:
        # The unpickler raises nearly anything on damaged data (IndexError, struct.error, …).
        problem = (str(error) or type(error).__name__).splitlines()[0].split(". ")[0]
        raise UserError(f"{path} is no file of weights ({problem[:200]})") from None
    if not isinstance(state, dict) or not state:
        raise UserError(f"{path} holds a {type(state).__name__}, not a state_dict")
    return state
