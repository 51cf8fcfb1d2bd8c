"""What the bound prices: gaps that no turn undercuts, and the best sequence of a piece."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray
from humay.schedule.core import Problem
from humay.schedule.core.bound_clusters import Cluster, Piece, pieces_of
from humay.schedule.core.bound_gaps import longest_turn_s, sweeps_of
from humay.schedule.core.bound_memory import lapses, memory_of
from humay.schedule.core.bound_paths import labels_for, price
from humay.schedule.core.judge import turn_seconds
from tests.schedule.core.drawn_problems import drawn_problem

SEEDS = st.integers(0, 2**32 - 1)


def pieces(problem: Problem) -> list[Piece]:
    return pieces_of(problem, sweeps_of(problem), None)


def arrival_s(c: Cluster, i: int, j: int, start_s: float) -> float:
    """The earliest start of j after i begins at `start_s` or later, as the tables have it."""
    if j >= c.free[i]:
        return float(c.low_s[j])
    arcs = [z for z in range(c.arc[i], c.arc[i + 1]) if c.to[z] == j]
    if not arcs:
        return np.inf
    [row], [steady] = c.row[arcs], c.steady[arcs]
    k = int(np.floor(start_s / c.slot_s + 1e-9)) - int(c.slot[i])
    k = 0 if steady else min(max(k, 0), int(c.slots[i]) - 1)
    reached = [start_s + float(c.table[row + k])]
    if not steady and k + 1 < c.slots[i]:
        reached.append((c.slot[i] + k + 1) * c.slot_s + float(c.table[row + k + 1]))
    arrive_s = min(reached)
    if c.grid_s and np.isfinite(arrive_s):
        arrive_s = np.ceil(arrive_s / c.grid_s - 0.01) * c.grid_s
    arrive_s = max(arrive_s, float(c.low_s[j]))
    return float(arrive_s) if arrive_s <= c.high_s[j] else np.inf


def starts(problem: Problem, i: int, count: int) -> FloatArray:
    """Starts of a candidate, on the grid where there is one."""
    if not problem.grid_s:
        return np.linspace(problem.low_s[i], problem.high_s[i], count)
    first, last = problem.low_s[i] / problem.grid_s, problem.high_s[i] / problem.grid_s
    return np.arange(np.ceil(first - 1e-9), np.floor(last + 1e-9) + 1) * problem.grid_s


def first_after(problem: Problem, i: int, begun_s: float, j: int) -> float:
    """The earliest of some starts of j that leave time for the turn after i."""
    for start_s in starts(problem, j, 120):
        free_s = start_s - begun_s - problem.duration_s[i]
        if free_s >= 0 and free_s >= turn_seconds(problem, i, begun_s, j, float(start_s)):
            return float(start_s)
    return np.inf


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, moving=st.booleans())
def test_no_start_that_leaves_time_for_its_turn_comes_before_the_arrival(
    seed: int, moving: bool
) -> None:
    problem = drawn_problem(seed, n=4, lanes=1, moving=moving)
    for piece in pieces(problem):
        n = len(piece.nodes)
        for i, j in ((i, j) for i in range(n) for j in range(n) if i != j):
            if piece.exclusive[i, j]:
                continue
            a, b = int(piece.nodes[i]), int(piece.nodes[j])
            for begun_s in starts(problem, a, 12).tolist():
                found_s = first_after(problem, a, begun_s, b)
                if np.isfinite(found_s):
                    assert arrival_s(piece.cluster, i, j, begun_s) <= found_s


def test_between_poses_that_move_little_is_lost() -> None:
    """At slots of at most a fifth of the shortest candidate; the sampled starts lie up to 0.5 s
    apart."""
    lost = []
    for seed in range(30):
        problem = drawn_problem(seed, n=6, lanes=1, moving=True)
        for piece in pieces(problem):
            for z in range(len(piece.cluster.to)):
                i = int(np.searchsorted(piece.cluster.arc, z, side="right")) - 1
                j = int(piece.cluster.to[z])
                a, b = int(piece.nodes[i]), int(piece.nodes[j])
                begun_s = float(piece.cluster.low_s[i])
                later = [first_after(problem, a, t, b) for t in starts(problem, a, 60).tolist()]
                found_s = min(later, default=np.inf)
                if np.isfinite(found_s):
                    lost.append(found_s - arrival_s(piece.cluster, i, j, begun_s))
    assert len(lost) > 40
    assert np.median(lost) < 0.5
    assert np.max(lost) < 5.0


@pytest.mark.parametrize("measure", ["direction", "attitude", "plane", "axes"])
def test_no_turn_takes_longer_than_the_longest(measure: str) -> None:
    rng = np.random.default_rng(4)
    for seed in range(200):
        problem = drawn_problem(seed, n=5, lanes=1, moving=True)
        if problem.lanes[0].measure != measure:
            continue
        own = np.flatnonzero(problem.lane == 0)
        longest_s = longest_turn_s(problem, problem.lanes[0], own) if len(own) else 0.0
        for a, b in ((a, b) for a in own.tolist() for b in own.tolist()):
            s, t = rng.uniform(problem.low_s[[a, b]], problem.high_s[[a, b]]).tolist()
            assert turn_seconds(problem, a, s, b, t) <= longest_s + 1e-9


def best_sequence(piece: Piece, profit: FloatArray, nodes: Sequence[int]) -> float:
    """By enumeration of all sequences of some nodes that repeat nothing and bring nothing together
    that excludes each other."""
    c = piece.cluster
    best = 0.0
    for size in range(1, len(nodes) + 1):
        for path in permutations(nodes, size):
            start_s = float(c.low_s[path[0]])
            for before, i in pairwise(path):
                start_s = arrival_s(c, before, i, start_s)
                if not np.isfinite(start_s):
                    break
            if np.isfinite(start_s) and not lapses(piece, list(path)):
                best = max(best, float(np.sum(profit[list(path)])))
    return best


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, moving=st.booleans())
@example(seed=7935, moving=False)  # what comes before costs more than it brings
def test_the_best_sequence_is_priced_as_enumeration_has_it(seed: int, moving: bool) -> None:
    """With every candidate remembered; with some or none it is never less. What brings nothing and
    can be left out as well as passed through is left out, though by the tables, which lose a little
    with each turn, the way through it may be the shorter one. Where a sequence begins behind what
    leaves time for any turn, what excludes each other may be forgotten: then it is more."""
    problem = drawn_problem(seed, n=6, lanes=1, moving=moving)
    rng = np.random.default_rng(seed)
    own = pieces(problem)
    labels = labels_for(own)
    for piece in own:
        n = len(piece.nodes)
        profit = rng.integers(-3, 9, n).astype(float)
        of_use = np.flatnonzero((profit > 0) | ~piece.cluster.idle).tolist()
        least, most = (best_sequence(piece, profit, nodes) for nodes in (of_use, range(n)))
        found = price(piece, memory_of(piece, np.ones((n, n), dtype=bool)), profit, 0.0, labels)
        assert found.most >= least - 1e-9
        clashes = [
            piece.exclusive[pair] for path in found.paths[:1] for pair in combinations(path, 2)
        ]
        if not any(clashes):
            assert max(found.most, 0.0) <= most + 1e-9
        forgetful = memory_of(piece, np.zeros((n, n), dtype=bool))
        assert max(price(piece, forgetful, profit, 0.0, labels).most, 0.0) >= least - 1e-9
        near = memory_of(piece, rng.random((n, n)) < 0.3)
        assert max(price(piece, near, profit, 0.0, labels).most, 0.0) >= least - 1e-9
        for path in found.paths:
            assert len(set(path)) == len(path)
