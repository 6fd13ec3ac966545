"""The structure of the package: see `tests/architecture.py`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import architecture


@pytest.mark.slow
@pytest.mark.parametrize("check", architecture.CHECKS, ids=lambda check: check.__name__)
def test_the_package_keeps_to_its_structure(check: Callable[[], Iterator[str]]) -> None:
    assert not list(check())


@pytest.mark.parametrize(
    ("code", "check"),
    [
        ("from panthera_vision.training import trainer", architecture.import_violations),
        ("def f():\n    import streamlit", architecture.import_violations),
        ("def f(a, b, c, d, e, g, h): ...", architecture.size_violations),
        ("def f():\n" + "    print()\n" * 60, architecture.size_violations),
        ("print()\n" * 301, architecture.size_violations),
        ('def f():\n    """The result."""', architecture.docstring_violations),
    ],
)
def test_each_check_finds_what_it_looks_for(
    code: str,
    check: Callable[[], Iterator[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = tmp_path / "panthera_vision"
    for part in ("models", "training"):
        (package / part).mkdir(parents=True)
    (package / "models" / "broken.py").write_text(code)
    monkeypatch.setattr(architecture, "REPOSITORY", tmp_path)
    monkeypatch.setattr(architecture, "PACKAGE", package)
    assert len(list(check())) == 1
