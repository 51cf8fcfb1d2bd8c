"""Windows as a scene for CesiumJS (CZML): satellites in flight, places, and lines of sight.

github.com/AnalyticalGraphicsInc/czml-writer/wiki/CZML-Structure and the pages it leads to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from humay.access.tables.common import about_of
from humay.access.views.common import (
    COLOURS,
    Backdrop,
    Kind,
    Place,
    facts,
    flat,
    kind_of,
    places_of,
    with_utc_texts,
    xml_text,
)
from humay.errors import AccessError
from humay.files import json_bytes
from humay.orbit import Ephemeris, Segment
from humay.time import format_utc, parse_utc

STEP_S = 180.0  # with polynomials of degree 7 between samples a low orbit is met within 0.1 m
_DEGREE = 7
_TRAIL_S = 2700.0
_SPEED_UP = 60.0


def czml_bytes(table: pa.Table, backdrop: Backdrop) -> bytes:
    """The scene. Needs the orbit of every satellite in the table. Raises `AccessError`."""
    return json_bytes(list(_packets(table, backdrop)))


def _packets(table: pa.Table, backdrop: Backdrop) -> Iterator[dict[str, Any]]:
    kind, about = kind_of(table), about_of(table)
    rows = with_utc_texts(flat(table)).to_pylist()
    places = places_of(table, backdrop)
    span = f"{about['span'][0]}/{about['span'][1]}"
    yield {
        "id": "document",
        "name": f"{len(rows)} {kind.many if len(rows) != 1 else kind.one}",
        "version": "1.0",
        "clock": {
            "interval": span,
            "currentTime": about["span"][0],
            "multiplier": _SPEED_UP,
            "range": "LOOP_STOP",
        },
    }
    orbits = _orbits(rows, backdrop.orbits)
    for i, (name, orbit) in enumerate(orbits.items()):
        yield from _satellite(name, orbit, about["span"], _rgba(i))
    for place in places:
        yield _place(place)
    colours = {satellite: _rgba(i) for i, satellite in enumerate(orbits)}
    for place in places:
        seen: dict[str, list[Mapping[str, Any]]] = {}
        for k in place.rows:
            seen.setdefault(rows[k]["satellite"], []).append(rows[k])
        for satellite, windows in sorted(seen.items()):
            yield _sight(kind, satellite, place, windows, colours[satellite])


def _orbits(
    rows: Sequence[Mapping[str, Any]], orbits: Mapping[str, Ephemeris]
) -> dict[str, Ephemeris]:
    """All that are given, in order of name; refuses a row without one."""
    missing = sorted({row["satellite"] for row in rows} - set(orbits))
    if missing:
        raise AccessError(
            f"CZML: no orbit of satellite {missing[0]!r}, expected one of each in the table"
        )
    return dict(sorted(orbits.items()))


def _satellite(
    name: str, orbit: Ephemeris, span: Sequence[str], colour: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Its packet, if it flies at all in the span."""
    start, end = (orbit.epoch.seconds(parse_utc(text)) for text in span)
    parts = [(max(start, float(s.t_s[0])), min(end, float(s.t_s[-1])), s) for s in orbit.segments]
    flown = [part for part in parts if part[0] < part[1]]
    if not flown:
        return
    intervals = [_interval(orbit, begin, finish) for begin, finish, _ in flown]
    yield {
        "id": _satellite_id(name),
        "name": name,
        "availability": _one_or_many(intervals),
        "position": [
            {"interval": interval, **_samples(orbit, begin, finish, segment)}
            for interval, (begin, finish, segment) in zip(intervals, flown, strict=True)
        ],
        "point": {"pixelSize": 9, "color": {"rgba": [*colour, 255]}, "outlineWidth": 1},
        "label": _label(name, 14),
        "path": {
            "leadTime": 0,
            "trailTime": _TRAIL_S,
            "width": 1.5,
            "resolution": 60,
            "material": {"solidColor": {"color": {"rgba": [*colour, 200]}}},
        },
    }


def _samples(orbit: Ephemeris, begin_s: float, end_s: float, segment: Segment) -> dict[str, Any]:
    """Positions on a grid, some before and after, so that every polynomial is used in its middle.

    Seconds go by after the epoch as in `t_s`: Cesium counts them without leap seconds.
    """
    first = math.floor(begin_s / STEP_S) - (_DEGREE + 1) // 2
    last = math.ceil(end_s / STEP_S) + (_DEGREE + 1) // 2
    t_s = np.clip(STEP_S * np.arange(first, last + 1), segment.t_s[0], segment.t_s[-1])
    t_s = np.unique(t_s)
    r_itrf = segment.state(t_s)[0]
    samples = np.concatenate([t_s[:, None] - begin_s, r_itrf], axis=1)
    return {
        "epoch": format_utc(orbit.epoch.utc(begin_s)),
        "referenceFrame": "FIXED",
        "interpolationAlgorithm": "LAGRANGE",
        "interpolationDegree": _DEGREE,
        "cartesian": np.round(samples, 3).ravel().tolist(),
    }


def _interval(orbit: Ephemeris, begin_s: float, end_s: float) -> str:
    begin, end = (format_utc(orbit.epoch.utc(t)) for t in (begin_s, end_s))
    return f"{begin}/{end}"


def _place(place: Place) -> dict[str, Any]:
    seen = len(place.rows) > 0
    colour = [238, 204, 102] if seen else [150, 150, 150]
    packet: dict[str, Any] = {
        "id": _place_id(place.name),
        "name": place.name,
        "position": {"cartographicDegrees": place.lonlath.tolist()},
    }
    if place.outline is None:
        mark = {"pixelSize": 8, "color": {"rgba": [*colour, 255]}, "outlineWidth": 1}
        return packet | {"point": mark, "label": _label(place.name, 12)}
    ring = np.insert(place.outline[:-1], 2, 0.0, axis=1)
    return packet | {
        "polygon": {
            "positions": {"cartographicDegrees": np.round(ring, 7).ravel().tolist()},
            "material": {"solidColor": {"color": {"rgba": [*colour, 90]}}},
        }
    }


def _sight(
    kind: Kind,
    satellite: str,
    place: Place,
    rows: Sequence[Mapping[str, Any]],
    colour: Sequence[int],
) -> dict[str, Any]:
    """The line from a satellite to a place, there while a window lasts."""
    ends = (_satellite_id(satellite), _place_id(place.name))
    return {
        "id": f"sight/{satellite}/{place.name}",
        "name": kind.titled(rows[0]),
        "availability": _one_or_many([f"{row['start']}/{row['end']}" for row in rows]),
        "description": _description(rows),
        "polyline": {
            "positions": {"references": [f"{_escaped(end)}#position" for end in ends]},
            "arcType": "NONE",
            "width": 2,
            "material": {"solidColor": {"color": {"rgba": [*colour, 255]}}},
        },
    }


def _description(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table of HTML with a row for each window."""
    head = "".join(f"<th>{xml_text(name)}</th>" for name, _ in facts(rows[0]))
    body = "".join(
        "<tr>" + "".join(f"<td>{xml_text(value)}</td>" for _, value in facts(row)) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _label(text: str, size: int) -> dict[str, Any]:
    return {
        "text": text,
        "font": f"{size}px sans-serif",
        "style": "FILL_AND_OUTLINE",
        "outlineWidth": 3,
        "horizontalOrigin": "LEFT",
        "pixelOffset": {"cartesian2": [9, 0]},
        "translucencyByDistance": {"nearFarScalar": [5e6, 1.0, 2e7, 0.3]},
    }


def _satellite_id(name: str) -> str:
    return f"satellite/{name}"


def _place_id(name: str) -> str:
    return f"place/{name}"


def _escaped(name: str) -> str:
    """An id inside a reference, where `#` ends it."""
    return name.replace("\\", "\\\\").replace("#", "\\#")


def _one_or_many(intervals: list[str]) -> str | list[str]:
    return intervals[0] if len(intervals) == 1 else intervals


def _rgba(number: int) -> list[int]:
    colour = COLOURS[number % len(COLOURS)]
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
