"""Plans of random missions whose ground binds: the checker accepts each, and refuses it for a
mission that is a little stricter than what the plan uses, or when it is changed a little."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from humay.check import check_plan, verdict
from humay.errors import PlanError
from humay.mission import Mission, Outage, RateStep, Satellite, Station
from humay.schedule import plan_document
from humay.time import format_utc, parse_utc
from tests.schedule.random_problems import plan_of, random_problem

Json = dict[str, Any]
Spoilt = tuple[str, Mission, Json]
"""The check that must find it, the mission and the plan."""


def seconds(entry: Mapping[str, Any]) -> float:
    return (parse_utc(entry["end"]) - parse_utc(entry["start"])).total_seconds()


def with_station(mission: Mission, name: str, **changes: Any) -> Mission:
    stations: list[Station] = [
        replace(s, **changes) if s.name == name else s for s in mission.stations
    ]
    return replace(mission, stations=tuple(stations))


def with_satellite(mission: Mission, name: str, **changes: Any) -> Mission:
    satellites: list[Satellite] = [
        replace(s, **changes) if s.name == name else s for s in mission.satellites
    ]
    return replace(mission, satellites=tuple(satellites))


def in_an_outage(mission: Mission, plan: Json) -> Iterator[Spoilt]:
    """Of the station or the satellite of a downlink, a pass, an acquisition."""
    for kind, whose in (("downlinks", "station"), ("passes", "satellite"), ("acquisitions", "")):
        for entry in plan[kind][:2]:
            middle = parse_utc(entry["start"]) + timedelta(seconds=seconds(entry) / 2)
            who = {whose or "satellite": entry[whose or "satellite"]}
            outage = Outage(
                start=middle, end=middle + timedelta(seconds=0.01), reason="spoilt", **who
            )
            told: Json = {
                "station": outage.station,
                "satellite": outage.satellite,
                "start": format_utc(outage.start),
                "end": format_utc(outage.end),
                "reason": "spoilt",
                "cut": [],
                "dropped": [],
            }
            changed = replace(mission, outages=(*mission.outages, outage))
            yield "outage", changed, {**plan, "outages": [*plan["outages"], told]}


def two_on_an_antenna(mission: Mission, plan: Json) -> Iterator[Spoilt]:
    """A pass that another satellite has, too."""
    others = {s.name for s in mission.satellites}
    for booked in plan["passes"][:2]:
        for name in sorted(others - {booked["satellite"]}):
            twin = {**booked, "id": "twin", "satellite": name}
            yield "antenna", mission, {**plan, "passes": [*plan["passes"], twin]}


def slower_antenna(mission: Mission, plan: Json) -> Iterator[Spoilt]:
    """So slow that it could not turn between the closest two passes of different satellites."""
    for station in mission.stations:
        own = [p for p in plan["passes"] if p["station"] == station.name]
        for before, after in pairwise(own):
            if before["satellite"] == after["satellite"]:
                continue
            apart = parse_utc(after["start"]) - parse_utc(before["end"])
            longer = with_station(mission, station.name, setup_s=apart.total_seconds() + 0.001)
            yield "antenna", longer, plan
            yield "antenna", with_station(mission, station.name, antenna_rate_rad_s=1e-7), plan


def fewer_passes(mission: Mission, plan: Json) -> Iterator[Spoilt]:
    days = Counter((p["station"], p["start"][:10]) for p in plan["passes"])
    for (name, _), count in days.items():
        if count > 1:
            yield "antenna", with_station(mission, name, passes_per_day=count - 1), plan


def slower_link(mission: Mission, plan: Json) -> Iterator[Spoilt]:
    """Rates just below what a downlink uses, or a keyhole or a first step in its middle."""
    for sent in plan["downlinks"][:3]:
        name, rate = sent["station"], 1e9 * sent["gbit"] / seconds(sent)
        if sent["gbit"] < 0.01:
            continue  # its times are written to a microsecond
        yield "downlink", with_station(mission, name, downlink_bit_s=0.999 * rate), plan
        steps = (RateStep(elevation_rad=math.radians(-10), rate_bit_s=0.999 * rate),)
        yield "downlink", with_station(mission, name, rate_by_elevation=steps), plan
        (station,) = [s for s in mission.stations if s.name == name]
        low = {"max_elevation_rad": station.min_elevation_rad + 1e-6}
        yield "downlink", with_station(mission, name, **low), plan
        high = (RateStep(elevation_rad=math.radians(89.9), rate_bit_s=rate),)
        yield "downlink", with_station(mission, name, rate_by_elevation=high), plan


def less_room_for_commands(mission: Mission, plan: Json) -> Iterator[Spoilt]:
    carried = Counter((a["satellite"], a["uplink"]) for a in plan["acquisitions"])
    for (name, _), count in carried.items():
        if count > 1:
            yield "uplink", with_satellite(mission, name, commands_per_pass=count - 1), plan
            yield "uplink", with_satellite(mission, name, command_queue=count - 1), plan


def told_otherwise(mission: Mission, plan: Json) -> Iterator[Spoilt]:
    """First times that are not those of the acquisitions; outages that are not the mission's."""
    for i, entry in enumerate(plan["requests"]):
        if entry["first"]["image"] is not None:
            spoilt = copy.deepcopy(plan)
            spoilt["requests"][i]["first"]["image"] = plan["start"]
            yield "coverage", mission, spoilt
    if plan["outages"]:
        yield "outage", mission, {**plan, "outages": plan["outages"][1:]}


SPOILING: tuple[Callable[[Mission, Json], Iterator[Spoilt]], ...] = (
    in_an_outage, two_on_an_antenna, slower_antenna, fewer_passes, slower_link,
    less_room_for_commands, told_otherwise,
)  # fmt: skip


def spoilt_in_every_way(seeds: range, folder: Path) -> Counter[str]:
    """How many plans were spoilt in each way; all of them refused for it."""
    tried: Counter[str] = Counter()
    for seed in seeds:
        problem = random_problem(seed, folder)
        try:
            plan = plan_document(plan_of(problem))
        except PlanError as error:
            if "even without imaging" not in str(error):
                raise
            continue
        assert verdict(check_plan(problem.mission, problem.requests, plan)) == "valid", seed
        for spoil in SPOILING:
            for code, mission, spoilt in spoil(problem.mission, plan):
                found = {v.code for v in check_plan(mission, problem.requests, spoilt)}
                assert code in found, (seed, spoil.__name__)
                tried[spoil.__name__] += 1
    return tried


def test_what_is_spoilt_is_found(tmp_path: Path) -> None:
    tried = spoilt_in_every_way(range(2000, 2004), tmp_path)
    assert sum(tried.values()) > 20


@pytest.mark.slow
def test_what_is_spoilt_in_any_way_is_found(tmp_path: Path) -> None:
    tried = spoilt_in_every_way(range(2008, 2036), tmp_path)
    assert set(tried) == {spoil.__name__ for spoil in SPOILING}, tried
