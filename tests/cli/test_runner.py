"""A wrong path given to a command ends in one line, not in a traceback."""

import argparse
from pathlib import Path

import pytest

from panthera_vision.cli import serve
from panthera_vision.cli.runner import build_parser, day, run


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (".", "Is a directory: ."),
        ("file.csv/index.json", "Not a directory: file.csv/index.json"),
        ("x" * 300, "File name too long: xxx"),
        ("loop", "Too many levels of symbolic links: loop"),
    ],
)
def test_wrong_kind_of_path_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    path: str,
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file.csv").touch()
    Path("loop").symlink_to("loop")

    def read(_: argparse.Namespace) -> str:
        return Path(path).read_text()

    with pytest.raises(SystemExit, match="1"):
        run(read, argparse.ArgumentParser(), [])
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {reason}")
    assert printed.err.count("\n") == 1


def test_date_in_another_notation_is_refused_with_the_right_one() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"'31\.12\.2020' is no date; write 2020-"):
        day("31.12.2020")


def test_impossible_port_is_refused_before_the_model_is_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser(serve, model=Path("m"), index=Path("i")).parse_args(["--port", "99999"])
    assert "99999 is no port; ports are 1 to 65535" in capsys.readouterr().err
