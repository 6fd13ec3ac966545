"""Check the package's structure: imports, third-party libraries, sizes and docstrings.

`python -m tests.architecture` prints every violation and exits with 1 where there is one.
The DVC graph has a check of its own, `tests/test_dvc_graph.py`.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "panthera_vision"
PIPELINES = ("cv-classification-dvc-pipeline", "image-search-dvc-pipeline", "demo", "benchmarks")
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS = 300, 60, 6

# What each part of the package may import of the others. `cli` is the top and may import all.
BASE = {"errors", "io"}
TABLES = BASE | {"data"}
NETWORK = TABLES | {"images", "models", "inference", "distributed"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "io": {"errors"},
    "data": BASE,
    "images": BASE,
    "detections": TABLES | {"images"},
    "distributed": {"errors"},
    "models": TABLES | {"images"},
    "inference": TABLES | {"images", "models", "distributed"},
    # Of these two, only the names of backbones, engines and precisions, which load no torch.
    "parameters": BASE | {"data", "models", "inference"},
    "sources": TABLES | {"images", "parameters"},
    "synthetic": TABLES | {"sources"},
    "download": TABLES | {"images", "sources", "parameters"},
    "reporting": TABLES | {"images"},
    "explain": NETWORK,
    "export": NETWORK,
    "training": NETWORK | {"parameters"},
    "evaluation": NETWORK | {"detections", "reporting", "parameters"},
    "search": NETWORK | {"reporting", "evaluation", "parameters"},
    "batch": NETWORK | {"search", "sources", "detections"},
    "serving": NETWORK | {"search", "batch", "detections"},
    "api": NETWORK | {"search", "batch"},
    "training_api": NETWORK
    | {"api", "download", "parameters", "search", "sources", "synthetic", "training"},
    "ui": NETWORK
    | {
        "batch",
        "detections",
        "download",
        "evaluation",
        "explain",
        "parameters",
        "reporting",
        "search",
        "sources",
    },
}
# Heavy or special libraries → the only parts that may import them.
LIBRARIES: dict[str, set[str]] = {
    "streamlit": {"ui"},
    "altair": {"ui"},
    "fastapi": {"serving"},
    "starlette": {"serving"},
    "uvicorn": {"cli"},
    "faiss": {"search"},
    "pymilvus": {"search"},
    "openvino": {"inference"},
    "onnx": {"export"},
    "onnxruntime": {"export"},
    "onnxscript": {"export"},
    "pytorch_grad_cam": {"explain"},
    "cleanlab": {"data"},
    "dvclive": {"training"},
    "aiohttp": {"download"},
    "requests": {"sources"},
    "pyinaturalist": {"sources"},
    "seaborn": {"evaluation", "reporting", "search"},
    "torch": {
        *("batch", "cli", "distributed", "evaluation", "explain", "export", "inference", "models"),
        *("search", "serving", "training", "ui", "api"),
    },
}
# A docstring's first line begins with a verb; these words begin a noun phrase or a question.
NO_VERBS = {
    *("a", "an", "the", "this", "these", "what", "which", "who", "whose", "whether", "how", "why"),
    *(
        "where",
        "when",
        "all",
        "any",
        "each",
        "every",
        "some",
        "one",
        "two",
        "it",
        "its",
        "of",
        "in",
    ),
    *("as", "at", "for", "from", "with", "likewise", "how", "photos", "photo"),
}


def part_of(file: Path) -> str:
    """Return the part of the package that a file belongs to: its folder, or its own name."""
    relative = file.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of every import, those in functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            if node.module == "panthera_vision":
                yield from ((node.lineno, f"panthera_vision.{alias.name}") for alias in node.names)


def import_violations() -> Iterator[str]:
    """Yield imports against the arrows, and libraries outside the parts that may load them."""
    for file in sorted(PACKAGE.rglob("*.py")):
        part, name = part_of(file), file.relative_to(REPOSITORY)
        for line, module in imported_modules(ast.parse(file.read_text(encoding="utf-8"))):
            top, _, rest = module.partition(".")
            if top != "panthera_vision":
                if part not in LIBRARIES.get(top, {part}):
                    yield f"{name}:{line}: only {sorted(LIBRARIES[top])} may import {top}"
                continue
            target = rest.partition(".")[0]
            is_part = (PACKAGE / target).is_dir() or (PACKAGE / f"{target}.py").exists()
            if not target or not is_part or target == part or part in {"cli", "__init__"}:
                continue
            if target not in ALLOWED[part]:
                yield f"{name}:{line}: {part}/ may not import {target}/"


def size_violations() -> Iterator[str]:
    """Yield files, functions and parameter lists that are too long."""
    folders = [PACKAGE, *(REPOSITORY / name for name in PIPELINES)]
    for file in sorted(path for folder in folders for path in folder.rglob("*.py")):
        text, name = file.read_text(encoding="utf-8"), file.relative_to(REPOSITORY)
        if (lines := len(text.splitlines())) > MAX_FILE_LINES:
            yield f"{name}: {lines} lines, more than {MAX_FILE_LINES}"
        for node in functions(ast.parse(text)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines"
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = sum(argument.arg not in {"self", "cls"} for argument in arguments)
            if count > MAX_PARAMETERS:
                yield f"{name}:{node.lineno}: {node.name} takes {count} parameters"


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield all functions and methods of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def docstring_violations() -> Iterator[str]:
    """Yield public functions without a docstring, and docstrings that begin with no verb."""
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(REPOSITORY)
        for node in functions(ast.parse(file.read_text(encoding="utf-8"))):
            docstring = ast.get_docstring(node) or ""
            first = docstring.partition(" ")[0].strip("`.,:").lower()
            if first in NO_VERBS:
                yield f"{name}:{node.lineno}: {node.name}: {docstring.splitlines()[0]!r}"


CHECKS = (import_violations, size_violations, docstring_violations)


def main() -> int:
    """Print all violations; return 1 where there is one."""
    found = [line for check in CHECKS for line in check()]
    print("\n".join(found) if found else "The structure is as it should be.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
