"""Strips cover what they say, point where the ground is, and stay within every limit."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from humay.access import (
    GroundLine,
    body_from_gcrf,
    explain_absences,
    find_opportunities,
    find_pointing,
)
from humay.access.planes import with_points
from humay.access.strips import cut_into_strips
from humay.arrays import FloatArray, dot, norm, unit
from humay.earth import ellipsoid_normal, geodetic_from_itrf, itrf_from_geodetic, up_at
from humay.frames import itrf_from_gcrf, matrix_from_quaternion
from humay.mission import CoarseRelief, Mission
from humay.orbit import ephemerides
from humay.schedule.attitude import sweep_states
from tests.access.conftest import START, Ask, point, polygon
from tests.access.grids import covered, grid_in

LONG = [[47.0, 35.0], [47.6, 35.0], [49.5, 42.0], [48.9, 42.0], [47.0, 35.0]]


@given(
    lon=st.floats(-160, 340),
    lat=st.floats(-75, 75),
    heading_deg=st.floats(0, 360),
    size_deg=st.floats(0.3, 4.0),
    corners=st.integers(3, 9),
    swath_km=st.floats(12, 80),
    reach=st.lists(st.floats(0.2, 1.0), min_size=9, max_size=9),
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_polygon_is_covered_in_any_direction(
    ask: Ask,
    lon: float,
    lat: float,
    heading_deg: float,
    size_deg: float,
    corners: int,
    swath_km: float,
    reach: list[float],
) -> None:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    squeeze = 1 / math.cos(math.radians(lat))
    ring = [
        [lon + 0.5 * size_deg * r * squeeze * math.cos(a), lat + 0.5 * size_deg * r * math.sin(a)]
        for a, r in zip(angles, reach, strict=False)
    ]
    (request,) = ask([polygon("a", [*ring, ring[0]], height_m=0.0)])
    up = ellipsoid_normal(np.radians(lon), np.radians(lat))
    east = unit(np.array([-up[1], up[0], 0.0]))
    heading = (
        math.cos(math.radians(heading_deg)) * np.cross(up, east)
        + math.sin(math.radians(heading_deg)) * east
    )
    strips = cut_into_strips(
        request, heading=heading, swath_m=swath_km * 1e3, extension_m=2e3, tan_incidence=0.67,
        heights=CoarseRelief(),
    )  # fmt: skip
    on, _ = covered(strips, grid_in(request.geometry, 1e3 + 4e3 * size_deg))
    assert on.all()
    assert abs(sum(strip.share for strip in strips) - 1) < 1e-9


SHORES = [  # valid; two places on the southern shore lie on the northern one but for a rounding
    [10.160069190977813, 45.67036260454954], [11.818267990235753, 45.60872981228983], [12.2, 45.0],
    [11.581179525946636, 45.617542039191235], [11.1946889125294, 45.631907322592554],
    [9.8, 45.0], [10.160069190977813, 45.67036260454954],
]  # fmt: skip


def test_an_area_whose_shores_nearly_touch_is_covered_on_both_sides(ask: Ask) -> None:
    """GEOS keeps a sixth of it when it puts points along its edges."""
    given = shapely.Polygon(SHORES)
    assert given.is_valid
    assert shapely.segmentize(given, 0.1).area < 0.2 * given.area
    [dense] = with_points(np.array([given]), 0.1)
    assert math.isclose(dense.area, given.area, rel_tol=1e-9)
    (request,) = ask([polygon("a", SHORES, height_m=0.0)])
    strips = cut_into_strips(
        request, heading=np.array([0.0, 0.0, 1.0]), swath_m=15e3, extension_m=2e3,
        tan_incidence=0.67, heights=CoarseRelief(),
    )  # fmt: skip
    on, _ = covered(strips, grid_in(request.geometry, 3e3))
    assert on.all()
    assert math.isclose(sum(strip.share for strip in strips), 1.0)


@pytest.mark.parametrize("holes", [0, 2])
def test_points_along_edges_leave_parts_and_holes_as_they_are(holes: int) -> None:
    """Ring by ring as GEOS does it in one: 3 squares of 1 deg2, holes of 0.01 deg2."""
    hole = [shapely.box(0.2 + 0.3 * i, 0.2, 0.3 + 0.3 * i, 0.3).exterior for i in range(holes)]
    square = shapely.Polygon(shapely.box(0, 0, 1, 1).exterior, hole)
    parts = [square, shapely.box(2, 0, 3, 1), shapely.box(4, 0, 5, 1)]
    near = shapely.Polygon(SHORES)
    shape = np.array([shapely.MultiPolygon([*parts, near]), shapely.MultiPolygon(parts)])
    area = shapely.area(with_points(shape, 0.1))
    assert np.allclose(area, [3 - 0.01 * holes + near.area, 3 - 0.01 * holes], rtol=1e-9)


def test_lines_reach_to_the_corners_of_a_large_area_without_any_lengthening(ask: Ask) -> None:
    """2,800 km from its middle, the corners of a band stand abreast of its line up to 3 km further
    on than the straight cut of the plane through both."""
    ring = [[20, -18], [56, -18], [56, 18], [20, 18], [20, -18]]
    (request,) = ask([polygon("a", ring, height_m=0.0)])
    east = np.array([-math.sin(math.radians(38)), math.cos(math.radians(38)), 0.0])
    strips = cut_into_strips(
        request, heading=east, swath_m=60e3, extension_m=0.0, tan_incidence=0.0,
        heights=CoarseRelief(),
    )  # fmt: skip
    lat = np.radians(np.linspace(-17.99, 17.99, 2000))
    for lon_deg in (20.0005, 55.9995):  # 50 m inside
        on, _ = covered(strips, ellipsoid_normal(np.radians(lon_deg), lat))
        assert on.all()


def test_a_polygon_round_the_pole_is_out_of_reach_and_told_so(spot: Mission, ask: Ask) -> None:
    """SPOT sees no further than 85.6 deg of latitude at 30 deg off-nadir."""
    ring = [[-180, 87], [-90, 87], [0, 87], [90, 87], [180, 87]]
    requests = ask(
        [polygon("pole", [*ring, [180, 90], [-180, 90], ring[0]], min_sun_elevation_deg=-90.0)]
    )
    end = START + timedelta(days=3)
    found = find_opportunities(spot, requests, start=START, end=end)
    assert len(found) == 0
    orbits = ephemerides(spot, START, end)
    code, text = explain_absences(spot, requests, start=START, end=end, orbits=orbits)["pole"]
    assert code == "no_opportunity"
    assert "85.6 deg" in text


def test_a_village_at_2300_m_lies_on_the_centre_line_of_its_strip(spot: Mission, ask: Ask) -> None:
    """Rays of the planned attitude are met with the surface at the village's height: 1,000 m of
    height would move it by 0.67 km at 30 deg off-nadir."""
    lon, lat, height = 48.1266, 41.1793, 2300.0
    requests = ask([point("village", lon, lat, height)])
    end = START + timedelta(days=6)
    found = find_opportunities(spot, requests, start=START, end=end)
    orbits = ephemerides(spot, START, end)
    village = itrf_from_geodetic(np.radians(lon), np.radians(lat), np.array(height))
    oblique = 0
    for row, samples in enumerate(find_pointing(found, spot, orbits)):
        if samples is None:
            continue
        ephemeris, scan_s = orbits[str(found.satellite[row])], float(found.scan_s[row])
        start_s = float(samples.start_s[0]) + 0.37
        t = start_s + scan_s * np.linspace(0, 1, 1001)
        q = body_from_gcrf(
            ephemeris,
            found.line[np.full(1001, row)],
            np.full(1001, start_s),
            np.full(1001, scan_s),
            t,
        )
        ray = np.einsum(
            "nji,nj->ni",
            matrix_from_quaternion(q) @ np.swapaxes(itrf_from_gcrf(ephemeris.epoch, t), -1, -2),
            np.broadcast_to([0.0, 0.0, 1.0], (1001, 3)),
        )
        assert np.min(distance_to_ray(ephemeris.position_itrf(t), ray, village)) < 5.0
        oblique += abs(np.degrees(samples.roll_rad[0, 2])) > 20
    assert oblique > 0


def distance_to_ray(origin: FloatArray, direction: FloatArray, place: FloatArray) -> FloatArray:
    """Distance of a place from rays, (n,)."""
    return norm(np.cross(place - origin, direction))


def test_every_line_of_a_strip_meets_its_limits_at_its_own_time(spot: Mission, ask: Ask) -> None:
    """At both ends of every start window, lines 100 apart: off-nadir up to the limit, no further;
    just outside, some line fails."""
    requests = ask([polygon("long", LONG)])
    end = START + timedelta(days=5)
    found = find_opportunities(spot, requests, start=START, end=end)
    orbits = ephemerides(spot, START, end)
    assert len(found) > 5
    for row in range(len(found)):
        ephemeris = orbits[str(found.satellite[row])]
        for at, inward in ((found.start_s[row], 0.01), (found.end_s[row], -0.01)):
            inside, outside = (
                worst_off_nadir_deg(ephemeris, found.line[row], at + step, float(found.scan_s[row]))
                for step in (inward, -5 * inward)
            )
            assert inside <= 30.0 + 1e-6
            assert outside > 30.0 - 2e-2  # the other limits (Sun, period) are far from binding here


def worst_off_nadir_deg(ephemeris, line: GroundLine, start_s: float, scan_s: float) -> float:  # type: ignore[no-untyped-def]
    share = np.linspace(0, 1, 101)
    many = GroundLine(
        normals=np.broadcast_to(line.normals, (101, 2, 3)),
        heights_m=np.broadcast_to(line.heights_m, (101, 2)),
    )
    r = ephemeris.position_itrf(start_s + share * scan_s)
    sight = unit(many.place(share) - r)
    return float(np.degrees(np.max(np.arccos(np.clip(dot(sight, -up_at(r)), -1, 1)))))


def test_samples_a_second_apart_are_enough_between_them(spot: Mission, ask: Ask) -> None:
    """Interpolated attitudes differ from computed ones by less than 0.001 deg."""
    requests = ask([point("t", 49.9, 40.4), polygon("long", LONG)])
    end = START + timedelta(days=2)
    found = find_opportunities(spot, requests, start=START, end=end)
    orbits = ephemerides(spot, START, end)
    worst = 0.0
    for row, samples in enumerate(find_pointing(found, spot, orbits)):
        if samples is None:
            continue
        between = 0.5 * (samples.start_s[1:] + samples.start_s[:-1])
        scan_s = float(found.scan_s[row])
        states = sweep_states(samples, between)
        for state, offset in ((states.settle, -3.0), (states.first, 0.0), (states.last, scan_s)):
            n = len(between)
            exact = body_from_gcrf(
                orbits[str(found.satellite[row])],
                found.line[np.full(n, row)],
                between,
                np.full(n, scan_s),
                between + offset,
            )
            cosine = np.abs(np.sum(exact * state.attitude, axis=-1))
            worst = max(worst, float(np.degrees(2 * np.arccos(np.clip(np.min(cosine), -1, 1)))))
    assert worst < 1e-3


def test_a_ground_line_runs_through_its_middle_at_even_speed() -> None:
    line = GroundLine.centred(
        ellipsoid_normal(np.radians(48.0), np.radians(41.0)),
        np.array([0.0, 0.3, 1.0]),
        np.array(120e3),
        np.array(850.0),
    )
    lon, lat, height = geodetic_from_itrf(line.place(np.array(0.5)))
    assert np.allclose(np.degrees([lon, lat]), [48.0, 41.0], atol=1e-10)
    assert abs(height - 850.0) < 1e-6
    assert abs(float(line.length_m) - 120e3) < 1e-3
    steps = norm(np.diff([line.place(np.array(f)) for f in np.linspace(0, 1, 11)], axis=0))
    assert np.ptp(steps) / np.mean(steps) < 1e-3
