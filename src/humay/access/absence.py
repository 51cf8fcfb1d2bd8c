"""Why a request has no opportunity: which limit keeps every satellite away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from humay.access.looks import Nadir, Places, find_windows, look_angles, sun_elevation
from humay.access.opportunities import places_of
from humay.access.strips import centre_of
from humay.arrays import unit
from humay.earth import geodetic_from_itrf, ground_point, itrf_from_normal, up_at
from humay.mission import Mission, Request, Satellite
from humay.orbit import Ephemeris
from humay.time import format_utc


def explain_absence(
    mission: Mission,
    request: Request,
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir = "geodetic",
    orbits: Mapping[str, Ephemeris],
) -> tuple[str, str]:
    """A reason code and a sentence for a request without a window over [start, end].

    For an area its middle is asked. `period` if the request's own time does not meet the span, else
    `no_opportunity` with the limit: reach of any orbit, reach in this span, or the Sun.
    """
    low = start if request.start is None else max(start, request.start)
    high = end if request.end is None else min(end, request.end)
    if low >= high:
        return "period", f"its own time ({_period(request)}) does not meet the plan's"
    up = centre_of(request)
    r_itrf = itrf_from_normal(up, np.array(request.height_m or 0.0))
    lat_deg = abs(math.degrees(math.asin(float(up[2]))))
    north = bool(up[2] > 0)
    farthest = max(_farthest_lat_deg(s, orbits[s.name], request, north) for s in mission.satellites)
    tilt_deg = max(
        math.degrees(float(places_of(s, [request], r_itrf[None], up[None]).max_off_nadir_rad[0]))
        for s in mission.satellites
    )
    if lat_deg > farthest:
        return "no_opportunity", (
            f"out of reach: at {tilt_deg:g} deg off-nadir no satellite sees beyond"
            f" {farthest:.1f} deg of latitude, it lies at {lat_deg:.1f}"
        )
    span = [orbits[mission.satellites[0].name].epoch.seconds(t) for t in (low, high)]
    return "no_opportunity", _which_limit(
        mission, request, orbits, up, r_itrf, (span[0], span[1]), nadir, tilt_deg
    )


def _period(request: Request) -> str:
    edges = [("from", request.start), ("until", request.end)]
    return " ".join(f"{word} {format_utc(t)}" for word, t in edges if t is not None)


def _farthest_lat_deg(
    satellite: Satellite, ephemeris: Ephemeris, request: Request, north: bool
) -> float:
    """Highest geodetic latitude (deg) in reach on one half of the Earth.

    From the top of the track, a look towards the pole: that is a look across the track there. The
    two halves differ, since perigee stands over one of them.
    """
    r = np.concatenate([segment.r_itrf for segment in ephemeris.segments])
    top = r[np.argmax(r[:, 2] if north else -r[:, 2])]
    up = up_at(top)
    pole = np.array([0.0, 0.0, 1.0 if north else -1.0])
    poleward = unit(pole - (pole @ up) * up)
    limit = min(satellite.max_off_nadir_rad, request.max_off_nadir_rad or math.inf)
    tilts = np.linspace(0.0, limit, 2001)
    looks = -np.cos(tilts)[:, None] * up + np.sin(tilts)[:, None] * poleward
    seen = ground_point(np.broadcast_to(top, looks.shape), looks)
    _, lat, _ = geodetic_from_itrf(seen[~np.isnan(seen[:, 0])])
    return math.degrees(float(np.max(np.abs(lat))))


def _which_limit(
    mission: Mission, request: Request, orbits: Mapping[str, Ephemeris], up: np.ndarray,
    r_itrf: np.ndarray, span: tuple[float, float], nadir: Nadir, tilt_deg: float,
) -> str:  # fmt: skip
    passes, best_tilt, best_sun = 0, math.inf, -math.inf
    for satellite in mission.satellites:
        ephemeris = orbits[satellite.name]
        limits = places_of(satellite, [request], r_itrf[None], up[None])
        dark = replace(limits, min_sun_elevation_rad=np.array([-math.pi]))
        lit = find_windows(ephemeris, dark, start_s=span[0], end_s=span[1], nadir=nadir)
        passes += len(lit.which)
        if len(lit.which):
            sun = sun_elevation(ephemeris.epoch, lit.best_s, r_itrf[None], up[None])
            best_sun = max(best_sun, math.degrees(float(np.max(sun))))
        best_tilt = min(best_tilt, _nearest_deg(ephemeris, dark, span, nadir))
    least_sun = max(
        request.min_sun_elevation_rad or -math.pi, mission.satellites[0].min_sun_elevation_rad
    )
    if passes:
        return (
            f"in reach {passes} times, but the Sun is at most {best_sun:.1f} deg high then,"
            f" it must be {math.degrees(least_sun):g}"
        )
    if math.isinf(best_tilt):
        return "never above its horizon in this time"
    return (
        f"never within {tilt_deg:g} deg off-nadir in this time, the nearest pass needs"
        f" {best_tilt:.1f}"
    )


def _nearest_deg(
    ephemeris: Ephemeris, places: Places, span: tuple[float, float], nadir: Nadir
) -> float:
    """Least off-nadir (deg) of any pass above the horizon, infinite without one."""
    anything = replace(
        places,
        max_off_nadir_rad=np.array([math.radians(89.0)]),
        max_roll_rad=np.array([math.pi]),
        max_pitch_rad=np.array([math.pi]),
    )
    found = find_windows(ephemeris, anything, start_s=span[0], end_s=span[1], nadir=nadir)
    if not len(found.which):
        return math.inf
    r, v = ephemeris.state_itrf(found.best_s)
    return math.degrees(float(np.min(look_angles(r, v, places.r_itrf, nadir)[0])))


def explain_all(
    mission: Mission,
    requests: Sequence[Request],
    present: set[str],
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir = "geodetic",
    orbits: Mapping[str, Ephemeris],
) -> dict[str, tuple[str, str]]:
    """`explain_absence` for every request whose name is not in `present`."""
    return {
        request.name: explain_absence(
            mission, request, start=start, end=end, nadir=nadir, orbits=orbits
        )
        for request in requests
        if request.name not in present
    }
