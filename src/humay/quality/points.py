"""Where to measure a product: evenly over what it shows of textured ground.

The choice sees the product alone, never how well it lies.
"""

from __future__ import annotations

import math

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray

NEAR_EDGE = 0.1
"""A point is near the edge if its chip comes so near to it, as a share of the product's side."""

LEAST_TEXTURE = 0.05
"""Of the texture that one chip in ten exceeds; open water and the like have less."""


def places(valid: BoolArray, *, step: int, size_px: int) -> IntArray:
    """First pixels (n, 2) of squares of `size_px`, half overlapping, that are valid throughout.

    `valid` is of every `step`-th pixel of a product.
    """
    full = _full(valid, math.ceil((size_px - 1) / step) + 1)
    spacing = max(size_px // (2 * step), 1)
    row, col = np.nonzero(full[::spacing, ::spacing])
    return np.stack([row, col], axis=-1) * (spacing * step)


def _full(valid: BoolArray, size: int) -> BoolArray:
    """Where the square of `size` that begins there is valid throughout."""
    sums = np.pad(np.cumsum(np.cumsum(valid, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
    rows, cols = (n - size + 1 for n in valid.shape)
    if rows < 1 or cols < 1:
        return np.zeros((0, 0), bool)
    count = sums[size:, size:] - sums[:rows, size:] - sums[size:, :cols] + sums[:rows, :cols]
    return np.asarray(count == size * size)


def textures(strip: FloatArray, first: IntArray) -> FloatArray:
    """How well squares of a strip (rows, cols) tell both coordinates, from columns `first` on.

    The smaller eigenvalue of the structure tensor (W. Foerstner and E. Guelch, ISPRS
    Intercommission Workshop (1987)); 0 where pixels are missing.
    """
    size = strip.shape[0]
    down, across = np.gradient(strip)
    missing = ~(np.isfinite(down) & np.isfinite(across))
    down, across = np.where(missing, 0.0, down), np.where(missing, 0.0, across)
    columns = np.stack([down * down, down * across, across * across, missing]).sum(axis=1)
    sums = np.pad(np.cumsum(columns, axis=1), ((0, 0), (1, 0)))
    a, b, c, holes = sums[:, first + size] - sums[:, first]
    least = (a + c) / 2 - np.hypot((a - c) / 2, b)
    return np.where(holes > 0, 0.0, least / size**2)


def choose(corners: IntArray, texture: FloatArray, points: int) -> list[tuple[int, int]]:
    """The best textured place of each of as many parts, from top to bottom and left to right.

    Parts are equal: bands of rows that hold as many textured places, cut across into as many again.
    Whatever the outline of the product and of its water, they cover it.
    """
    if not texture.size or texture.max() <= 0:
        return []
    good = np.flatnonzero(texture >= max(LEAST_TEXTURE * np.percentile(texture, 90), 1e-300))
    bands = max(round(math.sqrt(points)), 1)
    chosen = []
    for i, band in enumerate(np.array_split(good, bands)):
        parts = (i + 1) * points // bands - i * points // bands
        across = band[np.argsort(corners[band, 1], kind="stable")]
        for part in np.array_split(across, parts):
            if part.size:
                row, col = corners[part[np.argmax(texture[part])]]
                chosen.append((int(row), int(col)))
    return chosen


def near_edge(valid: BoolArray, row: float, col: float, reach: int) -> bool:
    """Whether a square of half-width `reach` about a place leaves what is valid."""
    top, left = round(row) - reach, round(col) - reach
    end, right = top + 2 * reach + 1, left + 2 * reach + 1
    if top < 0 or left < 0 or end > valid.shape[0] or right > valid.shape[1]:
        return True
    return not bool(valid[top:end, left:right].all())
