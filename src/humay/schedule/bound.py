"""An upper bound on any plan's value: a linear relaxation, satellite by satellite and orbit by
orbit.

Each opportunity is taken in part, x between 0 and 1. Every row below holds for every plan that
respects the limits, in continuous time, so the optimum of the relaxation is at least the value of
the best plan. Slew times between acquisitions, battery and antenna conflicts are relaxed away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from humay.access import Contacts, Opportunities
from humay.arrays import FloatArray, IntArray
from humay.errors import PlanError
from humay.mission import Satellite

SAFETY = 1e-6  # relative: the solver's own tolerances, added to what it finds
_GAP_BETWEEN_PASSES_S = 1_200.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """`weights` @ x[`which`] <= `most`."""

    which: IntArray
    weights: FloatArray
    most: float


def upper_bound(
    opportunities: Opportunities,
    values: FloatArray,
    least_bits: FloatArray,
    satellites: Mapping[str, Satellite],
    ready_s: Mapping[str, float],
    contacts: Contacts,
    rates_bit_s: Mapping[tuple[str, str], float],
    start_s: float,
) -> float:
    """The value no plan can exceed.

    `values` (n,) is what each opportunity is worth, `least_bits` (n,) the least data it can make;
    `ready_s` says when each satellite can first be commanded, `rates_bit_s` is by satellite and
    station.
    """
    ready = np.array([ready_s[name] for name in opportunities.satellite], dtype=np.float64)
    first = np.maximum(opportunities.plan_start_s, ready)
    usable = np.flatnonzero((opportunities.plan_end_s >= first) & np.isfinite(least_bits))
    if not len(usable):
        return 0.0
    rows = _once_each(opportunities.strip, usable)
    for name, satellite in satellites.items():
        own = usable[opportunities.satellite[usable] == name]
        begin, scan = first[own], opportunities.scan_s[own]
        finish = opportunities.plan_end_s[own] + scan
        rows += _one_at_a_time(own, begin, finish, scan, satellite.settle_s)
        rows += _imaging_time(own, begin, finish, scan, satellite)
        rows += _memory(
            own, finish, least_bits[own], satellite,
            _downlink_capacity(contacts, rates_bit_s, name, start_s),
        )  # fmt: skip
    most = float(np.max(values[usable]))  # weights may be of any size: the program sees at most 1
    return most * (_solve(values / most, usable, rows) + SAFETY * len(usable))


def _once_each(strip: Sequence[str], usable: IntArray) -> list[Row]:
    """A strip is worth its value once."""
    rows: dict[str, list[int]] = {}
    for i in usable:
        rows.setdefault(str(strip[i]), []).append(int(i))
    return [Row(which=np.array(r), weights=np.ones(len(r)), most=1.0) for r in rows.values()]


def _one_at_a_time(
    own: IntArray, begin: FloatArray, finish: FloatArray, scan: FloatArray, settle_s: float
) -> list[Row]:
    """Acts that must lie inside an interval, each settling and sweeping, cannot last longer than
    it.

    Intervals run from the earliest settling of one opportunity to the latest end of another, inside
    one pass.
    """
    rows = []
    order = np.argsort(begin, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(begin[order]) > _GAP_BETWEEN_PASSES_S) + 1)
    for group in groups:
        for low in np.unique(begin[group]):
            for high in np.unique(finish[group]):
                inside = group[(begin[group] >= low) & (finish[group] <= high)]
                busy, length = scan[inside] + settle_s, high - low + settle_s
                if np.sum(busy) > length > 0:
                    rows.append(Row(which=own[inside], weights=busy, most=float(length)))
    return rows


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
