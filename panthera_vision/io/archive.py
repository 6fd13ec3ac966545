"""Read the files of a folder or of a ZIP archive, which is never unpacked to the disk.

Nothing is written, so no path in an archive can lead anywhere (zip slip). Lines are read one by
one, so a decompression bomb takes no memory; one that would take hours is refused.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from panthera_vision.errors import UserError

_MAX_LINE = 1 << 20  # characters
_BOMB_RATIO = 200  # text tables compress up to 50 times
_BOMB_BYTES = 100 << 20  # smaller files are harmless at any ratio


class Archive:
    """List and open the files at the top of a folder or of a ZIP archive.

    An archive whose files all lie in one folder is read as that folder.

    Args:
        path: the folder, or the ZIP file.

    Raises:
        UserError: it is neither.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            self._members = {each.name: each.name for each in path.iterdir() if each.is_file()}
            return
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise UserError(
                f"{path} is not a complete ZIP file: copy or download it again"
            ) from None
        files = [name for name in self._zip.namelist() if not name.endswith("/")]
        tops = {name.partition("/")[0] for name in files}
        prefix = f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in files) else ""
        inside = [(name.removeprefix(prefix), name) for name in files]
        self._members = {name: member for name, member in inside if "/" not in name}

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the files at the top, sorted."""
        return iter(sorted(self._members))

    def close(self) -> None:
        """Close the ZIP file."""
        if self._zip:
            self._zip.close()

    def open(self, name: str) -> IO[bytes]:
        """Open a file at the top for reading.

        Raises:
            UserError: there is none of that name, or it can't be read from the ZIP file.
        """
        if name not in self._members:
            raise UserError(f"{self.path}: {name[:80]!r} is not in it")
        if not self._zip:
            return (self.path / name).open("rb")
        info = self._zip.getinfo(self._members[name])
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > _BOMB_BYTES and ratio > _BOMB_RATIO:
            raise UserError(
                f"{self.path}: {name} is compressed {ratio:.0f} times, as only a decompression "
                f"bomb is; if it is genuine, unpack the archive and name the folder"
            )
        try:
            return self._zip.open(info)
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:  # encrypted, …
            raise UserError(f"{self.path}: {name} can't be unpacked: {error}") from None

    def lines(self, name: str, encoding: str = "utf-8-sig") -> Iterator[str]:
        r"""Yield the lines of a text file, which end with \n only, one at a time.

        Raises:
            UserError: see `open`; a line is too long, or the ZIP file is damaged.
            UnicodeError: the file is in another encoding.
        """
        with self.open(name) as raw, io.TextIOWrapper(raw, encoding, newline="\n") as text:
            try:
                while line := text.readline(_MAX_LINE):
                    if len(line) == _MAX_LINE and line[-1] != "\n":
                        raise UserError(
                            f"{self.path}: {name} has a line of over {_MAX_LINE} letters"
                        )
                    yield line
            except (zipfile.BadZipFile, EOFError) as error:
                raise UserError(f"{self.path}: {name} is damaged: {error}") from None

    def beginning(self, name: str, size: int) -> str:
        """Return the first `size` bytes of a file as text, with what is not UTF-8 replaced."""
        with self.open(name) as raw:
            return raw.read(size).decode("utf-8", "replace")
