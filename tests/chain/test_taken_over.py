"""A plan that begins in the middle of another knows what the camera did before."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from humay.chain import Flying, surveyed_again
from humay.check import check_plan
from humay.errors import PlanError
from humay.mission import ImagingLimit, OrbitLimit, Repeat, SunSynchronousOrbit, Thermal
from humay.time import parse_utc
from tests.chain.small import untold
from tests.chain.test_outcomes import after, next_plan, told
from tests.chain.test_replanning import HOUR, first_plan, idle_start
from tests.schedule.random_problems import START, Problem, random_problem


def limited(tmp_path: Path, **limits: Any) -> Problem:
    """A problem of a day whose satellites have limits of imaging."""
    found = random_problem(12, tmp_path)
    satellites = tuple(replace(each, **limits) for each in found.mission.satellites)
    mission = replace(found.mission, satellites=satellites)
    return replace(found, mission=mission, end=START + 12 * HOUR)


def imaged_s(plan: dict[str, Any], satellite: str) -> list[tuple[float, float]]:
    """When a satellite images, in seconds after START."""
    return [
        tuple((parse_utc(a[key]) - START).total_seconds() for key in ("start", "end"))  # type: ignore[misc]
        for a in plan["acquisitions"]
        if a["satellite"] == satellite
    ]


def test_sliding_limits_hold_over_the_seam_of_two_plans(tmp_path: Path) -> None:
    """Just so much in three hours as one plan needs: the next may not use it once more."""
    free = first_plan(limited(tmp_path))
    name = free["acquisitions"][0]["satellite"]
    first = imaged_s(free, name)[0]
    limit = ImagingLimit(seconds=round(1.2 * (first[1] - first[0]), 3), per_s=3 * 3600.0)
    problem = limited(tmp_path, imaging_limits=(limit,))
    old = first_plan(problem)
    entry = next(a for a in old["acquisitions"] if a["satellite"] == name)
    new = next_plan(problem, old, told(), after(problem, old, entry))
    assert new["previous"]["flown"][name]
    before = [span for span in imaged_s(old, name) if span[1] <= _start_s(new)]
    spans = sorted({*before, *imaged_s(new, name)})
    for _, end_s in spans:
        low_s = end_s - limit.per_s
        used_s = sum(max(0.0, min(b, end_s) - max(a, low_s)) for a, b in spans)
        assert used_s <= limit.seconds + 1e-4
    changed = copy.deepcopy(new)
    del changed["previous"]["flown"][name][0]
    codes = {v.code for v in check_plan(problem.mission, problem.requests, changed, old)}
    assert "previous" in codes


def _start_s(plan: dict[str, Any]) -> float:
    return (parse_utc(plan["start"]) - START).total_seconds()


def test_the_camera_is_as_warm_as_the_last_plan_left_it(tmp_path: Path) -> None:
    """It loses half its warmth in ln 2 time constants, whoever planned what warmed it."""
    thermal = Thermal(heating_k_s=0.01, time_constant_s=7200.0, limit_k=5.0, initial_k=1.0)
    limit = OrbitLimit(acquisitions=50)
    problem = limited(tmp_path, thermal=thermal, orbit_limit=limit)
    old = first_plan(problem)
    entry = old["acquisitions"][0]
    new = next_plan(problem, old, told(), after(problem, old, entry))
    name = entry["satellite"]
    warm_k = new["previous"]["state"][name]["camera_k"]
    assert new["resources"][name]["camera_k"][0] == pytest.approx(warm_k, abs=1e-3)
    curve = old["resources"][name]
    after_it = [k for k, t in enumerate(curve["time"]) if parse_utc(t) >= parse_utc(new["start"])]
    low, high = sorted(curve["camera_k"][after_it[0] - k] for k in (0, 1))
    assert low - 1e-3 <= warm_k <= high + 1e-3
    changed = copy.deepcopy(new)
    changed["previous"]["state"][name]["camera_k"] = 0.0
    codes = {v.code for v in check_plan(problem.mission, problem.requests, changed, old)}
    assert "previous" in codes


def test_looks_of_a_series_that_were_taken_are_not_taken_again(tmp_path: Path) -> None:
    problem = limited(tmp_path)
    series = Repeat(count=3, min_separation_h=8.0)
    requests = tuple(
        replace(r, repeat=series, stereo=None) if r.kind == "point" else r for r in problem.requests
    )
    problem = replace(problem, requests=requests)
    old = first_plan(problem)
    points = {r.name for r in requests if r.repeat is not None}
    entry = next(a for a in old["acquisitions"] if a["request"] in points)
    new = next_plan(problem, old, told(), after(problem, old, entry))
    begun = parse_utc(entry["start"])
    for other in new["acquisitions"]:
        if other["strip"] == entry["strip"]:
            assert parse_utc(other["start"]) - begun >= timedelta(hours=8)
    assert entry["strip"] in {each["strip"] for each in new["previous"]["imaged"]}


def test_a_plan_of_other_elements_is_refused_for_what_it_is(tmp_path: Path) -> None:
    problem = limited(tmp_path)
    old = first_plan(problem)
    satellites = []
    for each in problem.mission.satellites:
        assert isinstance(each.orbit, SunSynchronousOrbit)
        ahead = replace(each.orbit, phase_rad=each.orbit.phase_rad + 0.01)
        satellites.append(replace(each, orbit=ahead))
    mission = replace(problem.mission, satellites=tuple(satellites))
    start = idle_start(problem, Flying(document=old), START + HOUR)
    with pytest.raises(PlanError, match="other orbital elements"):
        surveyed_again(
            mission, problem.requests, Flying(document=old), start=start, end=problem.end,
            release=start, step=untold,
        )  # fmt: skip
