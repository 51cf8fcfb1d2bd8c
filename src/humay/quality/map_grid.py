"""`MapGrid`: where the pixels of a finished product say they lie.

On purpose none of the code that made the product: half a pixel lost there would be lost here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from pyproj import Transformer

from humay.arrays import FloatArray


@cache
def _geographic_from(epsg: int) -> Transformer:
    return Transformer.from_crs(f"EPSG:{epsg}", "EPSG:4326", always_xy=True)


@cache
def _map_from(epsg: int) -> Transformer:
    return Transformer.from_crs("EPSG:4326", f"EPSG:{epsg}", always_xy=True)


@dataclass(frozen=True, kw_only=True)
class MapGrid:
    """A map grid, north up: (0.0, 0.0) is the centre of the first pixel, at `east_m`, `north_m`."""

    epsg: int
    pixel_m: float
    east_m: float
    north_m: float
    rows: int
    cols: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.cols

    def east_north(self, row: FloatArray, col: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Map coordinates (m) of rows and columns."""
        east_m = self.east_m + np.asarray(col, np.float64) * self.pixel_m
        return east_m, np.asarray(self.north_m - np.asarray(row, np.float64) * self.pixel_m)

    def row_col(self, east_m: FloatArray, north_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rows and columns of map coordinates: the inverse of `east_north`."""
        row = (self.north_m - np.asarray(north_m, np.float64)) / self.pixel_m
        return row, np.asarray((np.asarray(east_m, np.float64) - self.east_m) / self.pixel_m)

    def lon_lat(self, row: FloatArray, col: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad) of rows and columns."""
        lon_deg, lat_deg = _geographic_from(self.epsg).transform(*self.east_north(row, col))
        return np.radians(lon_deg), np.radians(lat_deg)

    def row_col_of(self, lon_rad: FloatArray, lat_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rows and columns of longitudes and latitudes (rad): the inverse of `lon_lat`."""
        place = _map_from(self.epsg).transform(np.degrees(lon_rad), np.degrees(lat_rad))
        return self.row_col(*place)

    def lon_lat_mesh(self, row: FloatArray, col: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad), (rows, cols), of a mesh a few hundred metres wide.

        The map is asked at 3 x 3 nodes with a parabola between them: over 500 m, 1e-5 m off.
        """
        down, across = (np.linspace(x[0], x[-1], 3) for x in (row, col))
        nodes = self.lon_lat(*np.meshgrid(down, across, indexing="ij"))
        a, b = _parabolas(row), _parabolas(col)
        lon, lat = (np.einsum("ia,ab,jb->ij", a, node, b) for node in nodes)
        return lon, lat


def _parabolas(x: FloatArray) -> FloatArray:
    """Lagrange weights (n, 3) on the first, the middle and the last of rising places."""
    t = (x - x[0]) / (x[-1] - x[0])
    return np.stack([(2 * t - 1) * (t - 1), 4 * t * (1 - t), t * (2 * t - 1)], axis=-1)
