"""Element sets are chosen, checked and refused: two-line sets and Orbit Mean-Elements Messages."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_omm

from humay.arrays import norm
from humay.errors import OrbitError, TleError
from humay.mission import OmmOrbit, TleOrbit
from humay.orbit.elements import orbit_from_omm, orbit_from_tle, read_tle
from humay.orbit.sgp4 import Sgp4Orbit
from humay.time import format_utc
from tests.orbit.sets import FLEET, SPOT_6, SPOT_7, checked

TWO_WEEKS_S = np.linspace(0, 14 * 86_400, 200)


def from_tle(text: str, satellite: str = "spot-7", number: int | None = None) -> Sgp4Orbit:
    source = TleOrbit(path=Path("folder/fleet.tle"), text=text, catalogue_number=number)
    return orbit_from_tle(source, satellite)


def same_way(a: Sgp4Orbit, b: Sgp4Orbit) -> bool:
    """Within 1 mm over two weeks."""
    apart_m = norm(a.state_teme(TWO_WEEKS_S)[0] - b.state_teme(TWO_WEEKS_S)[0])
    return a.epoch == b.epoch and bool(apart_m.max() < 1e-3)


# ---------------------------------------------------------------- which set of a TLE file


def test_the_file_of_the_catalogue_is_read_as_it_came(data_dir: Path) -> None:
    path = data_dir / "orbits" / "spot67_2019-10-30.tle"
    text = path.read_text(encoding="ascii")
    assert text.split() == FLEET.split()
    source = TleOrbit(path=path, text=text)
    assert orbit_from_tle(source, "spot-6").source == f"{path.name}:2"


def test_a_set_with_blank_designator_and_zeros_is_read() -> None:
    """As other programs make them for an orbit that is not in any catalogue."""
    made = (
        "1 00001U          20001.00000000  .00000000  00000-0  00000-0 0    07",
        "2 00001  90.0000   0.0000 0010000   0.0000   0.0000 15.21936719    07",
    )
    orbit = from_tle("\n".join(made), "stk", 1)
    assert (format_utc(orbit.epoch), orbit.revolution_at_epoch) == ("2020-01-01T00:00:00Z", 0)


@pytest.mark.parametrize("name", ["SPOT 7", "spot-7", "Spot7", "spot_7", "SPOT.7"])
def test_a_set_is_found_by_its_name_up_to_case_and_punctuation(name: str) -> None:
    orbit = from_tle(FLEET, name)
    assert (orbit.revolution_at_epoch, orbit.satellite) == (28395, name)
    assert orbit.source == "fleet.tle:5"
    assert format_utc(orbit.epoch) == "2019-10-30T02:47:49.270272Z"


def test_a_set_is_found_by_its_catalogue_number_whatever_its_name() -> None:
    assert from_tle(FLEET, "azersky", 40053).revolution_at_epoch == 28395
    assert from_tle(FLEET, "SPOT 7", 38755).revolution_at_epoch == 38001
    nameless = "\n".join([*SPOT_6, *SPOT_7])
    assert from_tle(nameless, "azersky", 40053).revolution_at_epoch == 28395


def test_the_only_set_of_a_file_needs_no_name() -> None:
    for text in ("\n".join(SPOT_7), "\n".join(["SOME NAME", *SPOT_7])):
        assert same_way(from_tle(text, "azersky"), from_tle(FLEET))


@pytest.mark.parametrize("name_line", ["0 SPOT 7", "SPOT 7                  ", "\ufeffSPOT 7"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "  \n", "\n\n"])
def test_files_of_other_habits_are_read(name_line: str, line_end: str) -> None:
    """Three-line sets with a 0, padded names, a byte-order mark, Windows, blank lines."""
    lines = ["0 SPOT 6", *SPOT_6, name_line, *SPOT_7]
    text = line_end.join(lines) + line_end
    if line_end == "\n\n":
        text = "\n".join(["", "0 SPOT 6", *SPOT_6, "", "", name_line, *SPOT_7, "", ""])
    assert same_way(from_tle(text), from_tle(FLEET))


@pytest.mark.parametrize(
    ("number", "written"), [(5, "00005"), (99_999, "99999"), (100_000, "A0000"), (339_999, "Z9999")]
)
def test_catalogue_numbers_of_any_length_are_found(number: int, written: str) -> None:
    """Leading zeros below 10,000; Alpha-5 above 99,999 (space-track.org, without I and O)."""
    own = [checked(line[:2] + written + line[7:]) for line in SPOT_7]
    text = "\n".join([*SPOT_6, *own])
    assert [s.catalogue_number for s in read_tle(text, where="f")] == [38755, number]
    assert same_way(from_tle(text, "any", number), from_tle(FLEET))


@pytest.mark.parametrize(
    ("text", "satellite", "number", "message"),
    [
        (FLEET, "spot-5", None, "fleet.tle: 0 sets with the name 'spot-5', expected one; "
         "the file has: SPOT 6 (38755), SPOT 7 (40053)"),
        (FLEET, "spot-7", 12345, "fleet.tle: 0 sets with catalogue number 12345, expected one; "
         "the file has: SPOT 6 (38755), SPOT 7 (40053)"),
        (FLEET + FLEET, "spot-7", None, "fleet.tle: 2 sets with the name 'spot-7', expected one; "
         "the file has: SPOT 6 (38755), SPOT 7 (40053), SPOT 6 (38755), SPOT 7 (40053)"),
        (FLEET + FLEET, "spot-7", 40053, "fleet.tle: 2 sets with catalogue number 40053, expected "
         "one; the file has: SPOT 6 (38755), SPOT 7 (40053), SPOT 6 (38755), SPOT 7 (40053)"),
        ("\n".join([*SPOT_6, *SPOT_7]), "spot-7", None, "fleet.tle: 0 sets with the name 'spot-7', "
         "expected one; the file has: unnamed (38755), unnamed (40053)"),
        ("\n".join(SPOT_6), "spot-7", 40053, "fleet.tle: 0 sets with catalogue number 40053, "
         "expected one; the file has: unnamed (38755)"),
        ("", "spot-7", None, "fleet.tle: 0 sets with the name 'spot-7', expected one; "
         "the file has: none"),
        ("<html>not found</html>", "spot-7", None, "fleet.tle: 0 sets with the name 'spot-7', "
         "expected one; the file has: none"),
    ],
)  # fmt: skip
def test_a_choice_that_is_none_says_what_there_is(
    text: str, satellite: str, number: int | None, message: str
) -> None:
    with pytest.raises(TleError, match=f"^{re.escape(message)}$"):
        from_tle(text, satellite, number)


# ---------------------------------------------------------------- what is no TLE


def test_a_wrong_checksum_is_shown_with_its_line() -> None:
    """The words of the style guide, to the letter."""
    iss = "1 25544U 98067A   18185.80969102  .00001614  00000-0  31745-4 0  9993"
    text = "\n" * 13 + iss + "\n"
    message = (
        "fleet.tle:14: checksum digit is '3' but the line sums to 4\n"
        "  1 25544U 98067A   18185.80969102  .00001614  00000-0  31745-4 0  9993"
    )
    with pytest.raises(TleError, match=f"^{re.escape(message)}$"):
        list(read_tle(text, where="fleet.tle"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["SPOT 7", SPOT_7[0]], "fleet.tle: the file ends after a line 1, expected its line 2"),
        ([SPOT_7[0], SPOT_6[0]], "fleet.tle:2: expected line 2 of the set, found"),
        ([SPOT_7[0], "", SPOT_7[1]], "fleet.tle:2: expected line 2 of the set, found"),
        (["SPOT 7", SPOT_7[1], SPOT_7[0]], "fleet.tle:2: a line 2 without the line 1 before it"),
        ([SPOT_7[1]], "fleet.tle:1: a line 2 without the line 1 before it"),
        ([SPOT_6[0], SPOT_7[1]], "fleet.tle:2: line 2 is of satellite 40053, line 1 of 38755"),
        ([SPOT_7[0][:-1], SPOT_7[1]], "fleet.tle:1: 68 characters, expected 69"),
        ([SPOT_7[0] + "1", SPOT_7[1]], "fleet.tle:1: 70 characters, expected 69"),
        ([SPOT_7[0], SPOT_7[1][:60]], "fleet.tle:2: 60 characters, expected 69"),
        ([SPOT_7[0].replace(" .0", "\u00a0.0"), SPOT_7[1]],
         "fleet.tle:1: the character '\\xa0', expected ASCII only"),
        ([SPOT_7[0], SPOT_7[1].replace("0", "\u0660")],
         "fleet.tle:2: the character '\u0660', expected ASCII only"),
    ],
)  # fmt: skip
def test_broken_files_are_refused_with_the_line(lines: list[str], message: str) -> None:
    with pytest.raises(TleError) as caught:
        from_tle("\n".join(lines))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("14.58559748", "1O.58559748"),  # SGP4's own reader takes it for 1 revolution a day
        ("14.58559748", "14.5855974B"),
        ("98.2135", "98.2l35"),
        ("0001054", "000IO54"),
        (" 98.2135", "98.2135 "),
        ("68.4868 291.6410", "68.4868  91.641."),
        ("283956", "28x956"),
    ],
)
def test_a_letter_for_a_digit_is_refused_though_the_checksum_holds(old: str, new: str) -> None:
    line = checked(SPOT_7[1].replace(old, new))
    assert len(line) == 69
    with pytest.raises(TleError, match=r"^fleet\.tle:2: not in the columns of line 2") as caught:
        from_tle("\n".join([SPOT_7[0], line]))
    assert str(caught.value).endswith(line)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("19303.11654248", "19303,11654248"),
        ("19303.11654248", "19503.11654248"),  # day 503
        ("19303.11654248", "1930311.654248"),
        (" .00001178", "0.00001178"),
        ("26330-3", "26330e3"),
        ("26330-3", "2633O-3"),
        ("40053U", "4OO53U"),
    ],
)
def test_a_first_line_out_of_its_columns_is_refused(old: str, new: str) -> None:
    line = checked(SPOT_7[0].replace(old, new))
    with pytest.raises(TleError, match=r"^fleet\.tle:1: not in the columns of line 1"):
        from_tle("\n".join([line, SPOT_7[1]]))


@settings(deadline=None)
@given(line=st.sampled_from([0, 1]), place=st.integers(0, 68), digit=st.sampled_from("0123456789"))
def test_no_changed_digit_passes_unseen(line: int, place: int, digit: str) -> None:
    """A checksum catches every single digit that is changed for another."""
    lines = list(SPOT_7)
    if not lines[line][place].isdigit() or lines[line][place] == digit or place == 0:
        return
    lines[line] = lines[line][:place] + digit + lines[line][place + 1 :]
    with pytest.raises(TleError, match="checksum digit is"):
        from_tle("\n".join(lines))


@settings(deadline=None)
@given(junk=st.text(max_size=200))
def test_whatever_the_file_holds_the_answer_is_a_refusal_or_an_orbit(junk: str) -> None:
    for text in (junk, f"1 {junk}", f"{SPOT_7[0]}\n{junk}", f"{SPOT_7[0]}\n2 {junk}"):
        with pytest.raises(TleError):
            from_tle(text)


@pytest.mark.parametrize(
    ("line", "column", "value", "message"),
    [
        (1, 26, "9999999", "code 4.: semilatus rectum is less than zero"),  # nearly a straight line
        (1, 52, "17.50000000", "decayed"),  # below the ground
        (1, 26, "4000000", "underground"),  # dips into the Earth
        (1, 52, " 0.00000000", "code 2.: nm is less than zero"),
        (1, 52, " 0.00000100", "under one revolution in 30 days"),
        (1, 8, "198.2135", "inclination is 198.214 deg, expected 0 to 180"),
        (0, 62, "4", "ephemeris type 4"),  # SGP4-XP
    ],
)
def test_elements_that_cannot_fly_are_refused(
    line: int, column: int, value: str, message: str
) -> None:
    lines = list(SPOT_7)
    lines[line] = checked(lines[line][:column] + value + lines[line][column + len(value) :])
    with pytest.raises(OrbitError, match=message) as caught:
        from_tle("\n".join(lines))
    assert str(caught.value).startswith("fleet.tle:1: ")


# ---------------------------------------------------------------- OMM


EPOCHS = {  # days of the sets times 86,400 s, by hand
    "SPOT 6": "2019-10-30T01:59:07.530720",  # 0.08272605
    "SPOT 7": "2019-10-30T02:47:49.270272",  # 0.11654248
}


def omm_fields(lines: tuple[str, str] = SPOT_7, name: str = "SPOT 7") -> dict[str, object]:
    """The message as the package `sgp4` exports it from the two-line set, but for the epoch, which
    it cuts one microsecond, 7 mm, short."""
    return dict(export_omm(Satrec.twoline2rv(*lines, WGS72), name), EPOCH=EPOCHS[name])


def as_json(*messages: dict[str, object]) -> str:
    return json.dumps(list(messages) if len(messages) > 1 else messages[0])


def as_csv(*messages: dict[str, object]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(messages[0]))
    writer.writeheader()
    writer.writerows(messages)
    return text.getvalue()


def as_xml(*messages: dict[str, object]) -> str:
    """The nesting of CCSDS 505.0-B-3, as celestrak.org and space-track.org send it."""
    in_metadata = {"OBJECT_NAME", "OBJECT_ID", "CENTER_NAME", "REF_FRAME", "TIME_SYSTEM"}
    in_metadata |= {"MEAN_ELEMENT_THEORY"}
    in_parameters = {"EPHEMERIS_TYPE", "CLASSIFICATION_TYPE", "NORAD_CAT_ID", "ELEMENT_SET_NO"}
    in_parameters |= {"REV_AT_EPOCH", "BSTAR", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT"}

    def elements(message: dict[str, object], wanted: set[str]) -> str:
        return "".join(f"<{key}>{message[key]}</{key}>" for key in message if key in wanted)

    def omm(message: dict[str, object]) -> str:
        rest = set(message) - in_metadata - in_parameters
        return (
            '<omm id="CCSDS_OMM_VERS" version="2.0"><header><CREATION_DATE/></header>'
            "<body><segment>"
            f"<metadata>{elements(message, in_metadata)}</metadata>"
            f"<data><meanElements>{elements(message, rest)}</meanElements>"
            f"<tleParameters>{elements(message, in_parameters)}</tleParameters></data>"
            "</segment></body></omm>"
        )

    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    space = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return f"{head}<ndm {space}>{''.join(omm(m) for m in messages)}</ndm>\n"


Form: TypeAlias = Callable[..., str]
FORMS: list[Form] = [as_json, as_csv, as_xml]


def from_omm(text: str, satellite: str = "spot-7") -> Sgp4Orbit:
    return orbit_from_omm(OmmOrbit(path=Path("folder/spot.omm"), text=text), satellite)


@pytest.mark.parametrize("form", FORMS)
def test_a_message_flies_as_the_two_line_set_it_was_made_from(form: Form) -> None:
    """1 mm over two weeks: the message carries more digits than the set."""
    orbit = from_omm(form(omm_fields()))
    assert same_way(orbit, from_tle(FLEET))
    assert orbit.revolution_at_epoch == 28395
    assert orbit.source == "spot.omm"


@pytest.mark.parametrize("form", FORMS)
def test_of_several_messages_the_one_of_the_satellites_name_is_taken(form: Form) -> None:
    text = form(omm_fields(SPOT_6, "SPOT 6"), omm_fields())
    assert same_way(from_omm(text), from_tle(FLEET))
    assert same_way(from_omm(text, "SPOT 6"), from_tle(FLEET, "spot 6"))
    with pytest.raises(OrbitError, match=r"^spot\.omm: 0 messages for 'azersky', expected one$"):
        from_omm(text, "azersky")


@pytest.mark.parametrize("form", FORMS)
def test_two_messages_of_one_name_are_refused(form: Form) -> None:
    text = form(omm_fields(), omm_fields())
    with pytest.raises(OrbitError, match=r"^spot\.omm: 2 messages for 'spot-7', expected one$"):
        from_omm(text)


@pytest.mark.parametrize(
    ("epoch", "read"),
    [
        ("2019-10-30T02:47:49.270272Z", "2019-10-30T02:47:49.270272Z"),
        ("2019-10-30T02:47:49.270272", "2019-10-30T02:47:49.270272Z"),
        ("2019-10-30T02:47:49", "2019-10-30T02:47:49Z"),  # CCSDS: the fraction may be left out
        ("2019-10-30T02:47:49.5", "2019-10-30T02:47:49.500000Z"),
        ("2019-10-30T02:47:49.270272456Z", "2019-10-30T02:47:49.270272Z"),
    ],
)
def test_epochs_are_read_as_ccsds_allows_them(epoch: str, read: str) -> None:
    orbit = from_omm(as_json(omm_fields() | {"EPOCH": epoch}))
    assert abs((orbit.epoch - from_tle(FLEET).epoch).total_seconds()) < 1
    assert format_utc(orbit.epoch) == read


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "field", ["EPOCH", "MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "BSTAR", "NORAD_CAT_ID"]
)
def test_a_missing_or_empty_field_is_named(form: Form, field: str) -> None:
    fields = omm_fields()
    for lacking in (fields | {field: ""}, {k: v for k, v in fields.items() if k != field}):
        with pytest.raises(OrbitError, match=rf"^spot\.omm: OMM without {field}$"):
            from_omm(form(lacking))


def test_what_only_describes_may_be_missing() -> None:
    """The orbit needs no object number, class, set number or rates (SGP4 does not use them)."""
    optional = {"OBJECT_ID", "CLASSIFICATION_TYPE", "EPHEMERIS_TYPE", "ELEMENT_SET_NO"}
    optional |= {"REV_AT_EPOCH", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT", "CENTER_NAME"}
    optional |= {"REF_FRAME", "TIME_SYSTEM", "MEAN_ELEMENT_THEORY"}
    short = {k: v for k, v in omm_fields().items() if k not in optional}
    for fields in (short, omm_fields() | dict.fromkeys(optional, "")):
        assert same_way(from_omm(as_json(fields)), from_tle(FLEET))


def test_catalogue_numbers_beyond_two_line_sets_are_taken() -> None:
    """Nine digits are why the message was made."""
    assert same_way(from_omm(as_json(omm_fields() | {"NORAD_CAT_ID": 799500766})), from_tle(FLEET))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("MEAN_ELEMENT_THEORY", "SGP4-XP", "MEAN_ELEMENT_THEORY is 'SGP4-XP', expected SGP4"),
        ("MEAN_ELEMENT_THEORY", "DSST", "MEAN_ELEMENT_THEORY is 'DSST', expected SGP4"),
        ("REF_FRAME", "EME2000", "REF_FRAME is 'EME2000', expected TEME"),
        ("CENTER_NAME", "MARS", "CENTER_NAME is 'MARS', expected EARTH"),
        ("TIME_SYSTEM", "TAI", "TIME_SYSTEM is 'TAI', expected UTC"),
        ("EPHEMERIS_TYPE", "4", r"ephemeris type 4 \(SGP4-XP\), expected SGP4"),
        ("EPOCH", "2019-10-30", "EPOCH: '2019-10-30Z' is not a time"),
        ("EPOCH", "2019-02-30T00:00:00", "EPOCH: .* is not a time: day is out of range"),
        ("EPOCH", "2019-303T02:47:49", "EPOCH: .* is not a time"),
        ("MEAN_MOTION", "fast", "OMM field that is no number: .*'fast'"),
        ("REV_AT_EPOCH", "many", "OMM field that is no number: .*'many'"),
        ("MEAN_MOTION", "nan", "a number of them is none"),
        ("BSTAR", "inf", "a number of them is none"),
        ("INCLINATION", "nan", "the inclination is nan deg"),
        ("INCLINATION", "-1", "the inclination is -1 deg"),
        ("ECCENTRICITY", "1.2", "eccentricity is outside"),
        ("ECCENTRICITY", "0.4", "underground"),
        ("MEAN_MOTION", "-14.5", "a number of them is none"),
        ("MEAN_MOTION", "17.5", "decayed"),
    ],
)  # fmt: skip
def test_messages_that_do_not_describe_an_sgp4_orbit_are_refused(
    field: str, value: str, message: str
) -> None:
    for form in FORMS:
        with pytest.raises(OrbitError, match=rf"^spot\.omm: .*{message}"):
            from_omm(form(omm_fields() | {field: value}))


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><ndm>&a;</ndm>',
        '<!DOCTYPE ndm SYSTEM "file:///etc/passwd"><ndm/>',
        '<ndm><!ENTITY a SYSTEM "x"></ndm>',
    ],
)
def test_xml_with_entities_is_not_even_read(text: str) -> None:
    with pytest.raises(OrbitError, match="document type or entities is not read"):
        from_omm(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<ndm><omm></ndm>", "not an OMM in XML, JSON or CSV"),
        ("<ndm/>", "0 messages for"),
        ("{", "not an OMM in XML, JSON or CSV"),
        ("[]", "0 messages for"),
        ("[1, 2]", "not an OMM in XML, JSON or CSV"),
        ('{"a": 1}', "OMM without OBJECT_NAME, EPOCH, MEAN_MOTION"),
        ("", "0 messages for"),
        ("OBJECT_NAME,EPOCH\n", "0 messages for"),
        ("OBJECT_NAME,EPOCH\nSPOT 7,2019-10-30T00:00:00,3,4\n", "OMM without MEAN_MOTION"),
        (FLEET, "messages for 'spot-7', expected one"),
    ],
)
def test_what_is_no_message_is_refused(text: str, message: str) -> None:
    with pytest.raises(OrbitError, match=rf"^spot\.omm: .*{message}"):
        from_omm(text)


def test_a_message_in_a_name_space_or_alone_is_read() -> None:
    """Newer messages qualify their root: xmlns:ndm="urn:ccsds:...:ndmxml"."""
    alone = re.sub(r"<ndm [^>]*>|</ndm>", "", as_xml(omm_fields()))
    assert same_way(from_omm(alone), from_tle(FLEET))
    urn = "urn:ccsds:recommendation:navigation:schema:ndmxml"
    named = alone.replace("<omm ", f'<ndm:omm xmlns:ndm="{urn}" ').replace("</omm>", "</ndm:omm>")
    assert same_way(from_omm("\ufeff" + named), from_tle(FLEET))
