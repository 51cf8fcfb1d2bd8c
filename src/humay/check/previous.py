"""Code `previous`: what is frozen of the plan that flies stays, and what is told of it is so.

The rule is that of docs/guide/schedule.md, "Planning again": what begins before the thaw of its
satellite stays, and what is on board already.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import shapely

from humay.check.aboard import check_taken_over
from humay.check.case import TIME_TOLERANCE_S, Case, Json
from humay.check.earlier import asked_of, counts_from, images_of
from humay.check.flown import check_flown, check_separation
from humay.check.outcomes import as_flown, check_outcomes, lost_in, missed, safe_modes
from humay.check.references import same_geometry
from humay.check.urgent import check_urgent
from humay.check.violations import Violation
from humay.files import json_bytes
from humay.mission import Mission, Outage, Outcomes, Request, Satellite
from humay.time import parse_utc

STATE_TOLERANCE = {"memory_gbit": 1e-4, "battery_wh": 1e-3, "camera_k": 1e-3}
GBIT_TOLERANCE = 1e-6
DOWNLINK_TOLERANCE_S = 1e-3
COST_TOLERANCE = 1e-6


# What a plan says it begins with ------------------------------------------------------------------


def as_stated(
    mission: Mission, requests: Sequence[Request], plan: Json
) -> tuple[Mission, list[Request]]:
    """Mission and requests as a plan has them that follows another: with what it says is on board
    as it begins, and the requests it still flies though nobody asks for them."""
    told = plan.get("previous")
    if told is None:
        return mission, list(requests)
    known = {request.name for request in requests}
    names = {each["name"] for each in told["withdrawn"]} - known
    more = [rebuilt_request(entry) for entry in plan["requests"] if entry["name"] in names]
    satellites = tuple(_loaded(s, told["state"].get(s.name, {})) for s in mission.satellites)
    outages = (*mission.outages, *(o for o in safe_modes(told) if o not in mission.outages))
    if "counted_from" in told:
        mission = _counting_from(mission, parse_utc(told["counted_from"]))
    return replace(mission, satellites=satellites, outages=outages), [*requests, *more]


def _counting_from(mission: Mission, first: datetime) -> Mission:
    """With looks due at an instant, and after that, of those whose last nobody tells."""
    return replace(
        mission,
        calibrations=tuple(
            each if each.last else replace(each, last=first - timedelta(days=each.every_days))
            for each in mission.calibrations
        ),
    )


def _loaded(satellite: Satellite, state: Mapping[str, float]) -> Satellite:
    if "memory_gbit" in state:
        used = min(max(state["memory_gbit"], 0.0) * 1e9, satellite.memory_bit)
        satellite = replace(satellite, memory_used_bit=used)
    if satellite.power is not None and "battery_wh" in state:
        charge = min(state["battery_wh"] * 3_600.0 / satellite.power.battery_j, 1.0)
        satellite = replace(satellite, power=replace(satellite.power, initial_charge=charge))
    if satellite.thermal is not None and "camera_k" in state:
        warm_k = min(state["camera_k"], satellite.thermal.limit_k)
        satellite = replace(satellite, thermal=replace(satellite.thermal, initial_k=warm_k))
    return satellite


def as_it_was(
    mission: Mission, plan: Json, requests: Sequence[Request]
) -> tuple[Mission, list[Request]]:
    """Mission and requests of the day a plan was made, as far as the plan tells: its outages, and
    what was asked without the limits it was asked under; how many looks count, and from which share
    on, is that of the `requests` of today with the same names."""
    outages = tuple(
        Outage(
            station=each["station"],
            satellite=each["satellite"],
            start=parse_utc(each["start"]),
            end=parse_utc(each["end"]),
            reason=each["reason"],
        )
        for each in plan.get("outages", [])
    )
    today = {request.name: request for request in requests}
    asked = [_as_today(rebuilt_request(e), today.get(e["name"])) for e in plan["requests"]]
    return replace(mission, outages=outages), asked


def _as_today(was: Request, now: Request | None) -> Request:
    if now is None or now.kind != was.kind:
        return was
    return replace(
        was,
        completion=now.completion,
        repeat=now.repeat,
        stereo=now.stereo,
        start=now.start if now.repeat is not None else None,
        end=now.end if now.repeat is not None else None,
    )


def rebuilt_request(entry: Json, name: str | None = None) -> Request:
    """A request from what a plan tells of it, under another name if one is given."""
    return Request(
        name=entry["name"] if name is None else name,
        geometry=shapely.geometry.shape(entry["geometry"]),
        kind=entry["kind"],
        height_m=entry["height_m"],
        height_source=entry["height_source"],
        priority=int(entry["priority"]),
        weight=float(entry["weight"]),
        purpose=entry["purpose"],
    )


def still_asked(entry: Json, requests: Sequence[Request]) -> bool:
    """Whether what a plan tells of a request is still asked for, in the same place."""
    asked = next((request for request in requests if request.name == entry["name"]), None)
    return (
        asked is not None
        and asked.kind == entry["kind"]
        and same_geometry(entry["geometry"], asked)
        and (asked.height_m is None) == (entry["height_m"] is None)
        and abs((asked.height_m or 0.0) - (entry["height_m"] or 0.0)) < 0.01
    )


# Against the previous plan itself -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Satellite:
    """What stays of one satellite's part of the previous plan, as its file tells it."""

    thaw_s: float
    acquisitions: Sequence[Json]
    lost: frozenset[str]  # to outages, themselves or the passes with their commands
    passes: Sequence[Json]
    whole: bool  # nothing of it is lost to outages: then its downlinks stay, too


def check_previous(case: Case, old: Json, outcomes: Outcomes | None = None) -> Iterator[Violation]:
    """[previous] What is frozen of the previous plan is in this one, and nothing else before the
    thaw; what is taken over and counted is so."""
    told = case.plan.get("previous")
    if told is None:
        yield _fault(case, "has no 'previous', expected what it keeps of the plan before it")
        return
    digest = hashlib.sha256(json_bytes(old)).hexdigest()
    if told["sha256"] != digest:
        yield _fault(case, f"is of the plan {told['sha256'][:12]}, expected {digest[:12]}")
        return
    for key in ("start", "end", "release"):
        if told[key] != old[key]:
            yield _fault(case, f"{key} is {told[key]}, expected {old[key]}")
    yield from _in_turn(case, told, old)
    yield from _counted(case, told, old)
    yield from check_outcomes(case, told, old, outcomes)
    flown = as_flown(case, told, old)
    yield from _state(case, told, flown)
    yield from _imaged(case, told, old)
    yield from check_separation(case, told)
    if "flown" in told:
        yield from check_flown(case, told, flown)
    if "aboard" in told:
        yield from check_taken_over(case, told, flown)
    stated = set(told["frozen"])
    for satellite in case.mission.satellites:
        stays = _stays(case, told, old, satellite)
        yield from _acquisitions(case, told, satellite, stays, stated)
        yield from _passes(case, satellite, stays)
        if stays.whole and not (
            told.get("lost_passes") or missed(told, old)
        ):  # with more to send, all goes down later
            yield from _downlinks(case, old, satellite, stays)
    yield from _counts(case, told, old)
    yield from check_urgent(case, told, old)


def _in_turn(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """Released after the previous plan, with areas cut as the first plan of the chain has them."""
    release, before = parse_utc(case.plan["release"]), parse_utc(old["release"])
    if release < before:
        yield _fault(case, f"released before the previous plan was, at {old['release']}")
    cut, first = told.get("cut_until"), old.get("previous", {}).get("cut_until", old["end"])
    if cut is not None and parse_utc(cut) != parse_utc(first):
        yield _fault(case, f"cut_until is {cut}, expected {first}")


def _counted(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """Cadences go on from where the previous plan has them."""
    found, expected = told.get("counted_from"), counts_from(old)
    if found is None and not case.mission.calibrations:
        return  # of an older version, without looks that anything is counted for
    if found is None or parse_utc(found) != parse_utc(expected):
        yield _fault(case, f"counted_from is {found}, expected {expected}")


def _fault(case: Case, message: str, t_s: float | None = None) -> Violation:
    return case.at("previous", "plan.previous", message, t_s)


def _state(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """What is on board as the plan begins is what the previous plan's curves have then."""
    if parse_utc(old["start"]) == case.clock.start:
        expected = old.get("previous", {}).get("state", {})
        if told["state"] != expected:
            yield _fault(case, "state differs from that of the previous plan's own start")
        return
    for name, curves in old["resources"].items():
        t_s = [case.clock.seconds(text) - case.start_s for text in curves["time"]]
        for key, slack in STATE_TOLERANCE.items():
            if key not in curves:
                continue
            found = told["state"].get(name, {}).get(key, math.nan)
            expected = float(np.interp(0.0, t_s, curves[key]))
            if key == "memory_gbit" and ("outcomes" in told or told.get("lost_passes")):
                continue  # more is on board than that plan reckoned with: `check_taken_over`
            if not abs(found - expected) <= slack:
                message = f"state of {name!r}: {key} is {found:g}, expected {expected:g}"
                yield _fault(case, message, case.start_s)
    for name, segments in old["attitude"].items():
        for segment in segments:
            low, high = (case.clock.seconds(segment[key]) for key in ("start", "end"))
            if segment["mode"] != "idle" and low < case.start_s < high:
                message = f"begins in a {segment['mode']} of {name!r}, expected its idle attitude"
                yield _fault(case, message, case.start_s)


def _imaged(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    images = images_of(old)
    known = {entry["id"]: entry for entry in images}
    for name in told["failed"]:
        if name not in known:
            yield _fault(case, f"failed {name!r} found, expected an acquisition of that plan")
    bad = [(e["strip"], parse_utc(e["end"])) for e in told.get("outcomes", {}).get("images", [])]
    expected = [
        (e["request"], e["strip"], e.get("start"), e["end"])
        for e in old.get("previous", {}).get("imaged", [])
        if (e["strip"], parse_utc(e["end"])) not in bad
    ]
    expected += [
        (entry["request"], entry["strip"], entry["start"], entry["end"])
        for entry in images
        if case.clock.seconds(entry["end"]) <= case.start_s + TIME_TOLERANCE_S
        and entry["id"] not in told["failed"]
    ]
    found = [(e["request"], e["strip"], e.get("start"), e["end"]) for e in told["imaged"]]
    if Counter(found) != Counter(expected):
        message = f"{len(found)} strips imaged before found, expected the {len(expected)} of it"
        yield _fault(case, message)


def _stays(case: Case, told: Json, old: Json, satellite: Satellite) -> _Satellite:
    clock = case.clock
    booked = {
        entry["id"]: entry
        for entry in [*old.get("previous", {}).get("uplinks", []), *old["passes"]]
        if entry["satellite"] == satellite.name
    }
    outages = [
        (o, clock.seconds(o.start.isoformat()), clock.seconds(o.end.isoformat()))
        for o in case.mission.outages
        if o.satellite == satellite.name or o.station is not None
    ]

    def lost(span: tuple[float, float], station: str | None) -> bool:
        return any(
            (o.satellite == satellite.name or o.station == station)
            and span[0] < high - 1e-4
            and span[1] > low + 1e-4
            for o, low, high in outages
        )

    def span(entry: Json) -> tuple[float, float]:
        return clock.seconds(entry["start"]), clock.seconds(entry["end"])

    dead = lost_in(told, old, "uplink")
    kept = {
        name: e
        for name, e in booked.items()
        if name not in dead and not lost(span(e), e["station"])
    }
    begins = _beginnings(case, old, satellite.name)
    own = [
        entry
        for entry in images_of(old)
        if entry["satellite"] == satellite.name and span(entry)[1] > case.start_s
    ]
    flown = [
        entry
        for entry in own
        if entry["uplink"] in kept and not lost((begins[entry["id"]], span(entry)[1]), None)
    ]
    ready_s = case.release_s + satellite.preparation_s
    until = told["frozen_until"]
    thaw_s = ready_s if until is None else max(ready_s, clock.seconds(until))
    taken = [span(entry) for entry in kept.values()]
    taken += [(begins[entry["id"]], span(entry)[1]) for entry in flown]
    for low, high in sorted(taken):
        thaw_s = max(thaw_s, high) if low < thaw_s else thaw_s
    frozen = [
        entry
        for entry in flown
        if begins[entry["id"]] < thaw_s or span(kept[entry["uplink"]])[0] < ready_s
    ]
    carriers = {entry["uplink"] for entry in frozen}
    return _Satellite(
        thaw_s=thaw_s,
        acquisitions=frozen,
        lost=frozenset(entry["id"] for entry in own) - {entry["id"] for entry in flown},
        passes=[
            entry
            for name, entry in kept.items()
            if span(entry)[1] > case.start_s
            and ("urgent" in told or span(entry)[0] < thaw_s or name in carriers)
        ],
        whole=len(kept) == len(booked) and len(flown) == len(own),
    )


def _beginnings(case: Case, old: Json, satellite: str) -> dict[str, float]:
    """When the slew to each acquisition of a satellite begins."""
    begins: dict[str, float] = {}
    before: Json = {"mode": "idle"}
    start_s = -math.inf
    for segment in old["attitude"].get(satellite, ()):
        if before["mode"] not in ("slew", "settle"):
            start_s = case.clock.seconds(segment["start"])
        if segment["mode"] == "image":
            begins[segment["acquisition"]] = start_s
        before = segment
    return begins


def _acquisitions(
    case: Case, told: Json, satellite: Satellite, stays: _Satellite, stated: set[str]
) -> Iterator[Violation]:
    was = {each["name"]: each["was"] for each in told["withdrawn"]}
    own = [a for a in case.recorded if a.satellite is satellite]
    kept = set()
    for entry in stays.acquisitions:
        start_s, end_s = (case.clock.seconds(entry[key]) for key in ("start", "end"))
        same = [
            a
            for a in own
            if _as_it_was_called(asked_of(a), was) == (entry["request"], entry["strip"])
            and a.entry.get("target") == entry.get("target")
            and abs(a.start_s - start_s) <= TIME_TOLERANCE_S
            and abs(a.end_s - end_s) <= TIME_TOLERANCE_S
        ]
        where = f"acquisition {entry['id']!r} of the previous plan"
        if not same:
            message = f"is frozen, expected at {entry['start']} by {satellite.name!r} as before"
            yield case.at("previous", where, message, start_s)
            continue
        kept.add(same[0].id)
        if same[0].entry["uplink"] != entry["uplink"]:
            message = f"is commanded in {same[0].entry['uplink']!r}, expected {entry['uplink']!r}"
            yield case.at("previous", where, message, start_s)
    for a in own:
        if (a.id in stated) != (a.id in kept):
            message = f"is {'' if a.id in stated else 'not '}told to be frozen, expected otherwise"
            yield case.at("previous", a.where, message, a.start_s)
        if a.id not in kept and a.start_s < stays.thaw_s - TIME_TOLERANCE_S:
            message = "begins in the frozen part, expected only what the previous plan has there"
            yield case.at("previous", a.where, message, a.start_s)


def _as_it_was_called(asked: tuple[str, str], was: Mapping[str, str]) -> tuple[str, str]:
    """Request and strip by what the previous plan calls them."""
    name, strip = asked
    old = was.get(name, name)
    return old, old + strip[len(name) :]


def _passes(case: Case, satellite: Satellite, stays: _Satellite) -> Iterator[Violation]:
    own = {p.id: p for p in case.passes if p.satellite is satellite}
    for entry in stays.passes:
        p = own.pop(entry["id"], None)
        low, high = (case.clock.seconds(entry[key]) for key in ("start", "end"))
        low, high = max(low, case.start_s), min(high, case.end_s)
        same = (
            p is not None
            and p.station.name == entry["station"]
            and abs(p.start_s - low) <= TIME_TOLERANCE_S
            and abs(p.end_s - high) <= TIME_TOLERANCE_S
        )
        if not same:
            where = f"pass {entry['id']!r} of the previous plan"
            yield case.at("previous", where, f"stays, expected from {entry['start']} on", low)
    for p in own.values():
        if p.start_s < stays.thaw_s - TIME_TOLERANCE_S:
            message = "begins in the frozen part, expected only passes of the previous plan there"
            yield case.at("previous", p.where, message, p.start_s)


def _downlinks(
    case: Case, old: Json, satellite: Satellite, stays: _Satellite
) -> Iterator[Violation]:
    """What is sent before the thaw, in the same downlinks; but for the rounding of the memory where
    the plan begins later."""

    def before(entries: Sequence[Any]) -> list[tuple[float, float, float]]:
        rows = [
            (case.clock.seconds(e["start"]), case.clock.seconds(e["end"]), float(e["gbit"]))
            for e in entries
            if e["satellite"] == satellite.name
        ]
        inside = [row for row in rows if case.start_s < row[1] and row[0] < stays.thaw_s - 1e-3]
        return sorted(_cut(*row, case.start_s) for row in inside)

    was, now = before(old["downlinks"]), before(case.plan["downlinks"])
    same_start = parse_utc(old["start"]) == case.clock.start
    slack = GBIT_TOLERANCE if same_start else STATE_TOLERANCE["memory_gbit"]
    agree = len(was) == len(now) and all(
        abs(a[0] - b[0]) <= DOWNLINK_TOLERANCE_S + slack * (a[1] - a[0]) / max(a[2], slack)
        and abs(a[1] - b[1]) <= DOWNLINK_TOLERANCE_S + slack * (a[1] - a[0]) / max(a[2], slack)
        and abs(a[2] - b[2]) <= slack * (1 + b[2])
        for a, b in zip(was, now, strict=True)
    )
    if not agree:
        message = f"{len(now)} downlinks before the thaw, expected the {len(was)} of the last plan"
        yield case.at("previous", f"satellite {satellite.name!r}", message, stays.thaw_s)


def _cut(start_s: float, end_s: float, gbit: float, from_s: float) -> tuple[float, float, float]:
    """The part of a downlink from an instant on."""
    low = max(start_s, from_s)
    return low, end_s, gbit * (end_s - low) / (end_s - start_s)


def _counts(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """Kept, moved, dropped and added acquisitions, and what the broken promises cost."""
    was = {each["name"]: each["was"] for each in told["withdrawn"]}
    last_s = min(case.end_s, case.clock.seconds(old["end"]))

    def strip_of(e: Any, names: Mapping[str, str]) -> tuple[str, str]:
        return names.get(e["request"], e["request"]), e["strip"][len(e["request"]) :]

    def inside(entries: Sequence[Any]) -> list[Any]:
        own = [e for e in entries if case.start_s <= case.clock.seconds(e["start"]) < last_s]
        return sorted(own, key=lambda e: case.clock.seconds(e["start"]))

    before, left = inside(images_of(old)), inside(images_of(case.plan))
    paired: list[tuple[Any, Any]] = []
    for same_window in (True, False):
        for one in list(before):
            for two in left:
                if strip_of(one, {}) == strip_of(two, was) and (
                    not same_window or one["opportunity"] == two["opportunity"]
                ):
                    paired.append((one, two))
                    before.remove(one)
                    left.remove(two)
                    break
    kept = [
        (one, two)
        for one, two in paired
        if one["satellite"] == two["satellite"]
        and abs(case.clock.seconds(one["start"]) - case.clock.seconds(two["start"])) <= 1e-3
    ]
    counts = {
        "kept": len(kept),
        "moved": len(paired) - len(kept),
        "dropped": len(before),
        "added": len(left),
    }
    for key, expected in counts.items():
        if told[key] != expected:
            yield _fault(case, f"{key} is {told[key]}, expected {expected}")
    stays = [_stays(case, told, old, satellite) for satellite in case.mission.satellites]
    frozen = {entry["id"] for each in stays for entry in each.acquisitions}
    lost = {name for each in stays for name in each.lost}
    if set(told["lost"]) != lost:
        message = f"lost is {_listed(told['lost'])}, expected {_listed(lost)}"
        yield _fault(case, message)
    gone = [one for one, two in paired if one["opportunity"] != two["opportunity"]]
    broken = [
        float(entry["value"]) for entry in [*gone, *before] if entry["id"] not in frozen | lost
    ]
    cost = told["stability"] * math.fsum(broken)
    if abs(told["cost"] - cost) > COST_TOLERANCE * max(1.0, cost):
        yield _fault(case, f"cost is {told['cost']:g}, expected {cost:g}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
