"""The inner loops of an exposure: samples placed between nodes, lit, and added up to pixels.

A sample of index s along an axis lies at s / 4 - 3 / 8 pixels, so that four fill each pixel.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from humay.arrays import FloatArray, IntArray
from humay.imaging.optics import SAMPLES, SUPPORT

REACH = (SUPPORT - SAMPLES) // 2  # samples beyond a pixel's own, to each side
MARGIN = 12  # samples that blocks have beyond their pixels along a line: whole pixels, >= REACH


@njit(cache=True, nogil=True)
def _cells(
    first_sample: int, samples: int, first_node: float, step: float, nodes: int
) -> tuple[IntArray, FloatArray]:
    """The node before each sample of an axis, and how far it is towards the next, 0 to 1."""
    before, share = np.empty(samples, np.int64), np.empty(samples)
    for s in range(samples):
        place = ((first_sample + s) / SAMPLES - 0.375 - first_node) / step
        before[s] = min(max(math.floor(place), 0), nodes - 2)
        share[s] = place - before[s]
    return before, share


@njit(cache=True, nogil=True)
def place_samples(
    a: FloatArray,
    b: FloatArray,
    first_node: tuple[float, float],
    step: float,
    first_sample: tuple[int, int],
    lon_rad: float,
    pole: int,
    lon: FloatArray,
    lat: FloatArray,
) -> None:
    """Longitude and latitude of samples: coordinates of nodes, bilinear, off the chart."""
    across = np.empty((2, a.shape[1]))
    above, down = _cells(first_sample[0], lon.shape[0], first_node[0], step, a.shape[0])
    left, right = _cells(first_sample[1], lon.shape[1], first_node[1], step, a.shape[1])
    for i in range(lon.shape[0]):
        m, u = above[i], down[i]
        for n in range(a.shape[1]):
            across[0, n] = a[m, n] + u * (a[m + 1, n] - a[m, n])
            across[1, n] = b[m, n] + u * (b[m + 1, n] - b[m, n])
        for j in range(lon.shape[1]):
            n, v = left[j], right[j]
            x = across[0, n] + v * (across[0, n + 1] - across[0, n])
            y = across[1, n] + v * (across[1, n + 1] - across[1, n])
            if pole == 0:
                x += lon_rad
                if x > math.pi:
                    x -= 2.0 * math.pi
                elif x < -math.pi:
                    x += 2.0 * math.pi
                lon[i, j], lat[i, j] = x, y
            else:
                lon[i, j] = math.atan2(y, x)
                lat[i, j] = pole * (0.5 * math.pi - math.hypot(x, y))


@njit(cache=True, nogil=True)
def gather(
    reflectance: FloatArray,
    sky: FloatArray,
    ground: FloatArray,
    first_node: tuple[float, float],
    step: float,
    first_sample: tuple[int, int],
    taps: FloatArray,
    out: FloatArray,
) -> None:
    """Mean radiance of pixels (rows, cols): `sky` + `ground` x reflectance, blurred by the taps.

    `sky` and `ground` are radiances at the nodes. The samples are laid out by their place in the
    pixel, so that the innermost loop runs over neighbours in memory.
    """
    samples, cols = reflectance.shape[0], out.shape[1]
    wide = reflectance.shape[1] // SAMPLES
    light = np.empty((samples, SAMPLES, wide))
    across = np.empty((2, sky.shape[1]))
    above, down = _cells(first_sample[0], samples, first_node[0], step, sky.shape[0])
    left, right = _cells(first_sample[1], SAMPLES * wide, first_node[1], step, sky.shape[1])
    for i in range(samples):
        m, u = above[i], down[i]
        for n in range(sky.shape[1]):
            across[0, n] = sky[m, n] + u * (sky[m + 1, n] - sky[m, n])
            across[1, n] = ground[m, n] + u * (ground[m + 1, n] - ground[m, n])
        for j in range(SAMPLES * wide):
            n, v = left[j], right[j]
            air = across[0, n] + v * (across[0, n + 1] - across[0, n])
            lit = across[1, n] + v * (across[1, n + 1] - across[1, n])
            light[i, j % SAMPLES, j // SAMPLES] = air + lit * reflectance[i, j]
    for i in range(out.shape[0]):
        row = out[i]
        row[:] = 0.0
        for k in range(SUPPORT):
            for tap in range(SAMPLES):
                place = tap + MARGIN - REACH
                line, first = light[i * SAMPLES + k, place % SAMPLES], place // SAMPLES
                a, b, c, d, e, f = taps[k, tap::SAMPLES]
                for j in range(cols):
                    p = j + first
                    row[j] += (
                        a * line[p] + b * line[p + 1] + c * line[p + 2]
                        + d * line[p + 3] + e * line[p + 4] + f * line[p + 5]
                    )  # fmt: skip
