"""Small problems drawn at random, with something of everything, and their best by enumeration."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

from humay.schedule.core import (
    LINEAR,
    NO_LANE,
    WHOLE,
    Budget,
    Bundles,
    Curve,
    Goals,
    Poses,
    Problem,
    Ragged,
    SlidingLimit,
    Solution,
    Store,
    Turn,
    value,
    violations,
)
from humay.schedule.core.judge import turn_seconds
from humay.schedule.core.problem import Measure

HALF_FIRST = Curve(level=np.array([0.0, 0.4, 0.7, 1.0]), worth=np.array([0.0, 0.1, 0.4, 1.0]))
SPAN_S = 200.0


def drawn_problem(
    seed: int, *, n: int = 7, lanes: int = 2, moving: bool = False, stores: bool = False
) -> Problem:
    """A problem of `n` candidates; `moving` poses depend on the start time."""
    rng = np.random.default_rng(seed)
    measure: Measure = rng.choice(["direction", "attitude", "plane", "axes"])
    lane = rng.integers(NO_LANE, lanes, n)
    low = np.round(rng.uniform(0, SPAN_S, n), 1)
    grid_s = float(rng.choice([0.0, 0.0, 0.5]))
    turn = Turn(
        measure=measure,
        rate=float(rng.uniform(0.02, 0.1)),
        acceleration=float(rng.choice([np.inf, 0.01])),
        settle_s=float(rng.uniform(0, 5)),
    )
    goals, bundles = _wanted(rng, n)
    return Problem(
        lanes=(turn,) * lanes,
        lane=lane,
        low_s=low,
        high_s=low + 1.0 + rng.uniform(0, 60, n),
        duration_s=rng.uniform(1, 15, n),
        poses=_poses(rng, n, low, moving=moving),
        bundles=bundles,
        goals=goals,
        bonus=np.where(rng.random(n) < 0.2, -rng.uniform(0, 1, n), 0.0),
        fixed=np.zeros(n, dtype=bool),
        pairs=_conflicts(rng, n, 2, 3),
        triples=_conflicts(rng, n, 3, 2),
        budgets=(Budget(candidates=np.arange(n), use=rng.uniform(0, 2, n), most=0.7 * n),),
        stores=_stores(rng, n, lanes) if stores else (),
        limits=((0, SlidingLimit(seconds=25.0, per_s=100.0)),) if lanes else (),
        grid_s=grid_s,
    )


def _poses(rng: np.random.Generator, n: int, low: np.ndarray, *, moving: bool) -> Poses:
    rows = 8 if moving else 1
    first = np.repeat(rng.normal(0, 1, (n, 1, 4)), rows, axis=1)
    drift = np.cumsum(rng.normal(0, 0.02, (n, rows, 4)), axis=1)
    arrive = (first + drift).reshape(-1, 4)
    arrive /= np.linalg.norm(arrive, axis=1, keepdims=True)
    return Poses(
        first=np.arange(n + 1) * rows,
        from_s=low,
        step_s=np.full(n, 10.0),
        arrive=arrive,
        leave=arrive,
        arrive_s=rng.uniform(0, 1, n * rows) if moving else np.zeros(n * rows),
        leave_s=np.zeros(n * rows),
    )


def _wanted(rng: np.random.Generator, n: int) -> tuple[Goals, Bundles]:
    parts = max(2, n - 2)
    part_goal = np.sort(rng.integers(0, max(1, parts - 2), parts))
    count = int(part_goal.max()) + 1
    share = 1.0 / np.bincount(part_goal, minlength=count)[part_goal]
    members = [[i] for i in range(n)] + [
        sorted(rng.choice(n, 2, replace=False).tolist()) for _ in range(2)
    ]
    serves = [[int(rng.integers(0, parts))] for _ in members]
    goals = Goals(
        weight=rng.integers(1, 11, count).astype(float),
        curve=rng.integers(0, 3, count),
        part_goal=part_goal,
        part_share=share,
        curves=(LINEAR, WHOLE, HALF_FIRST),
        combine="any" if rng.random() < 0.5 else "best",
    )
    quality = np.where(rng.random(len(members)) < 0.3, rng.uniform(0.2, 1, len(members)), 1.0)
    bundles = Bundles(
        members=Ragged.from_rows(members), serves=Ragged.from_rows(serves), quality=quality
    )
    return goals, bundles


def _conflicts(rng: np.random.Generator, n: int, width: int, count: int) -> np.ndarray:
    if n < width:
        return np.zeros((0, width), dtype=np.int64)
    return np.array([rng.choice(n, width, replace=False) for _ in range(count)])


def _stores(rng: np.random.Generator, n: int, lanes: int) -> tuple[Store, ...]:
    nodes = np.array([0.0, 60.0, 90.0, 150.0, 400.0])
    return tuple(
        Store(
            lane=lane,
            t_s=nodes,
            income=rng.uniform(0.0, 1.0, 4),
            initial=float(rng.uniform(5, 20)),
            capacity=25.0,
            use=rng.uniform(0, 2, n),
            turn_use=float(rng.uniform(0, 0.5)),
            apart_s=float(rng.choice([np.inf, 20.0])),
            come=rng.uniform(0, 2, n),
            back=rng.uniform(0, 2, n),
        )
        for lane in range(lanes)
    )


def best_by_enumeration(problem: Problem) -> tuple[float, Solution]:
    """Every subset in every order, each start as early as it goes: the best where poses do not
    move and nothing gains by waiting (no stores)."""
    n = len(problem)
    best, found = -np.inf, Solution(candidates=np.zeros(0, np.int64), start_s=np.zeros(0))
    for size in range(n + 1):
        for chosen in combinations(range(n), size):
            solution = _arranged(problem, chosen)
            if solution is not None and value(problem, solution) > best:
                best, found = value(problem, solution), solution
    return best, found


def _arranged(problem: Problem, chosen: tuple[int, ...]) -> Solution | None:
    """The subset with starts that break nothing, if there is an order that has some."""
    plain = [i for i in chosen if problem.lane[i] == NO_LANE]
    starts = dict.fromkeys(plain, 0.0)
    for lane in range(len(problem.lanes)):
        own = [i for i in chosen if problem.lane[i] == lane]
        timed = _in_some_order(problem, own)
        if timed is None:
            return None
        starts |= timed
    candidates = np.array(list(starts), dtype=np.int64)
    solution = Solution(candidates=candidates, start_s=np.array(list(starts.values())))
    return None if violations(problem, solution) else solution


def _in_some_order(problem: Problem, own: list[int]) -> dict[int, float] | None:
    for order in permutations(own):
        starts: dict[int, float] = {}
        for before, i in zip([None, *order], order, strict=False):
            start_s = problem.low_s[i]
            if before is not None:
                free_s = starts[before] + problem.duration_s[before]
                turn_s = turn_seconds(problem, before, starts[before], i, problem.low_s[i])
                start_s = max(start_s, free_s + turn_s)
            if problem.grid_s:
                start_s = np.ceil(start_s / problem.grid_s - 1e-9) * problem.grid_s
            if start_s > problem.high_s[i]:
                break
            starts[i] = float(start_s)
        else:
            return starts
    return None
