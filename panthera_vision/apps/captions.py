"""Captions of the collection's photos: whose they are, under which licence, where to read on."""

import re
from collections.abc import Mapping
from functools import partial

from panthera_vision.apps.texts import plain, text
from panthera_vision.credits import license_url
from panthera_vision.taxa import Language, common_name

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
    """Licence, attribution and a link to the observation, as lines of Markdown.

    Args:
        photo: `license`, `attribution` and `observation_url`, all from strangers.
        texts: the app's texts.
        language: of the page.
    """
    say = partial(text, texts, language)
    code, attribution = photo.get("license", ""), plain(photo.get("attribution", ""))
    licensed = license_label(code, texts, language)
    terms = license_url(code)
    lines = [f"[{licensed}]({terms})" if terms else licensed, attribution]
    if not code and attribution:  # which says as much
        del lines[0]
    address = photo.get("observation_url", "")
    if _LINK.fullmatch(address):
        lines.append(f"[{say('observation')}]({address})")
    return [line for line in lines if line]


def license_label(
    code: str, texts: Mapping[str, Mapping[Language, str]], language: Language
) -> str:
    """A licence as a page shows it; no licence means that all rights are reserved."""
    return plain(code) or text(texts, language, "no_license")
