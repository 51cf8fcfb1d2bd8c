"""Attitude in time: codes `attitude` (laws, order, stated values) and `slew` (turns in between)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray, norm
from humay.check.agility import check_axes
from humay.check.attitude import (
    Slew,
    State,
    angle_rad,
    integrate_slews,
    laws_of,
    recorded_law,
    state_at,
    states_at,
    strip_laws,
)
from humay.check.case import TIME_TOLERANCE_S, Acquisition, Case, Recorded, Segment
from humay.check.violations import Violation
from humay.mission import Satellite
from humay.orbit import Ephemeris

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
    followed = [(segment.law, segment.acquisition, segment.station) for segment in segments]
    joints = [i for i in range(1, len(segments)) if followed[i - 1] != followed[i]]
    for i, before, after in zip(joints, *_joint_states(case, segments, joints), strict=True):
        message = "" if _unknown(before) or _unknown(after) else _apart(before, after)
        if message:
            yield case.at(
                "attitude",
                segments[i].where,
                f"follows {segments[i - 1].mode} without a slew, {message}",
                segments[i].start_s,
            )


def _joint_states(
    case: Case, segments: Sequence[Segment], joints: Sequence[int]
) -> tuple[list[State], list[State]]:
    """By the laws of the segments before and after each joint, then."""
    if not joints:
        return [], []
    laws = laws_of(segments, case.orbits[segments[0].satellite.name])
    t_s, which = np.array([segments[i].start_s for i in joints]), np.array(joints)
    return states_at(laws, which - 1, t_s), states_at(laws, which, t_s)


def _unknown(state: State) -> bool:
    """Whether it is of a segment without a law."""
    return bool(np.isnan(state.body_from_gcrf[0]))


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
    acquisitions = case.acquisitions
    times_s = np.array([(a.start_s, a.end_s) for a in acquisitions]).reshape(-1, 2)
    numbers, laws = np.arange(len(acquisitions)), strip_laws(acquisitions)
    derived = zip(*(states_at(laws, numbers, t_s) for t_s in times_s.T), strict=True)
    for acquisition, states in zip(acquisitions, derived, strict=True):
        yield from _stated_state(case, acquisition, "start", states[0], acquisition.start_s)
        yield from _stated_state(case, acquisition, "end", states[1], acquisition.end_s)
    for look in case.recorded:
        law = None if isinstance(look, Acquisition) else recorded_law(look)
        if law is not None:  # else a violation `calibration`
            for end, t_s in (("start", look.start_s), ("end", look.end_s)):
                yield from _stated_state(case, look, end, state_at(law, t_s), t_s)


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
        flown = _flown(segments, case.orbits[name])
        ends = {i + 1: segments[i].end_s for i in flown if i + 1 < len(segments)}
        wanted = _states(segments, case.orbits[name], ends)
        for i, segment in enumerate(segments):
            if segment.mode != "slew":
                continue
            faults += _phase_faults(case, segment)
            if not 0 < i < len(segments) - 1:
                message = "nothing before or after it, expected an attitude to turn from and to"
                faults.append(case.at("slew", segment.where, message, segment.start_s))
            if i in flown:
                slews[name, segment.number] = flown[i]
                faults += _slew_faults(case, segment, flown[i], wanted.get(i + 1))
    return slews, faults


def _flown(segments: Sequence[Segment], orbit: Ephemeris) -> dict[int, Slew]:
    """The slews of one satellite by place among its segments, those after slews after those."""
    flyable = {
        i for i, s in enumerate(segments)
        if s.mode == "slew" and sum(phase.duration_s for phase in s.phases) <= LONGEST_SLEW_S
    }  # fmt: skip
    slews: dict[int, Slew] = {}
    begins = {i - 1: segments[i].start_s for i in sorted(flyable) if i > 0}
    starts = {i + 1: state for i, state in _states(segments, orbit, begins).items()}
    while starts:
        some = list(starts)
        made = integrate_slews(
            list(starts.values()),
            [segments[i].start_s for i in some],
            [segments[i].phases for i in some],
        )
        flown = dict(zip(some, made, strict=True))
        slews |= flown
        starts = {i + 1: slew.end for i, slew in flown.items() if i + 1 in flyable}
    return slews


def _states(
    segments: Sequence[Segment], orbit: Ephemeris, times_s: Mapping[int, float]
) -> dict[int, State]:
    """By the laws of some segments at a time each, where they have a law."""
    which, t_s = np.array(list(times_s), dtype=np.int64), np.array(list(times_s.values()))
    states = states_at(laws_of(segments, orbit), which, t_s)
    return {i: state for i, state in zip(times_s, states, strict=True) if not _unknown(state)}


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
    case: Case, segment: Segment, slew: Slew, wanted: State | None
) -> Iterator[Violation]:
    rates, wanted_rate = norm(slew.rate_rad_s), slew.rate_rad_s[-1]
    allowed = max(segment.satellite.slew_rate_rad_s, float(rates[0]))
    if wanted is not None:
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
