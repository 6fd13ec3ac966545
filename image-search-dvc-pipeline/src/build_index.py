"""Build the vector index of the embedded photos, with their table."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import read_photos, rebase_files
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.embedding.cache import open_cache
    from panthera_vision.search.embedding.embed_collection import cache_key, collection_vectors
    from panthera_vision.search.embedding.whitening import read_whitening
    from panthera_vision.search.index.backend import IndexSpec
    from panthera_vision.search.index.photo_index import build_index
    from panthera_vision.search.parameters import EmbedParameters, IndexParameters

    parameters = read_parameters("index", IndexParameters)
    embed = read_parameters("embed", EmbedParameters)
    model = load_checkpoint(arguments.model)
    photos = read_photos(arguments.photos)
    whitening = read_whitening(arguments.whitening)
    store = open_cache(arguments.embeddings, cache_key(model, embed.precision))
    with collection_vectors(
        store, photos["sha256"].tolist(), model, arguments.index, whitening
    ) as vectors:
        manifest = build_index(
            vectors,
            rebase_files(photos, arguments.photos.parent, arguments.index),
            model,
            arguments.index,
            IndexSpec(**parameters.model_dump()),
            whitening,
        )
    return (
        f"build_index: {manifest.photos:,} photos as vectors of {manifest.dimension:,} numbers, "
        f"{manifest.groups:,} groups of near-duplicates, {manifest.described()}; "
        f"{arguments.index}"
    )


parser = stage_parser(
    __doc__,
    photos="table of the stage `collection`",
    model="model checkpoint that embedded the photos",
    embeddings="folder of the embedding cache",
    whitening="file of the stage `fit_embedding`",
    index="folder to write: index, table, manifest",
)

if __name__ == "__main__":
    run(main, parser)
