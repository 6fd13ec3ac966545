"""What iNaturalist answered, noted page by page, so that a later run goes on from there."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from panthera_vision.io.atomic import write_text


@dataclass
class Progress:
    """What is known of a species: its rows, what was skipped, and the last id that was seen."""

    rows: list[dict[str, str]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    last_id: int = 0


class PageLog:
    """An append-only file of JSON lines: what is asked for, then each page that came.

    A journal about something else is begun anew. A line that a killed run left half written is
    passed over; its page is asked for again.
    """

    def __init__(self, path: Path, asked: dict[str, Any]) -> None:
        self._path = path
        self._species: dict[str, Progress] = {}
        first = {"asked": json.loads(json.dumps(asked))}
        lines = self._lines()
        if not lines or lines[0] != first:
            write_text(path, json.dumps(first, ensure_ascii=False) + "\n")
            return
        for line in lines[1:]:
            try:
                self._add(line["species"], line["rows"], line["skipped"], line["last_id"])
            except (KeyError, TypeError):
                continue

    def of(self, species: str) -> Progress:
        """What is known of `species`."""
        return self._species.setdefault(species, Progress())

    def append(
        self, species: str, rows: list[dict[str, str]], skipped: Counter[str], last_id: int
    ) -> None:
        """Note a page, or the part of it that was looked at: up to `last_id`."""
        line = {"species": species, "rows": rows, "skipped": skipped, "last_id": last_id}
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            # A blank line before each one closes what a killed run left half written.
            file.write("\n" + json.dumps(line, ensure_ascii=False) + "\n")
        self._add(species, rows, skipped, last_id)

    def _add(
        self, species: str, rows: list[dict[str, str]], skipped: dict[str, int], last_id: int
    ) -> None:
        progress = self.of(species)
        progress.rows += rows
        progress.skipped.update(skipped)
        progress.last_id = max(progress.last_id, last_id)

    def _lines(self) -> list[Any]:
        if not self._path.exists():
            return []
        lines: list[Any] = []
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    lines.append(json.loads(line))
                except ValueError:
                    continue
        return lines
