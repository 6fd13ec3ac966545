"""Several processes at one task, on one machine or many, as `torchrun` starts them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed, nn

Value = TypeVar("Value")
Items = TypeVar("Items", Sequence[Any], torch.Tensor)
# How long a process waits for the slowest; one that dies ends the others at once.
_PATIENCE = timedelta(hours=6)


@dataclass(frozen=True)
class Processes:
    """This process among those that share the work. All of them call the same methods in order.

    Attributes:
        rank: this one's number, from 0.
        count: how many there are; one alone waits for nobody.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0

    def share(self, items: Items) -> Items:
        """This process's part of `items`; the parts are in order, and of nearly the same length."""
        start, end = (len(items) * rank // self.count for rank in (self.rank, self.rank + 1))
        return items[start:end]

    def share_in_batches(self, items: Sequence[Value], batch_size: int) -> Sequence[Value]:
        """As `share`, but no batch is cut: in other company a photo's numbers differ slightly."""
        starts = self.share(range(0, len(items), batch_size))
        return items[starts[0] : starts[-1] + batch_size] if starts else items[:0]

    def synchronised(self, network: nn.Module) -> nn.Module:
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

    def of_first(self, value: Value) -> Value:
        """The first process's value."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]


ALONE = Processes()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """The processes that `torchrun` started; `ALONE` where it did not start this one.

    Each uses a GPU of its own where its machine has enough of them; else they share the one GPU, or
    the processor.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    own_gpu = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
    if own_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if own_gpu else "gloo", timeout=_PATIENCE)
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
