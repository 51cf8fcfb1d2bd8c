"""What became of a request's windows, and what imaging them would cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from humay.errors import PlanError
from humay.mission import ImagingLimit
from humay.schedule import (
    Plan,
    explain_request,
    explanation_document,
    explanation_text,
    plan_document,
)
from tests.schedule.random_problems import START, Problem, plan_of, random_problem

SEEN = datetime(2026, 6, 1, 2, 20, 15, tzinfo=UTC)
"""When request 1 of the problem is best seen."""


@pytest.fixture
def roomy(tmp_path: Path) -> Problem:
    """One satellite with room for all data, and two of its point requests: `early` in its one
    window half an hour before `late` in its own; 3 and 2 are what they are worth."""
    problem = random_problem(23, tmp_path)
    (satellite,) = problem.mission.satellites
    easy = replace(satellite, memory_bit=1e12, imaging_limits=(), power=None)
    first, second = problem.requests[:2]
    return replace(
        problem,
        mission=replace(problem.mission, satellites=(easy,)),
        requests=(
            replace(first, name="early", priority=5, weight=3.0),
            replace(second, name="late", priority=5, weight=2.0),
        ),
    )


def crowded(roomy: Problem) -> Problem:
    """Two requests for one place within the same eight seconds: 3 and 2 are what they are worth."""
    late = roomy.requests[1]
    short = replace(late, start=SEEN - timedelta(seconds=4), end=SEEN + timedelta(seconds=4))
    wanted = (replace(short, name="dear", weight=3.0), replace(short, name="cheap"))
    return replace(roomy, requests=wanted)


def plan_for(problem: Problem) -> Plan:
    return plan_of(problem, release_early_s=3600.0)


def test_two_in_one_short_window_cost_the_difference_of_their_worth(roomy: Problem) -> None:
    """The cheap one in the place of the dear one: 2 - 3 = -1, by hand; one act, so one trial."""
    plan = plan_for(crowded(roomy))
    assert plan.value == 3.0
    found = explain_request(plan, "cheap")
    (window,) = found.windows
    assert window.refusal is not None
    assert window.refusal.code == "slew"
    assert window.holders == ("dear",)
    assert (found.trials, found.ways, window.trials) == (1, 1, 1)
    assert window.best is not None
    assert window.best.strips == ("dear",)
    assert window.best.net == -1.0
    assert window.best.changes == {"dear": -3.0, "cheap": 2.0}
    (kept,) = explain_request(plan, "dear").windows
    assert kept.planned_s == plan.doings["dear"][0].act.start_s
    assert kept.refusal is None
    assert kept.best is None


def test_a_limit_of_imaging_time_names_itself_and_its_price(roomy: Problem) -> None:
    """Time for one image in six hours: half an hour lies between the windows, nobody holds that of
    the other, and the price is 2 - 3 all the same."""
    alone = plan_for(roomy)
    assert alone.value == 5.0
    scan_s = max(act.end_s - act.start_s for act in alone.satellites["sat-0"].acts)
    limit = ImagingLimit(seconds=1.5 * scan_s, per_s=6 * 3600.0)
    (satellite,) = roomy.mission.satellites
    tight = replace(satellite, imaging_limits=(limit,))
    plan = plan_for(replace(roomy, mission=replace(roomy.mission, satellites=(tight,))))
    assert plan.value == 3.0
    (window,) = explain_request(plan, "late").windows
    assert window.refusal is not None
    assert window.refusal.code == "imaging_time"
    assert window.holders == ()
    assert window.best is not None
    assert window.best.strips == ("early",)
    assert window.best.net == -1.0


def test_a_limit_of_memory_names_itself_and_its_price(roomy: Problem) -> None:
    """A memory of one image and a half, and no station that listens."""
    scan_bits = max(act.bits for act in plan_for(roomy).satellites["sat-0"].acts)
    (satellite,) = roomy.mission.satellites
    small = replace(satellite, memory_bit=1.5 * scan_bits)
    deaf = tuple(replace(station, downlink=False) for station in roomy.mission.stations)
    mission = replace(roomy.mission, satellites=(small,), stations=deaf)
    plan = plan_for(replace(roomy, mission=mission))
    (window,) = explain_request(plan, "late").windows
    assert window.refusal is not None
    assert window.refusal.code == "memory"
    assert window.best is not None
    assert window.best.net == -1.0


def test_explaining_changes_nothing_and_tells_the_same_again(roomy: Problem) -> None:
    plan = plan_for(crowded(roomy))
    before = plan_document(plan)
    told = [explanation_document(explain_request(plan, "cheap")) for _ in range(2)]
    assert told[0] == told[1]
    assert plan_document(plan) == before


def test_no_more_ways_are_tried_than_allowed(roomy: Problem) -> None:
    found = explain_request(plan_for(crowded(roomy)), "cheap", most_trials=0)
    assert (found.trials, found.ways) == (0, 1)
    assert found.windows[0].best is None
    assert "0 of 1 ways to make room tried" in explanation_text(explanation_document(found))


def test_a_request_without_a_window_is_told_why(roomy: Problem) -> None:
    over = replace(roomy.requests[1], name="over", end=START + timedelta(seconds=1))
    found = explain_request(plan_for(replace(roomy, requests=(over,))), "over")
    assert found.windows == ()
    assert found.refusal is not None
    assert found.refusal.code in {"period", "no_opportunity"}


def test_an_unknown_request_is_refused_with_the_nearest_known(roomy: Problem) -> None:
    with pytest.raises(PlanError, match="no request 'lat' to explain, did you mean 'late'"):
        explain_request(plan_for(roomy), "lat")


def test_people_read_what_became_of_it_and_what_it_costs(roomy: Problem) -> None:
    text = explanation_text(
        explanation_document(explain_request(plan_for(crowded(roomy)), "cheap"))
    )
    assert "cheap: 0.00 of 2.00 planned, 1 windows; 1 of 1 ways to make room tried" in text
    assert "slew: no time to slew beside dear" in text
    assert "held by dear" in text
    assert "in the place of dear: value -1.00 (dear -3.00, cheap +2.00; 1 tried)" in text
