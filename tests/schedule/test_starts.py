"""When opportunities can begin alone in their lane, and many requests placed together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from humay.schedule import filling
from humay.schedule.attitude import sweep_states
from humay.schedule.starts import lone_starts
from tests.schedule.random_problems import given_of, plan_of, random_problem

SEEDS = (6, 23, 39, 41, 45)


@pytest.mark.parametrize("seed", SEEDS)
def test_starts_of_many_at_once_are_those_of_each_alone(seed: int, tmp_path: Path) -> None:
    """And at both ends of each stretch the states, looked up one by one, leave time to come from
    idle and to go back."""
    problem = random_problem(seed, tmp_path)
    given, plan = given_of(problem), plan_of(problem)
    o, tried = given.opportunities, 0
    for name, part in plan.satellites.items():
        lane = replace(part.lane, acts=[])
        own = [
            (row, samples)
            for row, samples in enumerate(given.pointing)
            if samples is not None and o.satellite[row] == name
        ]
        rows, pointing = [row for row, _ in own], [samples for _, samples in own]
        together = lone_starts(lane, rows, o, pointing)
        alone = [lone_starts(lane, [row], o, [samples]) for row, samples in own]
        assert together == [stretch for stretches in alone for stretch in stretches]
        samples_of = dict(own)
        for row, first_s, last_s in together:
            starts = np.array([first_s, last_s])
            states, scan_s = sweep_states(samples_of[row], starts), lane.scan_s(row, o)
            settle_from_s = starts - lane.satellite.settle_s
            assert np.all(
                lane.stands_alone(settle_from_s, starts + scan_s, states.settle, states.last)
            )
            tried += 1
    assert tried > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_requests_placed_together_stand_where_they_stand_one_by_one(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = random_problem(seed, tmp_path)
    together = plan_of(problem)
    monkeypatch.setattr(filling._Filling, "_serve_hastily", lambda *_: False)
    singly = plan_of(problem)
    assert together.refusals == singly.refusals
    for name, part in together.satellites.items():
        assert [act.key for act in part.acts] == [act.key for act in singly.satellites[name].acts]
