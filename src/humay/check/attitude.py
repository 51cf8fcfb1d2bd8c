"""The attitude laws of the plan file, and the slews between them integrated step by step.

An attitude is a quaternion `body_from_gcrf`; rates are of the body against GCRF, in body axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray, dot, norm, unit
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


def strip_law(orbit: Ephemeris, line: CentreLine, start_s: float, end_s: float) -> Law:
    """Body z along the line of sight to the aim point, body x along the centre line as seen."""

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
    before, now, after = law(t_s + RATE_STEP_S * np.array([-1.0, 0.0, 1.0]))
    turn = quaternion_product(after, quaternion_inverse(before))
    return State(
        body_from_gcrf=now, rate_rad_s=rotation_vector_from_quaternion(turn) / (2 * RATE_STEP_S)
    )


def angle_rad(a: FloatArray, b: FloatArray) -> float:
    """Angle of the turn between two attitudes (4,)."""
    turn = quaternion_product(a, quaternion_inverse(b))
    return float(norm(rotation_vector_from_quaternion(turn)))


# ---------------------------------------------------------------- slews


@dataclass(frozen=True, kw_only=True, eq=False)
class Slew:
    """An integrated slew: attitudes (n, 4) and rates (n, 3) at times (n,), from its start on."""

    t_s: FloatArray
    body_from_gcrf: FloatArray
    rate_rad_s: FloatArray

    @property
    def end(self) -> State:
        return State(body_from_gcrf=self.body_from_gcrf[-1], rate_rad_s=self.rate_rad_s[-1])


def integrate_slew(start: State, start_s: float, phases: Sequence[Phase]) -> Slew:
    """Turn from `start` through phases of constant acceleration in body axes, by steps of 0.05 s.

    Each step turns by the rate at its middle: exact while rate and acceleration are parallel, else
    good to |rate x acceleration| step^3 / 12, 2e-8 rad a step at 5 deg/s and 1 deg/s2.
    """
    steps = [max(1, int(np.ceil(phase.duration_s / SLEW_STEP_S))) for phase in phases]
    step_s = np.repeat([p.duration_s / n for p, n in zip(phases, steps, strict=True)], steps)
    acceleration = np.repeat([p.acceleration_rad_s2 for p in phases], steps, axis=0)
    gained = np.cumsum(acceleration * step_s[:, None], axis=0)
    rate = start.rate_rad_s + np.vstack([np.zeros(3), gained])
    turns = quaternion_from_rotation_vector((rate[1:] + rate[:-1]) / 2 * step_s[:, None])
    attitude = np.vstack([start.body_from_gcrf, _run_together(turns, start.body_from_gcrf)])
    t_s = start_s + np.concatenate([[0.0], np.cumsum(step_s)])
    return Slew(t_s=t_s, body_from_gcrf=attitude, rate_rad_s=rate)


def _run_together(turns: FloatArray, start: FloatArray) -> FloatArray:
    """Attitudes (n, 4) after each of the turns (n, 4) in a row, from `start`.

    Neighbours are joined over distances 1, 2, 4, ...: W. D. Hillis, G. L. Steele, CACM 29 (1986).
    """
    joined, reach = turns.copy(), 1
    while reach < len(joined):
        joined[reach:] = quaternion_product(joined[reach:], joined[:-reach])
        reach *= 2
    made = quaternion_product(joined, start)
    return np.asarray(made / np.sqrt(np.sum(made * made, axis=-1, keepdims=True)))


def to_body(body_from_gcrf: FloatArray, v_gcrf: FloatArray) -> FloatArray:
    """Vectors (n, 3) on body axes."""
    return np.asarray(np.einsum("nij,nj->ni", matrix_from_quaternion(body_from_gcrf), v_gcrf))
