"""Choose the model that answers, the trained or the pretrained one, and say which it is.

The pretrained network answers until a model is trained. Beside a model that was trained on
synthetic pictures, which knows drawings only, the visitor may switch to it for real photos.
"""

import streamlit as st

from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.pretrained import is_pretrained, measured_accuracy, unknown_species
from panthera_vision.ui.classification import cache
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.paths import ClassifierPaths

_SWITCH, _CHOSEN = "pretrained switch", "pretrained chosen"


def load_answering_model(paths: ClassifierPaths) -> Predictor:
    """Load the model that answers this visitor.

    Raises:
        UserError: the trained model can't be used, or there is none and the pretrained network
            knows none of the species.
    """
    if not paths.model.exists():
        return cache.load_pretrained(paths)
    trained = cache.load_predictor(paths)
    if _is_synthetic(trained) and st.session_state.get(_CHOSEN):
        return cache.load_pretrained(paths)
    return trained


def trained_model_answers(paths: ClassifierPaths) -> bool:
    """Return whether the results of the pipeline are about the model that answers."""
    try:
        return not is_pretrained(load_answering_model(paths).model)
    except UserError:
        return True


def ask_for_model(paths: ClassifierPaths, t: Translator) -> None:
    """Show the switch in the sidebar, if the trained model knows synthetic pictures only.

    It belongs on every page, drawn by the entry script: the browser forgets a widget that is gone.
    A callback keeps its value all the same, for a moment in which the model is being replaced.
    """
    try:
        offered = paths.model.exists() and _is_synthetic(cache.load_predictor(paths))
    except UserError:
        offered = False
    if offered:
        st.sidebar.toggle(
            t("use_pretrained"),
            st.session_state.get(_CHOSEN, False),
            help=t("use_pretrained_help"),
            key=_SWITCH,
            on_change=_keep,
        )


def show_model_notes(predictor: Predictor, paths: ClassifierPaths, t: Translator) -> None:
    """Say that the model was trained on synthetic pictures, or not at all, and what it is worth."""
    model = predictor.model
    if not is_pretrained(model):
        if _is_synthetic(predictor):
            st.info(t("synthetic") + " " + t("try_pretrained"))
        return
    st.info(pretrained_note(predictor, t))
    if unknown := unknown_species(model):
        names = (plain(t.species(name)) for name in unknown)
        st.warning(t("unknown_species", species=", ".join(names)))
    if not paths.model.exists():
        st.markdown(t("train_own"))  # a caption is too pale for its command


def pretrained_note(predictor: Predictor, t: Translator) -> str:
    """Return a text that says that the model was not trained, and its measured accuracy."""
    measured = measured_accuracy(predictor.model)
    if measured is None:
        return f"{t('pretrained')} {t('pretrained_unmeasured')}"
    shares = {name: t.percent(getattr(measured, name)) for name in ("accuracy", "low", "high")}
    return f"{t('pretrained')} {t('pretrained_accuracy', photos=measured.photos, **shares)}"


def _is_synthetic(predictor: Predictor) -> bool:
    return bool(predictor.model.training.get("synthetic_photos"))


def _keep() -> None:
    st.session_state[_CHOSEN] = st.session_state[_SWITCH]
