"""Windows and contacts as a calendar (RFC 5545): the same table gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from humay.access.tables.common import about_of
from humay.access.views.common import (
    Backdrop,
    Kind,
    Place,
    facts,
    flat,
    kind_of,
    places_of,
    with_utc_texts,
)
from humay.time import Epoch, parse_utc

_LINE_OCTETS = 75  # RFC 5545, 3.1, without the line break
_SECOND_US = 1_000_000
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f]")  # control characters, 3.1


def ics_bytes(table: pa.Table, backdrop: Backdrop) -> bytes:
    """An event a row, in UTC, from the whole second it begins in to the one it is over by.

    Its UID is the row's id, so that a calendar read again replaces what it had. DTSTAMP, which
    would be the clock's, is the start of the span searched.
    """
    return b"".join(_folded(line) for line in _lines(table, backdrop))


def _lines(table: pa.Table, backdrop: Backdrop) -> Iterator[str]:
    kind, about = kind_of(table), about_of(table)
    stamp = _whole_second(Epoch(parse_utc(about["span"][0])).utc_microseconds(np.zeros(1)))[0]
    starts = _whole_second(table["start"].cast(pa.int64()).to_numpy())
    ends = _whole_second(table["end"].cast(pa.int64()).to_numpy() + _SECOND_US - 1)
    place = {each.name: each for each in places_of(table, backdrop)}
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield f"PRODID:-//Humay//{kind.many}//EN"
    yield "CALSCALE:GREGORIAN"
    for row, start, end in zip(with_utc_texts(flat(table)).to_pylist(), starts, ends, strict=True):
        yield "BEGIN:VEVENT"
        yield f"UID:{_text(row[kind.key])}@{kind.many}.humay"
        yield f"DTSTAMP:{stamp}"
        yield f"DTSTART:{start}"
        yield f"DTEND:{end}"
        yield from _event(kind, row, place.get(row[kind.place]))
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def _event(kind: Kind, row: Mapping[str, Any], place: Place | None) -> Iterator[str]:
    yield f"SUMMARY:{_text(kind.titled(row))}"
    yield f"DESCRIPTION:{_text(_lines_of_facts(row))}"
    yield f"LOCATION:{_text(row[kind.place])}"
    if place is not None:
        yield f"GEO:{place.lonlath[1]:.6f};{place.lonlath[0]:.6f}"
    yield f"CATEGORIES:{_text(row['satellite'])}"
    yield "TRANSP:TRANSPARENT"  # a window takes nobody's time until something is planned in it


def _lines_of_facts(row: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in facts(row))


def _whole_second(utc_us: Any) -> list[str]:
    """Microseconds after 1970 as `20191101T063000Z`, the second they lie in."""
    text = np.datetime_as_string((utc_us // _SECOND_US).astype("M8[s]"))
    return [str(each).replace("-", "").replace(":", "") + "Z" for each in text]


def _text(text: str) -> str:
    """A value of type TEXT (3.3.11)."""
    for plain, escaped in (
        ("\\", "\\\\"),
        (";", "\\;"),
        (",", "\\,"),
        ("\r\n", "\\n"),
        ("\n", "\\n"),
    ):
        text = text.replace(plain, escaped)
    return _NOT_TEXT.sub("\ufffd", text)


def _folded(line: str) -> bytes:
    """A content line of at most 75 octets, continued after a space (3.1); letters stay whole."""
    rest, pieces, room = line.encode(), [], _LINE_OCTETS
    while len(rest) > room:
        cut = room
        while rest[cut] & 0xC0 == 0x80:  # inside a letter of several octets
            cut -= 1
        pieces.append(rest[:cut])
        rest, room = rest[cut:], _LINE_OCTETS - 1
    return b"\r\n ".join([*pieces, rest]) + b"\r\n"
