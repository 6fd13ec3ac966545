"""Photos that are new → through the network, its outputs kept in data/embeddings."""

import argparse
from pathlib import Path

from panthera_vision.command import run

# Photos lie in this pipeline's folder, or are the classification pipeline's.
PHOTO_FOLDERS = (
    Path("data/dataset_images"),
    Path("../cv-classification-dvc-pipeline/data/dataset_images"),
)


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.models.inference import Predictor
    from panthera_vision.parameters import EmbedParameters, read_parameters
    from panthera_vision.photo_table import photo_paths, read_photos
    from panthera_vision.search.collection import embed_collection, store_key
    from panthera_vision.search.store import begin_store

    parameters = read_parameters("embed", EmbedParameters)
    model = load_checkpoint(arguments.model)
    photos = read_photos(arguments.photos)
    embedded = embed_collection(
        Predictor(model),
        photos["sha256"].tolist(),
        photo_paths(photos, Path.cwd(), PHOTO_FOLDERS),
        begin_store(arguments.store, store_key(model)),
        batch_size=parameters.batch_size,
        threads=parameters.decoding_threads,
    )
    return f"embed: {embedded.summary()}; {arguments.store}"


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photos", type=Path, help="the table of `download`")
parser.add_argument("model", type=Path, help="the checkpoint that embeds")
parser.add_argument("store", type=Path, help="folder with what is embedded; kept from run to run")

if __name__ == "__main__":
    run(main, parser)
