"""Targets as the scene draws them: exact shapes that replace the ground under them."""

from __future__ import annotations

import math

from humay.arrays import FloatArray, IntArray
from humay.compiled import kernel
from humay.imaging.cells import TWO_PI
from humay.imaging.materials import covered, strip

LON, LAT, KIND, EAST, NORTH, ALONG_SIN, ALONG_COS, HALF_M, DARK, BRIGHT, SHAPE_A, SHAPE_B = range(
    12
)
MARK_KEYS = 12
EDGE, PATCH, CROSS = range(3)
MOST_NEAR = 64  # targets that may reach into one patch of 24 m


@kernel
def on_target(
    targets: FloatArray, k: int, lon: float, lat: float, cos_lat: float, footprint: float
) -> tuple[float, float]:
    """Reflectance of a target and the share of the footprint it covers."""
    turn = lon - targets[k, LON]
    if abs(turn) > math.pi:
        turn -= math.copysign(TWO_PI, turn)
    east, north = turn * cos_lat * targets[k, EAST], (lat - targets[k, LAT]) * targets[k, NORTH]
    along = east * targets[k, ALONG_SIN] + north * targets[k, ALONG_COS]
    across = east * targets[k, ALONG_COS] - north * targets[k, ALONG_SIN]
    half = targets[k, HALF_M]
    c = strip(along, half, footprint) * strip(across, half, footprint)
    if c <= 0.0 or targets[k, KIND] == PATCH:
        return targets[k, DARK], c
    a, b = targets[k, SHAPE_A], targets[k, SHAPE_B]
    if targets[k, KIND] == EDGE:
        bright = covered(along * a + across * b, footprint)
    else:
        bright = (
            strip(along, a, footprint) * strip(across, b, footprint)
            + strip(along, b, footprint) * strip(across, a, footprint)
            - strip(along, b, footprint) * strip(across, b, footprint)
        )
    return targets[k, DARK] + bright * (targets[k, BRIGHT] - targets[k, DARK]), c


@kernel
def find_near(
    row: int, col: int, lon: float, lat: float, cos_lat: float, targets: FloatArray,
    cell_names: IntArray, cell_targets: IntArray, near: IntArray,
) -> int:  # fmt: skip
    """Indices of the targets that may reach into the patch that holds a point; how many."""
    if cell_names.size == 0:
        return 0
    name = (row << 16) + col
    first, last = 0, cell_names.size
    while first < last:
        middle = (first + last) // 2
        if cell_names[middle] < name:
            first = middle + 1
        else:
            last = middle
    found = 0
    while first < cell_names.size and cell_names[first] == name:
        k = cell_targets[first]
        turn = lon - targets[k, LON]
        if abs(turn) > math.pi:
            turn -= math.copysign(TWO_PI, turn)
        east = turn * cos_lat * targets[k, EAST]
        north = (lat - targets[k, LAT]) * targets[k, NORTH]
        if math.hypot(east, north) < 1.4143 * targets[k, HALF_M] + 45.0 and found < near.size:
            near[found] = k
            found += 1
        first += 1
    return found
