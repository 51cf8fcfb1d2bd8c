"""Why requests have no opportunity: which limit keeps every satellite away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from humay.access.looks import Nadir, Places, find_windows, look_angles, sun_elevation
from humay.access.strips import centre_of
from humay.arrays import FloatArray, IntArray, unit
from humay.earth import geodetic_from_itrf, ground_point, itrf_from_normal, up_at
from humay.mission import Mission, Request, Satellite, limits
from humay.orbit import Ephemeris
from humay.time import format_utc

_ANY_TILT_RAD = math.radians(89.0)


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

    `period` if a request's own time does not meet the span, else `no_opportunity` with the limit:
    beyond the reach of any orbit, not in reach in this span, or too dark. An area is judged by its
    middle.
    """
    reasons: dict[str, tuple[str, str]] = {}
    asked: list[Request] = []
    for request in requests:
        if (request.start or start) >= end or (request.end or end) <= start:
            text = f"its own time ({_period(request)}) does not meet the plan's"
            reasons[request.name] = "period", text
        else:
            asked.append(request)
    if not asked:
        return reasons
    up = np.array([centre_of(request) for request in asked])
    r_itrf = itrf_from_normal(up, np.array([request.height_m or 0.0 for request in asked]))
    seconds = next(iter(orbits.values())).epoch.seconds
    span = seconds(start), seconds(end)
    found = [
        _Passes(mission, name, asked, r_itrf, up, orbits[name], span, nadir) for name in orbits
    ]
    for i, request in enumerate(asked):
        reasons[request.name] = (
            "no_opportunity",
            _sentence(mission, request, i, up[i], orbits, found),
        )
    return reasons


class _Passes:
    """What one satellite would see of m places if some limits were lifted."""

    def __init__(
        self, mission: Mission, name: str, requests: Sequence[Request], r_itrf: FloatArray,
        up: FloatArray, ephemeris: Ephemeris, span: tuple[float, float], nadir: Nadir,
    ) -> None:  # fmt: skip
        m = len(requests)
        own = places_of(mission.satellite(name), requests, r_itrf, up)
        unlit = replace(own, min_sun_elevation_rad=np.full(m, -math.pi))
        self.periods = periods_of(requests, ephemeris, span)
        which, best_s = self._windows(ephemeris, unlit, span, nadir)
        self.count = np.bincount(which, minlength=m)
        self.sun_deg = np.full(m, -math.inf)
        height = sun_elevation(ephemeris.epoch, best_s, r_itrf[which], up[which])
        np.maximum.at(self.sun_deg, which, np.degrees(height))
        self.tilt_deg = np.full(m, math.inf)
        self._least_tilts(ephemeris, unlit, span, nadir)

    def _windows(
        self, ephemeris: Ephemeris, places: Places, span: tuple[float, float], nadir: Nadir
    ) -> tuple[IntArray, FloatArray]:
        """Windows inside the requests' own periods: of which place, and the best instant."""
        found = find_windows(ephemeris, places, start_s=span[0], end_s=span[1], nadir=nadir)
        low, high = self.periods[0][found.which], self.periods[1][found.which]
        inside = (found.end_s > low) & (found.start_s < high)
        return found.which[inside], np.clip(found.best_s, low, high)[inside]

    def _least_tilts(
        self, ephemeris: Ephemeris, unlit: Places, span: tuple[float, float], nadir: Nadir
    ) -> None:
        m = len(unlit.r_itrf)
        anything = replace(
            unlit,
            max_off_nadir_rad=np.full(m, _ANY_TILT_RAD),
            max_roll_rad=np.full(m, math.pi),
            max_pitch_rad=np.full(m, math.pi),
        )
        which, best_s = self._windows(ephemeris, anything, span, nadir)
        r, v = ephemeris.state_itrf(best_s)
        tilt = np.degrees(look_angles(r, v, unlit.r_itrf[which], nadir)[0])
        np.minimum.at(self.tilt_deg, which, tilt)


def _period(request: Request) -> str:
    edges = [("from", request.start), ("until", request.end)]
    return " ".join(f"{word} {format_utc(t)}" for word, t in edges if t is not None)


def _sentence(
    mission: Mission, request: Request, i: int, up: FloatArray,
    orbits: Mapping[str, Ephemeris], found: Sequence[_Passes],
) -> str:  # fmt: skip
    each = [limits(satellite, request) for satellite in mission.satellites]
    tilt_deg = math.degrees(max(limit.max_off_nadir_rad for limit in each))
    sun_deg = math.degrees(min(limit.min_sun_elevation_rad for limit in each))
    lat_deg = math.degrees(math.asin(float(up[2])))
    farthest = max(
        _farthest_lat_deg(orbits[satellite.name], limit.max_off_nadir_rad, north=lat_deg > 0)
        for satellite, limit in zip(mission.satellites, each, strict=True)
    )
    if abs(lat_deg) > farthest:
        return (
            f"out of reach: at {tilt_deg:g} deg off-nadir no satellite sees beyond"
            f" {farthest:.1f} deg of latitude, it lies at {abs(lat_deg):.1f}"
        )
    count = sum(int(passes.count[i]) for passes in found)
    if count:
        highest = max(float(passes.sun_deg[i]) for passes in found)
        return (
            f"in reach {count} {'time' if count == 1 else 'times'}, but the Sun is at most"
            f" {highest:.2f} deg high then, it must be {sun_deg:g}"
        )
    nearest = min(float(passes.tilt_deg[i]) for passes in found)
    if math.isinf(nearest):
        return "no satellite above its horizon in this time"
    if nearest <= tilt_deg:
        return "its strips are in reach only in part, none of them whole"
    return (
        f"never within {tilt_deg:g} deg off-nadir in this time, the nearest pass needs"
        f" {nearest:.1f}"
    )


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


def places_of(
    satellite: Satellite, requests: Sequence[Request], r_itrf: FloatArray, up: FloatArray
) -> Places:
    """Places (n, 3), each with the stricter limits of the satellite and of its request."""
    each = [limits(satellite, request) for request in requests]
    return Places(
        r_itrf=r_itrf,
        up=up,
        max_off_nadir_rad=np.array([limit.max_off_nadir_rad for limit in each]),
        max_roll_rad=np.array([limit.max_roll_rad for limit in each]),
        max_pitch_rad=np.array([limit.max_pitch_rad for limit in each]),
        min_sun_elevation_rad=np.array([limit.min_sun_elevation_rad for limit in each]),
    )


def periods_of(
    requests: Sequence[Request], ephemeris: Ephemeris, span: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """The part of the span that each request's own period leaves, (n,) and (n,)."""
    seconds = ephemeris.epoch.seconds
    low = [span[0] if r.start is None else max(span[0], seconds(r.start)) for r in requests]
    high = [span[1] if r.end is None else min(span[1], seconds(r.end)) for r in requests]
    return np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
