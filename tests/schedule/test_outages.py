"""Outages: what they leave of a span, what a plan does about them, and what it says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.check import check_plan, verdict
from humay.mission import Outage
from humay.schedule import plan_document
from humay.schedule.outages import left_of
from humay.time import format_utc, parse_utc
from tests.schedule.random_problems import START, Problem, plan_of, random_problem

SEED = 1  # two satellites and two stations, with acquisitions of both; any such will do


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    whole = random_problem(SEED, tmp_path_factory.mktemp("outages"))
    return replace(whole, mission=replace(whole.mission, outages=()))


def document(problem: Problem, *outages: Outage) -> dict[str, Any]:
    """The plan of a problem with these outages; the checker accepts it."""
    changed = replace(problem, mission=replace(problem.mission, outages=outages))
    plan = plan_document(plan_of(changed))
    assert verdict(check_plan(changed.mission, changed.requests, plan)) == "valid"
    return plan


def reasons(plan: dict[str, Any]) -> dict[str, str]:
    return {r["name"]: r["reason"]["code"] for r in plan["requests"] if r["reason"]}


def test_the_problem_of_these_tests_has_something_to_lose(problem: Problem) -> None:
    plan = document(problem)
    assert plan["outages"] == []
    assert len(plan["acquisitions"]) >= 2
    assert plan["downlinks"]


def test_a_satellite_that_is_not_to_be_had_does_nothing_and_says_why(problem: Problem) -> None:
    every = [
        Outage(satellite=s.name, start=START, end=problem.end, reason="safe mode")
        for s in problem.mission.satellites
    ]
    plan = document(problem, *every)
    assert plan["acquisitions"] == plan["passes"] == plan["downlinks"] == []
    for segments in plan["attitude"].values():
        assert [s["mode"] for s in segments] == ["idle"]
    before = document(problem)
    for name, code in reasons(plan).items():
        if name not in reasons(before):
            assert code == "outage"
    told = next(r["reason"]["text"] for r in plan["requests"] if r["reason"]["code"] == "outage")
    assert "safe mode" in told
    assert format_utc(problem.end) in told


def test_an_image_gives_way_to_an_outage(problem: Problem) -> None:
    act = document(problem)["acquisitions"][0]
    second = parse_utc(act["start"])
    outage = Outage(
        satellite=act["satellite"],
        start=second - timedelta(seconds=1),
        end=second + timedelta(seconds=1),
        reason="calibration",
    )
    plan = document(problem, outage)
    same = [a for a in plan["acquisitions"] if a["opportunity"] == act["opportunity"]]
    assert all(a["start"] != act["start"] for a in same)


def test_without_its_only_station_a_plan_cannot_be_commanded_and_says_why(
    problem: Problem,
) -> None:
    every = [
        Outage(station=s.name, start=START - timedelta(days=1), end=problem.end, reason="strike")
        for s in problem.mission.stations
    ]
    plan = document(problem, *every)
    assert plan["acquisitions"] == plan["passes"] == []
    told = [r["reason"]["text"] for r in plan["requests"] if r["reason"]["code"] == "uplink"]
    assert told
    assert all("strike" in text for text in told)
    assert sum(len(o["dropped"]) for o in plan["outages"]) == len(document(problem)["passes"])


def test_a_pass_is_cut_at_an_outage_and_goes_on_behind_it(problem: Problem) -> None:
    longest = max(document(problem)["passes"], key=seconds)
    middle = parse_utc(longest["start"]) + timedelta(seconds=seconds(longest) / 2)
    outage = Outage(
        station=longest["station"],
        start=middle - timedelta(seconds=10),
        end=middle + timedelta(seconds=10),
        reason="wind",
    )
    plan = document(problem, outage)
    [told] = plan["outages"]
    assert longest["id"] in told["cut"]
    assert told["dropped"] == []
    parts = [p for p in plan["passes"] if p["id"].partition("#")[0] == longest["id"]]
    assert [p["id"] for p in parts] == [longest["id"], longest["id"] + "#2"]
    assert parts[0]["end"] == format_utc(outage.start)
    assert parts[1]["start"] == format_utc(outage.end)
    assert sum(map(seconds, parts)) == pytest.approx(seconds(longest) - 20.0, abs=1e-5)


def seconds(entry: dict[str, Any]) -> float:
    return (parse_utc(entry["end"]) - parse_utc(entry["start"])).total_seconds()


SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1])), max_size=5
)


@given(taken=SPANS, start=st.integers(0, 40), length=st.integers(0, 30))
def test_what_is_left_of_a_span_is_what_nobody_takes(
    taken: list[tuple[int, int]], start: int, length: int
) -> None:
    """Asked second by second, in their middles."""
    left = left_of((start, start + length), taken)
    for second in range(start, start + length):
        middle = second + 0.5
        free = not any(a < middle < b for a, b in taken)
        assert any(a < middle < b for a, b in left) == free
    assert left == sorted(left)
