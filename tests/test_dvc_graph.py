"""The `deps` of every stage are the code that its script imports, no more and no less."""

from pathlib import Path

import pytest

from .dvc_graph import DVC_FILES, REPOSITORY, code_dependencies, import_closure, stages

STAGES = [
    pytest.param(script, deps, id=f"{dvc_file.parent.name}-{name}")
    for dvc_file in DVC_FILES
    for name, script, deps in stages(dvc_file)
]


@pytest.mark.parametrize(("script", "deps"), STAGES)
def test_stage_depends_on_the_code_that_it_imports(script: Path, deps: list[str]) -> None:
    assert script.relative_to(script.parents[1]).as_posix() in deps or script.name in deps
    listed = {path for path in deps if path.startswith("../panthera_vision")}
    assert listed == code_dependencies(script), "python -m tests.dvc_graph rewrites dvc.yaml"
    assert len(deps) == len(set(deps))


@pytest.mark.parametrize(
    "script",
    [
        "cv-classification-dvc-pipeline/src/train.py",
        *(f"image-search-dvc-pipeline/src/{name}.py" for name in ("embed", "fit_embedding")),
        "image-search-dvc-pipeline/src/build_index.py",
    ],
)
def test_apps_service_explanations_and_evaluation_retrain_nothing(script: str) -> None:
    package = REPOSITORY / "panthera_vision"
    folders = {file.relative_to(package).parts[:-1] for file in import_closure(REPOSITORY / script)}
    parts = {part for folder in folders for part in folder}
    assert not parts & {"explain", "export", "ui", "serving", "batch", "evaluation", "reporting"}


@pytest.mark.parametrize("stage", ["prepare", "download"])
def test_a_changed_network_downloads_nothing_again(stage: str) -> None:
    for script in REPOSITORY.glob(f"*/src/{stage}.py"):
        assert not code_dependencies(script) & {
            "../panthera_vision/models",
            "../panthera_vision/inference",
        }
