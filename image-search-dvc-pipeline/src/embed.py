"""Embed the photos that are new or changed; keep the embeddings of all others.

`torchrun --nproc-per-node 2 src/embed.py …` divides the work among processes; see
docs/distributed.md.
"""

import argparse
from datetime import timedelta
from pathlib import Path

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser

# Processes wait for each other only at the end, when a slow machine may have hours to go.
_TIMEOUT = timedelta(hours=6)


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_folders import photo_folders
    from panthera_vision.data.photo_table import photo_paths, read_photos
    from panthera_vision.distributed import init_distributed
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_feature_network
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.embedding.embed_collection import PhotoFiles, embed_distributed
    from panthera_vision.search.parameters import EmbedParameters

    configure_process()
    parameters = read_parameters("embed", EmbedParameters)
    photos = read_photos(arguments.photos)
    paths = photo_paths(photos, arguments.photos.parent, photo_folders(Path()))
    with init_distributed(_TIMEOUT) as processes:
        embedded = embed_distributed(
            Predictor(
                load_feature_network(arguments.embedder),
                precision=parameters.precision,
                engine=parameters.engine,
            ),
            PhotoFiles(photos["sha256"].tolist(), paths),
            arguments.embeddings,
            batch_size=parameters.batch_size,
            threads=parameters.num_threads,
            processes=processes,
        )
        if not processes.is_main:
            return ""
    return f"embed: {embedded.summary()}; {arguments.embeddings}"


parser = stage_parser(
    __doc__,
    photos="table of the stage `collection`",
    embedder="checkpoint of the network that embeds",
    embeddings="folder of the embedding cache, kept from run to run",
)

if __name__ == "__main__":
    run(main, parser)
