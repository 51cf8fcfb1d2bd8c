"""The relaxed problem behind the bound: whatever a plan does is a solution of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from humay.schedule import Effort, Plan
from humay.schedule.commands import soonest_command_s
from humay.schedule.core import Solution, upper_bound, value, violations
from humay.schedule.ground import downlink_rate
from humay.schedule.relaxed import LIMITS, Reach, better_proof, relaxed_problem
from tests.schedule.random_problems import plan_of, random_problem
from tests.schedule.test_random_problems import plan_or_refusal

SEARCHED = Effort(iterations=2_000)


def reach_of(plan: Plan) -> Reach:
    given, release_s = plan.given, plan.given.opportunities.epoch.seconds(plan.release)
    return Reach(
        opportunities=given.opportunities,
        pointing=given.pointing,
        lanes={name: part.lane for name, part in plan.satellites.items()},
        ready_s={
            s.name: soonest_command_s(s, given.mission, given.contacts, release_s)
            for s in given.mission.satellites
        },
        contacts=given.contacts,
        rates_bit_s={
            (s.name, station.name): downlink_rate(s, station)
            for s in given.mission.satellites
            for station in given.mission.stations
        },
    )


def done_by(plan: Plan) -> dict[int, float]:
    """Opportunities of the plan's acts, and when they begin."""
    return {act.row: act.start_s for part in plan.satellites.values() for act in part.acts}


@pytest.mark.parametrize("first", range(0, 16, 8))
def test_every_plan_is_a_solution_of_its_relaxed_problem(first: int, tmp_path: Path) -> None:
    """As it stands, and with all that it does fixed; then nothing better is proved possible than
    what can stand beside it."""
    solved = 0
    for seed in range(first, first + 8):
        plan = plan_or_refusal(random_problem(seed, tmp_path), SEARCHED)
        if plan is None or not len(plan.given.opportunities):
            continue
        starts, reach = done_by(plan), reach_of(plan)
        fixed = replace(reach, fixed_s=starts)
        free, held = (relaxed_problem(each, plan.worth) for each in (reach, fixed))
        for problem, of in ((free, reach), (held, fixed)):
            rows = _rows(plan, of)
            chosen = np.flatnonzero(np.isin(rows, list(starts)))
            times = np.array([starts[row] for row in rows[chosen].tolist()], dtype=np.float64)
            order = np.lexsort((times, problem.lane[chosen]))
            solution = Solution(candidates=chosen[order], start_s=times[order])
            assert violations(problem, solution) == []
            assert value(problem, solution) == pytest.approx(plan.value)
            assert upper_bound(problem, rounds=20) >= plan.value
        assert np.sum(held.fixed) == len(starts)
        solved += len(starts)
    assert solved > 3


def _rows(plan: Plan, reach: Reach) -> np.ndarray:
    """The opportunity of each candidate: those with a start, in their order."""
    o = plan.given.opportunities
    ready_s = np.array([reach.ready_s[str(name)] for name in o.satellite])
    usable = np.maximum(o.plan_start_s, ready_s) <= o.plan_end_s
    usable[list(reach.fixed_s)] = True
    return np.flatnonzero(usable & np.array([p is not None for p in reach.pointing], dtype=bool))


def test_the_lesser_bound_is_told_with_what_it_keeps(tmp_path: Path) -> None:
    plan = plan_of(random_problem(3, tmp_path))
    problem = relaxed_problem(reach_of(plan), plan.worth)
    found = upper_bound(problem)
    above, below = better_proof(found + 1.0, problem), better_proof(found - 1.0, problem)
    assert above.bound == pytest.approx(found)
    assert below.bound == found - 1.0
    assert set(above.kept) - set(below.kept) == {"slew"}
    for proof in (above, below):
        assert sorted((*proof.kept, *proof.relaxed)) == sorted(LIMITS)
