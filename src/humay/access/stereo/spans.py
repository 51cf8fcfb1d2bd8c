"""When one look of a pair may be while the other is held: spans with exact edges; compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from humay.access.stereo.limits import FARTHEST, NEAREST, PARTS, POLYGON, Pair, margin
from humay.access.stereo.motion import LOOK, TIME, look_at
from humay.arrays import FloatArray
from humay.compiled import inner

TOLERANCE_S = 1e-5  # of an edge; the side where the limit is met is what is given
STEP_S = 8  # a look's angles change over a minute or more
FEW = 5  # steps; a shorter window is sampled at every look of its table
MOST_SPANS = 16  # of one look; more are refused
FOUND, NARROWED, LISTS = 0, 1, 6  # lists of spans to work in: what is found, and on the way to it
_GOLDEN = 0.3819660112501051


class Work(NamedTuple):
    """Room to work in: samples (3, n), lists of spans, and rows for looks and polygons.

    The first row of a list of spans is their number, its others are begin and end.
    """

    samples: FloatArray
    lists: FloatArray
    room: FloatArray


def work_for(longest_s: float) -> Work:
    """Room for windows of this length."""
    return Work(
        samples=np.empty((3, FEW * STEP_S + int(longest_s / STEP_S) + 3)),
        lists=np.empty((LISTS, MOST_SPANS + 1, 2)),
        room=np.empty((POLYGON + 8, LOOK)),
    )


# ---------------------------------------------------------------- lists of spans


def one_span(begin: float, end: float) -> FloatArray:
    """A list that holds one span and has room for more."""
    spans = np.zeros((MOST_SPANS + 1, 2))
    spans[0, 0], spans[1] = 1.0, (begin, end)
    return spans


@inner
def size(spans: FloatArray) -> int:
    """How many there are; more than `MOST_SPANS` where room ran out."""
    return int(spans[0, 0])


@inner
def append(spans: FloatArray, begin: float, end: float) -> None:
    """Add a span that comes after all others; an empty one is left out."""
    if end > begin:
        n = int(spans[0, 0]) + 1
        if n <= MOST_SPANS:
            spans[n, 0], spans[n, 1] = begin, end
        spans[0, 0] = min(n, MOST_SPANS + 1)


@inner
def copy(spans: FloatArray, out: FloatArray) -> None:
    for k in range(min(int(spans[0, 0]), MOST_SPANS) + 1):
        out[k, 0], out[k, 1] = spans[k, 0], spans[k, 1]


# ---------------------------------------------------------------- one limit


@inner
def value(
    pair: Pair, limit: int, m: int, held: FloatArray, moved: FloatArray, room: FloatArray
) -> float:
    """Margin of one limit."""
    if pair.forward:
        return margin(pair, limit, m, held, moved, room)
    return margin(pair, limit, m, moved, held, room)


@inner
def value_at(
    pair: Pair, limit: int, m: int, held: FloatArray, t_s: float, room: FloatArray
) -> float:
    """Margin of one limit when the moved look is at `t_s`."""
    if pair.forward:
        look_at(pair.second, t_s, PARTS[0, limit], room[0])
    else:
        look_at(pair.first, t_s, PARTS[1, limit], room[0])
    return value(pair, limit, m, held, room[0], room)


@inner
def edge(
    pair: Pair, limit: int, m: int, held: FloatArray, inside_s: float, f_in: float,
    outside_s: float, f_out: float, room: FloatArray,
) -> float:  # fmt: skip
    """Where a limit is met last on the way from `inside_s` to `outside_s`, within `TOLERANCE_S`.

    False position with the Illinois weights (M. Dowell and P. Jarratt, BIT 11, 1971), every fourth
    step a halving.
    """
    moved = 0.0  # the side that moved last: 1 inside, -1 outside
    for turn in range(80):
        gap = outside_s - inside_s
        if abs(gap) <= TOLERANCE_S:
            break
        share = f_in / (f_in - f_out) if turn % 4 < 3 else 0.5
        least = 0.4 * TOLERANCE_S / abs(gap)
        t_s = inside_s + min(max(share, least), 1.0 - least) * gap
        f = value_at(pair, limit, m, held, t_s, room)
        if f >= 0:
            inside_s, f_in = t_s, f
            f_out *= 0.5 if moved > 0 else 1.0
            moved = 1.0
        else:
            outside_s, f_out = t_s, f
            f_in *= 0.5 if moved < 0 else 1.0
            moved = -1.0
    return inside_s


@inner
def turning(
    pair: Pair, limit: int, m: int, held: FloatArray, low_s: float, high_s: float, sign: float,
    room: FloatArray,
) -> float:  # fmt: skip
    """Where between two samples `sign` times a margin is greatest, or anywhere it is above 0.

    Golden section, to a millisecond.
    """
    b = low_s + _GOLDEN * (high_s - low_s)
    c = high_s - _GOLDEN * (high_s - low_s)
    at_b, at_c = math.nan, math.nan
    while high_s - low_s > 1e-3:
        t_s = b if math.isnan(at_b) else c
        f = sign * value_at(pair, limit, m, held, t_s, room)
        if f > 0:
            return t_s
        if math.isnan(at_b):
            at_b = f
        else:
            at_c = f
        if math.isnan(at_c):
            continue
        if at_b > at_c:
            high_s, c, at_c = c, b, at_b
            b, at_b = low_s + _GOLDEN * (high_s - low_s), math.nan
        else:
            low_s, b, at_b = b, c, at_c
            c, at_c = high_s - _GOLDEN * (high_s - low_s), math.nan
    return 0.5 * (low_s + high_s)


@inner
def sample(
    pair: Pair, limit: int, m: int, held: FloatArray, looks: FloatArray, low_s: float,
    high_s: float, work: Work,
) -> int:  # fmt: skip
    """Margins, and slopes between them, at looks of a table that enclose a span; their number.

    They are those at its ends and at the multiples of `STEP_S`, of a short table all, and go on by
    one more to either side of the span. Where that would lead past the held look, at which the
    asymmetry of two looks of one window leaps, they end with the span.
    """
    last = looks.shape[0] - 1
    step = 1 if last < FEW * STEP_S else STEP_S
    whole = math.floor(looks[0, TIME])
    row = max((int(low_s) // step - 1) * step - whole, 0) if step > 1 else 0
    n = 0
    while True:
        t_s = looks[row, TIME]
        if pair.forward and n == 0 and t_s > low_s:
            n = keep(work.samples, n, low_s, value_at(pair, limit, m, held, low_s, work.room))
        if not pair.forward and t_s >= held[TIME]:
            f = value_at(pair, limit, m, held, high_s, work.room)
            return keep(work.samples, n, high_s, f)
        if t_s > held[TIME] or not pair.forward:
            n = keep(work.samples, n, t_s, value(pair, limit, m, held, looks[row], work.room))
        if row == last or (n > 2 and work.samples[0, n - 2] >= high_s):
            return n
        row = min(((row + whole) // step + 1) * step - whole, last)


@inner
def keep(samples: FloatArray, n: int, t_s: float, margin: float) -> int:
    """Add to n samples one at a later instant, and the slope that leads to it."""
    samples[0, n], samples[1, n] = t_s, margin
    if n > 0:
        samples[2, n - 1] = (margin - samples[1, n - 1]) / (t_s - samples[0, n - 1])
    return n + 1


@inner
def hidden(samples: FloatArray, n: int, j: int) -> float:
    """How far a margin between samples j and j + 1 may turn beyond the nearer to 0 of both.

    From the change of slope to the neighbouring gaps, for a parabola and for a kink alike, with
    half as much again to be safe.
    """
    times, slopes = samples[0], samples[2]
    change = 0.0
    if j > 0:
        change = abs(slopes[j] - slopes[j - 1])
    if j + 2 < n:
        change = max(change, abs(slopes[j + 1] - slopes[j]))
    left = 1.5 * change - abs(slopes[j])
    if left <= 0.0:
        return 0.0
    return float(left * left / (1.5 * change) * (times[j + 1] - times[j]))


@inner
def narrow(
    pair: Pair, limit: int, m: int, held: FloatArray, looks: FloatArray, low_s: float,
    high_s: float, work: Work, out: FloatArray,
) -> None:  # fmt: skip
    """Append to the list `out` the spans inside a span where one limit is met.

    Where the margin at two neighbouring samples has one sign, and is small enough for its change of
    slope to hide a change of sign between them, its extremum is looked for.
    """
    n = sample(pair, limit, m, held, looks, low_s, high_s, work)
    times, values, room = work.samples[0], work.samples[1], work.room
    begin, j = low_s, 0
    a, fa, b, fb = times[0], values[0], times[1], values[1]
    while a < high_s:
        if b > low_s:
            if (fa >= 0) != (fb >= 0):
                inside, outside = (a, b) if fa >= 0 else (b, a)
                f_in, f_out = (fa, fb) if fa >= 0 else (fb, fa)
                found = edge(pair, limit, m, held, inside, f_in, outside, f_out, room)
                if fa >= 0:
                    append(out, begin, min(found, high_s))
                begin = max(found, low_s)
            elif a == times[j] and min(abs(fa), abs(fb)) < hidden(work.samples, n, j):
                t_s = turning(pair, limit, m, held, a, b, -1.0 if fa >= 0 else 1.0, room)
                f = value_at(pair, limit, m, held, t_s, room)
                if (f >= 0) != (fa >= 0):
                    b, fb = t_s, f
                    continue
        a, fa = b, fb
        if a == times[j + 1]:
            j += 1
            if j == n - 1:
                break
        b, fb = times[j + 1], values[j + 1]
    if fa >= 0:
        append(out, begin, high_s)


# ---------------------------------------------------------------- all limits


@inner
def follow(pair: Pair, held: FloatArray, looks: FloatArray, within: FloatArray, work: Work) -> int:
    """Find the spans of the moved look while the other is held; their number.

    `looks` is the table of the moved look, `within` lists the spans that are open to it at all.
    """
    found, narrowed = work.lists[FOUND], work.lists[NARROWED]
    t_s, near_s, far_s = held[TIME], pair.bounds[NEAREST], pair.bounds[FARTHEST]
    low_s, high_s = (t_s + near_s, t_s + far_s) if pair.forward else (t_s - far_s, t_s - near_s)
    found[0, 0] = 0.0
    for i in range(1, size(within) + 1):
        append(found, max(low_s, within[i, 0]), min(high_s, within[i, 1]))
    for k in range(pair.asked.shape[0]):
        narrowed[0, 0] = 0.0
        for i in range(1, size(found) + 1):
            narrow(
                pair, pair.asked[k, 0], pair.asked[k, 1], held, looks, found[i, 0], found[i, 1],
                work, narrowed,
            )  # fmt: skip
        copy(narrowed, found)
        if not 0 < size(found) <= MOST_SPANS:
            break
    return size(found)


@inner
def length_of(spans: FloatArray) -> float:
    """Seconds that the spans of a list hold."""
    total = 0.0
    for k in range(1, min(size(spans), MOST_SPANS) + 1):
        total += spans[k, 1] - spans[k, 0]
    return total
