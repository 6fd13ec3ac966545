"""Both pipelines in a fresh copy of the repository, whose path has Cyrillic letters and a space.

One small demo run serves all tests here; they run in order of what they change.
"""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from panthera_vision.apps.texts import CLASSIFICATION, SEARCH

from ..conftest import REPOSITORY, SPECIES, draw_photo

PROGRAMS = Path(sys.executable).parent
CLASSIFIER = "cv-classification-dvc-pipeline"
SEARCHER = "image-search-dvc-pipeline"
CLASSIFIER_PARAMETERS = f"../{CLASSIFIER}/params.yaml"


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
            env={
                "HOME": os.environ.get("HOME", "/"),
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                **environment,
            },
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )

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


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The repository's files as a commit of their own, nothing run yet."""
    folder = tmp_path_factory.mktemp("clone") / "Проект кошки"
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


@pytest.fixture(scope="module")
def made(fresh: Clone) -> Clone:
    """The small demo, made by one command in the search folder."""
    settings = {
        "../demo/params.yaml:draw.photos_per_species": 12,
        "prepare.observations": "../demo/set",
        f"{CLASSIFIER_PARAMETERS}:prepare.observations": "../demo/set",
        f"{CLASSIFIER_PARAMETERS}:train.backbone": "efficientnet_lite0",
        f"{CLASSIFIER_PARAMETERS}:train.image_size": 64,
        f"{CLASSIFIER_PARAMETERS}:train.epochs": 1,
        f"{CLASSIFIER_PARAMETERS}:train.batch_size": 8,
    }
    options = [word for key, value in settings.items() for word in ("-S", f"{key}={value}")]
    result = fresh.run("dvc", "exp", "run", *options, cwd=fresh.searcher)
    assert result.returncode == 0, result.stdout + result.stderr
    return fresh


def test_a_fresh_clone_says_what_is_missing_and_how_to_get_it(fresh: Clone) -> None:
    for folder in (fresh.classifier, fresh.searcher):
        line = fresh.refused("dvc", "repro", cwd=folder)
        assert "observations.csv is not there" in line
        assert "make demo" in line


@pytest.mark.parametrize("script", ["prepare", "download", "train", "evaluate"])
def test_every_stage_explains_itself(fresh: Clone, script: str) -> None:
    result = fresh.run("python", f"src/{script}.py", "--help", cwd=fresh.classifier)
    assert result.returncode == 0
    assert "usage:" in result.stdout


def test_one_command_makes_everything(made: Clone) -> None:
    for file in (
        made.classifier / "data/dataset.csv",
        made.classifier / "models/best_model.pth",
        made.classifier / "results/training_history.json",
        made.classifier / "results/evaluation_metrics.json",
        made.classifier / "results/classification_report.txt",
        made.classifier / "results/confusion_matrix.png",
        made.searcher / "faiss_index/vector_index.bin",
    ):
        assert file.stat().st_size > 0, file
    photos = pd.read_csv(made.classifier / "data/photos.csv", dtype=str, keep_default_na=False)
    assert photos["species"].value_counts().to_dict() == dict.fromkeys(SPECIES, 12)
    assert set(photos["outcome"]) == {"ok"}
    for row in photos.itertuples():
        assert row.file == f"data/dataset_images/{row.species.replace(' ', '_')}/{row.id}.jpg"
        assert (made.classifier / row.file).is_file()
    report = json.loads((made.classifier / "results/preparation_report.json").read_text())
    assert report["rows_read"] == 67
    assert sum(report["dropped_by_reason"].values()) == 7
    history = json.loads((made.classifier / "results/training_history.json").read_text())
    assert len(history["epochs"]) == 1


def test_the_search_pipeline_uses_the_photos_that_are_there(made: Clone) -> None:
    own = made.searcher / "data/dataset_images"
    assert not [path for path in own.rglob("*") if path.is_file()]
    table = pd.read_csv(made.searcher / "faiss_index/photos.csv", dtype=str)
    assert len(table) == 60
    assert all((made.searcher / file).is_file() for file in table["file"])


def test_nothing_runs_where_nothing_changed(made: Clone) -> None:
    for folder in (made.searcher, made.classifier):
        printed = made.repro(folder)
        assert "Data and pipelines are up to date." in printed
        assert "Running stage" not in printed


def test_dvc_shows_metrics_plots_and_parameters(made: Clone) -> None:
    shown = made.run("dvc", "metrics", "show", "--json", cwd=made.classifier)
    data = json.loads(shown.stdout)[""]["data"]["results/evaluation_metrics.json"]["data"]
    assert {"accuracy", "balanced_accuracy", "macro_f1", "weighted_f1"} <= set(data)
    plots = made.run("dvc", "plots", "show", "--out", "plots", cwd=made.classifier)
    assert plots.returncode == 0, plots.stderr
    page = (made.classifier / "plots/index.html").read_text(encoding="utf-8")
    for title in ("Loss by epoch", "Accuracy by epoch", "Confusion matrix of the test photos"):
        assert title in page
    shutil.rmtree(made.classifier / "plots")
    difference = made.run("dvc", "params", "diff", "--json", cwd=made.classifier)
    assert json.loads(difference.stdout)["params.yaml"]["train.epochs"]["new"] == 1


def app(folder: Path, language: str) -> AppTest:
    test = AppTest.from_file(str(folder / "web_app.py"), default_timeout=120)
    test.query_params["lang"] = language
    return test.run()


def jpeg(species: str) -> bytes:
    buffer = io.BytesIO()
    draw_photo(species, 1).save(buffer, "JPEG")
    return buffer.getvalue()


def words(test: AppTest) -> str:
    parts = [
        *test.title,
        *test.subheader,
        *test.markdown,
        *test.caption,
        *test.error,
        *test.warning,
    ]
    return "\n".join(part.value for part in parts)


@pytest.mark.parametrize(("language", "name"), [("en", "Tiger"), ("ru", "Тигр")])
def test_the_classification_app_answers_and_refuses(made: Clone, language, name: str) -> None:  # type: ignore[no-untyped-def]
    test = app(made.classifier, language)
    assert not test.exception
    assert test.title[0].value == CLASSIFICATION["title"][language]
    assert CLASSIFICATION["synthetic"][language] in [info.value for info in test.info]
    files = [("a.jpg", jpeg("Panthera tigris"), "image/jpeg"), ("b.jpg", b"<html>", "image/jpeg")]
    test.file_uploader[0].set_value(files).run()
    assert not test.exception
    assert test.subheader[0].value.endswith("%")
    assert len(test.error) == 1
    bars = [element.proto.text for element in test.get("progress")]
    assert len(bars) == 5
    assert any(bar.startswith(f"{name} (*Panthera tigris*)") for bar in bars)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_search_app_finds_ten_and_filters(made: Clone, language) -> None:  # type: ignore[no-untyped-def]
    test = app(made.searcher, language)
    assert not test.exception
    assert test.title[0].value == SEARCH["title"][language]
    test.file_uploader[0].set_value(("a.jpg", jpeg("Panthera leo"), "image/jpeg")).run()
    assert not test.exception
    assert test.subheader[0].value == SEARCH["results"][language].format(count=10)
    assert words(test).count("Panthera") == 10
    test.multiselect[0].set_value(["Panthera uncia"]).run()
    assert words(test).count("*Panthera uncia*") == 10


def test_the_apps_say_what_to_run_where_nothing_is_made(fresh: Clone, tmp_path: Path) -> None:
    for folder, texts in ((fresh.classifier, CLASSIFICATION), (fresh.searcher, SEARCH)):
        alone = tmp_path / folder.name
        alone.mkdir()
        shutil.copy(folder / "web_app.py", alone)
        test = app(alone, "ru")
        assert not test.exception
        help_text = texts["no_model_help" if texts is CLASSIFICATION else "no_index_help"]["ru"]
        assert help_text in words(test)


def test_a_lost_photo_comes_back_and_nothing_else_runs(made: Clone) -> None:
    photo = next((made.classifier / "data/dataset_images/Panthera_leo").iterdir())
    content = photo.read_bytes()
    photo.unlink()
    stray = made.classifier / "data/dataset_images/Panthera_leo/of_another_profile.jpg"
    stray.write_bytes(content)
    printed = made.repro(made.searcher)
    assert photo.read_bytes() == content
    assert stray.exists()
    assert printed.count("Running stage") == 1
    assert f"{CLASSIFIER}/dvc.yaml:download" in printed


def test_stages_run_by_hand(made: Clone) -> None:
    before = (made.classifier / "results/evaluation_metrics.json").read_bytes()
    command = ["src/evaluate.py", "data/photos.csv", "data/dataset_images", "models/best_model.pth"]
    result = made.run("python", *command, "results", cwd=made.classifier)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("evaluate: ")
    assert (made.classifier / "results/evaluation_metrics.json").read_bytes() == before


@pytest.fixture
def restored(made: Clone) -> Iterator[Clone]:
    """The clone, with params.yaml put back after the test."""
    files = [made.classifier / "params.yaml", made.searcher / "params.yaml"]
    texts = [file.read_text(encoding="utf-8") for file in files]
    yield made
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("epochs: 1\n", "epochs: 0\n", "params.yaml: train.epochs = 0: input should be greater"),
        ("- Panthera onca", "- Panthera atrox", "no usable photo of 'Panthera atrox'"),
        ("test_share: 0.15", "test_share: 1.5", "split.test_share = 1.5: input should be less"),
        ("attempts: 5", "attempt: 5", "download.attempt: no such setting"),
    ],
)
def test_a_wrong_setting_is_one_line(
    restored: Clone, before: str, after: str, message: str
) -> None:
    file = restored.classifier / "params.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    assert message in restored.refused("dvc", "repro", cwd=restored.classifier)


def test_a_foreign_locale_is_refused_before_anything_is_deleted(restored: Clone) -> None:
    restored.repro(restored.classifier)
    file = restored.classifier / "params.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("seed: 17", "seed: 18"), encoding="utf-8"
    )
    line = restored.refused("dvc", "repro", cwd=restored.classifier, LC_ALL="C", PYTHONUTF8="0")
    assert "needs UTF-8: nothing was run" in line
    assert (restored.classifier / "data/dataset.csv").exists()
    assert (restored.classifier / "models/best_model.pth").exists()


def test_a_corrupt_checkpoint_is_one_line(made: Clone) -> None:
    model = made.searcher / "model_weights/best_model.pth"
    content = model.read_bytes()
    model.write_bytes(content[: len(content) // 2])
    command = ["src/build_index.py", "data/photos.csv", "model_weights/best_model.pth", "elsewhere"]
    line = made.refused("python", *command, cwd=made.searcher)
    assert "best_model.pth is no checkpoint, or a broken one" in line
    model.write_bytes(content)


def test_another_model_is_refused_by_the_app_and_put_right_by_repro(made: Clone) -> None:
    note = made.searcher / "faiss_index/index.json"
    text = note.read_text()
    fingerprint = json.loads(text)["model_fingerprint"]
    note.write_text(text.replace(fingerprint, "0" * 64))
    assert "can't be compared" in words(app(made.searcher, "en"))
    made.repro(made.searcher)
    assert json.loads(note.read_text())["model_fingerprint"] == fingerprint
