"""Hot reload: a model and its index in memory, reloaded when their files change."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from time import monotonic

from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import TrainedModel, load_checkpoint
from panthera_vision.search.index.backend import BackendUnavailableError
from panthera_vision.search.index.photo_index import INDEX_FILES, load_index
from panthera_vision.search.searcher import Searcher

_RETRY_SECONDS = 10  # before a server that did not answer is asked again
# For the load of new files, where the old ones can answer: most are loaded within it.
_PATIENCE_SECONDS = 0.3
_Stamp = tuple[tuple[int, int] | None, ...]


class LiveIndex:
    """Load model and index on first use, and reload them when their files change.

    DVC deletes an index before it builds the next one, and the files of an index are renamed into
    place one by one. While the files on disk are unusable, the last loaded index stays in use. A
    new index is loaded beside the old one, in a thread of its own: nobody waits for it.
    """

    def __init__(
        self,
        model: Path | None,
        index: Path | None,
        pretrained: Callable[[], TrainedModel] | None = None,
    ) -> None:
        """
        Args:
            model: the checkpoint, which need not be there yet; None for the pretrained model.
            index: folder of the index; None for classification only.
            pretrained: builds the model that answers until there is a checkpoint; without it,
                there is none until then.
        """
        self._model = model
        self._index = index
        self._pretrained = pretrained
        self._lock = Lock()
        self._loading: Thread | None = None
        self._searcher: Searcher | None = None
        self._predictor: Predictor | None = None
        self._predictor_stamp: _Stamp = ()
        self._problem: UserError | None = None
        self._crash: Exception | None = None
        self._tried: _Stamp | None = None
        self._tried_at = 0.0

    def searcher(self) -> tuple[Searcher, UserError | None]:
        """Return the searcher, and why it is older than the files on disk, None if it is not.

        Raises:
            UserError: no index could be loaded yet.
        """
        self._reload_if_changed(has_answer=self._searcher is not None)
        with self._lock:
            if self._searcher is None:
                raise self._problem or UserError("the index was not loaded")
            return self._searcher, self._problem

    def predictor(self) -> Predictor:
        """Return the model of the searcher, or the model alone if there is no index yet.

        Raises:
            UserError: no model could be loaded yet.
        """
        self._reload_if_changed(has_answer=self._predictor is not None)
        with self._lock:
            if self._searcher is not None:
                return self._searcher.predictor
            if self._predictor is None:
                raise self._problem or UserError("the model was not loaded")
            return self._predictor

    def _reload_if_changed(self, has_answer: bool) -> None:
        """Start to load changed files; wait for it, but not for long where the old ones answer."""
        with self._lock:
            if self._loading is None or not self._loading.is_alive():
                stamp = self._stamp()
                server_may_be_back = (
                    isinstance(self._problem, BackendUnavailableError)
                    and monotonic() - self._tried_at >= _RETRY_SECONDS
                )
                if stamp != self._tried or server_may_be_back:
                    self._loading = Thread(target=self._load, args=(stamp,), daemon=True)
                    self._loading.start()
            loading = self._loading
        if loading is not None:
            loading.join(_PATIENCE_SECONDS if has_answer else None)
        with self._lock:
            crash, self._crash = self._crash, None
        if crash is not None:
            raise crash

    def _load(self, stamp: _Stamp) -> None:
        predictor, searcher = self._predictor, self._searcher
        problem: UserError | None = None
        crash: Exception | None = None
        try:
            if predictor is None or stamp[:1] != self._predictor_stamp:
                predictor = Predictor(self._load_model())
            if self._index is None:
                raise UserError("there is no index; name one with --index")
            searcher = Searcher(predictor, load_index(self._index))
            searcher.index.prepare()
        except UserError as error:
            problem = error
        except Exception as error:  # shown by the next request, in its own thread
            crash = error
        with self._lock:
            if predictor is not self._predictor:
                self._predictor, self._predictor_stamp = predictor, stamp[:1]
            self._searcher, self._problem, self._crash = searcher, problem, crash
            # Files that changed during the load are noticed by the next call.
            # Without an answer, an unforeseen error is not kept: the next request tries again.
            self._tried = None if crash and searcher is None else stamp
            self._tried_at = monotonic()

    def _load_model(self) -> TrainedModel:
        """Load the checkpoint; if there never was one, build the pretrained model."""
        missing = self._model is None or not self._model.exists()
        if missing and self._pretrained and self._predictor is None:
            return self._pretrained()
        if self._model is None:
            raise UserError("there is no model; name one with --model")
        return load_checkpoint(self._model)

    def _stamp(self) -> _Stamp:
        index = [self._index / name for name in INDEX_FILES] if self._index else []
        return tuple(_modified_and_size(file) for file in (self._model, *index))


def _modified_and_size(file: Path | None) -> tuple[int, int] | None:
    if file is None:
        return None
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
