"""A plan made again while another flies: what is frozen stays, and hostile files are refused."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from humay.chain import Flying, planned, survey, surveyed_again
from humay.check import check_plan, load_plan
from humay.errors import HumayError, PlanError
from humay.files import json_bytes
from humay.mission import Completion, Mission, Outage, Request
from humay.schedule import Effort, plan_difference
from humay.time import format_utc, parse_utc
from tests.chain.command import humay, refusal
from tests.chain.small import untold
from tests.schedule.random_problems import START, Problem, random_problem

HOUR = timedelta(hours=1)
GREEDY = Effort(iterations=0)
BUSY = (1, 2, 6, 12, 19, 23)
"""Seeds of problems with plans of three acquisitions or more."""
QUICK = (2, 12)


def first_plan(problem: Problem, release: datetime = START - HOUR) -> dict[str, Any]:
    """The plan that flies."""
    found = survey(problem.mission, problem.requests, start=START, end=problem.end, step=untold)
    return planned(
        problem.mission, problem.requests, found, start=START, end=problem.end, release=release,
        seed=1, step=untold, effort=GREEDY,
    )  # fmt: skip


def again(
    problem: Problem,
    flying: Flying,
    *,
    start: datetime = START,
    release: datetime,
    requests: Sequence[Request] | None = None,
    effort: Effort = GREEDY,
) -> dict[str, Any]:
    """The next plan, checked against the one that flies."""
    wanted = problem.requests if requests is None else requests
    given = surveyed_again(
        problem.mission, wanted, flying, start=start, end=problem.end, release=release, step=untold
    )
    document = planned(
        given.mission, given.requests, given.found, start=start, end=problem.end, release=release,
        seed=1, step=untold, effort=effort, previous=given.previous,
    )  # fmt: skip
    asked = [*wanted, *(flying.urgent or ())]
    assert check_plan(problem.mission, asked, document) == []
    assert check_plan(problem.mission, asked, document, flying.document) == []
    return document


def idle_start(problem: Problem, flying: Flying, wished: datetime) -> datetime:
    """The instant, or the next one at which every satellite is idle."""
    try:
        surveyed_again(
            problem.mission,
            problem.requests,
            flying,
            start=wished,
            end=problem.end,
            release=wished,
            step=untold,
        )
    except PlanError as error:
        *_, nearest = str(error).split("all satellites are idle: ")
        return parse_utc(nearest.split()[-1])
    return wished


@pytest.mark.parametrize(
    ("seed", "later_h", "frozen_h"),
    [
        pytest.param(seed, *times, marks=[] if seed in QUICK else [pytest.mark.slow])
        for seed in BUSY
        for times in ((0.0, 2.0), (0.6, None), (1.5, 2.5))
    ],
)
def test_the_checker_accepts_a_plan_that_follows_another(
    seed: int, later_h: float, frozen_h: float | None, tmp_path: Path
) -> None:
    problem = random_problem(seed, tmp_path)
    old = first_plan(problem)
    flying = Flying(
        document=old, frozen_until=None if frozen_h is None else START + frozen_h * HOUR
    )
    start = START if later_h == 0.0 else idle_start(problem, flying, START + later_h * HOUR)
    new = again(problem, flying, start=start, release=max(start, START + HOUR))
    kept = {(a["satellite"], a["start"]) for a in new["acquisitions"]}
    until = START if frozen_h is None else START + frozen_h * HOUR
    for entry in old["acquisitions"]:
        begins = parse_utc(entry["start"])
        if start <= begins < until:
            assert (entry["satellite"], entry["start"]) in kept
    assert new["previous"]["sha256"] == hashlib.sha256(json_bytes(old)).hexdigest()
    left = [a for a in old["acquisitions"] if parse_utc(a["start"]) >= start]
    counts = [new["previous"][key] for key in ("kept", "moved", "dropped")]
    assert sum(counts) == len(left)


def test_what_goes_on_follows_on_from_the_memory_and_charge_of_the_previous_plan(
    tmp_path: Path,
) -> None:
    problem = random_problem(2, tmp_path)
    flying = Flying(document=first_plan(problem))
    start = idle_start(problem, flying, START + 1.5 * HOUR)
    new = again(problem, flying, start=start, release=start)
    for name, curves in flying.document["resources"].items():
        after = [k for k, text in enumerate(curves["time"]) if parse_utc(text) >= start]
        begin = new["resources"][name]["memory_gbit"][0]
        low, high = (curves["memory_gbit"][after[0] - k] for k in (1, 0))
        assert min(low, high) - 1e-4 <= begin <= max(low, high) + 1e-4


def test_a_plan_of_a_plan_of_a_plan_still_knows_what_was_imaged(tmp_path: Path) -> None:
    problem = random_problem(12, tmp_path)
    flying = Flying(document=first_plan(problem))
    first = parse_utc(flying.document["acquisitions"][0]["end"]).replace(microsecond=0)
    start = idle_start(problem, flying, first + timedelta(minutes=10))
    second = again(problem, flying, start=start, release=start)
    later = idle_start(problem, Flying(document=second), start + timedelta(minutes=5))
    third = again(problem, Flying(document=second), start=later, release=later)
    imaged = {each["strip"] for each in second["previous"]["imaged"]}
    assert imaged
    assert imaged <= {each["strip"] for each in third["previous"]["imaged"]}
    assert not imaged & {entry["strip"] for entry in third["acquisitions"]}


@pytest.mark.parametrize("completion", ["whole", ((0.0, 0.0), (0.5, 1.0), (1.0, 1.0))])
def test_what_is_frozen_and_whole_has_a_bound(completion: Completion, tmp_path: Path) -> None:
    """All that is frozen of a request brings its worth, where each part by itself may bring twice
    its share of it."""
    problem = random_problem(2, tmp_path)
    requests = tuple(replace(r, completion=completion) for r in problem.requests)
    problem = replace(problem, requests=requests)
    old = first_plan(problem)
    assert any(request["outcome"] == "served" for request in old["requests"])
    flying = Flying(document=old, frozen_until=problem.end)
    new = again(problem, flying, release=START + 0.5 * HOUR)
    value = old["objective"]["value"]
    assert new["objective"]["value"] == pytest.approx(value)
    assert value <= new["objective"]["bound"] + 1e-6


def test_a_request_withdrawn_too_late_is_flown_and_told(tmp_path: Path) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    flying = Flying(document=old, frozen_until=problem.end)
    gone = old["acquisitions"][-1]["request"]
    left = [request for request in problem.requests if request.name != gone]
    new = again(problem, flying, release=START + 0.5 * HOUR, requests=left)
    assert new["previous"]["withdrawn"] == [{"name": gone, "was": gone}]
    assert gone in {entry["request"] for entry in new["acquisitions"]}
    free = again(
        problem, Flying(document=old), release=START - HOUR, requests=left
    )  # released before that plan's first pass: nothing is on board yet
    assert gone not in {entry["name"] for entry in free["requests"]}


def test_a_request_that_moved_is_asked_anew_beside_what_is_commanded(tmp_path: Path) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    name = old["acquisitions"][-1]["request"]
    moved = [
        replace(r, priority=r.priority, max_off_nadir_rad=1e-4) if r.name == name else r
        for r in problem.requests
    ]
    flying = Flying(document=old, frozen_until=problem.end)
    new = again(problem, flying, release=START + 0.5 * HOUR, requests=moved)
    assert {"name": f"{name} (previous)", "was": name} in new["previous"]["withdrawn"]


def test_promises_are_kept_where_a_change_is_not_worth_its_price(tmp_path: Path) -> None:
    """The greedy plan of other priorities would change the order; a high price keeps the promises
    that fit."""
    problem = random_problem(23, tmp_path)
    old = first_plan(problem)
    turned = [replace(r, priority=11 - r.priority) for r in problem.requests]
    release = START - HOUR
    kept = [
        again(
            problem, Flying(document=old, stability=price), release=release, requests=turned
        )["previous"]["kept"]
        for price in (0.0, 1e6)
    ]  # fmt: skip
    assert kept[1] == len(old["acquisitions"])
    assert kept[0] <= kept[1]


def test_search_beside_what_is_frozen_never_falls_below_the_plan_that_flies(
    tmp_path: Path,
) -> None:
    problem = random_problem(23, tmp_path)
    old = first_plan(problem)
    flying = Flying(document=old, frozen_until=START + 2 * HOUR)
    new = again(problem, flying, release=START + HOUR, effort=Effort(iterations=5_000))
    assert new["objective"]["value"] >= old["objective"]["value"]
    assert new["objective"]["value"] <= new["objective"]["bound"]


# The checker --------------------------------------------------------------------------------------


def _moved(plan: dict[str, Any]) -> None:
    entry = next(a for a in plan["acquisitions"] if a["id"] in plan["previous"]["frozen"])
    for key in ("start", "end"):
        entry[key] = format_utc(parse_utc(entry[key]) + timedelta(milliseconds=2))


def _told_free(plan: dict[str, Any]) -> None:
    plan["previous"]["frozen"].pop()


def _other_pass(plan: dict[str, Any]) -> None:
    plan["passes"][0]["end"] = format_utc(
        parse_utc(plan["passes"][0]["end"]) - timedelta(seconds=1)
    )


def _miscounted(plan: dict[str, Any]) -> None:
    plan["previous"]["kept"] += 1


def _cheap(plan: dict[str, Any]) -> None:
    plan["previous"]["cost"] += 1.0


def _forgotten(plan: dict[str, Any]) -> None:
    del plan["previous"]


def _imaged(plan: dict[str, Any]) -> None:
    plan["previous"]["imaged"].append(
        {"request": "request 0", "strip": "request 0", "end": plan["start"]}
    )


def _richer(plan: dict[str, Any]) -> None:
    plan["previous"]["state"] = {"sat-0": {"memory_gbit": 0.5}}


def _cut_later(plan: dict[str, Any]) -> None:
    plan["previous"]["cut_until"] = format_utc(START + 50 * HOUR)


def _released_sooner(plan: dict[str, Any]) -> None:
    plan["release"] = format_utc(START - 2 * HOUR)


def _lost(plan: dict[str, Any]) -> None:
    plan["previous"]["lost"].append(plan["previous"]["frozen"][0])


CHANGES = (
    _moved, _told_free, _other_pass, _miscounted, _cheap, _forgotten, _imaged, _richer, _cut_later,
    _released_sooner, _lost,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_the_checker_finds_each_breach_of_what_is_frozen(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    flying = Flying(document=old, frozen_until=START + 2 * HOUR)
    new = again(problem, flying, release=START + HOUR)
    changed = copy.deepcopy(new)
    change(changed)
    codes = {v.code for v in check_plan(problem.mission, problem.requests, changed, old)}
    assert "previous" in codes


# Hostile files ------------------------------------------------------------------------------------


def test_a_truncated_plan_is_refused_as_the_previous_one(tmp_path: Path) -> None:
    problem = random_problem(12, tmp_path)
    content = json_bytes(first_plan(problem))
    file = tmp_path / "old.json"
    for share in (0.1, 0.5, 0.999):
        file.write_bytes(content[: int(share * len(content))])
        with pytest.raises(PlanError, match="not JSON"):
            load_plan(file)


def _of_another(document: dict[str, Any]) -> None:
    document["mission"] = "another"


def _edited_start(document: dict[str, Any]) -> None:
    entry = document["acquisitions"][0]
    entry["start"] = format_utc(parse_utc(entry["start"]) - timedelta(seconds=40))


def _edited_satellite(document: dict[str, Any]) -> None:
    document["satellites"][0]["name"] = "nobody"


def _edited_memory(document: dict[str, Any]) -> None:
    curve = document["resources"]["sat-0"]["memory_gbit"]
    curve[:] = [value + 1.0 for value in curve]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_of_another, "is of mission 'another'"),
        (_edited_start, "is not valid"),
        (_edited_satellite, "is not valid"),
        (_edited_memory, "is not valid"),
    ],
)
def test_a_previous_plan_that_is_not_of_this_mission_or_was_edited_is_refused(
    change: Callable[[dict[str, Any]], None], said: str, tmp_path: Path
) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    change(old)
    with pytest.raises(HumayError, match=said):
        again(problem, Flying(document=old), release=START + HOUR)


def test_a_previous_plan_of_another_day_is_refused(tmp_path: Path) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    day = START + timedelta(days=1)
    with pytest.raises(PlanError, match="expected within the previous one"):
        again(replace(problem, end=day + HOUR), Flying(document=old), start=day, release=day)
    late = Flying(document=old, frozen_until=problem.end + HOUR)
    with pytest.raises(PlanError, match="not after its end"):
        again(problem, late, release=START)


def test_an_end_that_cuts_what_is_commanded_and_a_release_too_soon_are_refused(
    tmp_path: Path,
) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    last = max(parse_utc(look["end"]) for look in old["acquisitions"])
    short = replace(problem, end=last - timedelta(seconds=1))
    everything = Flying(document=old, frozen_until=parse_utc(old["end"]) - timedelta(seconds=1))
    with pytest.raises(PlanError, match=r"expected an end after .* is commanded"):
        again(short, everything, release=START)
    with pytest.raises(PlanError, match="expected no sooner than the previous one, which was at"):
        again(problem, Flying(document=old), release=START - 2 * HOUR)


def test_an_outage_that_nobody_knew_of_takes_what_it_meets(tmp_path: Path) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    hit = old["acquisitions"][-1]
    outage = Outage(
        satellite=hit["satellite"],
        start=parse_utc(hit["start"]) - timedelta(minutes=2),
        end=parse_utc(hit["end"]) + timedelta(minutes=2),
        reason="safe mode",
    )
    mission: Mission = replace(problem.mission, outages=(*problem.mission.outages, outage))
    flying = Flying(document=old, frozen_until=problem.end)
    new = again(replace(problem, mission=mission), flying, release=START + HOUR)
    assert hit["id"] in new["previous"]["lost"]


def test_what_cannot_be_commanded_any_more_costs_nothing_and_may_be_commanded_anew(
    tmp_path: Path,
) -> None:
    """All that the pass was to carry is lost, though none of it is frozen yet."""
    problem = random_problem(2, tmp_path)
    old = first_plan(problem)
    carrier = next(p for p in old["passes"] if p["id"] == old["acquisitions"][0]["uplink"])
    fire = Outage(
        station=carrier["station"],
        start=parse_utc(carrier["start"]),
        end=parse_utc(carrier["end"]),
        reason="fire",
    )
    mission = replace(problem.mission, outages=(*problem.mission.outages, fire))
    hit = replace(problem, mission=mission)
    new = again(hit, Flying(document=old), release=START - HOUR)
    carried = [a["id"] for a in old["acquisitions"] if a["uplink"] == carrier["id"]]
    assert sorted(new["previous"]["lost"]) == sorted(carried)
    assert new["previous"]["dropped"] + new["previous"]["moved"] > 0
    assert new["previous"]["cost"] == 0.0
    assert carrier["id"] not in {a["uplink"] for a in new["acquisitions"]}
    new["previous"]["lost"] = carried[1:]
    found = check_plan(mission, problem.requests, new, old)
    assert [v.message for v in found] == [
        f"lost is {', '.join(carried[1:])}, expected {', '.join(carried)}"
    ]


# The command --------------------------------------------------------------------------------------


def test_the_command_plans_again_compares_and_checks(tmp_path: Path) -> None:
    random_problem(2, tmp_path)
    files = tmp_path / "mission-2.toml", tmp_path / "requests-2.geojson"
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    span = ("--start", format_utc(START), "--hours", 5, "--iterations", 0, "--quiet")
    done = humay("plan", *files, *span, "-o", old)
    assert done.returncode == 0, done
    before = old.read_bytes()
    freeze = ("--previous", old, "--freeze-until", format_utc(START + 2 * HOUR))
    release = ("--release", format_utc(START + HOUR))
    done = humay("plan", *files, *span, *release, *freeze, "--compare", old, "-o", new, "--json")
    told = json.loads(done.stdout)
    assert told["difference"]["dropped"] == []
    assert told["difference"]["kept"] == len(load_plan(old)["acquisitions"])
    assert old.read_bytes() == before
    done = humay("check", *files, new, "--previous", old, "--compare", old, "--quiet")
    assert done.stdout.startswith("valid\n")
    assert " kept, 0 moved, 0 dropped, " in done.stdout
    found = plan_difference(load_plan(old), load_plan(new))
    assert found.changed == 0
    done = humay("plan", *files, *span, "--previous", tmp_path / "none.json", "-o", new)
    refusal(done, "none.json", "cannot be read")
