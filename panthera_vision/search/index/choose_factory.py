"""Choose the kind of FAISS index by measurement: the fastest that reaches a wanted recall."""

from typing import NamedTuple

import numpy as np

from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.faiss_build import build_faiss_index, set_search_parameters
from panthera_vision.search.index.search_quality import RecallTest

# Up to this many photos, exact search is fast enough: no tuning, no misses.
EXACT_UP_TO = 20_000
# Lists of an inverted index, below and from this many photos.
_FEW_LISTS, _MANY_LISTS, _MANY_PHOTOS = 256, 1024, 100_000


class Choice(NamedTuple):
    """Hold a kind of index, its search parameters, and the FAISS index if it was measured."""

    factory: str
    search: str
    built: FaissBackend | None = None


def choose_factory(vectors: np.ndarray, recall: float, backend: str) -> Choice:
    """Return the first kind of index that reaches `recall`.

    Candidates are tried in the order of their cost for a search (docs/search.md). The clock has
    no part in it, so that every machine makes the same choice from the same vectors.

    Args:
        vectors: L2-normalized (N, dimension), float32; may be memory-mapped.
        recall: wanted recall@10, 0 to 1.
        backend: Milvus has no RaBitQ and no SQfp16.
    """
    if len(vectors) <= EXACT_UP_TO or recall == 1:
        return Choice("Flat", "")
    test = RecallTest(vectors)
    for factory, searches in _candidates(len(vectors)):
        if backend == "milvus" and not factory.endswith(",SQ8"):
            continue
        index, reconstructs = build_faiss_index(vectors, factory, searches[0])
        measured = FaissBackend(index, None if reconstructs else vectors)
        for search in searches:
            set_search_parameters(index, search)
            if test.recall(measured) >= recall:
                return Choice(factory, search, measured if backend == "faiss" else None)
        del index, measured  # a million photos would not fit into the memory twice
    return Choice("Flat", "")


def _candidates(count: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    lists = _FEW_LISTS if count < _MANY_PHOTOS else _MANY_LISTS
    probes = [lists // part for part in (32, 16, 8, 4)]
    refined = [f"nprobe={n},k_factor_rf={100 if n > lists // 16 else 50}" for n in probes]
    return (
        (f"IVF{lists},RaBitQ,Refine(SQ8)", tuple(refined)),
        # As fast, twice the memory: SQ8 can't tell the nearest from the next, above 0.975 or so.
        (f"IVF{lists},RaBitQ,Refine(SQfp16)", tuple(refined[-2:])),
        (f"IVF{lists},SQ8", tuple(f"nprobe={n}" for n in probes)),
        ("SQfp16", ("",)),
    )
