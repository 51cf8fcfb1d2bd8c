"""What did not go as planned is put back: asked for again, sent again, and told."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from humay.chain import Flying, planned, surveyed_again
from humay.check import check_plan
from humay.errors import PlanError
from humay.mission import Outcomes, load_mission, outcomes_from
from humay.time import format_utc, parse_utc
from tests.chain.command import humay, refusal
from tests.chain.small import untold
from tests.chain.test_replanning import GREEDY, HOUR, first_plan, idle_start
from tests.schedule.random_problems import START, Problem, random_problem

MINUTE = timedelta(minutes=1)


def told(**what: Any) -> Outcomes:
    return outcomes_from({"format": "humay-outcomes-1", **what}, "outcomes")


def next_plan(
    problem: Problem, old: dict[str, Any], outcomes: Outcomes, start: datetime
) -> dict[str, Any]:
    """The plan after, accepted by the checker with the previous plan and the outcomes."""
    given = surveyed_again(
        problem.mission, problem.requests, Flying(document=old, outcomes=outcomes),
        start=start, end=problem.end, release=start, step=untold,
    )  # fmt: skip
    new = planned(
        given.mission, given.requests, given.found, start=start, end=problem.end, release=start,
        seed=1, step=untold, effort=GREEDY, previous=given.previous,
    )  # fmt: skip
    assert check_plan(problem.mission, problem.requests, new) == []
    assert check_plan(problem.mission, problem.requests, new, old, outcomes) == []
    return new


def after(problem: Problem, old: dict[str, Any], entry: dict[str, Any]) -> datetime:
    """An instant soon after an acquisition or a pass at which a plan may begin."""
    wished = parse_utc(entry["end"]).replace(microsecond=0) + MINUTE
    return idle_start(problem, Flying(document=old), wished)


@pytest.fixture
def problem(tmp_path: Path) -> Problem:
    """Long enough that what failed has further windows."""
    found = random_problem(12, tmp_path)
    return replace(found, end=START + 12 * HOUR)


@pytest.mark.parametrize("what", ["cloudy", "missed"])
def test_what_failed_is_asked_for_again_and_weighs_what_it_weighs(
    what: str, problem: Problem
) -> None:
    """A cloudy image fills the memory until it is sent; one that was never taken does not."""
    old = first_plan(problem)
    entry = old["acquisitions"][0]
    start = after(problem, old, entry)
    outcomes = told(acquisitions=[{"id": entry["id"], "what": what}])
    as_planned = next_plan(problem, old, told(), start)
    new = next_plan(problem, old, outcomes, start)
    assert new["previous"]["failed"] == [entry["id"]]
    imaged = {each["strip"] for each in new["previous"]["imaged"]}
    assert entry["strip"] not in imaged
    assert entry["strip"] in {each["strip"] for each in as_planned["previous"]["imaged"]}
    before, now = (
        plan["previous"]["state"][entry["satellite"]]["memory_gbit"] for plan in (as_planned, new)
    )
    sent = sum(
        item["gbit"]
        for downlink in old["downlinks"]
        for item in downlink["items"]
        if item["acquisition"] == entry["id"] and parse_utc(downlink["end"]) <= start
    )
    lighter = entry["data_gbit"] - sent if what == "missed" else 0.0
    assert abs(before - now - lighter) < 1e-6
    asked = {r["name"]: r for r in new["requests"]}[entry["request"]]
    assert asked["reason"] is None or asked["reason"]["code"] != "imaged"


def test_what_a_lost_uplink_was_to_command_did_not_happen(problem: Problem) -> None:
    old = first_plan(problem)
    entry = old["acquisitions"][0]
    carried = {a["id"]: a for a in old["acquisitions"] if a["uplink"] == entry["uplink"]}
    start = after(problem, old, entry)
    new = next_plan(problem, old, told(passes=[{"id": entry["uplink"], "lost": "uplink"}]), start)
    over = {name for name, a in carried.items() if parse_utc(a["end"]) <= start}
    assert entry["id"] in over
    assert set(new["previous"]["failed"]) == over
    assert set(new["previous"]["lost"]) == carried.keys() - over
    assert new["previous"]["lost_uplinks"] == [entry["uplink"]]
    assert new["previous"]["lost_passes"] == []
    assert entry["uplink"] not in {a["uplink"] for a in new["acquisitions"]}


def test_a_safe_mode_takes_what_it_meets_and_is_an_outage_of_the_new_plan(
    problem: Problem,
) -> None:
    old = first_plan(problem)
    entry = old["acquisitions"][0]
    low, high = parse_utc(entry["start"]) - MINUTE, parse_utc(entry["end"]) + 30 * MINUTE
    start = (parse_utc(entry["end"]) + 10 * MINUTE).replace(microsecond=0)
    mode = {
        "satellite": entry["satellite"],
        "start": format_utc(low),
        "end": format_utc(high),
        "reason": "star tracker blinded",
    }
    new = next_plan(problem, old, told(safe_modes=[mode]), start)
    assert entry["id"] in new["previous"]["failed"]
    (outage,) = (each for each in new["outages"] if each["reason"] == "star tracker blinded")
    assert (outage["satellite"], outage["end"]) == (entry["satellite"], format_utc(high))
    begun = [a for a in new["acquisitions"] if a["satellite"] == entry["satellite"]]
    assert all(parse_utc(a["start"]) >= high for a in begun)


def test_an_image_found_cloudy_a_plan_later_is_asked_for_again(problem: Problem) -> None:
    old = first_plan(problem)
    entry = old["acquisitions"][0]
    second = next_plan(problem, old, told(), after(problem, old, entry))
    (image,) = (i for i in second["previous"]["imaged"] if i["strip"] == entry["strip"])
    bad = {"strip": image["strip"], "end": image["end"], "what": "cloudy"}
    start = idle_start(problem, Flying(document=second), parse_utc(second["start"]) + 2 * MINUTE)
    third = next_plan(problem, second, told(images=[bad]), start)
    assert image["strip"] not in {each["strip"] for each in third["previous"]["imaged"]}
    with pytest.raises(PlanError, match=r"expected one that the previous plan names"):
        next_plan(problem, old, told(images=[bad]), after(problem, old, entry))


# Refused, and found -------------------------------------------------------------------------------


def test_outcomes_of_what_is_unknown_or_not_over_are_refused(problem: Problem) -> None:
    old = first_plan(problem)
    first, last = old["acquisitions"][0], old["acquisitions"][-1]
    start = after(problem, old, first)
    mode = {"satellite": "nobody", "start": format_utc(START), "end": format_utc(start)}
    own = {"satellite": first["satellite"]}
    to_come = own | {"start": format_utc(start), "end": format_utc(start + HOUR)}
    gone = own | {"start": format_utc(START - 9 * HOUR), "end": format_utc(START - 8 * HOUR)}
    with pytest.raises(PlanError, match="stands twice"):
        told(safe_modes=[to_come, to_come | {"reason": "again"}])
    for what, said in (
        ({"acquisitions": [{"id": "A9999", "what": "cloudy"}]}, "'A9999' is not in the previous"),
        ({"acquisitions": [{"id": last["id"], "what": "cloudy"}]}, "begin it later"),
        ({"passes": [{"id": "nowhere"}]}, "'nowhere' is not in the previous plan"),
        ({"safe_modes": [mode]}, "safe mode of 'nobody'"),
        ({"safe_modes": [to_come]}, r"tell what is to come as an \[\[outage\]\]"),
        ({"safe_modes": [gone]}, "expected after the previous plan begins"),
    ):
        with pytest.raises(PlanError, match=said):
            next_plan(problem, old, told(**what), start)


def test_what_is_still_to_be_sent_did_not_come_down_damaged(tmp_path: Path) -> None:
    """It would be asked for again, and sent all the same; the checker finds what says so."""
    problem = random_problem(2, tmp_path)
    old = first_plan(problem)
    entry, sent = old["acquisitions"][0], old["downlinks"][-1]["end"]
    assert entry["id"] in {item["acquisition"] for item in old["downlinks"][-1]["items"]}
    start = after(problem, old, old["acquisitions"][-1])
    assert start < parse_utc(sent)
    damaged = told(acquisitions=[{"id": entry["id"], "what": "lost"}])
    with pytest.raises(PlanError, match=f"{entry['id']}.*down damaged.*on board.*{sent} by the"):
        next_plan(problem, old, damaged, start)
    cloudy = told(acquisitions=[{"id": entry["id"], "what": "cloudy"}])
    new = copy.deepcopy(next_plan(problem, old, cloudy, start))
    new["previous"]["outcomes"]["acquisitions"][0]["what"] = "lost"
    found = check_plan(problem.mission, problem.requests, new, old, damaged)
    assert {v.code for v in found} == {"previous"}
    assert any(f"{entry['id']!r} came down damaged" in v.message for v in found)
    later = after(problem, old, {"end": sent})
    assert next_plan(problem, old, damaged, later)["previous"]["failed"] == [entry["id"]]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"acquisitions": [{"id": "A1", "what": "bad"}]}, '"cloudy" or "lost" or "missed"'),
        ({"acquisition": []}, "unknown key 'acquisition'"),
        ({"passes": [{"id": "P"}, {"id": "P"}]}, "stands twice"),
        ({"format": "other"}, "humay-outcomes-1"),
    ],
)
def test_a_file_of_outcomes_that_says_something_else_is_refused(
    what: dict[str, Any], said: str
) -> None:
    with pytest.raises(PlanError, match=said):
        outcomes_from({"format": "humay-outcomes-1"} | what, "outcomes.json")


def _not_failed(plan: dict[str, Any]) -> None:
    plan["previous"]["failed"] = []


def _commanded(plan: dict[str, Any]) -> None:
    plan["previous"]["lost_uplinks"] = ["P1"]


def _untold(plan: dict[str, Any]) -> None:
    plan["previous"]["outcomes"]["acquisitions"] = []


def _forgotten(plan: dict[str, Any]) -> None:
    del plan["previous"]["outcomes"]


def _imaged_all_the_same(plan: dict[str, Any]) -> None:
    name = plan["previous"]["imaged"][0] if plan["previous"]["imaged"] else None
    entry = name or {"request": "request 0", "strip": "request 0", "end": plan["start"]}
    plan["previous"]["imaged"].append(entry)


@pytest.mark.parametrize(
    "change", [_not_failed, _commanded, _untold, _forgotten, _imaged_all_the_same]
)
def test_the_checker_finds_what_does_not_follow_from_the_outcomes(
    change: Callable[[dict[str, Any]], None], problem: Problem
) -> None:
    old = first_plan(problem)
    entry = old["acquisitions"][0]
    outcomes = told(acquisitions=[{"id": entry["id"], "what": "missed"}])
    new = copy.deepcopy(next_plan(problem, old, outcomes, after(problem, old, entry)))
    change(new)
    found = check_plan(problem.mission, problem.requests, new, old, outcomes)
    assert "previous" in {violation.code for violation in found}


def test_the_command_reads_outcomes_and_tells_what_follows(tmp_path: Path) -> None:
    problem = random_problem(2, tmp_path)
    files = tmp_path / "mission-2.toml", tmp_path / "requests-2.geojson"
    problem = replace(problem, mission=load_mission(files[0]), end=START + 5 * HOUR)
    old, new, file = (tmp_path / name for name in ("old.json", "new.json", "outcomes.json"))
    span = ("--start", format_utc(START), "--hours", 5, "--iterations", 0, "--quiet")
    assert humay("plan", *files, *span, "-o", old).returncode == 0
    flown = json.loads(old.read_text())
    entry = flown["acquisitions"][0]
    start = after(problem, flown, entry)
    failed = [{"id": entry["id"], "what": "cloudy"}]
    file.write_text(json.dumps({"format": "humay-outcomes-1", "acquisitions": failed}))
    again = ("--previous", old, "--outcomes", file, "--start", format_utc(start))
    done = humay("plan", *files, *again, "--iterations", 0, "-o", new, "--quiet")
    assert done.returncode == 0, done
    assert f"images that failed: 1; asked for again: {entry['request']}" in done.stdout
    checked = humay("check", *files, new, "--previous", old, "--outcomes", file, "--quiet")
    assert checked.stdout == "valid\n"
    file.write_text("{")
    refusal(humay("plan", *files, *again, "-o", new, "--quiet"), "outcomes.json", "JSON")
    done = humay("plan", *files, *span, "--outcomes", file, "-o", new)
    assert (done.returncode, "--outcomes needs --previous" in done.stderr) == (2, True)
