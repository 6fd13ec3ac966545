"""Compute which code each DVC stage depends on, from the imports of its script.

`python -m tests.dvc_graph` rewrites the `../panthera_vision` lines of every dvc.yaml.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "panthera_vision"
DVC_FILES = sorted(REPOSITORY.glob("*/dvc.yaml"))
# Names that parameters.py validates. A stage that imports nothing else of their folders depends on
# these files alone: a changed network must not make `prepare` or `download` stale.
NAMES_OF_SETTINGS = {
    PACKAGE / "inference" / "options.py",
    PACKAGE / "models" / "backbone_names.py",
}
# No dependency of any stage: cli/ and errors.py decide how a script ends and what it prints, not
# what it writes; the package's __init__.py holds the public API, which no stage uses.
EXCLUDED = {PACKAGE / "cli", PACKAGE / "errors.py", PACKAGE / "__init__.py"}


def imported_files(file: Path) -> Iterator[Path]:
    """Yield the package's modules that `file` imports, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            path = REPOSITORY / name.replace(".", "/")
            if name.partition(".")[0] == PACKAGE.name:
                yield from filter(Path.is_file, (path.with_suffix(".py"), path / "__init__.py"))


def import_closure(script: Path) -> set[Path]:
    """Return all modules of the package that a script imports, directly or through others."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        new = set(imported_files(waiting.pop())) - found
        found |= new
        waiting += [file for file in new if not EXCLUDED & {file, *file.parents}]
    return {file for file in found if not EXCLUDED & {file, *file.parents}}


def code_dependencies(script: Path) -> set[str]:
    """Return a stage's `deps` within the package, relative to its pipeline's folder.

    These are package folders; a package that has sub-packages counts by its single modules.
    """
    paths = set()
    closure = import_closure(script)
    folders = {file.parent for file in closure - NAMES_OF_SETTINGS if file.name != "__init__.py"}
    for file in closure:
        has_packages = file.parent == PACKAGE or any(file.parent.glob("*/__init__.py"))
        if not has_packages and file.parent in folders:
            paths.add(file.parent)
        elif file.name != "__init__.py":
            paths.add(file)
    return {f"../{path.relative_to(REPOSITORY).as_posix()}" for path in paths}


def stages(dvc_file: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Yield the name, the script and the `deps` of each stage of a dvc.yaml."""
    document = yaml.safe_load(dvc_file.read_text(encoding="utf-8"))
    for name, stage in document["stages"].items():
        yield name, dvc_file.parent / stage["cmd"].split()[1], stage["deps"]


def rewrite(dvc_file: Path) -> None:
    """Put the computed `deps` in the place of those that the file has, after the script."""
    text = dvc_file.read_text(encoding="utf-8")
    text = re.sub(rf"^      - \.\./{PACKAGE.name}/.*\n", "", text, flags=re.MULTILINE)
    for name, script, _ in stages(dvc_file):
        lines = "".join(f"      - {path}\n" for path in sorted(code_dependencies(script)))
        own = f"      - {script.relative_to(dvc_file.parent)}\n"
        start = text.index(own, text.index(f"\n  {name}:\n")) + len(own)
        text = text[:start] + lines + text[start:]
    dvc_file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for dvc_file in DVC_FILES:
        rewrite(dvc_file)
