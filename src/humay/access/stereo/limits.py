"""The limits of a pair of looks as margins: at least 0 where a limit is met, smooth across 0."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from humay.access.stereo.motion import (
    END,
    PITCH,
    PITCH_AT,
    SETTLING,
    SUN,
    SUN_AT,
    SWATH,
    SWATH_AT,
    TIME,
    VIEW,
    VIEW_AT,
    dot3,
    slew_s,
    vector,
)
from humay.access.stereo.sweeps import (
    ALONG,
    BEGINS,
    EAST,
    HALF_WAY,
    NORTH,
    PLACE,
    PLACE_SIZE,
    PLACES,
    SCAN,
    SETTLE,
    Sweep,
)
from humay.arrays import FloatArray, IntArray
from humay.compiled import inner
from humay.mission import PairLimits

# In the order in which they are asked: what leaves least, and costs least, first.
WIDER, CLOSER, HIGHER, EVEN_FORE, EVEN_AFT = 0, 1, 2, 3, 4  # at each place
LIT, LEVEL_FORE, LEVEL_AFT, FLYABLE, SHARED = 5, 6, 7, 8, 9  # at the middle one
POLYGON = 2  # rows of the room to work in that hold polygons: this one and the next
ROOMY = 1e-9  # a limit that nothing can break is not asked
PARTS = np.array(  # of the second look and of the first, that each limit compares
    [
        [VIEW, VIEW, VIEW, VIEW, VIEW, SUN, PITCH, PITCH, SETTLING, SWATH],
        [VIEW, VIEW, VIEW, VIEW, VIEW, SUN, PITCH, PITCH, END, SWATH],
    ]
)

# Where in `Pair.bounds`: least and greatest convergence (rad) and their cosines; least bisector
# elevation and its sine, greatest asymmetry and its tangent, greatest change of the Sun and its
# cosine; least overlap; greatest pitch and its sine; least and greatest separation (s).
LEAST, MOST, COS_LEAST, COS_MOST, RISE, SIN_RISE, LEAN, TAN_LEAN = 0, 1, 2, 3, 4, 5, 6, 7
SUN_TURN, COS_SUN_TURN, COMMON, TILT, SIN_TILT, NEAREST, FARTHEST = 8, 9, 10, 11, 12, 13, 14


class Pair(NamedTuple):
    """Two sweeps, the first before the second, and what holds between a look from each.

    `asked` (k, 2): limit and place, for each that has to be checked. `bounds` (15,): what the
    constants above name. `forward`: the first look is held and the second moved; else the other
    way round.
    """

    first: Sweep
    second: Sweep
    asked: IntArray
    bounds: FloatArray
    forward: bool


def pair_of(
    first: Sweep,
    second: Sweep,
    limits: PairLimits,
    *,
    one_satellite: bool,
    max_pitch_rad: float = math.pi / 2,
) -> Pair:
    """Two sweeps within limits; `max_pitch_rad` is that of the second look, which `asked` leaves
    to `level_pair`."""
    low, high = limits.convergence_rad
    asked = [
        WIDER,
        *([CLOSER] if high < math.pi - ROOMY else []),
        *([HIGHER] if limits.min_bisector_elevation_rad > ROOMY else []),
        *([EVEN_FORE, EVEN_AFT] if limits.max_asymmetry_rad < math.pi / 2 - ROOMY else []),
        *([LIT] if limits.max_sun_change_rad < math.pi - ROOMY else []),
        *([FLYABLE] if one_satellite else []),
        *([SHARED] if limits.min_overlap > ROOMY else []),
    ]
    everywhere = range(int(first.fixed[PLACES]))
    checks = [(limit, m) for limit in asked for m in (everywhere if limit <= EVEN_AFT else [0])]
    return Pair(
        first=first,
        second=second,
        asked=np.array(checks, dtype=np.int64),
        bounds=np.array(
            [
                low,
                high,
                math.cos(low),
                math.cos(high),
                limits.min_bisector_elevation_rad,
                math.sin(limits.min_bisector_elevation_rad),
                limits.max_asymmetry_rad,
                math.tan(limits.max_asymmetry_rad),
                limits.max_sun_change_rad,
                math.cos(limits.max_sun_change_rad),
                limits.min_overlap,
                max_pitch_rad,
                math.sin(max_pitch_rad),
                limits.min_separation_s,
                limits.max_separation_s,
            ]
        ),
        forward=True,
    )


def level_pair(pair: Pair) -> Pair:
    """The same, with nothing asked but the pitch of the second look."""
    bounds = pair.bounds.copy()
    bounds[NEAREST], bounds[FARTHEST] = -math.inf, math.inf
    return pair._replace(asked=np.array([(LEVEL_FORE, 0), (LEVEL_AFT, 0)]), bounds=bounds)


def parts_of(*pairs: Pair) -> int:
    """The parts of looks that the limits of pairs compare."""
    asked = np.concatenate([pair.asked[:, 0] for pair in pairs])
    return int(np.bitwise_or.reduce(PARTS[:, asked], axis=None))


@inner
def margin(
    pair: Pair, limit: int, m: int, look_1: FloatArray, look_2: FloatArray, room: FloatArray
) -> float:
    """How far one limit is met, of the views at place `m`; the pitch is that of the second look."""
    bounds = pair.bounds
    if limit <= EVEN_AFT:
        return view_margin(pair, limit, m, look_1, look_2)
    if limit == LIT:
        return float(sun_cosine(look_1, look_2) - bounds[COS_SUN_TURN])
    if limit == LEVEL_FORE:
        return float(bounds[SIN_TILT] - look_2[PITCH_AT])
    if limit == LEVEL_AFT:
        return float(bounds[SIN_TILT] + look_2[PITCH_AT])
    if limit == FLYABLE:
        return spare_s(pair, look_1, look_2)
    return float(overlap(pair.first, look_1, pair.second, look_2, room) - bounds[COMMON])


@inner
def view_margin(pair: Pair, limit: int, m: int, look_1: FloatArray, look_2: FloatArray) -> float:
    """Convergence, bisector elevation and asymmetry, as sines and cosines."""
    bounds = pair.bounds
    x1, y1, z1 = vector(look_1[VIEW_AT + 3 * m :])
    x2, y2, z2 = vector(look_2[VIEW_AT + 3 * m :])
    cosine = x1 * x2 + y1 * y2 + z1 * z2
    if limit == WIDER:
        return float(bounds[COS_LEAST] - cosine)
    if limit == CLOSER:
        return float(cosine - bounds[COS_MOST])
    up = vector(pair.first.fixed[PLACE + PLACE_SIZE * m + 4 :])
    above_1 = up[0] * x1 + up[1] * y1 + up[2] * z1
    above_2 = up[0] * x2 + up[1] * y2 + up[2] * z2
    rise = (above_1 + above_2) / math.sqrt(2.0 + 2.0 * cosine)
    if limit == HIGHER:
        return float(rise - bounds[SIN_RISE])
    lean = (above_1 - above_2) / math.sqrt(max(2.0 - 2.0 * cosine, 1e-30))
    return float(bounds[TAN_LEAN] * rise + (-lean if limit == EVEN_FORE else lean))


@inner
def sun_cosine(look_1: FloatArray, look_2: FloatArray) -> float:
    return dot3(vector(look_1[SUN_AT:]), vector(look_2[SUN_AT:]))


@inner
def spare_s(pair: Pair, look_1: FloatArray, look_2: FloatArray) -> float:
    """Seconds left between both sweeps after slewing and settling."""
    first, second = pair.first.fixed, pair.second.fixed
    end_s = look_1[TIME] + first[BEGINS] + first[SCAN]
    settle_s = look_2[TIME] + second[BEGINS] - second[SETTLE]
    return float(settle_s - end_s - slew_s(pair.first, look_1, pair.second, look_2))


@inner
def overlap(
    first: Sweep, look_1: FloatArray, second: Sweep, look_2: FloatArray, room: FloatArray
) -> float:
    """Common part of two scenes, of the smaller one; two rows of `room` are worked in.

    Each scene is the parallelogram that the swath of its middle line draws along the sweep, on
    level ground. On axes that make the first one a unit square, the second is clipped by it.
    """
    x, y = look_1[SWATH_AT], look_1[SWATH_AT + 1]
    wx, wy = look_1[SWATH_AT + 2] - x, look_1[SWATH_AT + 3] - y
    lx, ly = way_of(first)
    ox, oy = way_of(second)
    det = wx * ly - wy * lx
    for i in range(4):
        end = SWATH_AT + 2 * (1 if i == 1 or i == 2 else 0)
        side = 0.5 if i >= 2 else -0.5
        dx = look_2[end] + side * ox - (x - 0.5 * lx)
        dy = look_2[end + 1] + side * oy - (y - 0.5 * ly)
        room[POLYGON, 2 * i] = (dx * ly - dy * lx) / det
        room[POLYGON, 2 * i + 1] = (wx * dy - wy * dx) / det
    smaller = min(1.0, area_of(room[POLYGON], 4))
    n = 4
    for k in range(4):
        n = clipped(room[POLYGON + k % 2], n, k // 2, k % 2 == 1, room[POLYGON + 1 - k % 2])
    return area_of(room[POLYGON], n) / smaller


@inner
def way_of(sweep: Sweep) -> tuple[float, float]:
    """The whole way of a sweep over level ground (m), on its two horizontal axes."""
    fixed = sweep.fixed
    along, whole = vector(fixed[ALONG:]), 2.0 * fixed[HALF_WAY]
    return whole * dot3(along, vector(fixed[EAST:])), whole * dot3(along, vector(fixed[NORTH:]))


@inner
def area_of(corners: FloatArray, n: int) -> float:
    """Area of a polygon of n corners, x and y of each in turn."""
    total = 0.0
    for i in range(n):
        k = i + 1 if i + 1 < n else 0
        total += corners[2 * i] * corners[2 * k + 1] - corners[2 * k] * corners[2 * i + 1]
    return 0.5 * abs(total)


@inner
def clipped(corners: FloatArray, n: int, axis: int, above: bool, out: FloatArray) -> int:
    """What of a convex polygon lies at a coordinate >= 0, or <= 1 where `above`; its corners.

    I. E. Sutherland and G. W. Hodgman, Communications of the ACM 17 (1974).
    """
    kept = 0
    for i in range(n):
        k = i + 1 if i + 1 < n else 0
        here, there = corners[2 * i + axis], corners[2 * k + axis]
        if above:
            here, there = 1.0 - here, 1.0 - there
        if here >= 0:
            out[2 * kept], out[2 * kept + 1] = corners[2 * i], corners[2 * i + 1]
            kept += 1
        if (here >= 0) != (there >= 0):
            share = here / (here - there)
            for c in range(2):
                a, b = corners[2 * i + c], corners[2 * k + c]
                out[2 * kept + c] = a + share * (b - a)
            kept += 1
    return kept


@inner
def slack(pair: Pair, look_1: FloatArray, look_2: FloatArray, room: FloatArray) -> float:
    """How far a pair lies inside its limits: 1 at the middle of a limit's range, 0 at its edge.

    The least over convergence, bisector elevation, asymmetry, change of the Sun and overlap at the
    middle place; a limit left out counts as the widest there can be.
    """
    bounds = pair.bounds
    view_1, view_2 = vector(look_1[VIEW_AT:]), vector(look_2[VIEW_AT:])
    up = vector(pair.first.fixed[PLACE + 4 :])
    cosine = min(max(dot3(view_1, view_2), -1.0), 1.0)
    rise = (dot3(up, view_1) + dot3(up, view_2)) / math.sqrt(2.0 + 2.0 * cosine)
    lean = (dot3(up, view_1) - dot3(up, view_2)) / math.sqrt(max(2.0 - 2.0 * cosine, 1e-30))
    convergence = math.acos(cosine)
    half = 0.5 * (bounds[MOST] - bounds[LEAST])
    least = min(convergence - bounds[LEAST], bounds[MOST] - convergence) / half
    high = math.asin(min(rise, 1.0))
    least = min(least, (high - bounds[RISE]) / (0.5 * math.pi - bounds[RISE]))
    least = min(least, 1.0 - math.atan2(abs(lean), rise) / bounds[LEAN])
    change = math.acos(min(max(sun_cosine(look_1, look_2), -1.0), 1.0))
    least = min(least, 1.0 - change / bounds[SUN_TURN])
    common = overlap(pair.first, look_1, pair.second, look_2, room)
    return float(min(least, (common - bounds[COMMON]) / (1.0 - bounds[COMMON])))
