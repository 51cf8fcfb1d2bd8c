"""Urgent requests put into a plan that is at hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from humay.access import find_opportunities, find_pointing
from humay.errors import PlanError
from humay.mission import Request
from humay.orbit import ephemerides
from humay.schedule import Inserted, Plan, insert_urgent, make_plan
from tests.schedule.random_problems import START, Problem, given_of, random_problem

RELEASE = START - timedelta(hours=1)


def plan_without(problem: Problem, urgent: str) -> Plan:
    """The plan of all requests but one, released an hour before it begins."""
    left = tuple(request for request in problem.requests if request.name != urgent)
    given = given_of(replace(problem, requests=left))
    return make_plan(given, start=START, end=problem.end, release=RELEASE)


def inserted(problem: Problem, plan: Plan, urgent: Request, **options: float) -> Inserted:
    orbits = ephemerides(problem.mission, START, problem.end)
    found = find_opportunities(
        problem.mission, [urgent], start=START, end=problem.end, orbits=orbits
    )
    pointing = find_pointing(found, problem.mission, orbits)
    return insert_urgent(plan, [urgent], found, pointing, release=RELEASE, **options)


def starts(plan: Plan | Inserted) -> set[tuple[str, float]]:
    return {(name, act.start_s) for name, part in plan.satellites.items() for act in part.acts}


@pytest.mark.parametrize("seed", [2, 12, 23])
def test_an_urgent_request_that_fits_changes_nothing_else(seed: int, tmp_path: Path) -> None:
    problem = random_problem(seed, tmp_path)
    served = {a.request for p in plan_without(problem, "").satellites.values() for a in p.acts}
    urgent = next(request for request in problem.requests if request.name in served)
    plan = plan_without(problem, urgent.name)
    made = inserted(problem, plan, urgent, most_changed=0.0)
    assert starts(plan) <= starts(made)
    assert made.dropped == made.moved == ()
    answer = made.answers[urgent.name]
    if answer.image_s is None:
        assert answer.refusal is not None
    else:
        assert answer.uplink_s is not None
        assert answer.uplink_s < answer.image_s
        assert answer.delivery_s is None or answer.delivery_s > answer.image_s


def test_what_is_worth_most_takes_the_place_of_the_cheapest_where_it_may(tmp_path: Path) -> None:
    """Two requests for one place in time: the urgent one comes in at the price of the other, and
    not where nothing may change."""
    problem = random_problem(23, tmp_path)
    everything = plan_without(problem, "")
    (act, *_) = [a for part in everything.satellites.values() for a in part.acts]
    twin = next(request for request in problem.requests if request.name == act.request)
    urgent = replace(twin, name="urgent", priority=10, weight=1e6)
    free = inserted(problem, everything, urgent, most_changed=1.0)
    tied = inserted(problem, everything, urgent, most_changed=0.0)
    assert free.answers["urgent"].image_s is not None
    changed = len(starts(everything) - starts(free))
    assert changed <= len(free.dropped) + len(free.moved)
    assert starts(everything) <= starts(tied)


@pytest.mark.parametrize(("completion", "makes_room"), [("linear", True), ("whole", False)])
@pytest.mark.parametrize("seed", [19, 23])
def test_looks_that_depend_on_each_other_do_not_make_room(
    completion: Literal["linear", "whole"], makes_room: bool, seed: int, tmp_path: Path
) -> None:
    """The strips of what counts only as a whole stay, as looks of stereo and of series do."""
    problem = random_problem(seed, tmp_path)
    asked = tuple(replace(request, completion=completion) for request in problem.requests)
    problem = replace(problem, requests=asked)
    plan = plan_without(problem, "")
    acts = [act for part in plan.satellites.values() for act in part.acts]
    name = acts[len(acts) // 2].request
    twin = next(request for request in problem.requests if request.name == name)
    made = inserted(problem, plan, replace(twin, name="urgent", weight=1e6), most_changed=1.0)
    assert bool(made.dropped or made.moved) == makes_room


def test_what_is_on_board_does_not_make_room(tmp_path: Path) -> None:
    problem = random_problem(23, tmp_path)
    plan = plan_without(problem, "")
    urgent = replace(problem.requests[0], name="urgent", priority=10, weight=1e6)
    orbits = ephemerides(problem.mission, START, problem.end)
    found = find_opportunities(
        problem.mission, [urgent], start=START, end=problem.end, orbits=orbits
    )
    pointing = find_pointing(found, problem.mission, orbits)
    late = problem.end - timedelta(minutes=1)  # every command is up
    made = insert_urgent(plan, [urgent], found, pointing, release=late, most_changed=1.0)
    assert starts(made) == starts(plan)
    refusal = made.answers["urgent"].refusal
    assert refusal is not None
    assert refusal.code in {"uplink", "no_opportunity", "margin", "outage"}


def test_an_urgent_request_of_a_known_name_is_refused(tmp_path: Path) -> None:
    problem = random_problem(23, tmp_path)
    plan = plan_without(problem, "")
    with pytest.raises(PlanError, match="in the plan already"):
        inserted(problem, plan, problem.requests[0])
    with pytest.raises(PlanError, match="most_changed"):
        inserted(problem, plan, replace(problem.requests[0], name="new"), most_changed=np.nan)
