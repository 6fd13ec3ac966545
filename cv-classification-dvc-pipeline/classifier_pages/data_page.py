"""The page "About the data": what photos, whose, where from, and what was left out."""

from functools import partial

import altair as alt
import pandas as pd
import streamlit as st

from classifier_pages import loaded
from panthera_vision.apps import data_figures
from panthera_vision.apps.texts import DATA, text
from panthera_vision.apps.world import land
from panthera_vision.credits import CREDITS_FILE
from panthera_vision.errors import UserError
from panthera_vision.palette import COLOURS, marks_of
from panthera_vision.photo_table import read_photos
from panthera_vision.taxa import Language, common_name

_LAND = "#8c8c8c"


def show_data(language: Language) -> None:
    """What the model was made of."""
    say = partial(text, DATA, language)
    st.title(say("title"))
    try:
        photos = read_photos(loaded.PHOTOS)
    except UserError as problem:
        st.warning(say("no_data", problem=problem))
        st.subheader(say("what_to_run"))
        st.markdown(say("no_data_help"))
        return
    photos["name"] = [common_name(species, language) for species in photos["species"]]
    days = sorted(day for day in photos["observed_on"] if day)
    st.markdown(
        say(
            "intro",
            photos=len(photos),
            observers=photos["observer"].nunique(),
            first=days[0] if days else "—",
            last=days[-1] if days else "—",
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        _show_species(photos, language)
    with right:
        _show_years(photos, language)
    _show_map(photos, language)
    left, right = st.columns(2, gap="large")
    with left:
        _show_licenses(photos, language)
    with right:
        _show_left_out(language)


def _show_species(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.subheader(say("by_species"))
    counts = data_figures.by_species_and_split(photos)
    counts["species"] = [common_name(name, language) for name in counts["species"]]
    splits = list(dict.fromkeys(counts.sort_values("order")["split"]))
    counts["split"] = [say(split) for split in counts["split"]]
    chart = (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            y=alt.Y("species:N", title=None, axis=alt.Axis(labelLimit=200, labelFontSize=13)),
            x=alt.X("photos:Q", title=say("photos")),
            color=alt.Color(
                "split:N",
                title=say("split"),
                scale=alt.Scale(
                    domain=[say(split) for split in splits],
                    range=[COLOURS[1], COLOURS[4], COLOURS[2], COLOURS[3]][: len(splits)],
                ),
                legend=alt.Legend(orient="top"),
            ),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("species:N", title=say("species")),
                alt.Tooltip("split:N", title=say("split")),
                alt.Tooltip("photos:Q", title=say("photos")),
            ],
        )
    )
    totals = counts.groupby("species")["photos"].sum()
    listed = "; ".join(f"{name}: {count}" for name, count in totals.items())
    st.altair_chart(chart.properties(height=300), alt=f"{say('by_species')}. {listed}")


def _show_years(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    years = data_figures.by_year(photos)
    if years.empty:
        return
    st.subheader(say("by_year"))
    chart = (
        alt.Chart(years)
        .mark_bar(color=COLOURS[1])
        .encode(
            x=alt.X("year:O", title=say("year"), axis=alt.Axis(labelOverlap=True)),
            y=alt.Y("photos:Q", title=say("photos")),
            tooltip=[
                alt.Tooltip("year:O", title=say("year")),
                alt.Tooltip("photos:Q", title=say("photos")),
            ],
        )
    )
    listed = "; ".join(f"{row.year}: {row.photos}" for row in years.itertuples())
    st.altair_chart(chart.properties(height=300), alt=f"{say('by_year')}. {listed}")


def _show_map(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.subheader(say("map"))
    places = data_figures.located(photos)
    if places.empty:
        st.caption(say("no_map"))
        return
    st.caption(say("map_help", count=len(places)))
    # By scientific name: a species has the same colour in both languages.
    names = list(dict.fromkeys(places.sort_values("species")["name"]))
    marks = marks_of(names).values()
    degrees = {
        "x": alt.Scale(domain=[-180, 180], nice=False),
        "y": alt.Scale(domain=[-60, 80], nice=False),
    }
    shown = land()[lambda rows: rows["south"] >= -60][lambda rows: rows["north"] <= 80]
    ground = (
        alt.Chart(shown)
        .mark_rect(color=_LAND, opacity=0.45, clip=True)
        .encode(
            x=alt.X("west:Q", scale=degrees["x"], title=say("longitude")),
            x2="east:Q",
            y=alt.Y("south:Q", scale=degrees["y"], title=say("latitude")),
            y2="north:Q",
        )
    )
    points = (
        alt.Chart(places[["longitude", "latitude", "name", "place", "observed_on"]])
        .mark_point(filled=True, size=36, opacity=0.8, clip=True)
        .encode(
            x=alt.X("longitude:Q", scale=degrees["x"]),
            y=alt.Y("latitude:Q", scale=degrees["y"]),
            color=alt.Color(
                "name:N",
                title=None,
                scale=alt.Scale(domain=names, range=[mark.colour for mark in marks]),
                legend=alt.Legend(orient="top", columns=3, symbolOpacity=1),
            ),
            shape=alt.Shape(
                "name:N",
                scale=alt.Scale(domain=names, range=[mark.shape for mark in marks]),
            ),
            tooltip=[
                alt.Tooltip("name:N", title=say("species")),
                alt.Tooltip("place:N", title=say("place")),
                alt.Tooltip("observed_on:N", title=say("date")),
            ],
        )
    )
    counts = places["name"].value_counts()
    listed = "; ".join(f"{name}: {count}" for name, count in counts.items())
    st.altair_chart((ground + points).properties(height=430), alt=say("map_alt", counts=listed))


def _show_licenses(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.subheader(say("licenses"))
    st.caption(say("licenses_help"))
    counts = photos["license"].value_counts()
    table = pd.DataFrame(
        {
            say("license"): [code or say("no_license") for code in counts.index],
            say("photos"): counts.to_numpy(),
        }
    )
    st.dataframe(table, hide_index=True)
    credits = loaded.RESULTS / CREDITS_FILE
    if credits.is_file():
        st.download_button(
            say("take_credits"),
            credits.read_bytes(),
            credits.name,
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )


def _show_left_out(language: Language) -> None:
    say = partial(text, DATA, language)
    st.subheader(say("left_out"))
    reports = (loaded.RESULTS / "preparation_report.json", loaded.RESULTS / "download_outcomes.csv")
    try:
        reasons = data_figures.left_out(*reports)
    except UserError as problem:
        st.warning(say("no_data", problem=problem))
        return
    if not reasons:
        st.markdown(say("left_out_none"))
        return
    table = pd.DataFrame(reasons.most_common(), columns=[say("reason"), say("rows")])
    st.dataframe(table, hide_index=True)
