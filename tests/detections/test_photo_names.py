"""Names in a detector's file: of other systems and computers, and never outside the folder."""

from pathlib import Path

import pytest

from panthera_vision.detections.photo_names import MISSING, NO_NAME, OUTSIDE, PhotoNames


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cameras that number their photos alike, and photos beside the folder."""
    for name in ("study/cam1/IMG_1.JPG", "study/cam2/IMG_1.JPG", "study/IMG_7.JPG", "out.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path / "study"


def found(folder: Path, *names: str) -> list[str]:
    """The path below the folder that each name stands for, or the reason why there is none."""
    resolved = PhotoNames(folder, names)
    answers = [resolved.resolve(name) for name in names]
    return [path.relative_to(folder).as_posix() if path else reason for path, reason in answers]


def test_relative_names_with_slashes_backslashes_and_other_case(folder: Path) -> None:
    names = ("cam1/IMG_1.JPG", "cam2\\IMG_1.JPG", "./cam1//img_1.jpg", "cam3/IMG_1.JPG", "")
    assert found(folder, *names) == [
        *("cam1/IMG_1.JPG", "cam2/IMG_1.JPG", "cam1/IMG_1.JPG", MISSING, NO_NAME)
    ]


@pytest.mark.parametrize(
    "base", ["C:\\Users\\Ana\\study", "/mnt/disk/study", "\\\\server\\share\\study", "D:/study"]
)
def test_absolute_names_of_another_computer_are_found_by_what_they_begin_with(
    folder: Path, base: str
) -> None:
    names = [
        f"{base}\\{name}" for name in ("cam1\\IMG_1.JPG", "cam2\\IMG_1.JPG", "cam9\\IMG_7.JPG")
    ]
    elsewhere = "E:\\other\\cam1\\IMG_1.JPG"
    # IMG_7.JPG of camera 9 is not the IMG_7.JPG of the folder itself.
    assert found(folder, *names, elsewhere) == [
        *("cam1/IMG_1.JPG", "cam2/IMG_1.JPG", MISSING, OUTSIDE)
    ]


def test_absolute_names_on_this_computer_and_names_relative_to_a_folder_above(
    folder: Path,
) -> None:
    assert found(folder, str(folder / "cam1" / "IMG_1.JPG")) == ["cam1/IMG_1.JPG"]
    assert found(folder, "study/cam1/IMG_1.JPG", "study/cam2/IMG_1.JPG") == [
        *("cam1/IMG_1.JPG", "cam2/IMG_1.JPG")
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("../out.jpg", "cam1/../../out.jpg", "..\\out.jpg", "C:\\..\\out.jpg", "/etc/passwd"),
        *("cam1/IMG_1.JPG\0", "x" * 5000, "a/" * 300 + "b", "\ud800.jpg"),
    ],
)
def test_no_name_leads_out_of_the_folder_or_ends_the_run(folder: Path, name: str) -> None:
    assert found(folder, "cam1/IMG_1.JPG", name)[1] in {OUTSIDE, MISSING, NO_NAME}
    absolute = str(folder.parent / "out.jpg")
    assert found(folder, "cam1/IMG_1.JPG", absolute)[1] == OUTSIDE
