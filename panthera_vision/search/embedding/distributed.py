"""A collection through the network by several processes: a shard each, merged by the first.

The processes need not hear of each other while they work. A shard is a store of its own within the
collection's: what an interrupted run left there is merged by the next one, by as many processes or
others.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.search.embedding.cache import CacheKey, EmbeddingCache, create_cache, has_key
from panthera_vision.search.embedding.embed_collection import (
    EmbeddingCounts,
    cache_key,
    embed_collection,
)

_SHARDS = "shards"


def embed_distributed(
    predictor: Predictor,
    photos: Sequence[str],
    paths: Sequence[Path],
    folder: Path,
    *,
    batch_size: int,
    threads: int,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> EmbeddingCounts:
    """Put through the network what the store in `folder` lacks, drop what is gone.

    Args:
        predictor: the network, the same in every process.
        photos: the SHA-256 of each photo's file, the same in every process.
        paths: the files.
        folder: the store's, one that all processes reach.
        batch_size: photos a pass.
        threads: decode ahead, in each process.
        processes: take a share of the photos each.

    Returns:
        What became of all the photos; in other processes than the first, of this one's share.

    Raises:
        UserError: as `embed_collection`; or photos or models differ, or `folder` is not one folder.
    """
    key = cache_key(predictor.model, predictor.precision)
    photos = list(photos)
    processes.require_same(photos, "the table of photos")
    processes.require_same(key, "the model or its precision")
    store: EmbeddingCache | None = None
    missing: list[int] = []
    if processes.is_main:
        store = create_cache(folder, key)
        _merge_shards(store, folder, key)
        missing = store.missing(photos)
    how = {"batch_size": batch_size, "threads": threads}
    if store is not None and processes.world_size == 1:
        return embed_collection(predictor, photos, paths, store, **how)
    missing = processes.broadcast(missing)
    share = processes.shard(missing)
    shard = create_cache(folder / _SHARDS / f"{processes.rank:04d}", key)
    own = embed_collection(
        predictor, [photos[at] for at in share], [paths[at] for at in share], shard, **how
    )
    processes.all_gather(None)  # all shards are whole
    if store is None:
        return own
    _merge_shards(store, folder, key)
    if absent := store.missing(photos):
        raise UserError(
            f"{len(absent):,} photos that other machines embedded are not in {folder}: copy their "
            f"{folder / _SHARDS} here and run this again, by one process; nothing is embedded twice"
        )
    return EmbeddingCounts(len(missing), len(set(photos)) - len(missing), store.retain(photos))


def _merge_shards(store: EmbeddingCache, folder: Path, key: CacheKey) -> None:
    for shard in sorted((folder / _SHARDS).glob("*/")):
        if has_key(shard, key):
            store.absorb(shard)
    shutil.rmtree(folder / _SHARDS, ignore_errors=True)
