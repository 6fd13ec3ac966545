"""Read labeled photos, fine-tune a classifier on them and index them, from Python.

>>> import panthera_vision as pv
>>> photos = pv.load_photos("my_photos", "work")  # or demo_photos("work"): drawn ones
>>> model = pv.train(photos, "work/best_model.pth", backbone="efficientnet_lite1")
>>> test = photos[photos["split"] == "test"]
>>> answers = list(model.predict(test["file"]))
>>> index = pv.build_index(photos, model, "work/faiss_index")

It is what the stages of the two pipelines do, in one process and without DVC.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from panthera_vision.api import Index, Model, load_index, load_model
from panthera_vision.data.credits import CREDITS_FILE
from panthera_vision.data.photo_folders import IMAGES
from panthera_vision.data.photo_table import read_photos, rebase_files, write_table
from panthera_vision.data.splits import assign_splits
from panthera_vision.download.stage import DownloadFiles, download_table
from panthera_vision.images.folders import list_photos
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.models.checkpoint import save_checkpoint
from panthera_vision.models.pretrained import PANTHERA
from panthera_vision.parameters import (
    DownloadParameters,
    SplitParameters,
    TrainParameters,
    check_parameters,
)
from panthera_vision.search.embedding.duplicate_similarity import CLASSIFIER_SIMILARITY
from panthera_vision.search.embedding.embedder import combine_vectors
from panthera_vision.search.embedding.whitening import fit_whitening
from panthera_vision.search.index.backend import IndexSpec
from panthera_vision.search.index.build_index import build_index as build_vector_index
from panthera_vision.sources.inaturalist.export import EXPORT_FILE
from panthera_vision.sources.observations import FORMATS, prepare_observations
from panthera_vision.sources.own_photos import group_own_photos
from panthera_vision.sources.photo_tree import COLUMNS, read_photo_tree
from panthera_vision.synthetic import draw_demo_set
from panthera_vision.training.dataset import load_training_data
from panthera_vision.training.trainer import OnEpoch, fine_tune


def demo_photos(
    folder: str | os.PathLike[str], *, photos_per_species: int = 72, **split: Any
) -> pd.DataFrame:
    """Draw the synthetic demo set into `folder`/drawn, and load it (`load_photos`)."""
    drawn = Path(folder) / "drawn"
    if not (drawn / EXPORT_FILE).exists():
        draw_demo_set(drawn, photos_per_species=photos_per_species)
    return load_photos(drawn, folder, **split)


def load_photos(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    species: Sequence[str] | None = None,
    **split: Any,
) -> pd.DataFrame:
    """Read labeled photos, copy or download them into `folder`/data, and split them.

    Photos that are there already are not downloaded again. Every photo or row that was left out is
    counted in `photos.attrs["report"]`, by reason.

    Args:
        source: a folder with an iNaturalist export, a Camtrap DP package or a GBIF download; or one
            with a folder of photos for each species, such as Panthera_leo/1.jpg.
        folder: gets the photos and their table, data/photos.csv.
        species: those to keep; by default the five of *Panthera*, or those that the folders name.
        **split: settings of params.yaml's section `split`, such as `test_share=0.2`, `seed=1`.

    Returns:
        One row per photo: id, species, file (its path), split ("train", "validation", "test"),
        observer, observed_on, license, … Photos of one observer and day are in one split.

    Raises:
        UserError: there are no photos, too few of a species, or a setting is wrong.
    """
    chosen = check_parameters("split", SplitParameters, split)
    source, folder = Path(source), Path(folder)
    data = folder / IMAGES.parent
    report = []
    settings: dict[str, Any] = {}
    if not any(known.find(source) for known in FORMATS) and list_photos(source).photos:
        tree = read_photo_tree(source, data)
        species = tree.trainable_species() if species is None else species
        write_table(pd.DataFrame(tree.rows, columns=list(COLUMNS)), data / EXPORT_FILE)
        report.append(tree.summary())
        settings, source = {"local_photos": source}, data
    parameters = check_parameters("download", DownloadParameters, settings)
    table, prepared = prepare_observations(source, PANTHERA if species is None else species)
    encounters = group_own_photos(table, source, parameters.photos_root(source), chosen.gap_minutes)
    table = encounters.add_to(table)
    table.insert(2, "split", assign_splits(table, **chosen.model_dump(exclude={"gap_minutes"})))
    files = DownloadFiles(
        images=folder / IMAGES,
        log=data / "download_log.jsonl",
        photos=data / "photos.csv",
        outcomes=data / "download_outcomes.csv",
        credits=data / CREDITS_FILE,
    )
    counts = download_table(table, parameters, source, files)
    photos = rebase_files(read_photos(files.photos, splits=True), data, Path())
    photos.attrs["report"] = "; ".join(
        filter(None, [*report, prepared.summary(), encounters.summary(), counts.summary()])
    )
    return photos


def train(
    photos: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    on_epoch: OnEpoch = lambda epoch, is_best: None,
    **settings: Any,
) -> Model:
    """Fine-tune a classifier on the splits "train" and "validation", and save it to `path`.

    After an interruption, the same call goes on with the epoch that was interrupted.

    Args:
        photos: of `load_photos`, or a table with the columns id, species, file, split and sha256.
        path: the checkpoint to write, such as "best_model.pth".
        on_epoch: called with the metrics of each epoch (`Epoch`), and whether it is the best.
        **settings: of params.yaml's section `train`, such as `backbone="efficientnet_lite1"`,
            `epochs=12`, `image_size=192`; docs/recipe.md describes them.

    Raises:
        UserError: a setting is wrong, a photo can't be read, or the weights can't be had.
    """
    parameters = check_parameters(
        "train", TrainParameters, {"backbone": "efficientnet_lite0"} | settings
    )
    configure_process()
    path = Path(path)
    folder = Path(os.path.commonpath([Path(file).resolve().parent for file in photos["file"]]))
    table = rebase_files(photos, Path(), folder)
    state = path.with_name(f"{path.stem}_training_state.pth")
    model = fine_tune(
        parameters,
        load_training_data(table, folder, folder),
        state_file=state,
        on_epoch=on_epoch,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(model, path)
    state.unlink(missing_ok=True)
    return load_model(path)


def build_index(
    photos: pd.DataFrame, model: Model, folder: str | os.PathLike[str], *, batch_size: int = 32
) -> Index:
    """Embed photos with `model`, whiten the embeddings, and build a FAISS index in `folder`.

    The whitening is fitted to the photos of the split "train" where there are splits, else to all.

    Args:
        photos: of `load_photos`, or a table with the columns id, species and file.
        model: trained, or the pretrained network; later searches need the same one.
        folder: gets the index, its table and a note; beside it, the photos lie in
            data/dataset_images.
        batch_size: photos per forward pass.

    Raises:
        PhotoError: a photo can't be read.
    """
    folder = Path(folder)
    paths = [Path(file) for file in photos["file"]]
    outputs = model.predictor.outputs_of_files(paths, batch_size=batch_size)
    features = outputs.features.numpy()
    fitted = (photos["split"] == "train").to_numpy() if "split" in photos else slice(None)
    whitening = fit_whitening(features[fitted], photos["species"].to_numpy()[fitted])
    build_vector_index(
        combine_vectors(features, outputs.logits.numpy(), whitening),
        rebase_files(photos.reset_index(drop=True), Path(), folder),
        model.predictor.model,
        folder,
        IndexSpec(CLASSIFIER_SIMILARITY),
        whitening,
    )
    return load_index(folder, model)
