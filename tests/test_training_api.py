"""The API that trains: from photos to a model and an index in five lines."""

import json
from pathlib import Path

import pandas as pd
import pytest

import panthera_vision as pv
from panthera_vision.errors import UserError

from .conftest import SPECIES, draw_photo

pytestmark = pytest.mark.slow

FEW = {"epochs": 1, "image_size": 64, "batch_size": 8, "num_threads": 1}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of photos for each of two species, and one that names none."""
    folder = tmp_path / "мои фото"
    for number, name in enumerate(("Panthera_leo", "snow leopard", "DCIM")):
        (folder / name).mkdir(parents=True)
        for photo in range(6):
            draw_photo(SPECIES[number], 10 * number + photo).save(folder / name / f"{photo}.jpg")
    (folder / "Panthera_leo" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    return folder


def test_five_lines_lead_from_drawn_photos_to_similar_ones(tmp_path: Path) -> None:
    photos = pv.demo_photos(tmp_path, photos_per_species=12, seed=3)
    model = pv.train(photos, tmp_path / "best_model.pth", **FEW)
    test = photos[photos["split"] == "test"]
    answers = list(model.predict(test["file"]))
    index = pv.build_index(photos, model, tmp_path / "faiss_index")
    hits = index.search(test["file"].iloc[0], k=5)

    assert set(photos["species"]) == set(SPECIES) == set(model.species)
    assert photos.groupby(["observer", "observed_on"])["split"].nunique().max() == 1
    assert "fetched" in photos.attrs["report"]
    assert len(answers) == len(test)
    assert all(answer.species in SPECIES for answer in answers)
    assert Path(hits[0].file).samefile(test["file"].iloc[0])
    # Similar photos were opened and compared.
    note = json.loads((tmp_path / "faiss_index" / "index.json").read_text())
    assert note["similar_pairs"] > 0
    assert note["unreadable_pairs"] == 0
    # The index belongs to the checkpoint that was saved.
    again = pv.load_index(tmp_path / "faiss_index", pv.load_model(tmp_path / "best_model.pth"))
    assert len(again) == len(photos) == len(index)
    assert not (tmp_path / "best_model_training_state.pth").exists()


def test_folders_named_by_species_are_loaded_and_what_is_left_out_is_counted(
    tree: Path, tmp_path: Path
) -> None:
    photos = pv.load_photos(tree, tmp_path / "work")
    assert photos["species"].value_counts().to_dict() == {"Panthera leo": 6, "Panthera uncia": 6}
    assert all(Path(file).is_file() for file in photos["file"])
    report = photos.attrs["report"]
    assert "6 in 'DCIM'" in report
    assert "broken.jpg" in report
    # The second call takes what is there, with the same splits.
    pd.testing.assert_frame_equal(photos, pv.load_photos(tree, tmp_path / "work"))


def test_the_pretrained_network_indexes_photos_without_any_training(
    tree: Path, tmp_path: Path
) -> None:
    photos = pv.load_photos(tree, tmp_path / "work")
    model = pv.load_model(species=["Panthera leo", "Panthera uncia"])
    index = pv.build_index(photos, model, tmp_path / "work" / "faiss_index")
    (best, *_) = index.search(photos["file"].iloc[3], k=3)
    assert best.similarity == pytest.approx(1, abs=1e-3)


def test_a_wrong_setting_is_one_line_with_what_is_allowed(tree: Path, tmp_path: Path) -> None:
    photos = pv.load_photos(tree, tmp_path / "work")
    for settings, told in (
        ({"epochs": 0}, "train.epochs = 0: input should be greater than or equal to 1"),
        ({"epoch": 3}, "train.epoch: no such setting (did you mean train.epochs?)"),
        ({"backbone": "efficientnet_lite9"}, "train.backbone = 'efficientnet_lite9'"),
    ):
        with pytest.raises(UserError) as caught:
            pv.train(photos, tmp_path / "model.pth", **settings)
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"split\.test_share"):
        pv.load_photos(tree, tmp_path / "work", test_share=2)
    with pytest.raises(UserError, match=r"observations\.csv does not exist"):
        pv.load_photos(tmp_path / "nothing", tmp_path / "work")
