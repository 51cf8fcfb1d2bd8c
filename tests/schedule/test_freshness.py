"""The age of information: what an image counts for by when it is on the ground."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from humay.check import check_plan, verdict
from humay.errors import MissionError
from humay.mission import Objective
from humay.schedule import Effort, Plan, plan_document
from humay.time import parse_utc
from tests.schedule.random_problems import GREEDY, Problem, plan_of, random_problem
from tests.schedule.test_expected_clouds import clouded

SEARCHED = Effort(iterations=2_000)


def ageing(problem: Problem, half_life_h: float | None) -> Problem:
    objective = Objective(age_half_life_h=half_life_h)
    mission = replace(problem.mission, objective=objective)
    plain = [replace(s, power=None, idle_attitude="nadir") for s in mission.satellites]
    return replace(problem, mission=replace(mission, satellites=tuple(plain)))


def counted(problem: Problem, plan: dict[str, Any], half_life_h: float) -> float:
    """The value by hand: every strip once, by the age of its image."""
    worth = {request.name: request.worth for request in problem.requests}
    shares = {s["id"]: s["share"] for r in plan["requests"] for s in r["strips"]}
    total = 0.0
    for act in plan["acquisitions"]:
        down = parse_utc(act["delivered"] or plan["end"])
        age_h = (down - parse_utc(act["end"])).total_seconds() / 3_600
        total += worth[act["request"]] * shares[act["strip"]] * 0.5 ** (age_h / half_life_h)
    return total


def checked(problem: Problem, effort: Effort = GREEDY) -> tuple[Plan, dict[str, Any]]:
    plan = plan_of(problem, 3_600.0, effort)
    document = plan_document(plan)
    assert verdict(check_plan(problem.mission, problem.requests, document)) == "valid"
    return plan, document


@pytest.mark.parametrize("seed", [1, 12, 20])
@pytest.mark.parametrize("half_life_h", [0.05, 1.0])
def test_the_value_is_that_of_images_as_old_as_they_come_down(
    seed: int, half_life_h: float, tmp_path: Path
) -> None:
    problem = ageing(random_problem(seed, tmp_path), half_life_h)
    plan, document = checked(problem)
    assert document["acquisitions"]
    assert plan.value == pytest.approx(counted(problem, document, half_life_h), abs=1e-6)
    assert 0 < plan.value <= plan.bound
    expected = sum(r["worth"]["expected"] for r in document["requests"])
    assert expected == pytest.approx(plan.value, abs=1e-6)


@pytest.mark.slow
def test_where_age_counts_images_are_younger_and_no_bound_is_beaten(tmp_path: Path) -> None:
    """Over 20 missions, plans that know of age are worth more by it than plans that do not."""
    with_age = without = 0.0
    for seed in range(20):
        problem = random_problem(seed, tmp_path)
        plan, _ = checked(ageing(problem, 0.5), SEARCHED)
        _, plain = checked(ageing(problem, None), SEARCHED)
        assert plan.value <= plan.bound + 1e-9, f"seed {seed}"
        with_age += plan.value
        without += counted(problem, plain, 0.5)
    assert with_age > without


def test_an_image_that_no_contact_brings_down_counts_as_if_it_were_at_the_end(
    tmp_path: Path,
) -> None:
    problem = ageing(random_problem(1, tmp_path), 1.0)
    stations = tuple(replace(s, downlink=False) for s in problem.mission.stations)
    deaf = replace(problem, mission=replace(problem.mission, stations=stations))
    plan, document = checked(deaf)
    assert document["acquisitions"]
    assert all(a["delivered"] is None for a in document["acquisitions"])
    assert plan.value == pytest.approx(counted(deaf, document, 1.0), abs=1e-6)


def test_without_a_half_life_nothing_is_told_of_age(tmp_path: Path) -> None:
    problem = ageing(random_problem(1, tmp_path), None)
    plan, document = checked(problem)
    assert all("fresh" not in a for a in document["acquisitions"])
    long = ageing(problem, 1e9)
    other, old = checked(long)
    assert other.value == pytest.approx(plan.value, rel=1e-6)
    assert np.allclose([a["fresh"] for a in old["acquisitions"]], 1.0)


def test_an_image_said_to_be_fresher_than_it_is_is_found(tmp_path: Path) -> None:
    problem = ageing(random_problem(1, tmp_path), 1.0)
    _, document = checked(problem)
    document["acquisitions"][0]["fresh"] += 0.01
    codes = {v.code for v in check_plan(problem.mission, problem.requests, document)}
    assert codes == {"looks"}
    del document["acquisitions"][0]["fresh"]
    assert {v.code for v in check_plan(problem.mission, problem.requests, document)} == {"looks"}


@pytest.mark.parametrize("effort", [GREEDY, SEARCHED], ids=["greedy", "searched"])
def test_attempts_made_together_count_each_by_its_own_age(effort: Effort, tmp_path: Path) -> None:
    """1 - (1 - c f)(1 - d g) of a strip, for looks clear with c and d of which f and g are left."""
    problem = clouded(45, tmp_path, min_attempts=3)
    objective = Objective(clouds="expected", age_half_life_h=1.0)
    problem = replace(problem, mission=replace(problem.mission, objective=objective))
    plan, document = checked(problem, effort)
    missed = {
        a["id"]: 1 - (1 - a["cloud_probability"]) * a["fresh"] for a in document["acquisitions"]
    }
    total, ages = 0.0, 0
    for request, entry in zip(problem.requests, document["requests"], strict=True):
        for strip in entry["strips"]:
            own = [missed[name] for name in strip["acquisitions"]]
            total += request.worth * strip["share"] * (1 - math.prod(own))
            ages = max(ages, len(own))
    assert ages > 1
    assert plan.value == pytest.approx(total, abs=1e-6)
    assert plan.value <= plan.bound


@pytest.mark.parametrize("half_life_h", [0.0, -1.0, float("nan")])
def test_a_half_life_lasts(half_life_h: float) -> None:
    with pytest.raises(MissionError, match="age_half_life_h"):
        Objective(age_half_life_h=half_life_h)
