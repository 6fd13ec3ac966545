"""The index's photos laid out on a plane → a table of places and a picture."""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.parameters import MapParameters, read_parameters
    from panthera_vision.search.index.photo_index import load_index
    from panthera_vision.search.projection import fit_tsne, plot_map, write_map

    parameters = read_parameters("map", MapParameters)
    index = load_index(arguments.index)
    places = fit_tsne(index.all_vectors(), perplexity=parameters.perplexity, seed=parameters.seed)
    write_map(index.table["id"], places, arguments.map)
    plot_map(index.table["species"], places, arguments.picture)
    return f"map_collection: {len(places)} photos; {arguments.map}, {arguments.picture}"


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("index", type=Path, help="the folder that `build_index` wrote")
parser.add_argument("map", type=Path, help="the table to write: each photo's place")
parser.add_argument("picture", type=Path, help="the picture to write")

if __name__ == "__main__":
    run(main, parser)
