"""Terrain handed to a mission: exact within what is stated, or wrong just as much as is stated."""

from __future__ import annotations

import math

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile

from humay.arrays import FloatArray
from humay.imaging.files import dem_bytes
from humay.imaging.scene import SyntheticScene
from humay.imaging.terrain import (
    EXACT_ERROR_M,
    Terrain,
    coarse_terrain,
    correlated_noise,
    exact_terrain,
)
from humay.tables import geoid_height_m

SCENE = SyntheticScene(seed=1)


def steep_places(count: int) -> list[tuple[float, float]]:
    """The steepest of many places (deg), and shores on slopes, where the parabola bends most."""
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(-np.pi, np.pi, 60_000), np.arcsin(rng.uniform(-0.9, 0.9, 60_000))
    slope = np.linalg.norm(SCENE.slope(lon, lat), axis=1)
    height = SCENE.height_m(lon, lat)
    shore = (height > 0.0) & (height < 20.0)
    worst = [*np.argsort(slope)[-count:], *np.flatnonzero(shore)[np.argsort(slope[shore])[-count:]]]
    return [(math.degrees(lon[i]), math.degrees(lat[i])) for i in worst]


def box(lon_deg: float, lat_deg: float, half_deg: float) -> tuple[float, float, float, float]:
    return (lon_deg - half_deg, lat_deg - half_deg, lon_deg + half_deg, lat_deg + half_deg)


def interpolated(terrain: Terrain, lon_deg: FloatArray, lat_deg: FloatArray) -> FloatArray:
    """Bilinear ellipsoidal heights, as a reader of the file would find them."""
    col = (lon_deg - terrain.west_deg) / terrain.step_lon_deg
    row = (terrain.north_deg - lat_deg) / terrain.step_lat_deg
    i, j = np.floor(row).astype(int), np.floor(col).astype(int)
    v, u = row - i, col - j
    h = terrain.heights_m.astype(np.float64)
    above = h[i, j] * (1 - u) + h[i, j + 1] * u
    below = h[i + 1, j] * (1 - u) + h[i + 1, j + 1] * u
    geoid = geoid_height_m(np.radians(lon_deg), np.radians(lat_deg))
    return np.asarray(above * (1 - v) + below * v + geoid)


def test_exact_terrain_is_exact_within_what_it_states_where_it_is_hardest() -> None:
    worst = 0.0
    for lon, lat in steep_places(25):
        terrain = exact_terrain(SCENE, box(lon, lat, 0.002))
        assert terrain.error_m == EXACT_ERROR_M
        x, y = np.random.default_rng(3).uniform(-0.002, 0.002, (2, 3_000))
        error = interpolated(terrain, lon + x, lat + y) - SCENE.height_m(
            np.radians(lon + x), np.radians(lat + y)
        )
        worst = max(worst, float(np.abs(error).max()))
    assert 0.0 < worst < EXACT_ERROR_M


def test_coarse_terrain_has_the_stated_error_and_correlation() -> None:
    """Sigma 3 m, correlated over 120 m: at nodes 30 m apart exp(-1/16), at 120 m exp(-1)."""
    bounds = box(12.0, -33.0, 0.06)
    rng = np.random.default_rng(4)
    coarse = coarse_terrain(SCENE, bounds, sigma_m=3.0, correlation_m=120.0, rng=rng)
    true = exact_terrain(SCENE, bounds, spacing_m=30.0)
    error = coarse.heights_m - true.heights_m
    assert coarse.error_m == 3.0
    assert np.std(error) == pytest.approx(3.0, rel=0.05)
    for steps, expected in ((1, math.exp(-1 / 16)), (4, math.exp(-1.0)), (12, 0.0)):
        found = np.mean(error[:, steps:] * error[:, :-steps]) / np.mean(error**2)
        assert found == pytest.approx(expected, abs=0.05)


def test_correlated_noise_has_variance_one_up_to_its_edges() -> None:
    rows = [correlated_noise((3, 5), 4.0, np.random.default_rng(i)) for i in range(4_000)]
    assert np.var(rows, axis=0) == pytest.approx(np.ones((3, 5)), abs=0.12)


def test_the_file_opens_where_it_should_with_the_heights_it_should() -> None:
    terrain = exact_terrain(SCENE, box(49.5, 40.5, 0.01), spacing_m=20.0)
    with MemoryFile(dem_bytes(terrain)) as memory, memory.open() as raster:
        assert raster.crs == rasterio.crs.CRS.from_string("EPSG:4326+5773")
        assert raster.bounds.left < 49.49 < 49.51 < raster.bounds.right
        assert raster.bounds.bottom < 40.49 < 40.51 < raster.bounds.top
        lon, lat = raster.xy(7, 11)  # middle of that pixel
        node = np.radians([lon, lat])
        height = SCENE.height_m(node[0], node[1]) - geoid_height_m(node[0], node[1])
        assert raster.read(1)[7, 11] == pytest.approx(float(height), abs=1e-3)


def test_the_same_terrain_gives_the_same_bytes() -> None:
    def once(seed: int) -> bytes:
        rng = np.random.default_rng(seed)
        bounds = box(10.0, 10.0, 0.01)
        return dem_bytes(coarse_terrain(SCENE, bounds, sigma_m=4.0, correlation_m=90.0, rng=rng))

    assert once(1) == once(1)
    assert once(1) != once(2)


def test_bounds_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="expected W, S, E, N"):
        exact_terrain(SCENE, (10.0, 10.0, 9.0, 11.0))
