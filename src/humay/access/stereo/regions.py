"""The region of start times of a pair or of three looks: instants of one look, spans of another."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from humay.access.stereo.limits import POLYGON, Pair
from humay.access.stereo.motion import LOOK, TIME, look_at
from humay.access.stereo.spans import (
    FOUND,
    MOST_SPANS,
    NARROWED,
    Work,
    append,
    copy,
    follow,
    size,
)
from humay.access.stereo.sweeps import Sweep
from humay.arrays import FloatArray
from humay.compiled import inner, kernel

NODE_STEP_S = 1.0
_HALVINGS = 15  # of a second: 0.03 ms
HELD, AT_MIDDLE = 1, POLYGON + 2  # rows of the room to work in
TO_MIDDLE, REACHED, BEFORE = 2, 3, 4  # lists of spans to work in


class Region(NamedTuple):
    """A pair, or the first and the last of three looks, one held and the other moved.

    `held` and `moved` are their tables of looks (n, LOOK). With a middle look, `before` are the
    first and the middle, `after` the middle and the last, `back` the same with the last held, and
    `ahead` (n, MOST_SPANS + 1, 2) lists the spans of the last look that may follow each row of the
    table `middle`. The middle look's pitch is checked in `before`.
    """

    pair: Pair
    held: FloatArray
    moved: FloatArray
    parts: int
    has_middle: bool
    before: Pair
    after: Pair
    back: Pair
    middle: FloatArray
    ahead: FloatArray


def region_of_pair(pair: Pair, held: FloatArray, moved: FloatArray, parts: int) -> Region:
    """Without a middle look."""
    return Region(
        pair=pair,
        held=held,
        moved=moved,
        parts=parts,
        has_middle=False,
        before=pair,
        after=pair,
        back=pair,
        middle=moved,
        ahead=np.empty((0, MOST_SPANS + 1, 2)),
    )


def region_of_three(
    outer: Pair,
    before: Pair,
    after: Pair,
    tables: tuple[FloatArray, FloatArray, FloatArray],
    parts: int,
    work: Work,
) -> Region:
    """With a middle look."""
    region = Region(
        pair=outer,
        held=tables[0],
        moved=tables[2],
        parts=parts,
        has_middle=True,
        before=before,
        after=after,
        back=after._replace(forward=False),
        middle=tables[1],
        ahead=np.empty((len(tables[1]), MOST_SPANS + 1, 2)),
    )
    fill_ahead(region, work)
    return region


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


@kernel
def fill_ahead(region: Region, work: Work) -> None:
    """List the spans of the last look that may follow each look of the table `middle`."""
    for i in range(region.middle.shape[0]):
        follow(region.after, region.middle[i], region.moved, work)
        copy(work.lists[FOUND], region.ahead[i])


@inner
def spans_at(region: Region, held: FloatArray, work: Work) -> int:
    """Find the spans of the moved look while the other is held and a middle one exists."""
    if not region.has_middle:
        return follow(region.pair, held, region.moved, work)
    found, reached, narrowed = work.lists[FOUND], work.lists[REACHED], work.lists[NARROWED]
    n = follow(region.before, held, region.middle, work)
    copy(found, work.lists[TO_MIDDLE])
    reached[0, 0] = 0.0
    if n <= MOST_SPANS:
        reach(region, work)
    if not 0 < size(reached) <= MOST_SPANS:
        copy(reached if n <= MOST_SPANS else work.lists[TO_MIDDLE], found)
        return size(found)
    if follow(region.pair, held, region.moved, work) > MOST_SPANS:
        return size(found)
    narrowed[0, 0] = 0.0
    for i in range(1, size(found) + 1):
        for k in range(1, size(reached) + 1):
            append(narrowed, max(found[i, 0], reached[k, 0]), min(found[i, 1], reached[k, 1]))
    copy(narrowed, found)
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
                follow(region.after, look, region.moved, work)
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
    n = 0
    before = 0
    for i in range(region.held.shape[0]):
        t_s = region.held[i, TIME]
        spans = spans_at(region, region.held[i], work)
        if i > 0 and (spans > 0) != (before > 0):
            tip_s = tip(region, region.held[i - 1, TIME], t_s, spans > 0, work)
            n = write(out, n, tip_s, work)
            spans = spans_at(region, region.held[i], work)
        n = write(out, n, t_s, work)
        before = spans
    return n


@inner
def tip(region: Region, low_s: float, high_s: float, opens: bool, work: Work) -> float:
    """The outermost instant of a region that begins (`opens`) or ends between two instants.

    Its spans are what is found last.
    """
    held = work.room[HELD]
    sweep = region.pair.first if region.pair.forward else region.pair.second
    for turn in range(_HALVINGS + 1):
        t_s = 0.5 * (low_s + high_s)
        if turn == _HALVINGS:
            t_s = high_s if opens else low_s
        look_at(sweep, t_s, region.parts, held)
        if (spans_at(region, held, work) > 0) == opens:
            high_s = t_s
        else:
            low_s = t_s
    return t_s


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
