"""What the tests of the search ask: SPOT 6 with other limits, places, and how a look is then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
from shapely.geometry import Point

from humay.access import Opportunities, find_opportunities
from humay.access.looks import Nadir, look_angles, sun_elevation
from humay.arrays import BoolArray, FloatArray, cross, dot, unit
from humay.earth import ellipsoid_normal, geodetic_from_itrf, itrf_from_normal
from humay.mission import Mission, Request, limits
from humay.orbit import Ephemeris, ephemerides
from tests.access.conftest import START
from tests.access.test_constraints import sky

DAYS = 3


@cache
def orbits() -> dict[str, Ephemeris]:
    return ephemerides(sky(), START, START + timedelta(days=DAYS))


def orbit() -> Ephemeris:
    return orbits()["spot-6"]


def spot_6(
    tilt_deg: float = 30.0, *, roll_deg: float = 90.0, pitch_deg: float = 90.0,
    sun_deg: float = -90.0, **more: Any,
) -> Mission:  # fmt: skip
    """SPOT 6 with other limits, under no clouds."""
    satellite = replace(
        sky().satellites[0],
        max_off_nadir_rad=math.radians(tilt_deg),
        max_roll_rad=math.radians(min(tilt_deg, roll_deg)),
        max_pitch_rad=math.radians(min(tilt_deg, pitch_deg)),
        min_sun_elevation_rad=math.radians(sun_deg),
        **more,
    )
    return replace(sky(), satellites=(satellite,), clouds=None)


def place(name: str, lon_deg: float, lat_deg: float, height_m: float = 0.0, **more: Any) -> Request:
    geometry = Point(lon_deg, lat_deg)
    return Request(name=name, geometry=geometry, kind="point", height_m=height_m, **more)


def places(seed: int, count: int, **more: Any) -> list[Request]:
    """Places spread evenly over the Earth, up to 4 km high."""
    chance = np.random.default_rng(seed)
    lon, sine = chance.uniform(-180, 180, count), chance.uniform(-1, 1, count)
    height = chance.uniform(-100, 4000, count)
    return [
        place(f"p{i:05d}", lon[i], math.degrees(math.asin(sine[i])), height[i], **more)
        for i in range(count)
    ]


def beside_track(t_s: float, aside_rad: float, name: str = "x", **more: Any) -> Request:
    """A place to the left of where the satellite is at t, at an angle seen from the centre."""
    r, v = orbit().state_itrf(np.array(t_s))
    direction = unit(unit(r) + math.tan(aside_rad) * unit(cross(r, v)))
    lon, lat, _ = geodetic_from_itrf(6_371e3 * direction)
    return place(name, math.degrees(lon), math.degrees(lat), **more)


def search(
    mission: Mission, requests: Sequence[Request], begin_s: float = -math.inf,
    end_s: float = math.inf, nadir: Nadir = "geodetic", **more: Any,
) -> Opportunities:  # fmt: skip
    """Windows in a part of the three days."""
    start_s = orbit().epoch.seconds(START)
    start, end = (
        orbit().epoch.utc(float(np.clip(t, start_s, start_s + DAYS * 86_400.0)))
        for t in (begin_s, end_s)
    )
    asked: dict[str, Any] = {"orbits": orbits()} | more
    return find_opportunities(mission, requests, start=start, end=end, nadir=nadir, **asked)


def hold(
    mission: Mission, request: Request, t_s: FloatArray, nadir: Nadir, slack_rad: float = 0.0
) -> BoolArray:
    """Whether looks at a point are within the limits, straight from the ephemeris."""
    satellite = mission.satellites[0]
    limit = limits(satellite, request)
    lon, lat = np.radians([request.geometry.x, request.geometry.y])
    up = ellipsoid_normal(lon, lat)
    target = itrf_from_normal(up, np.array(request.height_m))
    r, v = orbit().state_itrf(t_s)
    off_nadir, roll, pitch = look_angles(r, v, target, nadir)
    sun = sun_elevation(orbit().epoch, t_s, target, up)
    return np.asarray(
        (off_nadir <= limit.max_off_nadir_rad + slack_rad)
        & (np.abs(roll) <= limit.max_roll_rad + slack_rad)
        & (np.abs(pitch) <= limit.max_pitch_rad + slack_rad)
        & (sun >= limit.min_sun_elevation_rad - slack_rad)
        & (dot(r - target, up) >= 0)
    )


def same_rows(one: Opportunities, other: Opportunities) -> bool:
    """Whether two records hold the same bits in every column."""
    whole = {"epoch", "span_s", "strips", "line"}
    names = [field.name for field in fields(Opportunities) if field.name not in whole]
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    pairs += [
        (one.line.normals, other.line.normals),
        (one.line.heights_m, other.line.heights_m),
    ]
    return all(_same(a, b) for a, b in pairs)


def _same(a: Any, b: Any) -> bool:
    if a.dtype == object:
        return bool(a.tolist() == b.tolist())
    return bool(a.shape == b.shape and a.tobytes() == b.tobytes())
