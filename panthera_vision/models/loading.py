"""Photo files decoded a little ahead of their use, by threads, in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import torch
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.photos.decoding import PhotoError, read_photo

Job = Callable[[], torch.Tensor]


def open_photo(path: Path) -> Image.Image:
    """A photo that a table promises.

    Raises:
        UserError: it can't be read.
    """
    try:
        return read_photo(path)
    except PhotoError as error:
        raise UserError(f"{path}: {error}; `dvc repro` fetches it again") from None


def batches_ahead(jobs: Iterable[Job], *, batch_size: int, threads: int) -> Iterator[torch.Tensor]:
    """What the jobs give, stacked in batches (≤ batch_size, …), in order.

    Threads serve, as decoding and resizing happen outside Python's lock; two batches at most are
    held ready. A job's exception is raised when its turn comes.
    """
    jobs = iter(jobs)
    ahead: deque[Future[torch.Tensor]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            ahead.extend(pool.submit(job) for job in islice(jobs, 2 * batch_size))
            while ahead:
                batch = [ahead.popleft().result() for _ in range(min(batch_size, len(ahead)))]
                ahead.extend(pool.submit(job) for job in islice(jobs, batch_size))
                yield torch.stack(batch)
        finally:
            pool.shutdown(cancel_futures=True)
