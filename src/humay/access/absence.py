"""Why requests have no opportunity: which limit keeps every satellite away.

Limits are put back one kind after the other, and searched again; the first that leaves no window is
the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from shapely.geometry import Point

from humay.access.areas import left_of
from humay.access.looks import Nadir
from humay.access.opportunities import find_opportunities
from humay.access.planes import outlines
from humay.access.records import Opportunities
from humay.arrays import FloatArray, unit
from humay.earth import geodetic_from_itrf, ground_point, up_at
from humay.mission import Mission, Request, conditions, describe, limits
from humay.orbit import Ephemeris
from humay.time import format_utc

_TILTS_RAD = (math.radians(45.0), math.radians(60.0), math.radians(89.0))
_IN_PART = "its strips are in reach only in part, none of them whole"
_WHOLE = {
    "point": "it is in reach within every limit, but without an opportunity among those given",
    "line": _IN_PART,
    "area": _IN_PART,
}


def explain_absences(
    mission: Mission,
    requests: Sequence[Request],
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir = "geodetic",
    orbits: Mapping[str, Ephemeris],
) -> dict[str, tuple[str, str]]:
    """A reason code and a sentence for requests that have no window over [start, end].

    `period` if a request's own time does not meet the span, else `no_opportunity` with the first of
    these that leaves none: an excluded place, the latitude, the angles of the look, the Sun, the
    conditions of request and satellites, clouds. A line or an area is judged by its middle.
    """
    asked = _Asked(mission=mission, start=start, end=end, nadir=nadir, orbits=orbits)
    apart = [r for r in requests if (r.start or start) >= end or (r.end or end) <= start]
    code = dict.fromkeys([request.name for request in apart], "period")
    told = {r.name: f"its own time ({_period(r)}) does not meet the plan's" for r in apart}
    told |= _excluded(mission, [request for request in requests if request.name not in told])
    places = _middles([request for request in requests if request.name not in told])
    told |= _out_of_reach(asked, places)
    told |= _never_within_limits(asked, [place for place in places if place.name not in told])
    sentence = {request.name: _WHOLE[request.kind] for request in requests} | told
    return {name: (code.get(name, "no_opportunity"), text) for name, text in sentence.items()}


def _period(request: Request) -> str:
    edges = [("from", request.start), ("until", request.end)]
    return " ".join(f"{word} {format_utc(t)}" for word, t in edges if t is not None)


def _excluded(mission: Mission, requests: Sequence[Request]) -> dict[str, str]:
    if not mission.exclusions:
        return {}
    points = [request for request in requests if request.kind == "point"]
    lon, lat = np.radians([(r.geometry.x, r.geometry.y) for r in points]).reshape(-1, 2).T
    names = [r.name for r, out in zip(points, mission.excludes(lon, lat), strict=True) if out]
    others = [request for request in requests if request.kind != "point"]
    left = {request.name for request in left_of(others, mission.exclusions)[0]}
    names += [request.name for request in others if request.name not in left]
    return dict.fromkeys(names, "it lies where the mission takes no images (`exclusions`)")


def _middles(requests: Sequence[Request]) -> list[Request]:
    """Requests as points, each in its middle."""
    shaped = [request for request in requests if request.kind != "point"]
    middle: dict[str, FloatArray] = {}
    if shaped:
        outline = outlines(shaped, [request.geometry for request in shaped])
        middle = {r.name: up for r, up in zip(shaped, outline.middle, strict=True)}
    return [
        _in_middle(request, middle[request.name]) if request.name in middle else request
        for request in requests
    ]


def _in_middle(request: Request, up: FloatArray) -> Request:
    place = Point(math.degrees(math.atan2(up[1], up[0])), math.degrees(math.asin(up[2])))
    return replace(request, kind="point", geometry=place, height_m=request.height_m or 0.0)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What the reasons are sought in."""

    mission: Mission
    start: datetime
    end: datetime
    nadir: Nadir
    orbits: Mapping[str, Ephemeris]

    def passes(self, places: Sequence[Request], satellites: Mapping[str, Any]) -> _Passes:
        """Windows of places for satellites with other values, also where nothing is imaged."""
        changed = tuple(replace(each, **satellites) for each in self.mission.satellites)
        found = find_opportunities(
            replace(self.mission, satellites=changed, exclusions=()),
            places,
            start=self.start,
            end=self.end,
            nadir=self.nadir,
            orbits=self.orbits,
        )
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(found.request):
            rows.setdefault(name, []).append(row)
        return _Passes(rows=rows, found=found)


@dataclass(frozen=True, kw_only=True)
class _Passes:
    """Windows, and the rows of each request that has any."""

    rows: Mapping[str, list[int]]
    found: Opportunities | None = None

    def of(self, place: Request, column: str) -> Any:
        """A column of the record, of one request."""
        return getattr(self.found, column)[self.rows[place.name]]

    def times(self, place: Request) -> str:
        count = len(self.rows[place.name])
        return f"{count} {'time' if count == 1 else 'times'}"


def _never_within_limits(asked: _Asked, places: Sequence[Request]) -> dict[str, str]:
    """A sentence for every place that has no window at some level."""
    told: dict[str, str] = {}
    before = _Passes(rows={})
    for level in _LEVELS:
        left = [place for place in places if place.name not in told]
        if not left:
            break
        found = asked.passes(_changed(left, level.requests), level.satellites)
        if lost := [place for place in left if place.name not in found.rows]:
            sentences = level.sentences(asked, lost, before)
            told |= {place.name: text for place, text in zip(lost, sentences, strict=True)}
        before = found
    return told


# Beyond any orbit --------------------------------------------------------------------------------


def _out_of_reach(asked: _Asked, places: Sequence[Request]) -> dict[str, str]:
    """Places beyond the latitudes that any satellite sees at its largest off-nadir angle."""
    known: dict[tuple[str, float, bool], float] = {}

    def farthest_deg(name: str, limit_rad: float, *, north: bool) -> float:
        key = name, limit_rad, north
        if key not in known:
            known[key] = _farthest_lat_deg(asked.orbits[name], limit_rad, north=north)
        return known[key]

    told: dict[str, str] = {}
    for place in places:
        lat_deg, tilts_rad = place.geometry.y, _tilts_rad(asked.mission, place)
        most = max(farthest_deg(name, rad, north=lat_deg > 0) for name, rad in tilts_rad.items())
        if abs(lat_deg) > most:
            told[place.name] = (
                f"out of reach: at {math.degrees(max(tilts_rad.values())):g} deg off-nadir no"
                f" satellite sees beyond {most:.1f} deg of latitude, it lies at {abs(lat_deg):.1f}"
            )
    return told


def _tilts_rad(mission: Mission, place: Request) -> dict[str, float]:
    """How far each satellite may look to the side."""
    return {s.name: limits(s, place).max_off_nadir_rad for s in mission.satellites}


def _farthest_lat_deg(ephemeris: Ephemeris, limit_rad: float, *, north: bool) -> float:
    """Highest geodetic latitude (deg) in reach on one half of the Earth.

    From the top of the track, a look towards the pole: that is a look across the track there. The
    two halves differ, since perigee stands over one of them.
    """
    r = np.concatenate([segment.r_itrf for segment in ephemeris.segments])
    top = r[np.argmax(r[:, 2] if north else -r[:, 2])]
    up = up_at(top)
    pole = np.array([0.0, 0.0, 1.0 if north else -1.0])
    poleward = unit(pole - (pole @ up) * up)
    tilts = np.linspace(0.0, limit_rad, 2001)
    looks = -np.cos(tilts)[:, None] * up + np.sin(tilts)[:, None] * poleward
    seen = ground_point(np.broadcast_to(top, looks.shape), looks)
    _, lat, _ = geodetic_from_itrf(seen[~np.isnan(seen[:, 0])])
    return math.degrees(float(np.max(np.abs(lat))))


# One kind of limits after the other ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Level:
    """A search with some limits of requests and satellites lifted, and what it means for places to
    have no window in it: sentences in their order, from the windows of the level before."""

    requests: Mapping[str, Any]
    satellites: Mapping[str, Any]
    sentences: Callable[[_Asked, Sequence[Request], _Passes], list[str]]


def _changed(places: Sequence[Request], values: Mapping[str, Any]) -> list[Request]:
    """Requests with other values; one is checked again, 60 us long, only where that is new."""
    return [
        place
        if all(getattr(place, name) == value for name, value in values.items())
        else replace(place, **values)
        for place in places
    ]


def _too_far(asked: _Asked, places: Sequence[Request], before: _Passes) -> list[str]:  # noqa: ARG001
    """The nearest pass at any angle: sought within wider and wider ones, for there are many."""
    told = dict.fromkeys([place.name for place in places], "")
    for tilt_rad in _TILTS_RAD:
        left = [place for place in places if not told[place.name]]
        free = _changed(left, {**_ANY_LIGHT.requests, "max_off_nadir_rad": None})
        wide = dict.fromkeys(("max_off_nadir_rad", "max_roll_rad", "max_pitch_rad"), tilt_rad)
        passes = asked.passes(free, {**_ANY_LIGHT.satellites, **wide})
        for place in left:
            if place.name in passes.rows:
                told[place.name] = _nearest(asked.mission, place, passes)
    return [text or "no satellite above its horizon in this time" for text in told.values()]


def _nearest(mission: Mission, place: Request, passes: _Passes) -> str:
    """How far the nearest pass lies beyond the limits."""
    off_nadir_rad = passes.of(place, "off_nadir_rad")
    least = int(np.argmin(off_nadir_rad))
    name = passes.of(place, "satellite")[least]
    tilts_deg = {each: math.degrees(tilt) for each, tilt in _tilts_rad(mission, place).items()}
    needed, most = math.degrees(off_nadir_rad[least]), max(tilts_deg.values())
    if needed > most:
        return (
            f"never within {most:g} deg off-nadir in this time, the nearest pass needs {needed:.1f}"
        )
    if needed > tilts_deg[name]:
        return f"never in reach in this time, {name!r} would need {needed:.1f} deg off-nadir"
    return "never within the limits of roll and pitch in this time"


def _too_dark(asked: _Asked, places: Sequence[Request], before: _Passes) -> list[str]:
    """The highest Sun over what the satellite that looks then needs."""
    told: list[str] = []
    for place in places:
        least_rad = {
            s.name: limits(s, place).min_sun_elevation_rad for s in asked.mission.satellites
        }
        needed_rad = np.array([least_rad[name] for name in before.of(place, "satellite")])
        sun_rad = np.maximum(
            before.of(place, "sun_elevation_start_rad"), before.of(place, "sun_elevation_end_rad")
        )
        best = int(np.argmax(sun_rad - needed_rad))
        told.append(
            f"in reach {before.times(place)}, but the Sun is at most"
            f" {math.degrees(sun_rad[best]):.2f} deg high then, it must be"
            f" {math.degrees(needed_rad[best]):g}"
        )
    return told


def _unfit(asked: _Asked, places: Sequence[Request], before: _Passes) -> list[str]:
    """The conditions of the request and of the satellites that look in time."""
    told: list[str] = []
    for place in _changed(places, {"max_cloud": None}):
        trees = {
            name: conditions(asked.mission.satellite(name), place, asked.mission.clouds)
            for name in sorted(set(before.of(place, "satellite")))
        }
        words = {name: describe(tree) for name, tree in trees.items() if tree is not None}
        each = [f"{text} ({name!r})" for name, text in words.items()]
        listed = [*words.values()][:1] if len(set(words.values())) == 1 else each
        told.append(
            f"in reach {before.times(place)} with the Sun high enough, but its conditions never"
            f" hold then: {'; '.join(listed)}"
        )
    return told


def _too_cloudy(asked: _Asked, places: Sequence[Request], before: _Passes) -> list[str]:
    """The lowest probability of clouds at the best instants."""
    clouds, found, told = asked.mission.clouds, before.found, []
    assert clouds is not None  # else nothing was asked of them
    assert found is not None
    for place in places:
        lon, lat = np.radians([place.geometry.x, place.geometry.y])
        chance = clouds.probability(lon, lat, found.epoch.mjd_utc(before.of(place, "best_s")))
        told.append(
            f"in reach {before.times(place)} under all other conditions, but clouds are at least"
            f" {np.nanmin(chance):.3g} likely then, at most {place.max_cloud:g} is asked for"
        )
    return told


_ANY_LIGHT = _Level(
    requests={"min_sun_elevation_rad": None, "constraints": None, "max_cloud": None},
    satellites={"min_sun_elevation_rad": -math.pi / 2, "constraints": None},
    sentences=_too_far,
)
_LEVELS = (
    _ANY_LIGHT,
    _Level(
        requests={"constraints": None, "max_cloud": None},
        satellites={"constraints": None},
        sentences=_too_dark,
    ),
    _Level(requests={"max_cloud": None}, satellites={}, sentences=_unfit),
    _Level(requests={}, satellites={}, sentences=_too_cloudy),
)
