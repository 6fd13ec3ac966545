"""Fit the whitening of the embeddings on the photos that the model was trained on."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_folders import photo_folders
    from panthera_vision.data.photo_table import photo_paths, read_photos
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.embedding.cache import open_cache
    from panthera_vision.search.embedding.embed_collection import (
        PhotoFiles,
        cache_key,
        draw_fitting_photos,
        fit_whitening_on_photos,
    )
    from panthera_vision.search.embedding.whitening import write_whitening
    from panthera_vision.search.parameters import EmbedParameters, FitEmbeddingParameters

    configure_process()
    parameters = read_parameters("fit_embedding", FitEmbeddingParameters)
    embed = read_parameters("embed", EmbedParameters)
    predictor = Predictor(
        load_checkpoint(arguments.model), precision=embed.precision, engine=embed.engine
    )
    photos = draw_fitting_photos(
        read_photos(arguments.classifier_photos, splits=True),
        count=parameters.photos,
        seed=parameters.seed,
    )
    folder = arguments.classifier_photos.parent
    paths = photo_paths(photos, folder, photo_folders(folder.parent))
    whitening = fit_whitening_on_photos(
        predictor,
        PhotoFiles(photos["sha256"].tolist(), paths),
        open_cache(arguments.embeddings, cache_key(predictor.model, predictor.precision)),
        batch_size=embed.batch_size,
        threads=embed.num_threads,
    )
    write_whitening(whitening, arguments.whitening)
    return f"fit_embedding: fitted on {len(photos)} photos; {arguments.whitening}"


parser = stage_parser(
    __doc__,
    classifier_photos="photos.csv of the classification pipeline",
    model="model checkpoint",
    embeddings="folder of the embedding cache",
    whitening="file to write",
)

if __name__ == "__main__":
    run(main, parser)
