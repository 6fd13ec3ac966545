"""Build the vector index of the embedded photos, with their table."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from dataclasses import asdict

    from panthera_vision.data.photo_table import read_photos, rebase_files
    from panthera_vision.io.atomic import write_json
    from panthera_vision.models.checkpoint import load_feature_network
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.embedding.cache import open_cache
    from panthera_vision.search.embedding.duplicate_similarity import read_duplicate_similarity
    from panthera_vision.search.embedding.embed_collection import cache_key, collection_vectors
    from panthera_vision.search.embedding.whitening import read_whitening
    from panthera_vision.search.index.backend import IndexSpec
    from panthera_vision.search.index.build_index import build_index
    from panthera_vision.search.index.photo_index import load_index
    from panthera_vision.search.index.search_quality import measure_search
    from panthera_vision.search.parameters import EmbedParameters, IndexParameters

    parameters = read_parameters("index", IndexParameters)
    embed = read_parameters("embed", EmbedParameters)
    model = load_feature_network(arguments.embedder)
    photos = read_photos(arguments.photos)
    whitening = read_whitening(arguments.whitening)
    settings = parameters.model_dump()
    if parameters.duplicate_similarity == "auto":
        settings["duplicate_similarity"] = read_duplicate_similarity(arguments.duplicates)
    store = open_cache(arguments.embeddings, cache_key(model, embed.precision))
    with collection_vectors(
        store, photos["sha256"].tolist(), model, arguments.index, whitening
    ) as vectors:
        manifest = build_index(
            vectors,
            rebase_files(photos, arguments.photos.parent, arguments.index),
            model,
            arguments.index,
            IndexSpec(**settings),
            whitening,
        )
        backend = load_index(arguments.index).backend
        quality = measure_search(backend, vectors)
        backend.close()
    write_json(arguments.metrics, asdict(quality))
    return (
        f"build_index: {manifest.photos:,} photos as vectors of {manifest.dimension:,} numbers, "
        f"{manifest.groups:,} groups of near-duplicates ({manifest.compared_pairs()}), "
        f"{manifest.described()}; finds "
        f"{quality.recall_at_10:.1%} of the ten nearest in {quality.p50_ms:.1f} ms (p95 "
        f"{quality.p95_ms:.1f}); {arguments.index}"
    )


parser = stage_parser(
    __doc__,
    photos="table of the stage `collection`",
    embedder="checkpoint of the network that embedded the photos",
    embeddings="folder of the embedding cache",
    whitening="file of the stage `fit_embedding`",
    duplicates="file of the stage `fit_embedding`",
    index="folder to write: index, table, manifest",
    metrics="file to write: recall@10 and time of a search",
)

if __name__ == "__main__":
    run(main, parser)
