"""Photo files through a network by several processes, with the numbers that one would get."""

from collections.abc import Sequence
from pathlib import Path

import torch

from panthera_vision.distributed import ProcessGroup
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.classifier import Outputs


def distributed_outputs(
    predictor: Predictor,
    paths: Sequence[Path],
    *,
    batch_size: int,
    threads: int,
    processes: ProcessGroup,
) -> Outputs:
    """Features, logits and scores of photo files, on the CPU of every process.

    Args:
        predictor: the same model in every process.
        paths: all the files.
        batch_size: photos that a network sees at once.
        threads: that decode, in each process.
        processes: take whole batches each.
    """
    share = processes.shard_batches(paths, batch_size)
    outputs = (
        predictor.outputs_of_files(share, batch_size=batch_size, threads=threads) if share else None
    )
    there = [part for part in processes.all_gather(outputs) if part is not None]
    return Outputs(*(torch.cat(part) for part in zip(*there, strict=True)))
