"""Goals that pay late: of which a step is worth little before the others are done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.schedule.core.problem import Curve, Problem

SAMPLES = 64
"""Levels at which a curve is looked at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ServedParts:
    """Parts that anything serves, goal by goal: those of goal g stand at `first[g]` to
    `first[g + 1]`, and their shares add up to `most[g]`."""

    first: IntArray
    part: IntArray
    most: FloatArray


def served_parts(problem: Problem) -> ServedParts:
    """The parts of each goal that any bundle serves."""
    goals, count = problem.goals, len(problem.goals.weight)
    served = np.bincount(problem.bundles.serves.of, minlength=len(goals.part_goal)) > 0
    part = np.flatnonzero(served)
    part = part[np.argsort(goals.part_goal[part], kind="stable")]
    goal = goals.part_goal[part]
    return ServedParts(
        first=np.concatenate([[0], np.cumsum(np.bincount(goal, minlength=count))]).astype(np.int64),
        part=part.astype(np.int64),
        most=np.bincount(goal, weights=goals.part_share[part], minlength=count).astype(np.float64),
    )


def lateness(problem: Problem) -> FloatArray:
    """(goals,) how late each pays, of what can be had of it: 1 where nothing pays but the end, 0
    where every step pays alike, or the first ones best, and where there is but one."""
    goals, parts = problem.goals, served_parts(problem)
    several = np.flatnonzero((np.diff(parts.first) > 1) & (goals.weight > 0))
    keys = [(int(goals.curve[goal]), float(parts.most[goal])) for goal in several]
    late = {key: _lateness(goals.curves[key[0]], key[1]) for key in set(keys)}
    found = np.zeros(len(goals.weight))
    found[several] = [late[key] for key in keys]
    return found


def _lateness(curve: Curve, most: float) -> float:
    """1 - 2 x the mean of the curve up to a level, from 0 at its beginning to 1 at its end."""
    low, high = curve.at(0.0), curve.at(most)
    if not high > low:
        return 0.0
    level = (np.arange(SAMPLES) + 0.5) / SAMPLES * most
    risen = (np.interp(level, curve.level, curve.worth) - low) / (high - low)
    return max(float(1.0 - 2.0 * np.mean(risen)), 0.0)
