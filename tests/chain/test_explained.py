"""What became of a request in a plan that follows another."""

from __future__ import annotations

from pathlib import Path

import pytest

from humay.chain import Flying, planned, surveyed_again
from humay.schedule import Explanation, Plan, explain_request
from humay.schedule import explain as explaining
from tests.chain.small import untold
from tests.chain.test_replanning import GREEDY, HOUR, first_plan
from tests.schedule.random_problems import START, random_problem


def explained(
    seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Plan, list[Explanation], list[Explanation]]:
    """A plan behind another, every request of it, with and without all goals refilled."""
    problem = random_problem(seed, folder)
    flying = Flying(document=first_plan(problem), frozen_until=START + HOUR)
    plans: list[Plan] = []
    again = surveyed_again(
        problem.mission, problem.requests, flying, start=START, end=problem.end,
        release=START, step=untold,
    )  # fmt: skip
    planned(
        again.mission, again.requests, again.found, start=START, end=problem.end, release=START,
        seed=1, step=untold, effort=GREEDY, previous=again.previous, look=plans.append,
    )  # fmt: skip
    (plan,) = plans
    names = [request.name for request in again.requests]
    local = [explain_request(plan, name) for name in names]
    goals = frozenset(range(len(plan.worth.requests)))
    monkeypatch.setattr(explaining, "_competing", lambda *_: goals)
    return plan, local, [explain_request(plan, name) for name in names]


@pytest.mark.parametrize("seed", [12, 23])
def test_refilling_only_what_competes_finds_what_refilling_everything_does(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, local, whole = explained(seed, tmp_path, monkeypatch)
    assert plan.held.previous is not None
    for one, other in zip(local, whole, strict=True):
        assert (one.trials, one.ways) == (other.trials, other.ways)
        nets = [
            [None if w.best is None else round(w.best.net, 9) for w in each.windows]
            for each in (one, other)
        ]
        assert nets[0] == nets[1]
    displacing = {
        strip
        for each in local
        for w in each.windows
        if w.best is not None
        for strip in w.best.strips
    }
    frozen = {promise.strip for promise, _ in plan.held.frozen}
    assert not displacing & frozen
