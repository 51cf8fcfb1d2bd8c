"""What compiled code reads of orbits and of the sky, against the functions it stands for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from humay.access.search.approaches import Hunt, scan
from humay.access.search.motion import body_at, down_from, place_at, position, velocity
from humay.access.search.tables import Body, Track, sky_of, tracks_of
from humay.arrays import FloatArray, IntArray, angle_between, norm, unit
from humay.earth import (
    ellipsoid_normal,
    itrf_from_geodetic,
    itrf_from_normal,
    moon_gcrf,
    sun_itrf,
    up_at,
)
from humay.frames import itrf_from_gcrf
from humay.orbit import ephemerides
from humay.time import Epoch
from tests.access.conftest import START
from tests.access.searching import orbit, spot_6

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Entries from Python into functions that have none."""
    return cast("_Function", njit(function))


@compiled
def states(track: Track, t_s: FloatArray, out: FloatArray) -> None:
    for i in range(len(t_s)):
        out[i, 0], out[i, 1], out[i, 2] = position(track, t_s[i])
        out[i, 3], out[i, 4], out[i, 5] = velocity(track, t_s[i])


@compiled
def bodies(body: Body, t_s: FloatArray, out: FloatArray) -> None:
    for i in range(len(t_s)):
        out[i, 0], out[i, 1], out[i, 2] = body_at(body, t_s[i])


@compiled
def nadirs(r: FloatArray, out: FloatArray) -> None:
    for i in range(len(r)):
        out[i, 0], out[i, 1], out[i, 2] = down_from(r[i, 0], r[i, 1], r[i, 2], False)


@compiled
def grounds(normal: FloatArray, height_m: FloatArray, out: FloatArray) -> None:
    for i in range(len(normal)):
        out[i] = place_at(normal[i, 0], normal[i, 1], normal[i, 2], height_m[i])


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10)
def test_a_track_is_its_ephemeris(seed: int) -> None:
    """To the rounding of positions, 1 nm, and of their rates."""
    [track] = tracks_of(orbit())
    low, high = orbit().start_s, orbit().end_s
    t_s = np.random.default_rng(seed).uniform(low, high, 500)
    t_s[:2] = low, high
    t_s[2:20] = np.round(t_s[2:20] / track.step_s) * track.step_s  # on nodes
    out = np.empty((len(t_s), 6))
    states(track, np.clip(t_s, low, high), out)
    r, v = orbit().state_itrf(np.clip(t_s, low, high))
    assert np.max(np.abs(out[:, :3] - r)) < 2e-8
    assert np.max(np.abs(out[:, 3:] - v)) < 1e-9


def test_a_track_has_the_same_bits_whatever_the_span() -> None:
    later = START + timedelta(hours=7.3)
    other = ephemerides(spot_6(), later, later + timedelta(hours=20))["spot-6"]
    [one], [two] = tracks_of(orbit()), tracks_of(other)
    t_s = np.random.default_rng(1).uniform(other.start_s, other.end_s, 1000)
    t_s = t_s[(t_s > orbit().start_s) & (t_s < orbit().end_s)]
    found = np.empty((2, len(t_s), 6))
    states(one, t_s, found[0])
    states(two, t_s, found[1])
    assert np.array_equal(found[0], found[1])


@pytest.mark.parametrize("year", [1999, 2016, 2024, 2030])
def test_the_sky_is_that_of_almanacs(year: int) -> None:
    """The Sun within 3e-9 rad, the Moon within 2e-8 rad; a fortnight over new year, with the leap
    second of 2016."""
    epoch = Epoch(datetime(year, 12, 20, tzinfo=UTC))
    span = 86_400.0 * 1.3, 86_400.0 * 16.7
    sky = sky_of(epoch, *span, moon=True)
    t_s = np.random.default_rng(year).uniform(*span, 4000)
    t_s[:2] = span
    sun, moon = np.empty((len(t_s), 3)), np.empty((len(t_s), 3))
    bodies(sky.sun, t_s, sun)
    bodies(sky.moon, t_s, moon)
    true_moon = np.einsum("nij,nj->ni", itrf_from_gcrf(epoch, t_s), moon_gcrf(epoch, t_s))
    for found, true, error in ((sun, sun_itrf(epoch, t_s), 3e-9), (moon, true_moon, 2e-8)):
        assert np.max(angle_between(found, true)) < error
        assert np.max(np.abs(norm(found) / norm(true) - 1)) < 1e-6


@given(
    lon=st.floats(-3.2, 3.2), lat=st.floats(-1.5707963, 1.5707963),
    height_m=st.floats(150e3, 2_100e3),
)  # fmt: skip
@settings(max_examples=100)
def test_nadir_is_that_of_the_ellipsoid(lon: float, lat: float, height_m: float) -> None:
    r = itrf_from_geodetic(np.array([lon]), np.array([lat]), np.array([height_m]))
    out = np.empty((1, 3))
    nadirs(r, out)
    assert norm(out[0] + up_at(r)[0]) < 2e-11
    assert norm(out[0] + ellipsoid_normal(np.array(lon), np.array(lat))) < 2e-11


def test_nadir_at_the_poles_points_along_the_axis() -> None:
    r = np.array([[0.0, 0.0, 7.05e6], [0.0, 0.0, -7.05e6]])
    out = np.empty((2, 3))
    nadirs(r, out)
    assert np.allclose(out, -unit(r), atol=1e-15)


def test_places_are_those_of_the_ellipsoid() -> None:
    normal = unit(np.random.default_rng(2).normal(size=(200, 3)))
    height_m = np.random.default_rng(3).uniform(-500, 9000, 200)
    out = np.empty((200, 3))
    grounds(normal, height_m, out)
    assert np.max(norm(out - itrf_from_normal(normal, height_m))) < 3e-9


# Approaches --------------------------------------------------------------------------------------


def approaches(place: FloatArray, cap_rad: float) -> tuple[IntArray, FloatArray]:
    [track] = tracks_of(orbit())
    sun = sky_of(orbit().epoch, orbit().start_s, orbit().end_s, moon=False).sun
    n = len(place)
    hunt = Hunt(place=place, cap_rad=np.full(n, cap_rad), least_sun=np.full(n, -2.0),
                begin_s=orbit().start_s, end_s=orbit().end_s)  # fmt: skip
    which, t_s = np.zeros(20_000, dtype=np.int64), np.zeros(20_000)
    found, done = scan(track, sun, hunt, 0, which, t_s)
    assert done == n
    return which[:found], t_s[:found]


@given(seed=st.integers(0, 10**6), cap_rad=st.floats(0.005, 0.6))
@settings(max_examples=10)
def test_every_local_minimum_of_the_angle_within_the_cap_is_found(
    seed: int, cap_rad: float
) -> None:
    """Against samples every 2 s; a few beyond the cap may come along."""
    place = unit(np.random.default_rng(seed).normal(size=(10, 3)))
    which, t_s = approaches(place, cap_rad)
    times = np.arange(orbit().start_s, orbit().end_s, 2.0)
    sub = unit(orbit().position_itrf(times))
    for i, direction in enumerate(place):
        near = sub @ direction
        top = np.flatnonzero((near[1:-1] > near[:-2]) & (near[1:-1] >= near[2:])) + 1
        own = t_s[which == i]
        assert np.all(np.diff(own) > 0)
        for k in top[near[top] >= np.cos(cap_rad)]:
            assert np.min(np.abs(own - times[k])) < 1.5
        inside = own[(own > times[1]) & (own < times[-2])]
        assert all(np.min(np.abs(times[top] - at_s)) < 1.5 for at_s in inside)
