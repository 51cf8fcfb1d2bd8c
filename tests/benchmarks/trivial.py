"""A schedule that any problem has, made by the plainest rule, to hold adapters to the core."""

from __future__ import annotations

import numpy as np

from humay.schedule.core import Problem, Solution
from humay.schedule.core.judge import turn_seconds


def one_after_another(problem: Problem) -> Solution:
    """Candidates by their last start, each appended to its lane as early as it can be.

    Only what lanes and pairs forbid is avoided. What is fixed comes first.
    """
    last: dict[int, tuple[int, float]] = {}
    done: dict[int, float] = {}
    foes: dict[int, list[int]] = {}
    for a, b in problem.pairs.tolist():
        foes.setdefault(a, []).append(b)
        foes.setdefault(b, []).append(a)
    for i in np.lexsort((problem.high_s, ~problem.fixed)).tolist():
        lane = int(problem.lane[i])
        if any(foe in done for foe in foes.get(i, [])):
            continue
        start_s = _earliest(problem, i, last.get(lane))
        if start_s is not None:
            done[i], last[lane] = start_s, (i, start_s)
    order = sorted(done, key=lambda i: (problem.lane[i], done[i]))
    return Solution(candidates=np.array(order), start_s=np.array([done[i] for i in order]))


def _earliest(problem: Problem, i: int, before: tuple[int, float] | None) -> float | None:
    start_s = float(problem.low_s[i])
    while start_s <= problem.high_s[i]:
        free_s = start_s
        if before is not None:
            b, began_s = before
            turn_s = turn_seconds(problem, b, began_s, i, start_s)
            free_s = began_s + float(problem.duration_s[b]) + turn_s
        if free_s <= start_s:
            return start_s
        start_s = max(free_s, start_s + problem.grid_s)
        if problem.grid_s:
            start_s = float(np.ceil(start_s / problem.grid_s - 1e-9) * problem.grid_s)
    return None
