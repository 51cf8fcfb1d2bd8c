"""Corridors: as wide as asked on the ellipsoid, wherever the line runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import LineString, Point

from humay.errors import RequestError
from humay.mission import CoarseRelief, Request, requests_from_geojson

ELLIPSOID = Geod(ellps="WGS84")


def corridor(positions: list[list[float]], width_km: Any, kind: str = "LineString") -> Request:
    feature = {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": positions},
        "properties": {"name": "road", "corridor_width_km": width_km},
    }
    [request] = requests_from_geojson(feature, where="road.geojson", heights=CoarseRelief())
    return request


@given(
    lon=st.floats(-179, 178), lat=st.floats(-80, 79), east=st.floats(0.2, 1), north=st.floats(0, 1),
    width_km=st.floats(1, 60),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_the_area_of_a_straight_corridor_is_length_times_width(
    lon: float, lat: float, east: float, north: float, width_km: float
) -> None:
    """The line is no geodesic, so the two sides differ in length: by less than a few thousandths
    together at these widths."""
    line = LineString([(lon, lat), (lon + east, lat + north)])
    request = corridor([list(p) for p in line.coords], width_km)
    assert request.kind == "area"
    fine = line.segmentize(0.01)
    length_m = ELLIPSOID.line_length(*np.asarray(fine.coords).T)
    area_m2, _ = ELLIPSOID.geometry_area_perimeter(request.geometry)
    assert abs(area_m2) == pytest.approx(length_m * width_km * 1e3, rel=5e-3)


def test_the_sides_lie_half_a_width_from_the_line_and_corners_are_round() -> None:
    line = [[49.0, 40.0], [50.0, 40.2], [49.8, 41.0]]
    request = corridor(line, 20.0)
    nodes = np.asarray(LineString(line).segmentize(0.002).coords)
    outline = np.asarray(request.geometry.exterior.coords)
    for lon, lat in outline:
        many = np.full(len(nodes), lon), np.full(len(nodes), lat)
        nearest_m = np.min(ELLIPSOID.inv(*many, *nodes.T)[2])
        assert nearest_m <= 10_010.0
        assert nearest_m == pytest.approx(10_000.0, abs=40.0) or lat < 40.2 - 0.05
    assert request.geometry.contains(Point(50.08, 40.16))  # outside of the corner, 7.6 km off
    assert not request.geometry.contains(Point(48.98, 40.0))  # blunt at its beginning


def test_a_corridor_over_the_antimeridian_runs_on_past_180() -> None:
    request = corridor([[179.8, -16.0], [-179.8, -16.5]], 30.0)
    west, _, east, _ = request.geometry.bounds
    assert east - west < 1.0
    assert shapely.is_valid(request.geometry)


@pytest.mark.parametrize(
    ("positions", "width", "kind", "message"),
    [
        ([[49, 40], [50, 41]], 0, "LineString", "corridor_width_km is 0"),
        ([[49, 40], [50, 41]], -5, "LineString", "corridor_width_km is -5"),
        ([[49, 40], [50, 41]], float("nan"), "LineString", "corridor_width_km is nan"),
        ([[49, 40], [50, 41]], 501, "LineString", "corridor_width_km is 501"),
        ([[49, 40], [50, 41]], "wide", "LineString", "corridor_width_km is 'wide'"),
        ([49, 40], 5, "Point", "of .point. geometry"),
        ([[[49, 40], [50, 40], [50, 41], [49, 40]]], 5, "Polygon", "of .area. geometry"),
        ([[49, 88.9], [50, 88.9]], 50, "LineString", "beyond latitude 89"),
    ],
)
def test_no_corridor_is_made_of_what_is_none(
    positions: Any, width: Any, kind: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        corridor(positions, width, kind)
