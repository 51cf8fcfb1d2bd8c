"""Random missions with every feature: the checker accepts every plan, and every plan after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from humay.errors import PlanError
from humay.schedule import Effort
from tests.schedule.varied_problems import (
    OF_MISSIONS,
    OF_REQUESTS,
    OF_SATELLITES,
    REFUSALS,
    first_plan,
    next_plan,
    varied_problem,
)

EFFORT = Effort(iterations=200)
FEW, MANY = (0, 2, 3, 4, 5), range(8, 56)


ONCE_REFUSED = {
    50073: (1000, "a place on the edge between two cells of clouds"),
    50174: (0, "clouds for sure wherever anything could be imaged: a bound of nothing"),
    50274: (0, "wheels used to the last, and a rate known to 3e-7 rad/s"),
    60259: (1000, "charging with the Sun 10 deg off what the side follows"),
}


def acquisitions_of(
    seed: int, folder: Path, *, followed: bool = False, effort: Effort = EFFORT
) -> int:
    """How many there are in the plans of a problem; `planned` refuses what the checker does."""
    varied = varied_problem(seed, folder)
    try:
        plan = first_plan(varied, effort)
    except PlanError as error:
        if not any(reason in str(error) for reason in REFUSALS):
            raise
        return 0
    after = next_plan(varied, plan, effort) if followed else None
    return sum(len(each["acquisitions"]) for each in (plan, after) if each is not None)


def test_plans_of_random_missions_with_every_feature_are_accepted(tmp_path: Path) -> None:
    found = [acquisitions_of(seed, tmp_path, followed=seed == 0) for seed in FEW]
    assert sum(found) > 2 * len(FEW)  # enough to judge by


@pytest.mark.parametrize("seed", ONCE_REFUSED, ids=[why for _, why in ONCE_REFUSED.values()])
def test_plans_that_were_refused_once_are_accepted(seed: int, tmp_path: Path) -> None:
    moves, _ = ONCE_REFUSED[seed]
    acquisitions_of(seed, tmp_path, effort=Effort(iterations=moves))


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY[::12])
def test_plans_that_follow_others_are_accepted(first: int, tmp_path: Path) -> None:
    seeds = range(first, first + 12)
    found = [acquisitions_of(seed, tmp_path, followed=True) for seed in seeds]
    assert sum(found) > 2 * len(seeds)


def test_every_feature_is_drawn_in_some_of_the_missions(tmp_path: Path) -> None:
    drawn = {name for seed in range(40) for name in varied_problem(seed, tmp_path).features}
    assert drawn >= {*OF_SATELLITES, *OF_REQUESTS, *OF_MISSIONS}
