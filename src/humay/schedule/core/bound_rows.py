"""Rows of the bound's linear program: what every solution holds, whatever its times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.schedule.core.problem import Curve, Problem, SlidingLimit, Store

_IDLE_S, _STRETCHES = 600.0, 5
"""Stores are looked at from and to where a lane does nothing for this long; from the beginning to
all such times, from others to so many of the next."""
_LATE_S = 2e-6
"""More than the judge lets a start be early or late."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """`weights` @ x[`acts`] <= `most`, for candidates done (x = 1) or not (0)."""

    acts: IntArray
    weights: FloatArray
    most: float


def rows_of(problem: Problem) -> Iterator[Row]:
    """What excludes each other, budgets, sliding limits and stores.

    Of limits and stores, only what each candidate takes at least of a stretch of time counts; what
    turns draw from a store is left out.
    """
    for clique in cliques(problem.pairs):
        yield Row(acts=clique, weights=np.ones(len(clique)), most=1.0)
    for triple in problem.triples:
        yield Row(acts=triple, weights=np.ones(3), most=2.0)
    for budget in problem.budgets:
        yield Row(acts=budget.candidates, weights=budget.use, most=budget.most)
    for lane, limit in problem.limits:
        yield from _limit_rows(problem, np.flatnonzero(problem.lane == lane), limit)
    for store in problem.stores:
        yield from _store_rows(problem, np.flatnonzero(problem.lane == store.lane), store)
    for i in np.flatnonzero(problem.fixed):
        yield Row(acts=np.array([i]), weights=-np.ones(1), most=-1.0)


def cliques(pairs: IntArray) -> list[IntArray]:
    """Sets of candidates of which at most one is done; every pair lies in one of them."""
    beside: dict[int, set[int]] = {}
    for a, b in pairs.tolist():
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    left = {(min(a, b), max(a, b)) for a, b in pairs.tolist()}
    found = []
    for a, b in sorted(left):
        if (a, b) not in left:
            continue
        clique, common = [a, b], beside[a] & beside[b]
        while common:
            best = max(
                common, key=lambda c: (sum((min(c, d), max(c, d)) in left for d in clique), -c)
            )
            clique.append(best)
            common &= beside[best]
        left -= {(min(c, d), max(c, d)) for c in clique for d in clique}
        found.append(np.array(sorted(clique), dtype=np.int64))
    return found


def _overlap(
    problem: Problem, own: IntArray, low_s: float, high_s: float
) -> tuple[FloatArray, FloatArray]:
    """The least and the most time (n,) which candidates take of an interval. In between the first
    and the last start it is never less than at both."""
    duration = problem.duration_s[own]

    def inside(start_s: FloatArray) -> FloatArray:
        end_s = np.minimum(start_s + duration, high_s)
        return np.asarray(np.maximum(end_s - np.maximum(start_s, low_s), 0.0))

    first, last = problem.low_s[own], problem.high_s[own]
    best = np.clip(low_s, first, last)  # beginning with the interval, if it can
    least = np.minimum(inside(first), inside(last)) - _LATE_S
    return np.maximum(least, 0.0), inside(best) + _LATE_S


def _limit_rows(problem: Problem, own: IntArray, limit: SlidingLimit) -> Iterator[Row]:
    """Stretches that begin with the first start of a candidate."""
    before: list[int] = []
    for low_s in np.unique(problem.low_s[own]):
        least, _ = _overlap(problem, own, low_s, low_s + limit.per_s)
        inside = np.flatnonzero(least > 0)
        if float(np.sum(least)) > limit.seconds and inside.tolist() != before:
            before = inside.tolist()
            yield Row(acts=own[inside], weights=least[inside], most=limit.seconds + 1e-6)


def _store_rows(problem: Problem, own: IntArray, store: Store) -> Iterator[Row]:
    """What is drawn between two quiet times, beyond what flows in, was there before: at most the
    capacity, or what the store began with."""
    if store.turn_use < 0 or not len(own):
        return
    quiet = _quiet_times(problem, own, store)
    flow = np.concatenate([[0.0], np.cumsum(store.income * np.diff(store.t_s))])
    flown = np.interp(quiet, store.t_s, flow)
    for a in range(len(quiet)):
        for b in range(a + 1, len(quiet) if a == 0 else min(a + _STRETCHES, len(quiet))):
            least, most = _overlap(problem, own, quiet[a], quiet[b])
            use = store.use[own]
            weights = np.where(use > 0, use * least, use * most)
            free = (store.initial if a == 0 else store.capacity) + flown[b] - flown[a]
            if float(np.sum(np.maximum(weights, 0.0))) > free:
                which = np.flatnonzero(weights)
                yield Row(
                    acts=own[which], weights=weights[which], most=free + 1e-8 * store.capacity
                )


def _quiet_times(problem: Problem, own: IntArray, store: Store) -> FloatArray:
    """The middles of long gaps between candidates, within the store's times and with its ends."""
    order = own[np.argsort(problem.low_s[own])]
    end_s = np.maximum.accumulate(problem.high_s[order] + problem.duration_s[order])
    gap_s = problem.low_s[order][1:] - end_s[:-1]
    long = gap_s > _IDLE_S
    middle = end_s[:-1][long] + 0.5 * gap_s[long]
    low, high = store.t_s[0], store.t_s[-1]
    return np.unique(np.concatenate([[low], middle[(middle > low) & (middle < high)], [high]]))


def hull(curve: Curve, most: float) -> tuple[FloatArray, FloatArray]:
    """Levels and worths of the least concave curve above a curve, from level 0 to `most`."""
    inside = (curve.level > 0) & (curve.level < most)
    levels = np.unique(np.concatenate([[0.0], curve.level[inside], [most]]))
    kept: list[tuple[float, float]] = []
    for x, y in zip(levels.tolist(), [curve.at(x) for x in levels], strict=True):
        while len(kept) > 1 and _below(kept[-2], kept[-1], (x, y)):
            kept.pop()
        kept.append((x, y))
    return np.array([x for x, _ in kept]), np.array([y for _, y in kept])


def _below(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or below the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0])
