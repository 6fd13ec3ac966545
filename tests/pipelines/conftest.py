"""A fresh copy of the repository in a folder with Cyrillic letters and a space, and a run in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from panthera_vision.cli.pipeline_settings import change_settings

from ..conftest import REPOSITORY
from .browsing import Visitors, chromium

PROGRAMS = Path(sys.executable).parent
CLASSIFIER = "cv-classification-dvc-pipeline"
SEARCHER = "image-search-dvc-pipeline"


class Clone:
    """A copy of the repository, worked on from the command line as its user would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.classifier = folder / CLASSIFIER
        self.searcher = folder / SEARCHER

    def run(
        self, *command: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which is not activated: PATH does not have it."""
        return subprocess.run(
            [str(PROGRAMS / command[0]), *command[1:]],
            cwd=cwd or self.folder,
            env=self.environment(environment),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def start(self, *command: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
        """Start a program, the first of a process group of its own, and don't wait for it."""
        return subprocess.Popen(
            [str(PROGRAMS / command[0]), *command[1:]],
            cwd=cwd,
            env=self.environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """Return an environment with an empty home: no git identity, no caches."""
        return {
            "HOME": str(self.folder.parent),
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            **{name: value for name, value in os.environ.items() if name.startswith("OMP_")},
            **more,
        }

    def repro(self, folder: Path, *options: str) -> str:
        """What `dvc repro` printed; it must succeed."""
        result = self.run("dvc", "repro", *options, cwd=folder)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def refused(self, *command: str, cwd: Path, **environment: str) -> str:
        """The one line with which a command ends that must fail without a traceback."""
        result = self.run(*command, cwd=cwd, **environment)
        # DVC ends with 255 whatever the stage's own exit code was.
        expected = {1, 255} if command[0] == "dvc" else {1}
        assert result.returncode in expected, result.stdout + result.stderr
        assert "Traceback" not in result.stdout + result.stderr
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        return line


def copy_repository(folder: Path) -> Clone:
    """The repository's files as a commit of their own, nothing run yet."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    for name in listing.stdout.decode().split("\0"):
        if name and (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "all"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return Clone(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Clone:
    """A clone in which nothing was run."""
    return copy_repository(tmp_path / "Новая копия")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Clone:
    """A clone with a small demo, which the tests of a process share.

    Of several processes, the first runs it and the others copy it.
    """
    own = tmp_path_factory.mktemp("clone") / "Проект кошки"
    if worker_id == "master":
        clone = copy_repository(own)
        run_small_demo(clone)
        return clone
    first = tmp_path_factory.getbasetemp().parent / "demo" / own.name
    with FileLock(first.parent.with_suffix(".lock")):
        if not (first.parent / "done").exists():
            run_small_demo(copy_repository(first))
            (first.parent / "done").touch()
    return Clone(Path(shutil.copytree(first, own, symlinks=True)))


def set_parameters(clone: Clone, folder: str, **settings: object) -> None:
    """Set keys, written as section__key, in the params.yaml of `folder`."""
    for name, value in settings.items():
        section, _, key = name.partition("__")
        change_settings(clone.folder / folder / "params.yaml", {section: {key: value}})


def run_small_demo(clone: Clone, epochs: int = 1) -> None:
    """Run both pipelines on a few drawn photos."""
    set_parameters(clone, "demo", draw__photos_per_species=12)
    set_parameters(
        clone,
        CLASSIFIER,
        prepare__observations="../demo/set",
        train__backbone="efficientnet_lite0",
        train__image_size=64,
        train__epochs=epochs,
        train__batch_size=8,
    )
    set_parameters(clone, SEARCHER, evaluate__perturbed_photos=6)
    clone.repro(clone.searcher)
    # What the search does not need, such as the review of labels.
    clone.repro(clone.classifier)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def visitors_of_module(browser: Browser) -> Visitors:
    return Visitors(browser)


@pytest.fixture
def visitors(visitors_of_module: Visitors) -> Iterator[Visitors]:
    """Open pages that are closed at the end of the test."""
    yield visitors_of_module
    visitors_of_module.leave()
