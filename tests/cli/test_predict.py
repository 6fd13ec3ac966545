"""`panthera predict`: which model answers, and what the table and the last line say of it."""

import argparse
import csv
from pathlib import Path

import pytest

from panthera_vision.cli import predict
from panthera_vision.cli.main import main
from panthera_vision.cli.model_choice import chosen_species, load_chosen_model
from panthera_vision.cli.runner import build_parser
from panthera_vision.errors import UserError
from panthera_vision.models.checkpoint import save_checkpoint
from panthera_vision.models.pretrained import is_pretrained, unknown_species

from ..conftest import SPECIES, draw_photo
from ..made_search import untrained_model


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    draw_photo("Panthera leo", 1).save(path)
    return path


def arguments_of(pipeline: Path, *words: str) -> argparse.Namespace:
    """The command line of a pipeline's own src/predict.py."""
    defaults = {"model": pipeline / "models" / "best_model.pth"}
    parser = build_parser(predict, settings=pipeline / "params.yaml", **defaults)
    return parser.parse_args(["a.jpg", "--out", "x.csv", *words])


def test_without_a_model_the_answers_are_labelled_as_the_pretrained_networks(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = photo.with_name("x.csv")
    main(["predict", str(photo), "--out", str(out), "--species", "lion", "--species", "Felis lynx"])
    line = capsys.readouterr().out
    assert "by efficientnet_lite0, pretrained, not trained on your photos" in line
    assert "unknown to it: Lynx lynx" in line
    with out.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["model"].startswith("pretrained-efficientnet_lite0-")
    assert row["species"] == "Panthera leo"


def test_a_model_that_is_named_and_missing_is_an_error(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing, out = photo.with_name("missing.pth"), photo.with_name("x.csv")
    with pytest.raises(SystemExit):
        main(["predict", str(photo), "--out", str(out), "--model", str(missing)])
    assert "missing.pth does not exist" in capsys.readouterr().err
    assert not out.exists()


def test_a_pipelines_model_answers_as_soon_as_it_is_trained(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(
        "prepare:\n  allowed_species: [Panthera uncia, Neofelis nebulosa]\n"
    )
    before = load_chosen_model(arguments_of(tmp_path))
    assert before.class_names == ("Panthera uncia",)
    assert unknown_species(before) == ("Neofelis nebulosa",)
    (tmp_path / "models").mkdir()
    save_checkpoint(untrained_model(32), tmp_path / "models" / "best_model.pth")
    trained = load_chosen_model(arguments_of(tmp_path))
    assert (trained.class_names, is_pretrained(trained)) == (SPECIES, False)
    with pytest.raises(UserError, match="for the pretrained network only"):
        load_chosen_model(arguments_of(tmp_path, "--species", "Panthera leo"))


def test_species_of_the_command_line_come_before_those_of_the_settings(tmp_path: Path) -> None:
    assert chosen_species(arguments_of(tmp_path, "--species", "lion")) == ("lion",)
    with pytest.raises(UserError, match=r"params\.yaml does not exist"):
        chosen_species(arguments_of(tmp_path))
