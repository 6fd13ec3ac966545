"""Reading a GBIF download: the join of occurrences and media, reasons, hostile archives."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panthera_vision.errors import UserError
from panthera_vision.sources.observations import prepare_observations, read_observations
from panthera_vision.sources.preparation_report import PreparationReport

from .made_gbif import (
    CITATION,
    SIMPLE,
    download_files,
    occurrence,
    photo,
    tab_separated,
    write_download,
    write_zip,
)

LEO = "Panthera leo"
A_PHOTO = [photo("1", "https://x.org/1.jpg")]


def read(folder: Path) -> tuple[pd.DataFrame, PreparationReport]:
    return read_observations(folder, [LEO])


def test_photos_of_an_occurrence_share_its_observer_day_place_and_citation(tmp_path: Path) -> None:
    lion = occurrence(
        "41",
        eventDate="2021-05-01T09:30:00",
        decimalLatitude="-2.3",
        decimalLongitude="34.8",
        locality="Seronera",
        countryCode="TZ",
        references="https://www.inaturalist.org/observations/7",
    )
    media = [
        photo("41", "https://x.org/a.jpg", creator="Ann B.", created="2021-05-01T09:31:07+03:00"),
        photo(
            "41",
            "https://x.org/b.jpg",
            license="http://creativecommons.org/licenses/by/2.0/",
            rightsHolder="Museum",
            created="2021-06-11T00:00:00",
        ),
    ]
    table, report = prepare_observations(write_download(tmp_path, [lion], media), [LEO])
    assert list(table["id"]) == ["41", "41_2"]
    assert set(table["observer"]) == {"Ann B."}
    assert set(table["observed_on"]) == {"2021-05-01"}
    assert list(table["taken_at"]) == ["2021-05-01T09:31:07+03:00", "2021-05-01T09:30:00"]
    assert set(table["place"]) == {"Seronera, TZ"}
    assert list(table[["latitude", "longitude"]].iloc[0]) == ["-2.3", "34.8"]
    assert list(table["license"]) == ["CC-BY-NC", "CC-BY"]  # the record's, and the medium's
    assert list(table["attribution"]) == [
        "(c) Ann B., some rights reserved (CC BY-NC)",
        "(c) Museum, some rights reserved (CC BY 2.0)",
    ]
    assert set(table["observation_url"]) == {"https://www.inaturalist.org/observations/7"}
    assert set(table["citation"]) == {CITATION}
    assert report.source == "GBIF download"


def test_every_dropped_occurrence_and_medium_has_a_reason(tmp_path: Path) -> None:
    occurrences = [
        occurrence("1"),
        occurrence("2", species="Puma concolor", scientificName="Puma concolor (Linnaeus, 1771)"),
        occurrence("3", species="", scientificName="Panthera Oken, 1816"),
        occurrence("4", species="", scientificName="Panthera leo × Panthera tigris"),
        occurrence("5", basisOfRecord="PRESERVED_SPECIMEN"),
        occurrence("6", occurrenceStatus="ABSENT"),
        occurrence("7"),
        occurrence("7"),
        occurrence("8", basisOfRecord="FossilSpecimen"),
    ]
    media = [
        photo("1", "https://x.org/1.jpg"),
        photo("1", "https://x.org/roar.mp3", type="Sound", format="audio/mpeg"),
        photo("1", "https://x.org/walk.mp4", type="MovingImage", format="video/mp4"),
        photo("1", "https://x.org/page", type="", format="text/html"),
        photo("1", "", references="https://x.org/page"),
        photo("1", ""),
        photo("1", "https://x.org/m.obj", type="", format="model/obj"),
        photo("2", "https://x.org/2.jpg"),
        photo("99", "https://x.org/99.jpg"),
        photo("1", "ftp://x.org/1.jpg"),
    ]
    folder = write_download(tmp_path, occurrences, media)
    with (folder / "multimedia.txt").open("a") as file:
        file.write("1\tStillImage\n")
    table, report = read(folder)
    assert list(table["id"]) == ["1"]
    assert report.dropped_by_reason == {
        "address is not http, https or a file": 1,
        "duplicate id": 1,
        "hybrid": 1,
        "medium of another kind than a photo": 1,
        "no photo": 2,  # a medium without an address, and occurrence 7
        "not identified to species": 1,
        "photo of an occurrence that is not in the download": 1,
        "sound, not a photo": 1,
        "species not in allowed_species": 1,
        "species recorded as absent": 1,
        "specimen (see prepare.specimens)": 2,
        "video, not a photo": 1,
        "web page, not a photo": 2,
        "wrong number of fields": 1,
    }
    assert report.rows_read == 1 + sum(report.dropped_by_reason.values())


def test_specimens_are_kept_where_the_setting_says_so(tmp_path: Path) -> None:
    folder = write_download(
        tmp_path, [occurrence("1", basisOfRecord="PRESERVED_SPECIMEN")], A_PHOTO
    )
    assert len(read_observations(folder, [LEO], with_specimens=True)[0]) == 1


@pytest.mark.parametrize(
    ("name", "taxon"),
    [
        ({"scientificName": "Panthera leo persica (Meyer, 1826)"}, "Panthera leo persica"),
        (
            {"species": LEO, "scientificName": "Felis leo Linnaeus, 1758", "taxonRank": "SPECIES"},
            LEO,
        ),
        (
            {"species": LEO, "infraspecificEpithet": "melanochaita"},
            "Panthera leo melanochaita",
        ),
        ({"scientificName": "Panthera leo subsp. persica von Meyer"}, "Panthera leo persica"),
        ({"scientificName": "Felis (Leo) leo", "acceptedScientificName": "Panthera leo L."}, LEO),
    ],
)
def test_names_lose_their_authors_and_synonyms_give_way(
    tmp_path: Path, name: dict[str, str], taxon: str
) -> None:
    table, _ = read(write_download(tmp_path, [occurrence("1", **{"species": "", **name})], A_PHOTO))
    assert list(table["species"]) == [LEO]
    assert list(table["taxon"]) == [taxon]


@pytest.mark.parametrize(
    ("event", "day", "note"),
    [
        ({"eventDate": "2021-05-01"}, "2021-05-01", None),
        ({"eventDate": "2021-05-01T23:59:59.123Z"}, "2021-05-01", None),
        ({"eventDate": "2021-05-01T08:00/2021-05-01T09:00"}, "2021-05-01", None),
        ({"eventDate": "2021-05-01T08:00:00/09:00:00"}, "2021-05-01", None),
        ({"eventDate": "2021-05-01/2021-05-03"}, "2021-05-01", "the first is taken"),
        ({"eventDate": "2021-05-01/03"}, "2021-05-01", "the first is taken"),
        ({"eventDate": "2021-05-01/2021-08-03"}, "", "more than a week"),
        ({"eventDate": "2021-05"}, "", "no day"),
        ({"eventDate": "2021"}, "", "no day"),
        ({"eventDate": "2021-02-30"}, "", "no day"),
        ({"eventDate": "", "year": "2021", "month": "5", "day": "1"}, "2021-05-01", None),
        ({"eventDate": "", "year": "2021", "month": "5"}, "", "no day"),
        ({"eventDate": ""}, "", None),
    ],
)
def test_the_day_of_an_event_is_never_guessed(
    tmp_path: Path, event: dict[str, str], day: str, note: str | None
) -> None:
    table, report = read(write_download(tmp_path, [occurrence("1", **event)], A_PHOTO))
    assert list(table["observed_on"]) == [day]
    assert any(note in each for each in report.notes) if note else not report.notes


def test_terms_that_are_no_license_reserve_all_rights_and_are_counted(tmp_path: Path) -> None:
    media = [photo("1", "https://x.org/1.jpg", license="Ask the museum")]
    table, report = read(write_download(tmp_path, [occurrence("1")], media))
    assert list(table["license"]) == [""]
    assert table["attribution"][0].endswith("all rights reserved")
    assert "no known license" in report.summary()


def test_full_size_photos_of_inaturalist_are_asked_for_in_medium_size(tmp_path: Path) -> None:
    base = "https://inaturalist-open-data.s3.amazonaws.com/photos/27350/"
    table, _ = read(
        write_download(tmp_path, [occurrence("1")], [photo("1", f"{base}original.jpg")])
    )
    assert list(table["image_url"]) == [f"{base}medium.jpg"]


def test_photos_without_observer_and_day_are_grouped_by_their_occurrence(tmp_path: Path) -> None:
    unknown = occurrence("1", recordedBy="", eventDate="")
    media = [photo("1", "https://x.org/a.jpg"), photo("1", "https://x.org/b.jpg")]
    table, _ = read(write_download(tmp_path, [unknown, occurrence("2")], [*media]))
    assert list(table["group"]) == ["occurrence 1", "occurrence 1"]


def test_a_zip_file_is_read_like_the_folder_it_unpacks_to(tmp_path: Path) -> None:
    files = download_files([occurrence("1")], A_PHOTO)
    expected, _ = read(write_download(tmp_path / "folder", [occurrence("1")], A_PHOTO))
    for name, inside in (("0001234-210914110416597.zip", ""), ("nested.zip", "0001234/")):
        archive = write_zip(
            tmp_path / name.removesuffix(".zip") / name,
            {f"{inside}{file}": text for file, text in files.items()},
        )
        for place in (archive, archive.parent):
            pd.testing.assert_frame_equal(read(place)[0], expected)
        assert [path.name for path in archive.parent.iterdir()] == [name]  # nothing was unpacked


def test_quotes_and_line_separators_are_letters_like_others(tmp_path: Path) -> None:
    lion = occurrence("1", recordedBy='Ann "the cat', locality="Mara\u2028River")
    table, _ = read(write_download(tmp_path, [lion, occurrence("2")], A_PHOTO))
    assert list(table["observer"]) == ['Ann "the cat']


def test_an_archive_of_a_publisher_is_read_as_its_meta_xml_says(tmp_path: Path) -> None:
    (tmp_path / "meta.xml").write_text(
        """<?xml version="1.0"?>
        <archive xmlns="http://rs.tdwg.org/dwc/text/">
        <extension encoding="latin-1" fieldsTerminatedBy="," fieldsEnclosedBy='"'
          ignoreHeaderLines="0" rowType="http://rs.tdwg.org/ac/terms/Multimedia">
          <files><location>media.csv</location></files><coreid index="2"/>
          <field index="0" term="http://rs.tdwg.org/ac/terms/accessURI"/>
          <field index="1" term="http://purl.org/dc/terms/creator"/>
          <field default="CC BY 4.0" term="http://purl.org/dc/terms/rights"/></extension>
        <core encoding="UTF-8" fieldsTerminatedBy=";" ignoreHeaderLines="1"
          rowType="http://rs.tdwg.org/dwc/terms/Occurrence">
          <files><location>data.csv</location></files><id index="0"/>
          <field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
          <field default="HumanObservation" term="http://rs.tdwg.org/dwc/terms/basisOfRecord"/>
        </core></archive>"""
    )
    (tmp_path / "data.csv").write_text(
        'id;name\nurn:a:1;"Panthera leo; sp"\nurn:a:2;Panthera leo\n'
    )
    (tmp_path / "media.csv").write_bytes(
        'https://x.org/1.jpg,"Zoë, B.",urn:a:2\n'.encode("latin-1")
    )
    (tmp_path / "eml.xml").write_text("<eml packageId='https://doi.org/10.15468/abc1'/>")
    table, _ = read(tmp_path)
    assert list(table["attribution"]) == ["(c) Zoë, B., some rights reserved (CC BY)"]
    assert table["id"][0].startswith("occurrence-")
    assert list(table["citation"]) == ["https://doi.org/10.15468/abc1"]


def test_a_simple_download_needs_the_media_beside_it(tmp_path: Path) -> None:
    table = tmp_path / "0001234-210914110416597.csv"
    table.write_text(tab_separated(SIMPLE, [occurrence("1")]))
    with pytest.raises(UserError, match=r"597\.csv has no photos: request .* Darwin Core archive"):
        read(tmp_path)
    (tmp_path / "multimedia.txt").write_text(
        tab_separated(["gbifID", "type", "format", "identifier"], A_PHOTO)
    )
    found, report = read(tmp_path)
    assert list(found["observer"]) == ["Ann B."]
    assert "names no DOI: put" in report.summary()


def test_observations_of_two_formats_in_a_folder_are_an_error_that_names_both(
    tmp_path: Path,
) -> None:
    write_download(tmp_path, [occurrence("1")], A_PHOTO)
    (tmp_path / "observations.csv").write_text("id,image_url,scientific_name\n")
    with pytest.raises(UserError, match=r"observations\.csv \(iNat.*meta\.xml \(GBIF"):
        read(tmp_path)


def test_several_downloads_in_a_folder_are_an_error(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_zip(tmp_path / name, download_files([occurrence("1")], A_PHOTO))
    with pytest.raises(UserError, match=r"several GBIF downloads: a\.zip, b\.zip"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ("<archive", "does not describe a Darwin Core archive"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><archive/>', "declares entities"),
        ("<archive/>", "core .* is not Occurrence"),
        (
            '<archive><core rowType="x/Event"><files><location>e.txt</location></files>'
            '<id index="0"/></core></archive>',
            "core .* is not Occurrence",
        ),
        (
            '<archive><core rowType="x/Occurrence" encoding="klingon"><files>'
            '<location>occurrence.txt</location></files><id index="0"/></core></archive>',
            "unknown encoding: klingon",
        ),
        (
            '<archive><core rowType="x/Occurrence" encoding="base64"><files>'
            '<location>occurrence.txt</location></files><id index="0"/></core>'
            '<extension rowType="x/Multimedia"><files><location>multimedia.txt</location></files>'
            '<coreid index="0"/></extension></archive>',
            "not a text encoding",
        ),
        (
            '<archive><core rowType="x/Occurrence"><files><location>/etc/passwd</location></files>'
            '<id index="0"/></core></archive>',
            "'/etc/passwd' is not in it",
        ),
        (
            '<archive><core rowType="x/Occurrence"><files><location>../x</location></files>'
            '<id index="a"/></core></archive>',
            "does not describe",
        ),
    ],
)
def test_a_hostile_or_broken_meta_xml_is_refused_in_one_line(
    tmp_path: Path, meta: str, message: str
) -> None:
    folder = write_download(tmp_path, [occurrence("1")], A_PHOTO)
    (folder / "meta.xml").write_text(meta)
    with pytest.raises(UserError, match=message) as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_a_decompression_bomb_and_a_broken_zip_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb" / "bomb.zip"
    files = download_files([occurrence("1")], A_PHOTO)
    bomb.parent.mkdir()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.xml", files["meta.xml"])
        archive.writestr("occurrence.txt", files["occurrence.txt"])
        with archive.open("multimedia.txt", "w") as member:
            for _ in range(110):
                member.write(b"\t" * (1 << 20))
    with pytest.raises(UserError, match=r"multimedia\.txt is compressed .* bomb"):
        read(bomb)
    broken = tmp_path / "broken" / "0001234-210914110416597.zip"
    broken.parent.mkdir()
    broken.write_bytes(bomb.read_bytes()[:1000])
    with pytest.raises(UserError, match="not a complete ZIP file"):
        read(broken.parent)


def test_paths_in_a_zip_file_lead_nowhere(tmp_path: Path) -> None:
    files = download_files([occurrence("1")], A_PHOTO)
    archive = write_zip(
        tmp_path / "in" / "a.zip", files | {"../../evil.txt": "x", "/tmp/evil.txt": "x"}
    )
    assert len(read(archive)[0]) == 1
    assert not (tmp_path.parent / "evil.txt").exists()


def test_a_table_in_another_encoding_is_named(tmp_path: Path) -> None:
    folder = write_download(tmp_path, [occurrence("1", recordedBy="Zoë")], A_PHOTO)
    table = folder / "occurrence.txt"
    table.write_bytes(table.read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(UserError, match=r"occurrence\.txt: not UTF-8"):
        read(folder)


@given(st.text(max_size=200), st.text(max_size=200))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_in_the_tables_is_kept_or_dropped(tmp_path: Path, rows: str, media: str) -> None:
    folder = write_download(tmp_path, [occurrence("1")], A_PHOTO)
    for name, text in (("occurrence.txt", rows), ("multimedia.txt", f"1\t{media}")):
        with (folder / name).open("a", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
    table, report = read(folder)
    assert report.rows_read == len(table) + sum(report.dropped_by_reason.values())
    assert "1" in set(table["id"])
