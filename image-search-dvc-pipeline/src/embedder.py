"""Save the network that embeds photos: the classifier, or the backbone that settings name."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.embedding.feature_network import write_embedder
    from panthera_vision.search.parameters import EmbedParameters

    parameters = read_parameters("embed", EmbedParameters)
    return f"embedder: {write_embedder(arguments.model, parameters, arguments.embedder)}"


parser = stage_parser(
    __doc__,
    model="the classifier's checkpoint",
    embedder="checkpoint to write",
)

if __name__ == "__main__":
    run(main, parser)
