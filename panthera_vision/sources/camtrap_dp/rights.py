"""Read who holds the rights to the media of a package, and under which licence they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from panthera_vision.data.licenses import attribution, parse_license
from panthera_vision.io.urls import is_web_address

_PUBLIC_DOMAIN_DATA = "PDDL"  # Open Data Commons' counterpart of CC0


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
    code, version = _license(of_media[0]) if of_media else ("", "")
    owner = _owner(descriptor) or "unknown owner"
    return MediaRights(code, attribution(owner, code, version))


def _license(license: dict[str, Any]) -> tuple[str, str]:
    """Return the code and the version of a licence; empty for others."""
    name, path = str(license.get("name", "")), str(license.get("path", ""))
    if _PUBLIC_DOMAIN_DATA in name.upper() or _PUBLIC_DOMAIN_DATA in path.upper():
        return "CC0", ""
    return parse_license(name) or parse_license(path) or ("", "")


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
