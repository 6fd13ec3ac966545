"""The same seed on the same machine gives the same bytes, wherever the folder lies."""

from pathlib import Path

import pytest

from ..pipelines.conftest import (
    CLASSIFIER,
    SEARCHER,
    Clone,
    copy_repository,
    run_small_demo,
)
from .conftest import difference, locked_outputs

pytestmark = pytest.mark.faults


def test_another_run_elsewhere_gives_the_same_bytes(undisturbed: Clone, tmp_path: Path) -> None:
    """Tables, splits, checkpoint, ONNX file, metrics, pictures, embeddings, index and map."""
    other = copy_repository(tmp_path / "elsewhere")
    run_small_demo(other, epochs=3)
    different = []
    for pipeline in (CLASSIFIER, SEARCHER):
        first, second = (locked_outputs(clone.folder / pipeline) for clone in (undisturbed, other))
        assert first.keys() == second.keys()
        assert len(first) > 5
        different += [
            f"{pipeline}/{path}: "
            + difference(undisturbed.folder / pipeline / path, other.folder / pipeline / path)
            for path in first
            if first[path] != second[path]
        ]
    assert not different, "\n".join(different)
