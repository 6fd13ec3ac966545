"""Copy or link photos into folders by answer and confidence; photos are never moved."""

import filecmp
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from panthera_vision.batch.output_formats import Row
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write

SortBy = Literal["link", "copy"]
# Lower ends of the bands of probability; the text is the folder's name.
_BANDS = ((0.9, "90-100"), (0.7, "70-90"), (0.5, "50-70"), (0.0, "0-50"))
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class SortInto:
    """Put each photo into `folder/ANSWER/BAND/NAME`, with the subfolders that it lies in.

    Bands are those of the probability in percent; answers without one, such as "blank", have
    none. A photo with several boxes is put into the folder of each answer. Unreadable photos are
    left out. What is there already is kept: the same photo is not written again, and another file
    of the same name makes the new one get a number.

    Attributes:
        folder: to sort into; made where missing.
        by: "link" for symbolic links, or "copy".
    """

    folder: Path
    by: SortBy = "link"

    def check(self, sources: Iterable[Path]) -> None:
        """Check the folder before the work begins.

        Raises:
            UserError: it is a file, or lies in a folder of photos, which would be listed twice.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise UserError(f"--sort-into {self.folder} is not a folder")
        for source in sources:
            if source.is_dir() and self.folder.resolve().is_relative_to(source.resolve()):
                raise UserError(
                    f"--sort-into {self.folder} lies in {source}, whose photos are sorted; name a "
                    "folder elsewhere"
                )

    def __call__(self, rows: Iterable[Row]) -> str:
        """Sort the photos of the rows; return the counts as a phrase of a summary."""
        counts: Counter[str] = Counter()
        last: tuple[str, set[Path]] = ("", set())
        for row in rows:
            if row["reason"]:
                continue
            target = self.folder / _folder_of(row)
            if last[0] != row["file"]:
                last = (row["file"], set())
            if target not in last[1]:  # once, however many boxes have this answer
                last[1].add(target)
                counts[self._put(Path(row["file"]), target, Path(row["below"]))] += 1
        done = "copied" if self.by == "copy" else "linked"
        phrase = f", {counts['new']} {done} into {self.folder}"
        return phrase + (f" ({counts['there']} were there)" if counts["there"] else "")

    def _put(self, photo: Path, folder: Path, name: Path) -> str:
        place = folder / name
        number = 1
        while os.path.lexists(place):
            if self._is_same(photo, place):
                return "there"
            number += 1
            place = folder / name.with_stem(f"{name.stem}_{number}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if self.by == "copy":
            with atomic_write(place) as partial:
                shutil.copy2(photo, partial)
        else:
            try:
                place.symlink_to(photo.resolve())
            except OSError as error:
                raise UserError(
                    f"{place} can't be linked ({error.strerror}); use --sort-by copy"
                ) from None
        return "new"

    def _is_same(self, photo: Path, place: Path) -> bool:
        try:
            if self.by == "link":
                return place.is_symlink() and place.samefile(photo)
            return not place.is_symlink() and filecmp.cmp(photo, place, shallow=True)
        except OSError:  # a link to a file that is gone
            return False


def _folder_of(row: Row) -> Path:
    """Return the folder of an answer and its band, relative to that of all."""
    answer = Path(_UNSAFE.sub("_", row["answer"]) or "_")
    if row["answer"] != row.get("species"):
        return answer
    return answer / next(name for least, name in _BANDS if row["probability"] >= least)
