"""What a plan that begins in the middle of another takes over from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np

from humay.errors import PlanError
from humay.mission import Mission, Satellite
from humay.schedule.outages import Span, left_of
from humay.time import format_utc, parse_utc

Json: TypeAlias = Mapping[str, Any]

QUIET_S = 1.0
"""How long before a slew a plan may begin at the latest: it begins in the idle attitude."""


def state_at(document: Json, start: datetime) -> dict[str, dict[str, float]]:
    """What every satellite has in its memory (Gbit) and its battery (Wh) at an instant of a plan.

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


def _on_board(curves: Json, start: datetime) -> dict[str, float]:
    t_s = [(parse_utc(text) - start).total_seconds() for text in curves["time"]]
    keys = [key for key in ("memory_gbit", "battery_wh") if key in curves]
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


def _loaded(satellite: Satellite, on_board: Mapping[str, float]) -> Satellite:
    power = satellite.power
    if "memory_gbit" in on_board:
        used = min(max(on_board["memory_gbit"], 0.0) * 1e9, satellite.memory_bit)
        satellite = replace(satellite, memory_used_bit=used)
    if power is not None and "battery_wh" in on_board:
        charge = min(on_board["battery_wh"] * 3_600.0 / power.battery_j, 1.0)
        satellite = replace(satellite, power=replace(power, initial_charge=charge))
    return satellite


def imaged_before(
    document: Json,
    start: datetime,
    failed: frozenset[str],
    bad: frozenset[tuple[str, str]] = frozenset(),
) -> list[dict[str, str]]:
    """The strips that a plan, or one before it, has imaged before an instant, but for the
    acquisitions that failed, and `bad` images (strip, end) of earlier plans."""
    earlier = [
        dict(each)
        for each in document.get("previous", {}).get("imaged", [])
        if (each["strip"], format_utc(parse_utc(each["end"]))) not in bad
    ]
    own = [
        {"request": entry["request"], "strip": entry["strip"], "end": entry["end"]}
        for entry in document["acquisitions"]
        if parse_utc(entry["end"]) <= start and entry["id"] not in failed
    ]
    return earlier + own
