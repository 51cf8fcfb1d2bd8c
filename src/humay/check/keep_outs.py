"""Codes `keep_out` and `tracking`: no attitude of the timeline looks at what the satellite must not
look at, and in none are too many star trackers blind.

Sun, Moon and Earth are derived from the orbit at every instant looked at: all steps of the
integrated slews (0.05 s), every quarter of a second of sweeps, every second of the rest.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from itertools import pairwise

import numpy as np

from humay.arrays import FloatArray, IntArray, angle_between, norm, unit
from humay.check.attitude import laws_of
from humay.check.case import Case, Segment
from humay.check.timeline import Slews
from humay.check.violations import Violation
from humay.earth import WGS84_A_M, moon_gcrf, sun_gcrf
from humay.frames import itrf_from_gcrf, matrix_from_quaternion
from humay.mission import KeepOut, Satellite
from humay.orbit import Ephemeris

STEP_S = {"idle": 1.0, "downlink": 1.0, "settle": 0.25, "image": 0.25}
PIECE = 20_000  # instants at a time, so that memory does not grow with the span
TOLERANCE_DEG = 0.01
HIDDEN_DEG = 1.0  # Sun and Moon do not count this far below the limb and deeper


def check_trackers(case: Case, slews: Slews) -> Iterator[Violation]:
    """[tracking] As many star trackers as are needed see, in each of the modes asked for; of each
    segment, the first instant at which they do not."""
    for satellite in case.mission.satellites:
        if not satellite.star_trackers:
            continue
        segments = case.segments[satellite.name]
        told: set[int] = set()
        for which, t_s, seeing in _seeing(satellite, segments, case.orbits[satellite.name], slews):
            for i in np.flatnonzero(seeing < satellite.trackers_needed).tolist():
                if which[i] in told:
                    continue
                told.add(int(which[i]))
                yield case.at(
                    "tracking",
                    segments[which[i]].where,
                    f"{seeing[i]} of {len(satellite.star_trackers)} star trackers see, expected at"
                    f" least {satellite.trackers_needed}",
                    float(t_s[i]),
                )


def _seeing(
    satellite: Satellite, segments: Sequence[Segment], orbit: Ephemeris, slews: Slews
) -> Iterator[tuple[IntArray, FloatArray, IntArray]]:
    """Numbers of segments (n,), times (n,), and how many trackers see then (n,)."""
    for which, t_s, body_from_gcrf in _attitudes(segments, orbit, slews, satellite.tracker_modes):
        axes = np.swapaxes(matrix_from_quaternion(body_from_gcrf), -1, -2)
        seeing = np.zeros(len(t_s), dtype=np.int64)
        for tracker in satellite.star_trackers:
            axis_gcrf = axes @ np.array(tracker.axis)
            room_rad = [_room_rad(each, orbit, t_s, axis_gcrf) for each in tracker.exclusions]
            seeing += np.all(np.array(room_rad) >= -math.radians(TOLERANCE_DEG), axis=0)
        yield which, t_s, seeing


def check_keep_outs(case: Case, slews: Slews) -> Iterator[Violation]:
    """[keep_out] Every keep-out of a satellite, in each of its modes."""
    for satellite in case.mission.satellites:
        segments = case.segments[satellite.name]
        worst = _worst(satellite, segments, case.orbits[satellite.name], slews)
        for number, segment in enumerate(segments):
            for place, keep_out in enumerate(satellite.keep_out):
                room_rad, t_s = worst.get((number, place), (math.inf, 0.0))
                if math.degrees(room_rad) < -TOLERANCE_DEG:
                    least_deg = math.degrees(keep_out.angle_rad)
                    yield case.at(
                        "keep_out",
                        segment.where,
                        f"{keep_out.name} is {least_deg + math.degrees(room_rad):.3f} deg off"
                        f" {_whom(keep_out)}, expected at least {least_deg:.3f} deg",
                        t_s,
                    )


def _worst(
    satellite: Satellite, segments: Sequence[Segment], orbit: Ephemeris, slews: Slews
) -> dict[tuple[int, int], tuple[float, float]]:
    """Of each segment and keep-out, by number, the least room and the instant that has it."""
    worst: dict[tuple[int, int], tuple[float, float]] = {}
    watched = {mode for keep_out in satellite.keep_out for mode in keep_out.modes}
    for which, t_s, body_from_gcrf in _attitudes(segments, orbit, slews, watched):
        axes = np.swapaxes(matrix_from_quaternion(body_from_gcrf), -1, -2)
        first = np.flatnonzero(np.diff(which, prepend=-1))
        for place, keep_out in enumerate(satellite.keep_out):
            room = _room_rad(keep_out, orbit, t_s, axes @ np.array(keep_out.axis))
            for begin, end in pairwise([*first.tolist(), len(which)]):
                number, i = int(which[begin]), begin + int(np.argmin(room[begin:end]))
                if segments[number].mode in keep_out.modes:
                    key, found = (number, place), (float(room[i]), float(t_s[i]))
                    worst[key] = min(worst.get(key, found), found)
    return worst


def _whom(keep_out: KeepOut) -> str:
    return {"sun": "the Sun", "moon": "the Moon", "earth": "the Earth's limb"}[keep_out.body]


def _attitudes(
    segments: Sequence[Segment], orbit: Ephemeris, slews: Slews, watched: Container[str]
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Numbers of segments (n,), times (n,) and attitudes (n, 4), in order, a piece at a time.

    Of segments whose mode is watched; none where the attitude is not known.
    """
    laws = laws_of(segments, orbit)
    for some in _pieces([(i, s) for i, s in enumerate(segments) if s.mode in watched], slews):
        which = np.repeat([i for i, _, _ in some], [len(t_s) for _, t_s, _ in some])
        every_s = np.concatenate([t_s for _, t_s, _ in some])
        body_from_gcrf = np.concatenate([np.full((len(t_s), 4), np.nan) if slew is None else slew
                                         for _, t_s, slew in some])  # fmt: skip
        lawful = np.isnan(body_from_gcrf[:, 0])
        body_from_gcrf[lawful] = laws(which[lawful], every_s[lawful])
        known = ~np.isnan(body_from_gcrf[:, 0])
        if known.any():
            yield which[known], every_s[known], body_from_gcrf[known]


def _pieces(
    segments: Sequence[tuple[int, Segment]], slews: Slews
) -> Iterator[list[tuple[int, FloatArray, FloatArray | None]]]:
    """Instants of segments by number, with the attitudes of slews, some thousand at a time."""
    gathered: list[tuple[int, FloatArray, FloatArray | None]] = []
    room = PIECE
    for number, segment in segments:
        if segment.mode == "slew":
            slew = slews.get((segment.satellite.name, segment.number))
            if slew is None:
                continue
            every_s, attitude = slew.t_s, slew.body_from_gcrf
        else:
            count = math.ceil((segment.end_s - segment.start_s) / STEP_S[segment.mode]) + 1
            every_s, attitude = np.linspace(segment.start_s, segment.end_s, max(2, count)), None
        for first in range(0, len(every_s), PIECE):
            part = slice(first, first + PIECE)
            gathered.append((number, every_s[part], None if attitude is None else attitude[part]))
            room -= len(every_s[part])
            if room <= 0:
                yield gathered
                gathered, room = [], PIECE
    if gathered:
        yield gathered


def _room_rad(
    keep_out: KeepOut, orbit: Ephemeris, t_s: FloatArray, axis_gcrf: FloatArray
) -> FloatArray:
    """By how much (n,) axes (n, 3) keep more than the least angle; infinite where it is hidden."""
    r_itrf = orbit.position_itrf(t_s)
    r = np.einsum("nji,nj->ni", itrf_from_gcrf(orbit.epoch, t_s), r_itrf)
    disc_rad = np.arcsin(np.minimum(WGS84_A_M / norm(r), 1.0))
    if keep_out.body == "earth":
        return np.asarray(angle_between(axis_gcrf, -r) - disc_rad - keep_out.angle_rad)
    body = sun_gcrf if keep_out.body == "sun" else moon_gcrf
    towards = unit(body(orbit.epoch, t_s) - r)
    hidden = angle_between(towards, -r) < disc_rad - math.radians(HIDDEN_DEG)
    return np.where(hidden, np.inf, angle_between(axis_gcrf, towards) - keep_out.angle_rad)
