"""The search as a whole: islands that cool in turns, and learn from each other between them.

Nothing depends on how many iterations there will be, so that a search of N is the beginning of one
of 2 N; nor on the threads, which only decide how many islands move at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from humay.errors import PlanError
from humay.schedule.core.found import Found
from humay.schedule.core.judge import value, violations
from humay.schedule.core.problem import Problem, Solution
from humay.schedule.core.search.goals import run_goals
from humay.schedule.core.search.late import lateness
from humay.schedule.core.search.moves import Start, run
from humay.schedule.core.search.tables import (
    ITERATION,
    Books,
    Tables,
    Way,
    books_of,
    tables_of,
)

ISLANDS = 2
BLOCK = 2_000
"""Moves of an island between two looks at the clock."""
SLICE = 500
"""Moves of a kind in turn."""
FIRST_CYCLE = 10
"""Blocks of the first cooling; each one after takes as many as all before it together."""
MOST_WHOLE = 0.9
"""The share of moves of whole goals where nothing pays before its end."""


@dataclass(frozen=True, kw_only=True)
class Cooling:
    """Temperatures in units of the mean weight of a goal, and how the search goes about it. The
    highest is meant for goals that one other lane could take over, and rises with their number."""

    hot: float = 0.3
    cold: float = 0.005
    ease: float = 0.0
    most: int = 6
    listed: float = 30.0
    force: float = 0.2
    whole: float | None = None
    hurry: float = 0.2

    def way(self, problem: Problem, tables: Tables) -> Way:
        """How often goals are moved as a whole follows, where it is not said, from how much of all
        weight pays late; time has the less of a price the more of it earns nothing before an end.
        """
        whole = MOST_WHOLE * _late_share(problem, tables) if self.whole is None else self.whole
        return Way(
            ease=self.ease, most=self.most, listed=self.listed, force=self.force, whole=whole,
            hurry=self.hurry * (1.0 - whole),
        )  # fmt: skip


def _late_share(problem: Problem, tables: Tables) -> float:
    """The weight of the goals that pay late, counted by how late, over that of all."""
    weight = problem.goals.weight
    late = lateness(problem)[tables.late]
    total = float(np.sum(weight))
    return float(np.sum(late * weight[tables.late])) / total if total else 0.0


def search(
    problem: Problem,
    *,
    seed: int,
    iterations: int | None = None,
    stop: Callable[[], bool] | None = None,
    start: Solution | None = None,
    threads: int = 1,
    cooling: Cooling = Cooling(),
) -> Found:
    """The best solution found in `iterations` moves, or before `stop` says so between two blocks.

    Begins from `start`, where given, with all added that fits. Raises `PlanError` where `start`
    breaks the problem, or what is fixed does not fit together.
    """
    if iterations is None and stop is None:
        raise ValueError("a search without end: give iterations, or stop")
    if start is not None:
        _check_start(problem, start)
    tables = tables_of(problem)
    islands = [books_of(problem, tables, seed * ISLANDS + k) for k in range(ISLANDS)]
    way = cooling.way(problem, tables)
    for books in islands:
        misfit = _begin(problem, tables, books, way, start)
        if misfit >= 0:
            raise PlanError(f"candidate {misfit} is fixed and does not fit beside the others")
    if len(problem.bundles.members):
        hot = cooling.hot * max(_other_lanes(problem), 1.0)
        heat = hot * _mean_weight(problem), cooling.cold / hot
        _cool(tables, islands, way, heat, threads, _Budget(iterations, stop))
    best = max(islands, key=lambda books: float(books.best_total[0]))
    return _found(problem, best, sum(int(b.counters[ITERATION]) for b in islands))


def _mean_weight(problem: Problem) -> float:
    weight = problem.goals.weight[problem.goals.weight > 0]
    return float(np.mean(weight)) if len(weight) else 1.0


def _other_lanes(problem: Problem) -> float:
    """In how many other lanes what is done for a goal could be done instead, on average."""
    bundles, goals = problem.bundles, problem.goals
    serves = np.repeat(np.arange(len(bundles.serves)), np.diff(bundles.serves.first))
    first_member = bundles.members.of[bundles.members.first[:-1]]
    goal, lane = goals.part_goal[bundles.serves.of], problem.lane[first_member][serves]
    found = np.unique(np.stack([goal, lane])[:, lane >= 0], axis=1)
    return len(found[0]) / max(len(np.unique(found[0])), 1) - 1.0


def _check_start(problem: Problem, start: Solution) -> None:
    """Refuse what breaks the problem; what is fixed may be missing, as it is added."""
    n = len(problem)
    if len(start.candidates) and not 0 <= start.candidates.min() <= start.candidates.max() < n:
        raise PlanError(f"start: candidates are numbered to {n - 1}")
    broken = violations(replace(problem, fixed=np.zeros(n, dtype=bool)), start)
    if broken:
        raise PlanError(f"start: {broken[0]}")


def _begin(
    problem: Problem, tables: Tables, books: Books, way: Way, solution: Solution | None
) -> int:
    """Fill the books: a solution, what is fixed, goals that pay late, all else by its promise."""
    done, at_s = np.zeros(0, dtype=bool), np.zeros(0)
    if solution is not None:
        done, at_s = np.zeros(len(problem), dtype=bool), np.zeros(len(problem))
        done[solution.candidates], at_s[solution.candidates] = True, solution.start_s
    goals, serves = problem.goals, problem.bundles.serves
    worth = goals.part_share * goals.weight[goals.part_goal]
    bundle = np.repeat(np.arange(len(serves)), np.diff(serves.first))
    promise = np.bincount(bundle, weights=worth[serves.of], minlength=len(serves))
    start = Start(done=done, at_s=at_s, order=np.argsort(-promise, kind="stable"))
    if len(tables.late):
        steps = np.diff(tables.goal_part_first)[tables.late]
        by_step = tables.late[np.argsort(-goals.weight[tables.late] / steps, kind="stable")]
        run_goals(tables, books, start._replace(order=by_step), 0, 1.0, 1.0)
        start = start._replace(done=GO_ON.done)
    return int(run(tables, books, start, way, 0, 1.0, 1.0))


GO_ON = Start(done=np.zeros(0, dtype=bool), at_s=np.zeros(0), order=np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class _Budget:
    iterations: int | None
    stop: Callable[[], bool] | None

    def moves(self, made: int) -> int:
        """How many moves an island may make now; none at the end."""
        if self.stop is not None and self.stop():
            return 0
        if self.iterations is None:
            return BLOCK
        left = self.iterations - made * ISLANDS
        return min(BLOCK, -(-left // ISLANDS))


def _cool(
    tables: Tables,
    islands: Sequence[Books],
    way: Way,
    heat: tuple[float, float],
    threads: int,
    budget: _Budget,
) -> None:
    """`heat` is the highest temperature, and what share of it is left at the end of a cycle."""
    blocks, block = FIRST_CYCLE, 0
    with ThreadPoolExecutor(max_workers=threads) as pool:
        while (moves := budget.moves(int(islands[0].counters[ITERATION]))) > 0:
            jobs = [
                pool.submit(_block, tables, books, way, moves, heat, (block, blocks))
                for books in islands
            ]
            for job in jobs:
                job.result()
            block += 1
            if block == blocks:
                block, blocks = 0, 2 * blocks


def _block(
    tables: Tables,
    books: Books,
    way: Way,
    moves: int,
    heat: tuple[float, float],
    at: tuple[int, int],
) -> None:
    """The moves of a block, which is so many-th of so many; slices of a kind in turn."""
    cooling = heat[1] ** (1.0 / (BLOCK * at[1]))
    for made in range(0, moves, SLICE):
        count = min(SLICE, moves - made)
        hot = heat[0] * heat[1] ** ((at[0] + made / BLOCK) / at[1])
        nth = int(books.counters[ITERATION]) // SLICE
        if math.floor((nth + 1) * way.whole) > math.floor(nth * way.whole):
            run_goals(tables, books, GO_ON, count, hot, cooling)
        else:
            run(tables, books, GO_ON, way, count, hot, cooling)


def _found(problem: Problem, books: Books, iterations: int) -> Found:
    done = np.flatnonzero(books.best_done)
    order = np.lexsort((books.best_s[done], problem.lane[done]))
    chosen = done[order]
    start_s = np.where(problem.lane[chosen] >= 0, books.best_s[chosen], 0.0)
    solution = Solution(candidates=chosen, start_s=start_s)
    broken = violations(problem, solution)
    if broken:
        raise AssertionError(f"the search found what does not hold: {broken[0]}")
    return Found(solution=solution, value=value(problem, solution), iterations=iterations)
