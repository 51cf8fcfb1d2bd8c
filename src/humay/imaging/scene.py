"""Scenes: what the ground is, for whoever looks at it.

At-sensor reflectance of a place is `path + transmittance * reflectance * shading`, and radiance
E0 sin(sun elevation) / (pi d^2) times that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray, dot, norm
from humay.earth import ellipsoid_normal
from humay.imaging.atmosphere import clear_sky
from humay.imaging.cover import MAX_FOOTPRINT_M, paint
from humay.imaging.noise import MASK, mixed
from humay.imaging.relief import WATER_LEVEL_M, survey
from humay.imaging.spectra import SpectralBand, material_reflectance
from humay.imaging.targets import Target, target_table

__all__ = ["Scene", "SpectralBand", "SyntheticScene", "lambert"]


class Scene(Protocol):
    """Ground truth. Longitudes and latitudes of any shapes that broadcast, radians, float64."""

    def height_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        """Ellipsoidal heights of the surface."""

    def shading(
        self, lon_rad: FloatArray, lat_rad: FloatArray, sun_itrf_unit: FloatArray
    ) -> FloatArray:
        """Sunlight on the slope over sunlight on level ground; 0 where the slope is turned away."""

    def reflectance(
        self, lon_rad: FloatArray, lat_rad: FloatArray, band: SpectralBand, footprint_m: float
    ) -> FloatArray:
        """Of the ground, averaged over a square footprint of that width; 0 is the point itself."""

    def atmosphere(self, band: SpectralBand) -> tuple[float, float]:
        """Path reflectance and transmittance, the same everywhere."""


@dataclass(frozen=True, kw_only=True)
class SyntheticScene:
    """An endless ground made of chance alone: the same place answers the same to everyone.

    Nothing is stored but the seed and the targets laid out on the ground. Every method may be
    called from many threads at once. Calls of about a million neighbouring places are fastest:
    some 0.1 microseconds a place for reflectance, 0.3 for heights.
    """

    seed: int
    targets: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MASK:
            raise ValueError(f"seed is {self.seed}, expected a whole number from 0 to {MASK}")

    @property
    def pixel_m(self) -> float:
        """0: the scene is exact at any scale."""
        return 0.0

    @cached_property
    def _key(self) -> int:
        return int(mixed(self.seed))

    @cached_property
    def _table(self) -> tuple[FloatArray, IntArray, IntArray]:
        return target_table(self.targets)

    def height_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        return np.asarray(self._survey(lon_rad, lat_rad)[..., 0])

    def is_water(self, lon_rad: FloatArray, lat_rad: FloatArray) -> BoolArray:
        """Where the surface is the level water; its shore is that of the heights."""
        return np.asarray(self.height_m(lon_rad, lat_rad) <= WATER_LEVEL_M)

    def slope(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        """Gradient (..., 3) of the height along the ground, ITRF axes; metres per metre."""
        return np.asarray(self._survey(lon_rad, lat_rad)[..., 1:])

    def shading(
        self, lon_rad: FloatArray, lat_rad: FloatArray, sun_itrf_unit: FloatArray
    ) -> FloatArray:
        up = ellipsoid_normal(np.asarray(lon_rad), np.asarray(lat_rad))
        return lambert(up, self.slope(lon_rad, lat_rad), sun_itrf_unit)

    def reflectance(
        self, lon_rad: FloatArray, lat_rad: FloatArray, band: SpectralBand, footprint_m: float
    ) -> FloatArray:
        if not 0.0 <= footprint_m <= MAX_FOOTPRINT_M:
            raise ValueError(
                f"footprint is {footprint_m} m, expected 0 to {MAX_FOOTPRINT_M:g}: "
                "average smaller ones, as mean_reflectance does"
            )
        lon, lat, shape = _flat(lon_rad, lat_rad)
        rho = material_reflectance(band)
        return paint(lon, lat, self._key, float(footprint_m), rho, self._table).reshape(shape)

    def atmosphere(self, band: SpectralBand) -> tuple[float, float]:
        return clear_sky(band)

    def _survey(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        lon, lat, shape = _flat(lon_rad, lat_rad)
        out = np.empty((lon.size, 4))
        survey(lon, lat, self._key, out)
        return out.reshape(*shape, 4)


def lambert(up: FloatArray, slope: FloatArray, sun_unit: FloatArray) -> FloatArray:
    """Sunlight on a matt slope over that on level ground: max(0, n.s) / (up.s).

    `up` unit normals (..., 3) of level ground, `slope` gradients (..., 3) at right angles to them,
    `sun_unit` the direction of the Sun, which has to be above the horizon.
    """
    level = dot(up, np.asarray(sun_unit))
    if not np.all(level > 0):  # also refuses NaN
        raise ValueError(f"the Sun is {np.min(level):.3f} above the horizon (sine), expected > 0")
    normal = up - slope
    return np.asarray(np.maximum(dot(normal, np.asarray(sun_unit)), 0.0) / norm(normal) / level)


def _flat(
    lon_rad: FloatArray, lat_rad: FloatArray
) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    """Both as one row of float64 that the kernels may read, and their common shape."""
    lon, lat = np.broadcast_arrays(
        np.asarray(lon_rad, dtype=np.float64), np.asarray(lat_rad, dtype=np.float64)
    )
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise ValueError("a longitude or latitude is not a number")
    if lat.size and not np.abs(lat).max() <= np.pi / 2:
        raise ValueError(f"latitudes reach {np.abs(lat).max()} rad, expected within pi / 2")
    return np.ascontiguousarray(lon).ravel(), np.ascontiguousarray(lat).ravel(), lon.shape
