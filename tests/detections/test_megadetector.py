"""Files of MegaDetector, AddaxAI and SpeciesNet, as they are and as they should not be."""

import json
from pathlib import Path
from typing import Any

import pytest

from panthera_vision.detections.megadetector import DetectionFile, open_detections
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError
from panthera_vision.io import json_stream

from .made_detections import INFO, detection, write_json


def kinds(source: DetectionFile, threshold: float = 0.2) -> list[list[tuple[Any, ...]]]:
    return [
        [(found.number, found.kind, found.reason) for found in source.detections(record, threshold)]
        for record in source.records()
    ]


def test_detections_above_the_threshold_have_their_kind_and_invalid_ones_a_reason(
    tmp_path: Path,
) -> None:
    found = [
        detection(0.2),
        detection(0.199),
        detection(0.9, category="2"),
        detection(0.9, category="7"),
        detection("0.9"),
        detection(float("nan")),
        detection(1.5),
        detection(0.9, (0.1, 0.1, 0.2, 0.0)),
        "no detection",
        detection(0.9, category="3"),
    ]
    source = open_detections(write_json(tmp_path / "md.json", [{"file": "a", "detections": found}]))
    assert source.photos == 1
    assert kinds(source) == [
        [
            (0, "animal", ""),
            (2, "person", ""),
            (3, None, "unknown category"),
            *((number, None, "invalid confidence") for number in (4, 5, 6)),
            (7, None, "box without area"),
            (8, None, "invalid confidence"),
            (9, "vehicle", ""),
        ]
    ]


@pytest.mark.parametrize(
    ("info", "threshold"),
    [
        ({"detector_metadata": {"typical_detection_threshold": 0.35}}, 0.35),
        ({"typical_detection_threshold": 0.4}, 0.4),
        ({"detector": "md_v5a.0.0.pt"}, 0.2),
        ({"detector": "C:\\models\\md_v4.1.0.pb"}, 0.8),
        ({"detector": "megadetector_v3.pb"}, 0.8),
        ({"detector": "md_v1000.0.0-redwood.pt"}, 0.3),
        ({"detector": "mine.pt", "detector_metadata": {"typical_detection_threshold": "x"}}, 0.2),
        ({"format_version": "1.1"}, 0.8),
        ({}, 0.2),
    ],
)
def test_the_threshold_is_the_files_own_or_that_of_the_detectors_version(
    tmp_path: Path, info: dict[str, Any], threshold: float
) -> None:
    source = open_detections(write_json(tmp_path / "md.json", [], info=info))
    assert source.threshold == threshold


def test_photos_that_the_detector_could_not_read_and_videos_have_a_reason(tmp_path: Path) -> None:
    images = [
        {"file": "a.jpg", "failure": "Failure image access", "detections": None},
        {"file": "a.MP4", "frame_rate": 25, "detections": [detection(frame_number=3)]},
        {"file": "b.jpg"},
        {"file": "b.jpg", "detections": [detection(0.001)] * 1001},
        7,
    ]
    source = open_detections(write_json(tmp_path / "md.json", images))
    reasons = []
    for record in source.records():
        with pytest.raises(PhotoError) as refused:
            source.detections(record, 0.2)
        reasons.append(refused.value.reason)
    assert reasons == [
        *("detector failed", "video", "no detections given", "too many boxes"),
        "no detections given",
    ]


def test_addaxai_keeps_the_detectors_answer_behind_its_classifiers(tmp_path: Path) -> None:
    found = [
        detection(0.99, category="4", prev_category="1", prev_conf=0.5),
        detection(0.99, category="4", prev_category="1", prev_conf=0.1),
        detection(1.0, category="4"),
        detection(0.9),
    ]
    path = write_json(
        tmp_path / "image_recognition_file.json",
        [{"file": "a.jpg", "detections": found}],
        info=INFO | {"addaxai_metadata": {"version": "5.2"}},
        detection_categories={"1": "unidentified animal", "2": "person", "4": "jaguar"},
    )
    assert kinds(open_detections(path)) == [
        [(0, "animal", ""), (2, "animal", ""), (3, "animal", "")]
    ]


def test_speciesnet_calls_people_human_and_photos_filepath(tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    predictions = [
        {
            "filepath": "C:\\p\\a.jpg",
            "detections": [
                detection(label="animal"),
                detection(0.8, category="2", label="human"),
            ],
            "prediction": "x;mammalia;carnivora;felidae;panthera;leo;lion",
        },
        {"filepath": "C:\\p\\b.jpg", "failures": ["DETECTOR"]},
        {"filepath": "c.jpg", "failures": ["CLASSIFIER"], "detections": []},
    ]
    path.write_text(json.dumps({"predictions": predictions}), encoding="utf-8")
    source = open_detections(path)
    animal, failed, blank = source.records()
    assert animal["file"] == "C:\\p\\a.jpg"
    assert [found.kind for found in source.detections(animal, 0.2)] == ["animal", "person"]
    with pytest.raises(PhotoError, match="detector failed"):
        source.detections(failed, 0.2)
    assert source.detections(blank, 0.2) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "is no valid JSON object"),
        ("", "is no valid JSON object"),
        ('{"images": [{"file": "a"}', "is no valid JSON object"),
        ('{"images": [{"file": "a"} {"file": "b"}]}', "a comma or the end of the array"),
        ('{"images": [' + "[" * 200_000, "in a value"),
        ('{"images": []} {', "behind the end"),
        ('{"annotations": []}', "needs a list 'images'"),
        ('{"info": {"format_version": "2.0"}, "images": []}', "versions 1.0 to 1.6"),
        ("\x89PNG\r\n", "is no valid JSON object"),
    ],
)
def test_a_file_that_is_none_of_a_detector_ends_in_one_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "md.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=problem) as error:
        open_detections(path)
    assert "\n" not in str(error.value)


def test_values_that_are_cut_by_the_chunks_of_reading_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [{"file": f"é{number}" * 9, "n": 12345.678 * number} for number in range(30)]
    content = {"images": images, "number": 1234567, "text": 'a"b', "empty": {}, "last": True}
    path = tmp_path / "md.json"
    path.write_text("\ufeff" + json.dumps(content, ensure_ascii=False, indent=3), encoding="utf-8")
    for chunk in (1, 7, 64):
        monkeypatch.setattr(json_stream, "_CHUNK", chunk)
        monkeypatch.setattr(json_stream, "_NEAR_END", 16)
        members = list(json_stream.stream_members(path, ("images",)))
        assert [value for key, value in members if key == "images"] == images
        assert dict(members[30:]) == {k: v for k, v in content.items() if k != "images"}
