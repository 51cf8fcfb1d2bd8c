"""Looks that count with their chance of being clear, attempts, and how the check sees them."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from humay.arrays import FloatArray
from humay.check import check_plan, verdict
from humay.check.chances import completed, expected, monitored, once
from humay.errors import MissionError
from humay.mission import CloudModel, Completion, Objective, Repeat
from humay.schedule import Effort, Plan, plan_document
from humay.schedule.attempts import under_one_sky
from humay.schedule.chances import chance_of_all
from humay.schedule.core.bound_rows import hull
from humay.schedule.expectation import Lot, expected_share, guiding_curve
from humay.schedule.looks import looks_of
from humay.schedule.worth import _curve
from tests.schedule.random_problems import (
    GREEDY,
    START,
    Problem,
    given_of,
    plan_of,
    random_problem,
)
from tests.schedule.test_looks import MONITORING, PAIR, SERIES
from tests.schedule.test_worth import STEPS

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


# Curves, series, monitoring, stereo ---------------------------------------------------------------


def by_cases(completion: Completion, lots: Sequence[Lot]) -> float:
    """Every case of clear and cloudy, one by one."""
    services = [(lot, chance) for lot in lots for chance in lot.chances.tolist()]
    total = 0.0
    for case in product((False, True), repeat=len(services)):
        likely = math.prod(
            p if clear else 1 - p for clear, (_, p) in zip(case, services, strict=True)
        )
        seen = [
            sum(c for c, (own, _) in zip(case, services, strict=True) if own is lot) for lot in lots
        ]
        share = math.fsum(lot.step * min(n, lot.most) for lot, n in zip(lots, seen, strict=True))
        total += likely * completed(completion, share)
    return total


def random_lots(seed: int) -> tuple[Completion, list[Lot]]:
    """Up to eleven services in lots that are up to a whole request together, and a curve."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(int(rng.integers(1, 5))))
    lots = [
        Lot(chances=rng.random(int(rng.integers(0, 4))), step=float(share) / most, most=most)
        for share in shares
        for most in [int(rng.integers(1, 3))]
    ]
    worth = np.sort(rng.random(2))
    curve = ((0.0, 0.0), (0.3, float(worth[0])), (0.7, float(worth[1])), (1.0, 1.0))
    completions: list[Completion] = ["linear", "whole", curve]
    return completions[seed % 3], lots


@pytest.mark.parametrize("seed", range(60))
def test_what_can_be_expected_of_a_curve_is_the_mean_over_all_cases(seed: int) -> None:
    completion, lots = random_lots(seed)
    mean = by_cases(completion, lots)
    assert expected_share(completion, lots) == pytest.approx(mean, abs=1e-9)
    draws = [monitored(lot.step * lot.most, lot.chances.tolist(), lot.most) for lot in lots]
    assert expected(completion, draws) == pytest.approx(mean, abs=1e-9)
    # what the bounds rely on: a concave curve above, by Jensen, and a straight line above that
    level = sum(lot.step * float(np.sum(lot.chances)) for lot in lots)
    most = min(sum(lot.step * len(lot.chances) for lot in lots), 1.0)
    above = hull(_curve(completion), most)
    assert mean <= float(np.interp(level, *above)) + 1e-9
    steepest = float(np.max(above[1][1:] / above[0][1:], initial=0.0))
    assert mean <= steepest * level + 1e-9


def test_two_strips_asked_for_whole_and_a_third_that_is_not_needed() -> None:
    half = Lot(chances=np.array([0.5]), step=0.5)
    assert expected_share("whole", [half, half]) == pytest.approx(0.25)
    assert expected_share("whole", [half]) == 0.0
    enough: Completion = ((0.0, 0.0), (2 / 3, 1.0), (1.0, 1.0))
    third = Lot(chances=np.array([0.5]), step=1 / 3)
    # none 1/8, one 3/8 worth half, two or three 1/2
    assert expected_share(enough, [third] * 3) == pytest.approx(3 / 8 * 0.5 + 0.5)


def test_what_many_strips_are_worth_is_what_chance_makes_of_them() -> None:
    """Sixteen different shares have 65,536 levels, too many but for a grid."""
    rng = np.random.default_rng(1)
    shares, chances = rng.dirichlet(np.ones(16)), rng.random(16)
    curve: Completion = ((0.0, 0.0), (0.6, 0.1), (1.0, 1.0))
    found = expected_share(curve, strips_of(shares, chances))
    clear = np.random.default_rng(2).random((400_000, 16)) < chances
    drawn = np.interp(clear @ shares, *np.array(curve).T)
    error = float(np.std(drawn)) / math.sqrt(len(drawn))
    assert found == pytest.approx(float(np.mean(drawn)), abs=4 * error)


def strips_of(shares: FloatArray, chances: FloatArray) -> list[Lot]:
    return [Lot(chances=chances[k : k + 1], step=float(s)) for k, s in enumerate(shares)]


@pytest.mark.parametrize("strips", [30, 60])
@pytest.mark.parametrize("cloudy", [1e-7, 1e-5])
def test_what_is_nearly_sure_is_nearly_all_expected(strips: int, cloudy: float) -> None:
    """Above half, the curve loses twice what is missing: of the mean, that is `cloudy`."""
    shares = np.random.default_rng(strips).dirichlet(np.ones(strips))
    curve: Completion = ((0.0, 0.0), (0.5, 0.0), (1.0, 1.0))
    found = expected_share(curve, strips_of(shares, np.full(strips, 1.0 - cloudy)))
    assert found == pytest.approx(1.0 - 2.0 * cloudy, abs=0.01 * cloudy)


def test_what_is_nearly_hopeless_is_worth_hardly_anything() -> None:
    """One strip in 30 may be clear; the curve there is straight, and all brings its mean."""
    shares = np.random.default_rng(3).dirichlet(np.ones(30))
    curve: Completion = ((0.0, 0.0), (0.5, 1.0), (1.0, 1.0))
    found = expected_share(curve, strips_of(shares, np.full(30, 1e-7)))
    assert found == pytest.approx(2e-7, rel=1e-4)


@st.composite
def counted_chances(draw: st.DrawFn) -> tuple[Completion, list[tuple[float, list[float], int]]]:
    """A curve, and up to 40 strips: their shares, some alike, with the chances of looks, some of
    which see nothing, and how many count."""
    number = draw(st.integers(1, 40))
    sizes = draw(st.lists(st.integers(1, draw(st.sampled_from([3, 10**5]))), min_size=number,
                          max_size=number))  # fmt: skip
    digits = draw(st.sampled_from([1, 6]))
    chance = st.floats(0, 1).map(lambda p: 1.0 - round(p, digits))
    most = draw(st.integers(1, 3))
    looks = st.lists(chance, min_size=1, max_size=most + 1)
    steps = sorted(draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
    curve = ((0.0, 0.0), (0.25, steps[0]), (0.75, steps[1]), (1.0, 1.0))
    completion: Completion = draw(st.sampled_from([curve, curve, curve, "whole", "linear"]))
    return completion, [(size / sum(sizes), draw(looks), most) for size in sizes]


@settings(max_examples=300, deadline=None)
@given(case=counted_chances(), order=st.randoms())
def test_plan_and_check_expect_the_same_however_many_strips(
    case: tuple[Completion, list[tuple[float, list[float], int]]], order: Random
) -> None:
    completion, strips = case
    lots = [Lot(chances=np.array(own), step=s / most, most=most) for s, own, most in strips]
    draws = [once(s, own) if most == 1 else monitored(s, own, most) for s, own, most in strips]
    order.shuffle(draws)
    assert expected(completion, draws) == pytest.approx(expected_share(completion, lots), abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_curve_that_guides_the_search_is_exact_where_one_lot_is_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    curve: Completion = ((0.0, 0.0), (0.5, float(rng.random())), (1.0, 1.0))
    once_, again = (Lot(chances=np.array([p]), step=0.7) for p in np.sort(rng.random(2)))
    guide = guiding_curve(curve, [once_], [again])
    for lot in (once_, again):
        level = 0.7 * float(lot.chances[0])
        assert guide.at(level) == pytest.approx(expected_share(curve, [lot]), abs=1e-8)


ASKS: dict[str, dict[str, Any]] = {
    "whole": {"completion": "whole"},
    "curve": {"completion": STEPS},
    "series": {"repeat": SERIES, "start": START, "end": None, "completion": STEPS},
    "monitoring": {"repeat": MONITORING, "attempts": 2},
    "pair": {"stereo": PAIR, "attempts": 2},
}


@pytest.mark.parametrize("kind", ASKS)
def test_every_kind_of_request_counts_under_clouds(kind: str, tmp_path: Path) -> None:
    looks = 0
    for seed in (1,) if kind == "pair" else (1, 6):
        problem = clouded(seed, tmp_path, **ASKS[kind])
        for effort in (GREEDY, SEARCHED):
            document = checked(problem, plan := plan_of(problem, effort=effort))
            told = math.fsum(entry["worth"]["expected"] for entry in document["requests"])
            assert plan.value == pytest.approx(told, abs=1e-6)
            looks += len(document["acquisitions"])
    assert looks > 3


def test_a_slot_may_have_more_attempts_but_no_more_than_asked_for(tmp_path: Path) -> None:
    wide = Repeat(count=2, every_h=12.0)
    problem = clouded(50, tmp_path, repeat=wide, start=START, end=None)
    document = checked(problem, plan_of(problem))
    most = max(len(s["acquisitions"]) for e in document["requests"] for s in e["strips"])
    assert most > 1  # in the first of two slots
    fewer = tuple(replace(r, attempts=1) for r in problem.requests)
    assert "looks" in {v.code for v in check_plan(problem.mission, fewer, document)}


def test_sets_of_one_strip_are_attempts_only_under_skies_of_their_own(tmp_path: Path) -> None:
    problem = clouded(1, tmp_path, stereo=PAIR)
    given, clouds = given_of(problem), problem.mission.counted_clouds
    looks = looks_of(given.requests, given.opportunities, given.pointing, given.stereo, clouds)
    o = looks.opportunities
    [first, second, *_] = [rows for rows in looks.sets if o.request[rows[0]] == o.request[0]]
    for later_s, groups in ((0.0, 1), (1_000.0, 1), (86_400.0, 2)):
        low, high = o.plan_start_s.copy(), o.plan_end_s.copy()
        low[list(second)] += later_s
        high[list(second)] += later_s
        moved = replace(looks, opportunities=replace(o, plan_start_s=low, plan_end_s=high))
        found = under_one_sky([*first, *second], replace(moved, sets=(first, second)))
        assert [set(rows) for rows in found] == (
            [{*first, *second}] if groups == 1 else [set(first), set(second)]
        )
