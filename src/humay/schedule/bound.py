"""An upper bound on any plan's value: a linear relaxation, satellite by satellite and orbit by
orbit.

Each opportunity is taken in part, x between 0 and 1. Every row below holds for every plan that
respects the limits, in continuous time, so the optimum of the relaxation is at least the value of
the best plan. Slew times between acquisitions, battery and antenna conflicts are relaxed away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from humay.access import Contacts, Opportunities
from humay.arrays import FloatArray, IntArray
from humay.errors import PlanError
from humay.mission import Satellite
from humay.schedule.expectation import ROUNDING
from humay.schedule.worth import Worth

SAFETY = 1e-6  # relative: the solver's own tolerances, added to what it finds
_GAP_BETWEEN_PASSES_S = 1_200.0
_MOST_ENTRIES = 300_000  # of the program, for each kind of limit


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """`weights` @ x[`which`] <= `most`."""

    which: IntArray
    weights: FloatArray
    most: float


def upper_bound(
    opportunities: Opportunities,
    worth: Worth,
    least_bits: FloatArray,
    satellites: Mapping[str, Satellite],
    ready_s: Mapping[str, float],
    contacts: Contacts,
    rates_bit_s: Mapping[tuple[str, str], float],
    start_s: float,
    fixed_s: Mapping[int, float] | None = None,
) -> float:
    """The value no plan can exceed, of those in which the opportunities that are keys of `fixed_s`
    begin when it says.

    `least_bits` (n,) is the least data that each opportunity can make; `ready_s` says when each
    satellite can first be commanded, `rates_bit_s` is by satellite and station.
    """
    ready = np.array([ready_s[name] for name in opportunities.satellite], dtype=np.float64)
    first = np.maximum(opportunities.plan_start_s, ready)
    last = np.array(opportunities.plan_end_s)
    for row, fixed in (fixed_s or {}).items():
        first[row] = last[row] = fixed
    usable = np.flatnonzero((last >= first) & np.isfinite(least_bits))
    if not len(usable):
        return 0.0
    whole = _usable_bundles(worth, usable)
    values = _at_most(worth, whole)
    brings = _parts(worth, whole) + _goals(worth, values)
    rows = _most(worth, usable)
    for name, satellite in satellites.items():
        own = usable[opportunities.satellite[usable] == name]
        begin, scan = first[own], opportunities.scan_s[own]
        finish = last[own] + scan
        entries = _MOST_ENTRIES // len(satellites)
        rows += _one_at_a_time(own, begin, finish, scan, satellite.settle_s, entries)
        rows += _thinned(_imaging_time(own, begin, finish, scan, satellite), entries)
        capacity = _downlink_capacity(contacts, rates_bit_s, name, start_s)
        rows += _thinned(_memory(own, finish, least_bits[own], satellite, capacity), entries)
    most = float(np.max(values[usable]))  # weights may be of any size: the program sees at most 1
    if not most > 0.0:
        return 0.0
    left = _left_beside(rows, list(fixed_s or {}))
    return most * (_solve(values / most, usable, brings + left) + SAFETY * len(usable))


def _left_beside(rows: Iterable[Row], sure: Sequence[int]) -> list[Row]:
    """The rows for all others, where some opportunities are taken for sure.

    Only limits take them whole: what they bring may be counted in part, as that of all others, for
    their values together can be more than their goal is worth.
    """
    found = []
    for row in rows:
        taken = np.isin(row.which, sure)
        left = max(row.most - float(np.sum(row.weights[taken])), 0.0)
        if not np.all(taken):
            found.append(Row(which=row.which[~taken], weights=row.weights[~taken], most=left))
    return found


def _steepness(worth: Worth) -> FloatArray:
    """For each goal, the most that a share of it brings, over that share: 1 where it is straight.

    A curve lies below a straight line of this steepness, up to its full worth.
    """
    goals = worth.goals
    steep = np.array(
        [
            np.max(curve.worth[curve.level > 0] / curve.level[curve.level > 0], initial=1.0)
            for curve in goals.curves
        ]
    )
    return np.asarray(steep[goals.curve])


def _usable_bundles(worth: Worth, usable: IntArray) -> IntArray:
    """The bundles of which every member is usable."""
    allowed = np.zeros(worth.rows, dtype=bool)
    allowed[usable] = True
    return np.flatnonzero(worth.bundles.whole(allowed))


def _at_most(worth: Worth, bundles: IntArray) -> FloatArray:
    """What each opportunity (rows,) can add: its part of the bundles that it is of."""
    steep, found = _steepness(worth), np.zeros(worth.rows)
    goals, of = worth.goals, worth.bundles
    for b in bundles.tolist():
        part = int(of.serves.of[b])
        goal = goals.part_goal[part]
        each = goals.weight[goal] * goals.part_share[part] * steep[goal] * of.quality[b]
        found[of.members[b]] += each / len(of.members[b])
    return found


def _parts(worth: Worth, bundles: IntArray) -> list[Row]:
    """A part is served once, or as well as all that serves it does together.

    A bundle counts for what its members do of it on average, which is at least what it does. Where
    that is more than the whole plan can, less of each of its members still satisfies every row.
    """
    of = worth.bundles
    weights: dict[int, dict[int, float]] = {}
    left: dict[int, float] = {}
    for b in bundles.tolist():
        part, quality, own = int(of.serves.of[b]), float(of.quality[b]), of.members[b]
        left[part] = left.get(part, 1.0) * (1.0 - quality)
        summed = weights.setdefault(part, {})
        for row in own.tolist():
            summed[row] = summed.get(row, 0.0) + quality / len(own)
    return [
        Row(which=np.array(list(own)), weights=np.array(list(own.values())), most=1.0 - left[part])
        for part, own in weights.items()
    ]


def _goals(worth: Worth, values: FloatArray) -> list[Row]:
    """No goal is worth more than its weight, where its curve is steeper than straight or its parts
    are more than the whole.

    What can be expected of a curve is at most the expected level times its steepness, too.
    """
    goals, rows = worth.goals, []
    most = np.bincount(goals.part_goal, weights=goals.part_share, minlength=len(goals.weight))
    for goal in np.flatnonzero((_steepness(worth) > 1.0) | (most > 1.0 + ROUNDING)).tolist():
        own = worth.bundles_of.get(goal, np.zeros(0, np.int64))
        members = np.array([r for b in own for r in worth.bundles.members[b]], dtype=np.int64)
        which = np.unique(members[values[members] > 0])
        if len(which):
            weights = values[which] / worth.goals.weight[goal]
            rows.append(Row(which=which, weights=weights, most=1.0))
    return rows


def _most(worth: Worth, usable: IntArray) -> list[Row]:
    """Only so many looks at a strip count."""
    rows = []
    for cap in worth.most:
        which = np.intersect1d(cap.candidates, usable)
        rows.append(Row(which=which, weights=np.ones(len(which)), most=cap.most))
    return [row for row in rows if len(row.which)]


def _one_at_a_time(
    own: IntArray,
    begin: FloatArray,
    finish: FloatArray,
    scan: FloatArray,
    settle_s: float,
    entries: int,
) -> list[Row]:
    """Acts that must lie inside an interval, each settling and sweeping, cannot last longer than
    it.

    Intervals run from the earliest settling of one opportunity to the latest end of another, inside
    one pass.
    """
    rows = []
    order = np.argsort(begin, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(begin[order]) > _GAP_BETWEEN_PASSES_S) + 1)
    edges = _most_edges([len(group) for group in groups], entries)
    for group in groups:
        for low in _some(np.unique(begin[group]), edges):
            for high in _some(np.unique(finish[group]), edges):
                inside = group[(begin[group] >= low) & (finish[group] <= high)]
                busy, length = scan[inside] + settle_s, high - low + settle_s
                if np.sum(busy) > length > 0:
                    rows.append(Row(which=own[inside], weights=busy, most=float(length)))
    return rows


def _most_edges(sizes: Sequence[int], entries: int) -> int:
    """How many starts and ends of intervals in each pass keep to so many entries.

    A pass of n opportunities has an interval from each start to each end, with about n / 4 of them
    inside: without a limit the program grows with the cube of n.
    """
    edges = max(sizes)
    while edges > 2 and sum(0.25 * n * min(n, edges) ** 2 for n in sizes) > entries:
        edges -= 1
    return edges


def _some(values: FloatArray, most: int) -> FloatArray:
    """At most so many of sorted values, evenly picked, the first and the last included: leaving out
    an interval makes the bound weaker, not wrong."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).round().astype(np.int64)]


def _thinned(rows: Iterable[Row], entries: int) -> list[Row]:
    """Every second row, or third, or further on, so that they keep to about so many entries."""
    kept = list(rows)
    step = math.ceil(sum(len(row.which) for row in kept) / entries)
    return kept[:: max(step, 1)]


def _imaging_time(
    own: IntArray, begin: FloatArray, finish: FloatArray, scan: FloatArray, satellite: Satellite
) -> list[Row]:
    """Acts that must lie inside a sliding window cannot image longer than its limit."""
    rows = []
    for limit in satellite.imaging_limits:
        for low in np.unique(begin):
            inside = np.flatnonzero((begin >= low) & (finish <= low + limit.per_s))
            if np.sum(scan[inside]) > limit.seconds:
                rows.append(Row(which=own[inside], weights=scan[inside], most=limit.seconds))
    return rows


def _memory(
    own: IntArray, finish: FloatArray, bits: FloatArray, satellite: Satellite,
    capacity: Callable[[float], float],
) -> list[Row]:  # fmt: skip
    """What is recorded by an instant fits into the free memory and what can be sent by then."""
    free = satellite.memory_bit - satellite.memory_used_bit
    rows = []
    for high in np.unique(finish):
        inside = np.flatnonzero(finish <= high)
        most = free + capacity(float(high))
        if np.sum(bits[inside]) > most:
            rows.append(Row(which=own[inside], weights=bits[inside] / 1e9, most=most / 1e9))
    return rows


def _downlink_capacity(
    contacts: Contacts, rates_bit_s: Mapping[tuple[str, str], float], satellite: str, start_s: float
) -> Callable[[float], float]:
    """Bits a satellite can send from `start_s` up to an instant, if every contact were its own."""
    mine = np.flatnonzero(contacts.satellite == satellite)
    rates = np.array([rates_bit_s[satellite, str(contacts.station[i])] for i in mine])

    def capacity(until_s: float) -> float:
        low = np.maximum(contacts.start_s[mine], start_s)
        high = np.minimum(contacts.end_s[mine], until_s)
        return float(np.sum(np.maximum(high - low, 0.0) * rates))

    return capacity


def _solve(values: FloatArray, usable: IntArray, rows: Sequence[Row]) -> float:
    column = np.full(len(values), -1)
    column[usable] = np.arange(len(usable))
    starts = np.concatenate([[0], np.cumsum([len(row.which) for row in rows])])
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(usable), len(rows)
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = values[usable]
    model.col_lower_, model.col_upper_ = np.zeros(len(usable)), np.ones(len(usable))
    model.row_lower_ = np.full(len(rows), -highspy.kHighsInf)
    model.row_upper_ = np.array([row.most for row in rows])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = starts
    model.a_matrix_.index_ = column[np.concatenate([row.which for row in rows])]
    model.a_matrix_.value_ = np.concatenate([row.weights for row in rows])
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # no annotations in highspy
    for option, setting in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
        solver.setOptionValue(option, setting)
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise PlanError(f"the bound's linear program ended with {solver.getModelStatus()}")
    return float(solver.getInfo().objective_function_value)
