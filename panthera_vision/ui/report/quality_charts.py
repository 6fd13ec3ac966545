"""Draw the charts of an evaluation: confusion matrix, reliability, accuracy by coverage."""

from typing import Any

import altair as alt
import pandas as pd

from panthera_vision.reporting.palette import COLORS, GREY
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.report.chart import AccessibleChart, tooltips
from panthera_vision.ui.report.result_models import Selective

CELL = "cell"
_LINE = COLORS[1]
_MARK = COLORS[0]
_CELL_HEIGHT = 52
_SHARE = alt.Scale(domain=[0, 1])
_PERCENT = alt.Axis(format=".0%", tickCount=5)
_DESCRIBED_COVERAGES = (0.25, 0.5, 0.75, 1.0)


def confusion_chart(
    table: pd.DataFrame, actual: str, predicted: str, t: Translator
) -> AccessibleChart:
    """Draw the confusion matrix, whose cells can be selected.

    Args:
        table: of `count_confusions`.
        actual, predicted: the species of the cell that is framed.
        t: translates the labels.
    """
    species = list(dict.fromkeys(table["actual"]))
    shown = table.assign(
        actual_name=[t.species(name) for name in table["actual"]],
        predicted_name=[t.species(name) for name in table["predicted"]],
        percentage=[t.percent(share) for share in table["share"]],
        framed=(table["actual"] == actual) & (table["predicted"] == predicted),
    )
    names = [t.species(name) for name in species]
    plain_axis: dict[str, Any] = {"labelLimit": 110, "ticks": False, "domain": False}
    tooltip = {
        "actual_name:N": "actual",
        "predicted_name:N": "predicted",
        "photos:Q": "photos",
        "percentage:N": "share",
    }
    base = alt.Chart(shown).encode(
        x=alt.X(
            "predicted_name:N",
            sort=names,
            title=t("predicted"),
            axis=alt.Axis(labelAngle=-40, labelOverlap=False, **plain_axis),
        ),
        y=alt.Y("actual_name:N", sort=names, title=t("actual"), axis=alt.Axis(**plain_axis)),
        tooltip=tooltips(t, tooltip),
    )
    # The lightness of cividis rises evenly: it reads alike with any color vision.
    cells = base.mark_rect(cursor="pointer", strokeWidth=4, strokeJoin="round").encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=None),
        stroke=alt.condition("datum.framed", alt.value(_MARK), alt.value("transparent")),
    )
    counts = base.mark_text(fontSize=15, cursor="pointer").encode(
        text="photos:Q",
        color=alt.condition("datum.share > 0.5", alt.value("black"), alt.value("white")),
    )
    choice = alt.selection_point(name=CELL, fields=["actual", "predicted"], toggle=False)
    chart = alt.layer(cells.add_params(choice), counts)
    words = " ".join(
        t("matrix_cell", actual=row.actual_name, predicted=row.predicted_name, count=row.photos)
        for row in shown.itertuples()
        if row.photos
    )
    height = _CELL_HEIGHT * len(species) + 110
    return AccessibleChart(chart.properties(height=height), t("matrix_alt", cells=words))


def reliability_chart(table: pd.DataFrame, t: Translator) -> AccessibleChart:
    """Draw accuracy against confidence and the diagonal, from the table of `reliability`."""
    shown = _with_percentages(table, ("confidence", "accuracy"), t)
    confidence = alt.X("confidence:Q", title=t("confidence"), scale=_SHARE, axis=_PERCENT)
    accuracy = alt.Y("accuracy:Q", title=t("accuracy"), scale=_SHARE, axis=_PERCENT)
    diagonal = (
        alt.Chart(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]}))
        .mark_line(color=GREY, strokeDash=[5, 4])
        .encode(x=confidence, y=accuracy)
    )
    base = alt.Chart(shown).encode(x=confidence, y=accuracy)
    tooltip = {
        "confidence_shown:N": "confidence",
        "accuracy_shown:N": "accuracy",
        "photos:Q": "photos",
    }
    points = base.mark_circle(color=_LINE, opacity=1).encode(
        size=alt.Size(
            "photos:Q", scale=alt.Scale(range=[40, 500], domainMin=0, zero=True), legend=None
        ),
        tooltip=tooltips(t, tooltip),
    )
    words = "; ".join(
        t(
            "reliability_point",
            confidence=row.confidence_shown,
            accuracy=row.accuracy_shown,
            count=row.photos,
        )
        for row in shown.itertuples()
    )
    line = base.mark_line(color=_LINE, opacity=0.6)
    return AccessibleChart(
        alt.layer(diagonal, line, points).properties(height=320), f"{t('reliability')}. {words}"
    )


def coverage_chart(table: pd.DataFrame, point: Selective | None, t: Translator) -> AccessibleChart:
    """Draw the accuracy of answers by coverage.

    Args:
        table: of `accuracy_by_coverage`.
        point: the target accuracy and where it is reached; None if it is not.
        t: translates the labels.
    """
    shown = _with_percentages(table, ("coverage", "accuracy", "threshold"), t)
    coverage = alt.X("coverage:Q", title=t("coverage"), scale=_SHARE, axis=_PERCENT)
    accuracy = alt.Y(
        "accuracy:Q",
        title=t("accuracy"),
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=".0%", tickCount=5, tickMinStep=0.01),
    )
    tooltip = {
        "coverage_shown:N": "coverage",
        "accuracy_shown:N": "accuracy",
        "threshold_shown:N": "from_confidence",
    }
    base = alt.Chart(shown).encode(x=coverage, y=accuracy, tooltip=tooltips(t, tooltip))
    layers = [
        base.mark_line(color=_LINE, strokeWidth=2.5),
        # Invisible, and large enough to be hit by a pointer or a finger.
        base.mark_circle(size=250, opacity=0),
    ]
    if point:
        reached = alt.Chart(pd.DataFrame({"coverage": [point.coverage]}))
        layers.append(
            reached.mark_rule(color=_MARK, strokeDash=[6, 4], strokeWidth=2).encode(x=coverage)
        )
    rows = [
        shown.iloc[(shown["coverage"] - share).abs().argmin()] for share in _DESCRIBED_COVERAGES
    ]
    points = dict.fromkeys(
        t("coverage_point", coverage=row["coverage_shown"], accuracy=row["accuracy_shown"])
        for row in rows
    )
    return AccessibleChart(
        alt.layer(*layers).properties(height=320), f"{t('risk')}. {'; '.join(points)}"
    )


def _with_percentages(table: pd.DataFrame, columns: tuple[str, ...], t: Translator) -> pd.DataFrame:
    """Add `<column>_shown` for each of `columns`: the share as a percentage."""
    return table.assign(
        **{f"{name}_shown": [t.percent(share) for share in table[name]] for name in columns}
    )
