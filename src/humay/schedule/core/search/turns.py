"""Poses, turns and earliest starts, compiled; `judge.turn_seconds` is their plain form."""

from __future__ import annotations

import math

from humay.compiled import inner
from humay.schedule.core.search.tables import ATTITUDE, DIRECTION, PLANE, SIDE, Books, Tables

FITS_S = 1e-7
"""A start this much too early is taken as it stands."""
_ROUNDS, _NARROW = 40, 8
SHARP_S = 1e-3
"""Starts off a grid are narrowed down to this."""
_ON_STEP, _ROUNDED = 1e-9, 1e-15
"""Of a step: a start this near to a point of the grid lies on it. Days after the epoch a point
itself is told with an error of some 1e-16 of all steps up to it."""


@inner
def point(t: Tables, i: int, start_s: float, side: int, out, row: int) -> None:  # type: ignore[no-untyped-def]
    """Write the pose of candidate i, begun at `start_s`, into a side of a row of `out`."""
    first, last = t.pose_first[i], t.pose_first[i + 1] - 1
    column = side * SIDE
    if first == last:
        for k in range(column, column + SIDE):
            out[row, k] = t.poses[first, k]
        return
    at = (start_s - t.pose_from_s[i]) / t.pose_step_s[i]
    low = first + min(max(math.floor(at), 0), last - first - 1)
    share = min(max(at - (low - first), 0.0), 1.0)
    size = 0.0
    for k in range(column, column + SIDE):
        out[row, k] = (1.0 - share) * t.poses[low, k] + share * t.poses[low + 1, k]
        if k < column + SIDE - 1:
            size += out[row, k] * out[row, k]
    kind = t.measure[t.lane[i]]
    if kind in (DIRECTION, ATTITUDE):
        size = math.sqrt(size)
        for k in range(column, column + SIDE - 1):
            out[row, k] /= size


@inner
def turn_s(t: Tables, lane: int, a, i: int, b, j: int) -> float:  # type: ignore[no-untyped-def]
    """Seconds from the leaving side of row i of `a` to the arriving side of row j of `b`."""
    minus, plus, largest = 0.0, 0.0, 0.0
    for k in range(SIDE - 1):
        low, high = a[i, SIDE + k], b[j, k]
        minus += (high - low) * (high - low)
        plus += (high + low) * (high + low)
        largest = max(largest, abs(high - low))
    kind = t.measure[lane]
    if kind == DIRECTION:
        apart = 2.0 * math.asin(min(0.5 * math.sqrt(minus), 1.0))
    elif kind == ATTITUDE:
        apart = 4.0 * math.asin(min(0.5 * math.sqrt(min(minus, plus)), 1.0))
    elif kind == PLANE:
        apart = 2.0 * math.atan(0.5 * math.sqrt(minus))
    else:
        apart = largest
    rate, acceleration = t.rate[lane], t.acceleration[lane]
    if math.isinf(acceleration):
        seconds = apart / rate
    elif apart * acceleration > rate * rate:
        seconds = apart / rate + rate / acceleration
    else:
        seconds = 2.0 * math.sqrt(apart / acceleration)
    return float(seconds + t.settle_s[lane] + a[i, 2 * SIDE - 1] + b[j, SIDE - 1])


@inner
def on_grid(t: Tables, start_s: float) -> float:
    """The first allowed start from `start_s` on."""
    if t.grid_s > 0.0:
        steps = start_s / t.grid_s
        return math.ceil(steps - _ON_STEP - _ROUNDED * abs(steps)) * t.grid_s
    return start_s


@inner
def before_on_grid(t: Tables, start_s: float) -> float:
    """The last allowed start up to `start_s`."""
    if t.grid_s > 0.0:
        steps = start_s / t.grid_s
        return math.floor(steps + _ON_STEP + _ROUNDED * abs(steps)) * t.grid_s
    return start_s


@inner
def earliest_s(t: Tables, b: Books, i: int, j: int) -> float:
    """About the first start of j after i as it stands; infinite where none is found.

    Tried upwards: where a turn ends too late, at its end. Between the last try too early and the
    first in time the gap is narrowed, as later turns can be shorter. What is handed out was tried
    itself.
    """
    last_s = before_on_grid(t, t.high_s[j])
    free_s = b.at_s[i] + t.duration_s[i]
    start_s = on_grid(t, max(t.low_s[j], free_s + t.settle_s[t.lane[j]]))
    if start_s > last_s + FITS_S:
        return math.inf
    lack = _lack(t, b, i, j, start_s)
    if lack <= FITS_S:
        return start_s
    for _ in range(_ROUNDS):
        if start_s >= last_s - FITS_S:
            return math.inf
        late_s = min(on_grid(t, start_s + lack + 0.5 * FITS_S), last_s)
        spare = _lack(t, b, i, j, late_s)
        if spare <= FITS_S:
            return _between(t, b, i, j, start_s, lack, late_s, spare)
        start_s, lack = late_s, spare
    return math.inf


@inner
def _lack(t: Tables, b: Books, i: int, j: int, start_s: float) -> float:
    """By how many seconds j, begun then, comes too early after i."""
    point(t, j, start_s, 0, b.scratch, 0)
    turn = turn_s(t, t.lane[j], b.now, i, b.scratch, 0)
    return float(b.at_s[i] + t.duration_s[i] + turn - start_s)


@inner
def _between(
    t: Tables, b: Books, i: int, j: int, early_s: float, lack: float, late_s: float, spare: float
) -> float:
    """The earliest start found between one that is too early and one that is not."""
    for _ in range(_NARROW):
        if late_s - early_s <= max(t.grid_s, SHARP_S) + FITS_S:
            break
        share = min(max(lack / (lack - spare + 1e-12), 0.02), 0.98)
        middle_s = early_s + share * (late_s - early_s)
        if t.grid_s > 0.0:
            middle_s = min(max(on_grid(t, middle_s), early_s + t.grid_s), late_s - t.grid_s)
        value = _lack(t, b, i, j, middle_s)
        if value <= FITS_S:
            late_s, spare = middle_s, value
        else:
            early_s, lack = middle_s, value
    return late_s


@inner
def latest_s(t: Tables, b: Books, i: int, j: int) -> float:
    """About the latest start of i before j as it stands; minus infinity where none is found."""
    lane, free_s = t.lane[i], b.at_s[j] - t.duration_s[i]
    start_s = before_on_grid(t, min(t.high_s[i], free_s - t.settle_s[lane]))
    for _ in range(_ROUNDS):
        if start_s < t.low_s[i] - FITS_S:
            return -math.inf
        point(t, i, start_s, 1, b.scratch, 0)
        must_s = free_s - turn_s(t, lane, b.scratch, 0, b.now, j)
        if start_s <= must_s + FITS_S:
            return start_s
        start_s = before_on_grid(t, must_s)
    return -math.inf


@inner
def fits(t: Tables, b: Books, i: int, j: int) -> bool:
    """Whether i leaves time for the turn to j, both as they stand."""
    free_s = b.at_s[j] - b.at_s[i] - t.duration_s[i]
    return bool(free_s + FITS_S >= turn_s(t, t.lane[j], b.now, i, b.now, j))


@inner
def start_at(t: Tables, b: Books, i: int, start_s: float) -> None:
    """Set the start of i and its poses."""
    b.at_s[i] = start_s
    point(t, i, start_s, 0, b.now, i)
    point(t, i, start_s, 1, b.now, i)
