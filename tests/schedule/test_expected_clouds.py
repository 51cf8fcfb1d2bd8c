"""Looks that count with their chance of being clear, attempts, and how the check sees them."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.check import check_plan, verdict
from humay.errors import MissionError
from humay.mission import CloudModel, Objective
from humay.schedule import Effort, Plan, plan_document
from humay.schedule.chances import chance_of_all
from tests.schedule.random_problems import GREEDY, Problem, plan_of, random_problem

SEARCHED = Effort(iterations=2_000)
SEEDS = (1, 6, 45, 50)


def clouded(seed: int, folder: Path, **asked: Any) -> Problem:
    """A random problem under clouds that differ from one cell of half a degree to the next."""
    problem = random_problem(seed, folder)
    cells = np.random.default_rng([seed, 2]).uniform(0.1, 0.9, size=(1, 360, 720))
    clouds = CloudModel(
        path=Path("clouds.tif"), probabilities=cells.astype(np.float32), west_deg=-180.0,
        north_deg=90.0, cell_lon_deg=0.5, cell_lat_deg=0.5,
    )  # fmt: skip
    mission = replace(problem.mission, clouds=clouds, objective=Objective(clouds="expected"))
    requests = tuple(replace(r, **asked) for r in problem.requests)
    return replace(problem, mission=mission, requests=requests)


def checked(problem: Problem, plan: Plan) -> dict[str, Any]:
    document = plan_document(plan)
    violations = check_plan(problem.mission, problem.requests, document)
    assert not violations, verdict(violations)
    assert plan.value <= plan.bound + 1e-9
    return document


def expected_by_hand(document: dict[str, Any], entry: dict[str, Any]) -> float:
    """Share of each strip times 1 - the product of its looks' probabilities of clouds."""
    cloudy = {a["id"]: a["cloud_probability"] for a in document["acquisitions"]}
    return math.fsum(
        strip["share"] * (1 - math.prod(cloudy[name] for name in strip["acquisitions"]))
        for strip in entry["strips"]
    )


@pytest.mark.parametrize("effort", [GREEDY, SEARCHED], ids=["greedy", "searched"])
def test_requests_count_with_the_chance_of_their_attempts(effort: Effort, tmp_path: Path) -> None:
    most = 0
    for seed in SEEDS:
        problem = clouded(seed, tmp_path)
        document = checked(problem, plan := plan_of(problem, effort=effort))
        total = 0.0
        for request, entry in zip(problem.requests, document["requests"], strict=True):
            by_hand = request.worth * expected_by_hand(document, entry)
            assert entry["worth"]["whole"] == pytest.approx(request.worth)
            assert entry["worth"]["expected"] == pytest.approx(by_hand, abs=1e-5)
            total += by_hand
            most = max([most, *(len(strip["acquisitions"]) for strip in entry["strips"])])
        assert plan.value == pytest.approx(total, abs=1e-4)
    assert most > 1


def test_no_more_attempts_are_made_than_asked_for_and_so_many_or_none(tmp_path: Path) -> None:
    for asked, counts in (({"attempts": 1}, {0, 1}), ({"min_attempts": 3}, {0, 3})):
        problem = clouded(50, tmp_path, **asked)
        document = checked(problem, plan_of(problem, effort=SEARCHED))
        strips = [strip for entry in document["requests"] for strip in entry["strips"]]
        assert {len(strip["acquisitions"]) for strip in strips} <= counts
    free = plan_document(plan_of(clouded(50, tmp_path)))
    only_one = clouded(50, tmp_path, attempts=1)
    assert "looks" in {v.code for v in check_plan(only_one.mission, only_one.requests, free)}


def sunny(document: dict[str, Any]) -> None:
    document["acquisitions"][0]["cloud_probability"] = 0.0


def unsaid(document: dict[str, Any]) -> None:
    del document["acquisitions"][0]["cloud_probability"]


def of_another_day(document: dict[str, Any]) -> None:
    document["acquisitions"][0]["cloud_time"] = "2026-06-02T00:00:00Z"


def hoped_for(document: dict[str, Any]) -> None:
    document["requests"][0]["worth"]["expected"] += 0.1


@pytest.mark.parametrize("spoil", [sunny, unsaid, of_another_day, hoped_for])
def test_the_check_reads_the_clouds_itself(spoil: Any, tmp_path: Path) -> None:
    problem = clouded(1, tmp_path)
    document = copy.deepcopy(checked(problem, plan_of(problem)))
    spoil(document)
    found = check_plan(problem.mission, problem.requests, document)
    assert "looks" in {v.code for v in found}
    assert {v.code for v in found} <= {"looks", "bound"}


def test_clouds_that_count_need_a_raster(tmp_path: Path) -> None:
    mission = random_problem(1, tmp_path).mission
    with pytest.raises(MissionError, match="expected a raster"):
        replace(mission, objective=Objective(clouds="expected"))
    with pytest.raises(MissionError, match="clouds is 'maybe'"):
        Objective(clouds="maybe")  # type: ignore[arg-type]  # what a file may say


@pytest.mark.parametrize(
    ("clear", "at_h", "expected"),
    [
        ([0.5, 0.4], [0.0, 0.1], 0.4),  # of one pass: the same clouds
        ([0.5, 0.4], [0.0, 24.0], 0.2),
        ([0.5, 0.4, 0.3], [24.0, 0.0, 24.1], 0.12),
        ([1.0], [0.0], 1.0),
    ],
)
def test_looks_of_one_pass_share_their_clouds(
    clear: Sequence[float], at_h: Sequence[float], expected: float
) -> None:
    at_s: FloatArray = 3600.0 * np.array(at_h)
    assert chance_of_all(np.array(clear), at_s) == pytest.approx(expected)
