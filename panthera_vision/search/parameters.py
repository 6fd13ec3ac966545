"""Settings of the search pipeline: the sections of its params.yaml, see `parameters`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from panthera_vision.inference.options import Engine, Precision
from panthera_vision.parameters import BatchSize, Seed, StageParameters, Threads


class CollectionParameters(StageParameters):
    """Name the photos that the search indexes: a photos.csv, or a folder with an export."""

    source: Path = Path("../cv-classification-dvc-pipeline/data/photos.csv")


class EmbedParameters(StageParameters):
    """Set how photos are embedded."""

    batch_size: BatchSize = 32
    num_threads: Threads = 2
    precision: Precision = "auto"
    engine: Engine = "torch"


class FitEmbeddingParameters(StageParameters):
    """Set the number of photos that the whitening is fitted on."""

    photos: int = Field(5000, ge=1)
    seed: Seed = 17


class IndexParameters(StageParameters):
    """Set the kind of index, how it is searched, and which photos count as near-duplicates.

    `factory` and `search` are strings of FAISS, which validates them when it builds the index;
    Milvus takes those that it supports. `uri` is Milvus's: an address or a local file.
    """

    backend: Literal["faiss", "milvus"] = "faiss"
    uri: str = "data/milvus.db"
    factory: str = Field("auto", min_length=1)
    search: str = ""
    duplicate_similarity: float = Field(0.725, gt=0, le=1)


class RetrievalParameters(StageParameters):
    """Set the evaluation of the search: number of queries and of perturbed copies."""

    batch_size: BatchSize = 32
    num_threads: Threads = 2
    queries: int = Field(5000, ge=1)
    perturbed_photos: int = Field(300, ge=1)
    seed: Seed = 17


class CurateParameters(StageParameters):
    """Set when a photo whose neighbors are of another species is listed for review."""

    min_neighbor_share: float = Field(0.8, gt=0.5, le=1)


class MapParameters(StageParameters):
    """Set the t-SNE projection of the collection."""

    perplexity: float = Field(30, ge=2, le=200)
    seed: Seed = 17
