"""The page "How good is it?": figures with intervals, and the photos behind them."""

from functools import partial
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from classifier_pages import loaded
from panthera_vision.apps import quality_figures
from panthera_vision.apps.captions import credit_lines
from panthera_vision.apps.quality_figures import Quality
from panthera_vision.apps.texts import QUALITY, number, percent, text
from panthera_vision.errors import UserError
from panthera_vision.palette import COLOURS
from panthera_vision.photo_table import photo_path, read_photos
from panthera_vision.photos.decoding import PhotoError, read_photo
from panthera_vision.taxa import Language, common_name

MODEL_CARD = loaded.MODEL.with_name("MODEL_CARD.md")
_PHOTO_WIDTH = 150
_MOST_PHOTOS = 24
_MATRIX = "confusion matrix"
_CELL = ("confusion actual", "confusion predicted")


def show_quality(language: Language) -> None:
    """What `evaluate` found."""
    say = partial(text, QUALITY, language)
    st.title(say("title"))
    try:
        quality = quality_figures.read_quality(loaded.RESULTS)
    except UserError as problem:
        st.warning(say("no_results", problem=problem))
        st.subheader(say("what_to_run"))
        st.markdown(say("no_results_help"))
        return
    st.markdown(say("intro", count=len(quality.predictions)))
    _show_headline(quality, language)
    _show_confusions(quality, language)
    left, right = st.columns(2, gap="large")
    with left:
        _show_reliability(quality, language)
    with right:
        _show_risk(quality, language)
    _show_species(quality, language)
    _show_none_of_these(quality, language)
    if MODEL_CARD.is_file():
        card = MODEL_CARD.read_text(encoding="utf-8")
        with st.expander(say("model_card")):
            st.markdown(card)
            st.download_button(
                say("take_card"), card, MODEL_CARD.name, "text/markdown", on_click="ignore"
            )


def _show_headline(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    intervals = quality.certainty.get("interval_95", {})
    columns = st.columns(3)
    for column, key in zip(columns, ("accuracy", "macro_f1"), strict=False):
        value = quality.metrics.get(key)
        if value is None:
            continue
        column.metric(say(key), percent(value, language))
        if key in intervals:
            low, high = (percent(intervals[key][end], language) for end in ("low", "high"))
            column.caption(say("interval", low=low, high=high))
    calibrated = quality.certainty.get("calibrated", {})
    if "ece" in calibrated:
        columns[2].metric(say("ece"), percent(calibrated["ece"], language))


def _show_confusions(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    st.subheader(say("confusions"))
    st.caption(say("confusions_help"))
    table = quality_figures.confusions(quality)
    table["true name"] = [common_name(name, language) for name in table["actual"]]
    table["named as"] = [common_name(name, language) for name in table["predicted"]]
    for key, species in zip(_CELL, quality_figures.largest_confusion(table), strict=True):
        if st.session_state.get(key) not in quality.species:
            st.session_state[key] = species
    st.altair_chart(
        _matrix(table, language),
        key=_MATRIX,
        on_select=_take_cell,
        alt=say(
            "matrix_alt",
            cells=" ".join(
                say("matrix_cell", actual=row[0], predicted=row[1], count=row[2])
                for row in table[["true name", "named as", "photos"]].itertuples(index=False)
                if row[2]
            ),
        ),
    )
    names = partial(common_name, language=language)
    actual_box, predicted_box = st.columns(2)
    actual = actual_box.selectbox(say("actual"), quality.species, format_func=names, key=_CELL[0])
    predicted = predicted_box.selectbox(
        say("predicted"), quality.species, format_func=names, key=_CELL[1]
    )
    _show_cell(quality_figures.photos_of(quality, actual, predicted), language)


def _take_cell() -> None:
    """A click on a cell of the matrix chooses its two species."""
    for point in st.session_state[_MATRIX].selection.get("cell", []):
        for key, field in zip(_CELL, ("actual", "predicted"), strict=True):
            st.session_state[key] = point[field]


def _matrix(table: pd.DataFrame, language: Language) -> alt.LayerChart:
    say = partial(text, QUALITY, language)
    cell = alt.selection_point(name="cell", fields=["actual", "predicted"])
    base = alt.Chart(table).encode(
        x=alt.X("named as:N", sort=None, title=say("predicted"), axis=alt.Axis(labelAngle=-35)),
        y=alt.Y("true name:N", sort=None, title=say("actual")),
        tooltip=[
            alt.Tooltip("true name:N", title=say("actual")),
            alt.Tooltip("named as:N", title=say("predicted")),
            alt.Tooltip("photos:Q", title=say("photos")),
        ],
    )
    squares = base.mark_rect(cursor="pointer").encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=None),
        opacity=alt.condition(cell, alt.value(1.0), alt.value(0.6)),
    )
    counts = base.mark_text(fontSize=15).encode(
        text="photos:Q",
        color=alt.condition("datum.share > 0.5", alt.value("black"), alt.value("white")),
    )
    chart: alt.LayerChart = (squares.add_params(cell) + counts).properties(height=380)
    return chart


def _show_cell(cell: pd.DataFrame, language: Language) -> None:
    say = partial(text, QUALITY, language)
    if cell.empty:
        st.caption(say("no_photos_in_cell"))
        return
    st.caption(say("photos_in_cell", count=len(cell)))
    credits = _credits()
    with st.container(horizontal=True):
        for row in cell.head(_MOST_PHOTOS).to_dict("records"):
            with st.container(width=_PHOTO_WIDTH):
                _show_photo(row, credits.get(row["id"], {}), language)


def _show_photo(row: dict[Any, Any], credit: dict[Any, str], language: Language) -> None:
    say = partial(text, QUALITY, language)
    share = percent(row["probability"], language)
    named = f"{common_name(row['predicted'], language)}, {share}"
    try:
        path = photo_path(row["file"], loaded.PIPELINE, [loaded.PHOTO_FOLDER.resolve()])
        st.image(read_photo(path), width=_PHOTO_WIDTH, alt=named)
    except (PhotoError, UserError):
        st.caption(say("photo_gone"))
    st.caption("  \n".join([f"**{named}**", *credit_lines(credit, QUALITY, language)]))


def _credits() -> dict[str, dict[Any, str]]:
    """The table's rows by id, for their credits; empty where the table is gone."""
    try:
        rows = read_photos(loaded.PHOTOS).to_dict("records")
    except UserError:
        return {}
    return {row["id"]: row for row in rows}


def _show_reliability(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    st.subheader(say("reliability"))
    st.caption(say("reliability_help"))
    table = quality_figures.reliability(quality)
    share = alt.Scale(domain=[0, 1])
    x = alt.X("confidence:Q", scale=share, title=say("confidence"), axis=alt.Axis(format="%"))
    y = alt.Y("accuracy:Q", scale=share, title=say("accuracy"), axis=alt.Axis(format="%"))
    honest = (
        alt.Chart(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]}))
        .mark_line(color="#888888", strokeDash=[6, 4])
        .encode(x=x, y=y)
    )
    points = (
        alt.Chart(table)
        .mark_circle(color=COLOURS[1], opacity=0.85)
        .encode(
            x=x,
            y=y,
            size=alt.Size("photos:Q", scale=alt.Scale(range=[40, 500]), legend=None),
            tooltip=[
                alt.Tooltip("confidence:Q", title=say("confidence"), format=".1%"),
                alt.Tooltip("accuracy:Q", title=say("accuracy"), format=".1%"),
                alt.Tooltip("photos:Q", title=say("photos")),
            ],
        )
    )
    listed = "; ".join(
        f"{percent(row['confidence'], language)} → {percent(row['accuracy'], language)}"
        for row in table.to_dict("records")
    )
    st.altair_chart(
        (honest + points).properties(height=320),
        alt=say("chart_alt", title=say("reliability"), points=listed),
    )


def _show_risk(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    st.subheader(say("risk"))
    st.caption(say("risk_help"))
    table = quality_figures.accuracy_by_coverage(quality)
    lowest = min(0.9, float(table["accuracy"].min()))
    curve = (
        alt.Chart(table)
        .mark_line(color=COLOURS[1], interpolate="step-after")
        .encode(
            x=alt.X("coverage:Q", title=say("coverage"), axis=alt.Axis(format="%")),
            y=alt.Y(
                "accuracy:Q",
                title=say("accuracy"),
                scale=alt.Scale(domain=[lowest, 1]),
                axis=alt.Axis(format="%"),
            ),
            tooltip=[
                alt.Tooltip("coverage:Q", title=say("coverage"), format=".1%"),
                alt.Tooltip("accuracy:Q", title=say("accuracy"), format=".1%"),
                alt.Tooltip("threshold:Q", title=say("confidence"), format=".1%"),
            ],
        )
    )
    sampled = table.iloc[:: max(1, len(table) // 8)]
    listed = "; ".join(
        f"{percent(row['coverage'], language)} → {percent(row['accuracy'], language)}"
        for row in sampled.to_dict("records")
    )
    st.altair_chart(
        curve.properties(height=320), alt=say("chart_alt", title=say("risk"), points=listed)
    )
    found = loaded.sure_threshold()
    if found:
        accuracy, threshold, coverage = (percent(value, language) for value in found)
        st.markdown(say("selective", accuracy=accuracy, threshold=threshold, coverage=coverage))


def _show_species(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    st.subheader(say("by_species"))
    table = quality_figures.by_species(quality)
    table["species"] = [common_name(name, language) for name in table["species"]]
    shares = {
        key: st.column_config.NumberColumn(say(key), format="percent")
        for key in ("precision", "recall", "f1")
    }
    st.dataframe(
        table,
        hide_index=True,
        column_config={"species": say("species"), "photos": say("photos"), **shares},
    )


def _show_none_of_these(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    figures = quality.certainty.get("none_of_these")
    if not figures:
        return
    st.subheader(say("none_of_these"))
    st.markdown(say("kept", share=percent(figures["photos_of_ours_kept"], language)))
    if "other_photos" not in figures:
        st.caption(say("not_measured"))
        return
    told = percent(figures["other_photos_told"], language)
    auroc = number(figures["auroc"], language)
    st.markdown(say("told", count=figures["other_photos"], share=told, auroc=auroc))
