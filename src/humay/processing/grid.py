"""`OutputGrid`: the map grid a product lies on, and what of the ground an image needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from humay.arrays import BoolArray, FloatArray, norm
from humay.earth import itrf_from_geodetic
from humay.errors import ProcessingError
from humay.processing.dem import (
    Bounds,
    Dem,
    bounds_deg,
    geographic_from,
    map_from_geographic,
)
from humay.sensor import SensorModel

LOWEST_M, HIGHEST_M = -500.0, 9_000.0  # of all ground on Earth, with some room
_EDGE_STEP = 8  # pixels between places looked at along the edge of an image
_INSIDE_STEP = 64  # and in its inside
_ROUNDS = 30
_SETTLED_M = 0.01
_FINEST, _FEWEST_PX = 16, 8  # map pixels in one of the image; along a side of it
_ROOM_PX = 3  # beyond the places looked at


@dataclass(frozen=True, kw_only=True)
class OutputGrid:
    """A map grid, north up: `pixel_m` squares from the corner (`west_m`, `north_m`).

    `epsg` names the map: a UTM zone, or UPS at the poles. Pixel (0.0, 0.0) is the centre of the
    first one, half a pixel from the corner.
    """

    epsg: int
    pixel_m: float
    west_m: float
    north_m: float
    rows: int
    cols: int

    def __post_init__(self) -> None:
        if not self.pixel_m > 0:
            raise ValueError(f"pixel_m is {self.pixel_m}, expected > 0")
        if not (self.rows >= 1 and self.cols >= 1):
            raise ValueError(f"{self.rows} rows x {self.cols} columns, expected 1 x 1 at least")

    @property
    def crs(self) -> str:
        return f"EPSG:{self.epsg}"

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.cols

    @property
    def affine(self) -> tuple[float, float, float, float, float, float]:
        """(a, b, c, d, e, f) of x = a col + b row + c, counted from the corner as GeoTIFF does."""
        return self.pixel_m, 0.0, self.west_m, 0.0, -self.pixel_m, self.north_m

    @property
    def bounds_m(self) -> Bounds:
        east_m = self.west_m + self.cols * self.pixel_m
        return self.west_m, self.north_m - self.rows * self.pixel_m, east_m, self.north_m

    def with_pixel(self, pixel_m: float) -> OutputGrid:
        """The same area in other pixels, of which a whole number must fit."""
        rows, cols = (n * self.pixel_m / pixel_m for n in self.shape)
        if abs(rows - round(rows)) > 1e-6 or abs(cols - round(cols)) > 1e-6:
            raise ValueError(f"{self.shape} pixels of {self.pixel_m} m are no whole {pixel_m} m")
        return replace(self, pixel_m=pixel_m, rows=round(rows), cols=round(cols))

    def places(self, row: FloatArray, col: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad) of grid positions of shapes that broadcast."""
        x, y = np.broadcast_arrays(
            self.west_m + (np.asarray(col, np.float64) + 0.5) * self.pixel_m,
            self.north_m - (np.asarray(row, np.float64) + 0.5) * self.pixel_m,
        )
        lon_deg, lat_deg = geographic_from(self.crs).transform(x, y)
        return np.radians(lon_deg), np.radians(lat_deg)

    def position(self, lon_rad: FloatArray, lat_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Row and column of places: the inverse of `places`."""
        x, y = map_from_geographic(self.crs).transform(np.degrees(lon_rad), np.degrees(lat_rad))
        row = (self.north_m - np.asarray(y, np.float64)) / self.pixel_m - 0.5
        return row, (np.asarray(x, np.float64) - self.west_m) / self.pixel_m - 0.5


@dataclass(frozen=True, kw_only=True)
class Window:
    """Rows and columns [row, end_row) x [col, end_col) of a grid."""

    row: int
    col: int
    end_row: int
    end_col: int

    @property
    def shape(self) -> tuple[int, int]:
        return max(self.end_row - self.row, 0), max(self.end_col - self.col, 0)


def map_epsg(lon_rad: float, lat_rad: float) -> int:
    """The UTM zone of a place, by 6 degrees of longitude; UPS beyond 84 N and 80 S.

    EPSG:5041 and 5042 are UPS with the easting first, as GeoTIFF counts.
    """
    lon_deg, lat_deg = math.degrees(lon_rad), math.degrees(lat_rad)
    if lat_deg > 84.0:
        return 5041
    if lat_deg < -80.0:
        return 5042
    zone = int((lon_deg + 180.0) % 360.0 // 6.0) + 1
    return (32_600 if lat_deg >= 0 else 32_700) + zone


def grid_for(
    models: Sequence[SensorModel],
    shapes: Sequence[tuple[int, int]],
    dem: Dem,
    *,
    pixel_m: float,
    snap_m: float | None = None,
) -> OutputGrid:
    """The grid that holds what images of `shapes` see of the surface.

    Its corners lie on multiples of `snap_m` (by default the pixel), so that grids of 1.5 m and 6 m
    with `snap_m=6` nest. Raises `ProcessingError` where the DEM does not cover what is seen.
    """
    snap_m = pixel_m if snap_m is None else snap_m
    edges = [
        seen_ground(model, *_edge(shape), dem) for model, shape in zip(models, shapes, strict=True)
    ]
    lon, lat = (np.concatenate(axis) for axis in zip(*edges, strict=True))
    for model, shape in zip(models, shapes, strict=True):
        check_cover(model, shape, dem)
    west, south, east, north = bounds_deg(lon, lat)
    epsg = map_epsg(math.radians(0.5 * (west + east)), math.radians(0.5 * (south + north)))
    x, y = map_from_geographic(f"EPSG:{epsg}").transform(np.degrees(lon), np.degrees(lat))
    room_m = _ROOM_PX * pixel_m
    west_m = math.floor((float(np.min(x)) - room_m) / snap_m) * snap_m
    north_m = math.ceil((float(np.max(y)) + room_m) / snap_m) * snap_m
    wide_m = math.ceil((float(np.max(x)) + room_m - west_m) / snap_m) * snap_m
    high_m = math.ceil((north_m - float(np.min(y)) + room_m) / snap_m) * snap_m
    return OutputGrid(
        epsg=epsg, pixel_m=snap_m, west_m=west_m, north_m=north_m,
        rows=round(high_m / snap_m), cols=round(wide_m / snap_m),
    ).with_pixel(pixel_m)  # fmt: skip


def needed_bounds(models: Sequence[SensorModel], shapes: Sequence[tuple[int, int]]) -> Bounds:
    """Degrees that a DEM has to cover for these images, whatever the height of the ground."""
    places = [
        model.locate(*_edge(shape, parts=20), np.asarray(height_m))
        for model, shape in zip(models, shapes, strict=True)
        for height_m in (LOWEST_M, HIGHEST_M)
    ]
    lon, lat = (np.concatenate(axis) for axis in zip(*places, strict=True))
    return bounds_deg(lon, lat)


def window_of(model: SensorModel, shape: tuple[int, int], dem: Dem, grid: OutputGrid) -> Window:
    """The part of a grid that an image can fill."""
    row, col = grid.position(*seen_ground(model, *_edge(shape), dem))
    first = np.floor([row.min(), col.min()]).astype(int) - _ROOM_PX
    end = np.ceil([row.max(), col.max()]).astype(int) + _ROOM_PX + 1
    first, end = np.clip(first, 0, grid.shape), np.clip(end, 0, grid.shape)
    return Window(row=int(first[0]), col=int(first[1]), end_row=int(end[0]), end_col=int(end[1]))


def seen_ground(
    model: SensorModel, row: FloatArray, col: FloatArray, dem: Dem
) -> tuple[FloatArray, FloatArray]:
    """Longitude and latitude (rad) where lines of sight meet the surface.

    Height and place by turns, the height held beyond the DEM's edge. Where the ground is so steep
    that they do not settle to a centimetre, the last two rounds are averaged: good for drawing
    outlines, not for measuring.
    """
    height = np.full(np.broadcast_shapes(np.shape(row), np.shape(col)), dem.mean_m)
    share = 1.0
    for turn in range(_ROUNDS):
        lon, lat = model.locate(row, col, height)
        moved = dem.held_m(lon, lat) - height
        if np.max(np.abs(moved)) < _SETTLED_M:
            break
        share = 1.0 if turn < _ROUNDS // 3 else 0.5
        height = height + share * moved
    return lon, lat


def native_m(model: SensorModel, shape: tuple[int, int], dem: Dem) -> float:
    """Distance of pixels in the middle of an image, lines and columns together."""
    row, col = (np.array([0.5 * (n - 1)]) for n in shape)
    lon, lat = seen_ground(model, row, col, dem)
    height = dem.held_m(lon, lat)
    place = itrf_from_geodetic(lon, lat, height)
    steps = [model.locate(row + i, col + j, height) for i, j in ((1.0, 0.0), (0.0, 1.0))]
    along, across = (float(norm(itrf_from_geodetic(*s, height) - place)[0]) for s in steps)
    return math.sqrt(along * across)


def check_pixel(
    model: SensorModel, shape: tuple[int, int], dem: Dem, pixel_m: float, name: str
) -> None:
    """Raise `ProcessingError` for a pixel on the map that makes far too many or too few of them."""
    sampling_m = native_m(model, shape, dem)
    least_m, most_m = sampling_m / _FINEST, sampling_m * min(shape) / _FEWEST_PX
    if not least_m <= pixel_m <= most_m:
        raise ProcessingError(
            f"{name}: {pixel_m:g} m for a pixel on the map, the image has {sampling_m:.3g} m; "
            f"expected {least_m:.2g} to {most_m:.2g}"
        )


def check_cover(model: SensorModel, shape: tuple[int, int], dem: Dem) -> None:
    """Raise `ProcessingError` unless every place that an image sees has a height."""
    row, col = (part.ravel() for part in np.meshgrid(*_inside(shape), indexing="ij"))
    lon, lat = seen_ground(model, row, col, dem)
    missing = ~dem.covers(lon, lat)
    if missing.any():
        raise ProcessingError(
            f"{dem.name}: the DEM covers {_shown(dem.bounds_deg)}, the image needs "
            f"{_shown(bounds_deg(lon, lat))}; {missing.mean():.0%} of it is missing: "
            f"{_shown(bounds_deg(lon[missing], lat[missing]))}"
        )
    _check_voids(model, shape, dem)


def _check_voids(model: SensorModel, shape: tuple[int, int], dem: Dem) -> None:
    void = np.isnan(dem.heights_m)
    if not void.any():
        return
    lon, lat = dem.places(*(np.asarray(i, np.float64) for i in np.nonzero(_grown(void))))
    seen = np.zeros(lon.shape, dtype=bool)
    for height_m in np.nanquantile(dem.posts_m, (0.0, 0.5, 1.0)):
        row, col = model.project(lon, lat, np.asarray(height_m, np.float64))
        seen |= (row > -1) & (row < shape[0]) & (col > -1) & (col < shape[1])
    if seen.any():
        raise ProcessingError(
            f"{dem.name}: {int(void.sum())} heights are missing, some of them where the image "
            f"needs them: {_shown(bounds_deg(lon[seen], lat[seen]))}; expected none there"
        )


def _grown(mask: BoolArray) -> BoolArray:
    """With the eight neighbours of each."""
    padded: NDArray[np.bool_] = np.pad(mask, 1)
    rows, cols = mask.shape
    parts = [padded[i : i + rows, j : j + cols] for i in range(3) for j in range(3)]
    return np.asarray(np.any(parts, axis=0))


def _edge(shape: tuple[int, int], parts: int | None = None) -> tuple[FloatArray, FloatArray]:
    """Rows and columns of pixel centres round the edge of an image."""
    axes = [np.linspace(0.0, n - 1.0, parts or max(n // _EDGE_STEP, 2) + 1) for n in shape]
    ends = [np.full(axes[1 - i].shape, axes[i][j]) for i in (0, 1) for j in (0, -1)]
    row = np.concatenate([axes[0], axes[0], ends[0], ends[1]])
    col = np.concatenate([ends[2], ends[3], axes[1], axes[1]])
    return row, col


def _inside(shape: tuple[int, int]) -> list[FloatArray]:
    return [np.linspace(0.0, n - 1.0, max(n // _INSIDE_STEP, 4) + 1) for n in shape]


def _shown(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f}"
