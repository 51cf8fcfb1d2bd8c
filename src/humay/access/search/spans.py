"""Spans of time in which half-spaces and programs hold, inside one window."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from humay.access.search.conditions import (
    CLOUDS,
    UP_X,
    UP_Y,
    UP_Z,
    WIDTH_NEEDED,
    bent_most,
    left,
    profile_begin,
    tightened,
)
from humay.access.search.conditions import MARGIN as LOOK_MARGIN
from humay.access.search.programs import (
    AND,
    CLAUSE,
    CLOUD,
    COUNT,
    DEEPEST,
    HORIZON,
    INSIDE,
    KIND,
    LIMIT,
    LOCAL_TIME,
    OFFSET,
    ORBIT,
    SIGN,
    SUN_AZIMUTH,
    SUN_ELEVATION,
    SWATH,
    TERRAIN,
    TERRAIN_POINTS,
    Programs,
)
from humay.access.search.tables import Sky, Track
from humay.arrays import FloatArray, IntArray
from humay.compiled import inlined, inner
from humay.frames import EARTH_RATE_RAD_S

EDGE_S = 1e-6  # edges are this close to the root
SHORTEST_S = 0.05  # steps are halved down to this where a bound leaves open what happens inside
LOBES = 128  # spans of one operand inside one window
_HALVINGS = 64  # that wait at once: twice what a window of a day needs down to the shortest
_WIDENS = 12.0  # a swath's growth over its width, as many times as the line of sight turns
_NEAR_ZENITH_RAD = 1.5707  # 0.005 deg from it: the azimuth goes round within a second
_LISTS: Any = np.arange(5)
# Lists of spans. As Python's literals each would have code of its own.
RUNNING, NEW, SWEEP, FOUND, FIRST_OPERAND = _LISTS


class Scratch(NamedTuple):
    """Room of one thread: lists of spans (rows, LOBES, 2) `filled` so far, and a stack.

    `fault[0]` is set where a list has no room for another span.
    """

    spans: FloatArray
    filled: IntArray
    stack: FloatArray
    fault: IntArray


def scratch() -> Scratch:
    """Room for one thread."""
    lists = FIRST_OPERAND + DEEPEST + 1
    return Scratch(
        spans=np.zeros((lists, LOBES, 2)),
        filled=np.zeros(lists, dtype=np.int64),
        stack=np.zeros((_HALVINGS, 4)),
        fault=np.zeros(1, dtype=np.int64),
    )


@inner
def append(room: Scratch, row: int, begin: float, end: float) -> None:
    """A span at the end of a list, unless it is empty."""
    if end > begin:
        n = room.filled[row]
        if n == LOBES:
            room.fault[0] = 1
            return
        room.spans[row, n, 0] = begin
        room.spans[row, n, 1] = end
        room.filled[row] = n + 1


@inner
def intersect(room: Scratch, a: int, b: int, into: int) -> None:
    """Where both lists hold; the lists are in order and do not overlap."""
    room.filled[into] = 0
    i = j = 0
    while i < room.filled[a] and j < room.filled[b]:
        end_a, end_b = room.spans[a, i, 1], room.spans[b, j, 1]
        append(room, into, max(room.spans[a, i, 0], room.spans[b, j, 0]), min(end_a, end_b))
        if end_a < end_b:
            i += 1
        else:
            j += 1


@inner
def unite(room: Scratch, a: int, b: int, into: int) -> None:
    """Where one of the lists holds."""
    room.filled[into] = 0
    i = j = 0
    begin, end = math.inf, -math.inf
    while i < room.filled[a] or j < room.filled[b]:
        first = j >= room.filled[b] or (
            i < room.filled[a] and room.spans[a, i, 0] <= room.spans[b, j, 0]
        )
        row, k = (a, i) if first else (b, j)
        if room.spans[row, k, 0] > end:
            append(room, into, begin, end)
            begin = room.spans[row, k, 0]
        end = max(end, room.spans[row, k, 1])
        if first:
            i += 1
        else:
            j += 1
    append(room, into, begin, end)


@inner
def copy(room: Scratch, row: int, into: int) -> None:
    n = room.filled[row]
    room.filled[into] = n
    for i in range(n):
        room.spans[into, i, 0] = room.spans[row, i, 0]
        room.spans[into, i, 1] = room.spans[row, i, 1]


@inlined
def satisfy(
    track: Track, sky: Sky, look: FloatArray, programs: Programs, program: int,
    turn_rad_s: float, room: Scratch,
) -> None:  # fmt: skip
    """Leave of the spans in `RUNNING` what meets every clause of a program."""
    top = FIRST_OPERAND
    for k in range(programs.start[program], programs.start[program + 1]):
        n = room.filled[RUNNING]
        if n == 0:
            return
        token = programs.tokens[k]
        if token == CLAUSE:
            if n == 1:  # operands are looked for between its ends
                copy(room, FIRST_OPERAND, RUNNING)
            else:
                intersect(room, RUNNING, FIRST_OPERAND, NEW)
                copy(room, NEW, RUNNING)
            top = FIRST_OPERAND
        elif token >= 0:
            begin, end = room.spans[RUNNING, 0, 0], room.spans[RUNNING, n - 1, 1]
            hold(track, sky, look, programs, token, begin, end, turn_rad_s, room, top)
            top += 1
        else:
            top -= 1
            if token == AND:
                intersect(room, top - 1, top, NEW)
            else:
                unite(room, top - 1, top, NEW)
            copy(room, NEW, top - 1)


@inlined
def hold(
    track: Track, sky: Sky, look: FloatArray, programs: Programs, number: int,
    begin: float, end: float, turn_rad_s: float, room: Scratch, row: int,
) -> None:  # fmt: skip
    """The spans of [begin, end] in which a half-space holds, into a list."""
    half = programs.halves[number]
    kind = int(half[KIND])
    room.filled[row] = 0
    if kind == SWATH and look[WIDTH_NEEDED] == 0.0:
        append(room, row, begin, end)
    elif kind == ORBIT:
        _orbits(track, programs.numbers, half, begin, end, room, row)
    elif kind == INSIDE or kind == CLOUD:  # noqa: SIM109 - half the machine code
        if kind == INSIDE:
            holds = _inside(look, programs.numbers, half) == (half[SIGN] > 0)
        else:
            holds = half[SIGN] * (look[CLOUDS] - half[LIMIT]) >= 0
        if holds:
            append(room, row, begin, end)
    else:
        lobes(track, sky, look, programs, half, begin, end, turn_rad_s, room, row)


@inlined
def lobes(
    track: Track, sky: Sky, look: FloatArray, programs: Programs, half: FloatArray,
    begin: float, end: float, turn_rad_s: float, room: Scratch, row: int,
) -> None:  # fmt: skip
    """The same for a function of time: all its sign changes, by halving.

    Between two values of one sign none is left open if both are further from zero than the function
    can bend away from its chord; between two of different signs there is one if it cannot turn
    round. Otherwise the step is halved, down to `SHORTEST_S`. A horizon has corners: there the
    bound is of the slope.
    """
    kind = int(half[KIND])
    limit = tightened(half, look[LOOK_MARGIN])
    if kind in (SUN_ELEVATION, SUN_AZIMUTH, LOCAL_TIME):  # one look tells, but near the limit
        middle = left(track, sky, look, programs, half, limit, 0.5 * (begin + end))
        if abs(middle) > 0.501 * EARTH_RATE_RAD_S * (end - begin):
            if middle > 0:
                append(room, row, begin, end)
            return
    cornered = kind in (HORIZON, TERRAIN)
    bound = bent_most(kind, turn_rad_s)
    low, high, steepest = _horizon(programs, look, half) if cornered else (0.0, 0.0, 0.0)
    stack = room.stack
    stack[0, 0], stack[0, 1] = begin, left(track, sky, look, programs, half, limit, begin)
    stack[0, 2], stack[0, 3] = end, left(track, sky, look, programs, half, limit, end)
    since = begin if stack[0, 1] >= 0 else math.nan
    waiting = 1
    while waiting:
        waiting -= 1
        t0, f0, t1, f1 = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2], stack[waiting, 3]
        h = t1 - t0
        changes = (f0 >= 0) != (f1 >= 0)
        if cornered:
            m0, m1 = half[SIGN] * f0, half[SIGN] * f1
            closed = not changes and _cannot_change(m0, m1, h, turn_rad_s, low, high, steepest)
        elif kind == SWATH:
            widest = 1.0 + max(f0, f1, 0.0)
            closed = not changes and abs(f0) + abs(f1) > _WIDENS * turn_rad_s * h * widest
        elif changes:
            closed = abs(f1 - f0) > 0.5 * bound * h * h
        else:
            closed = min(abs(f0), abs(f1)) > 0.125 * bound * h * h
        if closed or h <= SHORTEST_S or waiting + 2 > _HALVINGS:
            if changes:
                t = root(track, sky, look, programs, half, limit, t0, f0, t1, f1)
                if f0 >= 0:
                    append(room, row, since, t)
                since = math.nan if f0 >= 0 else t
            continue
        middle = 0.5 * (t0 + t1)
        value = left(track, sky, look, programs, half, limit, middle)
        stack[waiting, 0], stack[waiting, 1] = middle, value
        stack[waiting, 2], stack[waiting, 3] = t1, f1
        stack[waiting + 1, 0], stack[waiting + 1, 1] = t0, f0
        stack[waiting + 1, 2], stack[waiting + 1, 3] = middle, value
        waiting += 2
    if not math.isnan(since):
        append(room, row, since, end)


@inner
def root(
    track: Track, sky: Sky, look: FloatArray, programs: Programs, half: FloatArray, limit: float,
    t0: float, f0: float, t1: float, f1: float,
) -> float:  # fmt: skip
    """Where the sign changes between t0 and t1 (T. R. Chandrupatla, Adv. Eng. Software 28, 1997).

    The same method as `humay.roots.bracketed_roots`, for one function.
    """
    a, fa, b, fb = t1, f1, t0, f0
    c, fc = a, fa
    share = 0.5
    for _ in range(100):
        x = a + share * (b - a)
        fx = left(track, sky, look, programs, half, limit, x)
        if (fx >= 0) == (fa >= 0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = x, fx
        least = EDGE_S / abs(b - a)
        if least > 0.5 or fa == 0:
            break
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        share = 0.5
        if phi * phi < xi and (1 - phi) * (1 - phi) < 1 - xi:
            share = fa / (fb - fa) * fc / (fb - fc)
            share += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        share = min(max(share, least), 1 - least)
    return a if abs(fa) < abs(fb) else b


@inner
def _horizon(programs: Programs, look: FloatArray, half: FloatArray) -> tuple[float, float, float]:
    """Lowest and highest elevation of a horizon (rad), and its steepest slope over azimuth."""
    if int(half[KIND]) == TERRAIN:
        numbers, begin = programs.profiles, profile_begin(look, programs, half)
        count = TERRAIN_POINTS
    else:
        numbers, begin, count = programs.numbers, int(half[OFFSET]), int(half[COUNT]) // 2
    low, high, steepest = math.inf, -math.inf, 0.0
    for k in range(count):
        after = (k + 1) % count
        level = numbers[begin + count + k]
        low, high = min(low, level), max(high, level)
        run = numbers[begin + after] - numbers[begin + k] + (2 * math.pi if after == 0 else 0.0)
        steepest = max(steepest, abs(numbers[begin + count + after] - level) / run)
    return low, high, steepest


@inner
def _cannot_change(
    m0: float, m1: float, h: float, turn_rad_s: float, low: float, high: float, steepest: float
) -> bool:
    """Whether an elevation above a horizon, `m0` and `m1` at both ends of h seconds and of one
    sign, keeps it: by its slope, or because it stays above the highest point."""
    move = turn_rad_s * h
    if min(m0, m1) + low - move > high:
        return True
    top = min(max(m0, m1) + high + move, _NEAR_ZENITH_RAD)
    return abs(m0) + abs(m1) > move * (1.0 + steepest / math.cos(top))


@inner
def _inside(look: FloatArray, numbers: FloatArray, half: FloatArray) -> bool:
    """Whether the place lies inside a polygon: an odd number of edges to the east of it."""
    lon, lat = math.atan2(look[UP_Y], look[UP_X]), math.asin(look[UP_Z])
    begin, count = int(half[OFFSET]), int(half[COUNT])
    for turn in range(-1, 3):
        at = lon + turn * 2 * math.pi
        odd = False
        for k in range(begin, begin + count, 4):
            y0, y1 = numbers[k + 1], numbers[k + 3]
            if (y0 > lat) != (y1 > lat):
                x0, x1 = numbers[k], numbers[k + 2]
                if at < x0 + (lat - y0) / (y1 - y0) * (x1 - x0):
                    odd = not odd
        if odd:
            return True
    return False


@inner
def _orbits(
    track: Track, numbers: FloatArray, half: FloatArray, begin: float, end: float,
    room: Scratch, row: int,
) -> None:  # fmt: skip
    """Spans between ascending nodes whose orbits are listed, or are not."""
    offset, count = int(half[OFFSET]), int(half[COUNT])
    cycle, shift = numbers[offset], numbers[offset + 1]
    n = track.node_s.shape[0]
    for k in range(-1, n):
        low = track.node_s[k] if k >= 0 else -math.inf
        high = track.node_s[k + 1] if k + 1 < n else math.inf
        if high <= begin or low >= end:
            continue
        orbit = track.node_orbit[k] if k >= 0 else track.node_orbit[0] - 1
        relative = (orbit + shift - 1) % cycle + 1
        listed = False
        for j in range(offset + 2, offset + count):
            listed = listed or numbers[j] == relative
        if listed == (half[SIGN] > 0):
            append(room, row, max(low, begin), min(high, end))
