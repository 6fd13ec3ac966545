"""Hot reload: a model and its index in memory, reloaded when their files change."""

from pathlib import Path
from threading import Lock
from time import monotonic

from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.search.index.backend import BackendUnavailableError
from panthera_vision.search.index.photo_index import INDEX_FILES, load_index
from panthera_vision.search.searcher import Searcher

_RETRY_SECONDS = 10  # before a server that did not answer is asked again
_Stamp = tuple[tuple[int, int] | None, ...]


class LiveIndex:
    """Load model and index on first use, and reload them when their files change.

    DVC deletes an index before it builds the next one, and the files of an index are renamed into
    place one by one. While the files on disk are unusable, the last loaded index stays in use.
    """

    def __init__(self, model: Path, index: Path) -> None:
        self._model = model
        self._index = index
        self._lock = Lock()
        self._searcher: Searcher | None = None
        self._predictor: Predictor | None = None
        self._predictor_stamp: _Stamp = ()
        self._problem: UserError | None = None
        self._tried: _Stamp | None = None
        self._tried_at = 0.0

    def searcher(self) -> tuple[Searcher, UserError | None]:
        """Return the searcher, and why it is older than the files on disk, None if it is not.

        Raises:
            UserError: no index could be loaded yet.
        """
        with self._lock:
            self._reload_if_changed()
            if self._searcher is None:
                raise self._problem or UserError("the index was not loaded")
            return self._searcher, self._problem

    def predictor(self) -> Predictor:
        """Return the model of the searcher, or the model alone if there is no index yet.

        Raises:
            UserError: no model could be loaded yet.
        """
        with self._lock:
            self._reload_if_changed()
            if self._searcher is not None:
                return self._searcher.predictor
            if self._predictor is None:
                raise self._problem or UserError("the model was not loaded")
            return self._predictor

    def _reload_if_changed(self) -> None:
        stamp = self._stamp()
        server_may_be_back = (
            isinstance(self._problem, BackendUnavailableError)
            and monotonic() - self._tried_at >= _RETRY_SECONDS
        )
        if stamp != self._tried or server_may_be_back:
            self._load(stamp[:1])
            self._tried_at = monotonic()
            # Files that changed during the load are noticed by the next call.
            self._tried = stamp

    def _load(self, model_stamp: _Stamp) -> None:
        try:
            if self._predictor is None or model_stamp != self._predictor_stamp:
                self._predictor = Predictor(load_checkpoint(self._model))
                self._predictor_stamp = model_stamp
            self._searcher = Searcher(self._predictor, load_index(self._index))
            self._problem = None
        except UserError as problem:
            self._problem = problem

    def _stamp(self) -> _Stamp:
        files = (self._model, *(self._index / name for name in INDEX_FILES))
        return tuple(_modified_and_size(file) for file in files)


def _modified_and_size(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
