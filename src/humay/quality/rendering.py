"""What a perfect product would show: the scene drawn on the map grid, without any camera."""

from __future__ import annotations

import numpy as np

from humay.arrays import FloatArray
from humay.imaging import Scene, SpectralBand
from humay.quality.map_grid import MapGrid

OVERSAMPLING = 4
"""Samples to a pixel along each axis."""


def draw(
    scene: Scene,
    grid: MapGrid,
    first: tuple[int, int],
    shape: tuple[int, int],
    *,
    band: SpectralBand,
    sun_itrf: FloatArray,
    oversampling: int = OVERSAMPLING,
) -> FloatArray:
    """Reflectance at the sensor, path + transmittance x ground x light, `oversampling` x the pixels
    of `shape` from row and column `first` on, which may lie outside of the grid.

    The ground of each sample is the mean over its own share of the pixel. Light is that in the
    middle of the pixel: slopes change over a hundred metres, and it is the half of the work.
    """
    samples = [_middles(*axis, oversampling) for axis in zip(first, shape, strict=True)]
    pixels = [_middles(*axis, 1) for axis in zip(first, shape, strict=True)]
    footprint_m = grid.pixel_m / oversampling
    ground = scene.reflectance(*grid.lon_lat_mesh(*samples), band, footprint_m)
    light = scene.shading(*grid.lon_lat_mesh(*pixels), sun_itrf)
    path, transmittance = scene.atmosphere(band)
    fine = np.repeat(np.repeat(light, oversampling, axis=0), oversampling, axis=1)
    return np.asarray(path + transmittance * ground * fine)


def boxes(fine: FloatArray, size: int) -> FloatArray:
    """Means over `size` x `size` samples."""
    rows, cols = (n // size for n in fine.shape)
    return np.asarray(fine.reshape(rows, size, cols, size).mean(axis=(1, 3)))


def _middles(first: int, count: int, oversampling: int) -> FloatArray:
    """Of the samples of `count` pixels, in pixels."""
    return np.asarray(first - 0.5 + (np.arange(count * oversampling) + 0.5) / oversampling)
