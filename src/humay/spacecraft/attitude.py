"""The attitude a plan commands, at every instant of it: idle laws, sweeps of strips, and slews.

The sweeps follow the predicted orbit, for that is the one on board. What the laws say stands in
docs/reference/plan.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from humay.access import body_from_gcrf
from humay.arrays import FloatArray, cross, dot, frozen, norm, unit
from humay.earth import itrf_from_geodetic, sun_gcrf, up_at
from humay.errors import PlanError
from humay.frames import (
    inertial_velocity,
    itrf_from_gcrf,
    orbital_frame,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.mission import Satellite, Station
from humay.orbit import Ephemeris
from humay.spacecraft.orders import CalibrationLook, Orders, Phase, Segment, Task
from humay.time import Epoch, format_utc

Law: TypeAlias = Callable[[FloatArray], FloatArray]
"""Attitudes (n, 4) `body_from_gcrf` at times (n,)."""

RATE_STEP_S = 0.05
JUMP_RAD = np.radians(0.1)  # a slew that ends further from the law after it is refused


@dataclass(frozen=True, kw_only=True, eq=False)
class Commanded:
    """The attitude of one satellite over a plan: k `laws` in a row between `edges_s` (k + 1,)."""

    edges_s: FloatArray
    laws: tuple[Law, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges_s", frozen(self.edges_s))

    def attitude(self, t_s: FloatArray) -> FloatArray:
        """`body_from_gcrf` (n, 4) at times (n,); outside the plan its first and last law go on."""
        which = np.clip(np.searchsorted(self.edges_s, t_s, side="right") - 1, 0, len(self.laws) - 1)
        attitudes = np.empty((len(t_s), 4))
        for i in np.unique(which):
            here = which == i
            attitudes[here] = self.laws[i](t_s[here])
        return attitudes


def commanded_attitude(
    orders: Orders, satellite: Satellite, orbit: Ephemeris, stations: Sequence[Station] = ()
) -> Commanded:
    """What the orders say for `satellite` on its predicted orbit. Raises `PlanError`.

    A slew starts from where the segment before it ends, and must end where the next one begins.
    """
    tasks = {task.id: task for task in orders.recorded}
    laws: list[Law] = []
    for segment in orders.segments:
        if segment.mode == "slew":
            laws.append(_slew(laws[-1], segment))
        else:
            laws.append(_law(segment, tasks, satellite, orbit, stations))
    edges = [orders.segments[0].start_s, *(segment.end_s for segment in orders.segments)]
    _refuse_jumps(orders, laws, orbit.epoch)
    return Commanded(edges_s=np.array(edges), laws=tuple(laws))


def _refuse_jumps(orders: Orders, laws: Sequence[Law], epoch: Epoch) -> None:
    for (before, law), (_, after) in pairwise(zip(orders.segments, laws, strict=True)):
        at = np.array([before.end_s])
        jump = float(norm(_turn_between(law(at), after(at)))[0])
        if not jump <= JUMP_RAD:
            raise PlanError(
                f"plan.attitude.{orders.satellite} jumps by {np.degrees(jump):.3f} deg at"
                f" {format_utc(epoch.utc(before.end_s))}, expected at most"
                f" {np.degrees(JUMP_RAD):g} deg"
            )


def _law(
    segment: Segment,
    tasks: dict[str, Task | CalibrationLook],
    satellite: Satellite,
    orbit: Ephemeris,
    stations: Sequence[Station],
) -> Law:
    if segment.task is not None:
        task = tasks[segment.task]
        return (
            look_law(task, orbit) if isinstance(task, CalibrationLook) else sweep_law(task, orbit)
        )
    if segment.station is not None:
        return _towards(segment.station, satellite, orbit, stations)
    if segment.law == "nadir":
        return nadir_law(orbit)
    if satellite.power is None:
        raise PlanError(
            f"plan.attitude.{satellite.name} turns panels to the Sun, expected 'nadir': the mission"
            " has no power table for this satellite"
        )
    normal = np.array(satellite.power.panel_normal)
    if segment.law == "charging":
        return charging_law(orbit, normal, satellite.charging_roll_rad)
    return sun_law(orbit, normal)


def _towards(name: str, satellite: Satellite, orbit: Ephemeris, stations: Sequence[Station]) -> Law:
    station = next((each for each in stations if each.name == name), None)
    if station is None or satellite.antenna_axis is None:
        raise PlanError(
            f"plan.attitude.{satellite.name} turns its antenna to {name!r}, expected a station of"
            " the mission and a satellite with an antenna_axis"
        )
    return station_law(orbit, station, np.array(satellite.antenna_axis))


def sweep_law(task: Task, orbit: Ephemeris) -> Law:
    """The boresight runs along the strip's centre line; it goes on before and after."""

    def law(t_s: FloatArray) -> FloatArray:
        start, duration = np.array(task.start_s), np.array(task.end_s - task.start_s)
        return body_from_gcrf(orbit, task.line, start, duration, t_s)

    return law


def look_law(look: CalibrationLook, orbit: Ephemeris) -> Law:
    """Along a line on the ground, if need be turned across it, or an even turn among the stars."""
    line = look.line
    if line is None:
        still = Phase(duration_s=0.0, acceleration_rad_s2=np.zeros(3))
        return lambda t_s: _spin(look.attitude, look.rate_rad_s, still, t_s - look.start_s)
    turn = np.array([0.0, 0.0, np.pi / 2 if look.across else 0.0])
    start, duration = np.array(look.start_s), np.array(look.end_s - look.start_s)
    return lambda t_s: quaternion_product(
        quaternion_from_rotation_vector(turn), body_from_gcrf(orbit, line, start, duration, t_s)
    )


def nadir_law(orbit: Ephemeris) -> Law:
    """Body axes are orbital axes."""

    def law(t_s: FloatArray) -> FloatArray:
        r, v = orbit.state_itrf(t_s)
        axes = orbital_frame(-up_at(r), inertial_velocity(r, v))
        return quaternion_from_matrix(axes @ itrf_from_gcrf(orbit.epoch, t_s))

    return law


def station_law(orbit: Ephemeris, station: Station, antenna_axis: FloatArray) -> Law:
    """The antenna points at the station; of the body axes the one closest to a right angle with it
    (the first of equals) lies, as nearly as it can, along the flight."""
    antenna = unit(antenna_axis)
    body = _triad(antenna, np.eye(3)[int(np.argmin(np.round(np.abs(antenna), 12)))])
    angles = np.array(station.lon_rad), np.array(station.lat_rad)
    place = itrf_from_geodetic(*angles, np.array(station.height_m))

    def law(t_s: FloatArray) -> FloatArray:
        r, v = orbit.state_itrf(t_s)
        ahead = orbital_frame(-up_at(r), inertial_velocity(r, v))[:, 0]
        axes = body.T @ _triad(unit(place - r), ahead)
        return quaternion_from_matrix(axes @ itrf_from_gcrf(orbit.epoch, t_s))

    return law


def sun_law(orbit: Ephemeris, panel_normal: FloatArray) -> Law:
    """The panel normal points at the Sun; of the body axes the one closest to a right angle with it
    (the first of equals) lies, as nearly as it can, towards GCRF z."""
    normal = unit(panel_normal)
    axis = np.eye(3)[int(np.argmin(np.round(np.abs(normal), 12)))]
    body = _triad(normal, axis)

    def law(t_s: FloatArray) -> FloatArray:
        sun = sun_direction_gcrf(orbit, t_s)
        pole = np.broadcast_to([0.0, 0.0, 1.0], sun.shape)
        return quaternion_from_matrix(body.T @ _triad(sun, pole))

    return law


def charging_law(orbit: Ephemeris, panel_normal: FloatArray, roll_rad: float) -> Law:
    """The panel normal points at the Sun, body y (x for panels along y) as nearly as it can where
    it points to over nadir; from there the body is turned about the normal."""
    normal = unit(panel_normal)
    axis = 1 if abs(normal[1]) <= np.sqrt(0.5) else 0
    body = _triad(normal, np.eye(3)[axis])
    turn = quaternion_from_rotation_vector(roll_rad * normal)

    def law(t_s: FloatArray) -> FloatArray:
        r, v = orbit.state_itrf(t_s)
        side_itrf = orbital_frame(-up_at(r), inertial_velocity(r, v))[:, axis]
        turn_itrf = itrf_from_gcrf(orbit.epoch, t_s)
        side = np.einsum("nji,nj->ni", turn_itrf, side_itrf)
        facing = quaternion_from_matrix(body.T @ _triad(sun_direction_gcrf(orbit, t_s), side))
        return quaternion_product(turn, facing)

    return law


def sun_direction_gcrf(orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Unit vectors (n, 3) from the satellite to the Sun."""
    r_itrf = orbit.position_itrf(t_s)
    r_gcrf = np.einsum("nji,nj->ni", itrf_from_gcrf(orbit.epoch, t_s), r_itrf)
    return unit(sun_gcrf(orbit.epoch, t_s) - r_gcrf)


def _triad(first: FloatArray, towards: FloatArray) -> FloatArray:
    """Axes (..., 3, 3) as rows: `first`, `towards` made orthogonal to it, their product."""
    second = unit(towards - dot(towards, first)[..., None] * first)
    return np.stack([first, second, cross(first, second)], axis=-2)


def _turn_between(a: FloatArray, b: FloatArray) -> FloatArray:
    """Rotation vectors (n, 3) from attitudes a to b (n, 4)."""
    return rotation_vector_from_quaternion(quaternion_product(b, quaternion_inverse(a)))


def _rate(law: Law, t_s: float) -> FloatArray:
    """Body rate (3,) rad/s, by central difference."""
    before, after = law(t_s + RATE_STEP_S * np.array([-1.0, 1.0]))
    return np.asarray(_turn_between(before, after) / (2 * RATE_STEP_S))


def _slew(before: Law, segment: Segment) -> Law:
    """Phases of constant acceleration from the state in which the law before ends."""
    attitude, rate = before(np.array([segment.start_s]))[0], _rate(before, segment.start_s)
    starts = [(segment.start_s, attitude, rate)]
    for phase in segment.phases:
        begin_s, attitude, rate = starts[-1]
        length_s = np.array([phase.duration_s])
        attitude = _spin(attitude, rate, phase, length_s)[0]
        rate = rate + phase.acceleration_rad_s2 * phase.duration_s
        starts.append((begin_s + phase.duration_s, attitude, rate))
    rest = Phase(duration_s=0.0, acceleration_rad_s2=np.zeros(3))
    phases = (*segment.phases, rest)  # after the last one the rate stays
    begins = np.array([begin_s for begin_s, _, _ in starts])

    def law(t_s: FloatArray) -> FloatArray:
        which = np.clip(np.searchsorted(begins, t_s, side="right") - 1, 0, len(phases) - 1)
        attitudes = np.empty((len(t_s), 4))
        for i in np.unique(which):
            begin_s, q, w = starts[i]
            here = which == i
            attitudes[here] = _spin(q, w, phases[i], t_s[here] - begin_s)
        return attitudes

    return law


def _spin(q: FloatArray, rate: FloatArray, phase: Phase, after_s: FloatArray) -> FloatArray:
    """Attitudes (n, 4) after times (n,) in a phase, whose rate and acceleration share an axis."""
    s = after_s[:, None]
    turn = rate * s + 0.5 * phase.acceleration_rad_s2 * s**2
    return quaternion_product(quaternion_from_rotation_vector(turn), q[None])
