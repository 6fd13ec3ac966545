"""Locate the files of the two pipelines from the folder of one app."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_path

SEARCH_PIPELINE = "image-search-dvc-pipeline"


@dataclass(frozen=True)
class PipelinePaths:
    """Locate what both pipelines have in their `folder`."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def settings(self) -> Path:
        return self.folder / "params.yaml"

    @property
    def tables(self) -> Path:
        """Locate the folder of the table of photos, which their files are relative to."""
        return self.folder / "data"

    def photo(self, file: str) -> Path:
        """Return the path of a table's `file`, guarded against path traversal.

        Raises:
            UserError: it lies outside the photo folders.
        """
        modified = self.settings.stat().st_mtime_ns if self.settings.exists() else 0
        return photo_path(file, self.tables, _photo_folders(self.folder, modified))


class SearchPaths(PipelinePaths):
    """Locate the files of the search pipeline."""

    @property
    def model(self) -> Path:
        return self.folder / "model_weights" / "best_model.pth"

    @property
    def index(self) -> Path:
        return self.folder / "faiss_index"

    @property
    def tables(self) -> Path:
        return self.index


class ClassifierPaths(PipelinePaths):
    """Locate the files of the classification pipeline."""

    @property
    def model(self) -> Path:
        return self.folder / "models" / "best_model.pth"

    @property
    def photos(self) -> Path:
        return self.tables / "photos.csv"

    @property
    def corrections(self) -> Path:
        return self.tables / "corrections.csv"

    @property
    def search(self) -> SearchPaths:
        """Locate the search pipeline beside this one."""
        return SearchPaths(self.folder.parent / SEARCH_PIPELINE)


@lru_cache(maxsize=8)
def _photo_folders(pipeline: Path, settings_modified: int) -> tuple[Path, ...]:
    """Cache the folders, which every photo of a page asks for, until the settings change."""
    return photo_folders(pipeline)
