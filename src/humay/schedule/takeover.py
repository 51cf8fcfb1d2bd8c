"""What a plan that begins in the middle of another takes over from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np

from humay.access import Opportunities
from humay.arrays import BoolArray
from humay.errors import PlanError
from humay.mission import Mission, Request, Satellite
from humay.schedule.outages import Span, left_of
from humay.schedule.previous import Previous
from humay.schedule.recorded import recorded
from humay.time import Epoch, format_utc, parse_utc

Json: TypeAlias = Mapping[str, Any]

ORBIT_S = 7_200.0
"""Longer than an orbit takes."""
QUIET_S = 1.0
"""How long before a slew a plan may begin at the latest: it begins in the idle attitude."""


def state_at(document: Json, start: datetime) -> dict[str, dict[str, float]]:
    """What every satellite has in its memory (Gbit) and its battery (Wh), and by how much its
    camera is warmer than its surroundings (K), at an instant of a plan.

    Raises `PlanError`, with the nearest instants that would do, where a satellite is not idle then:
    a plan begins in the idle attitude.
    """
    first, last = parse_utc(document["start"]), parse_utc(document["end"])
    if not first <= start <= last:
        raise PlanError(
            f"the new plan begins at {format_utc(start)}, expected within the previous one,"
            f" {format_utc(first)} to {format_utc(last)}"
        )
    if start == first:
        before: dict[str, dict[str, float]] = document.get("previous", {}).get("state", {})
        return before
    _refuse_busy(document, first, last, start)
    return {name: _on_board(curves, start) for name, curves in document["resources"].items()}


def flown_before(
    document: Json, mission: Mission, start: datetime
) -> dict[str, list[tuple[str, str]]]:
    """When each satellite with limits of imaging was imaging before an instant of a plan, as far as
    these limits reach back: a sliding window as long as it is, one by orbit `ORBIT_S`."""
    earlier = document.get("previous", {}).get("flown", {})
    found = {}
    for satellite in mission.satellites:
        reach_s = [limit.per_s for limit in satellite.imaging_limits]
        reach_s += [ORBIT_S] if satellite.orbit_limit is not None else []
        since = start - timedelta(seconds=max(reach_s, default=0.0))
        own = [a for a in recorded(document) if a["satellite"] == satellite.name]
        spans = [(e["start"], e["end"]) for e in [*earlier.get(satellite.name, ()), *own]]
        kept = [span for span in spans if since < parse_utc(span[1]) <= start]
        if kept:
            found[satellite.name] = sorted(kept, key=lambda span: parse_utc(span[0]))
    return found


def _on_board(curves: Json, start: datetime) -> dict[str, float]:
    t_s = [(parse_utc(text) - start).total_seconds() for text in curves["time"]]
    keys = [key for key in ("memory_gbit", "battery_wh", "camera_k") if key in curves]
    return {key: round(float(np.interp(0.0, t_s, curves[key])), 6) for key in keys}


def _refuse_busy(document: Json, first: datetime, last: datetime, start: datetime) -> None:
    """Raise `PlanError` unless every satellite is idle at an instant and a second longer."""

    def after(text: str) -> float:
        return (parse_utc(text) - first).total_seconds()

    at_s, end_s = (start - first).total_seconds(), (last - first).total_seconds()
    busy = [
        (after(segment["start"]) - QUIET_S, after(segment["end"]), name)
        for name, segments in document["attitude"].items()
        for segment in segments
        if segment["mode"] != "idle"
    ]
    who = next((name for low, high, name in sorted(busy) if low < at_s < high), None)
    if who is None:
        return
    free = left_of((0.0, end_s), [(low, high) for low, high, _ in busy])
    near = [format_utc(first + timedelta(seconds=t)) for t in _nearest(free, at_s)]
    raise PlanError(
        f"the new plan begins at {format_utc(start)}, while {who!r} turns, images or sends in the"
        f" previous one; the nearest instants at which all satellites are idle:"
        f" {' and '.join(near) or 'none'}"
    )


def _nearest(free: list[Span], at_s: float) -> list[float]:
    """The last whole second before and the first after an instant that lie in free spans."""
    whole = [(math.ceil(low), math.floor(high)) for low, high in free]
    before = [high for low, high in whole if low <= high < at_s]
    after = [low for low, high in whole if at_s < low <= high]
    return [*map(float, before[-1:]), *map(float, after[:1])]


def mission_at(mission: Mission, state: Mapping[str, Mapping[str, float]]) -> Mission:
    """The mission with what its satellites have on board as a plan begins."""
    return replace(
        mission,
        satellites=tuple(_loaded(each, state.get(each.name, {})) for each in mission.satellites),
    )


def counted_from(document: Json) -> str:
    """Since when a plan counts the cadence of calibration looks of which nobody says when the last
    was: the start of the first plan of those that followed one another up to it."""
    first: str = document.get("previous", {}).get("counted_from", document["start"])
    return first


def cut_until(document: Json) -> str:
    """The end of that first plan, as over whose span areas are cut into strips in all of them: with
    other margins, strips that are on board already would be others."""
    last: str = document.get("previous", {}).get("cut_until", document["end"])
    return last


def cut_as(document: Json) -> tuple[datetime, datetime]:
    """As over which span the next plan cuts areas into strips."""
    return parse_utc(counted_from(document)), parse_utc(cut_until(document))


def counted_on(mission: Mission, document: Json) -> Mission:
    """The mission with cadences counted on from those of a plan: a later start shifts no date."""
    first = parse_utc(counted_from(document))
    calibrations = [
        replace(each, last=first - timedelta(days=each.every_days)) if each.last is None else each
        for each in mission.calibrations
    ]
    return replace(mission, calibrations=tuple(calibrations))


def _loaded(satellite: Satellite, on_board: Mapping[str, float]) -> Satellite:
    power = satellite.power
    if "memory_gbit" in on_board:
        used = min(max(on_board["memory_gbit"], 0.0) * 1e9, satellite.memory_bit)
        satellite = replace(satellite, memory_used_bit=used)
    if power is not None and "battery_wh" in on_board:
        charge = min(on_board["battery_wh"] * 3_600.0 / power.battery_j, 1.0)
        satellite = replace(satellite, power=replace(power, initial_charge=charge))
    if satellite.thermal is not None and "camera_k" in on_board:
        warm_k = min(on_board["camera_k"], satellite.thermal.limit_k)
        satellite = replace(satellite, thermal=replace(satellite.thermal, initial_k=warm_k))
    return satellite


def imaged_before(
    document: Json,
    start: datetime,
    failed: frozenset[str],
    bad: frozenset[tuple[str, str]] = frozenset(),
) -> list[dict[str, str]]:
    """The strips that a plan, or one before it, has imaged before an instant, and the calibration
    looks it has made, but for those that failed, and `bad` images (strip, end) of earlier plans."""
    earlier = [
        dict(each)
        for each in document.get("previous", {}).get("imaged", [])
        if (each["strip"], format_utc(parse_utc(each["end"]))) not in bad
    ]
    own = [
        {key: entry[key] for key in ("request", "strip", "start", "end")}
        for entry in recorded(document)
        if parse_utc(entry["end"]) <= start and entry["id"] not in failed
    ]
    return earlier + own


def taken_looks(previous: Previous, requests: Sequence[Request], o: Opportunities) -> BoolArray:
    """Which opportunities (n,) of requests that ask for several looks would be one too many beside
    those of earlier plans: in a slot that has its look, nearer to one than asked for, or of a strip
    that has all its looks."""
    asked = {request.name: request for request in requests}
    before: dict[str, list[float]] = {}
    for each in previous.imaged:
        if "start" in each:
            before.setdefault(each["strip"], []).append(o.epoch.seconds(parse_utc(each["start"])))
    taken = np.zeros(len(o), dtype=bool)
    for row in range(len(o)):
        looks, request = before.get(str(o.strip[row])), asked[str(o.request[row])]
        if looks is not None and request.several_looks:
            span = float(o.start_s[row]), float(o.end_s[row])
            taken[row] = _one_too_many(request, looks, span, o.epoch)
    return taken


def _one_too_many(request: Request, looks: Sequence[float], span_s: Span, epoch: Epoch) -> bool:
    if request.stereo is not None:
        return len(looks) >= request.stereo.looks
    repeat = request.repeat
    if repeat is None:
        return False
    apart_s = repeat.separation_s
    if len(looks) >= repeat.count or any(
        span_s[0] < start_s + apart_s and span_s[1] > start_s - apart_s for start_s in looks
    ):
        return True
    if request.start is None:
        return False
    first_s = epoch.seconds(request.start)
    return any(
        first_s + low <= span_s[0] < first_s + high
        for low, high in repeat.slots_s()
        if any(first_s + low <= start_s < first_s + high for start_s in looks)
    )
