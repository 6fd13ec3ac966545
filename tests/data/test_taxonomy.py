import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.data.taxonomy import (
    accepted_name,
    common_name,
    folder_name,
    is_hybrid,
    species_of,
)


@pytest.mark.parametrize(
    ("taxon", "species"),
    [
        ("Panthera leo", "Panthera leo"),
        ("Panthera leo melanochaita", "Panthera leo"),
        ("Panthera tigris ssp. altaica", "Panthera tigris"),
        ("Panthera (Uncia) uncia", "Panthera uncia"),
        ("  panthera   LEO ", "Panthera leo"),
        ("Panthera", None),
        ("", None),
        ("Panthera × hybrida", None),
        ("Panthera leo x Panthera tigris", None),
        ("Panthera ../../etc", None),
    ],
)
def test_taxa_are_reduced_to_species(taxon: str, species: str | None) -> None:
    assert species_of(taxon) == species


@pytest.mark.parametrize("sign", [*"×xXхХ✕✖⨯χ", "ｘ", "&times;"])
@pytest.mark.parametrize(
    "name", ["Panthera leo {} tigris", "Panthera {} leo", "Panthera leo {} Panthera tigris"]
)
def test_a_hybrid_is_no_photo_of_its_first_parent(name: str, sign: str) -> None:
    assert is_hybrid(name.format(sign))
    assert species_of(name.format(sign)) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Panthera ×leo", "Panthera leo×tigris", "Panthera leoхtigris", "Panthera leo xtigris"),
        *("Panthera leoXtigris", "Panthera leo xonca", "PANTHERA LEO X TIGRIS", "×Panthera leo"),
        *("Panthera leo hybrid", "Hybrid Panthera leo", "Panthera leo (hybrid)", "panthera LEO х"),
        *("Panthera leo (x tigris)", "Panthera leo, гибрид", "Гибридный Panthera leo"),
    ],
)
def test_other_spellings_of_hybrids_are_recognized(name: str) -> None:
    assert is_hybrid(name)
    assert species_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Puma xanthus", "Xerus inauris", "Chlidonias hybrida", "Axis axis", "Lynx lynx"),
        *("Canis lupus xanthodon", "Panthera leo (Linnaeus, 1758)", "PANTHERA LEO"),
        "Cuniculus taczanowskii Stolzmann & Smith, 1865",
    ],
)
def test_names_with_an_x_are_no_hybrids(name: str) -> None:
    assert not is_hybrid(name)
    assert species_of(name)


@pytest.mark.parametrize("name", ["Panthera leo / tigris", "Panthera leo or Panthera tigris"])
def test_several_species_are_none(name: str) -> None:
    assert species_of(name) is None


def test_former_names_are_known() -> None:
    assert accepted_name("Uncia uncia") == accepted_name("Felis uncia") == "Panthera uncia"
    assert accepted_name("Puma concolor") == "Puma concolor"


@given(st.text())
def test_any_text_gives_a_safe_folder_name_or_none(text: str) -> None:
    species = species_of(text)
    if species is not None:
        assert set(folder_name(species)) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"
        )
        assert species_of(species) == species


def test_unknown_species_keep_their_scientific_name() -> None:
    assert common_name("Felis margarita", "ru") == "Felis margarita"
    assert common_name("Panthera uncia", "ru") == "Снежный барс"
