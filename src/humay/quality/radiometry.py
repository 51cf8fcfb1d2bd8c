"""Whether a product's numbers are the light that was there, on even patches.

Measured on the pixels of the finished product, against the scene on the very same pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import Geod

from humay.arrays import BoolArray, FloatArray
from humay.errors import QualityError
from humay.imaging import Scene, SpectralBand, Target
from humay.quality.files import open_product
from humay.quality.rendering import OVERSAMPLING, boxes, draw

INSET_NATIVE_PX = 3.0
"""How far inside a patch pixels are counted: what lies beside it is blurred into its edge."""

LEAST_PIXELS = 16
_EARTH = Geod(ellps="WGS84")


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """Even ground with corners (n,) in order, convex, longitude and latitude in radians."""

    name: str
    lon_rad: FloatArray
    lat_rad: FloatArray

    @staticmethod
    def of(target: Target) -> Patch:
        """The square that a target covers, corner by corner."""
        lon_deg, lat_deg = np.degrees([target.lon_rad, target.lat_rad])
        ways_deg = np.degrees(target.heading_rad) + np.array([45.0, 135.0, 225.0, 315.0])
        full = np.ones(4)
        lon, lat, _ = _EARTH.fwd(full * lon_deg, full * lat_deg, ways_deg, full * target.radius_m)
        return Patch(name=target.name, lon_rad=np.radians(lon), lat_rad=np.radians(lat))


@dataclass(frozen=True, kw_only=True)
class PatchReflectance:
    """Mean reflectance of a product in a patch, and of the scene at the sensor on these pixels."""

    product: str
    patch: str
    band: str
    pixels: int
    measured: float
    expected: float

    @property
    def bias(self) -> float:
        """Error as a share of what is expected."""
        return self.measured / self.expected - 1.0


@dataclass(frozen=True, kw_only=True)
class PatchNoise:
    """Variance of an even patch of calibrated pixels, and what its camera's model makes of it."""

    image: str
    patch: str
    band: str
    pixels: int
    variance: float
    expected: float


@dataclass(frozen=True, kw_only=True)
class RadiometryResult:
    """All patches of a run."""

    reflectances: tuple[PatchReflectance, ...]
    noises: tuple[PatchNoise, ...]

    @property
    def bands(self) -> tuple[str, ...]:
        every: tuple[PatchReflectance | PatchNoise, ...] = (*self.reflectances, *self.noises)
        return tuple(dict.fromkeys(each.band for each in every))

    def largest_bias(self, band: str) -> float:
        """Of the patches of a band, without its sign; NaN without any."""
        return max(
            (abs(each.bias) for each in self.reflectances if each.band == band), default=math.nan
        )

    def noise_ratio(self, band: str) -> float:
        """Measured variance over expected, mean by pixels over the patches of a band."""
        own = [each for each in self.noises if each.band == band]
        weight = sum(each.pixels for each in own)
        share = sum(each.pixels * each.variance / each.expected for each in own)
        return share / weight if own else math.nan

    def meets(self, *, patches: int, bias: float, noise: float) -> bool:
        """Whether every band has patches enough, and all of them biases and noise within limits."""
        return bool(self.bands) and all(
            sum(each.band == band for each in self.reflectances) >= patches
            and self.largest_bias(band) <= bias
            and abs(self.noise_ratio(band) - 1.0) <= noise
            for band in self.bands
        )

    def summary(self) -> dict[str, Any]:
        """By band: patches, mean and largest bias in percent, ratio of noise variances."""
        return {band: self._of_band(band) for band in self.bands}

    def _of_band(self, band: str) -> dict[str, Any]:
        biases = [each.bias for each in self.reflectances if each.band == band]
        ratio = self.noise_ratio(band)
        return {
            "patches": len(biases),
            "mean_bias_percent": round(100 * float(np.mean(biases)), 3) if biases else None,
            "largest_bias_percent": round(100 * self.largest_bias(band), 3) if biases else None,
            "noise_pixels": sum(each.pixels for each in self.noises if each.band == band),
            "noise_variance_ratio": round(ratio, 4) if math.isfinite(ratio) else None,
        }


def measure_reflectance(
    product: Path,
    scene: Scene,
    patches: Sequence[Patch],
    *,
    bands: Sequence[SpectralBand],
    sun_itrf: FloatArray,
    native_m: float,
    flags: Path | None = None,
    off_m: tuple[float, float] = (0.0, 0.0),
) -> tuple[PatchReflectance, ...]:
    """Compare the patches that a product shows whole with the scene.

    `off_m` is how far east and north of its place the product shows what it shows: its location
    error, which is none of its radiometry.
    Left out are patches with missing or flagged pixels inside, or with fewer than `LEAST_PIXELS`
    that lie `INSET_NATIVE_PX` native pixels inside.
    """
    found = []
    with open_product(product, flags) as file:
        east_m, north_m = file.grid.east_m - off_m[0], file.grid.north_m - off_m[1]
        ground = replace(file.grid, east_m=east_m, north_m=north_m)
        for patch in patches:
            corner = np.stack(ground.row_col_of(patch.lon_rad, patch.lat_rad), axis=-1)
            first, inside = inner_pixels(corner, INSET_NATIVE_PX * native_m / file.grid.pixel_m)
            if inside.sum() < LEAST_PIXELS:
                continue
            for band in bands:
                pixels = file.chip(band.name, *first, inside.shape)[inside]
                if not np.isfinite(pixels).all():
                    continue
                fine = draw(scene, ground, first, inside.shape, band=band, sun_itrf=sun_itrf)
                found.append(
                    PatchReflectance(
                        product=file.name,
                        patch=patch.name,
                        band=band.name,
                        pixels=pixels.size,
                        measured=float(pixels.mean()),
                        expected=float(boxes(fine, OVERSAMPLING)[inside].mean()),
                    )
                )
    return tuple(found)


def inner_pixels(corner: FloatArray, inset: float) -> tuple[tuple[int, int], BoolArray]:
    """The frame of a convex polygon with corners (n, 2) at rows and columns, and what lies inside.

    The first row and column of the frame, and where in it pixels lie `inset` or more within every
    side.
    """
    first = math.floor(corner[:, 0].min()), math.floor(corner[:, 1].min())
    corner = corner - first
    rows, cols = np.ceil(corner.max(axis=0)).astype(int) + 1
    y, x = np.ogrid[:rows, :cols]
    side = np.roll(corner, -1, axis=0) - corner
    turn = np.sign(_twice_area(corner))
    within = np.ones((rows, cols), bool)
    for c, s in zip(corner, side, strict=True):
        within &= turn * ((x - c[1]) * s[0] - (y - c[0]) * s[1]) >= inset * np.hypot(*s)
    return first, within


def _twice_area(corner: FloatArray) -> float:
    """Of a polygon (n, 2) in pixels, positive where it turns from rows to columns."""
    after = np.roll(corner, -1, axis=0)
    area = float(np.sum(corner[:, 0] * after[:, 1] - corner[:, 1] * after[:, 0]))
    if abs(area) < 1e-3:
        raise QualityError(f"patch with corners {corner.tolist()} has no area")
    return area
