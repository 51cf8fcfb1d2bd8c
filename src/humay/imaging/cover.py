"""What lies on the synthetic ground, and how much light of one band it returns.

For every sample, in this order, each layer over the one before: wild land (meadow, scrub, forest,
rock by height); farmland, with its tracks, hedges, villages and roads; a winding country road;
beach; water; targets. Every boundary is a signed distance, and a footprint of width f covers its
side by a box filter across it; where several meet, coverages multiply, which is exact for square
footprints along both. Texture of 3 and 11 m is faded out as f comes near its wavelength.
"""

from __future__ import annotations

import math

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.compiled import kernel
from humay.imaging.cells import ROW_KEYS, address
from humay.imaging.farm import CELL_KEYS, SEAM_ROAD_M, farmland, load_cell
from humay.imaging.marks import MOST_NEAR, find_near, on_target
from humay.imaging.materials import (
    ASPEN_FOREST,
    ASPHALT,
    BASALT,
    BEACH_SAND,
    CHEATGRASS,
    COASTAL_WATER,
    DRY_GRASS,
    LIMESTONE,
    MEADOW,
    OAK_SCRUB,
    OPEN_WATER,
    PINE_FOREST,
    SAGEBRUSH,
    TURBID_WATER,
    covered,
    laid,
    strip,
)
from humay.imaging.noise import mixed, remembered_noise
from humay.imaging.patches import (
    CACHE,
    FARM,
    FARM_SLOPE,
    FIELDS,
    FOREST,
    FOREST_SLOPE,
    LANE,
    LANE_SLOPE,
    MOIST,
    SHORE,
    cubic,
    distance,
    field_at,
    load_patch,
    only_farmland,
)
from humay.imaging.relief import STEEPEST_SLOPE

MAX_FOOTPRINT_M = 2.0 * SEAM_ROAD_M  # a wider one would see both sides of a seam at once
FINE_M, COARSE_M = 3.0, 11.0  # texture
TEXTURE = 1.46  # brings the two noises together to a spread (one sigma) of 1
FOREST_EDGE_M = 16.0
LANE_M = 4.5  # half width
BEACH_HIGH_M, BEACH_WIDE_M = 3.0, 60.0  # over and from the water: thins out over the outer half
FAINTEST_LANE = 2e-5  # gradient per metre below which the winding road thins out


@kernel
def wild(shore: float, forest: float, moist: float, rho: FloatArray) -> tuple[float, float]:
    """Land nobody tills: `forest` is a share, `shore` metres over the water."""
    wet = min(max(0.5 + 0.6 * moist, 0.0), 1.0)
    grass = (
        0.75 * wet * rho[MEADOW]
        + (1.0 - wet) * (0.5 * rho[DRY_GRASS] + 0.25 * rho[CHEATGRASS])
        + (0.25 * (1.0 - wet) + 0.15 * wet) * rho[SAGEBRUSH]
        + 0.10 * wet * rho[OAK_SCRUB]
    )
    bare = min(max((shore - 430.0 - 110.0 * moist) / 90.0, 0.0), 1.0)
    lime = min(max(0.5 + 0.9 * moist, 0.0), 1.0)
    rock = 0.7 * (lime * rho[LIMESTONE] + (1.0 - lime) * rho[BASALT]) + 0.3 * grass
    conifers = min(max(0.5 - 0.8 * moist + shore / 500.0, 0.0), 1.0)
    trees = conifers * rho[PINE_FOREST] + (1.0 - conifers) * rho[ASPEN_FOREST]
    forest *= 1.0 - bare
    open_ground = grass + bare * (rock - grass)
    return (
        open_ground + forest * (trees - open_ground),
        (1.0 - forest) * (0.12 + 0.08 * bare) * open_ground + forest * 0.25 * trees,
    )


@kernel
def sea(depth: float, moist: float, rho: FloatArray) -> float:
    """Water: silty at the shore, then coastal, then open; depth in metres of relief below it."""
    silt = 1.0 / (1.0 + 0.6 * depth)
    deep = depth / (depth + 25.0)
    silty = silt * min(max(0.6 + 0.5 * moist, 0.0), 1.0)
    clear: float = (1.0 - deep) * rho[COASTAL_WATER] + deep * rho[OPEN_WATER]
    turbid: float = rho[TURBID_WATER]
    return clear + silty * (turbid - clear)


@kernel
def ground(
    own: int, x: float, y: float, side: float, end: float, s: float, t: float, footprint: float,
    patch: FloatArray, cell: FloatArray, rho: FloatArray, memo: FloatArray,
) -> tuple[float, float]:  # fmt: skip
    """Reflectance and contrast of texture at place (s, t) of a patch, (x, y) of its cell."""
    a, b, c, d = cubic(s)
    e, f, g, h = cubic(t)
    shore = field_at(patch, SHORE, a, b, c, d, e, f, g, h)
    moist = field_at(patch, MOIST, a, b, c, d, e, f, g, h)
    water = 0.0 if shore > 0.0 else 1.0
    if abs(shore) < footprint * STEEPEST_SLOPE:
        water = 1.0 - covered(distance(shore, 1e-9, patch, SHORE, s, t), footprint)
    value, contrast = 0.0, 0.0
    if water < 1.0:
        farm = field_at(patch, FARM, a, b, c, d, e, f, g, h)
        farm_share = 1.0 if farm > 0.0 else 0.0
        if abs(farm) < footprint * FARM_SLOPE:
            farm_share = covered(distance(farm, 1e-9, patch, FARM, s, t), footprint)
        if farm_share < 1.0:
            forest = field_at(patch, FOREST, a, b, c, d, e, f, g, h)
            wood = 1.0 if forest > 0.0 else 0.0
            if abs(forest) < FOREST_EDGE_M * FOREST_SLOPE:
                wood = distance(forest, 1e-9, patch, FOREST, s, t) / FOREST_EDGE_M
                wood = min(max(0.5 + wood, 0.0), 1.0)
            value, contrast = wild(shore, wood, moist, rho)
        if farm_share > 0.0:
            tilled, rough = farmland(own, x, y, side, end, footprint, cell, rho, memo)
            value, contrast = laid(value, contrast, farm_share, tilled, rough)
        lane = field_at(patch, LANE, a, b, c, d, e, f, g, h)
        if abs(lane) < (LANE_M + footprint) * LANE_SLOPE:
            cover = strip(distance(lane, FAINTEST_LANE, patch, LANE, s, t), LANE_M, footprint)
            value, contrast = laid(value, contrast, cover, rho[ASPHALT], 0.05 * rho[ASPHALT])
        if shore < BEACH_HIGH_M:
            away = distance(shore, 1e-9, patch, SHORE, s, t)
            cover = min(1.0, 2.0 - 2.0 * shore / BEACH_HIGH_M, 2.0 - 2.0 * away / BEACH_WIDE_M)
            cover = max(cover, 0.0)
            value, contrast = laid(value, contrast, cover, rho[BEACH_SAND], 0.05 * rho[BEACH_SAND])
    if water > 0.0:
        wet = sea(max(-shore, 0.0), moist, rho)
        value, contrast = laid(value, contrast, water, wet, 0.04 * wet)
    return value, contrast


@kernel
def texture_gain(footprint: float, wave: float) -> float:
    """1 for a point, falling smoothly to 0 where the footprint is as wide as the wave."""
    square = min(footprint / wave, 1.0) ** 2
    return (1.0 - square * square) ** 2 * (1.0 - 0.5 * square)


@kernel
def texture(
    s: float, t: float, gain: float, wave: float, key: int, patch: FloatArray, memo: FloatArray
) -> float:
    """Noise of one wavelength at place (s, t) of a patch, taken as flat."""
    if gain <= 0.0:
        return 0.0
    scale = 1.0 / wave
    x = patch[5, 5] + s * (patch[5, 6] - patch[5, 5]) + t * (patch[5, 9] - patch[5, 5])
    y = patch[6, 5] + s * (patch[6, 6] - patch[6, 5]) + t * (patch[6, 9] - patch[6, 5])
    z = patch[7, 5] + s * (patch[7, 6] - patch[7, 5]) + t * (patch[7, 9] - patch[7, 5])
    return gain * remembered_noise(x * scale, y * scale, z * scale, key, memo)


@kernel
def paint_samples(
    lon: FloatArray, lat: FloatArray, key: int, footprint: float, rho: FloatArray,
    targets: FloatArray, cell_names: IntArray, cell_targets: IntArray, out: FloatArray,
    cache_names: IntArray, cache: FloatArray, near: IntArray, patch: FloatArray, scale: FloatArray,
    cell: FloatArray, memo: FloatArray, fine_memo: FloatArray, coarse_memo: FloatArray,
) -> None:  # fmt: skip
    """As `paint`, which makes the scratch that stands after `out`: kernels allocate nothing."""
    fine_gain, coarse_gain = texture_gain(footprint, FINE_M), texture_gain(footprint, COARSE_M)
    fine_key, coarse_key = mixed(key + 300), mixed(key + 301)
    footprint = max(footprint, 1e-6)
    last_row, last_col, last_i, last_j, own, count, tilled = -1, -1, 0, 0, 0, 0, False
    for k in range(lon.size):
        row, col, x, y, side, end, s, t, cos_lat = address(lon[k], lat[k], scale)
        i, j = math.floor(s), math.floor(t)
        new_cell = row != last_row or col != last_col
        if new_cell:
            last_row, last_col = row, col
            own = load_cell(row, col, key, cell)
            memo[1] = memo[0]
        if new_cell or i != last_i or j != last_j:
            last_i, last_j = i, j
            load_patch(row, col, i, j, key, cache_names, cache, patch)
            tilled = only_farmland(patch)
            count = find_near(
                row, col, lon[k], lat[k], cos_lat, targets, cell_names, cell_targets, near
            )
        s, t = s - i, t - j
        if tilled:
            value, contrast = farmland(own, x, y, side, end, footprint, cell, rho, memo)
        else:
            value, contrast = ground(own, x, y, side, end, s, t, footprint, patch, cell, rho, memo)
        value += (contrast * TEXTURE) * (
            texture(s, t, fine_gain, FINE_M, fine_key, patch, fine_memo)
            + texture(s, t, coarse_gain, COARSE_M, coarse_key, patch, coarse_memo)
        )
        for q in range(count):
            bright, cover = on_target(targets, near[q], lon[k], lat[k], cos_lat, footprint)
            value += cover * (bright - value)
        out[k] = value


def paint(
    lon: FloatArray, lat: FloatArray, key: int, footprint: float, rho: FloatArray,
    marks: tuple[FloatArray, IntArray, IntArray],
) -> FloatArray:  # fmt: skip
    """Reflectance (n,) at n places, averaged over footprints; neighbours in a row are fast.

    `rho` holds the reflectance of each material in the band; `marks` a row of figures for each
    target, and which of them reach into which cell (names in order).
    """
    out = np.empty(lon.size)
    cache_names, cache = np.full(CACHE, -1, dtype=np.int64), np.empty((CACHE, FIELDS))
    near, patch = np.empty(MOST_NEAR, dtype=np.int64), np.empty((FIELDS, 16))
    scale, cell, memo = np.full(ROW_KEYS, -1.0), np.empty(CELL_KEYS), np.zeros(6)
    fine_memo, coarse_memo = np.full(11, 0.5), np.full(11, 0.5)
    paint_samples(
        lon, lat, key, footprint, rho, *marks, out,
        cache_names, cache, near, patch, scale, cell, memo, fine_memo, coarse_memo,
    )  # fmt: skip
    return out
