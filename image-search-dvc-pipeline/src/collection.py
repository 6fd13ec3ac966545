"""Bring together the photos to index: the classifier's by default, or a collection of its own."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import DOWNLOAD_OUTPUTS, stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.download.collection import collection_table
    from panthera_vision.download.stage import DownloadFiles, download_table, known_photos
    from panthera_vision.parameters import (
        DownloadParameters,
        PrepareParameters,
        SplitParameters,
        read_parameters,
    )
    from panthera_vision.search.parameters import CollectionParameters

    source = read_parameters("collection", CollectionParameters).source
    settings = arguments.classifier_settings
    prepare = read_parameters("prepare", PrepareParameters, settings)
    download = read_parameters("download", DownloadParameters, settings)
    download = download.relative_to(settings.parent)
    table, origin = collection_table(
        source,
        prepare,
        download.photos_root(source),
        read_parameters("split", SplitParameters, settings).gap_minutes,
    )
    counts = download_table(
        table,
        download,
        source if source.is_dir() else settings.parent / prepare.observations,
        DownloadFiles(**{name: getattr(arguments, name) for name in DOWNLOAD_OUTPUTS}),
        reusable=known_photos(arguments.classifier_photos) | known_photos(source),
    )
    return f"collection: {origin}; {counts.summary()}; {arguments.photos}"


parser = stage_parser(
    __doc__,
    classifier_settings="the classifier's params.yaml: species, rate limits, contact",
    classifier_photos="the classifier's photos.csv, whose photos are used where they are",
    **DOWNLOAD_OUTPUTS,
)

if __name__ == "__main__":
    run(main, parser)
