"""What people name on the command line: odd folders, odd tables, odd spellings, wrong outputs."""

import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from panthera_vision.batch.input_files import find_photos
from panthera_vision.batch.output_file import check_output, keep_earlier
from panthera_vision.batch.output_formats import COLUMNS, WRITERS, Row
from panthera_vision.errors import UserError
from panthera_vision.images import folders
from panthera_vision.images.kinds import SUFFIXES
from panthera_vision.io.file_names import find_spelling


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff")


def names(photos: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in photos]


def test_leftovers_of_systems_and_hidden_files_are_no_photos_and_are_counted(
    tmp_path: Path,
) -> None:
    photos = ["1.jpg", "2.JFIF", "sub/3.HIF"]
    leftovers = ["._1.jpg", ".hidden/4.jpg", "__MACOSX/._1.jpg", "@eaDir/1.jpg/THUMB.jpg"]
    leftovers += ["$RECYCLE.BIN/$R1.JPG", ".Trashes/501/1.jpg", "sub/.5.png", "Thumbs.db"]
    leftovers += ["System Volume Information/x.jpg", "lost+found/#1.jpg", "sub/desktop.ini"]
    touch(*(tmp_path / name for name in photos + leftovers))
    inputs = find_photos([tmp_path])
    assert names(inputs.photos, tmp_path) == photos
    assert f"{len(leftovers)} hidden or system files skipped" in inputs.skipped_note()
    # A person who names them wants them.
    assert len(find_photos([tmp_path / ".hidden", tmp_path / "._1.jpg"]).photos) == 2


def test_every_kind_that_is_read_is_found_in_folders_and_others_are_counted_by_suffix(
    tmp_path: Path,
) -> None:
    touch(*(tmp_path / f"a{suffix}" for suffix in SUFFIXES))
    touch(*(tmp_path / f"B{suffix.upper()}" for suffix in SUFFIXES))
    touch(tmp_path / "raw.CR2", tmp_path / "raw2.cr2", tmp_path / "film.mp4", tmp_path / "README")
    inputs = find_photos([tmp_path])
    assert len(inputs.photos) == 2 * len(SUFFIXES)
    assert {".jpe", ".jfif", ".jif", ".hif", ".heic", ".avif"} <= set(SUFFIXES)
    assert "4 other files skipped (2 .cr2, 1 without suffix, 1 .mp4)" in inputs.skipped_note()
    touch(tmp_path / "raw" / "1.nef")
    with pytest.raises(UserError, match=r"1 \.nef"):
        find_photos([tmp_path / "raw"])


def test_linked_folders_are_read_once_and_loops_end(tmp_path: Path) -> None:
    trip, elsewhere = tmp_path / "trip", tmp_path / "elsewhere"
    touch(trip / "1.jpg", trip / "sub" / "2.jpg", elsewhere / "3.jpg")
    (trip / "a link").symlink_to(elsewhere)
    (trip / "same").symlink_to(elsewhere)
    (trip / "again").symlink_to(trip / "sub")
    (trip / "sub" / "up").symlink_to(tmp_path)
    (trip / "loop").symlink_to(trip / "loop")
    (elsewhere / "back").symlink_to(trip)
    inputs = find_photos([trip])
    assert names(inputs.photos, trip) == ["1.jpg", "sub/2.jpg", "a link/3.jpg"]
    note = inputs.skipped_note()
    assert f"1 linked folders read, too ({trip / 'a link'})" in note
    assert f"1 links to a folder above not followed ({trip / 'sub' / 'up'})" in note


def test_folders_that_cannot_be_read_are_named_and_end_the_run_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "1.jpg", tmp_path / "locked" / "2.jpg")
    (tmp_path / "2020").symlink_to("/mnt/not mounted/2020")

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return os_scandir(path)

    os_scandir = os.scandir
    monkeypatch.setattr(folders.os, "scandir", scandir)
    inputs = find_photos([tmp_path])
    assert names(inputs.photos, tmp_path) == ["1.jpg"]
    with pytest.raises(UserError, match=r"2 folders can't be read") as caught:
        inputs.require_readable()
    assert str(tmp_path / "locked") in str(caught.value) and "2020" in str(caught.value)
    with pytest.raises(UserError, match=r"1 folders can't be read"):
        find_photos([tmp_path / "locked"])


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
def test_names_in_the_other_unicode_form_backslashes_and_other_case_are_found(
    tmp_path: Path, on_disk: str
) -> None:
    name = unicodedata.normalize(on_disk, "Йожик é.jpg")  # type: ignore[arg-type]
    folder = unicodedata.normalize("NFC", "Ёлки")
    touch(tmp_path / folder / name)
    other = "NFD" if on_disk == "NFC" else "NFC"
    for form in (on_disk, other):
        spelled = unicodedata.normalize(form, "Ёлки/Йожик é.jpg")  # type: ignore[arg-type]
        variants = (spelled, spelled.replace("/", "\\"), spelled.replace(".jpg", ".JPG"))
        for number, variant in enumerate(variants):
            table = tmp_path / f"{number}.csv"
            table.write_text(f"file\n{variant}\n", encoding="utf-8")
            assert find_photos([table]).photos == [tmp_path / folder / name]
            assert find_photos([tmp_path / variant]).photos == [tmp_path / folder / name]
    touch(tmp_path / "x.JPG", tmp_path / "X.jpg")
    assert find_spelling(tmp_path / "x.jpg") is None  # two files fit


def test_a_table_without_any_photo_names_one_path_that_was_looked_for(tmp_path: Path) -> None:
    table = tmp_path / "trip.csv"
    table.write_text("file\nphotos/1.jpg\nphotos/2.jpg\n")
    with pytest.raises(UserError, match="none of its 2 photos is there; looked for") as caught:
        find_photos([table])
    assert str(tmp_path / "photos" / "1.jpg") in str(caught.value)
    touch(tmp_path / "photos" / "1.jpg")
    assert len(find_photos([table]).photos) == 2  # the other one gets its reason


def test_a_named_table_may_name_photos_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tables").mkdir()
    touch(tmp_path / "photos" / "1.jpg", tmp_path / "photos" / "2.jpg")
    table = tmp_path / "tables" / "mine.csv"
    table.write_text(f"file\n{tmp_path / 'photos' / '1.jpg'}\n../photos/2.jpg\nphotos/2.jpg\n")
    monkeypatch.chdir(tmp_path)
    photos = find_photos([table]).photos
    assert [path.resolve().name for path in photos] == ["1.jpg", "2.jpg", "2.jpg"]


def write(rows: list[Row], out: Path) -> None:
    with out.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        WRITERS[out.suffix](rows, file, COLUMNS)


def test_outputs_of_predict_and_search_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = ["=1.jpg", "a;-2.jpg", os.fsdecode(b"caf\xe9.jpg"), 'x, "y".jpg', "кошка.jpg", "'q.jpg"]
    monkeypatch.chdir(tmp_path)
    paths = [Path("photos", name) for name in odd] + [Path("=top.jpg")]
    touch(*paths)
    rows: list[Row] = [{"file": str(path), "reason": ""} for path in paths]
    (tmp_path / "out").mkdir()
    for name in ("p.csv", "p.jsonl"):
        write(rows, Path("out", name))
        assert find_photos([Path("out", name)]).photos == paths
    text = json.dumps({"model": "", "photos": rows}, ensure_ascii=False)
    Path("out", "s.json").write_bytes(text.encode("utf-8", "backslashreplace"))
    assert find_photos([Path("out", "s.json")]).photos == paths
    Path("manifest.json").write_text('{"version": 1}')
    with pytest.raises(UserError, match="not an output of predict or search"):
        find_photos([Path("manifest.json")])


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg")
    for missing in ("no.jpg", "not mounted", "no.csv", "1.jpg/2.jpg"):
        with pytest.raises(UserError, match="not there"):
            find_photos([tmp_path / "1.jpg", tmp_path / missing])


def test_an_output_must_have_its_suffix_and_not_be_an_input(tmp_path: Path) -> None:
    photo, table = tmp_path / "1.jpg", tmp_path / "trip.csv"
    touch(photo, table)
    with pytest.raises(UserError, match=r"must end in \.json"):
        check_output(photo, (".json",), [])
    (tmp_path / "soft.csv").symlink_to(table)
    os.link(table, tmp_path / "hard.csv")
    for out in ("trip.csv", "soft.csv", "hard.csv", "sub/../trip.csv"):
        (tmp_path / "sub").mkdir(exist_ok=True)
        with pytest.raises(UserError, match="would overwrite the input"):
            check_output(tmp_path / out, WRITERS, [photo, table])
    (tmp_path / "folder.csv").mkdir()
    for out, words in (("folder.csv", "is a folder"), ("1.jpg/p.csv", "is not a folder")):
        with pytest.raises(UserError, match=words):
            check_output(tmp_path / out, WRITERS, [])
    check_output(tmp_path / "new" / "p.csv", WRITERS, [photo, table])


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "s.json"])
def test_earlier_results_of_other_photos_are_kept(tmp_path: Path, name: str) -> None:
    out = tmp_path / name

    def write_results(*files: str) -> None:
        rows: list[Row] = [{"file": file, "reason": ""} for file in files]
        rows.append({"file": "gone.jpg", "reason": "file missing"})
        if name == "s.json":
            out.write_text(json.dumps({"photos": rows}))
        else:
            write(rows, out)

    assert keep_earlier(out, []) == ""
    write_results("=a.jpg", "b.jpg")
    content = out.read_bytes()
    assert keep_earlier(out, ["b.jpg", "=a.jpg", "c.jpg"]) == ""
    assert list(tmp_path.iterdir()) == [out]
    assert f"kept as {name}.bak" in keep_earlier(out, ["b.jpg"])
    assert f"kept as {name}.bak2" in keep_earlier(out, [])
    assert out.with_name(f"{name}.bak2").read_bytes() == content


def test_a_table_of_the_user_is_kept_when_it_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "trip.csv"
    columns = ",".join(COLUMNS)
    for text in ("file,remark\na.jpg,mine\n", f"{columns},remark\n", "", "\0"):
        out.write_text(text)
        assert "kept as" in keep_earlier(out, ["a.jpg"])
    out.write_bytes("вид;файл\n".encode("cp1251"))
    assert "kept as" in keep_earlier(out, ["a.jpg"])
    assert len(list(tmp_path.iterdir())) == 6
