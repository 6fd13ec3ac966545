"""Change settings in a params.yaml, and keep its comments and its order."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import write_text


def change_settings(file: Path, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Set values in `file`, atomically; return the old one of each that changed, by "section.key".

    Args:
        file: a params.yaml.
        changes: section → key → value.

    Raises:
        UserError: it is not YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(type(None), _represent_null)
    try:
        document = yaml.load(file.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise UserError(f"{file} is not YAML: {' '.join(str(error).split())}") from None
    changed = {}
    for section, values in changes.items():
        for key, value in values.items():
            part = document.setdefault(section, {})
            if part.get(key) != value:
                changed[f"{section}.{key}"] = part.get(key)
                part[key] = _with_comment_of(part.get(key), value)
    if changed:
        text = io.StringIO()
        yaml.dump(document, text)
        write_text(file, text.getvalue())
    return changed


def _represent_null(representer: Any, _: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _with_comment_of(earlier: Any, value: Any) -> Any:
    """Return a list with the comment that stands below an earlier list; other values as they are.

    The comment of the next setting belongs to the last item before it.
    """
    from ruamel.yaml.comments import CommentedSeq

    if not (isinstance(value, list) and isinstance(earlier, CommentedSeq)):
        return value
    items = CommentedSeq(value)
    if (comment := earlier.ca.items.get(len(earlier) - 1)) and items:
        items.ca.items[len(items) - 1] = comment
    return items
