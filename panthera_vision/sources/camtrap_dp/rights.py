"""Read who holds the rights to the media of a package, and under which licence they are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from panthera_vision.io.urls import is_web_address

_CREATIVE_COMMONS = re.compile(
    r"(?:creativecommons\.org/licenses/|CC[- ])(BY(?:-NC)?(?:-ND|-SA)?)\b", re.IGNORECASE
)
_NO_RIGHTS_RESERVED = re.compile(r"CC0|publicdomain/zero|\bPDDL\b", re.IGNORECASE)


@dataclass(frozen=True)
class MediaRights:
    """Hold the licence of photos as iNaturalist writes it ("" for none), and their attribution."""

    license: str
    attribution: str


def media_rights(descriptor: dict[str, Any]) -> MediaRights:
    """Return licence and attribution of the media of a package.

    The licence is that with the scope "media", and the owner the contributor with the role
    "rightsHolder", else the publisher, the principal investigator, or the first contributor.
    """
    of_media = [each for each in _dicts(descriptor, "licenses") if each.get("scope") == "media"]
    code = license_code(of_media[0]) if of_media else ""
    owner = _owner(descriptor) or "unknown owner"
    if code == "CC0":
        return MediaRights(code, f"{owner}, no rights reserved (CC0)")
    reserved = f"some rights reserved ({code.replace('-', ' ', 1)})" if code else ""
    return MediaRights(code, f"(c) {owner}, {reserved or 'all rights reserved'}")


def license_code(license: dict[str, Any]) -> str:
    """Return the code of a licence, such as CC-BY-NC; "" for one that is not Creative Commons.

    >>> license_code({"path": "http://creativecommons.org/licenses/by/4.0/"})
    'CC-BY'
    """
    text = f"{license.get('name', '')} {license.get('path', '')}"
    if _NO_RIGHTS_RESERVED.search(text):
        return "CC0"
    match = _CREATIVE_COMMONS.search(text)
    return f"CC-{match[1].upper()}" if match else ""


def package_link(descriptor: dict[str, Any]) -> str:
    """Return the web address of a package: its DOI, or its or its project's homepage; or ""."""
    project = descriptor.get("project")
    links = [
        descriptor.get("id"),
        descriptor.get("homepage"),
        project.get("path") if isinstance(project, dict) else "",
    ]
    for link in links:
        text = str(link or "")
        if text.startswith("10."):
            text = f"https://doi.org/{text}"
        if is_web_address(text):
            return text
    return ""


def _owner(descriptor: dict[str, Any]) -> str:
    contributors = list(_dicts(descriptor, "contributors"))
    for role in ("rightsHolder", "publisher", "principalInvestigator"):
        for each in contributors:
            if each.get("role") == role and each.get("title"):
                return str(each["title"])
    return str(contributors[0].get("title", "")) if contributors else ""


def _dicts(parent: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    values = parent.get(name)
    for each in values if isinstance(values, list) else []:
        if isinstance(each, dict):
            yield each
