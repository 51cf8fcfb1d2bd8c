"""What requests are worth, in part and whole, through planning and the independent check."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from humay.check import check_plan, verdict
from humay.mission import Completion, Request
from humay.schedule import Effort, Plan, plan_document
from humay.schedule.looks import looks_of
from humay.schedule.worth import worth_of
from tests.schedule.random_problems import GREEDY, Problem, given_of, plan_of, random_problem

SEARCHED = Effort(iterations=2_000)
STEPS: Completion = ((0.0, 0.0), (0.3, 0.6), (0.8, 0.7), (1.0, 1.0))
IN_PARTS = (6, 15, 19, 39)
"""Seeds of problems with requests of several strips."""


def with_completion(problem: Problem, completion: Completion) -> Problem:
    changed = tuple(replace(r, completion=completion) for r in problem.requests)
    return replace(problem, requests=changed)


def worth_by_hand(request: Request, entry: dict[str, Any]) -> float:
    """From the strips of plan.json, by linear interpolation."""
    share = math.fsum(strip["share"] for strip in entry["strips"] if strip["acquisition"])
    if request.completion == "whole":
        return request.worth if share > 1 - 1e-6 else 0.0
    if request.completion == "linear":
        return request.worth * share
    x, y = np.array(request.completion).T
    return request.worth * float(np.interp(share, x, y))


def checked(problem: Problem, plan: Plan) -> dict[str, Any]:
    """The document of a plan that the checker accepts and no bound contradicts."""
    document = plan_document(plan)
    violations = check_plan(problem.mission, problem.requests, document)
    assert not violations, verdict(violations)
    assert plan.value <= plan.bound + 1e-9
    by_hand = [
        worth_by_hand(request, entry)
        for request, entry in zip(problem.requests, document["requests"], strict=True)
    ]
    assert plan.value == pytest.approx(math.fsum(by_hand), abs=1e-6)
    return document


@pytest.mark.parametrize("effort", [GREEDY, SEARCHED], ids=["greedy", "searched"])
@pytest.mark.parametrize("completion", ["whole", STEPS])
@pytest.mark.parametrize("seed", IN_PARTS)
def test_partial_requests_count_along_their_curve(
    seed: int, completion: Completion, effort: Effort, tmp_path: Path
) -> None:
    problem = with_completion(random_problem(seed, tmp_path), completion)
    document = checked(problem, plan_of(problem, effort=effort))
    outcomes = {entry["outcome"] for entry in document["requests"]}
    assert completion != "whole" or "partly" not in outcomes


def test_some_request_that_was_imaged_in_part_is_left_out_whole(tmp_path: Path) -> None:
    left = 0
    for seed in IN_PARTS:
        problem = random_problem(seed, tmp_path)
        partly = [
            entry["name"]
            for entry in checked(problem, plan_of(problem))["requests"]
            if entry["outcome"] == "partly"
        ]
        document = checked(whole := with_completion(problem, "whole"), plan_of(whole))
        for entry in document["requests"]:
            if entry["name"] in partly and entry["outcome"] == "left out":
                assert entry["reason"]["code"] != "period"
                left += 1
    assert left > 0


def test_a_plan_that_counts_half_of_a_whole_request_is_refused(tmp_path: Path) -> None:
    for seed in IN_PARTS:
        problem = random_problem(seed, tmp_path)
        document = plan_document(plan_of(problem))
        if any(entry["outcome"] == "partly" for entry in document["requests"]):
            break
    whole = with_completion(problem, "whole")
    codes = {v.code for v in check_plan(problem.mission, whole.requests, document)}
    assert codes == {"bound"}


def test_only_satellites_that_a_request_names_image_it(tmp_path: Path) -> None:
    differing = 0
    for seed in range(40):
        problem = random_problem(seed, tmp_path)
        if len(problem.mission.satellites) < 2:
            continue
        named = tuple(replace(r, satellites=("sat-1",)) for r in problem.requests)
        bound = replace(problem, requests=named)
        document = checked(bound, plan_of(bound))
        assert {a["satellite"] for a in document["acquisitions"]} <= {"sat-1"}
        free = plan_document(plan_of(problem))
        if any(a["satellite"] == "sat-0" for a in free["acquisitions"]):
            codes = {v.code for v in check_plan(problem.mission, named, free)}
            assert "window" in codes
            differing += 1
        if differing == 2:
            return
    raise AssertionError("no problem in which both satellites image something")


def test_the_worth_of_acts_by_hand(tmp_path: Path) -> None:
    """Half a request is worth half, 0.6 + 0.1 x 0.2 / 0.5 = 0.64, or nothing of it."""
    for seed in IN_PARTS:
        given = given_of(random_problem(seed, tmp_path))
        strips = given.opportunities.strips
        if len(set(given.opportunities.strip) & {s.name for s in strips}) >= 1:
            break
    [strip, *_] = [s for s in strips if s.name in set(given.opportunities.strip)]
    row = int(np.flatnonzero(given.opportunities.strip == strip.name)[0])
    shares = dict.fromkeys(given.opportunities.strip.tolist(), 0.5)
    cases: list[tuple[Completion, float]] = [("linear", 0.5), (STEPS, 0.64), ("whole", 0.0)]
    for completion, expected in cases:
        requests = [replace(r, completion=completion) for r in given.requests]
        looks = looks_of(requests, given.opportunities, given.pointing, None)
        worth = worth_of(requests, looks, shares)
        whole = next(r.worth for r in requests if r.name == strip.request)
        assert worth.value([row]) == pytest.approx(expected * whole)
        assert worth.alone[row] == pytest.approx(0.5 * whole)
        assert worth.idle([row]) == ({row} if completion == "whole" else set())
        done = np.zeros(worth.rows, dtype=bool)
        done[row] = True
        goal = [r.name for r in requests].index(strip.request)
        assert worth.goal_worth(goal, done) == pytest.approx(expected * whole)


def test_the_value_of_a_document_is_not_taken_on_trust(tmp_path: Path) -> None:
    problem = with_completion(random_problem(IN_PARTS[0], tmp_path), STEPS)
    document = copy.deepcopy(checked(problem, plan_of(problem)))
    document["objective"]["value"] *= 1.001
    codes = {v.code for v in check_plan(problem.mission, problem.requests, document)}
    assert codes == {"bound"}
