"""`Dem`: the heights that an image is laid over, on a regular grid, with their datum by name.

The surface is defined once, for everything that stands on it: heights above WGS 84 at the posts,
which are the posts' own heights plus the EGM96 geoid there where the datum is EGM96, and bilinear
between the posts. Adding the geoid at the posts instead of at each place changes less than a
millimetre: between the nodes of its 15' grid the geoid is bilinear itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from humay.arrays import BoolArray, FloatArray
from humay.errors import ProcessingError
from humay.tables import geoid_height_m

VerticalDatum: TypeAlias = Literal["egm96", "ellipsoid"]
Bounds: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north; east of the antimeridian longitudes run on past 180 degrees."""

_EDGE = 1e-7  # posts: what rounding may push a place over the edge of the grid


@cache
def geographic_from(crs: str) -> Transformer:
    """From map coordinates (x east, y north) to WGS 84 longitude and latitude."""
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


@cache
def map_from_geographic(crs: str) -> Transformer:
    """From WGS 84 longitude and latitude to map coordinates (x east, y north)."""
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


@cache
def _is_geographic(crs: str) -> bool:
    source = map_from_geographic(crs).target_crs
    return source is not None and source.is_geographic


@dataclass(frozen=True, kw_only=True, eq=False)
class Dem:
    """Heights at posts (rows, cols), float32 metres, NaN where unknown.

    Post [0, 0] stands at `origin` (x, y) of the coordinate system `crs`, its neighbours `step` (dx,
    dy) away: rows run along y. `name` is what messages call it. `vertical` is what the heights are
    above; `vertical_is_assumed` says that the file did not tell.
    """

    name: str
    crs: str
    origin: tuple[float, float]
    step: tuple[float, float]
    heights_m: NDArray[np.float32]
    vertical: VerticalDatum
    vertical_is_assumed: bool = False

    def __post_init__(self) -> None:
        heights = np.array(self.heights_m, dtype=np.float32)
        if heights.ndim != 2 or min(heights.shape) < 2:
            raise ProcessingError(f"{self.name}: {heights.shape} posts, expected 2 x 2 at least")
        if not (self.step[0] > 0 and self.step[1] != 0):
            raise ProcessingError(f"{self.name}: posts are {self.step} apart, expected dx > 0")
        if self.vertical not in ("egm96", "ellipsoid"):
            raise ProcessingError(
                f"{self.name}: heights above {self.vertical!r}, expected 'egm96' or 'ellipsoid'"
            )
        if not np.isfinite(heights).any():
            raise ProcessingError(f"{self.name}: all {heights.size} heights are missing")
        heights.setflags(write=False)
        object.__setattr__(self, "heights_m", heights)

    @cached_property
    def posts_m(self) -> NDArray[np.float32]:
        """Heights above WGS 84 at the posts: the surface, all there is of it."""
        if self.vertical == "ellipsoid":
            return self.heights_m
        lon, lat = self.places(*self._indices)
        posts = (self.heights_m + geoid_height_m(lon, lat)).astype(np.float32)
        posts.setflags(write=False)
        return posts

    @property
    def _indices(self) -> tuple[FloatArray, FloatArray]:
        rows, cols = self.heights_m.shape
        return np.arange(rows, dtype=np.float64)[:, None], np.arange(cols, dtype=np.float64)[None]

    @cached_property
    def mean_m(self) -> float:
        """Mean height above WGS 84."""
        return float(np.nanmean(self.posts_m, dtype=np.float64))

    def places(self, row: FloatArray, col: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad) of places on the grid of posts."""
        x, y = np.broadcast_arrays(
            self.origin[0] + np.asarray(col, np.float64) * self.step[0],
            self.origin[1] + np.asarray(row, np.float64) * self.step[1],
        )
        lon_deg, lat_deg = geographic_from(self.crs).transform(x, y)
        return np.radians(lon_deg), np.radians(lat_deg)

    def posts_at(self, lon_rad: FloatArray, lat_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rows and columns on the grid of posts; inf where the projection has no place."""
        x, y = map_from_geographic(self.crs).transform(np.degrees(lon_rad), np.degrees(lat_rad))
        if _is_geographic(self.crs):  # longitudes near the grid, not 360 degrees away
            far = self.origin[0] + 0.5 * self.heights_m.shape[1] * self.step[0] - 180.0
            x = far + np.mod(x - far, 360.0)
        row = (np.asarray(y, np.float64) - self.origin[1]) / self.step[1]
        col = (np.asarray(x, np.float64) - self.origin[0]) / self.step[0]
        return row, col

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        """Heights above WGS 84 at places of any shape; NaN outside of the posts and in voids."""
        return bilinear(self.posts_m, *self.posts_at(lon_rad, lat_rad))

    def held_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        """As `ellipsoidal_m`, but held beyond the edge, and the mean in voids: a first guess."""
        row, col = self.posts_at(lon_rad, lat_rad)
        rows, cols = self.heights_m.shape
        inside = np.clip(np.nan_to_num(row), 0, rows - 1), np.clip(np.nan_to_num(col), 0, cols - 1)
        height = bilinear(self.posts_m, *inside)
        return np.where(np.isnan(height), self.mean_m, height)

    def covers(self, lon_rad: FloatArray, lat_rad: FloatArray) -> BoolArray:
        """Where the grid of posts reaches, voids included."""
        return _inside(self.heights_m.shape, *self.posts_at(lon_rad, lat_rad))

    @property
    def bounds_deg(self) -> Bounds:
        """Of the posts, in longitude and latitude."""
        rows, cols = self.heights_m.shape
        edge = np.linspace(0.0, 1.0, 21)
        down, across = edge * (rows - 1), edge * (cols - 1)
        ends = np.zeros(21)
        row = np.concatenate([down, down, ends, ends + rows - 1])
        col = np.concatenate([ends, ends + cols - 1, across, across])
        return bounds_deg(*self.places(row, col))


def bounds_deg(lon_rad: FloatArray, lat_rad: FloatArray) -> Bounds:
    """Of places less than half the Earth apart, over the antimeridian if need be."""
    lon_deg, lat_deg = np.degrees(lon_rad).ravel(), np.degrees(lat_rad).ravel()
    lon_deg = lon_deg[0] + np.mod(lon_deg - lon_deg[0] + 180.0, 360.0) - 180.0
    west, east = float(lon_deg.min()), float(lon_deg.max())
    shift = 360.0 * np.floor((west + 180.0) / 360.0)
    return west - shift, float(lat_deg.min()), east - shift, float(lat_deg.max())


def bilinear(values: NDArray[np.float32], row: FloatArray, col: FloatArray) -> FloatArray:
    """Between the four values around; NaN outside of the grid and beside a NaN."""
    row, col = np.broadcast_arrays(np.asarray(row, np.float64), np.asarray(col, np.float64))
    rows, cols = values.shape
    inside = _inside(values.shape, row, col)
    row, col = np.where(inside, row, 0.0), np.where(inside, col, 0.0)
    top = np.clip(row.astype(np.int64), 0, rows - 2)
    left = np.clip(col.astype(np.int64), 0, cols - 2)
    s, t = row - top, col - left
    a, b = values[top, left].astype(np.float64), values[top, left + 1].astype(np.float64)
    c, d = values[top + 1, left].astype(np.float64), values[top + 1, left + 1].astype(np.float64)
    upper, lower = a + t * (b - a), c + t * (d - c)
    return np.where(inside, upper + s * (lower - upper), np.nan)


def _inside(shape: tuple[int, ...], row: FloatArray, col: FloatArray) -> BoolArray:
    down = (row >= -_EDGE) & (row <= shape[0] - 1 + _EDGE)
    return np.asarray(down & (col >= -_EDGE) & (col <= shape[1] - 1 + _EDGE))
