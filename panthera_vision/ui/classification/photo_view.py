"""Show one photo: the answer, all probabilities, the Grad-CAM heatmap, similar photos."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
from PIL import Image

from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.prediction import Prediction
from panthera_vision.models.pretrained import is_pretrained
from panthera_vision.reporting.palette import COLORS
from panthera_vision.search.index.backend import BackendUnavailableError
from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.captions import credit_lines, species_caption
from panthera_vision.ui.classification.decision import Decision, certainty_key, decide
from panthera_vision.ui.classification.prediction_cache import Classified
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.thumbnails import load_thumbnail
from panthera_vision.ui.uploads import decode_upload

SIMILAR = 5
_AXIS = {"labelLimit": 240, "labelFontSize": 13, "ticks": False, "domain": False}
_SIMILAR_WIDTH = 150


@dataclass(frozen=True)
class PhotoView:
    """Show a classified photo with the model and, if there is one, its search index."""

    predictor: Predictor
    searcher: Searcher | None
    paths: ClassifierPaths
    t: Translator

    def show(
        self,
        classified: Classified,
        content: bytes,
        threshold: float,
        notes: Callable[[], None] = lambda: None,
    ) -> None:
        """Show a photo that has a prediction.

        Args:
            classified: the photo with its prediction.
            content: the bytes of its file.
            threshold: a species is named from this probability up.
            notes: shows what to know about the model, below the probabilities.
        """
        t, prediction = self.t, classified.prediction
        box = classified.detection.box if classified.detection else None
        photo = decode_upload(classified.name, content, box).photo
        if photo is None or prediction is None:
            return
        # The answer stands above the photo, not beside it: a phone shows columns below each other,
        # and the answer is what the visitor came for.
        headline = show_decision(prediction, threshold, t)
        left, right = st.columns([3, 4], gap="medium")
        with right:
            _show_probabilities(prediction, t)
            if prediction.is_none_of_these:
                st.caption(t("probabilities_presume"))
            notes()
        with left, st.container(key="photo"):
            alternative = t("photo_alt", name=classified.name, answer=headline)
            self._show_image(photo, classified, alternative)
            if box:
                words = t("whole_photo")
                st.image(classified.thumbnail, caption=words, width="stretch", alt=words)
        self._show_similar(photo, classified.key)

    def _show_image(self, photo: Image.Image, classified: Classified, alternative: str) -> None:
        """Show the photo, with the Grad-CAM heatmap over it if the visitor wants it."""
        t, key = self.t, classified.key
        frame, shown = st.empty(), photo
        if st.toggle(t("attention"), key=f"attention {key}", help=t("attention_help")):
            # These take a second to import.
            from panthera_vision.explain.feature_maps import NotExplainableError
            from panthera_vision.explain.gradcam import grad_cam
            from panthera_vision.ui.classification.overlay import blend_heatmap

            try:
                heatmap = grad_cam(self.predictor.model, photo)
            except NotExplainableError:
                st.caption(t("attention_unavailable"))
            else:
                strength: int = st.slider(
                    t("attention_strength"),
                    0,
                    100,
                    70,
                    format=t("slider_percent"),
                    key=f"strength {key}",
                )
                shown = blend_heatmap(photo, heatmap, strength / 100)
        frame.image(shown, caption=plain(classified.name), width="stretch", alt=alternative)

    def _show_similar(self, photo: Image.Image, key: str) -> None:
        st.header(self.t("similar_photos"), help=self.t("similar_help"))
        if self.searcher is None:
            pretrained = is_pretrained(self.predictor.model)
            st.markdown(self.t("no_similar_pretrained" if pretrained else "no_similar"))
            return
        try:
            groups = self.searcher.search(photo, SIMILAR + 1, group_duplicates=False).groups
        except BackendUnavailableError:
            st.caption(self.t("no_server"))
            return
        table = self.searcher.index.table
        hits = [(table.iloc[group.best.row].to_dict(), group.best) for group in groups]
        # An example is a photo of the collection itself.
        others = [(row, hit) for row, hit in hits if key != f"example {row['id']}"]
        with st.container(horizontal=True):
            for row, hit in others[:SIMILAR]:
                with st.container(width=_SIMILAR_WIDTH):
                    self._show_hit(row, hit.similarity)

    def _show_hit(self, row: dict[Any, str], similarity: float) -> None:
        thumbnail = load_thumbnail(self.paths.search, row["file"])
        if thumbnail is None:
            st.caption(self.t("photo_gone"))
        else:
            st.image(thumbnail, width=_SIMILAR_WIDTH, alt=self.t.species(row["species"]))
        lines = [
            species_caption(row["species"], self.t),
            self.t("similarity", value=self.t.number(similarity)),
            *credit_lines(row, self.t),
        ]
        st.caption("  \n".join(lines))


def show_decision(prediction: Prediction, threshold: float, t: Translator) -> str:
    """Show the answer and what supports it; return its headline."""
    likeliest = t.species(prediction.species)
    share = t.probability(prediction.probability)
    decision = decide(prediction, threshold)
    if decision is Decision.NONE_OF_THESE:
        headline = t("none_of_these", count=len(prediction.probabilities))
        st.header(headline)
        st.markdown(t("none_of_these_why", species=likeliest))
        return headline
    certainty = certainty_key(prediction.probability)
    if decision is Decision.UNSURE:
        headline = shown = t("unsure")
        least = t.percent(threshold, digits=0)
        why = t("unsure_why", threshold=least, species=likeliest, probability=share)
    else:
        headline, shown = f"{likeliest}, {share}", likeliest
        why = f"*{prediction.species}* · {t(certainty)}, {share}"
    st.header(shown)
    if certainty == "rather_unsure" and prediction.runner_up:
        other = t.probability(prediction.runner_up_probability)
        also = t("runner_up", species=t.species(prediction.runner_up), probability=other)
        why = f"{why}  \n{also}"
    st.markdown(why)
    return headline


def _show_probabilities(prediction: Prediction, t: Translator) -> None:
    shares = prediction.probabilities
    # The percentages are part of the axis labels, whose color follows the theme.
    labels = [f"{t.species(name)} · {t.probability(share)}" for name, share in shares.items()]
    table = pd.DataFrame({"label": labels, "scientific": list(shares), "share": shares.values()})
    tooltips = {"label": "probability", "scientific": "scientific_name"}
    # As a specification: importing Altair takes as long as the answer.
    bars = {
        "mark": {"type": "bar", "color": COLORS[1], "cornerRadiusEnd": 3, "height": 18},
        "height": 34 * len(table),
        "encoding": {
            "y": {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": _AXIS},
            "x": {
                "field": "share",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": None,
            },
            "tooltip": [
                {"field": field, "type": "nominal", "title": t(title)}
                for field, title in tooltips.items()
            ],
        },
    }
    st.markdown(f"**{t('probabilities')}**")
    words = f"{t('probabilities')}: {'; '.join(labels)}"
    st.vega_lite_chart(table, bars, width="stretch", alt=words)
