"""The public API, in this process and from an installed wheel with the core dependencies only."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import unicodedata
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import panthera_vision as pv
from panthera_vision.api import PhotoInput
from panthera_vision.errors import UserError

from .conftest import REPOSITORY, SPECIES, draw_photo, write_camera_photo
from .made_search import make_search

# README's examples, with a broken file among the photos.
EXAMPLE = """
import sys
import panthera_vision as pv
assert "numpy" not in sys.modules
model = pv.load_model(sys.argv[1])
for prediction in model.predict([sys.argv[3], "."]):
    print(prediction.file, prediction.species, prediction.reason, prediction.is_none_of_these)
pretrained = pv.load_model(species=["Panthera leo", "Neofelis nebulosa"])
for prediction in pretrained.predict(sys.argv[3]):
    print(prediction.species, pretrained.unknown_species, pretrained.description)
for hit in pv.load_index(sys.argv[2], model).search(sys.argv[3], k=2, species=["Panthera leo"]):
    print(hit.id, hit.species)
"""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_search(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture(scope="module")
def model(pipeline: Path) -> pv.Model:
    return pv.load_model(pipeline / "model_weights" / "best_model.pth", device="cpu")


@pytest.fixture(scope="module")
def index(pipeline: Path, model: pv.Model) -> pv.Index:
    return pv.load_index(pipeline / "faiss_index", model)


def photo(pipeline: Path, number: int) -> Path:
    return pipeline / "data" / "dataset_images" / f"{number}.png"


@pytest.mark.slow
def test_paths_folders_bytes_and_images_are_predicted_in_order(
    pipeline: Path, model: pv.Model
) -> None:
    path = photo(pipeline, 3)
    with Image.open(path) as image:
        inputs: list[PhotoInput] = [path, path.parent, path.read_bytes(), str(path), image]
        predictions = list(model.predict(inputs, batch_size=4))
    assert [Path(prediction.file).name for prediction in predictions] == [
        *("3.png", *(f"{number}.png" for number in range(10)), "", "3.png", ""),
    ]
    same = [predictions[number] for number in (0, 4, 11, 12, 13)]
    assert len({prediction.species for prediction in same}) == 1
    assert same[0].species in model.species
    for prediction in same:
        assert prediction.probability == pytest.approx(same[0].probability, abs=1e-4)
        assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-4)
        assert (prediction.reason, prediction.is_none_of_these) == ("", False)


def test_a_single_photo_needs_no_list(pipeline: Path, model: pv.Model) -> None:
    path = photo(pipeline, 0)
    for single in (path, str(path), path.read_bytes(), draw_photo("Panthera leo", 0)):
        assert len(list(model.predict(single))) == 1
    assert list(model.predict([])) == []


def test_photos_of_one_encounter_get_one_prediction(pipeline: Path, model: pv.Model) -> None:
    single = list(model.predict([photo(pipeline, 0), photo(pipeline, 0), b"not a photo"]))
    combined = model.combine(single)
    assert combined.species == single[0].species
    assert combined.probability >= single[0].probability
    assert combined.is_none_of_these == single[0].is_none_of_these
    assert model.combine(single[2:]).species == ""


def test_predictions_have_the_time_and_the_place_of_exif(tmp_path: Path, model: pv.Model) -> None:
    photo = write_camera_photo(tmp_path / "a.jpg")
    for form in (photo, photo.read_bytes(), Image.open(photo)):
        prediction = next(model.predict(form))
        assert prediction.taken_at == "2021-05-01T06:30:00"
        assert prediction.latitude == pytest.approx(-2.333333, abs=1e-5)


def test_an_unreadable_photo_is_a_result_with_a_reason(
    pipeline: Path, model: pv.Model, tmp_path: Path
) -> None:
    predictions = list(model.predict([tmp_path / "no.jpg", b"<html>", photo(pipeline, 0)]))
    assert [p.reason for p in predictions] == ["file missing", "not a photo", ""]
    missing = predictions[0]
    assert (missing.species, missing.probability, missing.is_none_of_these) == ("", 0.0, False)
    with pytest.raises(TypeError, match="int: a photo is a path, bytes or a PIL image"):
        list(model.predict([1]))  # type: ignore[list-item]


def test_folders_tell_what_cannot_be_read_and_names_are_found_in_either_unicode_form(
    model: pv.Model, tmp_path: Path
) -> None:
    file = tmp_path / "Йога.jpg"
    draw_photo("Panthera leo", 0).save(file)
    file.write_bytes(file.read_bytes()[:-2])
    (tmp_path / "lost").symlink_to("/mnt/not mounted")
    (tmp_path / "._x.jpg").write_bytes(b"leftover")
    decomposed = unicodedata.normalize("NFD", str(file))
    photo, lost, again = model.predict([tmp_path, decomposed])
    assert (photo.file, photo.note, photo.reason) == (str(file), "end marker missing", "")
    assert (lost.file, lost.reason) == (str(tmp_path / "lost"), "folder unreadable")
    assert (again.file, again.species) == (str(file), photo.species)


def test_without_a_path_the_pretrained_network_answers_and_says_so(pipeline: Path) -> None:
    model = pv.load_model(device="cpu")
    assert model.species == SPECIES
    assert "pretrained, not trained on your photos; accuracy 0.9" in model.description
    assert model.unknown_species == ()
    (prediction,) = model.predict(photo(pipeline, 0))
    assert prediction.is_none_of_these  # a drawing
    with pytest.raises(UserError, match="for the pretrained network only"):
        pv.load_model(pipeline / "model_weights" / "best_model.pth", species=["Panthera leo"])


def test_search_finds_the_photo_itself_with_its_file(pipeline: Path, index: pv.Index) -> None:
    assert len(index) == 10
    path = photo(pipeline, 4)
    for query in (path, path.read_bytes(), Image.open(path)):
        hits = index.search(query, k=3)
        assert (len(hits), hits[0].id, hits[0].species) == (3, "4", "Panthera uncia")
        assert hits[0].similarity == pytest.approx(1, abs=1e-4)
        assert Path(hits[0].file) == path.resolve()
        assert (hits[0].observer, hits[0].license) == ("observer 1", "")


def test_near_duplicates_are_one_hit_unless_asked_for_apart(
    pipeline: Path, index: pv.Index
) -> None:
    best = index.search(photo(pipeline, 0), k=1)[0]
    assert {best.id, *(duplicate.id for duplicate in best.near_duplicates)} == {"0", "9"}
    assert Path(best.near_duplicates[0].file).exists()
    hits = index.search(photo(pipeline, 0), k=2, group_duplicates=False)
    assert {hit.id for hit in hits} == {"0", "9"}


def test_filters_apply_within_the_search(pipeline: Path, index: pv.Index) -> None:
    hits = index.search(photo(pipeline, 0), species="panthera_uncia", licenses=["cc-by"])
    assert {hit.id for hit in hits} <= {"9"}
    assert {hit.id for hit in index.search(photo(pipeline, 0), observers="observer 1")} == {
        *("1", "4", "7")
    }
    with pytest.raises(UserError, match="Panthera tigra"):
        index.search(photo(pipeline, 0), species=["Panthera tigra"])


def test_errors_are_one_line(pipeline: Path, model: pv.Model, index: pv.Index) -> None:
    for failing in (
        lambda: pv.load_model(pipeline / "nothing.pth"),
        lambda: pv.load_index(pipeline / "nothing", model),
        lambda: index.search(pipeline / "nothing.jpg"),
        lambda: index.search(b"<html>"),
    ):
        with pytest.raises(UserError) as raised:
            failing()
        assert "\n" not in str(raised.value)


def test_importing_the_package_imports_nothing_else() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import panthera_vision"]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    line = next(line for line in report.splitlines() if line.endswith("| panthera_vision"))
    assert int(line.split("|")[1]) < 50_000  # microseconds
    assert not {"torch", "numpy", "PIL"} & {
        line.rpartition("|")[2].strip() for line in report.splitlines()
    }
    assert set(pv.__all__) <= set(dir(pv))
    with pytest.raises(AttributeError, match="no attribute 'load_nothing'"):
        _ = pv.load_nothing


def test_all_extras_together_are_what_the_pipelines_install() -> None:
    """`requirements.txt` pins every direct dependency but those of milvus and openvino."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = set(project["dependencies"])
    for extra in ("pipeline", "apps", "serve", "onnx"):
        names |= set(extras[extra])
    pinned = (REPOSITORY / "requirements.txt").read_text().lower().replace("-", "_")
    for name in names:
        assert f"\n{name.lower().replace('-', '_').replace('.', '_')}==" in pinned, name
    assert len(project["dependencies"]) <= 12


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel and its core dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    uv = Path(sys.prefix) / "bin" / "uv"
    if not uv.exists():
        pytest.skip("uv is not in this environment; `make setup` installs it")

    def run(*words: str | Path) -> None:
        subprocess.run([uv, *words], check=True, capture_output=True)

    run("build", "--wheel", "--out-dir", folder, REPOSITORY)
    run("venv", folder / "venv", "--python", sys.executable)
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    constraint = REPOSITORY / "requirements.txt"
    run("pip", "install", "--python", python, "--constraint", constraint, wheel)
    _copy_bytecode(Path(sysconfig.get_path("purelib")), folder / "venv")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    # Nothing outside the package: no .pth file that every start of Python would read.
    assert {name.split("/")[0] for name in names} == {
        *("panthera_vision", f"panthera_vision-{pv.__version__}.dist-info")
    }
    assert "panthera_vision/py.typed" in names
    return folder / "venv" / "bin"


def _copy_bytecode(packages: Path, environment: Path) -> None:
    """Copy what Python has compiled of the same files: compiling them anew takes ten seconds."""
    (target,) = environment.glob("lib/*/site-packages")
    for compiled in packages.rglob("__pycache__"):
        copy = target / compiled.relative_to(packages)
        if copy.parent.is_dir():
            copy.mkdir(exist_ok=True)
            for file in compiled.glob("*.pyc"):  # not what another process is just writing
                shutil.copy2(file, copy)


def in_environment(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(words, cwd=cwd, env=own, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_wheel_predicts_and_searches_with_core_dependencies_alone(
    installed: Path, pipeline: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_text("<html>")
    model, index = pipeline / "model_weights" / "best_model.pth", pipeline / "faiss_index"
    words = ("-c", EXAMPLE, model, index, photo(pipeline, 0))
    result = in_environment(installed / "python", *words, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    first, broken, untrained, *hits = result.stdout.splitlines()
    assert first.startswith(f"{photo(pipeline, 0)} Panthera ")
    assert broken == "broken.jpg  not a photo False"
    assert untrained.startswith(
        "Panthera leo ('Neofelis nebulosa',) efficientnet_lite0, pretrained"
    )
    assert set(hits) == {"0 Panthera leo", "5 Panthera leo"}


@pytest.mark.slow
def test_the_installed_command_predicts_and_names_missing_extras(
    installed: Path, pipeline: Path, tmp_path: Path
) -> None:
    panthera = installed / "panthera"
    options = ("--model", pipeline / "model_weights" / "best_model.pth")
    out = ("--out", "p.csv", *options)
    result = in_environment(panthera, "predict", photo(pipeline, 0), *out, cwd=tmp_path)
    assert result.stdout.startswith("predict: 1 photos classified"), result.stderr
    words = ("predict", photo(pipeline, 0), "--out", "untrained.csv")
    result = in_environment(panthera, *words, cwd=tmp_path)
    assert "pretrained, not trained on your photos" in result.stdout, result.stderr
    index = ("--index", pipeline / "faiss_index", *options)
    result = in_environment(panthera, "search", photo(pipeline, 0), *index, cwd=tmp_path)
    assert '"hits"' in result.stdout, result.stderr
    result = in_environment(panthera, "serve", *options, "--index", tmp_path, cwd=tmp_path)
    missing = "error: uvicorn is not installed: pip install 'panthera-vision[serve]'"
    assert result.stderr == missing + "\n"
    result = in_environment(panthera, "collect", cwd=tmp_path)
    assert result.returncode == 1
    assert "pip install 'panthera-vision[pipeline]'" in result.stderr
