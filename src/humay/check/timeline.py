"""Attitude in time: codes `attitude` (laws, order, stated values) and `slew` (turns in between)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray, norm
from humay.check.agility import check_axes
from humay.check.attitude import (
    Law,
    Slew,
    State,
    angle_rad,
    integrate_slew,
    law_of,
    recorded_law,
    state_at,
)
from humay.check.case import TIME_TOLERANCE_S, Case, Recorded, Segment
from humay.check.violations import Violation
from humay.mission import Satellite

ANGLE_TOLERANCE_DEG = 0.01
RATE_TOLERANCE_DEG_S = 0.01
LIMIT_TOLERANCE = 1e-6  # relative: limits are written in degrees and read in radians
TURN_TOLERANCE_DEG = 0.1
DURATION_TOLERANCE_S = 1e-3
LONGEST_SLEW_S = 7_200.0  # 144,000 steps; slower turns are not manoeuvres of an imaging satellite
UNIT_TOLERANCE = 1e-3

Slews: TypeAlias = dict[tuple[str, int], Slew]
"""Integrated slews by satellite and number of the segment."""


# ---------------------------------------------------------------- order


def check_segments(case: Case) -> Iterator[Violation]:
    """[attitude] Segments join from the plan's start to its end, and fit the acquisitions."""
    for satellite in case.mission.satellites:
        segments = case.segments[satellite.name]
        yield from _joined(case, satellite, segments)
        for segment in segments:
            yield from _allowed(case, segment)
        yield from _continuous(case, segments)
        yield from _imaged_once(case, satellite, segments)
        yield from _settled(case, satellite, segments)


def _joined(case: Case, satellite: Satellite, segments: Sequence[Segment]) -> Iterator[Violation]:
    edges = [case.start_s, *(t for s in segments for t in (s.start_s, s.end_s)), case.end_s]
    places = ["the plan's start", *(f"segment {s.number}" for s in segments), "the plan's end"]
    for index, (end_s, start_s) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        if abs(start_s - end_s) > TIME_TOLERANCE_S:
            what = "gap" if start_s > end_s else "overlap"
            yield case.at(
                "attitude",
                f"attitude[{satellite.name!r}]",
                f"{what} of {abs(start_s - end_s):.6g} s between {places[index]} and"
                f" {places[index + 1]}, expected none",
                end_s,
            )


def _allowed(case: Case, segment: Segment) -> Iterator[Violation]:
    satellite = segment.satellite

    def fault(message: str) -> Violation:
        return case.at("attitude", segment.where, message, segment.start_s)

    if segment.mode == "idle" and segment.law != satellite.idle_attitude:
        yield fault(f"law is {segment.law!r}, expected the mission's {satellite.idle_attitude!r}")
    if segment.law in ("sun", "charging") and satellite.power is None:
        yield fault(f"law is {segment.law!r}, expected 'nadir': the mission names no panel")
    if segment.mode == "downlink" and satellite.antenna != "fixed":
        yield fault(f"found with a {satellite.antenna} antenna, expected with a fixed one only")
    if segment.mode == "downlink" and (segment.entry.get("station") is None) != (
        satellite.antenna_axis is None
    ):
        wanted = "no station" if satellite.antenna_axis is None else "the station it is turned to"
        yield fault(f"station is {segment.entry.get('station')!r}, expected {wanted}")
    other = segment.acquisition
    if other is not None and other.satellite is not satellite:
        yield fault(f"names acquisition {other.id!r} of {other.satellite.name!r}, expected its own")


def _continuous(case: Case, segments: Sequence[Segment]) -> Iterator[Violation]:
    for before, after in pairwise(segments):
        law_before, law_after = _law(case, before), _law(case, after)
        same = (before.law, before.acquisition, before.station) == (
            after.law, after.acquisition, after.station,
        )  # fmt: skip
        if same or law_before is None or law_after is None:
            continue
        message = _apart(state_at(law_before, after.start_s), state_at(law_after, after.start_s))
        if message:
            yield case.at(
                "attitude",
                after.where,
                f"follows {before.mode} without a slew, {message}",
                after.start_s,
            )


def _imaged_once(
    case: Case, satellite: Satellite, segments: Sequence[Segment]
) -> Iterator[Violation]:
    images = [s for s in segments if s.mode == "image"]
    times = Counter(s.acquisition.id for s in images if s.acquisition is not None)
    for acquisition in case.of(satellite)[0]:
        if times[acquisition.id] != 1:
            yield case.at(
                "attitude",
                acquisition.where,
                f"{times[acquisition.id]} image segments found, expected 1",
                acquisition.start_s,
            )
    for image in images:
        own = image.acquisition
        if own is None:
            continue
        off_s = max(abs(image.start_s - own.start_s), abs(image.end_s - own.end_s))
        if off_s > TIME_TOLERANCE_S:
            yield case.at(
                "attitude",
                image.where,
                f"its times differ by {off_s:.6g} s from those of acquisition {own.id!r},"
                " expected the same",
                image.start_s,
            )


def _settled(case: Case, satellite: Satellite, segments: Sequence[Segment]) -> Iterator[Violation]:
    before: Segment | None = None
    for segment in segments:
        if segment.mode == "image" and satellite.settle_s > 0:
            settled = before is not None and before.mode == "settle"
            if before is None or not settled or before.acquisition is not segment.acquisition:
                yield case.at(
                    "attitude",
                    segment.where,
                    "no settling before it, expected some",
                    segment.start_s,
                )
        if before is not None and before.mode == "settle":
            yield from _settle(case, before, segment)
        before = segment


def _settle(case: Case, settle: Segment, after: Segment) -> Iterator[Violation]:
    lasts_s, wanted_s = settle.end_s - settle.start_s, settle.satellite.settle_s
    if lasts_s < wanted_s - TIME_TOLERANCE_S:
        yield case.at(
            "attitude",
            settle.where,
            f"lasts {lasts_s:.6f} s, expected at least {wanted_s:g} s",
            settle.start_s,
        )
    if after.mode != "image" or after.acquisition is not settle.acquisition:
        yield case.at(
            "attitude",
            settle.where,
            f"is followed by {after.mode}, expected the image it settles for",
            settle.end_s,
        )


# ---------------------------------------------------------------- stated attitudes


def check_stated_attitudes(case: Case) -> Iterator[Violation]:
    """[attitude] Quaternions and rates stated at both ends are those of the strip's law."""
    for acquisition in case.recorded:
        law = recorded_law(acquisition)
        if law is None:
            continue  # a violation `calibration`
        for end, t_s in (("start", acquisition.start_s), ("end", acquisition.end_s)):
            yield from _stated_state(case, acquisition, end, state_at(law, t_s), t_s)


def _stated_state(
    case: Case, acquisition: Recorded, end: str, derived: State, t_s: float
) -> Iterator[Violation]:
    def fault(message: str) -> Violation:
        return case.at("attitude", acquisition.where, message, t_s)

    stated = np.array(acquisition.entry[f"attitude_{end}"], dtype=np.float64)
    length = float(np.sqrt(stated @ stated))
    if abs(length - 1) > UNIT_TOLERANCE:
        yield fault(f"attitude_{end} has length {length:.6g}, expected 1")
    else:
        off_deg = math.degrees(angle_rad(stated / length, derived.body_from_gcrf))
        if off_deg > ANGLE_TOLERANCE_DEG:
            yield fault(
                f"attitude_{end} is {off_deg:.4g} deg off the strip's law, expected at most"
                f" {ANGLE_TOLERANCE_DEG:g} deg"
            )
    rate_deg_s = np.array(acquisition.entry[f"rate_{end}_deg_s"], dtype=np.float64)
    off_deg_s = float(norm(rate_deg_s - np.degrees(derived.rate_rad_s)))
    if off_deg_s > RATE_TOLERANCE_DEG_S:
        yield fault(
            f"rate_{end}_deg_s is {off_deg_s:.4g} deg/s off the strip's law, expected at most"
            f" {RATE_TOLERANCE_DEG_S:g} deg/s"
        )


# ---------------------------------------------------------------- slews


def fly_slews(case: Case) -> tuple[Slews, list[Violation]]:
    """[slew] Every slew integrated, and what is wrong with them.

    A slew that cannot be integrated (nothing before it, hours long) is missing in the first.
    """
    slews: Slews = {}
    faults: list[Violation] = []
    for name, segments in case.segments.items():
        for index, segment in enumerate(segments):
            if segment.mode != "slew":
                continue
            before = segments[index - 1] if index else None
            after = segments[index + 1] if index + 1 < len(segments) else None
            start = _state_before(case, segment, before, slews)
            too_long = sum(phase.duration_s for phase in segment.phases) > LONGEST_SLEW_S
            faults += _phase_faults(case, segment)
            if before is None or after is None:
                message = "nothing before or after it, expected an attitude to turn from and to"
                faults.append(case.at("slew", segment.where, message, segment.start_s))
            if start is None or too_long:
                continue
            slew = integrate_slew(start, segment.start_s, segment.phases)
            slews[name, segment.number] = slew
            faults += _slew_faults(
                case, segment, slew, None if after is None else _law(case, after)
            )
    return slews, faults


def _law(case: Case, segment: Segment) -> Law | None:
    return law_of(segment, case.orbits[segment.satellite.name])


def _state_before(
    case: Case, segment: Segment, before: Segment | None, slews: Mapping[tuple[str, int], Slew]
) -> State | None:
    if before is None:
        return None
    if before.mode == "slew":
        flown = slews.get((segment.satellite.name, before.number))
        return None if flown is None else flown.end
    law = _law(case, before)
    return None if law is None else state_at(law, segment.start_s)


def _phase_faults(case: Case, segment: Segment) -> Iterator[Violation]:
    total_s = sum(phase.duration_s for phase in segment.phases)
    lasts_s = segment.end_s - segment.start_s
    if total_s > LONGEST_SLEW_S:
        yield case.at(
            "slew",
            segment.where,
            f"phases last {total_s:.0f} s, expected at most {LONGEST_SLEW_S:.0f} s",
            segment.start_s,
        )
    if abs(total_s - lasts_s) > DURATION_TOLERANCE_S:
        yield case.at(
            "slew",
            segment.where,
            f"phases last {total_s:.4f} s, expected the segment's {lasts_s:.4f} s within 1 ms",
            segment.start_s,
        )
    limit = segment.satellite.slew_acceleration_rad_s2
    for number, phase in enumerate(segment.phases):
        size = float(norm(np.array(phase.acceleration_rad_s2)))
        if size > limit * (1 + LIMIT_TOLERANCE):
            yield case.at(
                "slew",
                segment.where,
                f"acceleration of phase {number} is {math.degrees(size):.6g} deg/s2, expected at"
                f" most {math.degrees(limit):.6g} deg/s2",
                segment.start_s,
            )


def _slew_faults(
    case: Case, segment: Segment, slew: Slew, after: Law | None
) -> Iterator[Violation]:
    rates, wanted_rate = norm(slew.rate_rad_s), slew.rate_rad_s[-1]
    allowed = max(segment.satellite.slew_rate_rad_s, float(rates[0]))
    if after is not None:
        wanted = state_at(after, segment.end_s)
        message = _apart(slew.end, wanted)
        if message:
            yield case.at("slew", segment.where, f"ends {message}", segment.end_s)
        wanted_rate = wanted.rate_rad_s
        allowed = max(allowed, float(norm(wanted_rate)))
    fastest_deg_s, allowed_deg_s = math.degrees(rates.max()), math.degrees(allowed)
    if fastest_deg_s > allowed_deg_s * (1 + LIMIT_TOLERANCE) + RATE_TOLERANCE_DEG_S:
        yield case.at(
            "slew",
            segment.where,
            f"turns at {fastest_deg_s:.6g} deg/s, expected at most {allowed_deg_s:.6g} deg/s",
            segment.start_s,
        )
    yield from check_axes(case, segment, slew, wanted_rate)
    turned_deg, stated_deg = math.degrees(_turn_rad(slew)), float(segment.entry["angle_deg"])
    if abs(turned_deg - stated_deg) > TURN_TOLERANCE_DEG:
        yield case.at(
            "slew",
            segment.where,
            f"angle_deg is {stated_deg:.4g}, expected {turned_deg:.4g} deg from rest to rest",
            segment.start_s,
        )


def _turn_rad(slew: Slew) -> float:
    """Angle run through between the first and the last rest, over all where there is none."""
    rates: FloatArray = norm(slew.rate_rad_s)
    at_rest = np.flatnonzero(np.degrees(rates) < RATE_TOLERANCE_DEG_S)
    first, last = (at_rest[0], at_rest[-1]) if at_rest.size else (0, len(rates) - 1)
    step_s, middle = np.diff(slew.t_s), norm((slew.rate_rad_s[1:] + slew.rate_rad_s[:-1]) / 2)
    return float(np.sum((step_s * middle)[first:last]))


def _apart(found: State, wanted: State) -> str:
    """How far an attitude and rate are from where they should be; empty where they are there."""
    off_deg = math.degrees(angle_rad(found.body_from_gcrf, wanted.body_from_gcrf))
    off_deg_s = math.degrees(float(norm(found.rate_rad_s - wanted.rate_rad_s)))
    if off_deg <= ANGLE_TOLERANCE_DEG and off_deg_s <= RATE_TOLERANCE_DEG_S:
        return ""
    return (
        f"{off_deg:.4g} deg and {off_deg_s:.4g} deg/s off the law after it, expected at most"
        f" {ANGLE_TOLERANCE_DEG:g} deg and {RATE_TOLERANCE_DEG_S:g} deg/s"
    )
