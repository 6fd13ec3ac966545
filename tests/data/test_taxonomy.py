import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.data.taxonomy import common_name, folder_name, species_of


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
