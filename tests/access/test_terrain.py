"""The terrain's horizon: a wall by hand, the formula of the check, and the windows it cuts."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.access import find_opportunities
from humay.access.terrain import horizons
from humay.arrays import FloatArray
from humay.check.conditions import hold, terrain
from humay.check.quantities import Looks
from humay.earth import ellipsoid_normal, itrf_from_normal
from humay.mission import AllOf, TerrainHorizon
from humay.mission.heights import HeightSource
from tests.access.test_constraints import (
    LIMITS,
    STEP_S,
    inside,
    longest_run_s,
    orbit,
    pass_of,
    sky,
    spans_of,
)

POINTS = 360


class Sea:
    """No height anywhere."""

    source: HeightSource = "dem"

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        return 0 * lon_rad + 0 * lat_rad


class Hills(Sea):
    """Waves 1 km long and up to 800 m high, in longitude and latitude."""

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        return np.asarray(400 * np.sin(40_000 * lon_rad) + 400 * np.cos(40_000 * lat_rad))


class Wall(Sea):
    """1,000 m high from 10 km to 10.7 km to the north of the equator, flat elsewhere."""

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        away_m = lat_rad * 6_371_008.8
        return np.where((away_m > 10e3) & (away_m < 10.7e3), 1000.0, 0.0) + 0 * lon_rad


def test_a_wall_in_the_north_stands_lower_to_either_side() -> None:
    """A degree of latitude has 110.6 km here, so the wall begins 9.94 km away: atan((1000 - 7.8) /
    9943) = 5.70 deg at most, and 6 % further 5.37 deg at least. At 60 deg of azimuth it is twice as
    far: atan((1000 - 31) / 19,890) = 2.79 deg to 2.61 deg."""
    up = ellipsoid_normal(np.zeros(1), np.zeros(1))
    [horizon] = np.degrees(horizons(Wall(), up, np.zeros(1), distance_m=50e3, points=POINTS))
    assert 5.37 <= horizon[0] <= 5.70
    assert 2.61 <= horizon[60] <= 2.79
    assert np.all(horizon[91:270] < 0)
    assert np.allclose(horizon[1:180], horizon[:180:-1], atol=1e-6)


def test_the_horizon_of_flat_ground_is_just_below_the_plane() -> None:
    """30 m away the Earth has sunk by half of 30 m / R."""
    up = ellipsoid_normal(np.radians([30.0]), np.radians([-20.0]))
    horizon = horizons(Sea(), up, np.zeros(1), distance_m=50e3, points=POINTS)
    assert np.allclose(horizon, -30 / (2 * 6.37e6), atol=1e-7)
    assert np.all(horizon < 0)


def test_no_place_gives_no_horizon() -> None:
    none = horizons(Sea(), np.zeros((0, 3)), np.zeros(0), distance_m=1e4, points=POINTS)
    assert none.shape == (0, POINTS)


@settings(max_examples=10)
@given(
    lon=st.floats(-180, 180), lat=st.floats(-89, 89), height_m=st.floats(0, 2000),
    distance_m=st.floats(20, 60e3), seed=st.integers(0, 1000),
)  # fmt: skip
def test_the_horizon_is_that_of_the_check(
    lon: float, lat: float, height_m: float, distance_m: float, seed: int
) -> None:
    up = ellipsoid_normal(np.radians([lon]), np.radians([lat]))
    [horizon] = horizons(
        Hills(), up, np.array([height_m]), distance_m=distance_m, points=POINTS
    )  # fmt: skip
    t_s = orbit().start_s + np.random.default_rng(seed).uniform(10_000, 90_000, 6)
    normals = np.broadcast_to(up, (len(t_s), 3))
    looks = Looks(
        request="x", orbit=orbit(), t_s=t_s, up=normals, heights=Hills(),
        place=itrf_from_normal(normals, np.array(height_m)), ifov_rad=1e-6,
    )  # fmt: skip
    east = np.array([-up[0, 1], up[0, 0], 0.0]) / math.hypot(*up[0, :2])
    azimuth = np.arctan2(-looks.sight @ east, -looks.sight @ np.cross(up[0], east))
    grid = 2 * math.pi / POINTS * np.arange(POINTS)
    level = np.interp(azimuth, grid, horizon, period=2 * math.pi)
    assert np.allclose(terrain(looks, distance_m), level, atol=1e-9)


@settings(max_examples=10)
@given(
    hour=st.floats(1, 70), aside=st.floats(-0.1, 0.1), above_m=st.floats(0, 200),
    hidden=st.booleans(),
)  # fmt: skip
def test_terrain_hides_a_place_where_samples_say_so(
    hour: float, aside: float, above_m: float, hidden: bool
) -> None:
    """In valleys the horizon stands tens of degrees high, and a pass is cut or gone."""
    mission = replace(sky(), heights=Hills())
    place = pass_of(hour, aside, 0.0, "geodetic").place
    ground_m = float(Hills().ellipsoidal_m(*np.radians([place.x, place.y])))
    own = pass_of(hour, aside, ground_m + above_m, "geodetic")
    looks = replace(own.looks, heights=Hills())
    clear = TerrainHorizon(distance_m=30e3)
    tree = ~clear if hidden else clear
    start, end = (orbit().epoch.utc(t) for t in looks.t_s[[0, -1]])
    known = {"spot-6": orbit()}
    found = find_opportunities(
        mission, [own.request("0", tree)], start=start, end=end, orbits=known
    )
    some = slice(None, None, 10)
    t_s = looks.t_s[some]
    thin = replace(looks, t_s=t_s, up=looks.up[some], place=looks.place[some])
    wrong = inside(spans_of(found, "0"), t_s) != hold(AllOf(parts=(LIMITS, tree)), thin)
    assert longest_run_s(wrong) / STEP_S <= 1  # a sample of 0.5 s beside an edge
