"""Run both pipelines on the synthetic set, with one line and the time of each stage.

An interrupted demo goes on where it was; one that is up to date runs nothing.

Usage: python -m demo.run [WORKSPACE]
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from demo.workspace import CLASSIFICATION, SEARCH, WORKSPACE, set_up_workspace

_RUNNING = re.compile(r"Running stage '(?:.*?([^/']+)/dvc\.yaml:)?([^':]+)':")
_UNCHANGED = re.compile(r"Stage '.*' (didn't change, skipping|is cached)")
# What DVC says around a stage's own line.
_OF_DVC = re.compile(
    r"^(> |Updating lock file|Generating lock file|Data and pipelines|Use `dvc push)"
)
_FOLDER_NAMES = {CLASSIFICATION: "classification", SEARCH: "search"}


@dataclass
class StageTimes:
    """Follow what `dvc repro` prints; print a line and the time of each stage as it ends.

    Attributes:
        seconds: time of each stage that ran, by its name.
        unchanged: number of stages that had nothing to do.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    unchanged: int = 0
    _stage: str = ""
    _started: float = 0.0
    _printed: list[str] = field(default_factory=list)

    def follow(self, lines: Iterable[str]) -> None:
        """Read `lines` until DVC has ended; `end_stage` then ends the last stage."""
        for line in map(str.rstrip, lines):
            if running := _RUNNING.match(line):
                self.end_stage()
                folder, name = running.groups()
                self._stage = " ".join(filter(None, (_FOLDER_NAMES.get(folder), name)))
                self._started = time.monotonic()
                if sys.stdout.isatty():
                    print(f"         {self._stage} …", end="\r", flush=True)
            elif _UNCHANGED.match(line):
                self.end_stage()
                self.unchanged += 1
            elif line and not _OF_DVC.match(line):
                self._printed.append(line)

    def end_stage(self, *, failed: bool = False) -> None:
        """Print the stage's last line, which sums it up, or all of them if it `failed`."""
        if failed:
            print("\n".join(self._printed), flush=True)
        elif self._stage:
            self.seconds[self._stage] = time.monotonic() - self._started
            line = self._printed[-1] if self._printed else self._stage
            print(f"{self.seconds[self._stage]:6.1f} s {line}", flush=True)
        self._stage, self._printed = "", []

    def table(self) -> str:
        """Return the time by stage, the longest first."""
        ordered = sorted(self.seconds.items(), key=lambda item: -item[1])
        return "\n".join(f"{seconds:6.1f} s {stage}" for stage, seconds in ordered)


def reproduce(workspace: Path) -> tuple[int, StageTimes]:
    """Run all outdated stages of `workspace`; return DVC's exit code and the times.

    DVC runs in a session of its own: Ctrl-C reaches this process alone, which kills DVC and the
    stage. All files are written atomically, so the next run goes on from there.
    """
    times = StageTimes()
    started = subprocess.Popen(
        [str(Path(sys.executable).with_name("dvc")), "repro", "--all-pipelines"],
        cwd=workspace,
        env={**os.environ, "PYTHONUTF8": "1", "TQDM_LEAVE": "", "TQDM_DELAY": "2"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    assert started.stdout is not None
    try:
        times.follow(started.stdout)
        code = started.wait()
    except KeyboardInterrupt:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        raise
    times.end_stage(failed=code != 0)
    return code, times


def main(workspace: Path = WORKSPACE) -> int:
    """Set up the workspace, run what is outdated, and print metrics and times."""
    begin = time.monotonic()
    set_up_workspace(workspace)
    code, times = reproduce(workspace)
    if code:
        return code
    took = time.monotonic() - begin
    metrics = json.loads(
        (workspace / CLASSIFICATION / "results/evaluation_metrics.json").read_text("utf-8")
    )
    print(
        f"\nThe classifier, on {metrics['photos']} synthetic test pictures: accuracy "
        f"{metrics['accuracy']:.3f}, macro F1 {metrics['macro_f1']:.3f}"
    )
    if not times.seconds:
        print(f"\nAll {times.unchanged} stages are up to date ({took:.0f} s).")
        return 0
    print(f"\nTime by stage:\n{times.table()}")
    print(f"{took:6.1f} s in all: {len(times.seconds)} stages, {times.unchanged} up to date before")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*map(Path, sys.argv[1:])))
    except KeyboardInterrupt:
        print("\ninterrupted; `make demo` goes on from here", file=sys.stderr, flush=True)
        sys.exit(130)
