"""Damaged photos by the hundred here, by the hundred thousand in `make test-faults`."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from .fuzzing import Patient, damaged_photos, drawn_seeds, real_seeds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
MOST_MEMORY = 512  # MiB
MANY = int(os.environ.get("FUZZ_INPUTS", "100000"))
SEEDS = drawn_seeds() + real_seeds()


def try_on(patient: Patient, count: int) -> None:
    """So many inputs, each of which gives a picture or a reason."""

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged_photos(SEEDS))
    def taken(data: bytes) -> None:
        patient.take(data)

    taken()


def require_bounds(patient: Patient, count: int) -> None:
    slowest, peak = patient.slowest, patient.peak()
    print(
        f"\n{patient.outcomes.total()} inputs, at most {peak} MiB and {slowest:.2f} s: "
        + ", ".join(f"{number} {outcome}" for outcome, number in patient.outcomes.most_common())
    )
    assert patient.outcomes.total() >= count
    assert patient.outcomes["picture"]  # else nothing past the header was ever read
    assert patient.outcomes["broken photo"]
    assert peak < MOST_MEMORY


def test_a_damaged_photo_gives_a_picture_or_a_reason(tmp_path: Path) -> None:
    with Patient(tmp_path) as patient:
        try_on(patient, 300)
        require_bounds(patient, 300)


@pytest.mark.faults
def test_a_hundred_thousand_damaged_photos_do_no_harm(tmp_path: Path) -> None:
    with Patient(tmp_path) as patient:
        try_on(patient, MANY)
        require_bounds(patient, MANY)
