"""A folder of camera-trap photos and the file that a detector might have written for it."""

import json
from pathlib import Path
from typing import Any

from ..conftest import SPECIES, draw_photo

INFO = {
    "format_version": "1.4",
    "detector": "md_v5a.0.1.pt",
    "detector_metadata": {"megadetector_version": "v5a.0.1", "typical_detection_threshold": 0.2},
}
CATEGORIES = {"1": "animal", "2": "person", "3": "vehicle"}


def detection(
    confidence: Any = 0.9, box: Any = (0.25, 0.25, 0.5, 0.5), category: str = "1", **extra: Any
) -> dict[str, Any]:
    box = list(box) if isinstance(box, tuple) else box
    return {"category": category, "conf": confidence, "bbox": box, **extra}


def animal_of(seed: int, where: tuple[int, int, int, int], folder: Path, name: str) -> None:
    """A gray photo of 400×300 with the colour of a species in a rectangle."""
    photo = draw_photo("Panthera uncia", seed, (400, 300)).convert("L").convert("RGB")
    left, top, width, height = where
    photo.paste(draw_photo(SPECIES[seed % 5], seed, (width, height)), (left, top))
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    photo.save(folder / name, quality=95)


def write_json(path: Path, images: list[Any], **members: Any) -> Path:
    content = {"info": INFO, "detection_categories": CATEGORIES, "images": images, **members}
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path


def make_folder(folder: Path) -> Path:
    """Six photos in two cameras' folders; returns the detector's file beside the folder."""
    for number in range(4):
        animal_of(number, (100, 75, 200, 150), folder, f"cam1/IMG_{number}.JPG")
    animal_of(4, (0, 0, 400, 150), folder, "cam2/IMG_0.JPG")
    animal_of(5, (300, 200, 100, 100), folder, "cam2/unknown.jpg")
    images = [
        {
            "file": "cam1/IMG_0.JPG",
            "max_detection_conf": 0.926,
            "detections": [
                detection(0.926, frame_note="kept"),
                detection(0.3, (0.0, 0.0, 0.1, 0.1)),
                detection(0.1, (0.5, 0.5, 0.1, 0.1)),
            ],
            "datetime": "2024:01:02 03:04:05",
        },
        {"file": "cam1/IMG_1.JPG", "detections": [detection(0.19)]},
        {"file": "cam1\\IMG_2.JPG", "detections": [detection(0.8, category="2"), detection(0.7)]},
        {"file": "cam1/img_3.jpg", "detections": [detection(0.6, category="3")]},
        {"file": "cam2/IMG_0.JPG", "detections": [detection(1.0, (-0.01, 0.0, 1.02, 0.5))]},
        {"file": "cam2/broken.jpg", "failure": "Failure image access", "detections": None},
        {"file": "cam2/gone.jpg", "detections": [detection()]},
    ]
    (folder / "cam2" / "broken.jpg").write_bytes(b"no photo")
    return write_json(folder.parent / "md.json", images)
