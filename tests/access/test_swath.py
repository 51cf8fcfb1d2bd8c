"""The usable swath against rays met with the ellipsoid, and against errors put on them."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from humay.access.swath import largest_skew, orbit_aside_m, usable_swath_m
from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.earth import WGS84_A_M, WGS84_B_M, ellipsoid_normal, itrf_from_normal

UP = ellipsoid_normal(np.radians(48.0), np.radians(40.0))
EAST = unit(np.array([-UP[1], UP[0], 0.0]))
NORTH = np.cross(UP, EAST)


def horizontal(azimuth_deg: float) -> FloatArray:
    a = math.radians(azimuth_deg)
    return np.asarray(math.cos(a) * NORTH + math.sin(a) * EAST)


def looking(incidence_deg: float, azimuth_deg: float, altitude_m: float, ground_m: float) -> tuple[
    FloatArray, FloatArray
]:  # fmt: skip
    """A place at `ground_m` and a satellite `altitude_m` above the sphere through it."""
    place = itrf_from_normal(UP, np.array(ground_m))
    i = math.radians(incidence_deg)
    back = math.cos(i) * UP - math.sin(i) * horizontal(azimuth_deg)
    b = float(place @ back)
    reach = -b + math.sqrt(b * b + (norm(place) + altitude_m) ** 2 - float(place @ place))
    return place, place + reach * back


def met(origin: FloatArray, ray: FloatArray, ground_m: float) -> FloatArray:
    """Where a ray comes down to the ellipsoid whose axes are longer by `ground_m`."""
    axes = np.array([WGS84_A_M, WGS84_A_M, WGS84_B_M]) + ground_m
    o, d = origin / axes, ray / axes
    a, b, c = d @ d, o @ d, o @ o - 1
    return np.asarray(origin + (-b - math.sqrt(b * b - a * c)) / a * ray)


def way(azimuth_deg: float, ground_m: float) -> FloatArray:
    """Direction over the ground of the line whose normals leave UP at an azimuth: the two radii of
    curvature turn it by up to 0.1 deg."""
    ahead = horizontal(azimuth_deg)
    ends = np.array([unit(UP + side * 1e-6 * ahead) for side in (-1.0, 1.0)])
    return unit(np.diff(itrf_from_normal(ends, np.full(2, ground_m)), axis=0)[0])


def beside_m(hit: FloatArray, azimuth_deg: float, ground_m: float) -> float:
    """Distance of a place from the great circle of normals that leaves UP at an azimuth."""
    axes = np.array([WGS84_A_M, WGS84_A_M, WGS84_B_M]) + ground_m
    normal = unit(hit / axes**2)
    pole = np.cross(UP, horizontal(azimuth_deg))
    foot = unit(normal - (normal @ pole) * pole)
    height = np.array(ground_m)
    return float(norm(itrf_from_normal(normal, height) - itrf_from_normal(foot, height)))


def edges(
    satellite: FloatArray, place: FloatArray, along: FloatArray, half_rad: float
) -> list[FloatArray]:
    """The rays at both ends of a line of detectors at right angles to the image's motion."""
    z = unit(place - satellite)
    x = unit(along - (along @ z) * z)
    y = np.cross(z, x)
    return [math.cos(half_rad) * z + side * math.sin(half_rad) * y for side in (-1.0, 1.0)]


LOOKS = {
    "incidence_deg": st.floats(0, 55),
    "azimuth_deg": st.floats(0, 360),
    "strip_deg": st.floats(0, 360),
    "altitude_m": st.floats(300e3, 900e3),
    "half_deg": st.floats(0.2, 3.0),
    "ground_m": st.floats(-400, 5000),
    "relief_m": st.floats(0, 2000),
}


@given(**LOOKS)
@settings(max_examples=100, deadline=None)
def test_a_look_sees_what_its_usable_swath_says_on_any_ground_within_the_relief(
    incidence_deg: float, azimuth_deg: float, strip_deg: float, altitude_m: float,
    half_deg: float, ground_m: float, relief_m: float,
) -> None:  # fmt: skip
    """Never more than the nearer end of the line of detectors reaches over ground that is higher or
    lower by the relief, and less than 0.4 % of the swath below that."""
    place, satellite = looking(incidence_deg, azimuth_deg, altitude_m, ground_m)
    along, half_rad = way(strip_deg, ground_m), math.radians(half_deg)
    said_m = float(usable_swath_m(satellite, place, UP, along, half_field_rad=half_rad,
                                  relief_m=relief_m, aside_m=0.0))  # fmt: skip
    rays = edges(satellite, place, along, half_rad)
    sight = unit(place - satellite)
    side = np.cross(UP, along)
    reach_m = []
    for ray in rays:
        outward = np.sign(side @ (ray - sight))
        for height_m in (ground_m - relief_m, ground_m, ground_m + relief_m):
            hit = met(satellite, ray, height_m)
            reach_m.append(
                np.sign(side @ (hit - place)) * outward * beside_m(hit, strip_deg, height_m)
            )
    assume(min(reach_m) > 100)
    truth_m = 2 * min(reach_m)
    assert said_m <= truth_m * (1 + 1e-5) + 1.0
    assert said_m >= truth_m - 0.004 * 2 * altitude_m * math.tan(half_rad) - 0.03 * relief_m


@given(**{key: LOOKS[key] for key in ("incidence_deg", "azimuth_deg", "strip_deg", "altitude_m")},
       course_deg=st.floats(0, 360), climb_deg=st.floats(-8, 8))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_an_orbit_error_moves_the_line_of_sight_aside_as_it_says(
    incidence_deg: float, azimuth_deg: float, strip_deg: float, altitude_m: float,
    course_deg: float, climb_deg: float,
) -> None:  # fmt: skip
    """The satellite is moved 1 km along its way, its line of sight in parallel: 1 % of where that
    comes down, which bends with the Earth by 0.1 m."""
    place, satellite = looking(incidence_deg, azimuth_deg, altitude_m, 0.0)
    along = way(strip_deg, 0.0)
    climb = math.radians(climb_deg)
    velocity = 7500 * (math.cos(climb) * horizontal(course_deg) + math.sin(climb) * UP)
    sight = unit(place - satellite)
    hit = met(satellite + 1e3 * unit(velocity), sight, 0.0)
    said_m = float(orbit_aside_m(1e3, velocity, sight, UP, along))
    assert abs(said_m - beside_m(hit, strip_deg, 0.0)) < 0.01 * said_m + 1.0


def test_the_swath_straight_down_is_that_of_the_textbook() -> None:
    """2 h tan(half field); 5 km of errors aside take 10 km of it."""
    place, satellite = looking(0.0, 0.0, 694e3, 0.0)
    half_rad = math.radians(2.4)
    seen = [
        float(usable_swath_m(satellite, place, UP, horizontal(190.0), half_field_rad=half_rad,
                             relief_m=0.0, aside_m=aside_m))
        for aside_m in (0.0, 5e3)
    ]  # fmt: skip
    assert abs(seen[0] / (2 * 694e3 * math.tan(half_rad)) - 1) < 1e-3
    assert abs(seen[0] - seen[1] - 10e3) < 1e-6


def test_lines_are_drawn_askew_by_no_more_than_the_largest_skew() -> None:
    """Over all azimuths at one incidence, on the plane that touches at the place; the bound is
    reached within 1 %."""
    for incidence_deg in (10.0, 30.0, 50.0):
        worst = 0.0
        for azimuth_deg in np.arange(0, 360, 0.5):
            place, satellite = looking(incidence_deg, azimuth_deg, 600e3, 0.0)
            along = horizontal(0.0)
            _, ray = edges(satellite, place, along, 1e-4)
            hit = satellite + ray * (((place - satellite) @ UP) / (ray @ UP)) - place
            worst = max(worst, abs(float((hit @ along) / (hit @ np.cross(UP, along)))))
        bound = float(largest_skew(np.tan(np.radians(incidence_deg))))
        assert 0.99 * bound < worst < 1.001 * bound


def test_the_usable_swath_of_many_looks_is_that_of_each() -> None:
    rng = np.random.default_rng(3)
    looks = [looking(i, a, 600e3, 0.0) for i, a in rng.uniform((0, 0), (50, 360), (20, 2))]
    place, satellite = (np.array(part) for part in zip(*looks, strict=True))
    along = np.array([horizontal(a) for a in rng.uniform(0, 360, 20)])
    up = np.broadcast_to(UP, place.shape)
    options = {"half_field_rad": 0.02, "relief_m": 300.0, "aside_m": 100.0}
    many = usable_swath_m(satellite, place, up, along, **options)
    for i in range(20):
        one = usable_swath_m(satellite[i], place[i], up[i], along[i], **options)
        assert float(one) == float(many[i])
    assert np.all(many < 2 * norm(satellite - place))
    assert dot(cross(up, along), up).max() < 1e-12
