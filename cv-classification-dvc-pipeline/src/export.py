"""The best model → models/best_model.onnx, verified against PyTorch on random and test photos."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser

PHOTOS_TO_COMPARE = 8


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import of_split, photo_paths, read_photos
    from panthera_vision.export.onnx import export_onnx
    from panthera_vision.images.decoding import open_photo
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.io.atomic import write_json
    from panthera_vision.models.checkpoint import load_checkpoint

    configure_process()
    test = of_split(read_photos(arguments.photos, splits=True), "test").head(PHOTOS_TO_COMPARE)
    model = load_checkpoint(arguments.model)
    photos = [
        model.preprocessing(open_photo(path))
        for path in photo_paths(test, arguments.photos.parent, [arguments.images])
    ]
    differences = export_onnx(model, arguments.onnx, photos)
    write_json(arguments.metrics, {"largest_difference_to_pytorch": differences})
    return (
        f"export: {', '.join(differences)} of {model.backbone.name}, within "
        f"{max(differences.values()):.1e} of PyTorch's; {arguments.onnx}"
    )


parser = stage_parser(
    __doc__,
    photos="the table of `download`",
    images="the folder that all photos must lie in",
    model="the checkpoint of `train`",
    onnx="the ONNX file to write",
    metrics="the measured differences to write",
)

if __name__ == "__main__":
    run(main, parser)
