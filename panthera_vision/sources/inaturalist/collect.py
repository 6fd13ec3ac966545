"""Incremental collection of observations from the iNaturalist API into an observations.csv."""

import csv
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from panthera_vision.errors import UserError, list_names
from panthera_vision.io.atomic import atomic_write, sha256_of_file
from panthera_vision.io.progress import progress_bar
from panthera_vision.parameters import CollectParameters, DownloadParameters
from panthera_vision.sources.inaturalist.client import (
    CACHE_FILE,
    RATE_LIMIT_FILE,
    ApiSettings,
    INaturalistClient,
    Query,
)
from panthera_vision.sources.inaturalist.export import EXPORT_FILE
from panthera_vision.sources.inaturalist.export_rows import COLLECTED_COLUMNS, export_rows
from panthera_vision.sources.inaturalist.page_log import PageLog

# Beside the table and hidden, so that neither git nor DVC tracks it.
STATE_FOLDER = ".collecting"
PAGE_LOG_FILE = "journal.jsonl"
WRITTEN_FILE = "written.txt"  # the SHA-256 of each table written


@dataclass(frozen=True)
class CollectReport:
    """Count rows by species, new rows, and skipped observations by reason."""

    rows_by_species: dict[str, int]
    new_rows: int
    skipped_by_reason: dict[str, int]

    def summary(self) -> str:
        """Return all counts, and the species without photos, in one phrase."""
        skipped = ", ".join(f"{n} {reason}" for reason, n in self.skipped_by_reason.items())
        without = [species for species, rows in self.rows_by_species.items() if not rows]
        nothing = f"; no photo of {list_names(without)}" if without else ""
        return (
            f"{sum(self.rows_by_species.values())} photos of {len(self.rows_by_species)} species, "
            f"{self.new_rows} of them new (observations skipped: {skipped or 'none'}){nothing}"
        )


def api_settings(
    collect: CollectParameters, download: DownloadParameters, address: str
) -> ApiSettings:
    """Convert the settings of params.yaml to those of the client."""
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
    """Write `folder`/observations.csv with the photos of `species`, oldest observations first.

    Collection is incremental: a page log keeps what came, and a later or interrupted run with the
    same parameters requests only what is missing. A change of `photos_per_taxon` keeps the log;
    any other change of the parameters empties it.

    Args:
        folder: gets the table, and the log and cache in `STATE_FOLDER`.
        species: binomials, such as "Panthera leo".
        parameters: what to request.
        settings: how to request it.
        force: overwrite a table that was not collected.

    Raises:
        UserError: the table was not collected, or iNaturalist does not answer or has no photo.
    """
    table = folder / EXPORT_FILE
    state = folder / STATE_FOLDER
    if not force:
        _require_collected(table, state / WRITTEN_FILE)
    query = parameters.model_dump(exclude={"photos_per_taxon", "requests_per_minute"})
    with PageLog(state / PAGE_LOG_FILE, query | {"api": settings.address}) as log:
        progress = {name: log.progress(name) for name in species}
        rows_before = sum(len(found.rows) for found in progress.values())
        try:
            with INaturalistClient(settings, state) as client:
                for name in species:
                    _collect_species(name, parameters, client, log)
        except UserError as error:
            collected = sum(len(found.rows) for found in progress.values())
            raise UserError(
                f"{error}. {collected} photos are collected; run it again to resume"
            ) from None
        except sqlite3.Error as error:
            raise UserError(
                f"{state}: {error}; delete {CACHE_FILE} and {RATE_LIMIT_FILE} there and run it "
                "again"
            ) from None
    rows = {name: found.rows[: parameters.photos_per_taxon] for name, found in progress.items()}
    if not any(rows.values()):
        raise UserError(f"{settings.address} has no such photo of {list_names(species)}")
    if not force:  # once more: the user may have put an export there meanwhile
        _require_collected(table, state / WRITTEN_FILE)
    _write(table, rows, state / WRITTEN_FILE)
    skipped = sum((found.skipped for found in progress.values()), Counter[str]())
    return CollectReport(
        rows_by_species={name: len(found) for name, found in rows.items()},
        new_rows=sum(len(found.rows) for found in progress.values()) - rows_before,
        skipped_by_reason=dict(sorted(skipped.items())),
    )


def _collect_species(
    species: str, parameters: CollectParameters, client: INaturalistClient, log: PageLog
) -> None:
    """Request pages until `photos_per_taxon` is reached or the last page came."""
    progress = log.progress(species)
    max_rows = parameters.photos_per_taxon
    query = Query(species, parameters.quality_grade, parameters.licenses)
    with progress_bar(species, "photo", max_rows) as bar:
        bar.update(min(len(progress.rows), max_rows))
        while len(progress.rows) < max_rows:
            observations, remaining = client.page(query, progress.last_id)
            bar.total = min(max_rows, len(progress.rows) + remaining)
            rows: list[dict[str, str]] = []
            skipped: Counter[str] = Counter()
            last_id = progress.last_id
            for observation in observations:
                if len(progress.rows) + len(rows) >= max_rows:
                    break  # a run with a higher `photos_per_taxon` takes the rest of the page
                found, reason = export_rows(observation, query, parameters.photos_per_observation)
                rows += found
                if reason:
                    skipped[reason] += 1
                last_id = observation["id"]
            if observations:
                log.add(species, rows, skipped, last_id)
                bar.update(len(rows))
            if remaining <= len(observations):
                break


def _require_collected(table: Path, written: Path) -> None:
    """Refuse to overwrite a table that was not collected, or was edited since."""
    if not table.exists():
        return
    hashes = written.read_text(encoding="ascii").split() if written.exists() else []
    if sha256_of_file(table) not in hashes:
        raise UserError(
            f"{table} was not collected, or was edited since; move it, "
            "choose another folder, or overwrite it with --force"
        )


def _write(table: Path, rows_by_species: dict[str, list[dict[str, str]]], written: Path) -> None:
    with atomic_write(table) as partial:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLLECTED_COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            for rows in rows_by_species.values():
                writer.writerows(rows)
        # Before the table gets its name: it counts as collected, whatever is interrupted.
        with written.open("a", encoding="ascii") as file:
            file.write(f"{sha256_of_file(partial)}\n")
