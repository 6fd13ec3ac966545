"""The demo: a workspace of its own, a line and a time per stage, and what Ctrl-C leaves."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from demo.run import reproduce
from demo.workspace import CLASSIFICATION, SECTIONS, set_up_workspace
from panthera_vision.io.atomic import write_text

from ..conftest import REPOSITORY

TWO_STAGES = """
stages:
  first:
    cmd: >-
      python -c "print('a note'); print('first: done'); open('a', 'w').write('a')"
    outs: [a]
  second:
    cmd: >-
      python -c "print('second: done'); open('b', 'w').write('b')"
    deps: [a]
    outs: [b]
"""


@pytest.fixture
def two_stages(tmp_path: Path) -> Path:
    set_up_workspace(tmp_path)
    for folder in SECTIONS:
        (tmp_path / folder / "dvc.yaml").unlink()
    (tmp_path / CLASSIFICATION / "dvc.yaml").write_text(TWO_STAGES)
    return tmp_path


@pytest.mark.slow
def test_each_stage_has_one_line_with_its_time_and_no_hint_of_dvc(
    two_stages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, times = reproduce(two_stages)
    assert code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" s ")[2] for line in lines] == ["first: done", "second: done"]
    assert set(times.seconds) == {"classification first", "classification second"}
    assert all(seconds > 0 for seconds in times.seconds.values())
    code, times = reproduce(two_stages)
    assert (code, times.seconds, times.unchanged) == (0, {}, 2)
    assert capsys.readouterr().out == ""


def test_a_failing_stage_ends_the_demo_with_all_that_it_said(
    two_stages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = "stages: {bad: {cmd: [echo why, echo where, exit 3]}}"
    (two_stages / CLASSIFICATION / "dvc.yaml").write_text(stages)
    code, times = reproduce(two_stages)
    assert code != 0
    assert not times.seconds
    assert "why\nwhere\n" in capsys.readouterr().out


def test_the_demo_has_the_keys_of_both_params_and_its_own_settings(tmp_path: Path) -> None:
    set_up_workspace(tmp_path)
    for folder, sections in SECTIONS.items():
        own = yaml.safe_load((tmp_path / folder / "params.yaml").read_text())
        real = yaml.safe_load((REPOSITORY / folder / "params.yaml").read_text())
        for section in sections:
            assert own[section].keys() == real[section].keys(), section
    settings = yaml.safe_load((tmp_path / CLASSIFICATION / "params.yaml").read_text())
    assert settings["prepare"]["observations"] == "../demo/set"
    assert settings["train"]["backbone"] == "efficientnet_lite0"


def test_setting_up_again_keeps_corrections_and_touches_no_file(tmp_path: Path) -> None:
    set_up_workspace(tmp_path)
    corrections = tmp_path / CLASSIFICATION / "data" / "corrections.csv"
    write_text(corrections, "a person's verdicts")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    set_up_workspace(tmp_path)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before
    assert corrections.read_text() == "a person's verdicts"


def test_git_ignores_the_workspace() -> None:
    name = "demo_run/cv-classification-dvc-pipeline/params.yaml"
    command = ["git", "check-ignore", "--quiet", name]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 0


@pytest.mark.slow
def test_ctrl_c_says_in_one_line_that_the_demo_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.run", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        photos = tmp_path / "demo" / "set" / "photos"
        deadline = time.monotonic() + 120
        while not photos.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert photos.exists()
        started.send_signal(signal.SIGINT)
        _, errors = started.communicate(timeout=60)
    assert started.returncode == 130
    lines = [line for line in errors.splitlines() if line and "picture/s" not in line]
    assert lines == ["interrupted; `make demo` goes on from here"]
    count = len(list(photos.iterdir()))
    time.sleep(1)
    assert len(list(photos.iterdir())) == count, "the stage still draws"
