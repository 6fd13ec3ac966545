"""Both pipelines run once undisturbed, and a copy of that to disturb."""

import filecmp
import shutil
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice
from pathlib import Path

import pytest
import yaml

from ..pipelines.conftest import Clone, copy_repository, run_small_demo

Digests = dict[str, str]


@dataclass
class Disturbed:
    """A copy of a finished run, with what its outputs must be like in the end."""

    clone: Clone
    undisturbed: Clone
    expected: dict[str, Digests]  # by pipeline folder

    def require_same(self, folder: str, stage: str) -> None:
        """The stage's outputs are what they were, byte for byte; else it is said what differs."""
        pipeline = self.clone.folder / folder
        for path, digest in stage_outputs(pipeline, stage).items():
            if digest != self.expected[folder][path]:
                before = self.undisturbed.folder / folder / path
                raise AssertionError(f"{path} differs: {difference(before, pipeline / path)}")


def difference(before: Path, after: Path) -> str:
    """The lines that differ, of text; of a folder, the files."""
    if before.is_dir():
        compared = filecmp.dircmp(before, after)
        return f"{compared.left_only} {compared.right_only} {compared.diff_files}"
    if before.suffix not in {".csv", ".json", ".txt", ".md", ".html"}:
        return f"{before.stat().st_size} and {after.stat().st_size} bytes"
    lines = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
    return "\n".join(islice(unified_diff(*lines, n=0, lineterm=""), 12))


def stage_outputs(pipeline: Path, stage: str) -> Digests:
    """As `locked_outputs`, of one stage."""
    lock = yaml.safe_load((pipeline / "dvc.lock").read_text())
    return {output["path"]: output["md5"] for output in lock["stages"][stage]["outs"]}


def locked_outputs(folder: Path) -> Digests:
    """What `dvc.lock` says of every output: a path relative to the pipeline, and its MD5."""
    lock = yaml.safe_load((folder / "dvc.lock").read_text())
    return {
        output["path"]: output["md5"]
        for stage in lock["stages"].values()
        for output in stage["outs"]
    }


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with a small demo of three epochs; no test changes it."""
    clone = copy_repository(tmp_path_factory.mktemp("undisturbed") / "Проект кошки")
    run_small_demo(clone, epochs=3)
    return clone


@pytest.fixture(scope="module")
def disturbed(undisturbed: Clone, tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    """A copy of the finished run, for the tests of one module."""
    folder = tmp_path_factory.mktemp("disturbed") / "Проект кошки"
    shutil.copytree(undisturbed.folder, folder, symlinks=True)
    clone = Clone(folder)
    pipelines = (clone.classifier, clone.searcher)
    expected = {pipeline.name: locked_outputs(pipeline) for pipeline in pipelines}
    return Disturbed(clone, undisturbed, expected)
