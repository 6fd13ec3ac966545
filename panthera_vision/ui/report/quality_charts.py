"""Charts of an evaluation, each with words for those who can't see it. They follow the theme."""

from functools import partial

import altair as alt
import pandas as pd

from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.reporting.palette import COLORS
from panthera_vision.ui.i18n import QUALITY, percent, text
from panthera_vision.ui.report.accessible_chart import DescribedChart
from panthera_vision.ui.report.quality_figures import Selective

CELL = "cell"
_LINE = COLORS[1]
_MARK = COLORS[0]
_GREY = "#888888"
_CELL_HEIGHT = 52
_PERCENT = alt.Axis(format=".0%", tickCount=5)
_COVERAGES = (0.25, 0.5, 0.75, 1.0)


def confusion_chart(
    table: pd.DataFrame, actual: str, predicted: str, language: Language
) -> DescribedChart:
    """The confusion matrix, whose cells can be chosen; that of `actual` and `predicted` is framed.

    Args:
        table: of `confusions`.
        actual: the framed cell's true species.
        predicted: the framed cell's predicted species.
        language: of the labels.
    """
    say = partial(text, QUALITY, language)
    species = list(dict.fromkeys(table["actual"]))
    shown = table.assign(
        actual_name=[common_name(name, language) for name in table["actual"]],
        predicted_name=[common_name(name, language) for name in table["predicted"]],
        percentage=[percent(share, language) for share in table["share"]],
        framed=(table["actual"] == actual) & (table["predicted"] == predicted),
    )
    names = [common_name(name, language) for name in species]
    base = alt.Chart(shown).encode(
        x=alt.X(
            "predicted_name:N",
            sort=names,
            title=say("predicted"),
            axis=alt.Axis(
                labelAngle=-40, labelLimit=110, labelOverlap=False, ticks=False, domain=False
            ),
        ),
        y=alt.Y(
            "actual_name:N",
            sort=names,
            title=say("actual"),
            axis=alt.Axis(labelLimit=110, ticks=False, domain=False),
        ),
        tooltip=[
            alt.Tooltip("actual_name:N", title=say("actual")),
            alt.Tooltip("predicted_name:N", title=say("predicted")),
            alt.Tooltip("photos:Q", title=say("photos")),
            alt.Tooltip("percentage:N", title=say("share")),
        ],
    )
    # Of cividis, whose lightness rises evenly: alike with any colour vision.
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
        say("matrix_cell", actual=row.actual_name, predicted=row.predicted_name, count=row.photos)
        for row in shown.itertuples()
        if row.photos
    )
    height = _CELL_HEIGHT * len(species) + 110
    return DescribedChart(chart.properties(height=height), say("matrix_alt", cells=words))


def reliability_chart(table: pd.DataFrame, language: Language) -> DescribedChart:
    """Accuracy against confidence, beside the line on which both are the same.

    Args:
        table: of `reliability`.
        language: of the labels.
    """
    say = partial(text, QUALITY, language)
    shown = _with_percentages(table, ("confidence", "accuracy"), language)
    confidence = alt.X(
        "confidence:Q", title=say("confidence"), scale=alt.Scale(domain=[0, 1]), axis=_PERCENT
    )
    accuracy = alt.Y(
        "accuracy:Q", title=say("accuracy"), scale=alt.Scale(domain=[0, 1]), axis=_PERCENT
    )
    honest = (
        alt.Chart(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]}))
        .mark_line(color=_GREY, strokeDash=[5, 4])
        .encode(x=confidence, y=accuracy)
    )
    base = alt.Chart(shown).encode(x=confidence, y=accuracy)
    line = base.mark_line(color=_LINE, opacity=0.6)
    points = base.mark_circle(color=_LINE, opacity=1).encode(
        size=alt.Size(
            "photos:Q", scale=alt.Scale(range=[40, 500], domainMin=0, zero=True), legend=None
        ),
        tooltip=[
            alt.Tooltip("confidence_shown:N", title=say("confidence")),
            alt.Tooltip("accuracy_shown:N", title=say("accuracy")),
            alt.Tooltip("photos:Q", title=say("photos")),
        ],
    )
    words = "; ".join(
        say(
            "reliability_point",
            confidence=row.confidence_shown,
            accuracy=row.accuracy_shown,
            count=row.photos,
        )
        for row in shown.itertuples()
    )
    return DescribedChart(
        alt.layer(honest, line, points).properties(height=320),
        say("chart_alt", title=say("reliability"), points=words),
    )


def coverage_chart(
    table: pd.DataFrame, point: Selective | None, language: Language
) -> DescribedChart:
    """The accuracy of answers by the share of photos that get one, with the point that is aimed at.

    Args:
        table: of `accuracy_by_coverage`.
        point: the wanted accuracy and where it is reached; None where it is not.
        language: of the labels.
    """
    say = partial(text, QUALITY, language)
    shown = _with_percentages(table, ("coverage", "accuracy", "threshold"), language)
    coverage = alt.X(
        "coverage:Q", title=say("coverage"), scale=alt.Scale(domain=[0, 1]), axis=_PERCENT
    )
    accuracy = alt.Y(
        "accuracy:Q",
        title=say("accuracy"),
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=".0%", tickCount=5, tickMinStep=0.01),
    )
    tooltip = [
        alt.Tooltip("coverage_shown:N", title=say("coverage")),
        alt.Tooltip("accuracy_shown:N", title=say("accuracy")),
        alt.Tooltip("threshold_shown:N", title=say("from_confidence")),
    ]
    base = alt.Chart(shown).encode(x=coverage, y=accuracy, tooltip=tooltip)
    layers = [
        base.mark_line(color=_LINE, strokeWidth=2.5),
        # Unseen, and large enough to be met by a pointer or a finger.
        base.mark_circle(size=250, opacity=0),
    ]
    if point:
        reached = pd.DataFrame({"coverage": [point.coverage], "accuracy": [point.accuracy]})
        layers.append(
            alt.Chart(reached)
            .mark_rule(color=_MARK, strokeDash=[6, 4], strokeWidth=2)
            .encode(x=coverage)
        )
    words = []
    for share in _COVERAGES:
        row = shown.iloc[(shown["coverage"] - share).abs().argmin()]
        words.append(
            say("coverage_point", coverage=row["coverage_shown"], accuracy=row["accuracy_shown"])
        )
    return DescribedChart(
        alt.layer(*layers).properties(height=320),
        say("chart_alt", title=say("risk"), points="; ".join(dict.fromkeys(words))),
    )


def _with_percentages(
    table: pd.DataFrame, columns: tuple[str, ...], language: Language
) -> pd.DataFrame:
    """`table` with each of `columns` once more, in words of the language."""
    return table.assign(
        **{f"{name}_shown": [percent(share, language) for share in table[name]] for name in columns}
    )
