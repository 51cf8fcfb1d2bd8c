"""Strips and requests on the ellipsoid: widths in metres, poles, antimeridian, holes, lines."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from humay.arrays import norm, unit
from humay.check.aim import CentreLine
from humay.check.case import read_case
from humay.check.coverage import check_coverage, footprint
from humay.earth import ellipsoid_normal, itrf_from_normal
from humay.mission import Request
from tests.check.valid_plan import MISSION, Json, lonlat_deg, requests, strip_through, valid_plan


@given(
    lon=st.floats(-180, 180), lat=st.floats(-88, 88), azimuth=st.floats(0, 360),
    width_m=st.floats(1e3, 1e5), height_m=st.floats(0, 5e3),
)  # fmt: skip
def test_a_footprint_is_as_wide_as_said(
    lon: float, lat: float, azimuth: float, width_m: float, height_m: float
) -> None:
    n = ellipsoid_normal(np.radians(lon), np.radians(lat))
    east = unit(np.cross([0.0, 0.0, 1.0], n))
    along = (
        math.cos(math.radians(azimuth)) * np.cross(n, east) + math.sin(math.radians(azimuth)) * east
    )
    half = 1e-3
    ends = np.array([math.cos(half) * n + sign * math.sin(half) * along for sign in (-1, 1)])
    line = CentreLine(ends=ends, heights_m=np.array([height_m, height_m]))
    left, right = footprint(line, width_m)
    middle = len(left) // 2
    sides = [itrf_from_normal(side[middle], np.array(height_m)) for side in (left, right)]
    # The chord of an arc of 100 km is 1 m shorter; a parallel curve bends a little besides.
    assert float(norm(sides[0] - sides[1])) == pytest.approx(width_m, rel=1e-4)


# ---------------------------------------------------------------- requests of all kinds


def strips_side_by_side(
    lon: float, lat: float, offsets_m: list[float], length_m: float, width_m: float
) -> list[Any]:
    """Strips along the meridian of a place (at a pole, along that of Greenwich), side by side."""
    n = ellipsoid_normal(np.radians(lon), np.radians(lat))
    east = np.array([-math.sin(math.radians(lon)), math.cos(math.radians(lon)), 0.0])
    north = np.cross(n, east)
    return [
        strip_through(unit(n + o / 6.371e6 * east), north, length_m, 0.0, width_m)
        for o in offsets_m
    ]


def asked(geometry: BaseGeometry, strips: list[Any], shares: list[float]) -> set[str]:
    """Codes of the valid plan with one more request, cut into strips and left out."""
    kind: Literal["line", "area"] = "line" if isinstance(geometry, LineString) else "area"
    request = Request(
        name="more", geometry=geometry, kind=kind, height_m=0.0, height_source="height_m"
    )
    entry: Json = {
        "name": "more", "kind": kind, "priority": 5, "weight": 1.0, "purpose": "", "height_m": 0.0,
        "height_source": "height_m", "geometry": geometry.__geo_interface__, "opportunities": 0,
        "outcome": "left out", "fraction": 0.0,
        "strips": [
            {"id": str(i), "share": share, "width_m": strip.width_m,
             "centre_line": strip.centre_line(), "acquisition": None}
            for i, (strip, share) in enumerate(zip(strips, shares, strict=True))
        ],
        "reason": {"code": "no_opportunity", "text": "out of reach", "competitors": []},
    }  # fmt: skip
    plan = valid_plan()
    plan["requests"].append(entry)
    case, faults = read_case(MISSION, (*requests(), request), plan)
    assert case is not None
    assert not faults
    return {v.code for v in check_coverage(case)}


def box(west: float, south: float, east: float, north: float) -> Polygon:
    return Polygon([(west, south), (east, south), (east, north), (west, north)])


THIRDS = [1 / 3, 1 / 3, 1 / 3]
OFFSETS = [-11e3, 0.0, 11e3]
PLAIN = box(19.85, -0.1, 20.15, 0.1)  # 33 km wide at the equator
DATE_LINE = box(179.85, -0.1, 180.15, 0.1)
AROUND_POLE = Polygon([(-180, 89.9), (180, 89.9), (180, 90), (-180, 90)])  # 11 km of radius
RING = Polygon([(-180, 89.85), (180, 89.85), (180, 89.9), (-180, 89.9)])
HOLED = Polygon(PLAIN.exterior, [box(19.96, -0.09, 20.04, 0.09).exterior])
ISLANDS = MultiPolygon([box(19.85, -0.1, 19.94, 0.1), box(20.06, -0.1, 20.15, 0.1)])
CASES = [
    pytest.param(PLAIN, 20.0, 0.0, [0, 1, 2], THIRDS, id="plain"),
    pytest.param(DATE_LINE, 180.0, 0.0, [0, 1, 2], THIRDS, id="antimeridian"),
    pytest.param(DATE_LINE, -180.0, 0.0, [0, 1, 2], THIRDS, id="antimeridian from the east"),
    pytest.param(AROUND_POLE, 0.0, 90.0, [0, 1, 2], [0.22, 0.56, 0.22], id="pole"),
    pytest.param(RING, 0.0, 90.0, [0, 1, 2], [0.39, 0.22, 0.39], id="ring round the pole"),
    pytest.param(HOLED, 20.0, 0.0, [0, 1, 2], [0.43, 0.14, 0.43], id="hole"),
    pytest.param(ISLANDS, 20.0, 0.0, [0, 2], [0.5, 0.5], id="two parts"),
]


@pytest.mark.parametrize(("area", "lon", "lat", "which", "shares"), CASES)
def test_strips_side_by_side_cover_an_area(
    area: BaseGeometry, lon: float, lat: float, which: list[int], shares: list[float]
) -> None:
    offsets = [OFFSETS[i] for i in which]
    assert asked(area, strips_side_by_side(lon, lat, offsets, 36e3, 12e3), shares) == set()


@pytest.mark.parametrize(("area", "lon", "lat", "which", "shares"), CASES)
def test_strips_with_gaps_between_them_do_not_cover_it(
    area: BaseGeometry, lon: float, lat: float, which: list[int], shares: list[float]
) -> None:
    offsets = [OFFSETS[i] for i in which]
    for length_m, width_m in ((36e3, 10.5e3 if len(which) == 3 else 8e3), (20e3, 12e3)):
        strips = strips_side_by_side(lon, lat, offsets, length_m, width_m)
        assert asked(area, strips, shares) == {"coverage"}


@pytest.mark.parametrize(("area", "lon", "lat", "which", "shares"), CASES)
def test_shares_that_no_partition_gives_are_found(
    area: BaseGeometry, lon: float, lat: float, which: list[int], shares: list[float]
) -> None:
    strips = strips_side_by_side(lon, lat, [OFFSETS[i] for i in which], 36e3, 12e3)
    unfair = [shares[0] + 0.15, *shares[1:-1], shares[-1] - 0.15]
    assert asked(area, strips, unfair) == {"coverage"}


def test_a_line_is_covered_along_its_length() -> None:
    line = LineString([(19.85, 0.0), (20.15, 0.0)])
    strips = strips_side_by_side(20.0, 0.0, OFFSETS, 10e3, 12e3)
    assert asked(line, strips, THIRDS) == set()
    assert asked(line, strips[:2], [0.5, 0.5]) == {"coverage"}


def test_a_request_out_of_reach_may_have_no_strips() -> None:
    assert asked(box(0.0, 85.0, 10.0, 88.0), [], []) == set()


def test_a_strip_without_length_is_found() -> None:
    (strip,) = strips_side_by_side(20.0, 0.0, [0.0], 1e-6, 12e3)
    assert lonlat_deg(strip.a) == pytest.approx(lonlat_deg(strip.b), abs=1e-9)
    assert asked(PLAIN, [strip], [1.0]) == {"coverage"}
