"""Find the photos that a command line names: files, folders, CSV tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import OK, PHOTO_COLUMNS, photo_path, read_table
from panthera_vision.errors import UserError
from panthera_vision.images.folders import files_below
from panthera_vision.images.kinds import is_named_as_photo
from panthera_vision.io.urls import is_local

TABLE_SUFFIX = ".csv"


@dataclass(frozen=True)
class InputFiles:
    """Hold photo files, each once, in the order in which they were named.

    Attributes:
        photos: the files.
        not_photos: files of folders that were skipped: their suffix is not that of an image format.
        rows_without_file: rows of tables that name no file.
    """

    photos: list[Path]
    not_photos: int
    rows_without_file: int

    def skipped_note(self) -> str:
        """Return the counts of what was skipped, to append to a summary; empty if nothing was."""
        files = f", {self.not_photos} other files skipped" if self.not_photos else ""
        rows = f", {self.rows_without_file} rows without a file" if self.rows_without_file else ""
        return files + rows


def find_photos(sources: Iterable[Path]) -> InputFiles:
    """Expand folders (recursively) and tables to photo files.

    A table is CSV with a column `file`, or else `image_url`, relative to the table's folder. Its
    photos lie below that folder, or in the photo folders of the pipeline that the table is part of.

    Raises:
        UserError: a table lacks these columns or names a file elsewhere, or there is no
            photo.
    """
    found: dict[Path, Path] = {}
    not_photos = rows_without_file = 0
    for source in sources:
        if source.is_dir():
            files = list(files_below(source))
            photos = [file for file in files if is_named_as_photo(file)]
            not_photos += len(files) - len(photos)
        elif source.suffix.lower() == TABLE_SUFFIX:
            photos, missing = _photos_of_table(source)
            rows_without_file += missing
        else:
            photos = [source]
        for photo in photos:
            found.setdefault(photo.absolute(), photo)
    if not found:
        raise UserError(f"no photo in {', '.join(map(str, sources))}")
    return InputFiles(list(found.values()), not_photos, rows_without_file)


def _photos_of_table(source: Path) -> tuple[list[Path], int]:
    table = read_table(source, ())
    folder = source.parent
    if set(PHOTO_COLUMNS) <= set(table):
        files = table["file"].where(table["outcome"] == OK, "")
    elif "file" in table:
        files = table["file"]
    elif "image_url" in table:
        files = table["image_url"].where(table["image_url"].map(is_local), "")
    else:
        raise UserError(f"{source}: a table of photos needs a column 'file' or 'image_url'")
    named = files[files != ""]
    roots = [folder.resolve(), *photo_folders(folder.absolute().parent)]
    return [photo_path(file, folder, roots) for file in named], len(files) - len(named)
