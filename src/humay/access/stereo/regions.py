"""The region of start times of a pair or of three looks: instants of one look, spans of another."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from humay.access.stereo.limits import POLYGON, SIN_TILT, Pair, level_pair
from humay.access.stereo.motion import LOOK, PITCH_AT, TIME, look_at
from humay.access.stereo.reject import possible
from humay.access.stereo.spans import (
    FOUND,
    MOST_SPANS,
    Work,
    append,
    copy,
    follow,
    length_of,
    one_span,
    size,
)
from humay.access.stereo.sweeps import Sweep
from humay.arrays import FloatArray
from humay.compiled import inner, kernel

NODE_STEP_S = 1.0
_TIP_S = 5e-5  # of where a region ends
HELD, AT_MIDDLE = 1, POLYGON + 2  # rows of the room to work in
TO_MIDDLE, REACHED, BEFORE, OUTER = 2, 3, 4, 5  # lists of spans to work in


class Region(NamedTuple):
    """A pair, or the first and the last of three looks, one held and the other moved.

    `held` and `moved` are their tables of looks (n, LOOK), `open` lists the spans in which the
    moved look may be at all. With a middle look, `before` are the first and the middle, `after` the
    middle and the last, and `middle` is its table. `slices` fills two lists: `level` of the spans
    in which the middle look meets its limit of `pitch`, and `ahead` (n, MOST_SPANS + 1, 2) of those
    of the last look that may follow each row of `middle`.
    """

    pair: Pair
    held: FloatArray
    moved: FloatArray
    open: FloatArray
    parts: int
    has_middle: bool
    before: Pair
    after: Pair
    middle: FloatArray
    pitch: Pair
    level: FloatArray
    ahead: FloatArray


def region_of_pair(
    pair: Pair, held: FloatArray, moved: FloatArray, parts: int, within: FloatArray | None = None
) -> Region:
    """Without a middle look; `within` lists the spans of the moved look, if they are not all."""
    whole = one_span(moved[0, TIME], moved[-1, TIME]) if within is None else within
    return Region(
        pair=pair,
        held=held,
        moved=moved,
        open=whole,
        parts=parts,
        has_middle=False,
        before=pair,
        after=pair,
        middle=moved,
        pitch=pair,
        level=whole,
        ahead=np.empty((0, MOST_SPANS + 1, 2)),
    )


def region_of_three(
    outer: Pair,
    before: Pair,
    after: Pair,
    tables: tuple[FloatArray, FloatArray, FloatArray],
    parts: int,
) -> Region:
    """With a middle look."""
    first, middle, last = tables
    return region_of_pair(outer, first, last, parts)._replace(
        has_middle=True,
        before=before,
        after=after,
        middle=middle,
        level=one_span(middle[0, TIME], middle[-1, TIME]),
        pitch=level_pair(before),
        ahead=np.zeros((len(middle), MOST_SPANS + 1, 2)),
    )


def nodes(start_s: float, end_s: float) -> FloatArray:
    """Instants (n,) of a window: both ends and every whole second between; five if it is short."""
    whole = np.arange(math.floor(start_s) + 1, math.ceil(end_s)) * NODE_STEP_S
    if len(whole) < 3:
        return np.linspace(start_s, end_s, 5)
    return np.concatenate([[start_s], whole, [end_s]])


def table_of(sweep: Sweep, times: FloatArray, parts: int) -> FloatArray:
    """Looks (n, LOOK) at instants (n,)."""
    looks = np.zeros((len(times), LOOK))
    fill(sweep, times, parts, looks)
    return looks


@kernel
def fill(sweep: Sweep, times: FloatArray, parts: int, looks: FloatArray) -> None:
    for i in range(times.shape[0]):
        look_at(sweep, times[i], parts, looks[i])


@inner
def prepare(region: Region, work: Work) -> None:
    """List where the middle look meets its limit of pitch, and what may follow it there."""
    follow(region.pitch, region.middle[0], region.middle, region.level, work)
    copy(work.lists[FOUND], region.level)
    for i in range(region.middle.shape[0]):
        if abs(region.middle[i, PITCH_AT]) <= region.before.bounds[SIN_TILT]:
            follow(region.after, region.middle[i], region.moved, region.open, work)
            copy(work.lists[FOUND], region.ahead[i])


@inner
def spans_at(region: Region, held: FloatArray, work: Work) -> int:
    """Find the spans of the moved look while the other is held and a middle one exists."""
    if not region.has_middle:
        return follow(region.pair, held, region.moved, region.open, work)
    found, reached, outer = work.lists[FOUND], work.lists[REACHED], work.lists[OUTER]
    n = follow(region.pair, held, region.moved, region.open, work)
    copy(found, outer)
    if 0 < n <= MOST_SPANS:
        n = follow(region.before, held, region.middle, region.level, work)
    if not 0 < n <= MOST_SPANS:
        return n
    copy(found, work.lists[TO_MIDDLE])
    reached[0, 0] = 0.0
    reach(region, work)
    found[0, 0] = 0.0
    for i in range(1, size(outer) + 1):
        for k in range(1, min(size(reached), MOST_SPANS) + 1):
            append(found, max(outer[i, 0], reached[k, 0]), min(outer[i, 1], reached[k, 1]))
    if size(reached) > MOST_SPANS:
        found[0, 0] = size(reached)
    return size(found)


@inner
def reach(region: Region, work: Work) -> None:
    """Unite, over the spans of the middle look, the spans of the last look that may follow it.

    They are known at the spans' ends and at the nodes between. What lies between those of two
    neighbours is reached as well, since edges move on with the middle look.
    """
    found, before, look = work.lists[FOUND], work.lists[BEFORE], work.room[AT_MIDDLE]
    spans = work.lists[TO_MIDDLE]
    last = region.middle.shape[0]
    for k in range(1, size(spans) + 1):
        before[0, 0] = 0.0
        for i in range(-1, last + 1):
            if i < 0 or i == last:
                end_s = spans[k, 0] if i < 0 else spans[k, 1]
                look_at(region.before.second, end_s, region.parts, look)
                follow(region.after, look, region.moved, region.open, work)
            elif spans[k, 0] < region.middle[i, TIME] < spans[k, 1]:
                copy(region.ahead[i], found)
            else:
                continue
            for j in range(1, min(size(found), MOST_SPANS) + 1):
                low, high = found[j, 0], found[j, 1]
                if size(found) == size(before):
                    low, high = min(low, before[j, 0]), max(high, before[j, 1])
                unite(work.lists[REACHED], low, high)
            if size(found) > MOST_SPANS:
                work.lists[REACHED][0, 0] = size(found)
                return
            copy(found, before)


@inner
def unite(spans: FloatArray, low: float, high: float) -> None:
    """Add a span to disjoint ones in order; what it touches becomes one with it."""
    kept, place = 1, 1
    for k in range(1, min(size(spans), MOST_SPANS) + 1):
        begin, end = spans[k, 0], spans[k, 1]
        if end < low or begin > high:
            spans[kept, 0], spans[kept, 1] = begin, end
            kept += 1
            if end < low:
                place = kept
        else:
            low, high = min(low, begin), max(high, end)
    spans[0, 0] = kept
    if kept <= MOST_SPANS:
        for k in range(kept, place, -1):
            spans[k, 0], spans[k, 1] = spans[k - 1, 0], spans[k - 1, 1]
        spans[place, 0], spans[place, 1] = low, high


@kernel
def slices(region: Region, work: Work, out: FloatArray) -> int:
    """Fill `out` (m, 3) with instant, begin and end; the number of rows, negative without room.

    Instants are the nodes of the held look for which the moved one has a span, and where that
    begins or ends between two nodes, the last instant for which it has one.
    """
    if not possible(region.pair, region.held, region.moved):
        return 0
    if region.has_middle:
        prepare(region, work)
    n = 0
    before, length = 0, 0.0
    for i in range(region.held.shape[0]):
        t_s = region.held[i, TIME]
        spans = spans_at(region, region.held[i], work)
        before_length, length = length, length_of(work.lists[FOUND])
        if i > 0 and (spans > 0) != (before > 0):
            before_s = region.held[i - 1, TIME]
            if spans > 0:
                tip_s = tip(region, t_s, length, before_s, work)
            else:
                tip_s = tip(region, before_s, before_length, t_s, work)
            n = write(out, n, tip_s, work)
            spans = spans_at(region, region.held[i], work)
        n = write(out, n, t_s, work)
        before = spans
    return n


@inner
def tip(region: Region, full_s: float, length: float, empty_s: float, work: Work) -> float:
    """The outermost instant of a region that ends on the way from `full_s` to `empty_s`, within
    `_TIP_S`; its spans, of this `length` at first, are those found last.

    Where the spans grow shorter evenly, their length says where they end; else the way is halved.
    """
    held = work.room[HELD]
    sweep = region.pair.first if region.pair.forward else region.pair.second
    before_s, before, halve = full_s, length, True
    while abs(empty_s - full_s) > _TIP_S:
        t_s = 0.5 * (full_s + empty_s)
        if not halve and before > length:
            t_s = full_s + (full_s - before_s) * length / (before - length)
            least = math.copysign(0.6 * _TIP_S, empty_s - full_s)
            if abs(t_s - full_s) < abs(least):
                t_s = full_s + least
            if (t_s - full_s) * (t_s - empty_s) >= 0.0:
                t_s = 0.5 * (full_s + empty_s)
        look_at(sweep, t_s, region.parts, held)
        if spans_at(region, held, work) > 0:
            before_s, before = full_s, length
            full_s, length = t_s, length_of(work.lists[FOUND])
            halve = False
        else:
            empty_s = t_s
            halve = not halve
    look_at(sweep, full_s, region.parts, held)
    spans_at(region, held, work)
    return full_s


@inner
def write(out: FloatArray, n: int, t_s: float, work: Work) -> int:
    """Append the spans found at one instant to n rows; their number, negative without room.

    An instant that stands there already is not written again.
    """
    found = work.lists[FOUND]
    if n < 0 or size(found) > MOST_SPANS or n + size(found) > out.shape[0]:
        return -1
    if n > 0 and out[n - 1, 0] == t_s:
        return n
    for k in range(size(found)):
        out[n + k, 0], out[n + k, 1], out[n + k, 2] = t_s, found[k + 1, 0], found[k + 1, 1]
    return n + size(found)


def area_of(rows: FloatArray, held_s: FloatArray) -> float:
    """Area (s^2) of slices (m, 3) whose instants are nodes (n,) and tips, edges straight between.

    Where a node between two instants has no slice, the region is interrupted.
    """
    first = np.flatnonzero(np.diff(rows[:, 0], prepend=-np.inf))
    at_s, length_s = rows[first, 0], np.add.reduceat(rows[:, 2] - rows[:, 1], first)
    after, before = (np.searchsorted(held_s, at_s, side) for side in ("right", "left"))
    joined = before[1:] == after[:-1]
    return float(np.sum((np.diff(at_s) * (length_s[1:] + length_s[:-1]) / 2)[joined]))
