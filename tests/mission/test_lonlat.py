"""Shapes on the globe: whatever way they are written, the area on the sphere is the right one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon

from humay.arrays import FloatArray
from humay.errors import RequestError
from humay.mission import lonlat
from humay.mission.kinds import Place

PLACE = Place(file="f", error=RequestError)
Ring: TypeAlias = Sequence[tuple[float, float]]


def area(*polygons: Sequence[Ring]) -> Polygon | MultiPolygon:
    return lonlat.area([[np.array(ring, float) for ring in rings] for rings in polygons], PLACE)


def box(west: float, south: float, east: float, north: float) -> Ring:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def sphere_share(shape: Polygon | MultiPolygon) -> float:
    """Share of the sphere inside a shape of edges straight in longitude and latitude.

    Green's theorem with the area element d(sin lat) dlon, each edge integrated in closed form: the
    mean of sin(lat) along it is (cos lat1 - cos lat2) / (lat2 - lat1).
    """

    def ring_integral(ring: FloatArray) -> float:
        lon, lat = np.radians(ring).T
        d_lon, d_lat = np.diff(lon), np.diff(lat)
        level = np.abs(d_lat) < 1e-12
        slope = np.where(level, 1.0, d_lat)
        mean = np.where(level, np.sin(lat[:-1]), (np.cos(lat[:-1]) - np.cos(lat[1:])) / slope)
        return abs(float(np.sum(d_lon * mean)))

    parts = shape.geoms if isinstance(shape, MultiPolygon) else [shape]
    total = sum(
        ring_integral(np.asarray(part.exterior.coords))
        - sum(ring_integral(np.asarray(hole.coords)) for hole in part.interiors)
        for part in parts
    )
    return float(total / (4 * math.pi))


def cap_share(lat_deg: float) -> float:
    """Share of the sphere beyond a latitude: (1 - sin lat) / 2."""
    return (1 - math.sin(math.radians(lat_deg))) / 2


def refusal(*polygons: Sequence[Ring]) -> str:
    with pytest.raises(RequestError) as caught:
        area(*polygons)
    return str(caught.value)


def area_or_refusal(*polygons: Sequence[Ring]) -> Polygon | MultiPolygon | str:
    try:
        return area(*polygons)
    except RequestError as error:
        return str(error)


DIAMOND = [(179.0, 10.0), (180.0, 9.0), (-179.0, 10.0), (180.0, 11.0), (179.0, 10.0)]
OVER_180 = {
    "past 180": [box(179, 10, 181, 12)],
    "with a jump": [box(179, 10, -179, 12)],
    "west of -180 by a jump": [box(-179, 10, 179, 12)],
    "with a stop on both sides of 180": [
        list(
            zip(
                [179, 180, -180, -179, -179, -180, 180, 179, 179],
                [10] * 4 + [12] * 4 + [10],
                strict=True,
            )
        )
    ],
}


@pytest.mark.parametrize("rings", OVER_180.values(), ids=OVER_180.keys())
def test_a_box_over_the_antimeridian_is_one_piece_however_it_is_written(rings: list[Ring]) -> None:
    shape = area(rings)
    assert isinstance(shape, Polygon)
    assert shape.bounds == (179.0, 10.0, 181.0, 12.0)
    assert shape.area == pytest.approx(4.0, rel=1e-12)


def test_the_two_halves_of_rfc_7946_are_joined_into_one_piece() -> None:
    shape = area([box(179, 10, 180, 12)], [box(-180, 10, -179, 12)])
    assert isinstance(shape, Polygon)
    assert shape.equals(area([box(179, 10, 181, 12)]))


def test_a_vertex_on_the_antimeridian_has_one_place_with_either_sign() -> None:
    """A diamond of half-diagonals 1: 2 square degrees, not the belt round the Earth."""
    for sign in (1, -1):
        ring = [(math.copysign(lon, sign) if abs(lon) == 180 else lon, lat) for lon, lat in DIAMOND]
        shape = area([ring])
        assert shape.bounds == (179.0, 9.0, 181.0, 11.0)
        assert shape.area == pytest.approx(2.0, rel=1e-12)


def test_islands_on_both_sides_of_the_antimeridian_stay_close_together() -> None:
    shape = area([box(178, 10, 179, 11)], [box(-179, 10, -178, 11)], [box(176, 10, 177, 11)])
    assert isinstance(shape, MultiPolygon)
    assert shape.bounds == (176.0, 10.0, 182.0, 11.0)


def test_parts_far_from_the_antimeridian_stay_as_they_are_written() -> None:
    shape = area([box(-9, 38, -8, 39)], [box(139, 35, 140, 36)])
    assert shape.bounds == (-9.0, 35.0, 140.0, 39.0)


def test_longitudes_of_0_to_360_are_brought_to_their_usual_place() -> None:
    assert area([box(270, 10, 280, 20)]).bounds == (-90.0, 10.0, -80.0, 20.0)


POLAR = {
    "box of 180": [box(-180, 60, 180, 90)],
    "box of 360": [box(0, 60, 360, 90)],
    "box with more corners": [
        list(
            zip(
                [-180, -90, 0, 180, 180, 180, 0, -180, -180],
                [60] * 4 + [75] + [90] * 3 + [60],
                strict=True,
            )
        )
    ],
    "ring eastward": [[(0, 60), (90, 60), (180, 60), (-90, 60), (0, 60)]],
    "ring westward": [[(0, 60), (-90, 60), (180, 60), (90, 60), (0, 60)]],
    "ring from -180 to 180": [[(-180, 60), (-60, 60), (60, 60), (180, 60), (-180, 60)]],
}


@pytest.mark.parametrize("south", [False, True], ids=["north", "south"])
@pytest.mark.parametrize("rings", POLAR.values(), ids=POLAR.keys())
def test_a_polar_cap_has_its_area_however_it_is_written(rings: list[Ring], south: bool) -> None:
    if south:
        rings = [[(lon, -lat) for lon, lat in ring] for ring in rings]
    shape = area(rings)
    assert shape.is_valid
    assert shape.bounds[2] - shape.bounds[0] == 360.0
    assert sphere_share(shape) == pytest.approx(cap_share(60), rel=1e-12)


def test_a_cap_cut_into_two_halves_is_joined() -> None:
    shape = area([box(-180, 60, 0, 90)], [box(0, 60, 180, 90)])
    assert isinstance(shape, Polygon)
    assert shape.bounds == (-180.0, 60.0, 180.0, 90.0)  # as it was written
    assert sphere_share(shape) == pytest.approx(cap_share(60), rel=1e-12)


def test_a_continent_closed_along_the_pole_as_in_natural_earth_has_its_area() -> None:
    """Coast at 70 and 75 S, edges along 180 and along the pole."""
    ring = [(-180, -90), (180, -90), (180, -70), (90, -75), (0, -70), (-90, -75), (-180, -70)]
    coast = [(lon, -lat) for lon, lat in [*ring, ring[0]]]
    for signed in (coast, [(lon, -lat) for lon, lat in coast]):
        shape = area([signed])
        share = sphere_share(shape)
        assert cap_share(75) < share < cap_share(70)
        expected = sphere_share(
            Polygon([(-180, 90), *[(x, -y) for x, y in ring[2:][::-1]], (180, 90)])
        )
        assert share == pytest.approx(expected, rel=1e-12)


def test_a_belt_round_the_earth_has_its_area() -> None:
    share = sphere_share(area([box(-180, -10, 180, 10)]))
    assert share == pytest.approx(math.sin(math.radians(10)), rel=1e-12)


@given(
    lat_deg=st.floats(5, 85),
    start_deg=st.floats(-180, 180),
    corners=st.integers(3, 12),
    westward=st.booleans(),
    south=st.booleans(),
)
def test_any_ring_round_a_pole_holds_the_cap(
    lat_deg: float, start_deg: float, corners: int, westward: bool, south: bool
) -> None:
    step = (-360 if westward else 360) / corners
    lons = [(start_deg + i * step + 180) % 360 - 180 for i in range(corners)]
    ring = [(lon, -lat_deg if south else lat_deg) for lon in [*lons, lons[0]]]
    assert sphere_share(area([ring])) == pytest.approx(cap_share(lat_deg), rel=1e-9)


def test_a_hole_in_a_cap_may_lie_over_the_meridian_where_the_cap_is_cut() -> None:
    cap = [(0, 60), (90, 60), (180, 60), (-90, 60), (0, 60)]
    for lon in (-5.0, 20.0, 175.0):
        hole = box(lon, 70, lon + 10, 80)
        expected = cap_share(60) - (cap_share(70) - cap_share(80)) * 10 / 360
        assert sphere_share(area([cap, hole])) == pytest.approx(expected, rel=1e-9)


def test_a_cap_with_the_pole_cut_out_is_a_ring_round_it() -> None:
    outer = [(0, 60), (90, 60), (180, 60), (-90, 60), (0, 60)]
    inner = [(45, 80), (135, 80), (-135, 80), (-45, 80), (45, 80)]
    expected = cap_share(60) - cap_share(80)
    assert sphere_share(area([outer, inner])) == pytest.approx(expected, rel=1e-9)


def test_a_hole_is_found_on_whichever_side_of_180_it_is_written() -> None:
    for west in (-178.0, 182.0):
        shape = area([box(175, 10, 185, 20), box(west, 12, west + 1, 13)])
        assert shape.area == pytest.approx(99.0, rel=1e-12)
        assert len(shape.interiors) == 1


@given(
    west=st.floats(-180, 179),
    width=st.floats(0.01, 170),
    south=st.floats(-80, 70),
    height=st.floats(0.01, 10),
)
def test_a_box_keeps_its_area_wherever_it_lies(
    west: float, width: float, south: float, height: float
) -> None:
    """Written with longitudes in -180 to 180, as most programs do."""
    east = (west + width + 180) % 360 - 180
    shape = area([box(west, south, east, south + height)])
    assert shape.area == pytest.approx(width * height, rel=1e-6)
    assert -180 <= shape.bounds[0] <= 180


def test_a_crossing_outline_is_refused_with_the_place() -> None:
    bow_tie = [(49.0, 40.0), (50.0, 41.0), (50.0, 40.0), (49.0, 41.0), (49.0, 40.0)]
    assert refusal([bow_tie]) == (
        "f: polygon crosses itself at lon 49.5, lat 40.5, expected a simple outline"
    )
    beyond = [(lon + 131, lat) for lon, lat in bow_tie]
    assert "crosses itself at lon -179.5, lat 40.5" in refusal([beyond])


@pytest.mark.parametrize(
    ("rings", "words"),
    [
        ([[(0, 0), (1, 1), (2, 2), (0, 0)]], "has no area, expected a ring round one"),
        ([[(5, 5), (5, 5), (5, 5), (5, 5)]], "has no area, expected a ring round one"),
        ([box(0, 0, 10, 10), box(20, 2, 21, 3)], "has a hole outside of it at lon 20, lat 2"),
        ([box(0, 0, 9, 9), box(1, 1, 8, 8), box(2, 2, 3, 3)], "has a hole inside a hole"),
        ([box(-180, 60, 180, 90), box(0, 40, 10, 50)], "has a hole that lies outside of it"),
        ([box(-180, 60, 180, 90), box(-180, 60, 180, 90)], "has nothing left beside its holes"),
        (
            [[(0, -5), (120, 5), (-120, 0), (0, -5)]],
            "goes round the globe over the equator, so that either pole may be meant",
        ),
        (
            [[(0, 60), (120, 60), (-120, 60), (0, 60), (120, 61), (-120, 61), (0, 60)]],
            "goes 2 times round the globe, expected once at most",
        ),
    ],
)
def test_an_impossible_polygon_is_refused(rings: list[Ring], words: str) -> None:
    assert words in refusal(rings)


def test_parts_that_overlap_are_refused_and_neighbours_are_joined() -> None:
    assert refusal([box(0, 0, 2, 2)], [box(5, 5, 6, 6)], [box(1, 1, 3, 3)]) == (
        "f: polygons 1 and 3 overlap at lon 1.5, lat 1.5, expected parts that do not"
    )
    assert area([box(0, 0, 1, 1)], [box(1, 0, 2, 1)]).equals(area([box(0, 0, 2, 1)]))


_LONS = st.sampled_from([-180.0, -179.0, -90.0, -1.0, 0.0, 1.0, 90.0, 179.0, 180.0, 181.0, 360.0])
_LATS = st.sampled_from([-90.0, -60.0, -1.0, 0.0, 1.0, 60.0, 89.0, 90.0])
_RINGS = st.lists(st.tuples(_LONS, _LATS), min_size=3, max_size=7).map(lambda r: [*r, r[0]])


@settings(max_examples=500)
@given(polygons=st.lists(st.lists(_RINGS, min_size=1, max_size=2), min_size=1, max_size=2))
def test_any_rings_of_awkward_corners_become_a_valid_area_or_are_refused(
    polygons: list[list[Ring]],
) -> None:
    found = area_or_refusal(*polygons)
    if isinstance(found, str):
        assert "expected" in found
        assert "\n" not in found
        return
    shape = found
    assert shape.is_valid
    assert shape.area > 0
    assert -180 <= shape.bounds[0] <= 180
    assert 0 < sphere_share(shape) <= 1 + 1e-12


def test_a_line_over_the_antimeridian_goes_the_short_way() -> None:
    line = lonlat.line(np.array([(170.0, 10.0), (-170.0, 10.0), (-160.0, 12.0)]), PLACE)
    assert list(line.coords) == [(170.0, 10.0), (190.0, 10.0), (200.0, 12.0)]
    west = lonlat.line(np.array([(-175.0, 10.0), (175.0, 10.0)]), PLACE)
    assert list(west.coords) == [(185.0, 10.0), (175.0, 10.0)]
    with pytest.raises(RequestError, match="line has no length"):
        lonlat.line(np.array([(180.0, 10.0), (-180.0, 10.0)]), PLACE)
