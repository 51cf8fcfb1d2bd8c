"""The attitude laws of the plan file, and the slews between them integrated step by step.

An attitude is a quaternion `body_from_gcrf`; rates are of the body against GCRF, in body axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray, IntArray, dot, norm, unit
from humay.check.aim import CentreLine
from humay.check.calibration_law import across_law, inertial_law
from humay.check.case import Acquisition, CalibrationLook, Phase, Recorded, Segment
from humay.earth import itrf_from_geodetic, sun_gcrf, up_at
from humay.frames import (
    inertial_velocity,
    itrf_from_gcrf,
    matrix_from_quaternion,
    orbital_frame,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.mission import Station
from humay.orbit import Ephemeris

Law: TypeAlias = Callable[[FloatArray], FloatArray]
"""Attitudes (n, 4) at times (n,)."""

Laws: TypeAlias = Callable[[IntArray, FloatArray], FloatArray]
"""Attitudes (n, 4) by the laws of the numbers (n,) at times (n,), nan where there is no law."""

AT_ONCE = 20_000  # instants, about 50 MB of arrays in between
SLEW_STEP_S = 0.05
RATE_STEP_S = 0.1  # central difference: 1e-8 rad/s of truncation, 1e-11 of rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """One attitude (4,) and its rate (3,) in rad/s, body axes."""

    body_from_gcrf: FloatArray
    rate_rad_s: FloatArray


# ---------------------------------------------------------------- laws


def orb_from_itrf(orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Rotations (n, 3, 3) to the orbital frame: z to geodetic nadir, y against the orbit normal."""
    r, v = orbit.state_itrf(t_s)
    return orbital_frame(-up_at(r), inertial_velocity(r, v))


def nadir_law(orbit: Ephemeris) -> Law:
    """Body axes are `orb` axes."""

    def law(t_s: FloatArray) -> FloatArray:
        return _quaternions(orb_from_itrf(orbit, t_s), orbit, t_s)

    return law


def sun_law(orbit: Ephemeris, panel_normal: FloatArray) -> Law:
    """The panel normal at the Sun; the body axis most at right angles with it towards GCRF z."""
    normal_body = unit(panel_normal)
    axis = np.eye(3)[np.argmin(np.abs(normal_body))]  # argmin: the first of equals
    body = _triad(normal_body, axis)

    def law(t_s: FloatArray) -> FloatArray:
        sun = unit(sun_from_satellite(orbit, t_s))
        gcrf = _triad(sun, np.broadcast_to([0.0, 0.0, 1.0], sun.shape))
        return quaternion_from_matrix(body.T @ gcrf)

    return law


def charging_law(orbit: Ephemeris, panel_normal: FloatArray, roll_rad: float) -> Law:
    """The panel normal at the Sun, the body turned by `roll_rad` about it from where y lies nearest
    to y of `orb`, or x to x where the normal lies less than 45 deg off y."""
    normal = unit(panel_normal)
    axis = 0 if abs(normal[1]) > np.sqrt(0.5) else 1
    side = unit(np.eye(3)[axis] - normal[axis] * normal)
    third = np.cross(normal, side)
    # what points along the nearest direction once the body is turned by the roll about its normal
    turned = np.cos(roll_rad) * side - np.sin(roll_rad) * third
    body = np.stack([normal, turned, np.cross(normal, turned)])

    def law(t_s: FloatArray) -> FloatArray:
        to_gcrf = np.swapaxes(itrf_from_gcrf(orbit.epoch, t_s), -1, -2)
        along = (to_gcrf @ orb_from_itrf(orbit, t_s)[:, axis, :, None])[..., 0]
        sun = unit(sun_from_satellite(orbit, t_s))
        return quaternion_from_matrix(body.T @ _triad(sun, along))

    return law


def station_law(orbit: Ephemeris, station: Station, antenna_axis: FloatArray) -> Law:
    """The antenna at the station; the body axis most at right angles with it along the flight."""
    antenna_body = unit(antenna_axis)
    side = np.eye(3)[np.argmin(np.abs(antenna_body))]  # argmin: the first of equals
    body = _triad(antenna_body, side)
    angles = np.array(station.lon_rad), np.array(station.lat_rad)
    place = itrf_from_geodetic(*angles, np.array(station.height_m))

    def law(t_s: FloatArray) -> FloatArray:
        ahead = orb_from_itrf(orbit, t_s)[:, 0]
        there = unit(place - orbit.position_itrf(t_s))
        return _quaternions(body.T @ _triad(there, ahead), orbit, t_s)

    return law


def strip_law(
    orbit: Ephemeris, line: CentreLine, start_s: FloatArray | float, end_s: FloatArray | float
) -> Law:
    """Body z along the line of sight to the aim point, body x along the centre line as seen.

    With n lines in a row and their times (n,), for one time on each.
    """

    def law(t_s: FloatArray) -> FloatArray:
        f = (t_s - start_s) / (end_s - start_s)
        return _quaternions(scan_frame(orbit.position_itrf(t_s), line, f), orbit, t_s)

    return law


def scan_frame(r_itrf: FloatArray, line: CentreLine, f: FloatArray) -> FloatArray:
    """`body_from_itrf` (n, 3, 3) of a satellite at `r_itrf` (n, 3) aiming at f (n,) of the line."""
    aim, along = line.points(f)
    z = unit(aim - r_itrf)
    x = unit(along - dot(along, z)[..., None] * z)
    return np.stack([x, np.cross(z, x), z], axis=-2)


def sun_from_satellite(orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Apparent Sun (n, 3) in metres as seen from the satellite, GCRF axes."""
    r_itrf = orbit.position_itrf(t_s)
    r_gcrf = np.einsum("nji,nj->ni", itrf_from_gcrf(orbit.epoch, t_s), r_itrf)
    return np.asarray(sun_gcrf(orbit.epoch, t_s) - r_gcrf)


def _triad(first: FloatArray, towards: FloatArray) -> FloatArray:
    """Axes (..., 3, 3) as rows: `first`, the nearest to `towards` across it, their product."""
    second = unit(towards - dot(towards, first)[..., None] * first)
    return np.stack([first, second, np.cross(first, second)], axis=-2)


def _quaternions(body_from_itrf: FloatArray, orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
    return quaternion_from_matrix(body_from_itrf @ itrf_from_gcrf(orbit.epoch, t_s))


def acquisition_law(acquisition: Acquisition) -> Law:
    """The strip's law of an acquisition, before its first line too."""
    return strip_law(acquisition.orbit, acquisition.line, acquisition.start_s, acquisition.end_s)


def recorded_law(recorded: Recorded) -> Law | None:
    """That of an acquisition or of a calibration look; None for a look at nothing known."""
    if not isinstance(recorded, CalibrationLook):
        return acquisition_law(recorded)
    if recorded.line is None:
        return inertial_law(recorded)
    strip = strip_law(recorded.orbit, recorded.line, recorded.start_s, recorded.end_s)
    return across_law(strip) if recorded.calibration.kind == "side_slither" else strip


def law_of(segment: Segment, orbit: Ephemeris) -> Law | None:
    """The law of a segment; None for slews, and where the strip or panel it needs is missing."""
    if segment.acquisition is not None:
        return recorded_law(segment.acquisition)
    if segment.law == "nadir":
        return nadir_law(orbit)
    axis = segment.satellite.antenna_axis
    if segment.law == "station" and segment.station is not None and axis is not None:
        return station_law(orbit, segment.station, np.array(axis))
    power = segment.satellite.power
    if segment.law == "sun" and power is not None:
        return sun_law(orbit, np.array(power.panel_normal))
    if segment.law == "charging" and power is not None:
        roll_rad = segment.satellite.charging_roll_rad
        return charging_law(orbit, np.array(power.panel_normal), roll_rad)
    return None


def state_at(law: Law, t_s: float) -> State:
    """Attitude and rate of a law at one time, the rate by a central difference."""
    return states_at(lambda _, times_s: law(times_s), np.array([0]), np.array([t_s]))[0]


def angle_rad(a: FloatArray, b: FloatArray) -> float:
    """Angle of the turn between two attitudes (4,)."""
    turn = quaternion_product(a, quaternion_inverse(b))
    return float(norm(rotation_vector_from_quaternion(turn)))


# ---------------------------------------------------------------- many laws at once


def strip_laws(acquisitions: Sequence[Acquisition]) -> Laws:
    """The strips' laws, by number."""
    lines = [acquisition.line for acquisition in acquisitions]
    times_s = np.array([(a.start_s, a.end_s) for a in acquisitions]).reshape(-1, 2)
    orbits = list({id(a.orbit): a.orbit for a in acquisitions}.values())
    flown = np.array([orbits.index(a.orbit) for a in acquisitions], dtype=np.int64)

    def laws(which: IntArray, t_s: FloatArray) -> FloatArray:
        attitude = np.empty((len(t_s), 4))
        for number, orbit in enumerate(orbits):
            here = np.flatnonzero(flown[which] == number)
            own = which[here]
            line = CentreLine.in_a_row(lines, own)
            attitude[here] = strip_law(orbit, line, *times_s[own].T)(t_s[here])
        return attitude

    return in_pieces(laws)


def laws_of(segments: Sequence[Segment], orbit: Ephemeris) -> Laws:
    """The laws of the segments of one satellite, by number."""
    images = [s.acquisition for s in segments if isinstance(s.acquisition, Acquisition)]
    imaged = np.array([isinstance(s.acquisition, Acquisition) for s in segments], dtype=np.bool_)
    strips, strip_of = strip_laws(images), np.cumsum(imaged) - 1
    kinds = [
        (s.law, s.station and s.station.name, s.acquisition and s.acquisition.id) for s in segments
    ]
    others = {kind: law_of(segments[i], orbit) for i, kind in enumerate(kinds) if not imaged[i]}
    number_of = {kind: number for number, kind in enumerate(others)}
    kind_of = np.array([-1 if imaged[i] else number_of[kind] for i, kind in enumerate(kinds)])

    def laws(which: IntArray, t_s: FloatArray) -> FloatArray:
        attitude = np.full((len(t_s), 4), np.nan)
        here = imaged[which]
        attitude[here] = strips(strip_of[which[here]], t_s[here])
        for number, law in enumerate(others.values()):
            here = kind_of[which] == number
            if law is not None and here.any():
                attitude[here] = law(t_s[here])
        return attitude

    return in_pieces(laws)


def in_pieces(laws: Laws) -> Laws:
    """The same laws, at some thousand instants at a time, so that memory stays bounded."""

    def piecewise(which: IntArray, t_s: FloatArray) -> FloatArray:
        pieces = [slice(i, i + AT_ONCE) for i in range(0, len(t_s), AT_ONCE)]
        return np.concatenate([np.empty((0, 4)), *(laws(which[p], t_s[p]) for p in pieces)])

    return piecewise


def states_at(laws: Laws, which: IntArray, t_s: FloatArray) -> list[State]:
    """Attitude and rate by each law of `which` (n,) at its time (n,), nan where there is no law."""
    around_s = t_s[:, None] + RATE_STEP_S * np.array([-1.0, 0.0, 1.0])
    found = laws(np.repeat(which, 3), around_s.ravel()).reshape(-1, 3, 4)
    turn = quaternion_product(found[:, 2], quaternion_inverse(found[:, 0]))
    rates_rad_s = rotation_vector_from_quaternion(turn) / (2 * RATE_STEP_S)
    return [
        State(body_from_gcrf=attitude, rate_rad_s=rate)
        for attitude, rate in zip(found[:, 1], rates_rad_s, strict=True)
    ]


# ---------------------------------------------------------------- slews


@dataclass(frozen=True, kw_only=True, eq=False)
class Slew:
    """An integrated slew: attitudes (n, 4) and rates (n, 3) at times (n,), from its start on."""

    t_s: FloatArray
    body_from_gcrf: FloatArray
    rate_rad_s: FloatArray

    def part(self, places: IntArray) -> Slew:
        """Only some of its instants."""
        return Slew(
            t_s=self.t_s[places],
            body_from_gcrf=self.body_from_gcrf[places],
            rate_rad_s=self.rate_rad_s[places],
        )

    @property
    def end(self) -> State:
        return State(body_from_gcrf=self.body_from_gcrf[-1], rate_rad_s=self.rate_rad_s[-1])


def integrate_slew(start: State, start_s: float, phases: Sequence[Phase]) -> Slew:
    """Turn from `start` through phases of constant acceleration in body axes, by steps of 0.05 s.

    Each step turns by the rate at its middle: exact while rate and acceleration are parallel, else
    good to |rate x acceleration| step^3 / 12, 2e-8 rad a step at 5 deg/s and 1 deg/s2.
    """
    return next(integrate_slews([start], [start_s], [phases]))


def integrate_slews(
    starts: Sequence[State], starts_s: Sequence[float], phases: Sequence[Sequence[Phase]]
) -> Iterator[Slew]:
    """Many slews as `integrate_slew` does, in pieces of a bounded number of steps."""
    lasting_s = np.array([sum(phase.duration_s for phase in each) for each in phases])
    piece = np.cumsum(lasting_s / SLEW_STEP_S) // AT_ONCE
    for number in np.unique(piece):
        some = np.flatnonzero(piece == number).tolist()
        yield from _integrated(
            [starts[i] for i in some], [starts_s[i] for i in some], [phases[i] for i in some]
        )


def _integrated(
    starts: Sequence[State], starts_s: Sequence[float], phases: Sequence[Sequence[Phase]]
) -> Iterator[Slew]:
    """All steps of some slews in one row; each slew has one state more than steps."""
    flat = [phase for each in phases for phase in each]
    of_phase = np.repeat(np.arange(len(phases)), [len(each) for each in phases])
    lasting_s = np.array([phase.duration_s for phase in flat])
    steps = np.maximum(1, np.ceil(lasting_s / SLEW_STEP_S)).astype(np.int64)
    step_s = np.repeat(lasting_s / steps, steps)
    accelerations = np.array([phase.acceleration_rad_s2 for phase in flat]).reshape(-1, 3)
    acceleration = np.repeat(accelerations, steps, axis=0)
    slew = np.repeat(of_phase, steps)  # which a step belongs to
    first = np.searchsorted(slew, np.arange(len(phases) + 1))
    place = np.arange(len(slew)) - first[slew]  # of a step in its slew
    begin, after = first + np.arange(len(first)), np.arange(len(slew)) + slew + 1
    rate, attitude = np.empty((begin[-1], 3)), np.empty((begin[-1], 4))
    t_s = np.empty(begin[-1])
    rate[begin[:-1]] = [start.rate_rad_s for start in starts]
    attitude[begin[:-1]] = [start.body_from_gcrf for start in starts]
    t_s[begin[:-1]] = starts_s
    rate[after] = rate[begin[slew]] + _summed(acceleration * step_s[:, None], slew, first)
    t_s[after] = t_s[begin[slew]] + _summed(step_s[:, None], slew, first)[:, 0]
    turns = quaternion_from_rotation_vector((rate[after] + rate[after - 1]) / 2 * step_s[:, None])
    made = quaternion_product(_run_together(turns, place), attitude[begin[slew]])
    attitude[after] = made / np.sqrt(np.sum(made * made, axis=-1, keepdims=True))
    for i, end in pairwise(begin.tolist()):
        yield Slew(t_s=t_s[i:end], body_from_gcrf=attitude[i:end], rate_rad_s=rate[i:end])


def _summed(values: FloatArray, slew: IntArray, first: IntArray) -> FloatArray:
    """Sums (n, k) of values (n, k) from the first step of each slew on."""
    total = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    return np.asarray(total[1:] - total[first[slew]])


def _run_together(turns: FloatArray, place: IntArray) -> FloatArray:
    """Turns (n, 4) in a row multiplied up, anew wherever the place (n,) in its slew is 0.

    Neighbours are joined over distances 1, 2, 4, ...: W. D. Hillis, G. L. Steele, CACM 29 (1986).
    """
    joined, reach = turns.copy(), 1
    while reach <= place.max(initial=0):
        later = np.flatnonzero(place >= reach)
        joined[later] = quaternion_product(joined[later], joined[later - reach])
        reach *= 2
    return joined


def to_body(body_from_gcrf: FloatArray, v_gcrf: FloatArray) -> FloatArray:
    """Vectors (n, 3) on body axes."""
    return np.asarray(np.einsum("nij,nj->ni", matrix_from_quaternion(body_from_gcrf), v_gcrf))
