"""The search, against enumeration, against itself, and against the plain judge."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from humay.errors import PlanError
from humay.schedule.core import (
    LINEAR,
    NO_LANE,
    WHOLE,
    Bundles,
    Curve,
    Goals,
    Poses,
    Problem,
    Solution,
    Turn,
    no_conflicts,
    value,
    violations,
)
from humay.schedule.core.judge import turn_seconds
from humay.schedule.core.search import search
from humay.schedule.core.search.islands import Cooling
from humay.schedule.core.search.late import lateness
from humay.schedule.core.search.moves import Start, run
from humay.schedule.core.search.tables import books_of, tables_of
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


def test_a_start_that_breaks_the_problem_is_refused() -> None:
    problem = drawn_problem(11, n=40, lanes=2, moving=True)
    found = search(problem, seed=1, iterations=400).solution
    late = Solution(candidates=found.candidates, start_s=found.start_s + 1e4)
    with pytest.raises(PlanError, match=r"start: candidate \d+ starts at"):
        search(problem, seed=1, iterations=2, start=late)
    both = Solution(candidates=problem.pairs[0], start_s=problem.low_s[problem.pairs[0]])
    apart = replace(problem, lane=np.full(len(problem), NO_LANE))
    with pytest.raises(PlanError, match=r"start: \[\d+, \d+\] together"):
        search(apart, seed=1, iterations=2, start=both)
    none_such = Solution(candidates=np.array([40]), start_s=np.zeros(1))
    with pytest.raises(PlanError, match="start: candidates are numbered to 39"):
        search(problem, seed=1, iterations=2, start=none_such)


def _with_fixed(problem: Problem, fixed: int) -> Problem:
    flags = np.zeros(len(problem), dtype=bool)
    flags[fixed] = True
    return replace(problem, fixed=flags)


def test_what_is_fixed_stays_whatever_it_costs() -> None:
    problem = drawn_problem(5, n=30, lanes=2)
    for i in range(0, 30, 5):
        found = search(_with_fixed(problem, i), seed=1, iterations=1_000)
        assert i in found.solution.candidates


def test_what_is_fixed_on_a_fine_grid_is_found_there_days_after_the_epoch() -> None:
    """A point of the grid is told with the rounding of its number, 266 295 122 x 0.001: more than
    the point itself by half a millionth of a step."""
    problem = drawn_problem(5, n=10, lanes=2)
    start_s = np.arange(266_295_100, 266_295_130) * 0.001
    assert np.any(start_s / 0.001 > np.round(start_s / 0.001))
    for at_s in start_s.tolist():
        low = np.where(np.arange(10) == 3, at_s, problem.low_s)
        high = np.where(np.arange(10) == 3, at_s, problem.high_s)
        late = replace(_with_fixed(problem, 3), low_s=low, high_s=high, grid_s=0.001)
        found = search(late, seed=1, iterations=2).solution
        assert found.start_s[found.candidates == 3] == pytest.approx(at_s, abs=1e-6)


def test_what_is_fixed_and_does_not_fit_is_refused() -> None:
    problem = drawn_problem(5, n=10, lanes=2)
    pair = problem.pairs[0]
    flags = np.zeros(10, dtype=bool)
    flags[pair] = True
    with pytest.raises(PlanError, match="does not fit beside the others"):
        search(replace(problem, fixed=flags), seed=1, iterations=10)


@pytest.mark.parametrize("seed", range(6))
def test_seconds_of_turning_are_those_of_the_plan(seed: int) -> None:
    """Kept up to date over 400 moves, against the plain judge's; poses at rest."""
    problem = drawn_problem(seed, n=40, lanes=2)
    tables = tables_of(problem)
    books, way = books_of(problem, tables, seed), Cooling().way(problem, tables)
    start = Start(done=np.zeros(0, dtype=bool), at_s=np.zeros(0), order=np.arange(len(books.stamp)))
    run(tables, books, start, way, 400, 3.0, 1.0)
    acts = [
        books.seq[first : first + count].tolist()
        for first, count in zip(tables.lane_first, books.acts, strict=False)
    ]
    assert sum(map(len, acts)) > 3
    turns_s = [
        turn_seconds(problem, i, books.at_s[i], j, books.at_s[j])
        for lane in acts
        for i, j in pairwise(lane)
    ]
    assert books.total[1] == pytest.approx(sum(turns_s), abs=1e-6)


def test_an_empty_problem_has_an_empty_solution() -> None:
    problem = drawn_problem(3, n=4)
    nothing = Solution(candidates=np.zeros(0, np.int64), start_s=np.zeros(0))
    assert violations(problem, nothing) == []


@pytest.mark.parametrize("seed", range(200, 212))
def test_tiny_problems_of_goals_that_pay_at_their_end_are_solved_too(seed: int) -> None:
    problem = drawn_problem(seed, n=6)
    goals = replace(problem.goals, curve=np.ones_like(problem.goals.curve))  # all of them WHOLE
    problem = replace(problem, goals=goals)
    best, _ = best_by_enumeration(problem)
    assert search(problem, seed=1, iterations=4_000).value == pytest.approx(best, abs=1e-9)


def _slots(goals: list[tuple[float, list[int]]], curve: Curve) -> Problem:
    """Goals (weight, slots) whose parts each take a slot of one second, by one candidate."""
    slot = np.array([each for _, slots in goals for each in slots], dtype=float)
    n, sizes = len(slot), [len(slots) for _, slots in goals]
    pose = np.zeros((n, 4))
    return Problem(
        lanes=(Turn(measure="axes", rate=1.0),),
        lane=np.zeros(n, np.int64),
        low_s=slot,
        high_s=slot,
        duration_s=np.ones(n),
        poses=Poses.at_rest(pose, pose),
        bundles=Bundles.singles(np.arange(n)),
        goals=Goals(
            weight=np.array([weight for weight, _ in goals]),
            curve=np.zeros(len(goals), np.int64),
            part_goal=np.repeat(np.arange(len(goals)), sizes),
            part_share=np.repeat(1.0 / np.array(sizes), sizes),
            curves=(curve,),
        ),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
    )


def test_a_goal_displaces_several_that_pay_more_for_each_step() -> None:
    """Eight pairs worth 6, each with a slot of one goal of twenty that is worth 51 if whole."""
    pairs = [(6.0, [2 * k, 100 + k]) for k in range(8)]
    problem = _slots([(51.0, list(range(20))), *pairs], WHOLE)
    assert search(problem, seed=1, iterations=2).value == 48.0
    assert search(problem, seed=1, iterations=2_000).value == 51.0


def test_what_is_left_of_a_displaced_goal_makes_room_for_others() -> None:
    """Of 6 (slots 0, 5), 8 (0, 1) and 4 (5, 6): the latter two, though the first is tried second
    and blocks the third."""
    problem = _slots([(6.0, [0, 5]), (8.0, [0, 1]), (4.0, [5, 6])], WHOLE)
    assert search(problem, seed=1, iterations=1_000).value == 12.0


def test_goals_pay_late_by_the_area_above_their_curve() -> None:
    """1 - 2 x the area under it: of 0, 0.1, 0.4, 1 at 0, 0.4, 0.7, 1 that is 0.02 + 0.075 + 0.21.
    A goal of a single step never does."""
    late = Curve(level=np.array([0.0, 0.4, 0.7, 1.0]), worth=np.array([0.0, 0.1, 0.4, 1.0]))
    early = Curve(level=late.level, worth=1.0 - late.worth[::-1])
    two = [(1.0, [0, 1]), (1.0, [2])]
    for curve, expected in ((WHOLE, 1.0), (late, 0.39), (LINEAR, 0.0), (early, 0.0)):
        assert lateness(_slots(two, curve)) == pytest.approx([expected, 0.0], abs=1e-3)


def test_a_part_that_nothing_serves_does_not_count_as_late() -> None:
    """Of 0, 0.2, 1 at 0, 0.5, 1 the first half is straight: 1 - 2 (0.05 + 0.3) of the whole."""
    bent = Curve(level=np.array([0.0, 0.5, 1.0]), worth=np.array([0.0, 0.2, 1.0]))
    problem = _slots([(1.0, [0, 1, 2, 3])], bent)
    kept = Bundles.singles(np.array([0, 1, 1, 0]))
    assert lateness(problem)[0] == pytest.approx(0.3, abs=1e-3)
    assert lateness(replace(problem, bundles=kept))[0] == pytest.approx(0.0, abs=1e-9)
