"""Sentences and labels of the search app that are put together from a table's words."""

from collections.abc import Mapping
from functools import partial

from panthera_vision.data.taxonomy import COMMON_NAMES, Language, common_name
from panthera_vision.search.results import Agreement
from panthera_vision.ui.captions import attribution_of, credit_lines
from panthera_vision.ui.i18n import SEARCH, plain, text

Photo = Mapping[str, str]


def within_sentence(species: str, language: Language) -> str:
    """A species' common name as it stands inside a sentence, or its scientific one."""
    name = common_name(species, language)
    return name.lower() if species in COMMON_NAMES else name


def agreement_sentence(agreement: Agreement, language: Language) -> str:
    """Whether the most similar photos show one species, and which.

    The Russian sentences leave the number without a noun after it, so that they are right for
    every number.
    """
    say = partial(text, SEARCH, language)
    species = agreement.majority
    if species is None:
        parts = [
            f"{within_sentence(count.species, language)} ({count.hits})"
            for count in agreement.counts
        ]
        return say("agreement_none", species=", ".join(parts))
    count = agreement.counts[0].hits
    key = "agreement_all" if count == agreement.total else "agreement_most"
    return say(key, species=within_sentence(species, language), count=count, total=agreement.total)


def details(photo: Photo, language: Language) -> str:
    """Species, who, when and where, under which licence, whom to credit, where to read on."""
    say = partial(text, SEARCH, language)
    name, scientific = plain(common_name(photo["species"], language)), plain(photo["species"])
    lines = [f"**{name}**"] if name != scientific else []
    lines.append(f"*{scientific}*")
    lines += [plain(photo.get(column, "")) for column in ("observer", "observed_on")]
    if photo.get("place"):
        lines.append(say("place", place=plain(photo["place"])))
    lines += credit_lines(photo, SEARCH, language)
    return "  \n".join(line for line in lines if line)


def picture_words(photo: Photo, language: Language) -> str:
    """What a photo shows, for those who do not see it."""
    parts = [common_name(photo["species"], language)]
    parts += [photo.get(name, "") for name in ("place", "observed_on", "observer")]
    return ", ".join(part for part in parts if part)


def credit_line(photo: Photo, language: Language) -> str:
    """The species and whom to credit, in short."""
    return f"{plain(common_name(photo['species'], language))}. {attribution_of(photo)}"
