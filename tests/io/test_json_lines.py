from pathlib import Path

import pytest

from panthera_vision.io.json_lines import JsonLinesLog

HEADER = {"model": "a"}


def records(path: Path, header: dict[str, str] | None = None) -> list[dict[str, object]]:
    with JsonLinesLog(path, header) as log:
        return [record for _, record in log]


@pytest.mark.parametrize("header", [None, HEADER])
def test_appended_records_are_read_back_in_order(
    tmp_path: Path, header: dict[str, str] | None
) -> None:
    path = tmp_path / "new folder" / "log.jsonl"
    with JsonLinesLog(path, header) as log:
        offsets = [log.append({"n": n, "name": "лев \udc80"}) for n in range(3)]
        assert log.read(offsets[1]) == {"n": 1, "name": "лев \udc80"}
        assert [offset for offset, _ in log] == offsets
        log.append({"n": 3})
    assert [record["n"] for record in records(path, header)] == [0, 1, 2, 3]


def test_a_record_is_on_disk_before_the_log_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with JsonLinesLog(path) as log:
        log.append({"n": 1})
        assert records(path) == [{"n": 1}]


@pytest.mark.parametrize("cut", range(1, 13))
def test_a_half_written_last_line_costs_only_its_own_record(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "log.jsonl"
    with JsonLinesLog(path, HEADER) as log:
        log.append({"n": 1})
        log.append({"n": 22222})
    path.write_bytes(path.read_bytes()[:-cut])
    with JsonLinesLog(path, HEADER) as log:
        log.append({"n": 3})
    expected = [{"n": 1}, {"n": 3}]
    if cut == 1:  # only the line break is missing
        expected.insert(1, {"n": 22222})
    assert records(path, HEADER) == expected


def test_lines_that_are_no_json_object_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'\n5\n[1]\n\xff\xfe\0\n{"n": 1}\n' + b"[" * 100_000 + b'\n{"n": 2}\n{"n"')
    assert records(path) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("content", [b'{"model": "b"}\n{"n": 1}\n', b'{"mod', b"no JSON\n"])
def test_a_log_with_another_header_is_emptied(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    assert records(path, HEADER) == []
    with JsonLinesLog(path, HEADER) as log:
        log.append({"n": 2})
    assert records(path, HEADER) == [{"n": 2}]
    assert path.read_bytes() == b'{"model": "a"}\n{"n": 2}\n'


def test_a_removed_log_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with JsonLinesLog(path, HEADER) as log:
        log.remove()
    assert not path.exists()
