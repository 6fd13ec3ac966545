"""The page "About the data": which photos there are, whose they are, and what was left out."""

from functools import partial

import pandas as pd
import streamlit as st

from panthera_vision.data.credits import CREDITS_FILE, license_url
from panthera_vision.data.photo_table import count_synthetic
from panthera_vision.data.splits import SPLITS
from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.errors import UserError
from panthera_vision.ui.captions import license_label
from panthera_vision.ui.classification import cache
from panthera_vision.ui.i18n import DATA, REASONS, percent, plain, text
from panthera_vision.ui.report.accessible_chart import DescribedChart
from panthera_vision.ui.report.data_charts import species_chart, year_chart
from panthera_vision.ui.report.data_figures import (
    by_license,
    by_species_and_split,
    by_year,
    left_out,
    located,
    not_for_commerce,
    read_preparation,
)
from panthera_vision.ui.report.observation_map import observation_map


def show_data(language: Language) -> None:
    """What the model was made of."""
    say = partial(text, DATA, language)
    st.title(say("title"))
    try:
        photos = cache.photos()
    except UserError as problem:
        st.warning(say("no_data", problem=plain(str(problem))))
        st.header(say("what_to_run"))
        st.markdown(say("no_data_help"))
        return
    if count_synthetic(photos):
        st.info(say("synthetic_photos"))
    _show_extent(photos, language)
    _show_species(photos, language)
    _show_map(photos, language)
    _show_years(photos, language)
    _show_licenses(photos, language)
    _show_left_out(photos, language)


def _draw(described: DescribedChart) -> None:
    st.altair_chart(described.chart, width="stretch", alt=described.words)


def _show_extent(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    dates = sorted(date for date in photos["observed_on"] if date)
    st.markdown(
        say(
            "intro",
            photos=len(photos),
            observers=len(set(photos["observer"]) - {""}),
            first=plain(dates[0]) if dates else "—",
            last=plain(dates[-1]) if dates else "—",
        )
    )


def _show_species(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.header(say("by_species"))
    st.markdown(say("splits_help"))
    counts = by_species_and_split(photos)
    _draw(species_chart(counts, language))
    table = counts.pivot(index="species", columns="split", values="photos")[list(SPLITS)]
    table["all"] = table.sum(axis=1)
    shown = table.rename(columns=say).reset_index()
    shown["species"] = [plain(common_name(name, language)) for name in shown["species"]]
    shown = shown.rename(columns={"species": say("species")})
    st.table(shown, border="horizontal", hide_index=True, alt=say("by_species"))


def _show_map(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.header(say("map"))
    places = located(photos)
    if places.empty:
        st.markdown(say("no_map"))
        return
    st.markdown(say("map_help", count=len(places), photos=len(photos)))
    _draw(observation_map(places, language))


def _show_years(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.header(say("by_year"))
    years = by_year(photos)
    if len(years):
        _draw(year_chart(years, language))
    undated = len(photos) - int(years["photos"].sum())
    if undated:
        st.caption(say("undated", count=undated))


def _show_licenses(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.header(say("licenses"))
    restricted = not_for_commerce(list(photos["license"]))
    st.markdown(say("licenses_help", photos=len(photos), restricted=restricted))
    counts = by_license(photos)
    shown = pd.DataFrame(
        {
            say("license"): [_linked(code, language) for code in counts["license"]],
            say("photos"): counts["photos"],
            say("share"): [percent(share, language) for share in counts["share"]],
        }
    )
    st.table(shown, border="horizontal", hide_index=True, alt=say("licenses"))
    credits = cache.RESULTS / CREDITS_FILE
    try:
        content = credits.read_bytes()
    except OSError:
        st.warning(say("no_credits_file"))
        return
    st.download_button(say("take_credits"), content, credits.name, "text/csv", on_click="ignore")


def _linked(code: str, language: Language) -> str:
    label, terms = license_label(code, DATA, language), license_url(code)
    return f"[{label}]({terms})" if terms else label


def _show_left_out(photos: pd.DataFrame, language: Language) -> None:
    say = partial(text, DATA, language)
    st.header(say("left_out"))
    try:
        preparation = read_preparation(cache.RESULTS)
        reasons = left_out(preparation, cache.RESULTS)
    except UserError as problem:
        st.warning(say("no_report", problem=plain(str(problem))))
        return
    read, kept = preparation.rows_read, preparation.rows_kept
    st.markdown(say("left_out_text", read=read, kept=kept, photos=len(photos)))
    if reasons.empty:
        st.markdown(say("left_out_none"))
        return
    shown = pd.DataFrame(
        {
            say("reason"): [_reason(reason, language) for reason in reasons["reason"]],
            say("stage"): [say(stage) for stage in reasons["stage"]],
            say("rows"): reasons["rows"],
        }
    )
    st.table(shown, border="horizontal", hide_index=True, alt=say("left_out"))


def _reason(reason: str, language: Language) -> str:
    return text(REASONS, language, reason) if reason in REASONS else plain(reason)
