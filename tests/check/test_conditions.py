"""Conditions of the check: formulas against algebra done elsewhere, trees as sets, plans judged."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from humay.arrays import FloatArray, angle_between, dot, norm, unit
from humay.check import check_plan, verdict
from humay.check.case import read_case
from humay.check.conditions import fault, hold, room, terrain
from humay.check.coverage import check_coverage
from humay.check.quantities import Looks, value_of
from humay.check.windows import check_windows
from humay.earth import (
    AU_M,
    azimuth_angle,
    elevation_angle,
    ellipsoid_normal,
    geodetic_from_itrf,
    itrf_from_normal,
    sunlit_fraction,
)
from humay.errors import RequestError
from humay.frames import inertial_velocity, orbital_frame, roll_pitch
from humay.mission import (
    CORE_QUANTITY,
    CloudModel,
    CoarseRelief,
    Constraint,
    HorizonMask,
    Inside,
    PassDirection,
    RelativeOrbit,
    Sunlit,
    TerrainHorizon,
    Within,
)
from humay.mission.heights import HeightSource
from humay.orbit import Ephemeris, ephemerides
from humay.time import Epoch
from tests.check.valid_plan import CAMERA, END, MISSION, START, requests, valid_plan

RAD = math.radians


@cache
def orbit() -> Ephemeris:
    return ephemerides(MISSION, START, END)["alpha"]


def seen(seed: int, count: int = 40, **more: Any) -> Looks:
    """Looks at places up to 1,000 km from the track, at any time of the three hours."""
    rng = np.random.default_rng(seed)
    t_s = orbit().epoch.seconds(START) + np.sort(rng.uniform(0, 10_800, count))
    below = unit(orbit().position_itrf(t_s))
    up = unit(below + 0.16 * unit(rng.normal(size=(count, 3))))
    return at(t_s, up, rng.uniform(-100, 3000, count), **more)


def at(t_s: FloatArray, up: FloatArray, height_m: FloatArray, **more: Any) -> Looks:
    fields: dict[str, Any] = {
        "request": "x", "orbit": orbit(), "t_s": t_s, "up": up,
        "place": itrf_from_normal(up, height_m), "ifov_rad": CAMERA.ifov_rad,
        "heights": CoarseRelief(),
    }  # fmt: skip
    return Looks(**(fields | more))


def value(quantity: str, looks: Looks, axis: tuple[float, float, float] = (0, 0, 1)) -> FloatArray:
    low, high = (0.0, RAD(360)) if CORE_QUANTITY[quantity].circular else (-math.inf, math.inf)
    return value_of(Within(quantity=quantity, low=low, high=high, axis=axis), looks)


# Quantities --------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_angles_of_the_look_are_those_of_the_ground_floor(seed: int) -> None:
    looks = seen(seed)
    down = -unit(looks.r_itrf)
    lon, lat, _ = geodetic_from_itrf(looks.r_itrf)
    geocentric = replace(looks, nadir="geocentric")
    for own, z in ((looks, -ellipsoid_normal(lon, lat)), (geocentric, down)):
        orb = orbital_frame(z, inertial_velocity(own.r_itrf, own.v_itrf))
        roll, pitch = roll_pitch(np.einsum("nij,nj->ni", orb, own.sight))
        assert np.allclose(value("roll_rad", own), roll, atol=1e-12)
        assert np.allclose(value("pitch_rad", own), pitch, atol=1e-12)
        assert np.allclose(np.cos(value("off_nadir_rad", own)), np.cos(roll) * np.cos(pitch))


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_a_body_axis_is_turned_by_roll_then_pitch(seed: int) -> None:
    """docs/reference/conventions.md: body = R_y(pitch) R_x(roll) from `orb`."""
    looks = seen(seed, 5)
    roll, pitch = value("roll_rad", looks), value("pitch_rad", looks)
    vector = unit(np.random.default_rng(seed).normal(size=3))
    for i in range(5):
        c, s = math.cos(roll[i]), math.sin(roll[i])
        by_roll = np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
        c, s = math.cos(pitch[i]), math.sin(pitch[i])
        by_pitch = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
        orb_from_itrf = np.array([axis[i] for axis in looks.orb])
        body_from_itrf = by_pitch @ by_roll @ orb_from_itrf
        assert np.allclose(
            body_from_itrf.T @ vector, looks.body_axis(vector.tolist())[i], atol=1e-12
        )
        assert np.allclose(body_from_itrf @ looks.sight[i], [0, 0, 1], atol=1e-12)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_glint_is_the_law_of_cosines_round_the_zenith(seed: int) -> None:
    """The mirror image stands as high as the Sun, in the opposite azimuth (the Sun below the
    horizon: as low)."""
    looks = seen(seed)
    high, sun = math.pi / 2 - value("incidence_rad", looks), value("sun_elevation_rad", looks)
    turn = value("azimuth_rad", looks) - value("sun_azimuth_rad", looks) - math.pi
    cosine = np.sin(high) * np.sin(sun) + np.cos(high) * np.cos(sun) * np.cos(turn)
    assert np.allclose(np.cos(value("glint_rad", looks)), cosine, atol=1e-9)


def test_apparent_solar_time_is_that_of_the_equation_of_time() -> None:
    """J. Meeus, Astronomical Algorithms, 2nd edition, example 28.b: 1992 October 13, 0h TD, the
    equation of time is +13 m 42.6 s. At 0 deg the apparent time is then 0h UT and so much."""
    epoch = Epoch(datetime(1992, 10, 13, tzinfo=UTC))
    ours = orbit()
    then = replace(
        ours, epoch=epoch, segments=tuple(replace(s, t_s=s.t_s - s.t_s[0]) for s in ours.segments)
    )
    up = ellipsoid_normal(np.zeros(3), np.radians([-50.0, 0.0, 50.0]))
    looks = at(np.zeros(3), up, np.zeros(3), orbit=then)
    hours = value("local_solar_time_rad", looks) * 12 / math.pi
    assert np.allclose(hours * 3600, 13 * 60 + 42.6, atol=1.0)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_solar_time_grows_by_an_hour_every_fifteen_degrees_and_is_noon_under_the_sun(
    seed: int,
) -> None:
    looks = seen(seed, 3)
    lat = geodetic_from_itrf(looks.place)[1]
    sun_lon = np.arctan2(looks.sun[:, 1], looks.sun[:, 0])
    under = at(looks.t_s, ellipsoid_normal(sun_lon, lat), np.zeros(3))
    assert np.allclose(value("local_solar_time_rad", under), math.pi, atol=1e-6)
    later = at(looks.t_s, ellipsoid_normal(sun_lon + RAD(15), lat), np.zeros(3))
    parallax = 6.4e6 / AU_M
    assert np.allclose(value("local_solar_time_rad", later), math.pi + RAD(15), atol=parallax)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_an_axis_at_the_limb_grazes_a_sphere_of_6371_km(seed: int) -> None:
    looks = seen(seed)
    axis = tuple(unit(np.random.default_rng(seed).normal(size=3)).tolist())
    above = value("limb_angle_rad", looks, axis)
    ray = looks.body_axis(axis)
    forward = dot(ray, -looks.r_itrf) > 0
    passes_m = norm(np.cross(looks.r_itrf, ray))
    assert np.array_equal(above < 0, forward & (passes_m < 6_371_000.0))
    boresight = value("limb_angle_rad", looks)
    assert np.all(boresight < 0)  # every place seen lies on the disc


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_angles_to_sun_and_moon_are_from_the_satellite(seed: int) -> None:
    looks = seen(seed)
    for quantity, body in (("sun_angle_rad", looks.sun), ("moon_angle_rad", looks.moon)):
        ray = unit(body - looks.r_itrf)
        assert np.allclose(np.cos(value(quantity, looks)), dot(ray, looks.sight), atol=1e-12)
        opposite = value(quantity, looks, (0, 0, -1))
        assert np.allclose(value(quantity, looks) + opposite, math.pi, atol=1e-9)
    assert np.all(norm(looks.moon) > 3.5e8)
    assert np.all(norm(looks.moon) < 4.1e8)


def test_a_ground_sample_below_the_satellite_is_the_pixel_and_grows_with_incidence() -> None:
    t_s = orbit().epoch.seconds(START) + np.array([600.0, 1800.0])
    r, v = orbit().state_itrf(t_s)
    lon, lat, height_m = geodetic_from_itrf(r)
    up = ellipsoid_normal(lon, lat)
    below = at(t_s, up, np.zeros(2))
    assert np.allclose(value("gsd_m", below), height_m * CAMERA.ifov_rad, rtol=1e-5)
    side = unit(np.cross(up, v))
    aside = at(t_s, unit(up + 0.05 * side), np.zeros(2))
    incidence = value("incidence_rad", aside)
    stretched = value("range_m", aside) * CAMERA.ifov_rad / np.sqrt(np.cos(incidence))
    assert np.allclose(value("gsd_m", aside), stretched, rtol=2e-4)
    along = at(t_s, aside.up, np.zeros(2), along=np.cross(side, aside.up))
    assert np.allclose(value("gsd_m", along), stretched, rtol=2e-3)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_a_satellite_is_sunlit_where_no_part_of_the_disc_is_covered(seed: int) -> None:
    looks = seen(seed, 200)
    whole = sunlit_fraction(looks.r_itrf, looks.sun) >= 1 - 1e-6
    inside, _ = room(Sunlit(), [looks])
    clear = np.abs(inside) > 1e-3  # 1e-5 deg
    assert np.array_equal(hold(Sunlit(), looks)[clear], whole[clear])
    assert 40 < np.sum(whole) < 180


# Clouds, horizons, places, orbits ----------------------------------------------------------------


def clouds(values: Any, mjd: Any = None) -> CloudModel:
    """Halves of the globe, west and east of Greenwich, by layers (k, 2)."""
    layers = np.asarray(values, dtype="f4")[:, None, :]
    return CloudModel(
        path=Path("c"), probabilities=layers, west_deg=-180.0, north_deg=90.0,
        cell_lon_deg=180.0, cell_lat_deg=180.0, mjd_utc=mjd,
    )  # fmt: skip


def test_clouds_are_those_of_the_closest_instant_of_the_pass() -> None:
    """A forecast that grows evenly tells the instant at which it was asked."""
    start = orbit().epoch.seconds(START) + 3000.0
    up = unit(orbit().position_itrf(np.array([start])))
    up = np.repeat(unit(up + np.array([0.02, -0.03, 0.02])), 5, axis=0)
    day = orbit().epoch.mjd_utc(np.array([start]))[0]
    model = clouds([[0.0, 0.0], [1.0, 1.0]], np.array([day - 0.01, day + 0.01]))
    for first in (-60.0, 0.0, 60.0):
        looks = at(start + first + np.linspace(0, 20, 5), up, np.zeros(5), clouds=model)
        [found] = set(value("cloud_probability", looks).tolist())
        asked_s = (found - 0.5) * 0.02 * 86_400
        around = orbit().position_itrf(start + np.arange(-400.0, 400.0, 0.5))
        closest_s = -400 + 0.5 * np.argmin(norm(around - looks.place[0]))
        assert abs(asked_s - closest_s) < 2.0


def test_clouds_that_nobody_knows_are_refused() -> None:
    looks = seen(1, 3)
    with pytest.raises(RequestError, match="request 'x': cloud_probability is bounded, but no"):
        value("cloud_probability", looks)
    unknown = replace(looks, clouds=clouds([[0.0, 0.0], [1.0, 1.0]], np.array([1.0, 2.0])))
    with pytest.raises(RequestError, match="request 'x': no probability of clouds at lon"):
        value("cloud_probability", unknown)


def test_a_horizon_mask_is_linear_and_closed_over_north() -> None:
    looks = seen(3, 500)
    azimuth = np.degrees(azimuth_angle(-looks.sight, looks.up))
    elevation = np.degrees(elevation_angle(-looks.sight, looks.up))
    mask = HorizonMask(points=((RAD(90), RAD(20)), (RAD(270), RAD(60))))
    level = np.where((azimuth >= 90) & (azimuth <= 270), 20 + (azimuth - 90) * 40 / 180,
                     60 - ((azimuth - 270) % 360) * 40 / 180)  # fmt: skip
    assert np.array_equal(hold(mask, looks), elevation >= level)
    assert 50 < np.sum(elevation >= level) < 450


class Wall:
    """A ring-shaped wall of 1,000 m about a place, flat elsewhere."""

    source: HeightSource = "dem"

    def __init__(self, up: FloatArray, inner_m: float, outer_m: float) -> None:
        self.up, self.inner, self.outer = up, inner_m / 6.371e6, outer_m / 6.371e6

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        normal = ellipsoid_normal(lon_rad, lat_rad)
        away = angle_between(normal, np.broadcast_to(self.up, normal.shape))
        return np.where((away > self.inner) & (away < self.outer), 1000.0, 0.0)


def test_a_wall_hides_what_stands_behind_it() -> None:
    """The points of ground that are looked at lie 6 % apart: one stands between 10 and 10.7 km.
    There the Earth has sunk by d2 / 2R: atan((1000 - 7.8) / 10,000) = 5.67 deg at the nearest,
    atan((1000 - 9.0) / 10,700) = 5.29 deg at the farthest."""
    up = ellipsoid_normal(np.radians(48.0), np.radians(41.0))
    looks = at(
        orbit().epoch.seconds(START) + np.zeros(4), np.repeat(up[None], 4, axis=0), np.zeros(4),
        heights=Wall(up, 10e3, 10.7e3),
    )  # fmt: skip
    found = np.degrees(terrain(looks, 50e3))
    assert np.all((found > 5.29) & (found < 5.68))
    level = np.degrees(terrain(looks, 9.9e3))
    assert np.allclose(level, -math.degrees(30 / 2 / 6.371e6), atol=1e-4)  # the nearest is highest
    assert np.all(level < 0)


def test_the_horizon_counts_towards_the_satellite() -> None:
    """Half a wall, in the east only."""
    t_s = orbit().epoch.seconds(START) + np.arange(0.0, 6000.0, 60.0)
    lon, lat, _ = geodetic_from_itrf(orbit().position_itrf(t_s))
    low = int(np.argmin(np.abs(lat)))
    for offset, hidden in ((-3.0, True), (3.0, False)):  # a place to the west sees it in the east
        up = ellipsoid_normal(lon[low] + RAD(offset), lat[low])
        looks = at(t_s[low, None], up[None], np.zeros(1), heights=EastWall(up, 10e3, 11e3))
        assert hold(TerrainHorizon(distance_m=50e3), looks)[0] != hidden


class EastWall(Wall):
    """Only its eastern half, 40 km high."""

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        east = np.sin(lon_rad - math.atan2(self.up[1], self.up[0])) > 0
        return np.where(east, 40 * super().ellipsoidal_m(lon_rad, lat_rad), 0.0)


def test_a_place_is_inside_whatever_turn_its_polygon_is_written_in() -> None:
    up = ellipsoid_normal(np.radians([179.5, -179.5, 178.5]), np.radians([10.0, 10, 10]))
    looks = at(orbit().epoch.seconds(START) + np.zeros(3), up, np.zeros(3))
    for west in (179.0 - 360, 179.0, 179.0 + 360):
        box = Polygon([(west, 0), (west + 2, 0), (west + 2, 20), (west, 20)])
        assert hold(Inside(geometry=box), looks).tolist() == [True, True, False]


def test_a_relative_orbit_counts_round_its_cycle() -> None:
    t_s = orbit().node_s[:2] + 60.0
    numbers = orbit().node_orbit[:2]
    looks = at(t_s, unit(orbit().position_itrf(t_s)), np.zeros(2))
    relative = [int((number - 1) % 15) + 1 for number in numbers]
    assert hold(RelativeOrbit(numbers=(relative[0],), cycle=15), looks).tolist() == [True, False]
    shifted = RelativeOrbit(numbers=(int((numbers[1] + 4 - 1) % 15) + 1,), cycle=15, shift=4)
    assert hold(shifted, looks).tolist() == [False, True]
    assert hold(PassDirection(ascending=True), looks).all()


# Trees -------------------------------------------------------------------------------------------


def trees() -> st.SearchStrategy[Constraint]:
    angle = st.floats(0, math.pi / 2)
    single = st.one_of(
        st.tuples(st.sampled_from(["incidence_rad", "off_nadir_rad", "glint_rad"]), angle, angle)
        .map(lambda q: Within(quantity=q[0], low=min(q[1:]), high=max(q[1:]))),
        st.tuples(st.floats(0, 6.28), st.floats(0, 6.28))
        .map(lambda q: Within(quantity="azimuth_rad", low=q[0], high=q[1])),
        st.just(Sunlit()),
        st.booleans().map(lambda up: PassDirection(ascending=up)),
    )  # fmt: skip
    return st.recursive(
        single,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] & pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
            inner.map(lambda part: ~part),
        ),
        max_leaves=6,
    )


@settings(max_examples=30)
@given(a=trees(), b=trees(), seed=st.integers(0, 1000))
def test_and_or_not_behave_as_sets(a: Constraint, b: Constraint, seed: int) -> None:
    looks = seen(seed)
    in_a, in_b = hold(a, looks), hold(b, looks)
    assert np.array_equal(hold(a & b, looks), in_a & in_b)
    assert np.array_equal(hold(a | b, looks), in_a | in_b)
    assert np.array_equal(hold(~a, looks), ~in_a)
    assert np.array_equal(hold(~(a | b), looks), hold(~a & ~b, looks))


@settings(max_examples=30)
@given(low=st.floats(0, 2 * math.pi), high=st.floats(0, 2 * math.pi), seed=st.integers(0, 1000))
def test_an_arc_and_the_rest_of_its_circle_share_out_all_angles(
    low: float, high: float, seed: int
) -> None:
    looks = seen(seed)
    angle = value("azimuth_rad", looks)
    arc = Within(quantity="azimuth_rad", low=low, high=high)
    inside = (low <= angle) & (angle <= high) if low <= high else (low <= angle) | (angle <= high)
    inside |= abs(high - low) == 2 * math.pi  # bounds a turn apart hold everywhere
    assert np.array_equal(hold(arc, looks), inside)
    if 1e-9 < abs(high - low) < 6.28:
        rest = Within(quantity="azimuth_rad", low=high, high=low)
        assert np.array_equal(hold(rest, looks), ~inside)


def test_bounds_a_turn_apart_hold_everywhere() -> None:
    looks = seen(1)
    for low, high in ((0.0, RAD(360)), (RAD(360), 0.0)):
        assert hold(Within(quantity="azimuth_rad", low=low, high=high), looks).all()


@settings(max_examples=30)
@given(tree=trees(), pointing=st.floats(0, 0.01), seed=st.integers(0, 1000))
def test_what_holds_with_room_to_spare_holds(tree: Constraint, pointing: float, seed: int) -> None:
    looks = seen(seed)
    later = replace(looks, t_s=looks.t_s + 0.1)
    least, most = room(tree, [looks, later], pointing)
    plain, _ = room(tree, [looks])
    assert np.all(least <= plain)
    assert np.all(plain <= most)
    opposite = room(~tree, [looks, later], pointing)
    assert np.array_equal(opposite[0], -most)


def test_the_condition_that_fails_is_named_with_what_was_found() -> None:
    looks = seen(5, 1)
    [degrees] = np.degrees(value("incidence_rad", looks))
    low = Within(quantity="incidence_rad", high=RAD(degrees - 3))
    words = f"incidence is {degrees:.6g} deg, expected incidence at most {degrees - 3:.6g} deg"
    assert fault(low, [looks], 0) == words
    north = PassDirection(ascending=bool(looks.v_itrf[0, 2] > 0))
    assert fault(north & low, [looks], 0) == words
    assert fault(~north | low, [looks], 0).startswith(words + " in '")
    said = "ascending" if north.ascending else "descending"
    assert fault(~north, [looks], 0) == f"{said} is true, expected not {said} in 'not {said}'"
    pointed = fault(Within(quantity="off_nadir_rad", high=0.0), [looks], 0, 0.001)
    assert "deg before 3 sigma of orbit and pointing, expected off nadir at most 0 deg" in pointed


# Plans -------------------------------------------------------------------------------------------


def judged(constraints: Constraint | None = None, *, name: str = "town", **mission: Any) -> str:
    """The verdict on the valid plan, its request bound by conditions, its mission changed."""
    asked = [replace(r, constraints=constraints) if r.name == name else r for r in requests()]
    case, faults = read_case(replace(MISSION, **mission), asked, valid_plan())
    assert case is not None
    return verdict([*faults, *check_windows(case), *check_coverage(case)])


def town() -> Looks:
    """The town in the middle of its image, as the plan states it."""
    entry = next(a for a in valid_plan()["acquisitions"] if a["request"] == "town")
    t = orbit().epoch.seconds(datetime.fromisoformat(entry["start"]))
    end = orbit().epoch.seconds(datetime.fromisoformat(entry["end"]))
    request = next(r for r in requests() if r.name == "town")
    lon, lat = np.radians([request.geometry.x, request.geometry.y])
    return at(np.array([(t + end) / 2]), ellipsoid_normal(lon, lat)[None], np.array([500.0]))


ANGLES = ("off_nadir_rad", "roll_rad", "pitch_rad", "incidence_rad", "sun_elevation_rad",
          "glint_rad", "sun_angle_rad", "moon_angle_rad", "limb_angle_rad")  # fmt: skip


@pytest.mark.parametrize("quantity", ANGLES)
def test_a_plan_is_held_to_an_angle(quantity: str) -> None:
    """A scene is 3 s long: none of its angles changes by 3 deg meanwhile, but pitch."""
    [found] = value(quantity, town())
    wide = Within(quantity=quantity, low=found - RAD(4), high=found + RAD(4))
    assert judged(wide) == "valid"
    wrong = judged(Within(quantity=quantity, low=found + RAD(4)))
    assert is_one_window(wrong)
    assert is_one_window(judged(~wide))


def is_one_window(words: str) -> bool:
    """Whether one violation says that a look breaks its conditions."""
    return words.count("\n") == 0 and "[window]" in words and "expected" in words


def test_a_limit_that_only_the_first_line_breaks_is_noticed() -> None:
    """Each line is looked at: pitch goes from looking ahead to looking back."""
    [middle] = value("pitch_rad", town())
    assert is_one_window(judged(Within(quantity="pitch_rad", high=middle + RAD(0.05))))


def test_pointing_takes_three_sigma_from_angles_of_the_attitude() -> None:
    """Three sigma are 0.06 deg. Over the scene the roll changes by less than 0.01 deg."""
    [roll] = value("roll_rad", town())
    assert judged(Within(quantity="roll_rad", low=roll - RAD(0.2), high=roll + RAD(0.2))) == "valid"
    near = judged(Within(quantity="roll_rad", low=roll - RAD(0.04), high=roll + RAD(0.2)))
    assert "before 3 sigma of orbit and pointing" in near


def test_one_part_of_an_or_is_enough() -> None:
    [incidence] = value("incidence_rad", town())
    broken = Within(quantity="incidence_rad", low=incidence + RAD(5))
    kept = Within(quantity="incidence_rad", high=incidence + RAD(5))
    assert judged(broken | kept) == "valid"
    assert judged(broken | kept & ~broken) == "valid"
    assert is_one_window(judged(broken | ~kept))


def test_a_satellite_holds_its_own_conditions_at_every_request() -> None:
    north = Sunlit() & ~Sunlit()
    satellites = tuple(replace(s, constraints=north) for s in MISSION.satellites)
    words = judged(satellites=satellites).splitlines()
    assert len(words) == 3
    assert all("[window]" in line and "sunlit" in line for line in words)


def test_clouds_of_the_mission_hold_requests_to_their_max_cloud() -> None:
    model = clouds([[0.3, 0.3]])
    cloudy = [replace(r, max_cloud=0.4 if r.name == "town" else 0.2) for r in requests()]
    words = verdict(check_plan(replace(MISSION, clouds=model), cloudy, valid_plan()))
    assert words.count("cloud probability is 0.3, expected cloud probability at most 0.2") == 2
    assert verdict(check_plan(MISSION, cloudy, valid_plan())) == "valid"


def test_nothing_is_imaged_in_an_excluded_area() -> None:
    request = next(r for r in requests() if r.name == "town")
    x, y = request.geometry.x, request.geometry.y
    around = request.geometry.buffer(0.01)
    assert is_one_window(judged(exclusions=(around,)))
    beside = Polygon([(x + 0.01, y), (x + 0.02, y), (x + 0.02, y + 0.01)])
    assert judged(exclusions=(beside,)) == "valid"


def test_what_is_excluded_of_an_area_need_not_be_covered() -> None:
    """Half of the coast: its strips then cover more than is wanted, and their shares change."""
    coast = next(r for r in requests() if r.name == "coast")
    west, south, east, north = coast.geometry.bounds
    half = Polygon([(west - 1, south - 1), (west - 1, north + 1), ((west + east) / 2, north + 1),
                    ((west + east) / 2, south - 1)])  # fmt: skip
    words = judged(exclusions=(half,))
    assert "[coverage]" in words
    assert "share of strip" in words
    turned = Polygon([(x + 360, y) for x, y in half.exterior.coords])
    assert judged(exclusions=(turned,)) == words
    whole = judged(exclusions=(coast.geometry.buffer(1.0),))
    assert "has strips in excluded areas, expected none" in whole


@settings(max_examples=5)
@given(tree=trees())
def test_any_tree_gives_a_verdict(tree: Constraint) -> None:
    assert isinstance(judged(tree, name="coast"), str)
