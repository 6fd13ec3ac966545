"""Set up the demo's workspace: both pipelines and the synthetic set, apart from the real ones.

The folders of the repository stay as they are, so that a demo and a real run mix nothing.
"""

import os
from pathlib import Path
from typing import Any

import yaml

from panthera_vision import parameters
from panthera_vision.io.atomic import write_text
from panthera_vision.parameters import StageParameters
from panthera_vision.search import parameters as search_parameters

REPOSITORY = Path(__file__).resolve().parent.parent
WORKSPACE = REPOSITORY / "demo_run"
CLASSIFICATION, SEARCH = "cv-classification-dvc-pipeline", "image-search-dvc-pipeline"
# Sections of each params.yaml. The user's own settings count for nothing here: the demo has the
# defaults, and these.
SECTIONS: dict[str, dict[str, type[StageParameters]]] = {
    "demo": {"draw": parameters.DrawParameters},
    CLASSIFICATION: {
        "prepare": parameters.PrepareParameters,
        "split": parameters.SplitParameters,
        "download": parameters.DownloadParameters,
        "train": parameters.TrainParameters,
        "evaluate": parameters.EvaluateParameters,
        "review": parameters.ReviewParameters,
    },
    SEARCH: {
        "collection": search_parameters.CollectionParameters,
        "embed": search_parameters.EmbedParameters,
        "fit_embedding": search_parameters.FitEmbeddingParameters,
        "index": search_parameters.IndexParameters,
        "evaluate": search_parameters.RetrievalParameters,
        "curate": search_parameters.CurateParameters,
        "map": search_parameters.MapParameters,
    },
}
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "demo": {"draw": {"photos_per_species": 48}},
    CLASSIFICATION: {
        "prepare": {"observations": "../demo/set"},
        "train": {"backbone": "efficientnet_lite0", "epochs": 6},
    },
    SEARCH: {"evaluate": {"perturbed_photos": 60}},
}
# Without git, DVC neither refuses an ignored folder nor hints at what to commit.
_DVC_CONFIG = "[core]\n    analytics = false\n    no_scm = true\n"


def set_up_workspace(workspace: Path = WORKSPACE) -> None:
    """Bring the workspace's scripts and settings up to date, and keep its data and corrections."""
    for folder in SECTIONS:
        source, target = REPOSITORY / folder, workspace / folder
        for file in (*source.glob("*.py"), *source.glob("src/*.py")):
            _write(target / file.relative_to(source), file.read_text(encoding="utf-8"))
        for name in ("dvc.yaml", ".streamlit/config.toml"):
            if (source / name).exists():
                _write(target / name, (source / name).read_text(encoding="utf-8"))
        _write(target / "params.yaml", _settings(folder))
    _write(workspace / ".dvc" / "config", _DVC_CONFIG)
    _write(workspace / ".dvcignore", (REPOSITORY / ".dvcignore").read_text(encoding="utf-8"))
    if not (package := workspace / "panthera_vision").exists():  # the stages depend on its code
        place = os.path.relpath(REPOSITORY / package.name, workspace)  # both may be moved
        package.symlink_to(place, target_is_directory=True)
    data = Path(CLASSIFICATION, "data")
    readme = data / "labeled_photos" / "README.md"  # DVC warns of an empty folder
    _write(workspace / readme, (REPOSITORY / readme).read_text(encoding="utf-8"))
    if not (workspace / data / "corrections.csv").exists():
        header = (REPOSITORY / data / "corrections.csv").read_text(encoding="utf-8").splitlines()
        _write(workspace / data / "corrections.csv", header[0] + "\n")


def _settings(folder: str) -> str:
    """Return the params.yaml of a pipeline's folder."""
    sections = {
        name: kind.model_validate(SETTINGS[folder].get(name, {})).model_dump(mode="json")
        for name, kind in SECTIONS[folder].items()
    }
    return yaml.safe_dump(sections, sort_keys=False)


def _write(file: Path, text: str) -> None:
    """Write `text`, unless the file has it: DVC hashes again whatever has a new date."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, text)
