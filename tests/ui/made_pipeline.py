"""A pipeline's folder with a few results, made by hand."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ..conftest import draw_photo

ROWS = [
    # id, actual, predicted, probability, license, latitude, longitude
    ("1", "Panthera leo", "Panthera leo", 0.9, "CC-BY-NC", "-24.7", "31.8"),
    ("2", "Panthera leo", "Panthera tigris", 0.6, "", "", ""),
    ("3", "Panthera tigris", "Panthera tigris", 0.8, "CC0", "21.5", "79.1"),
    ("4", "Panthera tigris", "Panthera tigris", 0.95, "CC-BY", "400", "1"),
]


def write_pipeline(pipeline: Path) -> None:
    """Write photos, results and a model card of four test photos below `pipeline`."""
    results = pipeline / "results"
    for folder in ("results", "models", "data/dataset_images"):
        (pipeline / folder).mkdir(parents=True)
    table = pd.DataFrame(
        [
            {
                "id": id,
                "species": actual,
                "split": "test",
                "observer": f"observer{id}",
                "observed_on": f"201{id}-05-01",
                "license": license,
                "attribution": f"(c) Author *{id}*",
                "place": "Somewhere",
                "latitude": latitude,
                "longitude": longitude,
                "observation_url": f"https://www.inaturalist.org/observations/{id}",
                "image_url": f"{id}.jpg",
                "file": f"dataset_images/{id}.jpg",
                "sha256": "",
                "outcome": "ok",
                "predicted": predicted,
                "actual": actual,
                "probability": probability,
            }
            for id, actual, predicted, probability, license, latitude, longitude in ROWS
        ]
    )
    for id, species, *_ in ROWS:
        draw_photo(species, int(id)).save(pipeline / f"data/dataset_images/{id}.jpg")
    table.drop(columns=["predicted", "actual", "probability"]).to_csv(
        pipeline / "data/photos.csv", index=False
    )
    predictions = table[["id", "actual", "predicted", "probability"]]
    predictions = predictions.assign(file="../data/" + table["file"])
    predictions.to_csv(results / "test_predictions.csv", index=False)
    interval = {"low": 0.5, "high": 0.9}
    contents: dict[str, dict[str, Any]] = {
        "evaluation_metrics.json": {"accuracy": 0.75, "macro_f1": 0.7},
        "certainty_metrics.json": {
            "interval_95": {"accuracy": interval, "macro_f1": interval},
            "calibrated": {"ece": 0.1},
            "ood": {"id_acceptance_rate": 0.94},
            "encounters": {
                "with_several_photos": 2,
                "accuracy_per_photo": 0.7,
                "accuracy_per_encounter": 0.9,
            },
        },
        "other_source_metrics.json": {
            "photos": 12,
            "accuracy": 0.6,
            "interval_95": {"accuracy": interval},
            "refused": 0.25,
        },
        "preparation_report.json": {
            "rows_read": 8,
            "rows_kept": 5,
            "dropped_by_reason": {"no photo": 3},
        },
    }
    for name, content in contents.items():
        (results / name).write_text(json.dumps(content))
    (results / "download_outcomes.csv").write_text("outcome,photos\nfetched,4\nHTTP 404,1\n")
    (results / "CREDITS.csv").write_text("id,license\n1,CC0\n")
    (pipeline / "models/MODEL_CARD.md").write_text("# Model card: lions\n")
