"""Captions of the collection's photos: whose they are, under which licence, where to read on."""

import html
import re
from collections.abc import Mapping
from functools import partial

from panthera_vision.data.credits import license_url
from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.ui.i18n import plain, text

# What may stand behind a link: no brackets or blanks that would end it early.
_LINK = re.compile(r"https?://[^\s()<>\[\]\"']+")


def species_caption(species: str, language: Language) -> str:
    """The common name and the scientific one, in Markdown."""
    name = common_name(species, language)
    return f"**{name}**" if name == species else f"**{name}** · *{species}*"


def credit_lines(
    photo: Mapping[str, str],
    texts: Mapping[str, Mapping[Language, str]],
    language: Language,
) -> list[str]:
    """Licence and a link to the observation, then the attribution, as lines of Markdown.

    Args:
        photo: `license`, `attribution` and `observation_url`, all from strangers.
        texts: the app's texts.
        language: of the page.
    """
    say = partial(text, texts, language)
    code, attribution = photo.get("license", ""), attribution_of(photo)
    links = []
    if code or not attribution:  # an attribution says of itself that all rights are reserved
        licensed = license_label(code, texts, language)
        terms = license_url(code)
        links.append(f"[{licensed}]({terms})" if terms else licensed)
    address = photo.get("observation_url", "")
    if _LINK.fullmatch(address):
        links.append(f"[{say('observation')}]({address})")
    return [line for line in (" · ".join(links), attribution) if line]


def attribution_of(photo: Mapping[str, str]) -> str:
    """Whom to credit; some exports write "&amp;" where a person wrote "&"."""
    return plain(html.unescape(photo.get("attribution", "")))


def license_label(
    code: str, texts: Mapping[str, Mapping[Language, str]], language: Language
) -> str:
    """A licence as a page shows it; no licence means that all rights are reserved."""
    return plain(code) or text(texts, language, "no_license")
