"""A scene whose every mean is known in closed form, and products drawn of it without a camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import Affine

from humay.arrays import FloatArray
from humay.imaging import SpectralBand

EPSG = 32639
PIXEL_M = 1.5
EAST_M, NORTH_M = 400_000.0, 4_474_000.0  # Absheron
PAN = SpectralBand(name="pan", low_m=450e-9, high_m=745e-9)
RED = SpectralBand(name="red", low_m=625e-9, high_m=695e-9)
SUN = np.array([0.3, 0.5, 0.8]) / np.linalg.norm([0.3, 0.5, 0.8])
PATH, TRANSMITTANCE = 0.03, 0.8
GAIN = {"pan": 1.0, "red": 0.8}  # of the ground in each band


@dataclass(frozen=True, kw_only=True)
class WavyScene:
    """Waves of map coordinates, 60 m to 4 m long, the short ones smaller; reflectance 0.3 +- 0.07.

    A blurred wave is the same wave, smaller: a gaussian of variance v leaves exp(-k2 v / 2) of it.
    """

    seed: int
    waves: int = 40

    @cached_property
    def terms(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Wave vectors (n, 2) east and north, rad/m; sizes and phases (n,)."""
        rng = np.random.default_rng(self.seed)
        length_m = np.exp(rng.uniform(np.log(4.0), np.log(60.0), self.waves))
        way = rng.uniform(0, 2 * np.pi, self.waves)
        k = 2 * np.pi / length_m[:, None] * np.stack([np.cos(way), np.sin(way)], -1)
        size = np.sqrt(length_m)
        size *= 0.07 * np.sqrt(2.0 / np.sum(size**2))
        return k, size, rng.uniform(0, 2 * np.pi, self.waves)

    def mean(self, east_m: FloatArray, north_m: FloatArray, variance_m2: float) -> FloatArray:
        """Reflectance under a gaussian of this variance at map coordinates (...)."""
        east, north = east_m - EAST_M, north_m - NORTH_M
        out = np.full(np.broadcast_shapes(east.shape, north.shape), 0.3)
        for (kx, ky), size, phase in zip(*self.terms, strict=True):
            faint = size * np.exp(-0.5 * (kx * kx + ky * ky) * variance_m2)
            out += faint * np.cos(kx * east + ky * north + phase)
        return out

    def height_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        return np.zeros(np.broadcast_shapes(lon_rad.shape, lat_rad.shape))

    def shading(self, lon_rad: FloatArray, lat_rad: FloatArray, sun_itrf: FloatArray) -> FloatArray:
        """Level ground under `SUN`; another Sun would show."""
        return np.full(np.broadcast_shapes(lon_rad.shape, lat_rad.shape), float(sun_itrf @ SUN))

    def reflectance(
        self, lon_rad: FloatArray, lat_rad: FloatArray, band: SpectralBand, footprint_m: float
    ) -> FloatArray:
        """The mean over a square is taken as that over a gaussian as wide."""
        to_map = Transformer.from_crs("EPSG:4326", f"EPSG:{EPSG}", always_xy=True)
        east_m, north_m = to_map.transform(np.degrees(lon_rad), np.degrees(lat_rad))
        return GAIN[band.name] * self.mean(east_m, north_m, footprint_m**2 / 12)

    def atmosphere(self, band: SpectralBand) -> tuple[float, float]:
        return PATH / GAIN[band.name], TRANSMITTANCE


def product_pixels(
    scene: WavyScene,
    *,
    shape: tuple[int, int],
    first: tuple[float, float] = (0, 0),
    shift_m: tuple[float, float] = (0.0, 0.0),
    blur_m: tuple[float, float] = (1.0, 1.3),
    snr: float = 100.0,
    seed: int = 1,
) -> FloatArray:
    """At-sensor reflectance (rows, cols) that shows everything (east, north) `shift_m` away, under
    a gaussian, with noise."""
    east = (first[1] + np.arange(shape[1]) + 0.5) * PIXEL_M - shift_m[0]
    north = -(first[0] + np.arange(shape[0]) + 0.5) * PIXEL_M - shift_m[1]
    k, size, phase = scene.terms
    faint = size * np.exp(-0.5 * np.sum(k**2 * np.square(blur_m), axis=-1))
    down = np.exp(1j * (np.outer(north, k[:, 1]) + phase)) * faint
    ground = 0.3 + np.real(down @ np.exp(1j * np.outer(k[:, 0], east)))
    seen = PATH + TRANSMITTANCE * ground
    noise = np.random.default_rng(seed).normal(size=shape) * seen.mean() / snr
    return np.asarray(seen + noise)


def write_product(
    path: Path,
    bands: dict[str, FloatArray],
    *,
    first: tuple[float, float] = (0, 0),
    outline: NDArray[np.bool_] | None = None,
) -> Path:
    """Bands of at-sensor reflectance as a GeoTIFF of whole 1e-4, 0 where there is no data."""
    pixels = np.clip(np.rint(np.stack(list(bands.values())) * 1e4), 1, 65535).astype(np.uint16)
    if outline is not None:
        pixels[:, ~outline] = 0
    return _write(path, pixels, first, nodata=0, names=tuple(bands), scale=1e-4)


def write_flags(path: Path, flags: NDArray[np.uint8]) -> Path:
    """Flags (rows, cols) on the same grid."""
    return _write(path, flags[None], (0, 0), nodata=None, names=("flags",), scale=1.0)


def _write(
    path: Path,
    pixels: NDArray[np.uint16] | NDArray[np.uint8],
    first: tuple[float, float],
    *,
    nodata: int | None,
    names: tuple[str, ...],
    scale: float,
) -> Path:
    count, rows, cols = pixels.shape
    west_m, top_m = EAST_M + first[1] * PIXEL_M, NORTH_M - first[0] * PIXEL_M
    with rasterio.open(
        path, "w", driver="GTiff", width=cols, height=rows, count=count, dtype=pixels.dtype,
        nodata=nodata, crs=f"EPSG:{EPSG}",
        transform=Affine(PIXEL_M, 0.0, west_m, 0.0, -PIXEL_M, top_m),
    ) as raster:  # fmt: skip
        raster.write(pixels)
        raster.descriptions = names
        raster.scales = (scale,) * count
    return path
