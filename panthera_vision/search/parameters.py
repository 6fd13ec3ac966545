"""Settings of the search pipeline: the sections of its params.yaml, see `parameters`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from panthera_vision.inference.options import Engine, Precision
from panthera_vision.models.backbone_names import ImageSize, check_backbone_name
from panthera_vision.parameters import BatchSize, Seed, StageParameters, Threads

# Of `embed.backbone`: photos are embedded by the classifier itself.
CLASSIFIER = "classifier"


def _check_embedder(name: str) -> str:
    try:
        return name if name == CLASSIFIER else check_backbone_name(name)
    except ValueError as error:
        raise ValueError(f"{error}; or {CLASSIFIER}, whose features are used then") from None


def _check_similarity(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
    if value != "auto" and not is_number:
        raise ValueError("must be auto or a number above 0, at most 1")
    return value


class CollectionParameters(StageParameters):
    """Name the photos that the search indexes: a photos.csv, or a folder with an export."""

    source: Path = Path("../cv-classification-dvc-pipeline/data/photos.csv")


class EmbedParameters(StageParameters):
    """Name the network that embeds photos, and set how it does.

    `backbone` is "classifier", or a pretrained network by the names of `train.backbone`.
    """

    backbone: Annotated[str, AfterValidator(_check_embedder)] = CLASSIFIER
    weights: Path | None = None
    image_size: ImageSize = "auto"
    batch_size: BatchSize = 32
    num_threads: Threads = 2
    precision: Precision = "auto"
    engine: Engine = "torch"

    @model_validator(mode="after")
    def _describe_a_backbone(self) -> Self:
        if self.backbone == CLASSIFIER and (self.weights or self.image_size != "auto"):
            raise ValueError("weights and image_size need a backbone other than classifier")
        return self


class FitEmbeddingParameters(StageParameters):
    """Set the number of photos that the whitening is fitted on."""

    photos: int = Field(5000, ge=1)
    seed: Seed = 17


class IndexParameters(StageParameters):
    """Set the kind of index, how it is searched, and which photos count as near-duplicates.

    `factory` and `search` are strings of FAISS, which validates them when it builds the index;
    Milvus takes those that it supports. With "auto", the fastest kind that finds `recall` of the
    ten nearest photos is taken. `uri` is Milvus's: an address or a local file.
    `duplicate_similarity` is a number, or "auto": as the stage `fit_embedding` measured.
    """

    backend: Literal["faiss", "milvus"] = "faiss"
    uri: str = "data/milvus.db"
    factory: str = Field("auto", min_length=1)
    search: str = ""
    recall: float = Field(0.97, gt=0, le=1)
    duplicate_similarity: Annotated[Literal["auto"] | float, BeforeValidator(_check_similarity)] = (
        "auto"
    )


class RetrievalParameters(StageParameters):
    """Set the evaluation of the search: number of queries and of perturbed copies."""

    batch_size: BatchSize = 32
    num_threads: Threads = 2
    queries: int = Field(5000, ge=1)
    perturbed_photos: int = Field(300, ge=1)
    seed: Seed = 17


class CurateParameters(StageParameters):
    """Set when a photo whose neighbors are of another species is listed, and of how many photos."""

    min_neighbor_share: float = Field(0.8, gt=0.5, le=1)
    photos: int = Field(20_000, ge=1)
    seed: Seed = 17


class MapParameters(StageParameters):
    """Set the t-SNE projection of the collection: of a sample, where it is large."""

    perplexity: float = Field(30, ge=2, le=200)
    photos: int = Field(10_000, ge=10)
    seed: Seed = 17
