"""The plan as an abstract problem in which every plan is a solution, whatever passes it books.

`mapping` stands as near to one plan as it can; here nothing may be missing. So a solution can begin
an image at every instant of its windows from the soonest command on; the turns before and after are
shorter than any slew that the plan could fly; the memory records the least data there can be, and
empties through every contact at once. What the abstract problem knows nothing of is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from humay.access import Contacts, Opportunities, Pointing
from humay.arrays import FloatArray, IntArray
from humay.schedule.core import Problem, SlidingLimit, Store, no_conflicts, upper_bound
from humay.schedule.mapping import SPARE_S, bundles_of, poses_of, turn_of
from humay.schedule.planner import Lane
from humay.schedule.worth import Worth

LIMITS = ("outage", "uplink", "keep_out", "slew", "imaging_time", "memory", "downlink", "energy")
"""The codes of what a plan must respect, as in the reasons for what is left out."""
ROUNDS = 60
"""Sets of prices that are tried, at most."""
_IN_BOTH = ("imaging_time", "memory")
_SHORTEST_S = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Reach:
    """What no plan can change: `ready_s` is the soonest that a satellite can be commanded, `lanes`
    are empty; `rates_bit_s` is by satellite and station. `fixed_s` are the starts of opportunities
    (rows) that are in every plan."""

    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    lanes: Mapping[str, Lane]
    ready_s: Mapping[str, float]
    contacts: Contacts
    rates_bit_s: Mapping[tuple[str, str], float]
    fixed_s: Mapping[int, float] = field(default_factory=dict)


def relaxed_problem(given: Reach, worth: Worth) -> Problem:
    """A problem without grid, battery, passes and commands but the soonest."""
    o, names = given.opportunities, list(given.lanes)
    rows, low_s, high_s = _starts(given)
    samples = [p for p in (given.pointing[row] for row in rows.tolist()) if p is not None]
    lane = np.array([names.index(str(name)) for name in o.satellite[rows]], dtype=np.int64)
    duration_s = np.maximum(o.scan_s[rows] - 2 * SPARE_S, _SHORTEST_S)
    bits = np.array([float(np.min(each.data_bit)) for each in samples], dtype=np.float64)
    return Problem(
        lanes=tuple(replace(turn_of(each), settle_s=0.0) for each in given.lanes.values()),
        lane=lane,
        low_s=low_s,
        high_s=high_s,
        duration_s=duration_s,
        poses=poses_of(list(given.lanes.values()), lane, samples),
        bundles=bundles_of(worth, rows),
        goals=worth.enveloping,
        bonus=np.zeros(len(rows)),
        fixed=np.isin(rows, list(given.fixed_s)),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
        stores=tuple(
            _memory(given, each, np.where(lane == k, bits / duration_s, 0.0), k)
            for k, each in enumerate(given.lanes.values())
            if np.isfinite(each.satellite.memory_bit)
        ),
        limits=tuple(
            (k, SlidingLimit(seconds=limit.seconds, per_s=limit.per_s))
            for k, each in enumerate(given.lanes.values())
            for limit in each.satellite.imaging_limits
        ),
    )


def _starts(given: Reach) -> tuple[IntArray, FloatArray, FloatArray]:
    """The opportunities (rows) that any plan can use, and their first and last starts."""
    o = given.opportunities
    ready_s = np.array([given.ready_s[str(name)] for name in o.satellite], dtype=np.float64)
    low_s, high_s = np.maximum(o.plan_start_s, ready_s), np.array(o.plan_end_s)
    for row, start_s in given.fixed_s.items():
        low_s[row] = high_s[row] = start_s
    seen = np.array([pointing is not None for pointing in given.pointing], dtype=bool)
    rows = np.flatnonzero(seen & (low_s <= high_s))
    return rows, low_s[rows], high_s[rows]


def _memory(given: Reach, lane: Lane, use_bit_s: FloatArray, number: int) -> Store:
    """Free memory, with all contacts of the satellite sending at once."""
    satellite, contacts = lane.satellite, given.contacts
    own = np.flatnonzero(contacts.satellite == satellite.name)
    begin, end = (np.clip(t[own], *lane.span) for t in (contacts.start_s, contacts.end_s))
    rates = np.array([given.rates_bit_s[satellite.name, str(contacts.station[i])] for i in own])
    t_s = np.unique(np.concatenate([lane.span, begin, end]))
    middle = 0.5 * (t_s[1:] + t_s[:-1])[:, None]
    income = np.sum(np.where((middle > begin) & (middle < end), rates, 0.0), axis=1)
    return Store(
        lane=number,
        t_s=t_s,
        income=income,
        initial=_free_bit(lane),
        capacity=satellite.memory_bit,
        use=use_bit_s,
    )


def _free_bit(lane: Lane) -> float:
    """What was sent before is taken to be acknowledged at once."""
    satellite = lane.satellite
    free = satellite.memory_bit - satellite.memory_used_bit + lane.aboard.sent_bit
    return max(min(free, satellite.memory_bit), 0.0)


# What is proved ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What no plan can exceed, how that was found, and which limits were kept for it, by their
    reason codes."""

    bound: float
    method: str
    kept: tuple[str, ...]

    @property
    def relaxed(self) -> tuple[str, ...]:
        """The limits that were not kept."""
        return tuple(code for code in LIMITS if code not in self.kept)


def better_proof(linear: float, problem: Problem) -> Proof:
    """The lesser of two bounds: that of the linear program, and that of the relaxed problem."""
    sequences = upper_bound(problem, rounds=ROUNDS)
    if sequences < linear:
        return Proof(bound=sequences, method="column generation", kept=("slew", *_IN_BOTH))
    return linear_proof(linear)


def linear_proof(linear: float) -> Proof:
    """What the linear program alone proves."""
    return Proof(bound=linear, method="a linear relaxation per orbit", kept=_IN_BOTH)
