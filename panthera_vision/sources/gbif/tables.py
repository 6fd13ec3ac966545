"""Read the tables of a Darwin Core archive, as its meta.xml or their headers describe them.

Format: Darwin Core text guide, TDWG (https://dwc.tdwg.org/text/).
"""

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from xml.etree import ElementTree

from panthera_vision.data.csv_dialect import not_utf8
from panthera_vision.errors import UserError, list_names
from panthera_vision.io.archive import Archive

META_FILE = "meta.xml"
_MAX_META_BYTES = 1 << 20
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r"}
ID_COLUMN = "the id"  # no term of Darwin Core has a blank


@dataclass(frozen=True)
class TableLayout:
    """Hold how a table is written.

    Attributes:
        file: its name in the archive.
        encoding, delimiter: as Python names them.
        quote: the sign around cells; "" for none.
        header_lines: lines to skip.
        columns: the position of each column by its term in lower case, without the vocabulary's
            address; `ID_COLUMN` is the key that tables are joined by.
        defaults: the value of a term for all rows.
    """

    file: str
    encoding: str
    delimiter: str
    quote: str
    header_lines: int
    columns: dict[str, int]
    defaults: dict[str, str]

    def rows(
        self, archive: Archive, wanted: Sequence[str]
    ) -> Iterator[tuple[int, dict[str, str] | None]]:
        """Yield the number of each line and its cells of the `wanted` columns, "" for lacking ones.

        A line with too few fields has None.

        Raises:
            UserError: the table is damaged, or not in its encoding.
        """
        present = [term for term in wanted if term in self.columns]
        places = [self.columns[term] for term in present]
        pick = itemgetter(*places, places[0])  # at least two: a tuple
        shared = {term: self.defaults.get(term, "") for term in wanted}
        line = 0
        try:
            for line, cells in enumerate(self._cells(archive), start=1):
                if line <= self.header_lines or cells in ([], [""]):
                    continue
                try:
                    found = pick(cells)
                except IndexError:
                    yield line, None
                    continue
                row = shared | dict(zip(present, map(str.strip, found), strict=False))
                yield line, row
        except UnicodeError as error:
            raise not_utf8(archive.path / self.file, error, after_line=line) from None
        except (csv.Error, ValueError, LookupError) as error:  # no delimiter, no text encoding
            raise UserError(f"{archive.path / self.file}, line {line}: {error}") from None

    def _cells(self, archive: Archive) -> Iterator[list[str]]:
        lines = archive.lines(self.file, self.encoding)
        if self.quote:
            return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)
        return (line.rstrip("\r\n").split(self.delimiter) for line in lines)


def layout_by_header(archive: Archive, file: str, key: str) -> TableLayout:
    """Return the layout of a tab-separated table without quotes, as GBIF writes it, by its header.

    Raises:
        UserError: it has no column `key`.
    """
    try:
        header = next(archive.lines(file), "").rstrip("\r\n").split("\t")
    except UnicodeError as error:
        raise not_utf8(archive.path / file, error) from None
    columns = {name.strip().lower(): place for place, name in reversed(list(enumerate(header)))}
    if key.lower() not in columns:
        raise UserError(
            f"{archive.path / file}: column {key!r} is missing; the table has {list_names(header)}"
        )
    columns[ID_COLUMN] = columns[key.lower()]
    return TableLayout(file, "utf-8-sig", "\t", "", 1, columns, {})


def layouts_by_meta(archive: Archive) -> dict[str, TableLayout]:
    """Return the layouts that meta.xml describes, by the last part of their row types.

    Such a part is "occurrence" or "multimedia", in lower case; the core has the key "core", too.

    Raises:
        UserError: it is not a meta.xml.
    """
    text = archive.beginning(META_FILE, _MAX_META_BYTES)
    try:
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise UserError(f"{archive.path / META_FILE} declares entities, as no archive needs")
        root = ElementTree.fromstring(text.lstrip("\ufeff"))
        layouts: dict[str, TableLayout] = {}
        for table in root:
            kind = _local(table.tag)
            if kind not in {"core", "extension"}:
                continue
            layout = _layout(table)
            row_type = table.get("rowType", "").rpartition("/")[2].lower()
            if kind == "core":
                layouts |= {row_type: layout, "core": layout}
            else:  # GBIF's verbatim.txt has the row type of the core
                layouts.setdefault(row_type, layout)
    except (ElementTree.ParseError, ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"{archive.path / META_FILE} does not describe a Darwin Core archive: {error}"
        ) from None
    return layouts


def _layout(table: ElementTree.Element) -> TableLayout:
    columns: dict[str, int] = {}
    defaults: dict[str, str] = {}
    location = ""
    for element in table.iter():
        kind, index = _local(element.tag), element.get("index")
        term = element.get("term", "").rpartition("/")[2].lower()
        if kind == "location":
            location = location or (element.text or "").strip()
        elif kind in {"id", "coreid"}:
            columns[ID_COLUMN] = int(index or 0)
        elif kind == "field" and index is not None:
            columns.setdefault(term, int(index))
        elif kind == "field":
            defaults[term] = element.get("default", "")
    if ID_COLUMN not in columns or not location:
        raise ValueError("a table without its file or its id")
    encoding = table.get("encoding") or "utf-8"
    delimiter = _unescaped(table.get("fieldsTerminatedBy") or ",")
    if len(delimiter) != 1 or min(columns.values()) < 0:
        raise ValueError(f"delimiter {delimiter!r}")
    return TableLayout(
        location,
        "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding,
        delimiter,
        table.get("fieldsEnclosedBy", '"')[:1],
        int(table.get("ignoreHeaderLines") or 0),
        columns,
        defaults,
    )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _unescaped(text: str) -> str:
    return _ESCAPES.get(text, text)
