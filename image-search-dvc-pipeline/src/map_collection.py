"""The index's photos laid out on a plane → a table of places and a picture."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.parameters import MapParameters, read_parameters
    from panthera_vision.search.index.photo_index import load_index
    from panthera_vision.search.projection import fit_tsne, plot_map, write_map

    parameters = read_parameters("map", MapParameters)
    index = load_index(arguments.index)
    places = fit_tsne(index.all_vectors(), perplexity=parameters.perplexity, seed=parameters.seed)
    write_map(index.table["id"], places, arguments.table)
    plot_map(index.table["species"], places, arguments.picture)
    return f"map_collection: {len(places)} photos; {arguments.table}, {arguments.picture}"


parser = stage_parser(
    __doc__,
    index="the folder that `build_index` wrote",
    table="the table to write: each photo's place",
    picture="the picture to write",
)

if __name__ == "__main__":
    run(main, parser)
