"""Compiled loops: where an image sees each pixel of a tile, and what it holds there.

Every pixel is computed from its own row and column alone, so that tiles and threads change no bit.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from humay.arrays import FloatArray

SATURATED, DEAD = 1, 2
"""Bits of a quality image; a pixel of a product has those of all pixels that it is made of."""

_Image: TypeAlias = NDArray[np.float32]
_Flags: TypeAlias = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def tile_positions(
    fields: FloatArray,
    spacing: tuple[int, int],
    reach_m: float,
    posts_m: _Image,
    first: tuple[int, int],
    row: FloatArray,
    col: FloatArray,
) -> None:
    """Fill `row` and `col` (rows, cols) with image positions of a tile; NaN without a height.

    `fields`, `spacing` and `reach_m` are those of a `Lattice`; the tile begins `first` pixels into
    its window. The same sums as `Lattice.positions`.
    """
    rows, cols = row.shape
    step_r, step_c = spacing
    first_cell = first[1] // step_c
    cells = (first[1] + cols - 1) // step_c - first_cell + 1
    line = np.empty((9, cells + 3))
    c = np.empty((9, 4))
    last_r, last_c = posts_m.shape[0] - 1, posts_m.shape[1] - 1
    for i in range(rows):
        cell_r = (first[0] + i) // step_r
        t = (first[0] + i - cell_r * step_r) / step_r
        w0 = -t * (t - 1) * (t - 2) / 6
        w1 = (t + 1) * (t - 1) * (t - 2) / 2
        w2 = -(t + 1) * t * (t - 2) / 2
        w3 = (t + 1) * t * (t - 1) / 6
        for f in range(9):
            for j in range(cells + 3):
                k = first_cell + j
                line[f, j] = (
                    w0 * fields[f, cell_r, k] + w1 * fields[f, cell_r + 1, k]
                    + w2 * fields[f, cell_r + 2, k] + w3 * fields[f, cell_r + 3, k]
                )  # fmt: skip
        for j in range(cells):
            for f in range(9):
                p, q, r, s = line[f, j], line[f, j + 1], line[f, j + 2], line[f, j + 3]
                c[f, 0] = q
                c[f, 1] = r - p / 3 - q / 2 - s / 6
                c[f, 2] = (p + r) / 2 - q
                c[f, 3] = (s - p) / 6 + (q - r) / 2
            begin = (first_cell + j) * step_c - first[1]
            for n in range(max(begin, 0), min(begin + step_c, cols)):
                u = (n - begin) / step_c
                post_r = c[0, 0] + u * (c[0, 1] + u * (c[0, 2] + u * c[0, 3]))
                post_c = c[1, 0] + u * (c[1, 1] + u * (c[1, 2] + u * c[1, 3]))
                if not (-1e-7 <= post_r <= last_r + 1e-7 and -1e-7 <= post_c <= last_c + 1e-7):
                    row[i, n] = np.nan
                    col[i, n] = np.nan
                    continue
                a = min(max(int(post_r), 0), last_r - 1)
                b = min(max(int(post_c), 0), last_c - 1)
                x, y = post_c - b, post_r - a
                upper = posts_m[a, b] + x * (np.float64(posts_m[a, b + 1]) - posts_m[a, b])
                lower = posts_m[a + 1, b] + x * (
                    np.float64(posts_m[a + 1, b + 1]) - posts_m[a + 1, b]
                )
                h0 = c[2, 0] + u * (c[2, 1] + u * (c[2, 2] + u * c[2, 3]))
                eta = (upper + y * (lower - upper) - h0) / reach_m
                r0 = c[3, 0] + u * (c[3, 1] + u * (c[3, 2] + u * c[3, 3]))
                r1 = c[4, 0] + u * (c[4, 1] + u * (c[4, 2] + u * c[4, 3]))
                r2 = c[5, 0] + u * (c[5, 1] + u * (c[5, 2] + u * c[5, 3]))
                c0 = c[6, 0] + u * (c[6, 1] + u * (c[6, 2] + u * c[6, 3]))
                c1 = c[7, 0] + u * (c[7, 1] + u * (c[7, 2] + u * c[7, 3]))
                c2 = c[8, 0] + u * (c[8, 1] + u * (c[8, 2] + u * c[8, 3]))
                row[i, n] = r0 + eta * (r1 + eta * r2)
                col[i, n] = c0 + eta * (c1 + eta * c2)


@njit(cache=True, nogil=True)
def sample_cubic(
    image: _Image,
    flags: _Flags,
    start: tuple[int, int],
    own: tuple[float, float],
    row: FloatArray,
    col: FloatArray,
    value: _Image,
    flag: _Flags,
    depth: FloatArray,
) -> None:
    """Put what an image holds at `row`, `col` into `value` and `flag` where it has the say.

    `image` and `flags` are the part of it that begins at pixel `start`; `flags` may be empty. The
    kernel is Keys' cubic with a = -0.5 (IEEE Trans. ASSP 29, 1981); a pixel whose 4 x 4 support is
    not wholly recorded is left alone. Of several images that see a place, the one has the say that
    sees it deepest inside its `own` columns; `depth` is how deep the best so far does.
    """
    rows, cols = image.shape
    flagged = flags.size > 0
    for i in range(row.shape[0]):
        for j in range(row.shape[1]):
            y, x = row[i, j] - start[0], col[i, j] - start[1]
            if not (1.0 <= y <= rows - 2.0 and 1.0 <= x <= cols - 2.0):  # also leaves NaN alone
                continue
            inside = min(col[i, j] - own[0], own[1] - col[i, j])
            if not inside > depth[i, j]:
                continue
            top, left = min(int(y), rows - 3), min(int(x), cols - 3)
            t, u = y - top, x - left
            a0, a1, a2, a3 = _keys(t)
            b0, b1, b2, b3 = _keys(u)
            found = (
                a0 * _along(image, top - 1, left, b0, b1, b2, b3)
                + a1 * _along(image, top, left, b0, b1, b2, b3)
                + a2 * _along(image, top + 1, left, b0, b1, b2, b3)
                + a3 * _along(image, top + 2, left, b0, b1, b2, b3)
            )
            if math.isnan(found):
                continue
            value[i, j] = found
            depth[i, j] = inside
            bits = np.uint8(0)  # also where nothing is flagged: another source may have had the say
            if flagged:
                for a in range(top - 1, top + 3):
                    for b in range(left - 1, left + 3):
                        bits |= flags[a, b]
            flag[i, j] = bits


@njit(cache=True, nogil=True, inline="always")
def _keys(t: float) -> tuple[float, float, float, float]:
    """Weights of the pixels at -1, 0, 1, 2 for a place at t, 0 to 1."""
    return (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )


@njit(cache=True, nogil=True, inline="always")
def _along(image: _Image, row: int, left: int, b0: float, b1: float, b2: float, b3: float) -> float:
    """Four pixels of a row, from the one before `left`, by their weights."""
    total: float = (
        b0 * image[row, left - 1]
        + b1 * image[row, left]
        + b2 * image[row, left + 1]
        + b3 * image[row, left + 2]
    )
    return total


@njit(cache=True, nogil=True)
def sample_wide(
    image: _Image,
    flags: _Flags,
    start: tuple[int, int],
    own: tuple[float, float],
    scale: tuple[float, float],
    row: FloatArray,
    col: FloatArray,
    value: _Image,
    flag: _Flags,
    depth: FloatArray,
) -> None:
    """As `sample_cubic` with the kernel widened by `scale` (rows, cols), at least 1 each.

    For products coarser than their image, which would alias otherwise. The weights along an axis
    are made to sum up to 1 and to have their centre on the place itself.
    """
    rows, cols = image.shape
    reach_r, reach_c = 2.0 * scale[0], 2.0 * scale[1]
    down = np.empty(int(2 * reach_r) + 2)
    across = np.empty(int(2 * reach_c) + 2)
    for i in range(row.shape[0]):
        for j in range(row.shape[1]):
            y, x = row[i, j] - start[0], col[i, j] - start[1]
            if not (reach_r - 1.0 <= y <= rows - reach_r and reach_c - 1.0 <= x <= cols - reach_c):
                continue
            inside = min(col[i, j] - own[0], own[1] - col[i, j])
            if not inside > depth[i, j]:
                continue
            top, left = math.floor(y - reach_r) + 1, math.floor(x - reach_c) + 1
            high = _wide_weights(y - top, scale[0], down)
            wide = _wide_weights(x - left, scale[1], across)
            found = 0.0
            bits = np.uint8(0)
            for a in range(high):
                across_sum = 0.0
                for b in range(wide):
                    across_sum += across[b] * image[top + a, left + b]
                    if flags.size > 0:
                        bits |= flags[top + a, left + b]
                found += down[a] * across_sum
            if not math.isnan(found):
                value[i, j] = found
                flag[i, j] = bits
                depth[i, j] = inside


@njit(cache=True, nogil=True)
def _wide_weights(place: float, scale: float, weights: FloatArray) -> int:
    """Fill in the weights of pixels 0, 1, ... for a place among them; how many there are."""
    count = math.ceil(place + 2.0 * scale)
    sum0, sum1, roof0, roof1, roof2 = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(count):
        d = k - place
        t = abs(d) / scale
        if t < 1.0:
            weights[k] = (1.5 * t - 2.5) * t * t + 1.0
        else:
            weights[k] = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0
        roof = 1.0 - 0.5 * t
        sum0 += weights[k]
        sum1 += weights[k] * d
        roof0 += roof
        roof1 += roof * d
        roof2 += roof * d * d
    sum1 /= sum0
    # Add roof x (p + q d), so that the weights still sum up to 1 and their centre becomes 0.
    size = roof0 * roof2 - roof1 * roof1
    p, q = sum1 * roof1 / size, -sum1 * roof0 / size
    for k in range(count):
        d = k - place
        weights[k] = weights[k] / sum0 + (1.0 - 0.5 * abs(d) / scale) * (p + q * d)
    return count
