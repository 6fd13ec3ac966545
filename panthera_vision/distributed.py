"""Distributed runs by `torchrun`: rank and world size, sharding, gradients, collectives."""

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
# A process that dies ends the others at once; a machine that loses its network is only noticed
# by this timeout.
_TIMEOUT = timedelta(minutes=30)


@dataclass(frozen=True)
class ProcessGroup:
    """Hold this process's rank in a group; all of its processes call the same methods in order.

    Attributes:
        rank: number of this process, from 0.
        world_size: number of processes; with one, no method waits or communicates.
    """

    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Return whether this is the process that writes files."""
        return self.rank == 0

    def shard(self, items: Items) -> Items:
        """Return this process's contiguous part of `items`; lengths differ by at most one."""
        start, end = (len(items) * rank // self.world_size for rank in (self.rank, self.rank + 1))
        return items[start:end]

    def shard_batches(self, items: Sequence[Value], batch_size: int) -> Sequence[Value]:
        """Return this process's part of `items` in whole batches.

        A photo's outputs depend slightly on the size of its batch, so no batch is cut.
        """
        starts = self.shard(range(0, len(items), batch_size))
        return items[starts[0] : starts[-1] + batch_size] if starts else items[:0]

    def data_parallel(self, network: nn.Module) -> nn.Module:
        """Wrap `network` so that its gradients are averaged over all processes."""
        if self.world_size == 1:
            return network
        # No buffers to synchronize: the batch norms' statistics are frozen.
        return nn.parallel.DistributedDataParallel(network, broadcast_buffers=False)

    def all_reduce_sum(self, values: Sequence[float]) -> list[float]:
        """Return the elementwise sums of `values` over all processes."""
        return [sum(column) for column in zip(*self.all_gather(list(values)), strict=True)]

    def all_gather(self, value: Value) -> list[Value]:
        """Return the value of every process, by rank."""
        if self.world_size == 1:
            return [value]
        values: list[Any] = [None] * self.world_size
        distributed.all_gather_object(values, value)
        return values

    def broadcast(self, value: Value) -> Value:
        """Return the value of rank 0."""
        if self.world_size == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]

    def require_same(self, value: object, what: str) -> None:
        """Check that `value`, which the error calls `what`, has the same repr as on rank 0.

        Raises:
            UserError: it differs.
        """
        digest = sha256(repr(value).encode()).digest()
        if self.broadcast(digest) != digest:
            raise UserError(
                f"process {self.rank}: {what} differs from that of process 0; all machines need "
                "the same files, settings and version"
            )


SINGLE_PROCESS = ProcessGroup()


@contextmanager
def init_distributed(timeout: timedelta = _TIMEOUT) -> Iterator[ProcessGroup]:
    """Join the process group that `torchrun` started; without torchrun, give `SINGLE_PROCESS`.

    Each process uses a GPU of its own with NCCL if its machine has enough of them, else Gloo.

    Args:
        timeout: how long a process waits for the slowest one.

    Raises:
        UserError: another process ended, or did not answer within `timeout`.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield SINGLE_PROCESS
        return
    signal.signal(signal.SIGTERM, _exit_on_sigterm)
    try:
        own_gpu = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
        if own_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group("nccl" if own_gpu else "gloo", timeout=timeout)
        yield ProcessGroup(distributed.get_rank(), world_size)
    except BaseException as error:
        # torchrun's SIGTERM comes soon: it would interrupt the report of this error.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if not _is_lost_contact(error):
            raise
        raise UserError(
            f"process {os.environ['RANK']} of {world_size} lost contact with the others: "
            f"a process ended, its machine can't be reached, or it did not answer for {timeout}; "
            "run the same command again to continue from the last saved state"
        ) from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _is_lost_contact(error: BaseException) -> bool:
    if isinstance(error, distributed.DistError):
        return True
    # Gloo raises plain RuntimeErrors, recognizable by their text alone.
    return isinstance(error, RuntimeError) and "gloo" in str(error).lower()


def _exit_on_sigterm(number: int, frame: object) -> NoReturn:
    """Exit when torchrun ends all processes because one failed; rank 0 reports it for all."""
    if os.environ["RANK"] != "0":
        sys.exit(128 + number)
    raise UserError(
        "torchrun ended this process because it was stopped itself, or because another process "
        "failed (see its error above or below); run the same command again to continue from the "
        "last saved state"
    )
