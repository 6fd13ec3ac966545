"""Classify big cats (genus Panthera) in photos, and search similar ones.

>>> import panthera_vision as pv
>>> model = pv.load_model("best_model.pth")  # or load_model(): pretrained, without any training
>>> for prediction in model.predict(["a.jpg", "folder/"]):
...     print(prediction.file, prediction.species, prediction.probability)
>>> index = pv.load_index("faiss_index", model)
>>> hits = index.search("a.jpg", k=10, species=["Panthera uncia"])

Training: `pv.load_photos`, `pv.demo_photos`, `pv.train`, `pv.build_index`
(`panthera_vision.training_api`), with the extra `pipeline`.

Importing the package loads no other library; `panthera_vision.api` documents the functions.
"""

from importlib import import_module

TYPE_CHECKING = False  # as typing's, whose import takes longer than all the rest
if TYPE_CHECKING:
    from panthera_vision.api import Hit, Index, Model, PhotoPrediction, load_index, load_model
    from panthera_vision.training_api import build_index, demo_photos, load_photos, train

__version__ = "0.1.0"
__all__ = [
    "Hit",
    "Index",
    "Model",
    "PhotoPrediction",
    "__version__",
    "build_index",
    "demo_photos",
    "load_index",
    "load_model",
    "load_photos",
    "train",
]
_TRAINING = ("build_index", "demo_photos", "load_photos", "train")


def __getattr__(name: str) -> object:
    """Import the API on first use (PEP 562): torch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "training_api" if name in _TRAINING else "api"
    return getattr(import_module(f"panthera_vision.{module}"), name)


def __dir__() -> list[str]:
    return __all__
