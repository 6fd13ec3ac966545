"""Set keys of a params.yaml, keep its comments, and print the old values.

Usage: set_params.py FILE section.key=value …
"""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from panthera_vision.cli.pipeline_settings import change_settings


def main(file: Path, *settings: str) -> None:
    changes: dict[str, dict[str, Any]] = defaultdict(dict)
    for setting in settings:
        key, _, value = setting.partition("=")
        section, _, name = key.partition(".")
        changes[section][name] = yaml.safe_load(value)
    for key, old in change_settings(file, changes).items():
        section, _, name = key.partition(".")
        print(f"{file}: {key} was {yaml_word(old)}, is now {yaml_word(changes[section][name])}")


def yaml_word(value: object) -> str:
    """Return a value as a line of YAML shows it."""
    return "null" if value is None else str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
