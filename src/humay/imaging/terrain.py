"""The scene's terrain as a mission gets it: heights over the geoid, exact or with errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from humay.arrays import FloatArray
from humay.earth import WGS84_A_M, WGS84_E2
from humay.errors import ImagingError
from humay.imaging.scene import Scene
from humay.tables import geoid_height_m

EXACT_SPACING_M = 8.0
EXACT_ERROR_M = 0.05  # largest error of bilinear interpolation at that spacing; tests measure it
COARSE_SPACING_M = 30.0
MAX_NODES = 100_000_000
MARGIN = 2  # nodes beyond the bounds on every side


@dataclass(frozen=True, kw_only=True, eq=False)
class Terrain:
    """Heights (rows, cols) above the EGM96 geoid, from north to south and west to east.

    `west_deg, north_deg` are those of the first node; `error_m` is what is stated of the heights:
    the largest error of the exact terrain, one sigma of the other.
    """

    heights_m: NDArray[np.float32]
    west_deg: float
    north_deg: float
    step_lon_deg: float
    step_lat_deg: float
    error_m: float

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Of GDAL's pixels, counted from the corner of the first: (a, b, c, d, e, f)."""
        return (
            self.step_lon_deg, 0.0, self.west_deg - self.step_lon_deg / 2,
            0.0, -self.step_lat_deg, self.north_deg + self.step_lat_deg / 2,
        )  # fmt: skip


def exact_terrain(
    scene: Scene, bounds_deg: tuple[float, float, float, float], spacing_m: float = EXACT_SPACING_M
) -> Terrain:
    """The scene's own heights, west, south, east and north given in degrees.

    Between nodes of 8 m bilinear interpolation errs by at most 0.05 m (`EXACT_ERROR_M`); at other
    spacings by that times the square of their ratio.
    """
    terrain = _grid(scene, bounds_deg, spacing_m)
    return _with(terrain, terrain.heights_m, EXACT_ERROR_M * (spacing_m / EXACT_SPACING_M) ** 2)


def coarse_terrain(
    scene: Scene,
    bounds_deg: tuple[float, float, float, float],
    *,
    sigma_m: float,
    correlation_m: float,
    rng: np.random.Generator,
    spacing_m: float = COARSE_SPACING_M,
) -> Terrain:
    """The scene's heights with errors such as a terrain model of 30 m has.

    Errors are normal, one sigma `sigma_m`, and alike over `correlation_m`: their correlation at a
    distance d is exp(-(d / correlation_m)^2). What bilinear interpolation between nodes 30 m apart
    adds is not in sigma.
    """
    if not sigma_m >= 0 or not correlation_m > 0:
        raise ValueError(f"sigma_m {sigma_m}, correlation_m {correlation_m}: expected >= 0 and > 0")
    terrain = _grid(scene, bounds_deg, spacing_m)
    error = correlated_noise(terrain.heights_m.shape, correlation_m / spacing_m, rng)
    return _with(terrain, (terrain.heights_m + sigma_m * error).astype(np.float32), sigma_m)


def correlated_noise(
    shape: tuple[int, ...], correlation: float, rng: np.random.Generator
) -> FloatArray:
    """Normal noise (rows, cols) of variance 1, correlated as exp(-(d / correlation)^2), in nodes.

    White noise under a Gaussian window of sigma `correlation / 2`, drawn beyond the edges.
    """
    reach = math.ceil(2.5 * correlation)
    window = np.exp(-2.0 * (np.arange(-reach, reach + 1) / correlation) ** 2)
    window /= np.sqrt(np.sum(window**2))
    noise = rng.standard_normal((shape[0] + 2 * reach, shape[1] + 2 * reach))
    for _ in range(2):
        noise = sum(
            weight * noise[i : i + len(noise) - 2 * reach] for i, weight in enumerate(window)
        ).T
    return np.asarray(noise)


def _grid(scene: Scene, bounds_deg: tuple[float, float, float, float], spacing_m: float) -> Terrain:
    west, south, east, north = bounds_deg
    if not (-90 < south < north < 90 and west < east <= west + 360 and spacing_m > 0):
        raise ValueError(f"bounds {bounds_deg} deg, spacing {spacing_m} m: expected W, S, E, N")
    middle = math.radians((south + north) / 2)
    square = 1 - WGS84_E2 * math.sin(middle) ** 2
    step_lat = math.degrees(spacing_m * square**1.5 / (WGS84_A_M * (1 - WGS84_E2)))
    step_lon = math.degrees(spacing_m * math.sqrt(square) / (WGS84_A_M * math.cos(middle)))
    rows = math.ceil((north - south) / step_lat) + 1 + 2 * MARGIN
    cols = math.ceil((east - west) / step_lon) + 1 + 2 * MARGIN
    if rows * cols > MAX_NODES:
        raise ImagingError(
            f"terrain over {bounds_deg} deg every {spacing_m} m has {rows} x {cols} nodes, "
            f"expected at most {MAX_NODES:,}"
        )
    first_lon, first_lat = west - MARGIN * step_lon, north + MARGIN * step_lat
    lon = np.radians(first_lon + np.arange(cols) * step_lon)
    heights = np.empty((rows, cols), dtype=np.float32)
    for row in range(rows):
        lat = np.radians(first_lat - row * step_lat)
        heights[row] = scene.height_m(lon, lat) - geoid_height_m(lon, lat)
    return Terrain(
        heights_m=heights, west_deg=first_lon, north_deg=first_lat, step_lon_deg=step_lon,
        step_lat_deg=step_lat, error_m=0.0,
    )  # fmt: skip


def _with(terrain: Terrain, heights_m: NDArray[np.float32], error_m: float) -> Terrain:
    heights_m.setflags(write=False)
    return Terrain(
        heights_m=heights_m, west_deg=terrain.west_deg, north_deg=terrain.north_deg,
        step_lon_deg=terrain.step_lon_deg, step_lat_deg=terrain.step_lat_deg, error_m=error_m,
    )  # fmt: skip
