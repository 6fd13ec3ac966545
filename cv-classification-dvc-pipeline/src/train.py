"""Fine-tune the backbone on the train split → models/best_model.pth and the history.

`torchrun --nproc-per-node 2 src/train.py …` shares the work among processes; see
docs/distributed.md.
"""

import argparse
import sys
from functools import partial

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import read_photos
    from panthera_vision.distributed import init_distributed
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import save_checkpoint
    from panthera_vision.parameters import TrainParameters, read_parameters
    from panthera_vision.training.dataset import load_training_data
    from panthera_vision.training.history import HistoryWriter
    from panthera_vision.training.split_leakage import leakage_warning
    from panthera_vision.training.trainer import fine_tune

    configure_process()
    parameters = read_parameters("train", TrainParameters)
    photos = read_photos(arguments.photos, splits=True)
    data = load_training_data(photos, arguments.photos.parent, arguments.images)
    state = arguments.model.with_name("training_state.pth")
    with init_distributed() as processes:
        processes.require_same((photos.to_csv(), parameters), "the table of photos or params.yaml")
        train = partial(fine_tune, parameters, data, state_file=state, processes=processes)
        if not processes.is_main:
            train()
            return ""
        warning = leakage_warning(
            photos, arguments.photos.parent, arguments.images, parameters.num_threads
        )
        if warning:
            print(f"train: {warning}", file=sys.stderr, flush=True)
        with HistoryWriter(arguments.history, arguments.live) as history:
            model = train(on_epoch=history.add)
    save_checkpoint(model, arguments.model)
    state.unlink(missing_ok=True)
    best = model.training
    return (
        f"train: {len(data.train.paths)} photos, {parameters.epochs} epochs; best is epoch "
        f"{best['epoch']} with validation accuracy {best['validation_accuracy']:.3f}; "
        f"{arguments.model}"
    )


parser = stage_parser(
    __doc__,
    photos="the table of `download`",
    images="the folder that all photos must lie in",
    model="the checkpoint to write",
    history="the history to write, every epoch and the best",
    live="folder for DVCLive, to be watched by `dvc plots`",
)

if __name__ == "__main__":
    run(main, parser)
