"""Read and validate the JSON files that the stages wrote."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from panthera_vision.errors import UserError

_Content = TypeVar("_Content", bound=BaseModel)


def read_json_as(path: Path, content: type[_Content]) -> _Content:
    """Read a JSON file as the model `content`; further keys are ignored.

    Raises:
        UserError: the file is missing, broken or invalid.
    """
    try:
        return content.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; run `dvc repro`") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{path} is broken: {where} {first['msg']}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is broken: {error}") from None
