"""Show the page "About the data": photos, map, licenses, and what was left out."""

import pandas as pd
import streamlit as st

from panthera_vision.data.credits import CREDITS_FILE
from panthera_vision.data.photo_table import count_synthetic
from panthera_vision.data.splits import SPLITS
from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.ui.captions import license_link
from panthera_vision.ui.classification import cache
from panthera_vision.ui.credits_note import download_credits
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.report import data_figures
from panthera_vision.ui.report.data_charts import species_chart, year_chart
from panthera_vision.ui.report.observation_map import observation_map
from panthera_vision.ui.sampling import shown_rows


def show_data_page(paths: ClassifierPaths, language: Language) -> None:
    """Show the data that the model was trained on."""
    t = Translator("data", language)
    st.title(t("title"))
    try:
        photos = cache.load_photos(paths)
    except UserError as problem:
        st.warning(t("no_data", problem=plain(str(problem))))
        st.header(t("what_to_run"))
        st.markdown(t("no_data_help"))
        return
    if count_synthetic(photos):
        st.info(t("synthetic_photos"))
    dates = sorted(date for date in photos["observed_on"] if date)
    first, last = (plain(dates[0]), plain(dates[-1])) if dates else ("—", "—")
    observers = len(set(photos["observer"]) - {""})
    st.markdown(t("intro", photos=len(photos), observers=observers, first=first, last=last))
    _show_species(photos, t)
    _show_map(photos, t)
    _show_years(photos, t)
    _show_licenses(photos, paths, t)
    _show_left_out(len(photos), paths, t)


def _show_species(photos: pd.DataFrame, t: Translator) -> None:
    st.header(t("by_species"))
    st.markdown(t("splits_help"))
    counts = data_figures.count_by_species_and_split(photos)
    species_chart(counts, t).show()
    table = counts.pivot(index="species", columns="split", values="photos")[list(SPLITS)]
    table["all"] = table.sum(axis=1)
    shown = table.rename(columns=t).reset_index(names=t("species"))
    shown[t("species")] = [plain(t.species(name)) for name in shown[t("species")]]
    st.table(shown, border="horizontal", hide_index=True, alt=t("by_species"))


def _show_map(photos: pd.DataFrame, t: Translator) -> None:
    st.header(t("map"))
    located = data_figures.select_located(photos)
    if located.empty:
        st.markdown(t("no_map"))
        return
    st.markdown(t("map_help", count=len(located), photos=len(photos)))
    rows = shown_rows(len(located))
    if len(rows) < len(located):
        st.caption(t("map_sample", shown=len(rows)))
    observation_map(located.iloc[rows], t).show()


def _show_years(photos: pd.DataFrame, t: Translator) -> None:
    st.header(t("by_year"))
    years = data_figures.count_by_year(photos)
    if len(years):
        year_chart(years, t).show()
    undated = len(photos) - int(years["photos"].sum())
    if undated:
        st.caption(t("undated", count=undated))


def _show_licenses(photos: pd.DataFrame, paths: ClassifierPaths, t: Translator) -> None:
    st.header(t("licenses"))
    restricted = data_figures.count_noncommercial(list(photos["license"]))
    st.markdown(t("licenses_help", photos=len(photos), restricted=restricted))
    counts = data_figures.count_by_license(photos)
    shown = pd.DataFrame(
        {
            t("license"): [license_link(code, t) for code in counts["license"]],
            t("photos"): counts["photos"],
            t("share"): [t.percent(share) for share in counts["share"]],
        }
    )
    st.table(shown, border="horizontal", hide_index=True, alt=t("licenses"))
    try:
        download_credits(paths.results / CREDITS_FILE, t)
    except OSError:
        st.warning(t("no_credits_file"))


def _show_left_out(photos: int, paths: ClassifierPaths, t: Translator) -> None:
    st.header(t("left_out"))
    try:
        preparation = data_figures.read_preparation(paths.results)
        reasons = data_figures.count_left_out(preparation, paths.results)
    except UserError as problem:
        st.warning(t("no_report", problem=plain(str(problem))))
        return
    read, kept = preparation.rows_read, preparation.rows_kept
    st.markdown(t("left_out_text", read=read, kept=kept, photos=photos))
    if reasons.empty:
        st.markdown(t("left_out_none"))
        return
    shown = pd.DataFrame(
        {
            t("reason"): [t.reason(reason) for reason in reasons["reason"]],
            t("stage"): [t(stage) for stage in reasons["stage"]],
            t("rows"): reasons["rows"],
        }
    )
    st.table(shown, border="horizontal", hide_index=True, alt=t("left_out"))
