"""Recognize Creative Commons licenses however a source writes them, and link to their texts."""

import re
from functools import lru_cache

PUBLIC_DOMAIN = "PD"  # the Public Domain Mark, which is no license
_CURRENT = "4.0"
_LICENSE = re.compile(r"CC-(BY(?:-NC)?(?:-ND|-SA)?)")
_TEXTS = "https://creativecommons.org"
_BY_ADDRESS = re.compile(
    r"creativecommons\.org/(?:licenses/(?P<terms>by[a-z-]*)|publicdomain/(?P<tool>zero|mark))"
    r"(?:/(?P<version>\d\.\d))?"
)
# "CC BY-NC 3.0", "cc-by-nc", "CC_BY_NC_4_0", "CC0 1.0".
_BY_NAME = re.compile(
    r"(?:cc|creative commons)[ _-]?(?:(?P<zero>0|zero)|(?P<terms>by(?:[ _-](?:nc|nd|sa))*))"
    r"(?:[ _-]v?(?P<version>\d[._]\d))?(?![a-z0-9])"
)
_LONGEST = 300
_PARTS = ("BY", "NC", "ND", "SA")


def parse_license(text: str) -> tuple[str, str] | None:
    """Return the code of a license and its version ("" if none is named); None for other text.

    Codes are those of iNaturalist, in capitals; "PD" is the Public Domain Mark.

    Args:
        text: an address, a name, or a constant as GBIF writes it.

    >>> parse_license("http://creativecommons.org/licenses/by-nc/4.0/legalcode")
    ('CC-BY-NC', '4.0')
    >>> parse_license("CC_BY_4_0"), parse_license("© Ann") is None
    (('CC-BY', '4.0'), True)
    """
    return _parse(text[:_LONGEST])


@lru_cache(maxsize=1024)  # a million photos have few licenses
def _parse(text: str) -> tuple[str, str] | None:
    text = text.lower()
    if match := _BY_ADDRESS.search(text):
        if match["tool"]:
            return ("CC0" if match["tool"] == "zero" else PUBLIC_DOMAIN), match["version"] or ""
    elif match := _BY_NAME.search(text):
        if match["zero"]:
            return "CC0", (match["version"] or "").replace("_", ".")
    else:
        return None
    named = set(re.split(r"[ _-]", match["terms"].upper()))
    code = "-".join(["CC", *(part for part in _PARTS if part in named)])
    # Share-alike and no-derivatives exclude each other.
    is_known = named <= set(_PARTS) and _LICENSE.fullmatch(code)
    return (code, (match["version"] or "").replace("_", ".")) if is_known else None


def license_url(code: str) -> str | None:
    """Return the URL of a Creative Commons license's current text, or None for any other code.

    >>> license_url("CC-BY-NC")
    'https://creativecommons.org/licenses/by-nc/4.0/'
    """
    code = code.upper()
    if code == "CC0":
        return f"{_TEXTS}/publicdomain/zero/1.0/"
    if code == PUBLIC_DOMAIN:
        return f"{_TEXTS}/publicdomain/mark/1.0/"
    match = _LICENSE.fullmatch(code)
    return f"{_TEXTS}/licenses/{match[1].lower()}/{_CURRENT}/" if match else None


def attribution(owner: str, code: str, version: str = "") -> str:
    """Return the attribution of a photo as iNaturalist writes it.

    Args:
        owner: the name of who holds the rights.
        code: of the license; "" if all rights are reserved.
        version: of the license, written where it is not the current one.

    >>> attribution("Ann", "CC-BY-NC"), attribution("Ann", "CC-BY", "2.0")
    ('(c) Ann, some rights reserved (CC BY-NC)', '(c) Ann, some rights reserved (CC BY 2.0)')
    """
    code = code.upper()
    if not code:
        return f"(c) {owner}, all rights reserved"
    if code.startswith("CC0"):
        return f"{owner}, no rights reserved (CC0)"
    if code == PUBLIC_DOMAIN:
        return f"{owner}, public domain"
    older = f" {version}" if version not in ("", _CURRENT) else ""
    return f"(c) {owner}, some rights reserved ({code.replace('CC-', 'CC ', 1)}{older})"
