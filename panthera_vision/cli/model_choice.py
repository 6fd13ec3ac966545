"""Choose the model of a command: the checkpoint that is named, a pipeline's, or none."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panthera_vision.models.checkpoint import TrainedModel


def add_model_arguments(
    parser: argparse.ArgumentParser, model: Path | None = None, settings: Path | None = None
) -> None:
    """Declare `--model` and `--species`, both of which may be left out.

    Args:
        parser: the command's.
        model: the checkpoint of a pipeline, which need not be there yet.
        settings: the pipeline's params.yaml, which names the species to distinguish until then.
    """
    trained = f"{model}, or before the first training " if model else ""
    parser.add_argument(
        "--model",
        type=Path,
        help=f"checkpoint (best_model.pth); default: {trained}the pretrained network, which was "
        "not trained on your photos",
    )
    parser.add_argument(
        "--species",
        action="append",
        help="species for the pretrained network to distinguish, such as 'Panthera leo'; "
        f"repeatable; default: {'those of params.yaml' if settings else 'the five of Panthera'}",
    )
    parser.set_defaults(default_model=model, settings=settings)


def chosen_checkpoint(arguments: argparse.Namespace) -> Path | None:
    """Return the checkpoint to use; None for the pretrained network.

    A checkpoint that the user names is used or fails; a pipeline's own is used if it is there.
    """
    named: Path | None = arguments.model
    default: Path | None = arguments.default_model
    return named or (default if default and default.exists() else None)


def chosen_species(arguments: argparse.Namespace) -> tuple[str, ...] | None:
    """Return the species for the pretrained network: named, of the settings, or None for its own.

    Raises:
        UserError: the settings can't be read.
    """
    if arguments.species:
        return tuple(arguments.species)
    if arguments.settings is None:
        return None
    from panthera_vision.parameters import PrepareParameters, read_parameters

    return read_parameters("prepare", PrepareParameters, arguments.settings).allowed_species


def load_chosen_model(arguments: argparse.Namespace) -> "TrainedModel":
    """Load the checkpoint, or build the pretrained model.

    Raises:
        UserError: the checkpoint can't be used, `--species` is given beside one, or the
            pretrained network knows none of the species.
    """
    from panthera_vision.models.pretrained import load_model_or_pretrained

    checkpoint = chosen_checkpoint(arguments)
    species = chosen_species(arguments) if checkpoint is None else arguments.species
    return load_model_or_pretrained(checkpoint, species)
