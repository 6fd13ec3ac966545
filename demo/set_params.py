"""Set keys of a params.yaml and keep its comments: set_params.py FILE section.key=value …"""

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
    for setting in settings:
        key, _, value = setting.partition("=")
        section, _, name = key.partition(".")
        document[section][name] = yaml.load(value)
    yaml.dump(document, file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
