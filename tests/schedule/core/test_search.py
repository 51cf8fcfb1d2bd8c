"""The search, against enumeration, against itself, and against the plain judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from humay.errors import PlanError
from humay.schedule.core import Problem, Solution, value, violations
from humay.schedule.core.search import search
from tests.schedule.core.drawn_problems import best_by_enumeration, drawn_problem


@pytest.mark.parametrize("seed", range(12))
def test_tiny_problems_are_solved_to_the_enumerated_best(seed: int) -> None:
    problem = drawn_problem(seed, n=5)
    best, _ = best_by_enumeration(problem)
    assert search(problem, seed=1, iterations=4_000).value == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(100, 140))
def test_what_is_found_holds_and_is_worth_what_is_said(seed: int) -> None:
    """Moving poses, stores, sliding limits, conflicts, curves: by the plain judge."""
    problem = drawn_problem(seed, n=40, lanes=3, moving=True, stores=True)
    found = search(problem, seed=seed, iterations=2_000)
    assert violations(problem, found.solution) == []
    assert found.value == value(problem, found.solution)
    assert found.value > 0


def test_more_iterations_are_never_worse_and_threads_change_nothing() -> None:
    problem = drawn_problem(7, n=60, lanes=3, moving=True, stores=True)
    values = [search(problem, seed=3, iterations=n).value for n in (2, 400, 6_000, 12_000)]
    assert values == sorted(values)
    one = search(problem, seed=3, iterations=6_000)
    two = search(problem, seed=3, iterations=6_000, threads=2)
    assert np.array_equal(one.solution.candidates, two.solution.candidates)
    assert np.array_equal(one.solution.start_s, two.solution.start_s)


def test_a_search_can_start_from_a_solution_and_loses_nothing_of_it() -> None:
    problem = drawn_problem(11, n=40, lanes=2, moving=True)
    before = search(problem, seed=1, iterations=4_000)
    after = search(problem, seed=2, iterations=2, start=before.solution)
    assert after.value >= before.value


def _with_fixed(problem: Problem, fixed: int) -> Problem:
    flags = np.zeros(len(problem), dtype=bool)
    flags[fixed] = True
    return replace(problem, fixed=flags)


def test_what_is_fixed_stays_whatever_it_costs() -> None:
    problem = drawn_problem(5, n=30, lanes=2)
    for i in range(0, 30, 5):
        found = search(_with_fixed(problem, i), seed=1, iterations=1_000)
        assert i in found.solution.candidates


def test_what_is_fixed_and_does_not_fit_is_refused() -> None:
    problem = drawn_problem(5, n=10, lanes=2)
    pair = problem.pairs[0]
    flags = np.zeros(10, dtype=bool)
    flags[pair] = True
    with pytest.raises(PlanError, match="does not fit beside the others"):
        search(replace(problem, fixed=flags), seed=1, iterations=10)


def test_an_empty_problem_has_an_empty_solution() -> None:
    problem = drawn_problem(3, n=4)
    nothing = Solution(candidates=np.zeros(0, np.int64), start_s=np.zeros(0))
    assert violations(problem, nothing) == []
