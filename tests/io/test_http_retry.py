import pytest

from panthera_vision.io.http_retry import MAX_RETRY_AFTER_S, parse_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("nan", 0.0),
        ("-nan", 0.0),
        ("inf", MAX_RETRY_AFTER_S),
        ("1e999", MAX_RETRY_AFTER_S),
        ("9" * 9999, MAX_RETRY_AFTER_S),
        ("-5", 0.0),
        ("Mon, 01 Jan 99999 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2299 00:00:00 GMT", MAX_RETRY_AFTER_S),
        ("tomorrow", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_parsed_and_bounded(value: str, seconds: float) -> None:
    assert parse_retry_after(value) == seconds
