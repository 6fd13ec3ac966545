"""Project the embeddings of the index onto a plane by t-SNE, as a table and a plot."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.index.photo_index import load_index
    from panthera_vision.search.parameters import MapParameters
    from panthera_vision.search.projection import plot_map, project, write_map

    parameters = read_parameters("map", MapParameters)
    index = load_index(arguments.index)
    places = project(index.backend.vectors_at, len(index.table), parameters)
    write_map(index.table["id"], places, arguments.table)
    plot_map(index.table["species"], places, arguments.picture)
    return f"map_collection: {len(places)} photos; {arguments.table}, {arguments.picture}"


parser = stage_parser(
    __doc__,
    index="folder of the index",
    table="table to write: coordinates of each photo",
    picture="plot to write",
)

if __name__ == "__main__":
    run(main, parser)
