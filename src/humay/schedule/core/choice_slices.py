"""Slices of a problem: the candidates that are set free while the others stay as they are."""

from __future__ import annotations

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.core.choice_cuts import Conflicts
from humay.schedule.core.problem import Problem

SEEDS = 2
"""Where a slice grows from: more than one place, so that what they share can change hands."""


class Slices:
    """Draws slices of linked candidates: by conflicts, bundles and goals."""

    def __init__(self, problem: Problem, relaxed: FloatArray) -> None:
        self._n, self._relaxed = len(problem), relaxed
        self._first, self._linked = _links(problem)

    def draw(self, rng: np.random.Generator, done: BoolArray, size: int) -> IntArray:
        """`size` candidates linked to a few: half of the time to any, else to such as the
        relaxation does and the solution (n,) does not, or the other way round."""
        odd = np.abs(self._relaxed - done) + 1e-3
        chance = odd / np.sum(odd) if rng.random() < 0.5 else np.full(self._n, 1.0 / self._n)
        free = np.zeros(self._n, dtype=bool)
        while np.count_nonzero(free) < min(size, self._n):
            front = rng.choice(self._n, size=min(SEEDS, self._n), replace=False, p=chance)
            self._grow(rng, front, free, size)
        return np.flatnonzero(free)

    def _grow(self, rng: np.random.Generator, front: IntArray, free: BoolArray, size: int) -> None:
        while len(front):
            front = front[~free[front]]
            room = size - int(np.count_nonzero(free))
            front = rng.permutation(front)[: max(room, 0)]
            free[front] = True
            near = [self._linked[self._first[i] : self._first[i + 1]] for i in front]
            front = np.unique(np.concatenate(near)) if near else front


def _links(problem: Problem) -> tuple[IntArray, IntArray]:
    """Of each candidate, the others that it shares a conflict, a bundle or a goal with."""
    n = len(problem)
    members, serves = problem.bundles.members, problem.bundles.serves
    of_bundle = np.repeat(np.arange(len(members)), np.diff(members.first))
    server = np.repeat(np.arange(len(serves)), np.diff(serves.first))
    lead = members.of[members.first[server]]
    links = np.concatenate(
        [
            problem.pairs,
            problem.triples[:, :2],
            problem.triples[:, 1:],
            _star(members.of, of_bundle),
            _star(lead, problem.goals.part_goal[serves.of]),
        ]
    )
    links = links[links[:, 0] != links[:, 1]]
    keys = np.unique(np.concatenate([links @ [n, 1], links @ [1, n]]))
    return np.searchsorted(keys, np.arange(n + 1) * n), keys % max(n, 1)


def _star(candidates: IntArray, group: IntArray) -> IntArray:
    """Links (k, 2) of each candidate with the first of its group."""
    order = np.argsort(group, kind="stable")
    candidates, group = candidates[order], group[order]
    return np.column_stack([candidates[np.searchsorted(group, group)], candidates])


def fill(problem: Problem, conflicts: Conflicts, done: BoolArray, order: IntArray) -> None:
    """Do what can still be done (n,), in this order."""
    most = np.array([budget.most * (1 + 1e-12) + 1e-9 for budget in problem.budgets])
    draws: list[dict[int, float]] = [{} for _ in done]
    for k, budget in enumerate(problem.budgets):
        for i, use in zip(budget.candidates.tolist(), budget.use.tolist(), strict=True):
            draws[i][k] = draws[i].get(k, 0.0) + use
    used = np.zeros(len(most))
    for i in np.flatnonzero(done):
        for k, use in draws[i].items():
            used[k] += use
    for i in order.tolist():
        others = conflicts.others[conflicts.triple_first[i] : conflicts.triple_first[i + 1]]
        room = all(used[k] + use <= most[k] for k, use in draws[i].items())
        if done[i] or not room or np.any(done[conflicts.neighbours(i)]):
            continue
        if not np.any(np.all(done[others], axis=1)):
            done[i] = True
            for k, use in draws[i].items():
                used[k] += use
