"""A GBIF download as GBIF writes it, with rows of the tests' own making."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

DWC, DC, GBIF = (
    "http://rs.tdwg.org/dwc/terms/",
    "http://purl.org/dc/terms/",
    "http://rs.gbif.org/terms/1.0/",
)
OCCURRENCE = {
    **dict.fromkeys(("identifier", "license", "references", "rightsHolder", "type"), DC),
    **dict.fromkeys(
        (
            *("basisOfRecord", "informationWithheld", "occurrenceID", "recordedBy"),
            *("occurrenceStatus", "eventDate", "year", "month", "day", "countryCode"),
            *("stateProvince", "locality", "decimalLatitude", "decimalLongitude"),
            *("scientificName", "scientificNameAuthorship", "infraspecificEpithet", "taxonRank"),
        ),
        DWC,
    ),
    **dict.fromkeys(("datasetKey", "mediaType", "species", "acceptedScientificName"), GBIF),
}
MEDIA = dict.fromkeys(
    (
        *("type", "format", "identifier", "references", "title", "description", "source"),
        *("audience", "created", "creator", "contributor", "publisher", "license"),
        "rightsHolder",
    ),
    DC,
)
# The columns of a simple download.
SIMPLE = [
    "gbifID",
    "datasetKey",
    "occurrenceID",
    "kingdom",
    "phylum",
    "class",
    "order",
    "family",
    "genus",
    "species",
    "infraspecificEpithet",
    "taxonRank",
    "scientificName",
    "verbatimScientificName",
    "verbatimScientificNameAuthorship",
    "countryCode",
    "locality",
    "stateProvince",
    "occurrenceStatus",
    "individualCount",
    "publishingOrgKey",
    "decimalLatitude",
    "decimalLongitude",
    "coordinateUncertaintyInMeters",
    "coordinatePrecision",
    "elevation",
    "elevationAccuracy",
    "depth",
    "depthAccuracy",
    "eventDate",
    "day",
    "month",
    "year",
    "taxonKey",
    "speciesKey",
    "basisOfRecord",
    "institutionCode",
    "collectionCode",
    "catalogNumber",
    "recordNumber",
    "identifiedBy",
    "dateIdentified",
    "license",
    "rightsHolder",
    "recordedBy",
    "typeStatus",
    "establishmentMeans",
    "lastInterpreted",
    "mediaType",
    "issue",
]
LION = {
    "species": "Panthera leo",
    "scientificName": "Panthera leo (Linnaeus, 1758)",
    "basisOfRecord": "HUMAN_OBSERVATION",
    "occurrenceStatus": "PRESENT",
    "recordedBy": "Ann B.",
    "eventDate": "2021-05-01",
    "license": "CC_BY_NC_4_0",
}
JPEG = {"type": "StillImage", "format": "image/jpeg"}
CITATION = "GBIF.org (1 June 2021) GBIF Occurrence Download https://doi.org/10.15468/dl.abc123"
Rows = Sequence[Mapping[str, str]]


def tab_separated(columns: Sequence[str], rows: Rows) -> str:
    """Return rows as GBIF writes them: tabs, and no quotes around anything."""
    lines = ["\t".join(columns), *("\t".join(row.get(c, "") for c in columns) for row in rows)]
    return "\n".join(lines) + "\n"


def photo(gbif_id: str, address: str, **changes: str) -> dict[str, str]:
    """A row of multimedia.txt."""
    return {"gbifID": gbif_id, "identifier": address, **JPEG, **changes}


def occurrence(gbif_id: str, **changes: str) -> dict[str, str]:
    """A row of occurrence.txt."""
    return {"gbifID": gbif_id, **LION, **changes}


def download_files(occurrences: Rows, media: Rows) -> dict[str, str]:
    """Return the files of a Darwin Core archive by name."""
    return {
        "meta.xml": _meta(),
        "occurrence.txt": tab_separated(["gbifID", *OCCURRENCE], occurrences),
        "multimedia.txt": tab_separated(["gbifID", *MEDIA], media),
        "verbatim.txt": "gbifID\n",
        "citations.txt": f"When using this dataset please use this citation:\n{CITATION}\n",
    }


def write_download(folder: Path, occurrences: Rows, media: Rows) -> Path:
    """Write an unpacked Darwin Core archive; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in download_files(occurrences, media).items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def write_zip(file: Path, files: Mapping[str, str]) -> Path:
    """Write a ZIP archive of texts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file


def _meta() -> str:
    def table(kind: str, id: str, row_type: str, file: str, terms: Mapping[str, str]) -> str:
        fields = "".join(
            f'<field index="{index}" term={quoteattr(vocabulary + name)}/>'
            for index, (name, vocabulary) in enumerate(terms.items(), start=1)
        )
        return (
            f'<{kind} encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" '
            f'fieldsEnclosedBy="" ignoreHeaderLines="1" rowType="{row_type}">'
            f'<files><location>{file}</location></files><{id} index="0"/>{fields}</{kind}>'
        )

    return (
        '<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="metadata.xml">'
        + table("core", "id", f"{DWC}Occurrence", "occurrence.txt", OCCURRENCE)
        + table("extension", "coreid", f"{GBIF}Multimedia", "multimedia.txt", MEDIA)
        + table("extension", "coreid", f"{DWC}Occurrence", "verbatim.txt", {})
        + "</archive>"
    )
