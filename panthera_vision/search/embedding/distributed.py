"""A collection through the network by several processes: a shard each, merged by the first.

The processes need not hear of each other while they work. A shard is a store of its own within the
collection's: what an interrupted run left there is merged by the next one, by as many processes or
others.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from panthera_vision.distributed import ALONE, Processes
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.search.embedding.cache import OutputStore, StoreKey, begin_store, has_key
from panthera_vision.search.embedding.embed_collection import Embedded, embed_collection, store_key

_SHARDS = "shards"


def embed_together(
    predictor: Predictor,
    photos: Sequence[str],
    paths: Sequence[Path],
    folder: Path,
    *,
    batch_size: int,
    threads: int,
    processes: Processes = ALONE,
) -> Embedded:
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
    key = store_key(predictor.model, predictor.precision)
    photos = list(photos)
    processes.agree(photos, "the table of photos")
    processes.agree(key, "the model or its precision")
    store: OutputStore | None = None
    missing: list[int] = []
    if processes.is_first:
        store = begin_store(folder, key)
        _merge_shards(store, folder, key)
        missing = store.missing(photos)
    how = {"batch_size": batch_size, "threads": threads}
    if store is not None and processes.count == 1:
        return embed_collection(predictor, photos, paths, store, **how)
    missing = processes.of_first(missing)
    share = processes.share(missing)
    shard = begin_store(folder / _SHARDS / f"{processes.rank:04d}", key)
    own = embed_collection(
        predictor, [photos[at] for at in share], [paths[at] for at in share], shard, **how
    )
    processes.gather(None)  # all shards are whole
    if store is None:
        return own
    _merge_shards(store, folder, key)
    if absent := store.missing(photos):
        raise UserError(
            f"{len(absent):,} photos that other machines embedded are not in {folder}: copy their "
            f"{folder / _SHARDS} here and run this again, by one process; nothing is embedded twice"
        )
    return Embedded(len(missing), len(set(photos)) - len(missing), store.retain(photos))


def _merge_shards(store: OutputStore, folder: Path, key: StoreKey) -> None:
    for shard in sorted((folder / _SHARDS).glob("*/")):
        if has_key(shard, key):
            store.absorb(shard)
    shutil.rmtree(folder / _SHARDS, ignore_errors=True)
