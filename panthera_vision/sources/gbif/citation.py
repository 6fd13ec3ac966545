"""Find the citation of a GBIF download, which its terms of use ask for."""

import re

from panthera_vision.io.archive import Archive

# In the order of preference; the first three are GBIF's, the last is of a publisher's archive.
_FILES = ("citations.txt", "metadata.xml", "rights.txt", "eml.xml")
_READ_BYTES = 1 << 20
_DOWNLOAD = re.compile(
    r"GBIF\.org \(([\w ,.-]{4,40})\)[\s,.]*GBIF Occurrence Download\.?\s*"
    r"(?:https?://(?:dx\.)?doi\.org/)?(10\.15468/dl\.\w+)"
)
_DOWNLOAD_DOI = re.compile(r"10\.15468/dl\.\w+", re.IGNORECASE)
_DATA_SET_DOI = re.compile(r"10\.\d{4,9}/[\w.()/:-]+\w")


def find_citation(archive: Archive) -> str:
    """Return the citation with the DOI of the download, or of a publisher's data set; else ""."""
    texts = [archive.beginning(name, _READ_BYTES) for name in _FILES if name in archive]
    for text in texts:
        if match := _DOWNLOAD.search(text):
            return f"GBIF.org ({match[1]}) GBIF Occurrence Download https://doi.org/{match[2]}"
    for text in texts:
        if match := _DOWNLOAD_DOI.search(text):
            return f"GBIF.org, GBIF Occurrence Download https://doi.org/{match[0]}"
    if "eml.xml" in archive and (match := _DATA_SET_DOI.search(texts[-1])):
        return f"https://doi.org/{match[0]}"
    return ""
