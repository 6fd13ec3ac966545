"""Both pipelines run, and run again."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from torchvision.models import efficientnet_v2_s

from ..conftest import SPECIES
from .conftest import CLASSIFIER, SEARCHER, Clone


@pytest.mark.parametrize(
    "script", ["collect", "prepare", "download", "train", "evaluate", "review_labels", "export"]
)
def test_every_script_has_help(fresh: Clone, script: str) -> None:
    result = fresh.run("python", f"src/{script}.py", "--help", cwd=fresh.classifier)
    assert result.returncode == 0
    assert "usage:" in result.stdout


def test_both_pipelines_write_all_outputs(made: Clone) -> None:
    for file in (
        made.classifier / "data/dataset.csv",
        made.classifier / "models/best_model.pth",
        made.classifier / "models/best_model.onnx",
        made.classifier / "results/training_history.json",
        made.classifier / "results/evaluation_metrics.json",
        made.classifier / "results/classification_report.txt",
        made.classifier / "results/CREDITS.csv",
        made.searcher / "results/CREDITS.csv",
        made.classifier / "results/confusion_matrix.png",
        made.classifier / "results/error_analysis.html",
        made.classifier / "results/label_review.csv",
        made.searcher / "faiss_index/vector_index.bin",
        made.searcher / "results/retrieval.html",
        made.searcher / "results/curation.html",
    ):
        assert file.stat().st_size > 0, file
    photos = pd.read_csv(made.classifier / "data/photos.csv", dtype=str, keep_default_na=False)
    assert photos["species"].value_counts().to_dict() == dict.fromkeys(SPECIES, 12)
    assert set(photos["outcome"]) == {"ok"}
    for row in photos.itertuples():
        assert row.file == f"dataset_images/{row.species.replace(' ', '_')}/{row.id}.jpg"
        assert (made.classifier / "data" / row.file).is_file()
    report = json.loads((made.classifier / "results/preparation_report.json").read_text())
    assert report["rows_read"] == 67
    assert sum(report["dropped_by_reason"].values()) == 7
    history = json.loads((made.classifier / "results/training_history.json").read_text())
    assert len(history["epochs"]) == 1
    index = json.loads((made.searcher / "faiss_index/index.json").read_text())
    assert index["similar_pairs"] >= index["same_shot_pairs"]
    assert index["unreadable_pairs"] == 0
    export = json.loads((made.classifier / "results/export_metrics.json").read_text())
    differences = export["largest_difference_to_pytorch"]
    assert set(differences) >= {"probabilities", "logits", "embeddings"}
    assert max(differences.values()) <= 1e-4


def test_the_search_uses_the_classifiers_photos_in_place(made: Clone) -> None:
    own = made.searcher / "data/dataset_images"
    assert [path.name for path in own.iterdir()] == ["README.txt"]  # says where they are
    table = pd.read_csv(made.searcher / "faiss_index/photos.csv", dtype=str)
    assert len(table) == 60
    assert all((made.searcher / "faiss_index" / file).is_file() for file in table["file"])


def test_nothing_runs_if_nothing_changed(made: Clone) -> None:
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
    shown = made.run("dvc", "metrics", "show", "--json", cwd=made.searcher)
    data = json.loads(shown.stdout)[""]["data"]["results/retrieval_metrics.json"]["data"]
    assert data["photos"] == 60
    assert {"precision_at_10", "map_at_10", "recall_at_1"} <= set(data["all_photos"])
    assert {"held_out", "perturbed_copies"} <= set(data)
    plots = made.run("dvc", "plots", "show", "--out", "plots", cwd=made.searcher)
    assert plots.returncode == 0, plots.stderr
    page = (made.searcher / "plots/index.html").read_text(encoding="utf-8")
    assert "Share of the query's species among the first results" in page
    assert "worst_queries" in page
    shutil.rmtree(made.searcher / "plots")
    difference = made.run("dvc", "params", "diff", "--json", cwd=made.classifier)
    assert json.loads(difference.stdout)["params.yaml"]["train.epochs"]["new"] == 1


def test_a_deleted_photo_is_restored_and_nothing_else_runs(made: Clone) -> None:
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


def test_a_stage_run_by_hand_gives_the_same(made: Clone) -> None:
    before = (made.classifier / "results/evaluation_metrics.json").read_bytes()
    lock = yaml.safe_load((made.classifier / "dvc.lock").read_text())
    result = made.run(*lock["stages"]["evaluate"]["cmd"].split(), cwd=made.classifier)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("evaluate: ")
    assert (made.classifier / "results/evaluation_metrics.json").read_bytes() == before


def copy_of(made: Clone, folder: Path) -> Clone:
    """Copy the clone, for a test that would leave it changed."""
    return Clone(Path(shutil.copytree(made.folder, folder / "copy", symlinks=True)))


def test_a_model_of_an_older_project_copied_by_hand_is_used(made: Clone, tmp_path: Path) -> None:
    clone = copy_of(made, tmp_path)
    target = clone.searcher / "model_weights/best_model.pth"
    brought = target.read_bytes()
    torch.save(efficientnet_v2_s(num_classes=5).state_dict(), target)
    printed = clone.repro(clone.searcher, "build_index")
    assert "which was put there by hand" in printed
    note = json.loads((clone.searcher / "faiss_index/index.json").read_text())
    assert (note["backbone"], note["photos"]) == ("efficientnet_v2_s", 60)
    target.unlink()
    clone.repro(clone.searcher, "embedder")
    assert target.read_bytes() == brought
    assert (clone.searcher / "model_weights/embedder.pth").read_bytes() == brought


def test_experiments_show_compare_and_restore_their_metrics(made: Clone, tmp_path: Path) -> None:
    clone = copy_of(made, tmp_path)
    for command in (
        ["config", "user.name", "t"],
        ["config", "user.email", "t@t"],
        ["add", "--all"],
        ["commit", "--quiet", "--allow-empty", "-m", "after dvc repro"],
    ):
        subprocess.run(["git", *command], cwd=clone.folder, check=True)
    for folder, setting, metrics, key in (
        (clone.classifier, "evaluate.other_photos=../demo/set", "certainty", "ood.auroc"),
        (clone.searcher, "evaluate.queries=20", "retrieval", "all_photos.queries"),
    ):
        file = folder / f"results/{metrics}_metrics.json"
        before = file.read_bytes()
        result = clone.run("dvc", "exp", "run", "--name", metrics, "-S", setting, cwd=folder)
        assert result.returncode == 0, result.stdout + result.stderr
        after = file.read_bytes()
        assert before != after
        table = clone.run("dvc", "exp", "show", "--csv", cwd=folder).stdout
        of_experiment = next(
            row for row in csv.DictReader(table.splitlines()) if row["Experiment"] == metrics
        )
        assert "!" not in of_experiment.values()
        changes = json.loads(clone.run("dvc", "metrics", "diff", "--json", cwd=folder).stdout)
        old_and_new = changes[f"results/{metrics}_metrics.json"][key]
        assert old_and_new["new"] is not None
        if key == "all_photos.queries":
            assert (old_and_new["old"], old_and_new["new"]) == (60, 20)
        subprocess.run(["git", "restore", "."], cwd=clone.folder, check=True)
        assert clone.run("dvc", "checkout", cwd=folder).returncode == 0
        assert file.read_bytes() == before
        assert clone.run("dvc", "exp", "apply", metrics, cwd=folder).returncode == 0
        assert file.read_bytes() == after
        subprocess.run(["git", "restore", "."], cwd=clone.folder, check=True)


def stale_stages(clone: Clone) -> set[str]:
    """The stages of both pipelines of which `dvc status` says that their code changed."""
    prefixes = {CLASSIFIER: "classifier", SEARCHER: "search"}
    stale = set()
    result = clone.run("dvc", "status", "--json")
    for stage, changes in json.loads(result.stdout).items():
        folder, _, name = stage.partition("/dvc.yaml:")
        if folder in prefixes and "panthera_vision" in str(changes):
            stale.add(f"{prefixes[folder]} {name}")
    return stale


DECODING = {"download", "train", "evaluate", "review_labels", "export"}
EMBEDDING = {"embed", "fit_embedding", "build_index", "map_collection", "evaluate", "curate"}


@pytest.mark.parametrize(
    ("file", "classifier", "search"),
    [
        ("explain/gradcam.py", set(), set()),
        ("ui/captions.py", set(), set()),
        ("serving/app.py", set(), set()),
        ("search/evaluation/evaluate.py", set(), {"evaluate", "curate"}),
        ("training/optim.py", {"train"}, set()),
        ("export/onnx.py", {"export"}, set()),
        ("images/decoding.py", DECODING | {"prepare"}, {"collection", *EMBEDDING}),
        ("models/ood.py", DECODING - {"download"}, {"import_model", "embedder", *EMBEDDING}),
    ],
)
def test_a_changed_module_makes_the_stages_stale_that_use_it(
    made: Clone, file: str, classifier: set[str], search: set[str]
) -> None:
    path = made.folder / "panthera_vision" / file
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "# changed\n", encoding="utf-8")
    try:
        stale = stale_stages(made)
    finally:
        path.write_text(text, encoding="utf-8")
    assert stale == {f"classifier {s}" for s in classifier} | {f"search {s}" for s in search}


def test_an_experiment_starts_without_warnings(made: Clone) -> None:
    for key in ("user.name", "user.email"):
        subprocess.run(["git", "config", key, "t@t"], cwd=made.folder, check=True)
    file = made.searcher / "params.yaml"
    text = file.read_text(encoding="utf-8")
    result = made.run("dvc", "exp", "run", "-S", "map.perplexity=12", cwd=made.searcher)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WARNING" not in result.stdout + result.stderr
    file.write_text(text, encoding="utf-8")
    made.repro(made.searcher)
