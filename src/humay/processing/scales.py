"""Compiled loops between the grid of PAN and that of the colours, which share their corner.

`ratio` x `ratio` pixels of PAN fill one colour pixel, so the centre of the first of them lies
(ratio - 1) / 2 PAN pixels before that of the colour pixel.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.float32]


@njit(cache=True, nogil=True)
def lowered(image: Image, taps: Image, ratio: int) -> Image:
    """A fine image (rows, cols) on the coarse grid: round each coarse pixel, the sum of taps x
    pixels along both axes.

    `taps` begin as many pixels before those of a coarse pixel as they end after. Pixels that are
    NaN or beyond the edge do not count; NaN where they have half of the weight or more.
    """
    rows, cols = image.shape[0] // ratio, image.shape[1] // ratio
    halo = (taps.size - ratio) // 2
    result = np.empty((rows, cols), dtype=np.float32)
    total = np.empty(image.shape[1], dtype=np.float32)
    weight = np.empty(image.shape[1], dtype=np.float32)
    for i in range(rows):
        total[:] = 0
        weight[:] = 0
        for t in range(taps.size):
            k = i * ratio - halo + t
            if 0 <= k < image.shape[0]:
                for n in range(image.shape[1]):
                    known = image[k, n] == image[k, n]
                    total[n] += taps[t] * image[k, n] if known else np.float32(0)
                    weight[n] += taps[t] if known else np.float32(0)
        for j in range(cols):
            a, b = np.float32(0), np.float32(0)
            for t in range(taps.size):
                n = j * ratio - halo + t
                if 0 <= n < image.shape[1]:
                    a += taps[t] * total[n]
                    b += taps[t] * weight[n]
            result[i, j] = a / b if b > np.float32(0.5) else np.float32(np.nan)
    return result


@njit(cache=True, nogil=True)
def raised(image: Image, ratio: int) -> Image:
    """A coarse image (rows, cols) on the fine grid by Keys' cubic with a = -0.5, edges held."""
    rows, cols = image.shape
    result = np.empty((rows * ratio, cols * ratio), dtype=np.float32)
    line = np.empty(cols + 4, dtype=np.float32)
    weights = np.empty((ratio, 4), dtype=np.float32)
    before = np.empty(ratio, dtype=np.int64)
    for phase in range(ratio):
        place = (phase - 0.5 * (ratio - 1)) / ratio
        before[phase] = math.floor(place)
        t = place - before[phase]
        weights[phase, 0] = ((-0.5 * t + 1.0) * t - 0.5) * t
        weights[phase, 1] = (1.5 * t - 2.5) * t * t + 1.0
        weights[phase, 2] = ((-1.5 * t + 2.0) * t + 0.5) * t
        weights[phase, 3] = (0.5 * t - 0.5) * t * t
    for i in range(rows):
        for phase in range(ratio):
            above = i + before[phase]
            r0, r1 = max(above - 1, 0), max(above, 0)
            r2, r3 = min(above + 1, rows - 1), min(above + 2, rows - 1)
            w = weights[phase]
            for j in range(cols):
                line[j + 2] = (
                    w[0] * image[r0, j] + w[1] * image[r1, j]
                    + w[2] * image[r2, j] + w[3] * image[r3, j]
                )  # fmt: skip
            line[0] = line[1] = line[2]
            line[cols + 2] = line[cols + 3] = line[cols + 1]
            out = result[i * ratio + phase]
            for k in range(ratio):
                v0, v1, v2, v3 = weights[k, 0], weights[k, 1], weights[k, 2], weights[k, 3]
                start = before[k] + 1
                for j in range(cols):
                    n = start + j
                    out[j * ratio + k] = (
                        v0 * line[n] + v1 * line[n + 1] + v2 * line[n + 2] + v3 * line[n + 3]
                    )
    return result


@njit(cache=True, nogil=True)
def injected(
    colour: Image,
    low: Image,
    like: Image,
    fine: Image,
    regression: tuple[float, float, float, float],
    limits: tuple[float, float],
) -> Image:
    """PAN's detail put into a colour band; all images on PAN's grid (see `pansharpen`).

    `regression` is gain, offset, haze and the least that detail is divided by; `limits` are those
    of what detail may do to a pixel.
    """
    gain, offset = np.float32(regression[0]), np.float32(regression[1] - regression[2])
    haze, floor = np.float32(regression[2]), np.float32(regression[3])
    least, most = np.float32(limits[0]), np.float32(limits[1])
    zero, one = np.float32(0), np.float32(1)
    result = np.empty(fine.shape, dtype=np.float32)
    for i in range(fine.shape[0]):
        for j in range(fine.shape[1]):
            below = max(gain * low[i, j] + offset, floor)
            share = min(max(like[i, j], zero), one)
            detail = one + share * gain * (fine[i, j] - low[i, j]) / below
            kept = min(max(detail, least), most) if detail == detail else detail
            result[i, j] = haze + (colour[i, j] - haze) * kept
    return result
