"""Unpack ZIP archives from elsewhere: no path outside the folder, no decompression bomb."""

import json
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import PARTIAL_SUFFIX, write_json

MARKER = ".unpacked.json"
MAX_MEMBERS = 2_000_000
# Tables shrink to a tenth or less, photos hardly. A smaller archive is unpacked at any ratio.
MAX_RATIO, ALWAYS_ALLOWED_BYTES = 100, 1 << 30
_ENCRYPTED = 0x1


def list_zip(archive: Path) -> list[str]:
    """Return the names of the files in an archive; [] if it can't be read as one."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return [member.filename for member in opened.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return []


def unpack_zip(archive: Path, folder: Path) -> Path:
    """Unpack an archive into `folder`, all or nothing, and return that folder.

    The same archive is not unpacked again: a marker file in the folder has its size and time.

    Args:
        archive: a ZIP file from anywhere.
        folder: is created; an earlier version of this archive in it is replaced.

    Raises:
        UserError: the archive is damaged, encrypted or unreasonably large when unpacked, a name
            in it leads out of the folder, or `folder` holds something else.
        OSError: the folder can't be written.
    """
    status = archive.stat()
    identity = {"archive": archive.name, "size": status.st_size, "mtime": status.st_mtime_ns}
    if os.path.lexists(folder):
        earlier = _read_marker(folder)
        if earlier == identity:
            return folder
        if earlier.get("archive") != archive.name:
            raise UserError(
                f"{archive} can't be unpacked: {folder} is there already and is not from it; "
                "rename one of them"
            )
    partial = folder.with_name(f"{folder.name}.{os.getpid()}{PARTIAL_SUFFIX}")
    with _named_errors(archive), zipfile.ZipFile(archive) as opened:
        members = _checked_members(archive, opened)
        try:
            for member in members:
                target = partial / member.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
            write_json(partial / MARKER, identity)
            if folder.exists():
                shutil.rmtree(folder)
            partial.replace(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


@contextmanager
def _named_errors(archive: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, EOFError) as error:
        raise UserError(f"{archive} is no ZIP archive, or is damaged: {error}") from None
    except NotImplementedError as error:
        raise UserError(f"{archive}: a compression that can't be read ({error})") from None


def _checked_members(archive: Path, opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = [member for member in opened.infolist() if not member.is_dir()]
    total = sum(member.file_size for member in members)
    size = archive.stat().st_size
    if len(members) > MAX_MEMBERS:
        raise UserError(f"{archive} has {len(members):,} files, more than {MAX_MEMBERS:,}")
    if total > max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * size):
        raise UserError(
            f"{archive} would unpack to {total / 1e9:.1f} GB from {size / 1e6:.1f} MB: a "
            "decompression bomb, or a kind of data that this project doesn't read"
        )
    names: set[str] = set()
    for member in members:
        if reason := _reason_to_refuse(member, names):
            raise UserError(f"{archive}: {member.filename[:80]!r} {reason}; nothing was unpacked")
        names.add(member.filename.casefold())
    return members


def _reason_to_refuse(member: zipfile.ZipInfo, names: set[str]) -> str:
    name = member.filename
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        return "leads out of the folder"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if not name.isprintable():
        return "is no file name"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if name.casefold() in names:
        return "is there twice"
    return ""


def _read_marker(folder: Path) -> dict[str, object]:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}
