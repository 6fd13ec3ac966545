"""A user's mistakes: each ends in one clear line, and nothing is lost by it."""

from collections.abc import Iterator

import pytest

from .conftest import Clone


@pytest.fixture
def restored(made: Clone) -> Iterator[Clone]:
    """The clone, with params.yaml and what a failed run deleted put back after the test."""
    file = made.classifier / "params.yaml"
    text = file.read_text(encoding="utf-8")
    yield made
    file.write_text(text, encoding="utf-8")
    assert made.run("dvc", "checkout", "--force", cwd=made.classifier).returncode == 0
    assert "up to date" in made.run("dvc", "status", cwd=made.classifier).stdout


def test_a_fresh_clone_says_what_is_missing_and_how_to_get_it(fresh: Clone) -> None:
    for folder in (fresh.classifier, fresh.searcher):
        line = fresh.refused("dvc", "repro", cwd=folder)
        assert "observations.csv does not exist" in line
        assert "make demo" in line


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


def test_a_locale_without_utf8_is_refused_before_anything_is_deleted(restored: Clone) -> None:
    file = restored.classifier / "params.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("seed: 17", "seed: 18"), encoding="utf-8"
    )
    line = restored.refused("dvc", "repro", cwd=restored.classifier, LC_ALL="C", PYTHONUTF8="0")
    assert "needs UTF-8: nothing was run" in line
    assert (restored.classifier / "data/dataset.csv").exists()
    assert (restored.classifier / "models/best_model.pth").exists()


def test_a_corrupt_checkpoint_is_one_line(made: Clone) -> None:
    model = made.searcher / "model_weights/embedder.pth"
    content = model.read_bytes()
    model.write_bytes(content[: len(content) // 2])
    command = "src/embed.py --photos data/photos.csv --embedder model_weights/embedder.pth"
    line = made.refused("python", *command.split(), "--embeddings", "elsewhere", cwd=made.searcher)
    assert "embedder.pth is not a checkpoint, or damaged" in line
    model.write_bytes(content)
