"""Write captions of the collection's photos: species, author, license, observation."""

import html
import re
from collections.abc import Mapping

from panthera_vision.data.licenses import license_url
from panthera_vision.ui.i18n import Translator, plain

Photo = Mapping[str, str]

# The target of a Markdown link: no brackets or blanks that would end it early.
_LINK = re.compile(r"https?://[^\s()<>\[\]\"']+")


def species_caption(species: str, t: Translator) -> str:
    """Return the common and the scientific name in Markdown."""
    name = t.species(species)
    return f"**{name}**" if name == species else f"**{name}** · *{species}*"


def credit_lines(photo: Photo, t: Translator) -> list[str]:
    """Return license, link to the observation and attribution (all untrusted) in Markdown."""
    code, attribution = photo.get("license", ""), attribution_of(photo)
    links = []
    if code or not attribution:  # an attribution itself says that all rights are reserved
        links.append(license_link(code, t))
    address = photo.get("observation_url", "")
    if _LINK.fullmatch(address):
        links.append(f"[{t('observation')}]({address})")
    return [line for line in (" · ".join(links), attribution) if line]


def attribution_of(photo: Photo) -> str:
    """Return whom to credit; some exports have "&amp;" where a person wrote "&"."""
    return plain(html.unescape(photo.get("attribution", "")))


def license_label(code: str, t: Translator) -> str:
    """Return a license's label; no license means that all rights are reserved."""
    return plain(code) or t("no_license")


def license_link(code: str, t: Translator) -> str:
    """Return a license's label, linked to its terms if they are known."""
    label, terms = license_label(code, t), license_url(code)
    return f"[{label}]({terms})" if terms else label


def photo_details(photo: Photo, t: Translator) -> str:
    """Return species, observer, date, place and credits as lines of Markdown."""
    name, scientific = plain(t.species(photo["species"])), plain(photo["species"])
    lines = [f"**{name}**"] if name != scientific else []
    lines.append(f"*{scientific}*")
    lines += [plain(photo.get(column, "")) for column in ("observer", "observed_on")]
    if photo.get("place"):
        lines.append(t("place", place=plain(photo["place"])))
    lines += credit_lines(photo, t)
    return "  \n".join(line for line in lines if line)


def alt_text(photo: Photo, t: Translator) -> str:
    """Describe a photo for screen readers."""
    parts = [t.species(photo["species"])]
    parts += [photo.get(name, "") for name in ("place", "observed_on", "observer")]
    return ", ".join(part for part in parts if part)
