"""Which photos a command line means: files, folders, tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import OK, PHOTO_COLUMNS, photo_path, read_table
from panthera_vision.errors import UserError
from panthera_vision.images.folders import files_below, is_named_as_photo
from panthera_vision.io.urls import is_local

TABLE_SUFFIX = ".csv"


@dataclass(frozen=True)
class Sources:
    """The photos to answer, each once, and how many files of folders were passed over.

    Attributes:
        photos: files, in the order in which they were named.
        passed_over: files that are not named as photos.
        without_file: rows of tables that name no file.
    """

    photos: list[Path]
    passed_over: int
    without_file: int


def find_photos(named: Iterable[Path]) -> Sources:
    """The photos of files, of folders with all below them, and of tables.

    A table is CSV with a column `file`, or else `image_url`, relative to the table's folder.
    Its photos lie below that folder, or where the pipeline keeps photos whose table it is. A file
    that is named twice is answered once.

    Raises:
        UserError: a table is no such table or names a file elsewhere, or there is no photo.
    """
    found: dict[Path, Path] = {}
    passed_over = without_file = 0
    for source in named:
        if source.is_dir():
            photos = []
            for file in files_below(source):
                if is_named_as_photo(file):
                    photos.append(file)
                else:
                    passed_over += 1
        elif source.suffix.lower() == TABLE_SUFFIX:
            photos, missing = _of_table(source)
            without_file += missing
        else:
            photos = [source]
        for photo in photos:
            found.setdefault(photo.absolute(), photo)
    if not found:
        raise UserError(f"no photo in {', '.join(map(str, named))}")
    return Sources(list(found.values()), passed_over, without_file)


def _of_table(source: Path) -> tuple[list[Path], int]:
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
    named: pd.Series = files[files != ""]
    roots = [folder.resolve(), *photo_folders(folder.absolute().parent)]
    return [photo_path(file, folder, roots) for file in named], len(files) - len(named)
