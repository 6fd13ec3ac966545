"""List the photo files below a folder, in a fixed order, and what is passed over."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.images.kinds import SUFFIXES, is_named_as_photo

# What systems, cameras, network drives and ZIP programs leave behind, besides hidden files.
_LEFTOVERS = frozenset(
    [
        "__macosx",
        "@eadir",
        "#recycle",
        "@recycle",
        "@recently-snapshot",
        "#snapshot",
        "$recycle.bin",
        "recycler",
        "recycled",
        "system volume information",
        "lost+found",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "network trash folder",
        "temporary items",
        "icon\r",
    ]
)
_MOST_NAMES = 3


@dataclass(frozen=True)
class FolderListing:
    """Hold the photos of folders, and what was passed over.

    Attributes:
        photos: sorted, those of a folder before its subfolders', linked folders last.
        other_kinds: number of files without the suffix of an image format, by suffix.
        leftovers: files and folders that are hidden or that systems leave behind.
        linked: links to folders elsewhere, which were read, too.
        upward: links to a folder that contains the listed one, which were not followed.
        unreadable: folders, and links, that can't be read.
    """

    photos: list[Path] = field(default_factory=list)
    other_kinds: Counter[str] = field(default_factory=Counter)
    leftovers: list[Path] = field(default_factory=list)
    linked: list[Path] = field(default_factory=list)
    upward: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)

    def note(self) -> str:
        """Return what was passed over, to append to a summary; empty if nothing was."""
        note = ""
        if self.other_kinds:
            kinds = ", ".join(f"{n} {kind}" for kind, n in self.other_kinds.most_common(10))
            note += f", {self.other_kinds.total()} other files skipped ({kinds})"
        for paths, what in (
            (self.leftovers, "hidden or system files skipped"),
            (self.linked, "linked folders read, too"),
            (self.upward, "links to a folder above not followed"),
            (self.unreadable, "folders can't be read"),
        ):
            if paths:
                note += f", {len(paths)} {what} ({name_some(paths)})"
        return note


def name_some(paths: Sequence[Path]) -> str:
    """Return the first paths as text, with an ellipsis if there are more."""
    return ", ".join([*map(str, paths[:_MOST_NAMES]), *["…"][: len(paths) - _MOST_NAMES > 0]])


def is_leftover(name: str) -> bool:
    """Return whether a file or folder is hidden, or a leftover of a system or a program."""
    return name.startswith(".") or name.lower() in _LEFTOVERS


def list_photos(
    folder: Path,
    listing: FolderListing | None = None,
    is_wanted: Callable[[Path], bool] = lambda photo: True,
) -> FolderListing:
    """List the files below a folder, and add them to `listing`; photos only where wanted.

    Each linked folder is read once, unless it contains `folder`: links may form a loop.
    """
    listing = listing or FolderListing()
    links: list[Path] = []
    seen: set[tuple[int, int]] = set()
    _walk(folder, listing, links, seen, is_wanted)
    for link in links:  # grows meanwhile
        try:
            target = link.resolve(strict=True)
            if _identity(target) in seen:
                continue
        except (OSError, RuntimeError):  # RuntimeError: a loop of links
            listing.unreadable.append(link)
            continue
        if folder.resolve().is_relative_to(target):
            listing.upward.append(link)
        else:
            listing.linked.append(link)
            _walk(link, listing, links, seen, is_wanted)
    return listing


def _walk(
    top: Path,
    listing: FolderListing,
    links: list[Path],
    seen: set[tuple[int, int]],
    is_wanted: Callable[[Path], bool],
) -> None:
    def add_unreadable(error: OSError) -> None:
        listing.unreadable.append(Path(error.filename or top))

    for parent, folders, names in os.walk(top, onerror=add_unreadable):
        identity = _identity(Path(parent))
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        paths = [Path(parent, name) for name in sorted(folders)]
        listing.leftovers.extend(path for path in paths if is_leftover(path.name))
        paths = [path for path in paths if not is_leftover(path.name)]
        links.extend(path for path in paths if path.is_symlink())
        folders[:] = [path.name for path in paths if not path.is_symlink()]
        for path in (Path(parent, name) for name in sorted(names)):
            if is_leftover(path.name):
                listing.leftovers.append(path)
            elif is_named_as_photo(path):
                if is_wanted(path):
                    listing.photos.append(path)
            elif path.is_symlink() and not path.exists():  # a folder that is not mounted, perhaps
                listing.unreadable.append(path)
            else:
                listing.other_kinds[path.suffix.lower() or "without suffix"] += 1


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def photos_below(folder: Path) -> list[Path]:
    """Return all files below a folder that are named as photos; print what can't be read.

    Raises:
        UserError: there are none.
    """
    listing = list_photos(folder)
    if not listing.photos:
        raise UserError(
            f"{folder}: no photo file in this folder{listing.note()}; allowed are "
            f"{' '.join(SUFFIXES)}"
        )
    if listing.unreadable:
        print(f"{folder}: {len(listing.photos)} photos{listing.note()}", file=sys.stderr)
    return listing.photos
