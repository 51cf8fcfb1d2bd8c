"""Element sets as people send them, two-line or OMM, each checked before it is believed."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from sgp4 import omm
from sgp4.alpha5 import from_alpha5
from sgp4.api import SGP4_ERRORS, WGS72, Satrec

from humay.errors import HumayError, OrbitError, TleError
from humay.mission import OmmOrbit, TleOrbit
from humay.orbit.sgp4 import Sgp4Orbit, epoch_of
from humay.time import parse_utc

_LINE_LENGTH = 69
_ANGLE = r"(?: \d|\d\d|  )\d\.\d{4}"
_RATE = r"[ +-]\d{5}[ +-]\d"
_COLUMNS = {  # SGP4's own reader takes 1O.58 for 1 and goes on
    "1": re.compile(
        rf"1 [ 0-9A-HJ-NP-Z][ \d]{{3}}\d[UCS ] .{{8}} \d{{2}}[0-3]\d{{2}}\.\d{{8}} "
        rf"[ +-]\.\d{{8}} {_RATE} {_RATE} [ \d]  *\d+"
    ),
    "2": re.compile(
        rf"2 [ 0-9A-HJ-NP-Z][ \d]{{3}}\d {_ANGLE} {_ANGLE} [ \d]{{6}}\d {_ANGLE} {_ANGLE} "
        rf"[ \d]\d\.\d{{8}} *\d+"
    ),
}
_LIKE = {
    "1": "1 40053U 14034A   19303.11654248  .00001178  00000-0  26330-3 0  9995",
    "2": "2 40053  98.2135   8.3331 0001054  68.4868 291.6410 14.58559748283956",
}
_SGP4_XP = 4  # ephemeris type of element sets that SGP4 must not fly
_LONGEST_PERIOD_S = 30 * 86_400.0  # beyond the Moon nothing is a satellite
_OMM_FIELDS = (
    "OBJECT_NAME", "EPOCH", "MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "RA_OF_ASC_NODE",
    "ARG_OF_PERICENTER", "MEAN_ANOMALY", "NORAD_CAT_ID", "BSTAR",
)  # fmt: skip
_OMM_DEFAULTS = {
    "OBJECT_ID": "2000-000A", "CLASSIFICATION_TYPE": "U", "EPHEMERIS_TYPE": "0",
    "ELEMENT_SET_NO": "999", "REV_AT_EPOCH": "0", "MEAN_MOTION_DOT": "0", "MEAN_MOTION_DDOT": "0",
}  # fmt: skip
_OMM_EXPECTED = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
}


@dataclass(frozen=True, kw_only=True)
class TwoLineElements:
    """One checked set of a TLE file; `line` is where its first line stands."""

    name: str
    line: int
    line_1: str
    line_2: str

    @property
    def catalogue_number(self) -> int:
        """Numbers from 100,000 on are written with a letter first (Alpha-5)."""
        return int(from_alpha5(self.line_1[2:7].lstrip()))


def orbit_from_tle(source: TleOrbit, satellite: str) -> Sgp4Orbit:
    """The orbit of `satellite` in a TLE file: by catalogue number, by name, or the only one."""
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
    """Raise `TleError` unless the line has 69 characters, its checksum, and all in its columns."""
    if not line.isascii():
        odd = next(c for c in line if not c.isascii())
        raise TleError(f"{where}: the character {odd!r}, expected ASCII only\n  {line}")
    if len(line) != _LINE_LENGTH:
        raise TleError(f"{where}: {len(line)} characters, expected {_LINE_LENGTH}\n  {line}")
    body, given = line[:-1], line[-1]
    expected = (sum(int(c) for c in body if c.isdigit()) + body.count("-")) % 10
    if given != str(expected):
        raise TleError(
            f"{where}: checksum digit is {given!r} but the line sums to {expected}\n  {line}"
        )
    if not _COLUMNS[line[0]].fullmatch(line):
        raise TleError(
            f"{where}: not in the columns of line {line[0]} of a set, expected one like\n"
            f"  {_LIKE[line[0]]}\nfound\n  {line}"
        )


def _choose(sets: list[TwoLineElements], source: TleOrbit, satellite: str) -> TwoLineElements:
    file = source.path.name
    if source.catalogue_number is not None:
        fitting = [s for s in sets if s.catalogue_number == source.catalogue_number]
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
    """The orbit of an Orbit Mean-Elements Message, XML, CSV or JSON (CCSDS 502.0-B-3, 4)."""
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
    for field, expected in _OMM_EXPECTED.items():
        if fields.get(field, expected[0]).upper() not in expected:
            raise OrbitError(f"{where}: {field} is {fields[field]!r}, expected {expected[0]}")
    record = Satrec()
    # SGP4 knows no catalogue number above 339,999 and needs none: it is given 0.
    fields |= {"EPOCH": _omm_epoch(fields["EPOCH"], where), "NORAD_CAT_ID": "0"}
    try:
        omm.initialize(record, fields)
    except ValueError as error:
        raise OrbitError(f"{where}: OMM field that is no number: {error}") from error
    return _checked(record, satellite, where)


def _omm_epoch(text: str, where: str) -> str:
    """As the SGP4 package reads it: CCSDS allows a `Z`, no fraction, or more than microseconds."""
    try:
        moment = parse_utc(re.sub(r"(\.\d{6})\d+", r"\1", text.removesuffix("Z")) + "Z")
    except HumayError as error:
        raise OrbitError(f"{where}: EPOCH: {error}") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


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
    texts = {key: str(value).strip() for key, value in message.items() if value is not None}
    return {key: value for key, value in texts.items() if value}


def _omm_xml(text: str, where: str) -> list[dict[str, str]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise OrbitError(f"{where}: an OMM with a document type or entities is not read")
    return [
        {_local(leaf): leaf.text or "" for leaf in message.iter() if len(leaf) == 0}
        for message in ElementTree.fromstring(text).iter()
        if _local(message) == "omm"
    ]


def _local(element: ElementTree.Element) -> str:
    """The tag without its name space."""
    return element.tag.rpartition("}")[2]


def _checked(record: Satrec, satellite: str, where: str) -> Sgp4Orbit:
    """Refuse elements SGP4 cannot fly: hyperbolic, decayed, sub-orbital, or made for SGP4-XP."""
    if record.ephtype == _SGP4_XP:
        raise OrbitError(f"{where}: elements of ephemeris type 4 (SGP4-XP), expected SGP4")
    if not 0 <= record.inclo <= math.pi:
        degrees = math.degrees(record.inclo)
        raise OrbitError(f"{where}: the inclination is {degrees:g} deg, expected 0 to 180")
    code, r_km, _ = record.sgp4_tsince(0.0)
    if code:
        raise OrbitError(f"{where}: SGP4 refuses these elements (code {code}): {SGP4_ERRORS[code]}")
    if not all(map(math.isfinite, r_km)):
        raise OrbitError(f"{where}: these elements give no position, a number of them is none")
    if not 0 < 2 * math.pi / record.no_kozai * 60 < _LONGEST_PERIOD_S:
        raise OrbitError(f"{where}: the mean motion is under one revolution in 30 days")
    if record.altp < 0:
        depth_km = -record.altp * record.radiusearthkm
        raise OrbitError(f"{where}: the perigee of these elements is {depth_km:.0f} km underground")
    return Sgp4Orbit(satellite=satellite, record=record, epoch=epoch_of(record), source=where)
