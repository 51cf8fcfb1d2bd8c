"""Grids nest, hold what was seen, and are refused where the elevations do not suffice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.errors import ProcessingError
from humay.processing.dem import Dem
from humay.processing.grid import (
    OutputGrid,
    check_cover,
    grid_for,
    map_epsg,
    needed_bounds,
    seen_ground,
)
from tests.processing.flights import LAT, LON, flight, pushbroom

SHAPE = (200, 160)
GRID = OutputGrid(
    epsg=32639, pixel_m=1.5, west_m=399_996.0, north_m=4_500_000.0, rows=400, cols=600
)


@pytest.mark.parametrize(
    ("lon_deg", "lat_deg", "epsg"),
    [(49.87, 40.41, 32639), (5.4, 44.4, 32631), (-68.0, -54.8, 32719), (179.9, 1.0, 32660),
     (-180.0, 1.0, 32601), (180.0, 1.0, 32601), (10.0, 84.5, 5041), (10.0, -80.5, 5042)],
)  # fmt: skip
def test_the_map_is_that_of_the_place(lon_deg: float, lat_deg: float, epsg: int) -> None:
    """UTM zones are 6 deg wide from 180 W; UPS begins at 84 N and 80 S (NGA.SIG.0012)."""
    assert map_epsg(np.radians(lon_deg), np.radians(lat_deg)) == epsg


@given(row=st.floats(-50, 450), col=st.floats(-50, 650))
def test_positions_lead_to_places_and_back(row: float, col: float) -> None:
    there = GRID.places(np.array(row), np.array(col))
    assert np.allclose(GRID.position(*there), (row, col), rtol=0, atol=1e-6)


def test_the_first_pixel_lies_half_a_pixel_from_the_corner() -> None:
    lon, lat = GRID.places(np.array(-0.5), np.array(-0.5))
    corner = replace(GRID, pixel_m=3.0).places(np.array(-0.5), np.array(-0.5))
    assert np.allclose((lon, lat), corner, rtol=0, atol=1e-14)
    assert GRID.affine == (1.5, 0.0, 399_996.0, 0.0, -1.5, 4_500_000.0)


def test_central_meridian_and_equator_are_where_utm_puts_them() -> None:
    """500,000 m east, 0 m north (NGA.SIG.0012), 0.9996 along the meridian."""
    grid = OutputGrid(epsg=32631, pixel_m=1.0, west_m=499_999.5, north_m=0.5, rows=1, cols=1)
    lon, lat = grid.places(np.array(0.0), np.array(0.0))
    assert np.allclose((lon, lat), (np.radians(3.0), 0.0), rtol=0, atol=1e-12)


def test_grids_of_two_pixels_nest(hills: Dem) -> None:
    model = pushbroom(flight(seconds=1.0), SHAPE)
    fine = grid_for([model], [SHAPE], hills, pixel_m=1.5, snap_m=6.0)
    coarse = fine.with_pixel(6.0)
    assert (fine.west_m % 6.0, fine.north_m % 6.0) == (0.0, 0.0)
    assert fine.shape == (4 * coarse.rows, 4 * coarse.cols)
    assert fine.bounds_m == coarse.bounds_m
    assert coarse == grid_for([model], [SHAPE], hills, pixel_m=1.5, snap_m=6.0).with_pixel(6.0)
    with pytest.raises(ValueError, match="no whole"):
        fine.with_pixel(3.7)


def test_the_grid_holds_all_that_is_seen_and_little_more(hills: Dem) -> None:
    model = pushbroom(flight(roll_rad=0.3, seconds=1.0), SHAPE)
    grid = grid_for([model], [SHAPE], hills, pixel_m=1.5)
    row, col = np.meshgrid(np.arange(200.0), np.arange(160.0), indexing="ij")
    row, col = grid.position(*seen_ground(model, row, col, hills))
    assert grid.epsg == 32631
    for place, count in ((row, grid.rows), (col, grid.cols)):
        assert 0 < place.min() < 8
        assert count - 9 < place.max() < count - 1


def test_seen_ground_lies_on_the_surface(hills: Dem) -> None:
    model = pushbroom(flight(roll_rad=0.4, seconds=1.0), SHAPE)
    row, col = np.meshgrid(np.linspace(0, 199, 9), np.linspace(0, 159, 9), indexing="ij")
    lon, lat = seen_ground(model, row, col, hills)
    back = model.project(lon, lat, hills.ellipsoidal_m(lon, lat))
    assert np.allclose(back, (row, col), rtol=0, atol=0.01)


def test_needed_bounds_hold_the_place_at_any_height(hills: Dem) -> None:
    model = pushbroom(flight(roll_rad=0.4, seconds=1.0), SHAPE)
    west, south, east, north = needed_bounds([model], [SHAPE])
    for height_m in (-400.0, 4000.0, 8800.0):
        lon, lat = model.locate(np.array([0.0, 199.0]), np.array([0.0, 159.0]), np.array(height_m))
        assert west < np.degrees(lon).min() < np.degrees(lon).max() < east
        assert south < np.degrees(lat).min() < np.degrees(lat).max() < north
    assert hills.covers(LON, LAT)


def cut(dem: Dem, rows: slice, cols: slice) -> Dem:
    origin = dem.origin[0] + cols.start * dem.step[0], dem.origin[1] + rows.start * dem.step[1]
    return replace(dem, origin=origin, heights_m=dem.heights_m[rows, cols])


def test_elevations_that_end_too_early_are_refused_with_what_is_missing(hills: Dem) -> None:
    """The image lies round post (445, 450): the southern half of it has no heights."""
    model = pushbroom(flight(seconds=1.0), SHAPE)
    post = hills.posts_at(np.array(LON), np.array(LAT))
    north_half = cut(hills, slice(0, int(post[0])), slice(0, 900))
    with pytest.raises(ProcessingError) as refusal:
        grid_for([model], [SHAPE], north_half, pixel_m=1.5)
    message = str(refusal.value)
    assert message.startswith("hills: the DEM covers lon ")
    assert "% of it is missing: lon 5.3" in message
    assert "\n" not in message
    share = float(message.split("%")[0].split()[-1])
    assert 35 < share < 65


def test_voids_are_refused_where_the_image_needs_them_and_only_there(hills: Dem) -> None:
    model = pushbroom(flight(seconds=1.0), SHAPE)
    post = [int(p) for p in hills.posts_at(np.array(LON), np.array(LAT))]
    heights = np.array(hills.heights_m)
    heights[10:14, 10:14] = np.nan
    check_cover(model, SHAPE, replace(hills, heights_m=heights))
    heights[post[0], post[1]] = np.nan
    with pytest.raises(ProcessingError, match=r"17 heights are missing.*lon 5\.39.* to 5\.40"):
        check_cover(model, SHAPE, replace(hills, heights_m=heights))
