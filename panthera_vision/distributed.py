"""Several processes at one task, on one machine or many, as `torchrun` starts them."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, NoReturn, TypeVar

import torch
from torch import distributed, nn

from panthera_vision.errors import UserError

Value = TypeVar("Value")
Items = TypeVar("Items", Sequence[Any], torch.Tensor)
# How long a process waits for the slowest. One that dies ends the others at once, but of a machine
# that is cut off nothing is heard.
_PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True)
class ProcessGroup:
    """This process among those that share the work. All of them call the same methods in order.

    Attributes:
        rank: this one's number, from 0.
        count: how many there are; one alone waits for nobody.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0

    def share(self, items: Items) -> Items:
        """This process's part of `items`; the parts are in order, and of nearly the same length."""
        start, end = (len(items) * rank // self.count for rank in (self.rank, self.rank + 1))
        return items[start:end]

    def shard_batches(self, items: Sequence[Value], batch_size: int) -> Sequence[Value]:
        """As `share`, but no batch is cut: in other company a photo's numbers differ slightly."""
        starts = self.share(range(0, len(items), batch_size))
        return items[starts[0] : starts[-1] + batch_size] if starts else items[:0]

    def data_parallel(self, network: nn.Module) -> nn.Module:
        """`network` such that its gradients are the mean of all processes'."""
        if self.count == 1:
            return network
        # Batch norms are frozen: their statistics are the same everywhere, and stay so.
        return nn.parallel.DistributedDataParallel(network, broadcast_buffers=False)

    def sum(self, values: Sequence[float]) -> list[float]:
        """The sums of all processes' `values`, one by one."""
        everyone = self.gather(list(values))
        return [sum(one) for one in zip(*everyone, strict=True)]

    def gather(self, value: Value) -> list[Value]:
        """All processes' values, by rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        distributed.all_gather_object(values, value)
        return values

    def agree(self, value: object, what: str) -> None:
        """See that `value` is the first process's.

        Raises:
            UserError: here it is another, by what it prints; the message names it as `what`.
        """
        own = sha256(repr(value).encode()).digest()
        if self.broadcast(own) != own:
            raise UserError(
                f"process {self.rank}: {what} differs from the first process's; all machines need "
                "the same files, settings and version"
            )

    def broadcast(self, value: Value) -> Value:
        """The first process's value."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]


SINGLE_PROCESS = ProcessGroup()


@contextmanager
def init_distributed(patience: timedelta = _PATIENCE) -> Iterator[ProcessGroup]:
    """The processes that `torchrun` started; `SINGLE_PROCESS` where it did not start this one.

    Each uses a GPU of its own where its machine has enough of them; else they share the one GPU, or
    the processor.

    Args:
        patience: how long each waits for the others before it gives up.

    Raises:
        UserError: another process ended, or nothing was heard of it for so long.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield SINGLE_PROCESS
        return
    signal.signal(signal.SIGTERM, _stopped)
    own_gpu = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
    if own_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        distributed.init_process_group("nccl" if own_gpu else "gloo", timeout=patience)
        yield ProcessGroup(distributed.get_rank(), count)
    except RuntimeError as error:
        if not _is_of_company(error):
            raise
        raise UserError(
            f"process {os.environ['RANK']} of {count} lost the others: one ended, its machine "
            f"can't be reached, or it was silent for {patience}; once that is mended, the same "
            "command goes on from what was saved"
        ) from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _is_of_company(error: RuntimeError) -> bool:
    """Whether `error` is about the other processes. Gloo's are known by their text alone."""
    return isinstance(error, distributed.DistError) or "gloo" in str(error).lower()


def _stopped(number: int, frame: object) -> NoReturn:
    """`torchrun` ends all where one fails; the first says so, for all but the one that failed."""
    if os.environ["RANK"] != "0":
        sys.exit(128 + number)
    raise UserError(
        "ended by torchrun: it was told to, or another process failed, which says above why or is "
        "named below; the same command goes on from what was saved"
    )
