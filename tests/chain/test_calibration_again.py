"""Calibration looks over plans that follow one another: promised, made, failed, displaced."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from humay.chain import Flying, planned, survey, surveyed_again
from humay.check import check_plan
from humay.errors import PlanError
from humay.mission import (
    Calibration,
    ImagingLimit,
    Mission,
    Outcomes,
    Request,
    load_mission,
    load_requests,
    outcomes_from,
)
from humay.schedule import Effort, answers_document, difference_document, plan_difference
from humay.time import format_utc, parse_utc
from tests.chain.small import untold

Json = dict[str, Any]
World = tuple[Mission, tuple[Request, ...]]

START = datetime(2026, 6, 2, 15, tzinfo=UTC)
END = START + timedelta(hours=27)
EARLY = START - timedelta(hours=1)
GREEDY = Effort(iterations=0)
MOON = Calibration(
    name="moon", kind="moon", scan_rad_s=0.004, duration_s=6.0, every_days=1.0,
    tolerance_days=0.4,
)  # fmt: skip
SAND = Calibration(
    name="sand", kind="desert", every_days=30.0, tolerance_days=2.0,
    last=START - timedelta(days=30),
)  # fmt: skip


@pytest.fixture(scope="module")
def world(repository: Path) -> World:
    """One satellite that looks at the Moon every day, counted from the first plan, and at
    a desert once, in sliding limits of imaging."""
    mission = load_mission(repository / "examples" / "azersky2" / "mission.toml")
    requests = load_requests(repository / "examples" / "azersky2" / "requests.geojson", mission)
    satellite = replace(
        mission.satellites[0], imaging_limits=(ImagingLimit(seconds=600.0, per_s=6 * 3600.0),)
    )
    return replace(mission, satellites=(satellite,), calibrations=(MOON, SAND)), requests[:12]


def first_plan(world: World) -> Json:
    """The plan that flies."""
    mission, requests = world
    found = survey(mission, requests, start=START, end=END, step=untold)
    return planned(
        mission, requests, found, start=START, end=END, release=EARLY, seed=1, step=untold,
        effort=GREEDY,
    )  # fmt: skip


@pytest.fixture(scope="module")
def old(world: World) -> Json:
    return first_plan(world)


def again(
    world: World, flying: Flying, start: datetime = START, release: datetime | None = None
) -> Json:
    """The next plan, which the checker accepts alone and beside the one before."""
    mission, requests = world
    release = start if release is None else release
    given = surveyed_again(
        mission, requests, flying, start=start, end=END, release=release, step=untold
    )
    new = planned(
        given.mission, given.requests, given.found, start=start, end=END, release=release, seed=1,
        step=untold, effort=GREEDY, previous=given.previous,
    )  # fmt: skip
    asked = [*requests, *(flying.urgent or ())]
    assert check_plan(mission, asked, new) == []
    assert check_plan(mission, asked, new, flying.document, flying.outcomes) == []
    return new


def after(world: World, old: Json, moment: str) -> datetime:
    """The first instant, some minutes after one, at which the satellite is idle."""
    mission, requests = world
    wished = parse_utc(moment).replace(microsecond=0) + timedelta(minutes=3)
    try:
        surveyed_again(
            mission, requests, Flying(document=old), start=wished, end=END, release=wished,
            step=untold,
        )  # fmt: skip
    except PlanError as error:
        *_, nearest = str(error).split("all satellites are idle: ")
        return parse_utc(nearest.split()[-1])
    return wished


def dues(plan: Json) -> dict[str, Json]:
    return {due["name"]: due for due in plan["calibrations"]}


def taken(plan: Json) -> dict[str, Json]:
    """The looks of a plan by what was due, in order of time."""
    found = [(due["name"], due["look"]) for due in plan["calibrations"] if due["look"]]
    return dict(sorted(found, key=lambda pair: parse_utc(pair[1]["start"])))


@pytest.fixture(scope="module")
def first(old: Json) -> tuple[str, Json]:
    """The first look that is made, and what was due."""
    name, look = next(iter(taken(old).items()))
    return name, look


@pytest.fixture(scope="module")
def start(world: World, old: Json, first: tuple[str, Json]) -> datetime:
    return after(world, old, first[1]["end"])


@pytest.fixture(scope="module")
def later(world: World, old: Json, start: datetime) -> Json:
    return again(world, Flying(document=old), start)


def codes(
    world: World, plan: Json, old: Json, outcomes: Outcomes | None = None
) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for violation in check_plan(*world, plan, old, outcomes):
        found.setdefault(violation.code, []).append(violation.message)
    return found


def test_looks_that_are_frozen_stay_to_the_microsecond(world: World, old: Json) -> None:
    until = START + timedelta(hours=20)
    flying = Flying(document=old, frozen_until=until)
    new = again(world, flying, release=START)
    frozen = {n: look for n, look in taken(old).items() if parse_utc(look["end"]) < until}
    assert len(frozen) >= 2
    for name, look in frozen.items():
        now = taken(new)[name]
        assert [now[key] for key in ("target", "start", "end")] == [
            look[key] for key in ("target", "start", "end")
        ]
        assert now["id"] in new["previous"]["frozen"]


def test_nothing_that_is_promised_moves_without_need(world: World, old: Json) -> None:
    new = again(world, Flying(document=old), release=START)
    told = new["previous"]
    assert told["dropped"] == 0
    assert told["kept"] + told["moved"] == len(old["acquisitions"]) + len(taken(old))
    assert {name: due["due"] for name, due in dues(new).items()} == {
        name: due["due"] for name, due in dues(old).items()
    }


def test_a_look_that_was_made_is_not_due_again(
    old: Json, first: tuple[str, Json], later: Json
) -> None:
    name, look = first
    assert name in {each["request"] for each in later["previous"]["imaged"]}
    due = dues(later)[name]
    assert (due["outcome"], due["look"], due["reason"]["code"]) == ("made", None, "imaged")
    assert due["next_due"] == dues(old)[name]["next_due"]
    assert later["objective"]["value"] < old["objective"]["value"]
    [satellite] = later["previous"]["flown"]
    assert {"start": look["start"], "end": look["end"]} in later["previous"]["flown"][satellite]


def test_the_moon_is_counted_from_the_first_plan_of_a_chain(
    world: World, old: Json, later: Json
) -> None:
    """Every day at 15:00, whenever later plans begin."""
    assert later["previous"]["counted_from"] == format_utc(START)
    hours = {parse_utc(d["due"]).hour for d in later["calibrations"] if d["calibration"] == "moon"}
    assert hours == {15}
    assert set(dues(later)) <= set(dues(old))
    _, look = next(iter(taken(later).items()))
    third = again(world, Flying(document=later), after(world, later, look["end"]))
    assert third["previous"]["counted_from"] == format_utc(START)
    made = {name for name, due in dues(third).items() if due["outcome"] == "made"}
    assert made
    assert set(dues(third)) <= set(dues(later))
    assert not made & set(taken(third))


@pytest.mark.parametrize("what", ["lost", "missed"])
def test_a_look_that_failed_is_due_again(what: str, world: World, old: Json) -> None:
    """One that was never taken weighs nothing and counts for no limit."""
    [(name, look)] = [pair for pair in taken(old).items() if pair[0].startswith("sand")]
    down = [
        downlink["end"]
        for downlink in old["downlinks"]
        if look["id"] in {item["acquisition"] for item in downlink["items"]}
    ]
    start = after(world, old, max(down) if what == "lost" else look["end"])
    outcomes = outcomes_from(
        {"format": "humay-outcomes-1", "acquisitions": [{"id": look["id"], "what": what}]}, "here"
    )
    later, new = (
        again(world, Flying(document=old, outcomes=became), start) for became in (None, outcomes)
    )
    assert dues(later)[name]["outcome"] == "made"
    assert new["previous"]["failed"] == [look["id"]]
    assert dues(new)[name]["outcome"] in {"met", "open"}  # two days are left
    assert (dues(new)[name]["reason"] or {}).get("code") != "imaged"
    [before], [now] = (plan["previous"]["state"].values() for plan in (later, new))
    sent = sum(
        item["gbit"]
        for downlink in old["downlinks"]
        for item in downlink["items"]
        if item["acquisition"] == look["id"] and parse_utc(downlink["end"]) <= start
    )
    lighter = look["data_gbit"] - sent if what == "missed" else 0.0
    assert before["memory_gbit"] - now["memory_gbit"] == pytest.approx(lighter, abs=1e-6)
    [flown] = new["previous"]["flown"].values()
    assert ({"start": look["start"], "end": look["end"]} in flown) == (what == "lost")


def test_a_look_is_on_board_until_it_is_sent(old: Json, later: Json, start: datetime) -> None:
    whole = {d["name"]: d["look"] for d in old["calibrations"] if d["look"]}
    for entry in later["previous"]["aboard"]:
        if entry["request"] in whole:
            look = whole[entry["request"]]
            assert entry["priority"] == 5
            assert entry["end"] == look["end"]
            assert 0 < entry["gbit"] <= look["data_gbit"] + 1e-9
    unsent = {
        name: look
        for name, look in taken(old).items()
        if parse_utc(look["end"]) <= start
        and (look["delivered"] is None or parse_utc(look["delivered"]) > start)
    }
    assert set(unsent) <= {entry["request"] for entry in later["previous"]["aboard"]}


def flood(repository: Path, world: World) -> Request:
    """Something urgent at the Aletsch glacier, which nobody else asks for."""
    file = repository / "examples" / "azersky2" / "requests.geojson"
    [own] = (each for each in load_requests(file, world[0]) if each.name == "Aletsch glacier")
    return replace(own, name="flood", priority=10, weight=50.0)


def test_looks_stay_when_something_urgent_comes_in(
    repository: Path, world: World, old: Json
) -> None:
    flying = Flying(document=old, urgent=(flood(repository, world),), most_changed=0.0)
    new = again(world, flying, release=EARLY)
    assert {name: look["start"] for name, look in taken(new).items()} == {
        name: look["start"] for name, look in taken(old).items()
    }
    assert new["previous"]["kept"] == len(old["acquisitions"]) + len(taken(old))
    assert new["previous"]["added"] >= 1


@pytest.mark.slow
def test_a_look_makes_room_for_what_is_urgent_where_it_is_worth_least(
    repository: Path, world: World
) -> None:
    """No second of imaging is left: of all, the desert at priority 1 goes for it."""
    mission, requests = world
    low = (replace(MOON, priority=9), replace(SAND, priority=1))
    wide = replace(mission, calibrations=low)
    [used_s] = (each["imaging_s"] for each in first_plan((wide, requests))["satellites"])
    limit = ImagingLimit(seconds=used_s + 0.5, per_s=48 * 3600.0)
    [satellite] = wide.satellites
    tight = replace(wide, satellites=(replace(satellite, imaging_limits=(limit,)),)), requests
    old = first_plan(tight)
    [sand] = [due for due in old["calibrations"] if due["calibration"] == "sand"]
    flying = Flying(document=old, urgent=(flood(repository, world),), most_changed=1.0)
    new = again(tight, flying, release=EARLY)
    assert new["previous"]["urgent"]["requests"][0]["displaced"] == [sand["look"]["id"]]
    assert dues(new)[sand["name"]]["reason"]["competitors"] == ["flood"]
    [answer] = answers_document(old, new)["requests"]
    assert answer["displaced"][0]["request"] == sand["name"]
    plan = copy.deepcopy(new)
    plan["previous"]["urgent"]["requests"][0]["displaced"] = ["C0001"]
    assert any("made room, expected once" in each for each in codes(tight, plan, old)["previous"])


def test_the_difference_of_plans_counts_looks(old: Json) -> None:
    other = copy.deepcopy(old)
    [sand] = [due for due in other["calibrations"] if due["calibration"] == "sand"]
    sand |= {"look": None, "reason": {"code": "slew", "text": "no time", "competitors": []}}
    found = difference_document(plan_difference(old, other), other)
    [dropped] = found["dropped"]
    assert (dropped["request"], dropped["reason"]["code"]) == (sand["name"], "slew")
    assert found["kept"] == len(old["acquisitions"]) + len(taken(old)) - 1


# ---------------------------------------------------------------- what is refused, or found


def test_another_cadence_than_that_of_the_plan_that_flies_is_refused(
    world: World, old: Json, start: datetime
) -> None:
    mission, requests = world
    other = replace(mission, calibrations=(replace(MOON, every_days=1.2), SAND))
    with pytest.raises(PlanError, match="made for other calibration looks than the mission asks"):
        again((other, requests), Flying(document=old), start)


def test_a_look_that_was_made_and_is_not_told_is_found(
    world: World, old: Json, later: Json, first: tuple[str, Json]
) -> None:
    plan = copy.deepcopy(later)
    imaged = plan["previous"]["imaged"]
    imaged[:] = [each for each in imaged if each["request"] != first[0]]
    found = codes(world, plan, old)
    assert any("imaged before found" in message for message in found["previous"])
    assert any("outcome is 'made'" in message for message in found["calibration"])


def test_a_look_told_to_be_made_that_was_not_is_found(world: World, old: Json, later: Json) -> None:
    plan = copy.deepcopy(later)
    name, look = next(iter(taken(later).items()))
    span = {"start": look["start"], "end": look["end"]}
    plan["previous"]["imaged"].append({"request": name, "strip": name, **span})
    found = codes(world, plan, old)
    assert any("imaged before found" in message for message in found["previous"])
    assert any("expected that it is not taken again" in each for each in found["calibration"])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("counted_from", "2026-06-02T15:00:01Z", "counted_from is"),
        ("kept", 0, "kept is 0"),
        ("flown", {}, "images before found"),
        ("aboard", [], "are on board, expected"),
        ("state", {}, "expected"),
    ],
)
def test_what_is_told_falsely_of_the_plan_before_is_found(
    key: str, value: Any, said: str, world: World, old: Json, later: Json
) -> None:
    plan = copy.deepcopy(later)
    assert plan["previous"][key] != value
    plan["previous"][key] = value
    assert any(said in message for message in codes(world, plan, old)["previous"])


def test_dates_that_are_not_counted_on_are_found(world: World, old: Json, later: Json) -> None:
    plan = copy.deepcopy(later)
    del plan["previous"]["counted_from"]
    found = codes(world, plan, old)
    assert any("counted_from is None" in message for message in found["previous"])
    assert "calibration" in found


def test_a_frozen_look_that_is_not_as_it_was_is_found(world: World, old: Json) -> None:
    new = again(
        world, Flying(document=old, frozen_until=START + timedelta(hours=20)), release=START
    )
    plan = copy.deepcopy(new)
    _, look = next(iter(taken(plan).items()))
    look["target"] = "Libya 1" if look["target"] == "Moon" else "Moon"
    found = codes(world, plan, old)
    assert any("is frozen, expected at" in message for message in found["previous"])
