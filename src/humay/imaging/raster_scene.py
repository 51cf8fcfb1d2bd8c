"""A scene made of a picture and a terrain model: real ground, as sharp as its pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyproj import Transformer

from humay.arrays import FloatArray, cross, dot, frozen, unit
from humay.earth import ellipsoid_normal, geodetic_from_itrf, itrf_from_geodetic
from humay.errors import ImagingError
from humay.imaging.atmosphere import clear_sky
from humay.imaging.scene import lambert
from humay.imaging.spectra import SpectralBand
from humay.tables import geoid_height_m

SLOPE_STEP_M = 5.0
DATUMS = ("egm96", "ellipsoid")


@dataclass(frozen=True, kw_only=True, eq=False)
class Raster:
    """Values (bands, rows, cols) on a map; `transform` (a, b, c, d, e, f) counts from the corner:

    x = a col + b row + c, y = d col + e row + f, with col and row 0.5 in the middle of the first
    pixel. `crs` is anything PROJ reads; x comes first (east, or longitude in degrees).
    """

    name: str
    values: FloatArray
    transform: tuple[float, float, float, float, float, float]
    crs: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))
        a, b, _, d, e, _ = self.transform
        if self.values.ndim != 3 or min(self.values.shape) == 0 or min(self.values.shape[1:]) < 2:
            self._refuse(f"values have the shape {self.values.shape}, expected (bands, rows, cols)")
        if not abs(a * e - b * d) > 0:
            self._refuse(f"transform is {self.transform}, expected one that can be inverted")

    def _refuse(self, what: str) -> None:
        raise ImagingError(f"raster {self.name!r}: {what}")

    @cached_property
    def pixel_m(self) -> float:
        """Larger side of a pixel on the ground, in the middle of the raster."""
        _, rows, cols = self.values.shape
        row, col = rows / 2, cols / 2
        lon, lat = self._lonlat(np.array([col, col + 1, col]), np.array([row, row, row + 1]))
        place = itrf_from_geodetic(lon, lat, np.zeros(3))
        steps = place[1:] - place[0]
        return float(np.sqrt(dot(steps, steps)).max())

    def sample(self, lon_rad: FloatArray, lat_rad: FloatArray, band: int) -> FloatArray:
        """Bilinear values of one band; `ImagingError` outside the middles of the outer pixels."""
        row, col = self._pixel(lon_rad, lat_rad)
        _, rows, cols = self.values.shape
        inside = (row >= 0) & (row <= rows - 1) & (col >= 0) & (col <= cols - 1)
        if not np.all(inside):  # also refuses what PROJ could not transform
            out = ~inside
            self._refuse(
                f"does not cover {np.count_nonzero(out)} of {out.size} places, such as "
                f"{np.degrees(np.broadcast_to(lon_rad, out.shape)[out][0]):.5f}, "
                f"{np.degrees(np.broadcast_to(lat_rad, out.shape)[out][0]):.5f} deg"
            )
        i = np.minimum(row.astype(np.int64), rows - 2)
        j = np.minimum(col.astype(np.int64), cols - 2)
        v, u = row - i, col - j
        grid = self.values[band]
        above = grid[i, j] * (1 - u) + grid[i, j + 1] * u
        below = grid[i + 1, j] * (1 - u) + grid[i + 1, j + 1] * u
        value = np.asarray(above * (1 - v) + below * v)
        if not np.isfinite(value).all():
            self._refuse("has no value at a place that is asked for")
        return value

    def _pixel(self, lon_rad: FloatArray, lat_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
        forward = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        x, y = forward.transform(np.degrees(lon_rad), np.degrees(lat_rad))
        a, b, c, d, e, f = self.transform
        x, y, determinant = np.asarray(x) - c, np.asarray(y) - f, a * e - b * d
        return (a * y - d * x) / determinant - 0.5, (e * x - b * y) / determinant - 0.5

    def _lonlat(self, col: FloatArray, row: FloatArray) -> tuple[FloatArray, FloatArray]:
        a, b, c, d, e, f = self.transform
        back = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        lon, lat = back.transform(a * col + b * row + c, d * col + e * row + f)
        return np.radians(lon), np.radians(lat)


@dataclass(frozen=True, kw_only=True, eq=False)
class RasterScene:
    """Reflectance from an ortho image, heights from a terrain model.

    `bands` name the image's bands in order. `datum` says what the terrain's heights stand on:
    `egm96` or `ellipsoid`. Everything in between pixels is bilinear; nothing finer than `pixel_m`
    is true, so resolution may only be judged with a camera that `check_mtf_claim` lets pass.
    """

    image: Raster
    bands: tuple[str, ...]
    terrain: Raster
    datum: str

    def __post_init__(self) -> None:
        if self.datum not in DATUMS:
            raise ImagingError(f"datum is {self.datum!r}, expected one of {', '.join(DATUMS)}")
        if len(self.bands) != self.image.values.shape[0]:
            raise ImagingError(
                f"raster {self.image.name!r} has {self.image.values.shape[0]} bands, "
                f"{len(self.bands)} are named: {', '.join(self.bands)}"
            )
        low, high = float(np.nanmin(self.image.values)), float(np.nanmax(self.image.values))
        if not 0 <= low <= high <= 2:
            raise ImagingError(
                f"raster {self.image.name!r} holds {low:g} to {high:g}, expected reflectance"
            )

    @property
    def pixel_m(self) -> float:
        """Size of the image's pixels on the ground."""
        return self.image.pixel_m

    def height_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        height = self.terrain.sample(lon_rad, lat_rad, 0)
        return height + geoid_height_m(lon_rad, lat_rad) if self.datum == "egm96" else height

    def shading(
        self, lon_rad: FloatArray, lat_rad: FloatArray, sun_itrf_unit: FloatArray
    ) -> FloatArray:
        """Of the slope between heights 5 m to either side."""
        up = ellipsoid_normal(lon_rad, lat_rad)
        axis = np.stack([-np.sin(lon_rad), np.cos(lon_rad), np.zeros_like(lon_rad)], axis=-1)
        east, slope = unit(axis), np.zeros_like(up)
        place = itrf_from_geodetic(lon_rad, lat_rad, np.zeros_like(lon_rad))
        for way in (east, cross(up, east)):
            ahead, behind = (
                self.height_m(*geodetic_from_itrf(place + sign * SLOPE_STEP_M * way)[:2])
                for sign in (1, -1)
            )
            slope = slope + ((ahead - behind) / (2 * SLOPE_STEP_M))[..., None] * way
        return lambert(up, slope, sun_itrf_unit)

    def reflectance(
        self, lon_rad: FloatArray, lat_rad: FloatArray, band: SpectralBand, footprint_m: float
    ) -> FloatArray:
        """Bilinear; a footprint wider than a pixel is the mean of as many samples as fit in it."""
        if band.name not in self.bands:
            raise ImagingError(
                f"raster {self.image.name!r} has no band {band.name!r}, has {', '.join(self.bands)}"
            )
        index, parts = self.bands.index(band.name), max(math.ceil(footprint_m / self.pixel_m), 1)
        offsets_m = ((np.arange(parts) + 0.5) / parts - 0.5) * footprint_m
        lon, lat = np.broadcast_arrays(
            np.asarray(lon_rad, np.float64), np.asarray(lat_rad, np.float64)
        )
        per_m = 1.0 / 6_371_000.0  # of a pixel or two: the radius is good enough
        total = np.zeros(lon.shape)
        for east_m in offsets_m:
            for north_m in offsets_m:
                beside = lon + east_m * per_m / np.cos(lat)
                total += self.image.sample(beside, lat + north_m * per_m, index)
        return np.asarray(total / parts**2)

    def atmosphere(self, band: SpectralBand) -> tuple[float, float]:
        return clear_sky(band)


def check_mtf_claim(scene_pixel_m: float, camera_pixel_m: float) -> None:
    """Raise `ImagingError` unless a scene is fine enough to judge a camera's resolution by.

    Its pixel must be at most a quarter of the camera's; `scene_pixel_m` is 0 for what is exact.
    """
    if not 0 <= scene_pixel_m <= camera_pixel_m / 4:
        raise ImagingError(
            f"the scene's pixel is {scene_pixel_m:.3g} m, expected at most a quarter of the "
            f"camera's {camera_pixel_m:.3g} m: resolution cannot be judged"
        )
