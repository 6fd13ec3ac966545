"""A run that is killed at any moment is finished by the next one, as if nothing had happened."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from ..conftest import REPOSITORY
from ..pipelines.conftest import CLASSIFIER, SEARCHER
from .conftest import Disturbed, locked_outputs, stage_outputs

pytestmark = pytest.mark.faults
TIMES = int(os.environ.get("PANTHERA_KILLS", "20"))


def stages() -> list[tuple[str, str]]:
    """Every stage of both pipelines, as its folder and its name."""
    return [
        (folder, stage)
        for folder in (CLASSIFIER, SEARCHER)
        for stage in yaml.safe_load((REPOSITORY / folder / "dvc.yaml").read_text())["stages"]
    ]


def forget(disturbed: Disturbed, pipeline: Path, stage: str) -> None:
    """Leave the stage as if it had never run; DVC must not take its outputs from the cache."""
    for output in stage_outputs(pipeline, stage):
        path = pipeline / output
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    lock = yaml.safe_load((pipeline / "dvc.lock").read_text())
    del lock["stages"][stage]
    (pipeline / "dvc.lock").write_text(yaml.safe_dump(lock, sort_keys=False))
    shutil.rmtree(disturbed.clone.folder / ".dvc/cache/runs", ignore_errors=True)


@pytest.mark.parametrize(("folder", "stage"), stages())
def test_a_killed_stage_is_completed_by_the_next_run(
    disturbed: Disturbed, folder: str, stage: str
) -> None:
    pipeline = disturbed.clone.folder / folder
    forget(disturbed, pipeline, stage)
    began = time.monotonic()
    disturbed.clone.repro(pipeline, stage)
    duration = time.monotonic() - began
    moments = random.Random(f"{folder} {stage}")
    killed = 0
    for _ in range(3 * TIMES):
        forget(disturbed, pipeline, stage)
        began = time.monotonic()
        run = disturbed.clone.start("dvc", "repro", stage, cwd=pipeline)
        try:
            output, _ = run.communicate(timeout=duration * moments.random())
            assert run.returncode == 0, output
            duration = time.monotonic() - began
        except subprocess.TimeoutExpired:
            # All its processes: they are of one group.
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            killed += 1
            disturbed.clone.repro(pipeline, stage)
        disturbed.require_same(folder, stage)
        if killed == TIMES:
            break
    assert killed == TIMES
    # Neither the stages before it nor those after it were touched.
    assert locked_outputs(pipeline) == disturbed.expected[folder]
    print(f"{folder}, {stage}: killed {killed} of {TIMES} times in {duration:.1f} s")
