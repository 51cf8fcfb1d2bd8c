"""Several looks at one place: stereo sets, series and monitoring, planned and checked."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from humay.access import find_opportunities, find_stereo
from humay.arrays import norm, unit
from humay.check import check_plan, verdict
from humay.earth import ellipsoid_normal, itrf_from_geodetic
from humay.mission import PairLimits, Repeat, Request, StereoLimits
from humay.orbit import ephemerides
from humay.schedule import Effort, Plan, plan_document
from humay.schedule.looks import _boxes
from tests.schedule.random_problems import (
    GREEDY,
    START,
    Problem,
    plan_of,
    random_problem,
)
from tests.schedule.test_random_problems import plan_or_refusal

SEARCHED = Effort(iterations=2_000)
PAIR = StereoLimits(
    min_convergence_rad=math.radians(10), max_convergence_rad=math.radians(40),
    max_asymmetry_rad=math.radians(30), min_overlap=0.5,
)  # fmt: skip
THREE = StereoLimits(
    looks=3, min_convergence_rad=math.radians(10), max_middle_pitch_rad=math.radians(10),
    neighbours=PairLimits(min_convergence_rad=math.radians(4)),
)  # fmt: skip
MONITORING = Repeat(count=3, min_separation_h=1.0)
SERIES = Repeat(count=3, every_h=1.6, min_separation_h=0.5)
SEEDS = {"pair": (1, 2, 6), "three": (1, 2, 4), "monitoring": (1, 2, 4), "series": (1, 2, 10)}


def asks(kind: str) -> Callable[[Request], Request]:
    """The same request for several looks."""
    return {
        "pair": lambda r: replace(r, stereo=PAIR),
        "three": lambda r: replace(r, stereo=THREE),
        "monitoring": lambda r: replace(r, repeat=MONITORING),
        "series": lambda r: replace(r, start=START, end=None, repeat=SERIES),
    }[kind]


def problem_of(kind: str, seed: int, folder: Path) -> Problem:
    problem = random_problem(seed, folder)
    return replace(problem, requests=tuple(asks(kind)(r) for r in problem.requests))


def checked(problem: Problem, plan: Plan) -> dict[str, Any]:
    document = plan_document(plan)
    violations = check_plan(problem.mission, problem.requests, document)
    assert not violations, verdict(violations)
    assert plan.value <= plan.bound + 1e-9
    return document


def starts(document: dict[str, Any], strip: dict[str, Any]) -> list[datetime]:
    of = {a["id"]: datetime.fromisoformat(a["start"]) for a in document["acquisitions"]}
    return [of[name] for name in strip["acquisitions"]]


def strips(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [strip for entry in document["requests"] for strip in entry["strips"]]


@pytest.mark.parametrize("effort", [GREEDY, SEARCHED], ids=["greedy", "searched"])
@pytest.mark.parametrize("kind", SEEDS)
def test_plans_of_several_looks_hold_and_count_what_they_look_at(
    kind: str, effort: Effort, tmp_path: Path
) -> None:
    looks = 0
    for seed in SEEDS[kind]:
        problem = problem_of(kind, seed, tmp_path)
        document = checked(problem, plan_of(problem, effort=effort))
        for request, entry in zip(problem.requests, document["requests"], strict=True):
            wanted = request.stereo.looks if request.stereo else MONITORING.count
            counts = [len(strip["acquisitions"]) for strip in entry["strips"]]
            parts = [n // wanted if request.stereo else n / wanted for n in counts]
            by_hand = sum(s["share"] * n for s, n in zip(entry["strips"], parts, strict=True))
            assert entry["fraction"] == pytest.approx(by_hand, abs=1e-8)
            assert request.stereo is None or set(counts) <= {0, wanted}
            looks += sum(counts)
    assert looks > 6


def test_looks_of_monitoring_begin_apart_and_a_plan_with_less_is_refused(tmp_path: Path) -> None:
    problem = problem_of("monitoring", 1, tmp_path)
    document = checked(problem, plan_of(problem))
    times = [starts(document, strip) for strip in strips(document)]
    gaps_h = [(b - a).total_seconds() / 3600 for own in times for a, b in pairwise(own)]
    assert gaps_h
    assert min(gaps_h) >= 1.0
    wider = Repeat(count=3, min_separation_h=max(gaps_h) + 0.01)
    requests = tuple(replace(r, repeat=wider) for r in problem.requests)
    assert {v.code for v in check_plan(problem.mission, requests, document)} == {"looks"}
    fewer = tuple(replace(r, repeat=replace(MONITORING, count=2)) for r in problem.requests)
    assert "coverage" in {v.code for v in check_plan(problem.mission, fewer, document)}


def test_looks_of_a_series_lie_in_slots_of_their_own(tmp_path: Path) -> None:
    problem = problem_of("series", 1, tmp_path)
    document = checked(problem, plan_of(problem, effort=SEARCHED))
    slots = [
        [(t - START).total_seconds() / 3600 // 1.6 for t in starts(document, strip)]
        for strip in strips(document)
    ]
    assert max(map(len, slots)) > 1
    assert all(len(set(own)) == len(own) and max(own, default=0) < 3 for own in slots)
    short = replace(SERIES, within_h=0.02)
    requests = tuple(replace(r, repeat=short) for r in problem.requests)
    assert "looks" in {v.code for v in check_plan(problem.mission, requests, document)}


@pytest.mark.parametrize("kind", ["monitoring", "series"])
def test_all_looks_or_none_where_the_whole_is_asked_for(kind: str, tmp_path: Path) -> None:
    for seed in SEEDS[kind]:
        problem = problem_of(kind, seed, tmp_path)
        whole = tuple(replace(r, completion="whole") for r in problem.requests)
        problem = replace(problem, requests=whole)
        document = checked(problem, plan_of(problem, effort=SEARCHED))
        assert "partly" not in {entry["outcome"] for entry in document["requests"]}


STRICTER: dict[str, dict[str, Any]] = {
    "convergence": {"min_convergence_rad": math.radians(39.9)},
    "asymmetry": {"max_asymmetry_rad": math.radians(1e-4)},
    "bisector": {"min_bisector_elevation_rad": math.radians(89.99)},
    "overlap": {"min_overlap": 0.9999},
    "sun": {"max_sun_change_rad": 1e-6},
    "time": {"max_separation_s": 1.0},
}


@pytest.mark.parametrize("what", STRICTER)
def test_the_check_derives_each_condition_of_a_pair_anew(what: str, tmp_path: Path) -> None:
    problem = problem_of("pair", 1, tmp_path)
    document = checked(problem, plan_of(problem))
    stricter = tuple(replace(r, stereo=replace(PAIR, **STRICTER[what])) for r in problem.requests)
    found = check_plan(problem.mission, stricter, document)
    assert {v.code for v in found} == {"looks"}


def test_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    problem = problem_of("pair", 2, tmp_path)
    document = copy.deepcopy(checked(problem, plan_of(problem)))
    strip = next(s for s in strips(document) if s["acquisitions"])
    del strip["acquisitions"][1]
    codes = {v.code for v in check_plan(problem.mission, problem.requests, document)}
    assert {"looks", "coverage", "bound", "span"} <= codes


def test_every_start_in_a_box_goes_with_every_start_in_its_others(tmp_path: Path) -> None:
    """Convergence and asymmetry from positions on the orbit alone, at 200 starts in each box."""
    problem = problem_of("pair", 2, tmp_path)
    mission, end = problem.mission, problem.end
    orbits = ephemerides(mission, START, end)
    found = find_opportunities(mission, problem.requests, start=START, end=end, orbits=orbits)
    sets = find_stereo(found, mission, problem.requests, orbits)
    points = {r.name: r for r in problem.requests if r.kind == "point"}
    rng, boxes = np.random.default_rng(1), 0
    for number in range(len(sets)):
        if sets.request[number] not in points:
            continue
        place = points[sets.request[number]]
        lon, lat = np.radians([place.geometry.x, place.geometry.y])
        at = itrf_from_geodetic(lon, lat, np.array(place.height_m))
        up = ellipsoid_normal(lon, lat)
        for box in _boxes(sets, number):
            t_s = box[:, :1] + (box[:, 1:] - box[:, :1]) * rng.random((2, 200))
            u, v = (
                unit(orbits[sets.satellite[number, i]].position_itrf(t) - at)
                for i, t in zip((0, 2), t_s, strict=True)
            )
            turn = 2 * np.arctan2(norm(u - v), norm(u + v))
            assert np.all((turn >= PAIR.min_convergence_rad) & (turn <= PAIR.max_convergence_rad))
            lean, rise = np.abs(unit(u - v) @ up), unit(u + v) @ up
            assert np.all(np.arctan2(lean, rise) <= PAIR.max_asymmetry_rad)
            boxes += 1
    assert boxes > 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEEDS)
def test_many_random_problems_of_several_looks_hold(kind: str, tmp_path: Path) -> None:
    looks = 0
    for seed in range(100, 120):
        problem = problem_of(kind, seed, tmp_path)
        plan = plan_or_refusal(problem, SEARCHED if seed % 2 else GREEDY)
        if plan is not None:
            looks += len(checked(problem, plan)["acquisitions"])
    assert looks > 10
