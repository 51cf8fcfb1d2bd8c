"""Lanes cut where no turn can bind any more, and what pricing needs to know of each piece."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.core.bound_gaps import (
    TOLERANCE_S,
    Arcs,
    Gaps,
    Sweeps,
    fill_gaps,
    law_of,
    longest_turn_s,
)
from humay.schedule.core.choice_program import Stop
from humay.schedule.core.problem import NO_LANE, Problem

MOST_ENTRIES = 24_000_000
"""Of all tables of gaps together; wider slots keep them below it."""
MOST_TOGETHER = 3_000
"""More candidates under each other's turns are left beside all lanes."""
SLOTS_A_GAP = 5.0
"""A slot is at most this part of the shortest time from start to start without turning."""
ROUNDING = 0.01
"""Of the grid: a start this share of a step beyond one of its points is taken to lie on it."""
_NARROWEST_S = 1.0 / 64


class Cluster(NamedTuple):
    """Candidates (n) of one lane by `low_s`, for compiled code.

    Starts lie in [`low_s`, `high_s`], wide enough for what the judge lets pass. Candidate i has
    the `slots[i]` slots from number `slot[i]` on; what is kept for each of them stands from
    `at[i]` on; `reach[i]` is the last slot of all up to i. The arcs `arc[i]` to `arc[i + 1]` lead
    to `to`, with gaps from `row` on in `table`, one for each slot, or a single one where `steady`.
    Candidates from number `free[i]` on may follow i at once, whenever both begin; `by_ready` orders
    candidates by `ready_s`, when that is so. What is `idle` never helps another to follow sooner.
    """

    low_s: FloatArray
    high_s: FloatArray
    ready_s: FloatArray
    slot: IntArray
    slots: IntArray
    at: IntArray
    reach: IntArray
    arc: IntArray
    to: IntArray
    row: IntArray
    steady: BoolArray
    idle: BoolArray
    table: Gaps
    free: IntArray
    by_ready: IntArray
    slot_s: float
    grid_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A cluster, the numbers (n,) of its candidates in the problem, and which of them exclude each
    other (n, n)."""

    nodes: IntArray
    cluster: Cluster
    exclusive: BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """Candidates of one lane, by `low_s`, that stand under each other's turns; `slot_s` is the step
    of the grid, or how wide slots may be; `grid_s` is 0 where the grid is finer than that."""

    lane: int
    nodes: IntArray
    low_s: FloatArray
    high_s: FloatArray
    ready_s: FloatArray
    slot_s: float
    grid_s: float
    moving: BoolArray
    exclusive: BoolArray
    binding: BoolArray  # (n, n): the second might follow the first too early

    def entries(self, wider: float) -> float:
        """How many gaps its table holds with wider slots."""
        rows = (self.binding & (self.moving[:, None] | self.moving)).sum(axis=1)
        width_s = self.slot_s * (1.0 if self.grid_s else wider)
        return float(rows @ ((self.high_s - self.low_s) / width_s + 2))


def pieces_of(problem: Problem, sweeps: Sweeps, stop: Stop | None) -> list[Piece]:
    """The pieces of all lanes.

    Left out are candidates without a start; and those with neighbours that may begin at the same
    time, or so soon after them that slots would have to be narrower than 1/64 s; with more than
    `MOST_TOGETHER` neighbours; or not reached before `stop`.
    """
    groups = [group for lane in range(len(problem.lanes)) for group in _groups(problem, lane)]
    wider = 1.0
    while sum(g.entries(wider) for g in groups) > MOST_ENTRIES and wider < SLOTS_A_GAP / 2:
        wider *= 2.0
    pieces, left = [], float(MOST_ENTRIES)
    for group in groups:
        left -= group.entries(wider)
        if left >= 0 and not (stop is not None and stop()):
            piece = _piece(problem, sweeps, group, wider)
            pieces += [] if piece is None else [piece]
    return pieces


def can_start(problem: Problem) -> BoolArray:
    """Whether a point of the grid lies in the interval of starts (n,), or there is no time."""
    if not problem.grid_s:
        return np.ones(len(problem), dtype=bool)
    first, last = _grid_points(problem.low_s, problem.high_s, problem.grid_s)
    return np.asarray((first <= last) | (problem.lane == NO_LANE))


def _grid_points(low_s: FloatArray, high_s: FloatArray, grid_s: float) -> tuple[IntArray, IntArray]:
    first, last = np.ceil(low_s / grid_s - ROUNDING), np.floor(high_s / grid_s + ROUNDING)
    return first.astype(np.int64), last.astype(np.int64)


def _groups(problem: Problem, lane: int) -> list[_Group]:
    """A lane's candidates, cut where the next may begin at once after all before."""
    own = np.flatnonzero((problem.lane == lane) & can_start(problem))
    if not len(own):
        return []
    own = own[np.argsort(problem.low_s[own], kind="stable")]
    idle_s = longest_turn_s(problem, problem.lanes[lane], own) + 10 * TOLERANCE_S
    ready_s = problem.high_s[own] + problem.duration_s[own] + idle_s
    cut = problem.low_s[own][1:] >= np.maximum.accumulate(ready_s)[:-1]
    parts = np.split(np.arange(len(own)), np.flatnonzero(cut) + 1)
    return [
        _group(problem, lane, own[part], ready_s[part])
        for part in parts
        if len(part) <= MOST_TOGETHER
    ]


def _group(problem: Problem, lane: int, nodes: IntArray, ready_s: FloatArray) -> _Group:
    low_s, high_s, grid_s = problem.low_s[nodes], problem.high_s[nodes], problem.grid_s
    exclusive = _exclusive(problem, nodes)
    soonest_s = problem.duration_s[nodes] + problem.lanes[lane].settle_s
    reached = (low_s + soonest_s)[:, None] <= high_s + 10 * TOLERANCE_S
    part_s = max(float(np.min(soonest_s)) / SLOTS_A_GAP, _NARROWEST_S)
    slot_s = float(2.0 ** math.floor(math.log2(part_s)))
    return _Group(
        lane=lane,
        nodes=nodes,
        low_s=low_s,
        high_s=high_s,
        ready_s=ready_s,
        slot_s=max(slot_s, grid_s),
        grid_s=grid_s if grid_s >= slot_s else 0.0,
        moving=np.diff(problem.poses.first)[nodes] > 1,
        exclusive=exclusive,
        binding=reached & (low_s < ready_s[:, None]) & ~exclusive & ~np.eye(len(nodes), dtype=bool),
    )


def _exclusive(problem: Problem, nodes: IntArray) -> BoolArray:
    place = np.full(len(problem), -1)
    place[nodes] = np.arange(len(nodes))
    pairs = place[problem.pairs]
    pairs = pairs[np.all(pairs >= 0, axis=1)]
    exclusive = np.zeros((len(nodes), len(nodes)), dtype=bool)
    exclusive[pairs[:, 0], pairs[:, 1]] = exclusive[pairs[:, 1], pairs[:, 0]] = True
    return exclusive


def _piece(problem: Problem, sweeps: Sweeps, group: _Group, wider: float) -> Piece | None:
    """The group in slots, narrower where two of its candidates follow in less than one slot."""
    grid_s = group.grid_s
    slot_s = grid_s or group.slot_s * wider
    while slot_s >= _NARROWEST_S or grid_s:
        arcs, size = _arcs(group, *_slots(group, slot_s))
        table = np.full(size, np.inf, dtype=np.float32)
        law = law_of(problem.lanes[group.lane], grid_s, slot_s)
        fill_gaps(sweeps, law, arcs, table, np.zeros((2, 4)))
        shortest_s = float(np.min(table, initial=np.min(group.ready_s - group.high_s)))
        if shortest_s >= (2 * ROUNDING if grid_s else 1.0) * slot_s:
            return _assembled(sweeps, group, arcs, table, slot_s)
        if grid_s:
            return None
        slot_s /= 2
    return None


def _slots(group: _Group, slot_s: float) -> tuple[IntArray, IntArray]:
    """The first slot of each candidate, and how many there are."""
    if group.grid_s:
        first, last = _grid_points(group.low_s, group.high_s, group.grid_s)
    else:
        first = np.floor((group.low_s - TOLERANCE_S) / slot_s).astype(np.int64)
        last = np.floor((group.high_s + TOLERANCE_S) / slot_s).astype(np.int64)
    return first, last - first + 1


def _arcs(group: _Group, slot: IntArray, slots: IntArray) -> tuple[Arcs, int]:
    """The binding pairs, first by first, and how many gaps they have in all."""
    before, after = np.nonzero(group.binding)
    count = np.where(group.moving[before] | group.moving[after], slots[before], 0)
    rows = np.concatenate([[0], np.cumsum(np.maximum(count, 1))])
    nodes = group.nodes
    return Arcs(nodes[before], nodes[after], rows[:-1], slot[before], count), int(rows[-1])


def _assembled(sweeps: Sweeps, group: _Group, arcs: Arcs, table: Gaps, slot_s: float) -> Piece:
    """The piece, without the arcs that no start can take."""
    before, after = np.nonzero(group.binding)
    slot, slots = _slots(group, slot_s)
    low_s, high_s = group.low_s, group.high_s
    n, least_s = len(low_s), np.full(group.binding.shape, np.inf)
    if len(before):
        least_s[before, after] = np.minimum.reduceat(table, arcs.row)
    least_s[low_s[:, None] + least_s > high_s + 10 * TOLERANCE_S] = np.inf
    kept = np.isfinite(least_s[before, after])
    cluster = Cluster(
        low_s=np.asarray(slot * slot_s if group.grid_s else low_s - TOLERANCE_S),
        high_s=high_s + TOLERANCE_S,
        ready_s=group.ready_s,
        slot=slot,
        slots=slots,
        at=np.concatenate([[0], np.cumsum(slots)]),
        reach=np.maximum.accumulate(slot + slots - 1),
        arc=np.searchsorted(before[kept], np.arange(n + 1)),
        to=after[kept],
        row=arcs.row[kept],
        steady=arcs.slots[kept] == 0,
        idle=sweeps.idle[group.nodes],
        table=table,
        free=np.searchsorted(low_s, group.ready_s),
        by_ready=np.argsort(group.ready_s, kind="stable"),
        slot_s=slot_s,
        grid_s=group.grid_s,
    )
    return Piece(nodes=group.nodes, cluster=cluster, exclusive=group.exclusive)
