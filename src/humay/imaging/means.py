"""The mean of a scene over any footprint, with an error that is measured, not hoped for."""

from __future__ import annotations

import numpy as np
import shapely

from humay.arrays import FloatArray, cross, dot, unit
from humay.earth import ellipsoid_normal, geodetic_from_itrf, itrf_from_geodetic
from humay.errors import ImagingError
from humay.imaging.cover import MAX_FOOTPRINT_M
from humay.imaging.scene import Scene
from humay.imaging.spectra import SpectralBand

FIRST_CELLS = 16  # along the longer side
MOST_CELLS = 600_000
WIDEST_M = 5_000.0


def mean_reflectance(
    scene: Scene, ring_rad: FloatArray, band: SpectralBand, *, tolerance: float
) -> tuple[float, float]:
    """Mean reflectance inside a polygon of lon, lat `(n, 2)`, and the error that is left.

    The polygon, at most 5 km across, is laid on the plane that touches at its middle and cut into
    squares, each weighted by its share inside and asked for its mean. Squares are halved until
    two rounds in a row differ by at most `tolerance`; their difference is the error stated (rounds
    converge, so it bounds what is left; tests hold it to brute force). `ImagingError` if
    600,000 squares do not suffice.
    """
    plane = _Plane(np.asarray(ring_rad, dtype=np.float64))
    size_m = plane.size_m / FIRST_CELLS
    before, change = np.inf, np.inf
    while plane.area_m2 / size_m**2 <= MOST_CELLS:
        lon, lat, weight = plane.squares(size_m)
        values = scene.reflectance(lon, lat, band, min(size_m, MAX_FOOTPRINT_M))
        mean = float(np.sum(values * weight) / np.sum(weight))
        settled, change = change <= tolerance, abs(mean - before)
        if settled and change <= tolerance and size_m <= MAX_FOOTPRINT_M:
            return mean, change
        before, size_m = mean, size_m / 2
    raise ImagingError(
        f"band {band.name!r}: the mean over {plane.area_m2:.0f} m2 still changes by {change:.2g} "
        f"with squares of {2 * size_m:.2g} m, expected at most {tolerance:g}"
    )


class _Plane:
    """A polygon on the plane that touches the ellipsoid at its middle; metres east and north."""

    def __init__(self, ring_rad: FloatArray) -> None:
        if ring_rad.ndim != 2 or ring_rad.shape[1] != 2 or len(ring_rad) < 3:
            raise ValueError(f"ring has the shape {ring_rad.shape}, expected (3 or more, 2)")
        corners = itrf_from_geodetic(ring_rad[:, 0], ring_rad[:, 1], np.zeros(len(ring_rad)))
        lon, lat, _ = geodetic_from_itrf(corners.mean(axis=0))
        up = ellipsoid_normal(lon, lat)
        self._origin = itrf_from_geodetic(lon, lat, np.asarray(0.0))
        self._east = unit(np.array([-np.sin(lon), np.cos(lon), 0.0]))
        self._north = cross(up, self._east)
        away = corners - self._origin
        self._polygon = shapely.Polygon(
            np.stack([dot(away, self._east), dot(away, self._north)], axis=-1)
        )
        west, south, east, north = self._polygon.bounds
        self.size_m = max(east - west, north - south)
        self.area_m2 = self._polygon.area
        if not self._polygon.is_valid or not self.area_m2 > 0 or self.size_m > WIDEST_M:
            raise ValueError(
                f"ring is {self.size_m:.0f} m across with an area of {self.area_m2:.3g} m2, "
                f"expected a simple polygon of at most {WIDEST_M:.0f} m"
            )

    def squares(self, size_m: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Middles (lon, lat) of the squares that meet the polygon, and their area inside it."""
        west, south, east, north = self._polygon.bounds
        columns, rows = np.arange(west, east, size_m), np.arange(south, north, size_m)
        x, y = np.tile(columns, rows.size), np.repeat(rows, columns.size)
        boxes = shapely.box(x, y, x + size_m, y + size_m)
        shapely.prepare(self._polygon)
        weight = np.where(shapely.contains_properly(self._polygon, boxes), size_m**2, 0.0)
        edge = (weight == 0) & shapely.intersects(self._polygon, boxes)
        weight[edge] = shapely.area(shapely.intersection(boxes[edge], self._polygon))
        x, y, weight = (v[weight > 0] for v in (x + size_m / 2, y + size_m / 2, weight))
        place = self._origin + x[:, None] * self._east + y[:, None] * self._north
        lon, lat, _ = geodetic_from_itrf(place)
        return lon, lat, weight
