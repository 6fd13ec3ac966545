"""Fuzz the decoder: hundreds of damaged photos here, a hundred thousand in `make test-faults`."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from .fuzzing import DecodingChild, damaged_photos, drawn_seeds, real_seeds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
MOST_MEMORY = 512  # MiB
MANY = int(os.environ.get("FUZZ_INPUTS", "100000"))
SEEDS = drawn_seeds() + real_seeds()


def decode_damaged(child: DecodingChild, count: int) -> None:
    """Decode so many damaged photos."""

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged_photos(SEEDS))
    def taken(data: bytes) -> None:
        child.take(data)

    taken()


def require_bounds(child: DecodingChild, count: int) -> None:
    slowest, peak = child.slowest, child.peak()
    print(
        f"\n{child.outcomes.total()} inputs, at most {peak} MiB and {slowest:.2f} s: "
        + ", ".join(f"{number} {outcome}" for outcome, number in child.outcomes.most_common())
    )
    assert child.outcomes.total() >= count
    assert child.outcomes["picture"]  # else nothing past the header was ever read
    assert child.outcomes["broken photo"]
    assert peak < MOST_MEMORY


def test_a_damaged_photo_gives_an_image_or_a_reason(tmp_path: Path) -> None:
    with DecodingChild(tmp_path) as child:
        decode_damaged(child, 300)
        require_bounds(child, 300)


@pytest.mark.faults
def test_a_hundred_thousand_damaged_photos_crash_nothing(tmp_path: Path) -> None:
    with DecodingChild(tmp_path) as child:
        decode_damaged(child, MANY)
        require_bounds(child, MANY)
