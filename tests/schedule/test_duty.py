"""Limits from node to node, a camera that warms: by hand, by other means, in whole plans."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.access import Timeline
from humay.check import check_plan, verdict
from humay.errors import MissionError
from humay.mission import OrbitLimit, Thermal
from humay.schedule import Effort, plan_document
from humay.schedule.duty import orbit_budgets, orbits_of, warmth_k
from humay.time import Epoch
from tests.schedule.random_problems import Problem, plan_of, random_problem
from tests.schedule.test_random_problems import plan_or_refusal

WARM = Thermal(heating_k_s=0.05, time_constant_s=1800.0, limit_k=15.0, initial_k=4.0)


def timeline_with(nodes_s: list[float]) -> Timeline:
    zeros = np.zeros((1, 4))
    return Timeline(
        satellite="s", epoch=Epoch(datetime(2026, 6, 1, tzinfo=UTC)), t_s=np.zeros(1),
        r_gcrf_m=zeros[:, :3], nadir_attitude=zeros, sun_gcrf=zeros[:, :3], moon_gcrf=zeros[:, :3],
        irradiance_w_m2=np.zeros(1), lonlat_deg=zeros[:, :2], eclipse_s=np.zeros((0, 2)),
        node_s=np.array(nodes_s), orbit_epoch_s=0.0,
        node_orbit=np.arange(100.0, 100.0 + len(nodes_s), dtype=np.float64),
        inertial_speed_m_s=7500.0,
    )  # fmt: skip


def test_a_minute_of_imaging_warms_by_what_the_formula_says() -> None:
    """From 4 K, after 600 s of rest and 60 s of imaging: 4 exp(-1/3) = 2.8661 K, then
    90 + (2.8661 - 90) exp(-1/30) = 5.7227 K, and half of it 1800 ln 2 = 1247.7 s later."""
    t_s = np.array([0.0, 600.0, 660.0, 660.0 + 1800.0 * math.log(2.0)])
    found = warmth_k(WARM, np.array([600.0]), np.array([660.0]), t_s, 0.0)
    assert found == pytest.approx([4.0, 2.8661, 5.7227, 2.8614], abs=1e-4)


def test_the_longest_strip_of_a_camera_a_tenth_warm_ends_at_the_limit() -> None:
    camera = replace(WARM, initial_k=1.5)
    longest_s = camera.longest_s
    at_end = warmth_k(camera, np.zeros(1), np.array([longest_s]), np.array([longest_s]), 0.0)
    assert float(at_end[0]) == pytest.approx(15.0, abs=1e-9)
    assert replace(WARM, limit_k=90.0).longest_s == math.inf


@given(
    gaps=st.lists(st.tuples(st.floats(0, 3000), st.floats(0.1, 300)), min_size=1, max_size=8),
    tau_s=st.floats(30, 10_000),
)
@settings(max_examples=50, deadline=None)
def test_the_warmth_is_that_of_small_steps(gaps: list[tuple[float, float]], tau_s: float) -> None:
    camera = replace(WARM, time_constant_s=tau_s)
    edges = np.cumsum(np.ravel(gaps))
    starts, ends = edges[::2], edges[1::2]
    warm, now = camera.initial_k, 0.0
    for start_s, end_s in zip(starts, ends, strict=True):
        for until_s, heating in ((start_s, 0.0), (end_s, camera.heating_k_s)):
            steps = max(1, math.ceil((until_s - now) / (tau_s / 500)))
            h = (until_s - now) / steps
            for _ in range(steps):  # midpoint rule
                half = warm + 0.5 * h * (heating - warm / tau_s)
                warm += h * (heating - half / tau_s)
            now = until_s
    found = warmth_k(camera, starts, ends, ends[-1:], 0.0)
    assert float(found[0]) == pytest.approx(warm, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OrbitLimit(), "neither imaging_s nor acquisitions"),
        (lambda: OrbitLimit(imaging_s=0.0), "imaging_s is 0.0"),
        (lambda: OrbitLimit(acquisitions=0), "acquisitions is 0"),
        (lambda: replace(WARM, initial_k=15.1), "expected at most limit_k (15)"),
        (lambda: replace(WARM, heating_k_s=math.inf), "heating_k_s is inf"),
        (lambda: replace(WARM, time_constant_s=0.0), "time_constant_s is 0.0"),
    ],
)
def test_limits_that_cannot_hold_are_refused(make: Any, message: str) -> None:
    with pytest.raises(MissionError) as caught:
        make()
    assert message in str(caught.value)


def test_only_candidates_that_lie_in_one_orbit_whole_count_in_it() -> None:
    timeline = timeline_with([0.0, 6000.0])
    assert orbits_of(timeline, np.array([-1.0, 0.0, 5999.0, 6000.0])).tolist() == [0, 1, 1, 2]
    low = np.array([100.0, 5900.0, 5990.0, 6100.0])
    high, duration = low + 50.0, np.array([20.0, 30.0, 30.0, 40.0])
    limit = OrbitLimit(imaging_s=45.0, acquisitions=1)
    found = orbit_budgets(limit, timeline, np.array([7, 8, 9, 4]), low, high, duration)
    told = [(b.candidates.tolist(), b.use.tolist(), b.most) for b in found]
    assert told == [([7, 8], [1.0, 1.0], 1.0), ([7, 8], [20.0, 30.0], 45.0)]


def with_limits(problem: Problem, **limits: Any) -> Problem:
    satellites = tuple(replace(s, **limits) for s in problem.mission.satellites)
    return replace(problem, mission=replace(problem.mission, satellites=satellites))


@pytest.mark.parametrize(
    "limits",
    [
        {"orbit_limit": OrbitLimit(acquisitions=1)},
        {"orbit_limit": OrbitLimit(imaging_s=12.0)},
        {"thermal": Thermal(heating_k_s=0.5, time_constant_s=900.0, limit_k=4.0)},
    ],
)
def test_a_plan_keeps_limits_that_another_breaks(limits: dict[str, Any], tmp_path: Path) -> None:
    free = random_problem(113, tmp_path)
    tight = with_limits(free, **limits)
    careless, careful = plan_of(free), plan_of(tight, effort=Effort(iterations=2_000))
    broken = check_plan(tight.mission, free.requests, plan_document(careless))
    broken = [v for v in broken if "camera_k" not in v.where]
    assert {v.code for v in broken} == {"imaging_time"}
    document = plan_document(careful)
    assert verdict(check_plan(tight.mission, free.requests, document)) == "valid"
    assert 0 < careful.value < careless.value
    reasons = {r["reason"]["code"] for r in document["requests"] if r["reason"]}
    assert "imaging_time" in reasons


@pytest.mark.slow
def test_every_plan_within_the_duty_of_its_cameras_is_accepted(tmp_path: Path) -> None:
    acquisitions = 0
    for seed in range(40):
        lots = np.random.default_rng([seed, 8])
        thermal = Thermal(
            heating_k_s=float(lots.uniform(0.01, 0.5)),
            time_constant_s=float(lots.uniform(100, 5000)),
            limit_k=float(lots.uniform(2, 20)),
            initial_k=float(lots.uniform(0, 2)),
        )
        limit = OrbitLimit(
            imaging_s=float(lots.uniform(5, 100)), acquisitions=int(lots.integers(1, 4))
        )
        problem = with_limits(random_problem(seed, tmp_path), orbit_limit=limit, thermal=thermal)
        plan = plan_or_refusal(problem, Effort(iterations=2_000 * (seed % 2)))
        if plan is None:
            continue
        violations = check_plan(problem.mission, problem.requests, plan_document(plan))
        assert not violations, f"seed {seed}: {verdict(violations)}"
        acquisitions += sum(len(part.acts) for part in plan.satellites.values())
    assert acquisitions > 10
