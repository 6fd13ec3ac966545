"""The figures that the package tells of the pretrained network are those that were measured."""

import numpy as np

from benchmarks.pretrained import Photos, at_threshold, auroc, rows_of, scores
from panthera_vision.models.pretrained import MEASURED, OOD_THRESHOLD, PANTHERA, TEMPERATURE

from ..conftest import REPOSITORY


def test_the_shipped_figures_are_those_of_the_report() -> None:
    report = (REPOSITORY / "benchmarks" / "pretrained.md").read_text(encoding="utf-8")
    assert f"temperature: {TEMPERATURE:.3f} (shipped: {TEMPERATURE})" in report
    assert f"threshold: {OOD_THRESHOLD:.3f} (shipped: {OOD_THRESHOLD})" in report
    accuracy = f"{MEASURED.accuracy:.3f} ({MEASURED.low:.3f}–{MEASURED.high:.3f})"
    assert f"| second_source | {MEASURED.photos} | {accuracy} |" in report


def test_every_candidate_score_tells_strangers_and_any_species_can_be_allowed() -> None:
    random = np.random.default_rng(1)

    def photos(*rows: int) -> np.ndarray:
        logits = random.normal(0, 1, (20, 1000))
        logits[:, list(rows)] += 12
        return logits

    known = Photos(
        {name: photos(row) for name, row in zip(PANTHERA, rows_of(PANTHERA), strict=True)}
    )
    strange = Photos({"Acinonyx jubatus": photos(293), "Caracal caracal": photos(286, 287)})
    first, second = strange.halves()
    assert [len(half.all) for half in (first, second)] == [20, 20]
    for name, score in scores(known).items():
        assert auroc(score, known, strange) == 1, name
    table = at_threshold(known, strange, OOD_THRESHOLD)
    assert "| all five | 0.000 (0.000–0.000) | 1.000 (1.000–1.000) |" in table
    assert "| Acinonyx jubatus | 0.000 (0.000–0.000) | 1.000 (1.000–1.000) |" in table
