"""What a solution is worth and what it breaks, by the plainest code there is.

The search keeps its own books in compiled form; these functions read the `Problem` alone, and
every solution passes them before it leaves the core.
"""

from __future__ import annotations

import math

import numpy as np

from humay.arrays import BoolArray, FloatArray
from humay.schedule.core.problem import (
    NO_LANE,
    Bundles,
    Goals,
    Measure,
    Problem,
    Solution,
    Store,
)

TIME_SLACK_S = 1e-6
"""Less is rounding."""


def value(problem: Problem, solution: Solution) -> float:
    """The sum of the goals' worth and the bonuses."""
    done = np.zeros(len(problem), dtype=bool)
    done[solution.candidates] = True
    level = levels(problem.goals, problem.bundles, done)
    return math.fsum([*worths(problem.goals, level), *problem.bonus[solution.candidates]])


def levels(goals: Goals, bundles: Bundles, done: BoolArray) -> FloatArray:
    """How far each goal is reached: its parts' shares times how well the bundles done serve them.

    `done` (n,) says which candidates are.
    """
    served = goals.part_share * services(goals, bundles, done)
    return np.asarray(
        np.bincount(goals.part_goal, weights=served, minlength=len(goals.weight)), dtype=np.float64
    )


def services(goals: Goals, bundles: Bundles, done: BoolArray) -> FloatArray:
    """How well each part (p,) is served, 0 to 1, by what is `done` (n,)."""
    missing = np.ones(len(goals.part_goal))
    for b in np.flatnonzero(bundles.whole(done)).tolist():
        parts = bundles.serves[b]
        quality = bundles.quality[bundles.serves.first[b] : bundles.serves.first[b + 1]]
        left = 1.0 - quality
        missing[parts] = (
            missing[parts] * left if goals.combine == "any" else np.minimum(missing[parts], left)
        )
    return np.asarray(1.0 - missing)


def worths(goals: Goals, level: FloatArray) -> list[float]:
    """What goals are worth at their levels (g,)."""
    return [
        float(weight * goals.curves[curve].at(x))
        for weight, curve, x in zip(goals.weight, goals.curve, level, strict=True)
    ]


def turn_seconds(problem: Problem, i: int, start_i_s: float, j: int, start_j_s: float) -> float:
    """Seconds that a lane needs from the end of candidate i to the start of candidate j."""
    turn, poses = problem.lanes[int(problem.lane[j])], problem.poses
    leave, leave_s = _pose(problem, i, start_i_s, poses.leave, poses.leave_s, turn.measure)
    arrive, arrive_s = _pose(problem, j, start_j_s, poses.arrive, poses.arrive_s, turn.measure)
    apart = distance(leave, arrive, turn.measure)
    return leave_s + float(turn.seconds(np.array(apart))) + arrive_s


def _pose(
    problem: Problem, i: int, start_s: float, poses: FloatArray, seconds: FloatArray, kind: Measure
) -> tuple[FloatArray, float]:
    first, last = problem.poses.first[i], problem.poses.first[i + 1] - 1
    at = (start_s - problem.poses.from_s[i]) / problem.poses.step_s[i]
    row = min(max(math.floor(at), 0), max(last - first - 1, 0))
    share = min(max(at - row, 0.0), 1.0) if last > first else 0.0
    low, high = first + row, min(first + row + 1, last)
    pose = (1 - share) * poses[low] + share * poses[high]
    if kind in ("direction", "attitude"):
        pose = pose / np.linalg.norm(pose)
    return pose, float((1 - share) * seconds[low] + share * seconds[high])


def distance(a: FloatArray, b: FloatArray, measure: Measure) -> float:
    """How far apart two poses (4,) are: rad, but for `axes`."""
    gap = float(np.linalg.norm(a - b))
    if measure == "direction":
        return 2 * math.asin(min(0.5 * gap, 1.0))
    if measure == "attitude":
        return 4 * math.asin(min(0.5 * gap, 0.5 * float(np.linalg.norm(a + b)), 1.0))
    if measure == "plane":
        return 2 * math.atan(0.5 * gap)
    return float(np.max(np.abs(a - b)))


def violations(problem: Problem, solution: Solution) -> list[str]:
    """Everything the solution breaks, in words; empty where it holds."""
    found = list(_own(problem, solution))
    if found:
        return found
    done = set(solution.candidates.tolist())
    for rows in (problem.pairs, problem.triples):
        found += [f"{row.tolist()} together" for row in rows if done.issuperset(row.tolist())]
    for k, budget in enumerate(problem.budgets):
        used = math.fsum(
            u for c, u in zip(budget.candidates.tolist(), budget.use, strict=True) if c in done
        )
        if used > budget.most * (1 + 1e-12) + 1e-9:
            found.append(f"budget {k}: {used}, at most {budget.most}")
    for lane in range(len(problem.lanes)):
        found += _lane_violations(problem, lane, *on_lane(problem, solution, lane))
    return found


def _own(problem: Problem, solution: Solution) -> list[str]:
    """What each candidate breaks alone."""
    found = []
    if len(np.unique(solution.candidates)) != len(solution.candidates):
        found.append("a candidate is done twice")
    for i in set(np.flatnonzero(problem.fixed).tolist()) - set(solution.candidates.tolist()):
        found.append(f"candidate {i} is fixed and not done")
    for i, start_s in zip(solution.candidates, solution.start_s, strict=True):
        if problem.lane[i] == NO_LANE:
            continue
        low, high = problem.low_s[i], problem.high_s[i]
        if not low - TIME_SLACK_S <= start_s <= high + TIME_SLACK_S:
            found.append(f"candidate {i} starts at {start_s}, expected {low} to {high}")
        if problem.grid_s and abs(math.remainder(start_s, problem.grid_s)) > TIME_SLACK_S:
            found.append(f"candidate {i} starts at {start_s}, off the grid of {problem.grid_s} s")
    return found


def on_lane(problem: Problem, solution: Solution, lane: int) -> tuple[list[int], list[float]]:
    """What a lane does, in order of time."""
    own = np.flatnonzero(problem.lane[solution.candidates] == lane)
    own = own[np.lexsort((solution.candidates[own], solution.start_s[own]))]
    return solution.candidates[own].tolist(), solution.start_s[own].tolist()


def _lane_violations(
    problem: Problem, lane: int, acts: list[int], starts: list[float]
) -> list[str]:
    found = []
    turns = [0.0] * min(1, len(acts))
    for k in range(1, len(acts)):
        i, j = acts[k - 1], acts[k]
        free = starts[k] - starts[k - 1] - problem.duration_s[i]
        turns.append(turn_seconds(problem, i, starts[k - 1], j, starts[k]))
        if free < turns[-1] - TIME_SLACK_S:
            found.append(f"lane {lane}: {free} s from {i} to {j}, its turn takes {turns[-1]}")
    begin, finish = np.array(starts), np.array(starts) + problem.duration_s[acts]
    for owner, limit in problem.limits:
        if owner == lane and len(acts):
            most = longest_inside(begin, finish, limit.per_s)
            if most > limit.seconds + TIME_SLACK_S:
                found.append(f"lane {lane}: {most} s in {limit.per_s}, at most {limit.seconds}")
    for store in problem.stores:
        if store.lane == lane:
            least = float(np.min(store_levels(store, acts, begin, finish, np.array(turns))[1]))
            if least < -1e-9 * store.capacity:
                found.append(f"lane {lane}: a store falls to {least}")
    return found


def longest_inside(begin_s: FloatArray, finish_s: FloatArray, per_s: float) -> float:
    """The most time (s) inside any window `per_s` long: one of its ends stands at an end."""
    low = np.concatenate([begin_s, finish_s, begin_s - per_s, finish_s - per_s])[:, None]
    inside = np.minimum(finish_s, low + per_s) - np.maximum(begin_s, low)
    return float(np.max(np.sum(np.maximum(inside, 0.0), axis=1)))


def store_levels(
    store: Store, acts: list[int], begin_s: FloatArray, finish_s: FloatArray, turn_s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Times and levels of a store at every break: straight between, cut at the capacity."""
    draws = store_draws(store, acts, begin_s, finish_s, turn_s)
    edges = draws[:, :2].ravel()
    t_s = np.unique(np.clip(np.concatenate([store.t_s, edges]), store.t_s[0], store.t_s[-1]))
    middle = 0.5 * (t_s[1:] + t_s[:-1])
    rate = store.income[np.searchsorted(store.t_s, middle) - 1]
    for b, f, use in draws:
        rate = rate - use * ((middle > b) & (middle < f))
    free = store.initial + np.concatenate([[0.0], np.cumsum(rate * np.diff(t_s))])
    return t_s, free - np.maximum(np.maximum.accumulate(free - store.capacity), 0.0)


def store_draws(
    store: Store, acts: list[int], begin_s: FloatArray, finish_s: FloatArray, turn_s: FloatArray
) -> FloatArray:
    """What acts in order of time draw: rows (k, 3) of start, end and how much a second."""
    gaps = np.concatenate([[np.inf], begin_s[1:] - finish_s[:-1], [np.inf]])
    rests = gaps > store.apart_s
    draws = []
    for k, (i, b, f) in enumerate(zip(acts, begin_s, finish_s, strict=True)):
        ways = sum(w[i] for w, rest in ((store.come, rests[k]), (store.back, rests[k + 1])) if rest)
        draws.append((b, f, store.use[i] + (ways / (f - b) if ways else 0.0)))
        if not rests[k]:
            draws.append((b - turn_s[k], b, store.turn_use))
    return np.array(draws, dtype=np.float64).reshape(-1, 3)
