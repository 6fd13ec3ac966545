"""Every photo embedded by the model → faiss_index/ with the vectors and what each one is."""

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
    from panthera_vision.parameters import IndexParameters, read_parameters
    from panthera_vision.photo_table import photo_paths, read_photos
    from panthera_vision.search.embedding import Embedder
    from panthera_vision.search.index import build_index
    from panthera_vision.search.whitening import read_whitening

    parameters = read_parameters("index", IndexParameters)
    model = load_checkpoint(arguments.model)
    photos = read_photos(arguments.photos)
    whitening = read_whitening(arguments.whitening)
    embeddings = Embedder(Predictor(model), whitening).embeddings_of_files(
        photo_paths(photos, Path.cwd(), PHOTO_FOLDERS),
        batch_size=parameters.batch_size,
        threads=parameters.decoding_threads,
    )
    groups = build_index(
        embeddings,
        photos,
        model,
        arguments.folder,
        duplicate_similarity=parameters.duplicate_similarity,
        whitening=whitening,
    )
    return (
        f"build_index: {len(photos)} photos as vectors of {embeddings.shape[1]} numbers, "
        f"{groups} groups once near-duplicates are folded; {arguments.folder}"
    )


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photos", type=Path, help="the table of `download`")
parser.add_argument("model", type=Path, help="the checkpoint that embeds")
parser.add_argument("whitening", type=Path, help="the file of `fit_embedding`")
parser.add_argument("folder", type=Path, help="gets the index, its table and a note on the model")

if __name__ == "__main__":
    run(main, parser)
