"""Instants of STAC, RFC 3339 texts, as whole microseconds after 1970 without leap seconds.

Other people's items carry what Humay's own never do: small letters, offsets, nanoseconds, second
60. Finer than a microsecond is cut off, and a leap second is the last microsecond before it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from humay.time import format_utc

_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_TO_THE_MINUTE = re.compile(r"(.{10}[Tt]\d{2}:\d{2})([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)


def microseconds(text: str) -> int:
    """The instant of an RFC 3339 text, section 5.6. Raises `ValueError` for anything else."""
    found = _RFC_3339.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a time, expected one like 2026-03-01T06:30:00Z")
    day, minute, second, fraction, zone = found.groups()
    micro = (fraction or "")[:6].ljust(6, "0")
    if second == "60":
        second, micro = "59", "999999"
    zone = "+00:00" if zone in "Zz" else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:{second}.{micro}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a time: {error}") from error
    return (moment - _ZERO) // _STEP


def utc(micro: int) -> datetime:
    """The instant as aware UTC."""
    return _ZERO + micro * _STEP


def text(micro: int) -> str:
    """The instant as RFC 3339 with `Z`."""
    return format_utc(utc(micro))


def interval(words: str) -> tuple[int | None, int | None]:
    """First and last instant of an instant or `first/last`, either of which may be `..` or empty.

    Seconds may be left out, as in all of Humay's commands. Raises `ValueError` for an end before
    the start and for one that is open on both sides.
    """
    first, slash, last = words.partition("/")
    ends = [
        None if slash and end in ("", "..") else microseconds(_with_seconds(end))
        for end in ((first, last) if slash else (first, first))
    ]
    if ends[0] is None and ends[1] is None:
        raise ValueError(f"{words!r} is open on both sides, expected one end at least")
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        raise ValueError(f"{words!r} ends before it begins")
    return ends[0], ends[1]


def _with_seconds(words: str) -> str:
    return _TO_THE_MINUTE.sub(r"\1:00\2", words) if _TO_THE_MINUTE.fullmatch(words) else words
