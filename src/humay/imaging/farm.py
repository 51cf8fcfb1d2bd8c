"""Tilled land: parcels, tracks and hedges, villages, and the roads between the cells.

Each cell of the address has a lattice of its own, turned by up to 34 deg. Its columns are cut into
parcels of their own length; what grows on one, and how, is drawn from its place in the lattice.
"""

from __future__ import annotations

import math

from humay.arrays import FloatArray
from humay.compiled import kernel
from humay.imaging.materials import (
    ASPHALT,
    BLUE_TARP,
    BROWN_SAND,
    CHEATGRASS,
    CONCRETE,
    DARK_SHINGLE,
    DRY_GRASS,
    GREEN_FIBREGLASS,
    GREEN_GRASS,
    GREEN_LEAF,
    GREEN_TARP,
    MEADOW,
    OAK_SCRUB,
    PAINTED_METAL,
    PLAYA,
    PURPLE_FLOWER,
    RED_BRICK,
    RED_SOIL,
    SAGEBRUSH,
    SEDIMENT,
    STUBBLE,
    YELLOW_FLOWER,
    YELLOW_LEAF,
    covered,
    laid,
    strip,
)
from humay.imaging.noise import drawn, mixed, share

SEAM_ROAD_M, SEAM_VERGE_M = 3.5, 6.0  # half widths
HEDGE_M, TRACK_M, STREET_M = 3.0, 2.0, 2.5
PLOT_U_M, PLOT_V_M = 26.0, 34.0
STREETS_U_M, STREETS_V_M = 130.0, 68.0  # apart: 5 and 2 plots

COS, SIN, WIDTH, PHASE, SOIL, VILLAGE_X, VILLAGE_Y, VILLAGE_M, CELL_KEYS = range(9)
COLUMN_BITS, EDGE_BITS, PLOT_BITS = 1 << 20, 1 << 21, 1 << 22  # beyond any place in a lattice


@kernel
def load_cell(row: int, col: int, key: int, cell: FloatArray) -> int:
    """Draw what is the same all over one cell; returns its key."""
    own = drawn(mixed(key + 200), row, col)
    turn = (share(own, 0) - 0.5) * 1.2 if share(own, 1) < 0.6 else 0.0
    cell[COS], cell[SIN] = math.cos(turn), math.sin(turn)
    cell[WIDTH] = 55.0 + 150.0 * share(own, 2) ** 2
    cell[PHASE] = share(own, 3)
    cell[SOIL] = share(own, 4)
    cell[VILLAGE_M] = 70.0 + 160.0 * share(own, 5) if share(own, 6) < 1.0 / 3.0 else 0.0
    cell[VILLAGE_X] = (share(own, 7) - 0.5) * 300.0
    cell[VILLAGE_Y] = (share(own, 8) - 0.5) * 300.0
    return own


@kernel
def soil(kind: float, bits: int, rho: FloatArray) -> float:
    """Bare ground of a parcel: two soils of its cell, in its own proportions, and its moisture."""
    part = share(bits, 11)
    if kind < 0.35:
        dry: float = part * rho[RED_SOIL] + (1.0 - part) * rho[BROWN_SAND]
    elif kind < 0.65:
        dry = part * rho[PLAYA] + (1.0 - part) * rho[SEDIMENT]
    else:
        dry = part * rho[BROWN_SAND] + (1.0 - part) * rho[SEDIMENT]
    return dry * (1.0 - 0.45 * share(bits, 12))


@kernel
def parcel(
    own: int, column: int, place: int, cell: FloatArray, rho: FloatArray
) -> tuple[float, float]:
    """Reflectance of one parcel and its contrast of texture (one sigma).

    Each mixes two or three materials in proportions of its own; what a crop covers is partly in its
    own shade.
    """
    bits = drawn(own, column, place)
    crop, part, cover, lit = share(bits, 0), share(bits, 1), share(bits, 3), share(bits, 2)
    ground = soil(cell[SOIL], bits, rho)
    lit = 0.55 + 0.3 * lit
    if crop < 0.26:
        leaf = lit * (part * rho[GREEN_GRASS] + (1.0 - part) * rho[GREEN_LEAF])
        cover = 0.35 + 0.6 * cover
        return cover * leaf + (1.0 - cover) * ground, 0.10 * leaf
    if crop < 0.44:
        straw = part * rho[DRY_GRASS] + (1.0 - part) * rho[STUBBLE]
        cover = 0.5 + 0.5 * cover
        return cover * straw + (1.0 - cover) * ground, 0.08 * straw
    if crop < 0.66:
        return ground, 0.10 * ground
    if crop < 0.75:
        grass = part * rho[MEADOW] + (1.0 - part) * rho[CHEATGRASS]
        cover = 0.3 * cover
        return (1.0 - cover) * grass + cover * rho[SAGEBRUSH], 0.12 * grass
    if crop < 0.81:
        bloom = 0.1 + 0.35 * cover
        leaf = bloom * rho[YELLOW_FLOWER] + (0.8 - bloom) * rho[GREEN_LEAF]
        return lit * leaf + 0.2 * ground, 0.07 * leaf
    if crop < 0.86:
        bloom = 0.2 + 0.4 * cover
        leaf = bloom * rho[PURPLE_FLOWER] + (0.7 - bloom) * rho[GREEN_LEAF]
        return lit * leaf + 0.3 * ground, 0.10 * leaf
    if crop < 0.88:
        cloth = rho[GREEN_TARP] if part < 0.6 else rho[BLUE_TARP]
        cover = 0.5 + 0.45 * cover
        return cover * cloth + (1.0 - cover) * ground, 0.05 * ground
    leaf = 0.25 * rho[YELLOW_LEAF] + 0.35 * part * rho[OAK_SCRUB] + 0.2 * rho[GREEN_LEAF]
    return lit * leaf + (0.55 - 0.35 * part) * ground, 0.22 * leaf


@kernel
def in_column(
    own: int, column: int, v: float, footprint: float, cell: FloatArray, rho: FloatArray
) -> tuple[float, float, float, float]:  # fmt: skip
    """Parcels of one column of the lattice, blended across the edges that cross it.

    Reflectance and contrast, and the edges before and behind.
    """
    bits = drawn(own, column, COLUMN_BITS)
    length, shift = 90.0 + 240.0 * share(bits, 0), share(bits, 1)
    at = v / length + shift
    place = math.floor(at)
    value, contrast = parcel(own, column, place, cell, rho)
    part = at - place
    gap = min(part, 1.0 - part) * length
    if gap < 0.5 * footprint:
        beyond, rough = parcel(own, column, place + (1 if part > 0.5 else -1), cell, rho)
        c = covered(gap, footprint)
        value, contrast = laid(beyond, rough, c, value, contrast)
    return value, contrast, (place - shift) * length, (place + 1 - shift) * length


@kernel
def fields(
    own: int, u: float, v: float, footprint: float, cell: FloatArray, rho: FloatArray,
    memo: FloatArray,
) -> tuple[float, float]:  # fmt: skip
    """Parcels, with the tracks and hedges between columns.

    `memo` (6,) keeps a rectangle (u, v) well inside the last parcel, with its reflectance and
    contrast: most samples end there. New, it is empty.
    """
    if memo[0] < u < memo[1] and memo[2] < v < memo[3]:
        return memo[4], memo[5]
    width = cell[WIDTH]
    at = u / width + cell[PHASE]
    column = math.floor(at)
    part = at - column
    value, contrast, before, behind = in_column(own, column, v, footprint, cell, rho)
    gap = min(part, 1.0 - part) * width
    margin = 0.5 * footprint + 1e-6
    if gap > HEDGE_M + margin:
        if before + margin < v < behind - margin:
            memo[0] = (column - cell[PHASE]) * width + HEDGE_M + margin + 1e-6
            memo[1] = (column + 1 - cell[PHASE]) * width - HEDGE_M - margin - 1e-6
            memo[2], memo[3], memo[4], memo[5] = before + margin, behind - margin, value, contrast
        return value, contrast
    side = 1 if part > 0.5 else -1
    if gap < 0.5 * footprint:
        beyond, rough, _, _ = in_column(own, column + side, v, footprint, cell, rho)
        c = covered(gap, footprint)
        value, contrast = laid(beyond, rough, c, value, contrast)
    kind = share(drawn(own, column + max(side, 0), EDGE_BITS), 0)
    if kind < 0.30:
        c = strip(gap, TRACK_M, footprint)
        track = 0.6 * rho[PLAYA] + 0.4 * rho[SEDIMENT]
        return laid(value, contrast, c, track, 0.06 * track)
    if kind < 0.50:
        c = strip(gap, HEDGE_M, footprint)
        return laid(value, contrast, c, rho[OAK_SCRUB], 0.25 * rho[OAK_SCRUB])
    return value, contrast


@kernel
def roof(bits: int, rho: FloatArray) -> float:
    kind, age = share(bits, 1), 0.7 + 0.3 * share(bits, 2)
    if kind < 0.40:
        of_new: float = rho[RED_BRICK]
    elif kind < 0.65:
        of_new = rho[DARK_SHINGLE]
    elif kind < 0.82:
        of_new = rho[CONCRETE]
    elif kind < 0.95:
        of_new = rho[PAINTED_METAL]
    else:
        of_new = rho[GREEN_FIBREGLASS]
    return of_new * age


@kernel
def settled(own: int, i: int, j: int, size: float) -> float:
    """1 where a plot belongs to the village: its middle within an oval with a ragged rim."""
    x, y = (i + 0.5) * PLOT_U_M, (j + 0.5) * PLOT_V_M
    reach = size * (0.8 + 0.4 * share(drawn(own, i, j + PLOT_BITS), 11))
    return 1.0 if x * x * 0.6 + y * y * 1.5 < reach * reach else 0.0


@kernel
def village(
    own: int, u: float, v: float, size: float, footprint: float, rho: FloatArray
) -> tuple[float, float, float]:
    """Streets, and plots with a garden, a house and a tree: reflectance, contrast, share covered.

    `u, v` in metres from its middle.
    """
    at_u, at_v = u / PLOT_U_M, v / PLOT_V_M
    i, j = math.floor(at_u), math.floor(at_v)
    part_u, part_v = at_u - i, at_v - j
    next_i, next_j = i + (1 if part_u > 0.5 else -1), j + (1 if part_v > 0.5 else -1)
    c = covered(min(part_u, 1.0 - part_u) * PLOT_U_M, footprint)
    d = covered(min(part_v, 1.0 - part_v) * PLOT_V_M, footprint)
    own_row = c * settled(own, i, j, size) + (1.0 - c) * settled(own, next_i, j, size)
    next_row = c * settled(own, i, next_j, size) + (1.0 - c) * settled(own, next_i, next_j, size)
    inside = d * own_row + (1.0 - d) * next_row
    if inside <= 0.0:
        return 0.0, 0.0, 0.0
    garden = 0.3 * rho[GREEN_GRASS] + 0.3 * rho[MEADOW] + 0.4 * rho[SEDIMENT]
    bits = drawn(own, i, j + PLOT_BITS)
    x, y = (part_u - 0.5) * PLOT_U_M, (part_v - 0.5) * PLOT_V_M
    tree_x, tree_y = 9.0 * (share(bits, 8) - 0.5), 10.0 if share(bits, 9) < 0.5 else -10.0
    c = covered(2.0 + 1.5 * share(bits, 10) - math.hypot(x - tree_x, y - tree_y), footprint)
    value, contrast = laid(garden, 0.2 * garden, c, rho[OAK_SCRUB], 0.1 * rho[OAK_SCRUB])
    if share(bits, 0) < 0.85:
        c = strip(x - 4.0 * (share(bits, 3) - 0.5), 4.0 + 3.5 * share(bits, 5), footprint)
        c *= strip(y - 3.0 * (share(bits, 4) - 0.5), 3.5 + 3.0 * share(bits, 6), footprint)
        value, contrast = laid(value, contrast, c, roof(bits, rho), 0.0)
    street_u = u - STREETS_U_M * math.floor(u / STREETS_U_M + 0.5)
    street_v = v - STREETS_V_M * math.floor(v / STREETS_V_M + 0.5)
    c = crossing(street_u, street_v, STREET_M, footprint)
    value, contrast = laid(value, contrast, c, rho[ASPHALT], 0.05 * rho[ASPHALT])
    return value, contrast, inside


@kernel
def crossing(first: float, second: float, half: float, footprint: float) -> float:
    """Share of a footprint covered by either of two roads at right angles."""
    return 1.0 - (1.0 - strip(first, half, footprint)) * (1.0 - strip(second, half, footprint))


@kernel
def farmland(
    own: int, x: float, y: float, side: float, end: float, footprint: float, cell: FloatArray,
    rho: FloatArray, memo: FloatArray,
) -> tuple[float, float]:  # fmt: skip
    """Fields, a village in a third of the cells, and roads over the seams `side` and `end` away."""
    u, v = x * cell[COS] + y * cell[SIN], y * cell[COS] - x * cell[SIN]
    value, contrast = fields(own, u, v, footprint, cell, rho, memo)
    if cell[VILLAGE_M] > 0.0:
        u, v = u - cell[VILLAGE_X], v - cell[VILLAGE_Y]
        if u * u + v * v < (1.6 * cell[VILLAGE_M] + 30.0) ** 2:
            homes, rough, c = village(own, u, v, cell[VILLAGE_M], footprint, rho)
            value, contrast = laid(value, contrast, c, homes, rough)
    if min(side, end) < SEAM_VERGE_M + 0.5 * footprint:
        verge = 0.5 * rho[MEADOW] + 0.5 * rho[SEDIMENT]
        c = crossing(side, end, SEAM_VERGE_M, footprint)
        value, contrast = laid(value, contrast, c, verge, 0.12 * verge)
        c = crossing(side, end, SEAM_ROAD_M, footprint)
        value, contrast = laid(value, contrast, c, rho[ASPHALT], 0.05 * rho[ASPHALT])
    return value, contrast
