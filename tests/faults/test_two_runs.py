"""Two runs at once in one folder leave what one would have left."""

import subprocess
from pathlib import Path

import pytest
import yaml

from ..pipelines.conftest import CLASSIFIER, SEARCHER
from .conftest import Disturbed, locked_outputs
from .test_kills import forget, stages

pytestmark = pytest.mark.faults


def finished(run: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = run.communicate(timeout=600)
    return run.returncode, output


@pytest.mark.parametrize(("folder", "stage"), stages())
def test_a_second_dvc_run_waits_or_reports_the_lock(
    disturbed: Disturbed, folder: str, stage: str
) -> None:
    pipeline = disturbed.clone.folder / folder
    forget(disturbed, pipeline, stage)
    runs = [disturbed.clone.start("dvc", "repro", stage, cwd=pipeline) for _ in range(2)]
    ends = [finished(run) for run in runs]
    assert any(code == 0 for code, _ in ends), ends
    for code, output in ends:
        assert code == 0 or "lock" in output, output
    disturbed.clone.repro(pipeline, stage)
    disturbed.require_same(folder, stage)


def command_of(pipeline: Path, stage: str) -> list[str]:
    lock = yaml.safe_load((pipeline / "dvc.lock").read_text())
    return str(lock["stages"][stage]["cmd"]).split()


@pytest.mark.parametrize(("folder", "stage"), stages())
def test_a_stage_script_started_twice_writes_the_same(
    disturbed: Disturbed, folder: str, stage: str
) -> None:
    pipeline = disturbed.clone.folder / folder
    command = command_of(pipeline, stage)
    forget(disturbed, pipeline, stage)
    runs = [disturbed.clone.start(*command, cwd=pipeline) for _ in range(2)]
    ends = [finished(run) for run in runs]
    assert any(code == 0 for code, _ in ends), ends
    for code, output in ends:
        assert code == 0 or "error: " in output, output
    # DVC looks at what is there, and runs the stage again: it has no note of it.
    disturbed.clone.repro(pipeline, stage)
    disturbed.require_same(folder, stage)


def test_two_pipelines_at_once(disturbed: Disturbed) -> None:
    pipelines = [disturbed.clone.folder / folder for folder in (CLASSIFIER, SEARCHER)]
    for pipeline, stage in zip(pipelines, ("prepare", "collection"), strict=True):
        forget(disturbed, pipeline, stage)
    runs = [disturbed.clone.start("dvc", "repro", cwd=pipeline) for pipeline in pipelines]
    for code, output in (finished(run) for run in runs):
        assert code == 0 or "lock" in output, output
    for pipeline in pipelines:
        disturbed.clone.repro(pipeline)
        assert locked_outputs(pipeline) == disturbed.expected[pipeline.name]
