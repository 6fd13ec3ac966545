"""Labels that are likely wrong, of all splits → results/label_review.csv, and a page of photos."""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import photo_paths, read_photos
    from panthera_vision.data.splits import observation_groups
    from panthera_vision.data.spreadsheet_csv import write_table_for_people
    from panthera_vision.evaluation import label_errors
    from panthera_vision.parameters import ReviewParameters, TrainParameters, read_parameters
    from panthera_vision.reporting.html_page import Section, save_html_page

    parameters = read_parameters("review", ReviewParameters)
    train = read_parameters("train", TrainParameters)
    photos = read_photos(arguments.photos, splits=True)
    paths = photo_paths(photos, Path.cwd(), [arguments.images])
    class_names = sorted(photos["species"].unique())
    probabilities = label_errors.cross_validated_probabilities(
        label_errors.pretrained_features(
            paths,
            backbone=train.backbone,
            image_size=train.image_size,
            batch_size=parameters.batch_size,
            threads=parameters.num_threads,
        ),
        photos["species"].map(class_names.index).to_numpy(),
        list(observation_groups(photos, "observer_day")),
        class_count=len(class_names),
        folds=parameters.folds,
        seed=parameters.seed,
    )
    review = label_errors.suspected_labels(photos, probabilities, class_names)
    summary = label_errors.review_summary(photos, probabilities, class_names, len(review))
    tiles = label_errors.review_tiles(review, photos, paths)
    section = Section(
        f"Given species → suggested species: {summary}, {len(tiles)} shown",
        tiles,
        "No label is suspected to be wrong.",
    )
    write_table_for_people(review, arguments.table)
    save_html_page("Suspected wrong labels", [section], arguments.page)
    return f"review_labels: {summary}; {arguments.table}"


parser = stage_parser(
    __doc__,
    photos="the table of `download`",
    images="the folder that all photos must lie in",
    table="the table to write, for a person to fill in",
    page="the page to write: the table's photos",
)

if __name__ == "__main__":
    run(main, parser)
