"""The slow fields of the scene: noise at nodes 24 m apart, and smooth cubics in between.

The grid of nodes belongs to the address of a place, so every caller meets the same values whatever
it asks for, and in which order. Cells of one row share the nodes of their seam; the grids of two
rows differ along theirs, where the cubics of both are within a centimetre of height of the noise.
"""

from __future__ import annotations

import math

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.compiled import kernel
from humay.imaging.cells import CELL_M, STEPS, node_place
from humay.imaging.noise import mixed, noise
from humay.imaging.relief import HILLS_M, SOFT, on_ellipsoid, raw_relief

SHORE, FARM, FOREST, MOIST, LANE = range(5)  # fields of a node; then three of ITRF metres
FIELDS = 8
CACHE = 8192
NODE_M = CELL_M / STEPS

# The steepest each field can be, per metre: by the sum of the largest slopes of its noises.
FARM_SLOPE = 0.0047
FOREST_SLOPE = 0.0147
LANE_SLOPE = 0.00094


@kernel
def wave(x: float, y: float, z: float, length: float, key: int) -> float:
    return noise(x / length, y / length, z / length, key)


@kernel
def slow_fields(x: float, y: float, z: float, key: int, out: FloatArray) -> None:
    """The fields of one node, from its place on the ellipsoid.

    Short waves stand on lattices that are turned against those of the long ones: where a lattice
    lies flat on the ground its squares show, and so they never show in both.
    """
    raw, _, _, _, size, _, _, _ = raw_relief(x, y, z, key)
    out[SHORE] = raw + SOFT * size
    key = mixed(key + 100)
    p, q, r = 0.36 * x + 0.48 * y - 0.8 * z, 0.6 * y - 0.8 * x, 0.48 * x + 0.64 * y + 0.6 * z
    u, v, w = 0.36 * p + 0.48 * q - 0.8 * r, 0.6 * q - 0.8 * p, 0.48 * p + 0.64 * q + 0.6 * r
    out[FARM] = (
        wave(x, y, z, 5200.0, key)
        + 0.4 * wave(p, q, r, 1300.0, key + 1)
        + 0.15 * wave(u, v, w, 300.0, key + 9)
        + 0.65
        - 0.9 * size / HILLS_M
    )
    out[FOREST] = (
        wave(x, y, z, 1700.0, key + 2)
        + 0.5 * wave(p, q, r, 430.0, key + 3)
        + 0.2 * wave(u, v, w, 150.0, key + 4)
        - 0.15
    )
    out[MOIST] = (
        wave(x, y, z, 2600.0, key + 5)
        + 0.5 * wave(p, q, r, 600.0, key + 6)
        + 0.25 * wave(u, v, w, 170.0, key + 10)
    )
    out[LANE] = wave(x, y, z, 7000.0, key + 7) + 0.2 * wave(p, q, r, 1900.0, key + 8)
    out[5], out[6], out[7] = x, y, z


@kernel
def load_patch(
    row: int, col: int, i: int, j: int, key: int,
    cache_keys: IntArray, cache: FloatArray, patch: FloatArray,
) -> None:  # fmt: skip
    """The 4 x 4 nodes round patch (i, j) of a cell, computed where the cache has them not."""
    for b in range(4):
        for a in range(4):
            name = (((row << 16) + col) << 16) + ((i + a + 99) << 8) + (j + b + 99)
            place = mixed(name ^ (name >> 32)) & (CACHE - 1)
            if cache_keys[place] != name:
                lon, lat = node_place(row, col, i + a - 1, j + b - 1)
                x, y, z, _, _, _ = on_ellipsoid(lon, lat)
                slow_fields(x, y, z, key, cache[place])
                cache_keys[place] = name
            for q in range(FIELDS):
                patch[q, 4 * b + a] = cache[place, q]


@kernel
def only_farmland(patch: FloatArray) -> bool:
    """Whether nothing but farmland can be met in a patch: cubics overshoot by a third at most."""
    low_shore, high_shore = np.inf, -np.inf
    low_farm, high_farm = np.inf, -np.inf
    low_lane, high_lane = np.inf, -np.inf
    for k in range(16):
        low_shore, high_shore = min(low_shore, patch[SHORE, k]), max(high_shore, patch[SHORE, k])
        low_farm, high_farm = min(low_farm, patch[FARM, k]), max(high_farm, patch[FARM, k])
        low_lane, high_lane = min(low_lane, patch[LANE, k]), max(high_lane, patch[LANE, k])
    spread = 0.34 * (high_lane - low_lane)
    return (
        low_shore - 0.34 * (high_shore - low_shore) > 5.0
        and low_farm - 0.34 * (high_farm - low_farm) > 0.05
        and (low_lane - spread > 0.02 or high_lane + spread < -0.02)
    )


@kernel
def cubic(t: float) -> tuple[float, float, float, float]:
    """Catmull-Rom weights of four nodes."""
    return (
        t * (t * (1.0 - 0.5 * t) - 0.5),
        t * t * (1.5 * t - 2.5) + 1.0,
        t * (t * (2.0 - 1.5 * t) + 0.5),
        t * t * (0.5 * t - 0.5),
    )


@kernel
def cubic_slope(t: float) -> tuple[float, float, float, float]:
    return (
        t * (2.0 - 1.5 * t) - 0.5,
        t * (4.5 * t - 5.0),
        t * (4.0 - 4.5 * t) + 0.5,
        t * (1.5 * t - 1.0),
    )


@kernel
def field_at(
    patch: FloatArray, field: int, a: float, b: float, c: float, d: float, e: float, f: float,
    g: float, h: float,
) -> float:  # fmt: skip
    """A field inside a patch, by the weights a to d of its columns and e to h of its rows."""
    p = a * patch[field, 0] + b * patch[field, 1] + c * patch[field, 2] + d * patch[field, 3]
    q = a * patch[field, 4] + b * patch[field, 5] + c * patch[field, 6] + d * patch[field, 7]
    r = a * patch[field, 8] + b * patch[field, 9] + c * patch[field, 10] + d * patch[field, 11]
    u = a * patch[field, 12] + b * patch[field, 13] + c * patch[field, 14] + d * patch[field, 15]
    value: float = e * p + f * q + g * r + h * u
    return value


@kernel
def distance(
    value: float, least: float, patch: FloatArray, field: int, s: float, t: float
) -> float:
    """Metres from the line where a field is zero: the field over its gradient, at least `least`.

    `value` is the field at shares (s, t) of the patch.
    """
    a, b, c, d = cubic(s)
    da, db, dc, dd = cubic_slope(s)
    across, slope = cubic(t), cubic_slope(t)
    gx, gy = 0.0, 0.0
    for row in range(4):
        p, q = patch[field, 4 * row], patch[field, 4 * row + 1]
        r, u = patch[field, 4 * row + 2], patch[field, 4 * row + 3]
        gx += across[row] * (da * p + db * q + dc * r + dd * u)
        gy += slope[row] * (a * p + b * q + c * r + d * u)
    return value / max(math.hypot(gx, gy) / NODE_M, least)
