"""Codes `keep_out` and `tracking`: no attitude of the timeline looks at what the satellite must not
look at, and in none are too many star trackers blind.

Sun, Moon and Earth are derived from the orbit at every instant looked at: all steps of the
integrated slews (0.05 s), every quarter of a second of sweeps, every second of the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from humay.arrays import FloatArray, angle_between, norm, unit
from humay.check.attitude import law_of
from humay.check.case import Case, Segment
from humay.check.timeline import Slews
from humay.check.violations import Violation
from humay.earth import WGS84_A_M, moon_gcrf, sun_gcrf
from humay.frames import itrf_from_gcrf, matrix_from_quaternion
from humay.mission import KeepOut
from humay.orbit import Ephemeris

STEP_S = {"idle": 1.0, "downlink": 1.0, "settle": 0.25, "image": 0.25}
PIECE = 20_000  # instants at a time, so that memory does not grow with the span
TOLERANCE_DEG = 0.01
HIDDEN_DEG = 1.0  # Sun and Moon do not count this far below the limb and deeper


def check_trackers(case: Case, slews: Slews) -> Iterator[Violation]:
    """[tracking] As many star trackers as are needed see, in each of the modes asked for."""
    for satellite in case.mission.satellites:
        if not satellite.star_trackers:
            continue
        for segment in case.segments[satellite.name]:
            if segment.mode in satellite.tracker_modes:
                yield from _seen(case, segment, slews)


def _seen(case: Case, segment: Segment, slews: Slews) -> Iterator[Violation]:
    """The first instant of a segment at which too few see."""
    satellite, orbit = segment.satellite, case.orbits[segment.satellite.name]
    for t_s, body_from_gcrf in _attitudes(segment, orbit, slews):
        axes = np.swapaxes(matrix_from_quaternion(body_from_gcrf), -1, -2)
        count = np.zeros(len(t_s), dtype=np.int64)
        for tracker in satellite.star_trackers:
            sees = np.ones(len(t_s), dtype=bool)
            for exclusion in tracker.exclusions:
                room_rad = _room_rad(exclusion, orbit, t_s, axes @ np.array(tracker.axis))
                sees &= room_rad >= -math.radians(TOLERANCE_DEG)
            count += sees
        if count.min() < satellite.trackers_needed:
            i = int(np.argmax(count < satellite.trackers_needed))
            yield case.at(
                "tracking",
                segment.where,
                f"{count[i]} of {len(satellite.star_trackers)} star trackers see, expected at"
                f" least {satellite.trackers_needed}",
                float(t_s[i]),
            )
            return


def check_keep_outs(case: Case, slews: Slews) -> Iterator[Violation]:
    """[keep_out] Every keep-out of a satellite, in each of its modes."""
    for satellite in case.mission.satellites:
        for segment in case.segments[satellite.name]:
            wanted = [k for k in satellite.keep_out if segment.mode in k.modes]
            if wanted:
                yield from _kept(case, segment, slews, wanted)


def _kept(case: Case, segment: Segment, slews: Slews, wanted: list[KeepOut]) -> Iterator[Violation]:
    """Of each keep-out, the instant of a segment at which it is broken most."""
    orbit = case.orbits[segment.satellite.name]
    worst = [(math.inf, 0.0)] * len(wanted)
    for t_s, body_from_gcrf in _attitudes(segment, orbit, slews):
        axes = np.swapaxes(matrix_from_quaternion(body_from_gcrf), -1, -2)
        for number, keep_out in enumerate(wanted):
            room = _room_rad(keep_out, orbit, t_s, axes @ np.array(keep_out.axis))
            i = int(np.argmin(room))
            worst[number] = min(worst[number], (float(room[i]), float(t_s[i])))
    for keep_out, (room_rad, t_s_worst) in zip(wanted, worst, strict=True):
        if math.degrees(room_rad) < -TOLERANCE_DEG:
            least_deg = math.degrees(keep_out.angle_rad)
            yield case.at(
                "keep_out",
                segment.where,
                f"{keep_out.name} is {least_deg + math.degrees(room_rad):.3f} deg off"
                f" {_whom(keep_out)}, expected at least {least_deg:.3f} deg",
                t_s_worst,
            )


def _whom(keep_out: KeepOut) -> str:
    return {"sun": "the Sun", "moon": "the Moon", "earth": "the Earth's limb"}[keep_out.body]


def _attitudes(
    segment: Segment, orbit: Ephemeris, slews: Slews
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Times (n,) and attitudes (n, 4) then, a piece at a time; none where they are not known."""
    if segment.mode == "slew":
        slew = slews.get((segment.satellite.name, segment.number))
        if slew is not None:
            yield slew.t_s, slew.body_from_gcrf
        return
    law = law_of(segment, orbit)
    if law is None:
        return
    count = math.ceil((segment.end_s - segment.start_s) / STEP_S[segment.mode]) + 1
    every_s = np.linspace(segment.start_s, segment.end_s, max(2, count))
    for first in range(0, len(every_s), PIECE):
        t_s = every_s[first : first + PIECE]
        yield t_s, law(t_s)


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
