"""Fit the whitening of the embeddings on the photos that the model was trained on."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_folders import photo_folders
    from panthera_vision.data.photo_table import photo_paths, read_photos
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_feature_network
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.embedding.cache import open_cache
    from panthera_vision.search.embedding.duplicate_similarity import (
        measure_duplicate_similarity,
        write_duplicate_similarity,
    )
    from panthera_vision.search.embedding.embed_collection import (
        PhotoFiles,
        cache_key,
        draw_fitting_photos,
        fit_whitening_on_photos,
    )
    from panthera_vision.search.embedding.embedder import Embedder
    from panthera_vision.search.embedding.whitening import write_whitening
    from panthera_vision.search.parameters import EmbedParameters, FitEmbeddingParameters

    configure_process()
    parameters = read_parameters("fit_embedding", FitEmbeddingParameters)
    embed = read_parameters("embed", EmbedParameters)
    predictor = Predictor(
        load_feature_network(arguments.embedder), precision=embed.precision, engine=embed.engine
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
        photos["species"].tolist(),
        open_cache(arguments.embeddings, cache_key(predictor.model, predictor.precision)),
        batch_size=embed.batch_size,
        threads=embed.num_threads,
    )
    similarity = measure_duplicate_similarity(
        Embedder(predictor, whitening),
        paths,
        batch_size=embed.batch_size,
        threads=embed.num_threads,
    )
    write_whitening(whitening, arguments.whitening)
    write_duplicate_similarity(similarity, arguments.duplicates)
    return (
        f"fit_embedding: fitted on {len(photos)} photos; near-duplicates from a similarity of "
        f"{similarity:.3f}; {arguments.whitening}"
    )


parser = stage_parser(
    __doc__,
    classifier_photos="photos.csv of the classification pipeline",
    embedder="checkpoint of the network that embeds",
    embeddings="folder of the embedding cache",
    whitening="file to write",
    duplicates="file to write: the similarity from which photos are near-duplicates",
)

if __name__ == "__main__":
    run(main, parser)
