"""Element sets as people send them: two-line elements and OMM, each checked before it is believed."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from sgp4 import omm
from sgp4.api import WGS72, Satrec

from humay.errors import OrbitError, TleError
from humay.mission import OmmOrbit, TleOrbit
from humay.orbit.sgp4 import Sgp4Orbit, epoch_of

_LINE_LENGTH = 69
_OMM_FIELDS = (
    "OBJECT_NAME", "EPOCH", "MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "RA_OF_ASC_NODE",
    "ARG_OF_PERICENTER", "MEAN_ANOMALY", "NORAD_CAT_ID", "BSTAR",
)  # fmt: skip
_OMM_DEFAULTS = {
    "OBJECT_ID": "2000-000A", "CLASSIFICATION_TYPE": "U", "EPHEMERIS_TYPE": "0",
    "ELEMENT_SET_NO": "999", "REV_AT_EPOCH": "0", "MEAN_MOTION_DOT": "0", "MEAN_MOTION_DDOT": "0",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TwoLineElements:
    """One checked set of a TLE file; `line` is where its first line stands."""

    name: str
    line: int
    line_1: str
    line_2: str

    @property
    def catalogue_number(self) -> str:
        return self.line_1[2:7].strip()


def orbit_from_tle(source: TleOrbit, satellite: str) -> Sgp4Orbit:
    """The orbit of `satellite` in a TLE file: by catalogue number, by name, or the only one there."""
    sets = list(read_tle(source.text, where=source.path.name))
    chosen = _choose(sets, source, satellite)
    where = f"{source.path.name}:{chosen.line}"
    record = Satrec.twoline2rv(chosen.line_1, chosen.line_2, WGS72)
    return _checked(record, satellite, where)


def read_tle(text: str, *, where: str) -> Iterator[TwoLineElements]:
    """The sets of a file with or without name lines. Raises `TleError` with file and line."""
    name, first = "", None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.rstrip()
        spot = f"{where}:{number}"
        if first is not None:
            yield _pair(name, first, line, where=where, number=number)
            name, first = "", None
        elif line.startswith("1 "):
            check_line(line, where=spot)
            first = line
        elif line.startswith("2 "):
            raise TleError(f"{spot}: a line 2 without the line 1 before it\n  {line}")
        elif line:
            name = line.removeprefix("0 ").strip()
    if first is not None:
        raise TleError(f"{where}: the file ends after a line 1, expected its line 2\n  {first}")


def _pair(name: str, first: str, second: str, *, where: str, number: int) -> TwoLineElements:
    if not second.startswith("2 "):
        raise TleError(f"{where}:{number}: expected line 2 of the set, found\n  {second!r}")
    check_line(second, where=f"{where}:{number}")
    if first[2:7] != second[2:7]:
        raise TleError(
            f"{where}:{number}: line 2 is of satellite {second[2:7]}, line 1 of {first[2:7]}"
        )
    return TwoLineElements(name=name, line=number - 1, line_1=first, line_2=second)


def check_line(line: str, *, where: str) -> None:
    """Raise `TleError` unless the line has 69 characters, the last one its checksum."""
    if len(line) != _LINE_LENGTH or not line.isascii():
        raise TleError(f"{where}: {len(line)} characters, expected {_LINE_LENGTH}\n  {line}")
    body, given = line[:-1], line[-1]
    expected = (sum(int(c) for c in body if c.isdigit()) + body.count("-")) % 10
    if given != str(expected):
        raise TleError(
            f"{where}: checksum digit is {given!r} but the line sums to {expected}\n  {line}"
        )


def _choose(sets: list[TwoLineElements], source: TleOrbit, satellite: str) -> TwoLineElements:
    file = source.path.name
    if source.catalogue_number is not None:
        fitting = [s for s in sets if s.catalogue_number == str(source.catalogue_number)]
        wanted = f"catalogue number {source.catalogue_number}"
    elif len(sets) == 1:
        return sets[0]
    else:
        fitting = [s for s in sets if _plain(s.name) == _plain(satellite)]
        wanted = f"the name {satellite!r}"
    if len(fitting) != 1:
        present = ", ".join(f"{s.name or 'unnamed'} ({s.catalogue_number})" for s in sets) or "none"
        raise TleError(
            f"{file}: {len(fitting)} sets with {wanted}, expected one; the file has: {present}"
        )
    return fitting[0]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def orbit_from_omm(source: OmmOrbit, satellite: str) -> Sgp4Orbit:
    """The orbit of an Orbit Mean-Elements Message: XML, CSV or JSON (CCSDS 502.0-B-3, section 4)."""
    where = source.path.name
    messages = _omm_messages(source.text, where)
    if len(messages) > 1:
        messages = [m for m in messages if _plain(m.get("OBJECT_NAME", "")) == _plain(satellite)]
    if len(messages) != 1:
        raise OrbitError(f"{where}: {len(messages)} messages for {satellite!r}, expected one")
    fields = _OMM_DEFAULTS | messages[0]
    missing = [field for field in _OMM_FIELDS if not fields.get(field)]
    if missing:
        raise OrbitError(f"{where}: OMM without {', '.join(missing)}")
    if fields.get("MEAN_ELEMENT_THEORY", "SGP4") not in ("SGP4", "SGP/SGP4"):
        raise OrbitError(
            f"{where}: MEAN_ELEMENT_THEORY is {fields['MEAN_ELEMENT_THEORY']!r}, expected SGP4"
        )
    record = Satrec()
    try:
        omm.initialize(record, fields | {"EPOCH": fields["EPOCH"].removesuffix("Z")})
    except (ValueError, KeyError) as error:
        raise OrbitError(f"{where}: OMM field that is no number or time: {error}") from error
    return _checked(record, satellite, where)


def _omm_messages(text: str, where: str) -> list[dict[str, str]]:
    start = text.lstrip("\ufeff \t\r\n")
    try:
        if start.startswith("<"):
            return _omm_xml(start, where)
        if start.startswith(("[", "{")):
            content = json.loads(start)
            messages = content if isinstance(content, list) else [content]
        else:
            messages = list(csv.DictReader(io.StringIO(start)))
        return [_omm_texts(message) for message in messages]
    except (ElementTree.ParseError, json.JSONDecodeError, csv.Error, AttributeError) as error:
        raise OrbitError(f"{where}: not an OMM in XML, JSON or CSV: {error}") from error


def _omm_texts(message: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in message.items() if value is not None}


def _omm_xml(text: str, where: str) -> list[dict[str, str]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise OrbitError(f"{where}: an OMM with a document type or entities is not read")
    root = ElementTree.fromstring(text)
    messages = [root] if root.tag == "omm" else list(root.iter("omm"))
    return [
        {leaf.tag: (leaf.text or "").strip() for leaf in message.iter() if len(leaf) == 0}
        for message in messages
    ]


def _checked(record: Satrec, satellite: str, where: str) -> Sgp4Orbit:
    """Refuse elements SGP4 cannot start from: hyperbolic, decayed, sub-orbital."""
    error, _, _ = record.sgp4_tsince(0.0)
    if error:
        raise OrbitError(f"{where}: SGP4 refuses these elements (code {error}): {_MEANING[error]}")
    return Sgp4Orbit(satellite=satellite, record=record, epoch=epoch_of(record), source=where)


_MEANING = {
    1: "mean eccentricity outside 0 to 1, or the orbit has no size",
    2: "mean motion below zero",
    3: "perturbed eccentricity outside 0 to 1",
    4: "semi-latus rectum below zero",
    6: "the satellite has decayed",
}
