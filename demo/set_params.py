"""Set keys of a params.yaml, keep its comments, and print the old values.

Usage: set_params.py FILE section.key=value …
"""

import sys
from pathlib import Path

from ruamel.yaml import YAML

NULL = "tag:yaml.org,2002:null"


def main(file: Path, *settings: str) -> None:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar(NULL, "null")
    )
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(file)
    changed = False
    for setting in settings:
        key, _, value = setting.partition("=")
        section, _, name = key.partition(".")
        old, new = document[section][name], yaml.load(value)
        if old != new:
            document[section][name] = new
            print(f"{file}: {key} was {yaml_word(old)}, is now {value}")
            changed = True
    if changed:
        yaml.dump(document, file)


def yaml_word(value: object) -> str:
    """Return a value as a line of YAML shows it."""
    return "null" if value is None else str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
