"""The search for a better plan, on the mission's own problems."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from humay.mission import Request
from humay.schedule import Effort, plan_document
from humay.schedule.plan import make_plan
from tests.schedule.random_problems import START, given_of, plan_of, random_problem

CROWDED = (6, 23, 39)
"""Seeds of problems of which the search makes more than the greedy method does."""


@pytest.mark.parametrize("seed", CROWDED)
def test_more_iterations_are_never_worse_and_none_is_the_greedy_plan(
    seed: int, tmp_path: Path
) -> None:
    problem = random_problem(seed, tmp_path)
    given = given_of(problem)
    values = [
        make_plan(given, start=START, end=problem.end, effort=Effort(iterations=n)).value
        for n in (0, 2_000, 5_000, 9_500)
    ]
    assert values == sorted(values)
    assert values[0] < values[2]
    assert values[0] == plan_of(problem).value


def test_a_seed_and_iterations_give_the_same_plan_on_any_number_of_threads(tmp_path: Path) -> None:
    given = given_of(problem := random_problem(CROWDED[0], tmp_path))
    documents = [
        plan_document(
            make_plan(
                given, start=START, end=problem.end, seed=5,
                effort=Effort(iterations=5_000, threads=threads),
            )
        )
        for threads in (1, 2)
    ]  # fmt: skip
    assert documents[0] == documents[1]
    assert documents[0]["iterations"] == 5_000


def test_a_search_that_is_stopped_says_what_gives_its_plan_again(tmp_path: Path) -> None:
    given = given_of(problem := random_problem(CROWDED[0], tmp_path))
    asked = iter([False] * 6 + [True] * 100)
    stopped = make_plan(
        given, start=START, end=problem.end, effort=Effort(stop=lambda: next(asked))
    )
    again = make_plan(
        given, start=START, end=problem.end, effort=Effort(iterations=stopped.iterations)
    )
    assert stopped.iterations > 0
    assert plan_document(stopped) == plan_document(again)


def test_a_first_round_is_as_long_as_it_may_be_and_others_are_whole() -> None:
    """Rounds of 400,000 and 600,000 moves for 100,000 opportunities; 1,000,000 are usual."""
    assert Effort().moves(400_000, 0, 100_000) == 400_000
    assert Effort().moves(600_000, 400_000, 100_000) == 600_000
    assert Effort().moves(900_000, 1_000_000, 100_000) == 0
    assert Effort(iterations=150_001).moves(400_000, 0, 100_000) == 150_000
    assert Effort(iterations=900_000).moves(600_000, 400_000, 100_000) == 0
    assert Effort(stop=lambda: True).moves(2_000, 0, 10) == 0


def test_a_step_of_priority_doubles_what_a_request_is_worth(tmp_path: Path) -> None:
    request: Request = random_problem(1, tmp_path).requests[0]
    worth = [replace(request, priority=p, weight=3.0).worth for p in (1, 5, 6, 10)]
    assert worth == [3.0 / 16, 3.0, 6.0, 96.0]


def test_slow_satellites_find_the_way_from_idle_to_an_act(tmp_path: Path) -> None:
    """A slew that meets an idle attitude that moves on is found round by round, each of which gains
    as many times as the slew is faster. With 1.7 deg/s four rounds left 40 microseconds, so that
    acts with nothing near them were refused. What is left of this problem without its batteries has
    room for all: its bound."""
    problem = random_problem(1, tmp_path)
    rested = [replace(s, power=None, idle_attitude="nadir") for s in problem.mission.satellites]
    problem = replace(problem, mission=replace(problem.mission, satellites=tuple(rested)))
    plan = plan_of(problem, 3_600.0, Effort(iterations=2_000))
    assert plan.value == pytest.approx(plan.bound, rel=1e-6)
