"""Turns limited axis by axis and by wheels: times by hand, limits along any slew, whole plans."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray, norm, unit
from humay.check import check_plan, verdict
from humay.errors import MissionError
from humay.frames import quaternion_from_rotation_vector
from humay.mission import AxisLimits, Wheels
from humay.schedule import Effort, plan_document
from humay.schedule.slews import Agility, State, fly, slew_phases, slew_time
from tests.schedule.random_problems import Problem, plan_of, random_problem
from tests.schedule.test_random_problems import plan_or_refusal

WHEELS = Wheels(inertia_kg_m2=(100.0, 200.0, 150.0), momentum_n_m_s=10.0, torque_n_m=1.0)
AXES = AxisLimits(
    rate_rad_s=(math.radians(3.0), math.radians(1.0), math.radians(0.5)),
    acceleration_rad_s2=(math.radians(0.5), math.radians(0.25), math.radians(0.1)),
)
LOOSE = Agility(rate_rad_s=1.5, acceleration_rad_s2=1.5)


def at_rest(turn: FloatArray) -> State:
    return State(attitude=quaternion_from_rotation_vector(turn), rate_rad_s=np.zeros(3))


@pytest.mark.parametrize(
    ("agility", "turn", "seconds"),
    [
        # h / I = 0.1 rad/s and t / I = 0.01 rad/s2 about x: 1 / 0.1 + 0.1 / 0.01
        (replace(LOOSE, wheels=WHEELS), [1.0, 0.0, 0.0], 20.0),
        # 0.05 and 0.005 about y: 1 / 0.05 + 0.05 / 0.005
        (replace(LOOSE, wheels=WHEELS), [0.0, -1.0, 0.0], 30.0),
        # |I e| = (60, 160, 0) = 170.88: h 0.058521, t 0.0058521: 1 / 0.058521 + 10
        (replace(LOOSE, wheels=WHEELS), [0.6, 0.8, 0.0], 27.088),
        # 30 deg at 3 deg/s and 0.5 deg/s2: 10 + 6
        (replace(LOOSE, axis_limits=AXES), [math.radians(30), 0.0, 0.0], 16.0),
        # 10 deg of yaw at 0.5 and 0.1: 20 + 5
        (replace(LOOSE, axis_limits=AXES), [0.0, 0.0, math.radians(10)], 25.0),
        # 30 deg of roll with 40 deg of yaw: yaw takes 80 + 5, and roll has time enough
        (
            replace(LOOSE, axis_limits=AXES),
            [math.radians(30), 0.0, math.radians(40)],
            85.0,
        ),
        # the satellite's own 0.02 rad/s and 0.01 rad/s2 are less: 50 + 2
        (
            Agility(rate_rad_s=0.02, acceleration_rad_s2=0.01, wheels=WHEELS),
            [1.0, 0.0, 0.0],
            52.0,
        ),
    ],
)
def test_a_turn_takes_what_its_axis_allows(
    agility: Agility, turn: list[float], seconds: float
) -> None:
    found = slew_time(at_rest(np.zeros(3)), at_rest(np.array(turn)), agility)
    assert float(found) == pytest.approx(seconds, abs=2e-3)


vectors = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: float(v @ v) > 0.01)


@given(axis=vectors, angle=st.floats(0, 3.1), before=vectors, after=vectors, slack=st.floats(0, 90))
@settings(max_examples=60, deadline=None)
def test_no_slew_uses_more_than_axes_and_wheels_have(
    axis: FloatArray, angle: float, before: FloatArray, after: FloatArray, slack: float
) -> None:
    agility = replace(LOOSE, axis_limits=AXES, wheels=WHEELS)
    slow = 0.002  # rad/s, within every limit
    start = State(attitude=np.array([0.0, 0.0, 0.0, 1.0]), rate_rad_s=slow * unit(before))
    end = State(
        attitude=quaternion_from_rotation_vector(angle * unit(axis)), rate_rad_s=slow * unit(after)
    )
    seconds = float(slew_time(start, end, agility)) + slack
    phases = slew_phases(start, end, agility, seconds)
    inertia, rate = np.array(WHEELS.inertia_kg_m2), np.array(start.rate_rad_s)
    for phase in phases:
        a = phase.acceleration_rad_s2
        rate = rate + a * phase.duration_s
        assert np.all(np.abs(a) <= np.array(AXES.acceleration_rad_s2) * (1 + 1e-9))
        assert np.all(np.abs(rate) <= np.array(AXES.rate_rad_s) * (1 + 1e-9))
        assert norm(inertia * a) <= WHEELS.torque_n_m * (1 + 1e-9)
        assert norm(inertia * rate) <= WHEELS.momentum_n_m_s * (1 + 1e-9)
    assert np.allclose(rate, end.rate_rad_s, rtol=0, atol=1e-12)
    arrived = fly(start, phases, np.array([seconds]))[0]
    assert abs(float(arrived @ end.attitude)) == pytest.approx(1.0, abs=1e-9)


@given(axis=vectors)
def test_no_axis_turns_faster_than_the_best_of_all(axis: FloatArray) -> None:
    agility = replace(LOOSE, axis_limits=AXES, wheels=WHEELS)
    rate, acceleration = agility.at_best()
    assert float(agility.fastest(axis)) <= rate + 1e-12
    assert float(agility.hardest(axis)) <= acceleration + 1e-12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AxisLimits(), "neither rate_deg_s nor acceleration_deg_s2"),
        (lambda: AxisLimits(rate_rad_s=(0.1, 0.0, 0.1)), "expected a list of three numbers, more"),
        (lambda: AxisLimits(rate_rad_s=(0.1, 2.0, 0.1)), "at most 90 each in rate_deg_s"),
        (lambda: replace(WHEELS, inertia_kg_m2=(1.0, -1.0, 1.0)), "inertia_kg_m2 is"),
        (lambda: replace(WHEELS, inertia_kg_m2=(1.0, math.nan, 1.0)), "inertia_kg_m2 is"),
        (lambda: replace(WHEELS, torque_n_m=0.0), "torque_n_m is 0.0, expected a number more"),
    ],
)
def test_what_nothing_could_turn_is_refused(make: Any, message: str) -> None:
    with pytest.raises(MissionError) as caught:
        make()
    assert message in str(caught.value)


def with_limits(problem: Problem, **limits: Any) -> Problem:
    satellites = tuple(replace(s, **limits) for s in problem.mission.satellites)
    return replace(problem, mission=replace(problem.mission, satellites=satellites))


@pytest.mark.parametrize(
    "limits",
    [
        {"wheels": replace(WHEELS, momentum_n_m_s=2.0, torque_n_m=0.5)},
        {"axis_limits": AxisLimits(rate_rad_s=(0.02, 0.005, 0.01))},
        {"axis_limits": AxisLimits(acceleration_rad_s2=(0.002, 0.001, 0.002))},
    ],
)
def test_a_plan_turns_within_limits_that_another_breaks(
    limits: dict[str, Any], tmp_path: Path
) -> None:
    free = random_problem(113, tmp_path)
    tight = with_limits(free, **limits)
    broken = check_plan(tight.mission, free.requests, plan_document(plan_of(free)))
    assert {v.code for v in broken} == {"slew"}
    document = plan_document(plan_of(tight, effort=Effort(iterations=2_000)))
    assert verdict(check_plan(tight.mission, free.requests, document)) == "valid"
    assert document["acquisitions"]


@pytest.mark.slow
def test_every_plan_within_axes_and_wheels_is_accepted(tmp_path: Path) -> None:
    acquisitions = 0
    for seed in range(40):
        lots = np.random.default_rng([seed, 9])

        def three(low: float, high: float, lots: Any = lots) -> tuple[float, float, float]:
            x, y, z = lots.uniform(low, high, 3).tolist()
            return x, y, z

        problem = with_limits(
            random_problem(seed, tmp_path),
            axis_limits=AxisLimits(
                rate_rad_s=three(0.005, 0.05), acceleration_rad_s2=three(0.002, 0.02)
            ),
            wheels=Wheels(
                inertia_kg_m2=three(50, 300),
                momentum_n_m_s=float(lots.uniform(1, 15)),
                torque_n_m=float(lots.uniform(0.1, 2)),
            ),
        )
        plan = plan_or_refusal(problem, Effort(iterations=2_000 * (seed % 2)))
        if plan is None:
            continue
        violations = check_plan(problem.mission, problem.requests, plan_document(plan))
        assert not violations, f"seed {seed}: {verdict(violations)}"
        acquisitions += sum(len(part.acts) for part in plan.satellites.values())
    assert acquisitions > 10
