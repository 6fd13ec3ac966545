"""Both pipelines run once undisturbed, and a copy of that to disturb."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ..pipelines.conftest import CLASSIFIER_PARAMETERS, Clone, copy_repository, run_small_demo

Digests = dict[str, str]


@dataclass
class Disturbed:
    """A copy of a finished run, with what its outputs must be like in the end."""

    clone: Clone
    undisturbed: dict[str, Digests]  # by pipeline folder


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
    run_small_demo(clone, {f"{CLASSIFIER_PARAMETERS}:train.epochs": 3})
    return clone


@pytest.fixture(scope="module")
def disturbed(undisturbed: Clone, tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    """A copy of the finished run, for the tests of one module."""
    folder = tmp_path_factory.mktemp("disturbed") / "Проект кошки"
    shutil.copytree(undisturbed.folder, folder, symlinks=True)
    clone = Clone(folder)
    pipelines = (clone.classifier, clone.searcher)
    return Disturbed(clone, {pipeline.name: locked_outputs(pipeline) for pipeline in pipelines})
