"""List the folders in which a pipeline's photos may lie, for path traversal checks."""

from pathlib import Path

CLASSIFICATION_PIPELINE = "cv-classification-dvc-pipeline"
IMAGES = Path("data", "dataset_images")


def photo_folders(pipeline: Path) -> tuple[Path, ...]:
    """Return the resolved folders in which the photos of `pipeline` may lie.

    These are its own folder, the classifier's, whose photos the search indexes by default, and
    the one beside the `photos.csv` that the setting `collection.source` names.
    """
    folders = [pipeline / IMAGES, pipeline.parent / CLASSIFICATION_PIPELINE / IMAGES]
    if source := _collection_source(pipeline / "params.yaml"):
        folders.append((pipeline / source).parent / IMAGES.name)
    return tuple(dict.fromkeys(folder.resolve() for folder in folders))


def _collection_source(settings: Path) -> str:
    """Return `collection.source`; empty where there is no such setting."""
    if not settings.exists():
        return ""
    import yaml

    try:
        return str(yaml.safe_load(settings.read_text(encoding="utf-8"))["collection"]["source"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return ""
