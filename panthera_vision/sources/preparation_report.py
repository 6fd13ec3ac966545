"""Report of the preparation: rows kept and dropped, with reasons, examples and repairs."""

from dataclasses import asdict, dataclass, field
from typing import Any

from panthera_vision.errors import UserError, closest_name, list_names

OTHER_SPECIES = "species not in allowed_species"
NOT_A_SPECIES = "not identified to species"
HYBRID = "hybrid"
_MAX_LISTED = 10
# Without them photos are grouped otherwise, all rights are reserved, or the map stays empty.
_NOTED_COLUMNS = ("user_login", "observed_on", "license", "place_guess", "latitude", "longitude")
# Their examples are names, of which the summary lists all ten.
NAMED_REASONS = (OTHER_SPECIES, NOT_A_SPECIES, HYBRID)


@dataclass(frozen=True)
class PreparationReport:
    """Count the rows of observations that were kept and dropped; they add up to `rows_read`.

    Attributes:
        source, file: the format of the observations, and the file that shows it.
        rows_read, rows_kept, kept_by_species, dropped_by_reason: numbers of rows.
        columns_missing: columns of an export that the table lacks.
        examples_by_reason: the ten most frequent names or values that were dropped, with counts.
        renamed: synonyms and common names that were taken for the accepted name, with counts.
        notes: other phrases about kept rows → the number of rows.
        misspelled: allowed species without a photo → the dropped name that is spelled most like it.
    """

    source: str
    file: str
    rows_read: int
    rows_kept: int
    kept_by_species: dict[str, int]
    dropped_by_reason: dict[str, int]
    columns_missing: tuple[str, ...]
    examples_by_reason: dict[str, dict[str, int]] = field(default_factory=dict)
    renamed: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    misspelled: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """Return one phrase: rows read and kept, why the others were dropped, and the notes."""
        kept = f"{self.rows_kept} of {self.rows_read} rows kept (dropped: {self._dropped()})"
        renamed = [f"{count} {name}" for name, count in self.renamed.items()]
        notes = [f"{count} {note}" for note, count in self.notes.items()]
        if renamed:
            notes.insert(0, f"renamed {list_names(renamed)}")
        if missing := [name for name in _NOTED_COLUMNS if name in self.columns_missing]:
            notes.append(f"columns that the table lacks: {', '.join(missing)}")
        return "; ".join([kept, *notes])

    def as_dict(self) -> dict[str, Any]:
        """Return the report as it is written as JSON; examples and notes only if there are any."""
        optional = {"examples_by_reason", "renamed", "notes", "misspelled"}
        return {
            name: value for name, value in asdict(self).items() if value or name not in optional
        }

    def require_species(self) -> None:
        """Check that each allowed species has a photo.

        Raises:
            UserError: one has none; the message names what the table has, and what was dropped.
        """
        for species, photos in self.kept_by_species.items():
            if photos:
                continue
            others = list(self.examples_by_reason.get(OTHER_SPECIES, {}))
            kept = [name for name, count in self.kept_by_species.items() if count]
            present = [*kept, *others][:_MAX_LISTED]
            more = " and others" if len(kept) + len(others) >= _MAX_LISTED else ""
            has = f"the table has {', '.join(present)}{more}" if present else "no row can be used"
            if species in self.misspelled:
                has += f"; spelled most like it is {self.misspelled[species]!r}"
            raise UserError(
                f"{self.file}: no usable photo of {species!r}; {has} "
                f"(dropped: {self._dropped(without_names=OTHER_SPECIES)})"
            )

    def _dropped(self, without_names: str = "") -> str:
        phrases = []
        for reason, count in self.dropped_by_reason.items():
            examples = self.examples_by_reason.get(reason, {})
            if reason in NAMED_REASONS:
                shown = ": " + self._names(examples) if examples and reason != without_names else ""
            else:
                shown = f" such as {next(iter(examples))!r}" if examples else ""
            phrases.append(f"{count} {reason}{shown}")
        return "; ".join(phrases) or "none"

    def _names(self, examples: dict[str, int]) -> str:
        """Return names with their counts, and for each the species that it is a misspelling of."""
        listed = []
        for name, count in examples.items():
            close = closest_name(name, self.kept_by_species, cutoff=0.85)
            listed.append(f"{count} {name}" + (f" ({close}?)" if close else ""))
        return list_names(listed)
