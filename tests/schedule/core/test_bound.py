"""The upper bound: against enumeration, against the search, and against sums done by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.schedule.core import (
    WHOLE,
    Budget,
    Bundles,
    Goals,
    Poses,
    Problem,
    Ragged,
    SlidingLimit,
    Store,
    Turn,
    no_conflicts,
    upper_bound,
)
from humay.schedule.core.bound import everything
from humay.schedule.core.search import search
from tests.schedule.core.drawn_problems import best_by_enumeration, drawn_problem

SEEDS = st.integers(0, 2**32 - 1)
DEGREE_A_SECOND = Turn(measure="direction", rate=float(np.radians(1.0)))


def pointed(deg: list[float]) -> np.ndarray:
    """Directions (n, 3) in a plane."""
    angle = np.radians(deg)
    return np.stack([np.cos(angle), np.sin(angle), np.zeros(len(deg))], axis=1)


def one_lane(
    low_s: list[float], high_s: list[float], deg: list[float], weight: list[float]
) -> Problem:
    """Candidates of 10 s, each the goal of its own, on a lane that turns one degree a second."""
    n = len(low_s)
    return Problem(
        lanes=(DEGREE_A_SECOND,),
        lane=np.zeros(n, np.int64),
        low_s=np.array(low_s),
        high_s=np.array(high_s),
        duration_s=np.full(n, 10.0),
        poses=Poses.at_rest(pointed(deg), pointed(deg)),
        bundles=Bundles.singles(np.arange(n)),
        goals=Goals.singles(np.array(weight)),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
    )


def with_fixed(problem: Problem, fixed: list[int]) -> Problem:
    flags = np.zeros(len(problem), dtype=bool)
    flags[fixed] = True
    return replace(problem, fixed=flags)


# By hand -----------------------------------------------------------------------------------------


def test_a_turn_that_takes_too_long_leaves_the_better_of_two() -> None:
    """From the end of the first, 10 s, a turn of 20 degrees ends at 30 s: after 29.9 s."""
    late = one_lane([0.0, 0.0], [0.0, 29.9], [0.0, 20.0], [3.0, 2.0])
    assert upper_bound(late) == pytest.approx(3.0, abs=1e-6)
    in_time = one_lane([0.0, 0.0], [0.0, 30.0], [0.0, 20.0], [3.0, 2.0])
    assert upper_bound(in_time) == pytest.approx(5.0, abs=1e-6)


def test_a_turn_gets_shorter_while_the_lane_waits() -> None:
    """The second comes from 40 degrees at 2 degrees a second towards the first: at a start at 20 s
    it is where the first was left, 10 s after that was over; 19 s would be 9 s for 2 degrees."""
    problem = one_lane([0.0, 0.0], [0.0, 20.0], [0.0, 0.0], [1.0, 1.0])
    arrive = pointed([0.0, *(40.0 - 2.0 * np.arange(21.0)).tolist()])
    poses = Poses(
        first=np.array([0, 1, 22]), from_s=np.zeros(2), step_s=np.ones(2),
        arrive=np.pad(arrive, ((0, 0), (0, 1))), leave=np.pad(arrive, ((0, 0), (0, 1))),
        arrive_s=np.zeros(22), leave_s=np.zeros(22),
    )  # fmt: skip
    # 40 - 2 t degrees are turned in t - 10 s from t = 50 / 3 s on
    met_s = 50.0 / 3.0
    assert upper_bound(replace(problem, poses=poses)) == pytest.approx(2.0, abs=1e-6)
    early = replace(problem, poses=poses, high_s=np.array([0.0, met_s - 0.3]))
    assert upper_bound(early) == pytest.approx(1.0, abs=1e-6)
    late = replace(problem, poses=poses, high_s=np.array([0.0, met_s + 0.001]))
    assert upper_bound(late) == pytest.approx(2.0, abs=1e-6)


def test_three_that_need_a_lane_at_once_are_not_taken_by_halves() -> None:
    """Any two of them overlap. A relaxation that forbids only pairs would take half of each."""
    three = one_lane([0.0, 2.0, 4.0], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    assert upper_bound(three) == pytest.approx(1.0, abs=1e-6)


def test_what_is_fixed_is_done_though_it_keeps_out_more() -> None:
    two = one_lane([0.0, 0.0], [5.0, 5.0], [0.0, 0.0], [1.0, 7.0])
    assert upper_bound(two) == pytest.approx(7.0, abs=1e-6)
    assert upper_bound(with_fixed(two, [0])) == pytest.approx(1.0, abs=1e-6)


def test_the_price_of_a_change_is_paid_only_where_it_is_worth_it() -> None:
    apart = one_lane([0.0, 900.0], [5.0, 905.0], [0.0, 0.0], [5.0, 5.0])
    priced = replace(apart, bonus=np.array([-2.0, -6.0]))
    assert upper_bound(priced) == pytest.approx(3.0, abs=1e-6)
    assert upper_bound(with_fixed(priced, [1])) == pytest.approx(2.0, abs=1e-6)


def test_both_or_none_is_worth_nothing_where_one_cannot_be() -> None:
    """A pair of looks that overlap in time, beside a single one worth less."""
    problem = one_lane([0.0, 3.0, 0.0], [4.0, 4.0, 4.0], [0.0] * 3, [9.0, 1.0, 0.0])
    stereo = replace(
        problem,
        bundles=Bundles(
            members=Ragged.from_rows([[0, 1], [2]]), serves=Ragged.from_rows([[0], [1]]),
            quality=np.ones(2),
        ),
    )  # fmt: skip
    best, _ = best_by_enumeration(stereo)
    assert best == 1.0
    assert 1.0 - 1e-9 <= upper_bound(stereo) < 5.6  # half of the pair and half of the other is 5


def test_budgets_limits_and_stores_are_kept() -> None:
    apart = one_lane([0.0, 100.0, 200.0], [0.0, 100.0, 200.0], [0.0] * 3, [4.0, 3.0, 2.0])
    assert upper_bound(apart) == pytest.approx(9.0, abs=1e-6)
    budget = Budget(candidates=np.arange(3), use=np.full(3, 10.0), most=20.0)
    assert upper_bound(replace(apart, budgets=(budget,))) == pytest.approx(7.0, abs=1e-6)
    limit = (0, SlidingLimit(seconds=20.0, per_s=300.0))
    assert upper_bound(replace(apart, limits=(limit,))) == pytest.approx(7.0, abs=1e-5)
    store = Store(
        lane=0, t_s=np.array([0.0, 300.0]), income=np.zeros(1), initial=20.0, capacity=20.0,
        use=np.ones(3),
    )  # fmt: skip
    assert upper_bound(replace(apart, stores=(store,))) == pytest.approx(7.0, abs=1e-5)


def test_a_goal_that_is_worth_nothing_by_halves_is_bounded_by_its_hull() -> None:
    """Half of a whole-or-nothing goal counts half in the bound, and nothing in truth."""
    problem = one_lane([0.0, 0.0], [5.0, 5.0], [0.0, 0.0], [1.0, 1.0])
    goals = Goals(
        weight=np.array([6.0]), curve=np.zeros(1, np.int64), part_goal=np.zeros(2, np.int64),
        part_share=np.full(2, 0.5), curves=(WHOLE,),
    )  # fmt: skip
    assert upper_bound(replace(problem, goals=goals)) == pytest.approx(3.0, abs=1e-6)


def test_an_empty_problem_is_worth_nothing() -> None:
    assert upper_bound(one_lane([], [], [], [])) == 0.0


# Against enumeration and the search --------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, moving=st.booleans(), stores=st.booleans())
def test_no_bound_lies_below_the_enumerated_best(seed: int, moving: bool, stores: bool) -> None:
    problem = drawn_problem(seed, n=4, moving=moving, stores=stores)
    best, _ = best_by_enumeration(problem)
    assert best - 1e-9 <= upper_bound(problem) <= everything(problem)


@pytest.mark.parametrize("seed", range(12))
def test_no_solution_beats_the_bound_free_or_with_a_part_of_it_fixed(seed: int) -> None:
    problem = drawn_problem(seed, n=25, moving=seed % 2 == 0, stores=seed % 4 < 2)
    found = search(problem, seed=1, iterations=500)
    bound = upper_bound(problem)
    assert found.value <= bound
    frozen = upper_bound(with_fixed(problem, found.solution.candidates[::2].tolist()))
    assert found.value <= frozen
    assert frozen <= bound + 1e-5


@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_a_converged_bound_does_not_rise_when_a_candidate_or_a_goal_goes(seed: int) -> None:
    """Poses at rest: no slots, whose width could change."""
    problem = drawn_problem(seed, n=8)
    bound = upper_bound(problem)
    for i in range(8):
        budget = Budget(candidates=np.array([i]), use=np.ones(1), most=0.0)
        assert upper_bound(replace(problem, budgets=(*problem.budgets, budget))) <= bound + 1e-5
    weight = problem.goals.weight.copy()
    weight[0] = 0.0
    assert (
        upper_bound(replace(problem, goals=replace(problem.goals, weight=weight))) <= bound + 1e-5
    )


def test_more_rounds_never_prove_less_and_the_same_rounds_prove_the_same() -> None:
    problem = drawn_problem(7, n=40, lanes=2, moving=True)
    proved = [upper_bound(problem, rounds=n) for n in (0, 1, 4, 16, 64)]
    assert proved == sorted(proved, reverse=True)
    assert proved[0] <= everything(problem)
    assert upper_bound(problem, rounds=16) == proved[3]
    assert upper_bound(problem) <= proved[4]


def after(calls: int) -> Callable[[], bool]:
    """Says so once it was asked so often."""
    left = iter([False] * calls)
    return lambda: next(left, True)


def test_what_is_proved_when_it_is_stopped_holds_too() -> None:
    problem = drawn_problem(9, n=40, lanes=2, moving=True)
    reached = search(problem, seed=1, iterations=500).value
    for calls in (0, 1, 3, 10, 40):
        bound = upper_bound(problem, stop=after(calls))
        assert reached <= bound <= everything(problem)


def test_all_that_gains_is_worth_what_the_judge_says_of_it() -> None:
    apart = one_lane([0.0, 900.0], [5.0, 905.0], [0.0, 0.0], [5.0, 4.0])
    priced = replace(apart, bonus=np.array([1.0, -6.0]))
    assert everything(priced) == 5.0 + 4.0 + 1.0
    assert everything(with_fixed(priced, [1])) == 5.0 + 4.0 + 1.0 - 6.0
