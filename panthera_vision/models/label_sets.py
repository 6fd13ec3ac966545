"""Find the species among the labels of ImageNet heads, by the Latin names in their descriptions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from panthera_vision.data.taxonomy import accepted_name, species_of


def imagenet_labels(config: Mapping[str, Any]) -> str:
    """Return the name of the ImageNet label set of a timm configuration's head, "" for others.

    timm tells the sets apart by their number of classes: 1,000, or 11,221 to 21,843 of ImageNet-21k
    in its versions. A head that brings label names of its own has other labels.
    """
    from timm.data import infer_imagenet_subset

    if config.get("label_names"):
        return ""
    return infer_imagenet_subset(dict(config)) or ""


@cache
def own_classes(labels: str, species: Iterable[str]) -> list[int]:
    """Return the class numbers of those species that a label set has; see `species_rows`."""
    rows = species_rows(labels)
    return [rows[name] for name in species if name in rows]


def species_rows(labels: str) -> Mapping[str, int]:
    """Return the species of a label set, by accepted name, with their class numbers.

    A description such as "snow leopard, ounce, Panthera uncia" names the species; former names such
    as "Felis concolor" are replaced. A species of several classes (wild boar and hog are both *Sus
    scrofa*) is left out.

    Args:
        labels: as `imagenet_labels` returns it; "" has no species.
    """
    from timm.data import ImageNetInfo

    if not labels:
        return {}
    classes: dict[str, set[int]] = defaultdict(set)
    for number, description in enumerate(ImageNetInfo(labels).label_descriptions()):
        for name in description.split(", "):
            # "Ursus Maritimus" is a species, "Persian cat" can't be told from one and does no harm.
            if len(name.split()) == 2 and (species := species_of(name)) and name[0].isupper():
                classes[accepted_name(species)].add(number)
    return {species: min(found) for species, found in classes.items() if len(found) == 1}
