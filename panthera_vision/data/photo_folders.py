"""Where the photos of the pipelines lie: the folders that a table's paths may point into."""

from pathlib import Path

CLASSIFICATION_PIPELINE = "cv-classification-dvc-pipeline"
SEARCH_PIPELINE = "image-search-dvc-pipeline"
IMAGES = Path("data", "dataset_images")


def photo_folders(pipeline: Path) -> tuple[Path, ...]:
    """Return the resolved folders in which the photos of `pipeline` may lie.

    These are its own folder and the classifier's beside it, since the search pipeline indexes the
    classifier's photos by default.
    """
    own, shared = pipeline / IMAGES, pipeline.parent / CLASSIFICATION_PIPELINE / IMAGES
    return tuple(dict.fromkeys((own.resolve(), shared.resolve())))
