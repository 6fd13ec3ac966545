"""Page log: each page of the API as a JSON line, for incremental collection."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from panthera_vision.io.json_lines import JsonLinesLog


@dataclass
class SpeciesProgress:
    """Hold the collected rows of a species, its skipped observations by reason, its last id."""

    rows: list[dict[str, str]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    last_id: int = 0


class PageLog(JsonLinesLog):
    """Log of the pages that came; a log of another `query` is emptied."""

    def __init__(self, path: Path, query: dict[str, Any]) -> None:
        super().__init__(path, {"asked": query})
        self._species: dict[str, SpeciesProgress] = {}
        for _, line in self:
            try:
                self._count(line["species"], line["rows"], line["skipped"], line["last_id"])
            except (KeyError, TypeError):
                continue

    def progress(self, species: str) -> SpeciesProgress:
        """Return what is collected of a species; later pages are added to it."""
        return self._species.setdefault(species, SpeciesProgress())

    def add(
        self, species: str, rows: list[dict[str, str]], skipped: Counter[str], last_id: int
    ) -> None:
        """Log a page, or the part of it up to the observation `last_id`."""
        self.append({"species": species, "rows": rows, "skipped": skipped, "last_id": last_id})
        self._count(species, rows, skipped, last_id)

    def _count(
        self, species: str, rows: list[dict[str, str]], skipped: dict[str, int], last_id: int
    ) -> None:
        progress = self.progress(species)
        progress.rows += rows
        progress.skipped.update(skipped)
        progress.last_id = max(progress.last_id, last_id)
