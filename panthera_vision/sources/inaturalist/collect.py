"""From iNaturalist's API to an observations.csv in the form of an export."""

import csv
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write, sha256_of_file
from panthera_vision.io.progress import progress_bar
from panthera_vision.parameters import CollectParameters, DownloadParameters
from panthera_vision.sources.inaturalist.client import (
    CACHE_FILE,
    PACE_FILE,
    ApiSettings,
    INaturalistClient,
    Query,
)
from panthera_vision.sources.inaturalist.export import EXPORT_FILE
from panthera_vision.sources.inaturalist.export_rows import COLLECTED_COLUMNS, export_rows
from panthera_vision.sources.inaturalist.page_log import PageLog

# In the table's folder, hidden: neither git nor DVC takes it for data.
NOTES_FOLDER = ".collecting"
JOURNAL_FILE = "journal.jsonl"
WRITTEN_FILE = "written.txt"


@dataclass(frozen=True)
class CollectReport:
    """What a run brought: rows by species, how many are new, observations skipped by reason."""

    rows_by_species: dict[str, int]
    new_rows: int
    skipped_by_reason: dict[str, int]

    def summary(self) -> str:
        """One phrase: the photos, the new ones, what was skipped, and species without any."""
        skipped = ", ".join(f"{n} {reason}" for reason, n in self.skipped_by_reason.items())
        without = [species for species, rows in self.rows_by_species.items() if not rows]
        nothing = f"; no photo of {', '.join(without)}" if without else ""
        return (
            f"{sum(self.rows_by_species.values())} photos of {len(self.rows_by_species)} species, "
            f"{self.new_rows} of them new (observations skipped: {skipped or 'none'}){nothing}"
        )


def api_settings(
    collect: CollectParameters, download: DownloadParameters, address: str
) -> ApiSettings:
    """The settings of params.yaml as the session takes them."""
    return ApiSettings(
        address=address.rstrip("/"),
        user_agent=download.user_agent,
        requests_per_second=collect.requests_per_minute / 60,
        attempts=download.attempts,
        timeout_seconds=download.timeout_seconds,
    )


def collect_observations(
    folder: Path,
    species: Sequence[str],
    parameters: CollectParameters,
    settings: ApiSettings,
    *,
    force: bool = False,
) -> CollectReport:
    """Write `folder`/observations.csv: the photos of `species`, the oldest observations first.

    What came is noted as it comes; a run that was interrupted, or a later one with the same
    parameters, asks only for what it does not have. A higher or lower `photos_per_taxon` keeps
    what is there; any other change begins anew.

    Args:
        folder: gets the table, and notes and cache in `NOTES_FOLDER`.
        species: binomials, such as "Panthera leo".
        parameters: what is asked for.
        settings: how it is asked.
        force: overwrite a table that is not from here.

    Raises:
        UserError: the table is not from here, iNaturalist does not answer, or has no photo.
    """
    table = folder / EXPORT_FILE
    notes = folder / NOTES_FOLDER
    if not force:
        _require_ours(table, notes / WRITTEN_FILE)
    notes.mkdir(parents=True, exist_ok=True)
    asked = parameters.model_dump(exclude={"photos_per_taxon", "requests_per_minute"})
    journal = PageLog(notes / JOURNAL_FILE, asked | {"api": settings.address})
    had = sum(len(journal.progress(name).rows) for name in species)
    try:
        with INaturalistClient(settings, notes) as api:
            for name in species:
                _collect_species(name, parameters, api, journal)
    except UserError as error:
        noted = sum(len(journal.progress(name).rows) for name in species)
        raise UserError(
            f"{error}. {noted} photos are noted; run it again to go on from there"
        ) from None
    except sqlite3.Error as error:
        raise UserError(
            f"{notes}: {error}; delete {CACHE_FILE} and {PACE_FILE} there and run it again"
        ) from None
    cap = parameters.photos_per_taxon
    rows_by_species = {name: journal.progress(name).rows[:cap] for name in species}
    if not any(rows_by_species.values()):
        raise UserError(f"{settings.address} has no such photo of {', '.join(species)}")
    if not force:  # once more: an export may have been put there meanwhile
        _require_ours(table, notes / WRITTEN_FILE)
    _write(table, rows_by_species, notes / WRITTEN_FILE)
    skipped = sum((journal.progress(name).skipped for name in species), Counter[str]())
    return CollectReport(
        rows_by_species={name: len(rows) for name, rows in rows_by_species.items()},
        new_rows=sum(len(journal.progress(name).rows) for name in species) - had,
        skipped_by_reason=dict(sorted(skipped.items())),
    )


def _collect_species(
    species: str, parameters: CollectParameters, api: INaturalistClient, journal: PageLog
) -> None:
    """Ask for pages until the cap is reached or there are no more."""
    progress = journal.progress(species)
    cap = parameters.photos_per_taxon
    query = Query(species, parameters.quality_grade, parameters.licenses)
    with progress_bar(species, "photo", cap) as bar:
        bar.update(min(len(progress.rows), cap))
        while len(progress.rows) < cap:
            page = api.page(query, progress.last_id)
            bar.total = min(cap, len(progress.rows) + page.remaining)
            rows: list[dict[str, str]] = []
            skipped: Counter[str] = Counter()
            last_id = progress.last_id
            for observation in page.observations:
                if len(progress.rows) + len(rows) >= cap:
                    break  # the rest of the page is for a run with a higher cap
                found, reason = export_rows(
                    observation,
                    species=species,
                    quality_grade=parameters.quality_grade,
                    licenses=parameters.licenses,
                    most_photos=parameters.photos_per_observation,
                )
                rows += found
                if reason:
                    skipped[reason] += 1
                last_id = observation["id"]
            if page.observations:
                journal.add(species, rows, skipped, last_id)
                bar.update(len(rows))
            if page.is_last:
                break


def _require_ours(table: Path, written: Path) -> None:
    """Refuse to overwrite a table that was not collected, or that was changed since.

    Raises:
        UserError: it is such a table.
    """
    if not table.exists():
        return
    ours = written.read_text(encoding="ascii").split() if written.exists() else []
    if sha256_of_file(table) not in ours:
        raise UserError(
            f"{table} was not written by collecting, or was changed since; keep it elsewhere, "
            "name another folder, or overwrite it with --force"
        )


def _write(table: Path, rows_by_species: dict[str, list[dict[str, str]]], written: Path) -> None:
    with atomic_write(table) as partial:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLLECTED_COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            for rows in rows_by_species.values():
                writer.writerows(rows)
        # Noted before the table has its name: whatever is interrupted, it is known as ours.
        with written.open("a", encoding="ascii") as file:
            file.write(f"{sha256_of_file(partial)}\n")
