"""A model and its index in memory, which go on answering while new ones are being made."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.search.embedding.embedder import Embedder
from panthera_vision.search.index.photo_index import INDEX_FILES, PhotoIndex, load_index

_Stamp = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class Searcher:
    """A model, the index that it made, and what makes vectors like the index's."""

    predictor: Predictor
    index: PhotoIndex
    embedder: Embedder


class LiveIndex:
    """Loads model and index once, and anew whenever their files have changed.

    DVC deletes an index before it makes another, and the parts of one are renamed into place one
    by one. While what is on disk can't be used, the search that was loaded last goes on.
    """

    def __init__(self, model: Path, index: Path) -> None:
        self._model = model
        self._index = index
        self._lock = Lock()
        self._search: Searcher | None = None
        self._predictor: Predictor | None = None
        self._predictor_stamp: _Stamp = ()
        self._problem: UserError | None = None
        self._tried: _Stamp | None = None

    def search(self) -> tuple[Searcher, UserError | None]:
        """The search, and why it is not the one on disk; None where it is.

        Raises:
            UserError: there is none yet.
        """
        with self._lock:
            self._keep_up()
            if self._search is None:
                raise self._problem or UserError("the search was not loaded")
            return self._search, self._problem

    def predictor(self) -> Predictor:
        """The model of the search, which is there without an index too.

        Raises:
            UserError: there is none yet.
        """
        with self._lock:
            self._keep_up()
            if self._search is not None:
                return self._search.predictor
            if self._predictor is None:
                raise self._problem or UserError("the model was not loaded")
            return self._predictor

    def _keep_up(self) -> None:
        stamp = self._stamp()
        if stamp != self._tried:
            self._load(stamp[:1])
            # Files that changed meanwhile are seen at the next call.
            self._tried = stamp

    def _load(self, model_stamp: _Stamp) -> None:
        try:
            if self._predictor is None or model_stamp != self._predictor_stamp:
                self._predictor = Predictor(load_checkpoint(self._model))
                self._predictor_stamp = model_stamp
            index = load_index(self._index)
            embedder = index.embedder(self._predictor)
        except UserError as problem:
            self._problem = problem
        else:
            self._search, self._problem = Searcher(self._predictor, index, embedder), None

    def _stamp(self) -> _Stamp:
        files = (self._model, *(self._index / name for name in INDEX_FILES))
        return tuple(_state(file) for file in files)


def _state(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
