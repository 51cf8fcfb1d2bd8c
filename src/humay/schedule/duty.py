"""How long the camera runs: by orbit, and how warm that makes it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from humay.access import Timeline
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.mission import OrbitLimit, Satellite, Thermal
from humay.schedule.core import Budget, Store
from humay.schedule.sequence import Act

_SPARE_K = 1e-6  # of the limit: starts are written in microseconds
_SPARE_S = 1e-5


def duty_fault(
    satellite: Satellite,
    timeline: Timeline,
    acts: Sequence[Act],
    from_s: float,
    flown: Sequence[tuple[float, float]] = (),
) -> str:
    """What acts in order of time break of the limits by orbit and of the camera's temperature; in
    the first orbit counts what was `flown` in it before."""
    limit, thermal = satellite.orbit_limit, satellite.thermal
    if not acts or (limit is None and thermal is None):
        return ""
    starts = np.array([act.start_s for act in acts])
    ends = np.array([act.end_s for act in acts])
    if limit is not None:
        before = [span for span in flown if span[1] > timeline.node_s[0]]
        more = np.array(before, dtype=np.float64).reshape(-1, 2)
        text = _orbit_fault(
            limit,
            timeline,
            np.concatenate([more[:, 0], starts]),
            np.concatenate([more[:, 1], ends]),
        )
        if text:
            return f"{satellite.name} would {text}"
    if thermal is not None:
        warmest = float(np.max(warmth_k(thermal, starts, ends, ends, from_s)))
        if warmest > thermal.limit_k * (1 - _SPARE_K):
            return (
                f"the camera of {satellite.name} would be {warmest:.2f} K above its surroundings,"
                f" {thermal.limit_k:g} K are allowed"
            )
    return ""


def _orbit_fault(
    limit: OrbitLimit, timeline: Timeline, starts: FloatArray, ends: FloatArray
) -> str:
    orbits = orbits_of(timeline, starts)
    edges = np.concatenate([[-np.inf], timeline.node_s, [np.inf]])
    for orbit in range(int(orbits[0]), int(orbits_of(timeline, ends)[-1]) + 1):
        number = timeline.node_orbit[0] - 1 + orbit
        if limit.acquisitions is not None and np.sum(orbits == orbit) > limit.acquisitions:
            return f"begin more than {limit.acquisitions} acquisitions in orbit {number:.0f}"
        low, high = np.maximum(starts, edges[orbit]), np.minimum(ends, edges[orbit + 1])
        used_s = float(np.sum(np.maximum(high - low, 0.0)))
        if limit.imaging_s is not None and used_s > limit.imaging_s - _SPARE_S:
            return f"image more than {limit.imaging_s:g} s in orbit {number:.0f}"
    return ""


def orbits_of(timeline: Timeline, t_s: FloatArray) -> IntArray:
    """How many (n,) of the timeline's nodes lie before times (n,)."""
    return np.searchsorted(timeline.node_s, t_s, side="right")


def warmth_k(
    thermal: Thermal, starts: FloatArray, ends: FloatArray, t_s: FloatArray, from_s: float
) -> FloatArray:
    """Kelvins (k,) above the surroundings at times (k,), with acts in order of time.

    From one edge to the next it goes exponentially to `steady_k` while imaging, else to zero; the
    warmest instants are ends of acts.
    """
    edges = np.concatenate([[from_s], np.stack([starts, ends], axis=1).ravel()])
    levels = [thermal.initial_k]
    for i in range(1, len(edges)):
        goal = thermal.steady_k if i % 2 == 0 else 0.0
        left = math.exp(-(float(edges[i] - edges[i - 1])) / thermal.time_constant_s)
        levels.append(goal + (levels[-1] - goal) * left)
    at = np.maximum(np.searchsorted(edges, t_s, side="right") - 1, 0)
    goals = np.where(at % 2 == 1, thermal.steady_k, 0.0)
    left = np.exp(-(t_s - edges[at]) / thermal.time_constant_s)
    return np.asarray(goals + (np.array(levels)[at] - goals) * left)


# In the search ----------------------------------------------------------------------------------


def orbit_budgets(
    limit: OrbitLimit,
    timeline: Timeline,
    own: IntArray,
    low_s: FloatArray,
    high_s: FloatArray,
    duration_s: FloatArray,
) -> list[Budget]:
    """Of candidates `own` (k,) that start between times (k,), those that lie in one orbit whole.

    Those that may cross a node count nowhere: the search may then do a little too much, which is
    dropped when the plan is put together.
    """
    begin, late = orbits_of(timeline, low_s), orbits_of(timeline, high_s)
    finish = orbits_of(timeline, high_s + duration_s)
    budgets = []
    for orbit in np.unique(begin):
        for most, use, inside in (
            (limit.acquisitions, np.ones(len(own)), late),
            (limit.imaging_s, duration_s, finish),
        ):
            here = (begin == orbit) & (inside == orbit)
            if most is not None and np.sum(use[here]) > most:
                budgets.append(Budget(candidates=own[here], use=use[here], most=float(most)))
    return budgets


def warmth_store(
    thermal: Thermal, lane: int, span_s: tuple[float, float], imaging: BoolArray
) -> Store:
    """What is left up to the limit, filled again as fast as a camera cools at the limit, which none
    below it does: the search may do a little too much, which is dropped later."""
    return Store(
        lane=lane,
        t_s=np.array(span_s),
        income=np.array([thermal.limit_k / thermal.time_constant_s]),
        initial=thermal.limit_k - thermal.initial_k,
        capacity=thermal.limit_k,
        use=np.where(imaging, thermal.heating_k_s, 0.0),
    )
