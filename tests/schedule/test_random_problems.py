"""700 random small missions: the checker, which shares no code with the planner, accepts every
plan, and no plan is worth more than the bound says is possible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from humay.check import check_plan, verdict
from humay.errors import PlanError
from humay.schedule import Effort, Plan, plan_document
from tests.schedule.random_problems import GREEDY, Problem, plan_of, random_problem

BATCHES, EACH = 28, 25
SEARCHED = Effort(iterations=2_000)


def plan_or_refusal(problem: Problem, effort: Effort = GREEDY) -> Plan | None:
    """The plan, or None where the battery cannot last without imaging; nothing else refuses."""
    try:
        return plan_of(problem, effort=effort)
    except PlanError as error:
        if "even without imaging" not in str(error):
            raise
        return None


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_plan_is_accepted_and_no_bound_beaten(batch: int, tmp_path: Path) -> None:
    planned = acquisitions = 0
    for seed in range(batch * EACH, (batch + 1) * EACH):
        problem = random_problem(seed, tmp_path)
        plan = plan_or_refusal(problem, SEARCHED if seed % 2 else GREEDY)
        if plan is None:
            continue
        document = plan_document(plan)
        violations = check_plan(problem.mission, problem.requests, document)
        assert not violations, f"seed {seed}: {verdict(violations)}"
        assert plan.value <= plan.bound + 1e-9, f"seed {seed}"
        planned += 1
        acquisitions += len(document["acquisitions"])
    assert planned > 0.8 * EACH
    assert acquisitions > EACH // 4  # enough to judge by


@pytest.mark.slow
def test_the_bound_holds_for_plans_made_in_any_order_of_priority(tmp_path: Path) -> None:
    """The bound knows what requests are worth alone, so it must hold for plans that serve others
    first."""
    differing = 0
    for seed in range(1000, 1040):
        problem = random_problem(seed, tmp_path)
        if len(problem.requests) < 3:
            continue
        plan = plan_or_refusal(problem)
        if plan is None:
            continue
        turned = tuple(
            replace(r, priority=11 - r.priority, weight=r.worth * 2.0 ** (r.priority - 6))
            for r in problem.requests
        )
        assert [r.worth for r in turned] == [r.worth for r in problem.requests]
        other = plan_of(replace(problem, requests=turned))
        assert other.bound == pytest.approx(plan.bound, abs=1e-6)
        assert max(plan.value, other.value) <= min(plan.bound, other.bound) + 1e-6
        differing += plan.value != other.value
    assert differing > 3
