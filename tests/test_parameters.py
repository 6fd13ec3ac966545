from pathlib import Path

import pytest
import yaml

from panthera_vision.errors import UserError
from panthera_vision.parameters import (
    CollectParameters,
    DownloadParameters,
    DrawParameters,
    EvaluateParameters,
    PrepareParameters,
    ReviewParameters,
    SplitParameters,
    StageParameters,
    TrainParameters,
    read_parameters,
)
from panthera_vision.search.parameters import (
    CollectionParameters,
    CurateParameters,
    EmbedParameters,
    FitEmbeddingParameters,
    IndexParameters,
    MapParameters,
    RetrievalParameters,
)

from .conftest import REPOSITORY

CLASSIFICATION = REPOSITORY / "cv-classification-dvc-pipeline" / "params.yaml"
SEARCH = REPOSITORY / "image-search-dvc-pipeline" / "params.yaml"


@pytest.mark.parametrize(
    ("file", "sections"),
    [
        (
            CLASSIFICATION,
            {
                "prepare": PrepareParameters,
                "collect": CollectParameters,
                "split": SplitParameters,
                "download": DownloadParameters,
                "train": TrainParameters,
                "evaluate": EvaluateParameters,
                "review": ReviewParameters,
            },
        ),
        (
            SEARCH,
            {
                "collection": CollectionParameters,
                "embed": EmbedParameters,
                "fit_embedding": FitEmbeddingParameters,
                "index": IndexParameters,
                "evaluate": RetrievalParameters,
                "curate": CurateParameters,
                "map": MapParameters,
            },
        ),
        (REPOSITORY / "demo" / "params.yaml", {"draw": DrawParameters}),
    ],
)
def test_shipped_files_have_every_key_with_its_default(
    file: Path, sections: dict[str, type[StageParameters]]
) -> None:
    document = yaml.safe_load(file.read_text("utf-8"))
    assert set(document) == set(sections)
    for name, kind in sections.items():
        assert read_parameters(name, kind, file) == kind(), "a key left out has the shipped value"
        assert set(document[name]) == set(kind.model_fields)


def test_downloads_stay_below_what_inaturalist_asks_for() -> None:
    parameters = read_parameters("download", DownloadParameters, CLASSIFICATION)
    assert parameters.photos_per_second <= 5
    assert parameters.concurrent_per_host <= 8
    assert parameters.gigabytes_per_hour < 5
    assert parameters.gigabytes_per_day < 24


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("epochs: 24", "epochs: 0", "train.epochs = 0: input should be greater than or equal to 1"),
        ("epochs: 24", "epochs: many", "train.epochs = 'many': input should be a valid integer"),
        (
            "epochs: 24",
            "epoch: 24",
            "train.epoch: no such setting (did you mean train.epochs?); there are backbone,",
        ),
        ("ema_decay:", "averaging_decay:", "train.averaging_decay is now train.ema_decay; rename"),
        (
            "efficientnet_v2_s\n",
            "efficientnet_light0\n",
            "train.backbone = 'efficientnet_light0': did you mean efficientnet_lite0? must be",
        ),
        ("efficientnet_v2_s\n", "timm:../x\n", "train.backbone = 'timm:../x': must be efficient"),
        ("  image_size: auto", "  image_size: 20", "train.image_size = 20: must be auto or a"),
        ("train:", "training:", "section 'train' is missing"),
        ("train:", "train: [", "not YAML"),
    ],
)
def test_a_wrong_setting_is_one_line_with_key_value_and_what_is_allowed(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = CLASSIFICATION.read_text(encoding="utf-8")
    assert before in text
    file = tmp_path / "params.yaml"
    file.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_parameters("train", TrainParameters, file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shares_must_leave_photos_for_training(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(
        "split: {validation_share: 0.6, test_share: 0.5, group_by: observer, seed: 1}\n"
    )
    with pytest.raises(UserError, match=r"split.test_share = 0.5: .* leave some for training"):
        read_parameters("split", SplitParameters, file)


@pytest.mark.parametrize("contact", ["почта@example.org", "a@example.org\nX-Header: 1"])
def test_a_contact_fits_into_a_header(tmp_path: Path, contact: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump({"download": {"contact": contact}}))
    with pytest.raises(UserError, match=r"download\.contact = .* one line of Latin letters"):
        read_parameters("download", DownloadParameters, file)


@pytest.mark.parametrize("name", ["Panthera", "panthera leo", "../../x y", "Panthera leo leo"])
def test_allowed_species_are_binomials(tmp_path: Path, name: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump({"prepare": {"allowed_species": [name]}}))
    with pytest.raises(UserError, match="not a species name"):
        read_parameters("prepare", PrepareParameters, file)


def test_a_renamed_key_is_named_in_one_line_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("curate: {neighbours_share: 0.9}\n")
    with pytest.raises(UserError) as caught:
        read_parameters("curate", CurateParameters, file)
    assert str(caught.value) == (
        f"{file}: curate.neighbours_share is now curate.min_neighbor_share; rename it"
    )


def test_download_settings_left_in_the_search_pipeline_are_pointed_out(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("prepare: {observations: mine}\ncollection: {}\n")
    with pytest.raises(UserError, match=r"the settings prepare .*collection\.source"):
        read_parameters("collection", CollectionParameters, file)


def test_numbers_in_exponent_notation_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("train: {backbone_learning_rate: 2e-05}\n")
    assert read_parameters("train", TrainParameters, file).backbone_learning_rate == 2e-5
