"""Choose among candidates beside all lanes: at once where that goes, else slice by slice.

The problem becomes an integer program whose relaxation is tightened until it is all but whole
(`choice_cuts`). HiGHS solves it at once where it can within its nodes. Where it cannot, it solves
slices of it, and what lies outside a slice stays as it is: slices that are solved make the next
ones larger, up to the whole, others make them smaller.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from humay.arrays import BoolArray, IntArray
from humay.errors import PlanError
from humay.schedule.core.choice_model import model_of
from humay.schedule.core.choice_program import ALL_NODES, Answer, Program, Stop
from humay.schedule.core.choice_slices import Slices, fill
from humay.schedule.core.found import Found
from humay.schedule.core.judge import value as value_of
from humay.schedule.core.judge import violations
from humay.schedule.core.problem import Problem, Solution

SIDE_BY_SIDE = 2
"""Slices drawn from one solution; the better one is kept, however many threads there are."""
FIRST = 100
"""Candidates that the first slices set free."""
SLICE_NODES, WHOLE_NODES = 100, 1
"""The first trial of the whole takes so many; it spends most of its time before the tree."""
GROW, SHRINK, SMALLEST, LARGEST = 2.0, 0.5, 50, 0.8
"""Factors of the size of slices, its least, and its most, as a share, before the whole is due."""
PATIENCE, MORE_NODES = 4, 10
"""After a trial of the whole that fails, the next is due after so many times the programs solved
until then, and takes so many times its nodes."""


def choose(
    problem: Problem,
    *,
    seed: int,
    iterations: int | None = None,
    stop: Stop | None = None,
    start: Solution | None = None,
    threads: int = 1,
) -> Found:
    """The best choice found by solving `iterations` programs, or until `stop` says so.

    It ends early where the choice is proved to be the best. Raises `PlanError` where a candidate
    stands on a lane, or where what is fixed does not go together.
    """
    if (iterations is None) == (stop is None):
        raise ValueError("either iterations or stop")
    search = _Search(problem, seed, start, stop)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        while not search.ended:
            left = SIDE_BY_SIDE if iterations is None else iterations - search.iterations
            if left <= 0:
                break
            if search.whole_is_due:
                search.solve_whole()
            else:
                search.solve_slices(pool, min(left, SIDE_BY_SIDE))
    return search.found()


def choice_bound(problem: Problem, *, stop: Stop | None, value: float | None = None) -> float:
    """What no choice exceeds: the relaxation's bound, then that of the tree until `stop`.

    With the `value` of a choice it ends as soon as that is proved to be the best.
    """
    search = _Search(problem, 0, None, stop)
    if not search.ended and (value is None or not search.program.closed(value, search.bound)):
        search.nodes = ALL_NODES
        search.solve_whole()
    return search.bound


class _Search:
    """The program, the best choice so far, and how large the next slices are."""

    def __init__(
        self, problem: Problem, seed: int, start: Solution | None, stop: Stop | None
    ) -> None:
        self._problem, self._seed, self._stop = problem, seed, stop
        self.iterations, self.nodes = 0, WHOLE_NODES
        self._most = max(int(LARGEST * len(problem)), 1)
        self._size, self._due = FIRST, 0
        model = model_of(problem)
        done = _fixed(problem)
        if start is not None:
            fill(problem, model.conflicts, done, start.candidates)
        self.program = Program(model)
        self._programs = [self.program]
        relaxed, self.bound = self.program.tighten(stop)
        relaxed = relaxed[: len(problem)]
        if start is None:
            order = np.argsort(-relaxed, kind="stable")
            fill(problem, model.conflicts, done, order[relaxed[order] > 0.0])
        self._slices = Slices(problem, relaxed)
        self._x = np.concatenate([done, np.zeros(len(model.cost) - len(done))])
        self._value = value_of(problem, _solution(done))
        self._proved = False

    @property
    def ended(self) -> bool:
        """Whether the best is known, or there is no time for it."""
        proved = self._proved or self.program.closed(self._value, self.bound)
        return proved or (self._stop is not None and self._stop())

    @property
    def _done(self) -> BoolArray:
        return self._x[: len(self._problem)] > 0.5

    @property
    def whole_is_due(self) -> bool:
        return self._size > self._most and self.iterations >= self._due

    def solve_whole(self) -> None:
        """Solve the program; where its nodes do not suffice, go on with slices."""
        answer = self._solve(0, np.arange(len(self._problem)), self.nodes)
        self._take([answer])
        self.bound = min(self.bound, answer.bound)
        self._proved = answer.proved
        self.nodes = min(MORE_NODES * self.nodes, ALL_NODES)
        self._due = PATIENCE * self.iterations
        self._size = FIRST

    def solve_slices(self, pool: Executor, count: int) -> None:
        """Solve slices of the best choice, each by a program of its own."""
        while len(self._programs) < count:
            self._programs.append(self.program.copy())
        draws = [np.random.default_rng([self._seed, self.iterations + k]) for k in range(count)]
        frees = [self._slices.draw(rng, self._done, min(self._size, self._most)) for rng in draws]
        answers = list(pool.map(self._solve, range(count), frees, [SLICE_NODES] * count))
        self._take(answers)
        solved = all(answer.proved for answer in answers)
        size = min(self._size, self._most) * (GROW if solved else SHRINK)
        self._size = max(int(size), min(SMALLEST, self._most))

    def _solve(self, program: int, free: IntArray, nodes: int) -> Answer:
        model = self.program.model
        held = np.setdiff1d(np.arange(len(self._problem)), free)
        low, high = model.low.copy(), model.high.copy()
        low[held] = high[held] = np.round(self._x[held])
        return self._programs[program].solve(
            low, high, start=self._x, seed=self._seed, nodes=nodes, stop=self._stop
        )

    def _take(self, answers: list[Answer]) -> None:
        """Keep the best of the answers, unless it is worse than what there is."""
        self.iterations += len(answers)
        for answer in answers:
            done = answer.x[: len(self._problem)] > 0.5
            worth = value_of(self._problem, _solution(done))
            if worth >= self._value:
                self._x, self._value = answer.x, worth

    def found(self) -> Found:
        solution = _solution(self._done)
        broken = violations(self._problem, solution)
        if broken:
            raise AssertionError(f"the search found what does not hold: {broken[0]}")
        return Found(
            solution=solution,
            value=self._value,
            iterations=self.iterations,
            bound=self.bound if np.isfinite(self.bound) else None,
        )


def _fixed(problem: Problem) -> BoolArray:
    done = problem.fixed.copy()
    broken = violations(problem, _solution(done))
    if broken:
        raise PlanError(f"what is fixed does not go together: {broken[0]}")
    return done


def _solution(done: BoolArray) -> Solution:
    candidates = np.flatnonzero(done)
    return Solution(candidates=candidates, start_s=np.zeros(len(candidates)))
