"""Embedding cache on disk: network outputs by the photo's SHA-256; only new ones are computed.

A folder of chunks of some hundreds of photos, and a key file. It holds the outputs of one network
in one precision; another key empties it. A renamed photo is still known, a changed one is new.
"""

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write, remove_partial_files, write_json

KEY_FILE = "store.json"
# Photos per file: an interruption costs at most so many.
CHUNK = 256
_DAMAGED = (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError)


@dataclass(frozen=True)
class CacheKey:
    """Identify the network and the kind of outputs; others cannot be compared with them."""

    model_fingerprint: str
    kind: str


class EmbeddingCache:
    """Hold one row of outputs per photo, by SHA-256; see `open_cache` and `create_cache`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, tuple[Path, int]] = {}
        chunks = _chunks(folder)
        self._next = int(chunks[-1].stem) + 1 if chunks else 0
        for chunk in chunks:
            self._register(chunk, _read(chunk, "sha256").tolist())

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, photos: Sequence[str]) -> list[int]:
        """Return positions in `photos` (SHA-256s) that are not cached; of equal ones, the first."""
        first = {photo: at for at, photo in reversed(list(enumerate(photos)))}
        return sorted(at for photo, at in first.items() if photo not in self._places)

    def add(self, photos: Sequence[str], values: np.ndarray) -> None:
        """Store the rows (N, width) of `photos` (SHA-256s); they are on disk when this returns."""
        for start in range(0, len(photos), CHUNK):
            some = list(photos[start : start + CHUNK])
            chunk = self._folder / f"{self._next:06d}.npz"
            with atomic_write(chunk) as partial, partial.open("wb") as file:
                rows = np.asarray(values[start : start + CHUNK], dtype=np.float32)
                np.savez(file, sha256=np.array(some, dtype="U64"), values=rows)
            self._next += 1
            self._register(chunk, some)

    def absorb(self, folder: Path) -> None:
        """Move the rows of the cache in `folder` into this one; safe to repeat if interrupted.

        Raises:
            UserError: a chunk is damaged.
        """
        for chunk in _chunks(folder):
            photos = _read(chunk, "sha256").tolist()
            if new := self.missing(photos):
                self.add([photos[at] for at in new], _read(chunk, "values")[new])
            chunk.unlink()

    def retain(self, photos: Iterable[str]) -> int:
        """Drop all but `photos` (SHA-256s), merge half-empty chunks; return the number dropped."""
        wanted = set(photos)
        before = len(self._places)
        dropped = [photo for photo in self._places if photo not in wanted]
        for photo in dropped:
            del self._places[photo]
        live: dict[Path, list[tuple[int, str]]] = {chunk: [] for chunk in _chunks(self._folder)}
        for photo, (chunk, at) in self._places.items():
            live[chunk].append((at, photo))
        sizes = {chunk: len(_read(chunk, "sha256")) for chunk in live}
        loose = [chunk for chunk in live if len(live[chunk]) < CHUNK]
        if len(loose) > 1 or any(len(live[chunk]) < sizes[chunk] for chunk in loose):
            self._repack({chunk: sorted(live[chunk]) for chunk in loose})
        return before - len(self._places)

    def _repack(self, loose: dict[Path, list[tuple[int, str]]]) -> None:
        """Rewrite the live rows of these chunks as full chunks, then delete them."""
        photos: list[str] = []
        rows: list[np.ndarray] = []
        for chunk, kept in loose.items():
            values = _read(chunk, "values")
            photos += [photo for _, photo in kept]
            rows += [values[at] for at, _ in kept]
            while len(photos) >= CHUNK:
                self.add(photos[:CHUNK], np.stack(rows[:CHUNK]))
                del photos[:CHUNK], rows[:CHUNK]
        if photos:
            self.add(photos, np.stack(rows))
        for chunk in loose:
            chunk.unlink()

    def gather(self, photos: Sequence[str], path: Path | None = None) -> np.ndarray:
        """Return the rows (len(photos), width) of `photos` (SHA-256s), in order.

        With a `path`, they are memory-mapped to a new file there, so that only one chunk at a time
        is in memory.

        Raises:
            UserError: some are not cached.
        """
        if absent := self.missing(photos):
            raise UserError(
                f"{self._folder}: {len(absent)} of {len(photos)} photos are not embedded; "
                "`dvc repro` embeds them"
            )
        wanted: dict[Path, list[tuple[int, int]]] = {}
        for row, photo in enumerate(photos):
            chunk, at = self._places[photo]
            wanted.setdefault(chunk, []).append((row, at))
        gathered: np.ndarray | None = None
        for chunk, pairs in sorted(wanted.items()):
            values = _read(chunk, "values")
            if gathered is None:
                gathered = _empty((len(photos), values.shape[1]), path)
            rows, places = np.array(pairs).T
            gathered[rows] = values[places]
        if gathered is None:
            raise UserError("there are no photos to read from the embedding cache")
        return gathered

    def _register(self, chunk: Path, photos: Sequence[str]) -> None:
        self._places.update((photo, (chunk, at)) for at, photo in enumerate(photos))


def create_cache(folder: Path, key: CacheKey) -> EmbeddingCache:
    """Open the cache in `folder` for writing; empty it first if its key is another.

    Raises:
        UserError: a chunk is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_partial_files(folder)
    if _key_of(folder) != key:
        for chunk in _chunks(folder):
            chunk.unlink()
        write_json(folder / KEY_FILE, asdict(key))
    return EmbeddingCache(folder)


def open_cache(folder: Path, key: CacheKey) -> EmbeddingCache:
    """Open the cache in `folder` for reading.

    Raises:
        UserError: it is missing or damaged, or its key is another.
    """
    if _key_of(folder) != key:
        raise UserError(
            f"{folder} was made with another model or another embed.precision; `dvc repro` "
            "embeds the photos again"
        )
    return EmbeddingCache(folder)


def has_key(folder: Path, key: CacheKey) -> bool:
    """Return whether `folder` holds a cache with this key."""
    return _key_of(folder) == key


def _empty(shape: tuple[int, int], path: Path | None) -> np.ndarray:
    if path is None:
        return np.empty(shape, dtype=np.float32)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def _key_of(folder: Path) -> CacheKey | None:
    try:
        return CacheKey(**json.loads((folder / KEY_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _chunks(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.npz"), key=lambda chunk: int(chunk.stem))


def _read(chunk: Path, name: str) -> np.ndarray:
    try:
        with np.load(chunk, allow_pickle=False) as content:
            return np.asarray(content[name])
    except _DAMAGED:
        raise UserError(
            f"{chunk} is damaged; delete it, and `dvc repro` embeds its photos again"
        ) from None
