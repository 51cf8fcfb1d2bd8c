"""From a mission's orbits to ephemerides over a span."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from humay.arrays import FloatArray, cross, dot, unit
from humay.errors import OrbitError
from humay.frames import itrf_from_teme
from humay.mission import Mission, OmmOrbit, Satellite, TleOrbit
from humay.orbit.elements import orbit_from_omm, orbit_from_tle
from humay.orbit.ephemeris import RIM, Ephemeris, Segment, segment_through
from humay.orbit.sgp4 import Sgp4Orbit
from humay.orbit.sun_synchronous import sun_synchronous_orbit
from humay.roots import bracketed_roots
from humay.time import Epoch, format_utc

NODE_STEP_S = 120.0  # quintic between: 6 mm of SGP4 at 700 km, 11 at 300 (a test holds it)
_MARGIN_S = 7_200.0
_MARGIN_ORBITS = 1.1  # more than one, so that the span's first orbit has its node
_STEPS_PER_ORBIT = 5  # of a round orbit; under half a turn each, with those of eccentric ones
_AT_NODE_RAD = np.radians(0.02)  # 0.3 s: an epoch so little before a node is meant to be at it


def ephemerides(mission: Mission, start: datetime, end: datetime) -> dict[str, Ephemeris]:
    """The way of every satellite over [start, end] and two hours, or an orbit, around it.

    All share one epoch, the midnight before the earliest orbit epoch, so that neither the span nor
    its nodes move when `start` does. Raises `OrbitError` for elements older or newer than the
    mission allows, or that SGP4 cannot take so far.
    """
    if not start < end:
        raise OrbitError(f"the span ends at {format_utc(end)}, not after {format_utc(start)}")
    orbits = {satellite.name: orbit_of(satellite) for satellite in mission.satellites}
    for satellite in mission.satellites:
        if isinstance(satellite.orbit, TleOrbit | OmmOrbit):
            _check_age(orbits[satellite.name], start, end, mission.max_element_age_days)
    earliest = min((orbit.epoch for orbit in orbits.values()), default=start)
    epoch = Epoch(datetime(earliest.year, earliest.month, earliest.day, tzinfo=UTC))
    span = epoch.seconds(start), epoch.seconds(end)
    return {name: _sample(orbit, epoch, *span) for name, orbit in orbits.items()}


def orbit_of(satellite: Satellite) -> Sgp4Orbit:
    """The mean elements of a satellite, from whatever its mission file gives."""
    if isinstance(satellite.orbit, TleOrbit):
        return orbit_from_tle(satellite.orbit, satellite.name)
    if isinstance(satellite.orbit, OmmOrbit):
        return orbit_from_omm(satellite.orbit, satellite.name)
    return sun_synchronous_orbit(satellite.orbit, satellite.name)


def _check_age(orbit: Sgp4Orbit, start: datetime, end: datetime, limit_days: float) -> None:
    gap = max(abs(start - orbit.epoch), abs(end - orbit.epoch))
    if gap > timedelta(days=limit_days):
        raise OrbitError(
            f"{orbit.source}: the elements of {orbit.satellite!r} are of {format_utc(orbit.epoch)},"
            f" up to {gap / timedelta(days=1):.1f} days from the planned span, expected at most"
            f" {limit_days:g} (max_element_age_days of the mission)"
        )


def _sample(orbit: Sgp4Orbit, epoch: Epoch, start_s: float, end_s: float) -> Ephemeris:
    margin_s = max(_MARGIN_S, _MARGIN_ORBITS * orbit.period_s)
    first = np.floor((start_s - margin_s) / NODE_STEP_S) - RIM
    last = np.ceil((end_s + margin_s) / NODE_STEP_S) + RIM
    t_s = np.arange(first, last + 1) * NODE_STEP_S
    orbit_epoch_s = epoch.seconds(orbit.epoch)
    r_teme, _ = orbit.state_teme(t_s - orbit_epoch_s)
    segment = segment_through(t_s, np.einsum("nij,nj->ni", itrf_from_teme(epoch, t_s), r_teme))
    node_s = _ascending_nodes(segment)
    return Ephemeris(
        satellite=orbit.satellite,
        epoch=epoch,
        segments=(segment,),
        orbit_epoch_s=orbit_epoch_s,
        node_s=node_s,
        node_orbit=_orbit_numbers(orbit, node_s - orbit_epoch_s),
    )


def _ascending_nodes(segment: Segment) -> FloatArray:
    z = segment.r_itrf[:, 2]
    before = np.flatnonzero((z[:-1] < 0) & (z[1:] >= 0))
    low, high = segment.t_s[before], segment.t_s[before + 1]
    return bracketed_roots(lambda t: segment.state(t)[0][:, 2], low, high, tolerance=1e-6)


def _orbit_numbers(orbit: Sgp4Orbit, node_since_epoch_s: FloatArray) -> FloatArray:
    """Revolution number at epoch, plus the ascending nodes between the epoch and each node.

    They are counted along the whole way, in steps of less than half a turn: with drag, an estimate
    from the mean motion is one off after two weeks. Element sets are published for the instant of a
    node, as well as rounding allows (SPOT 7 of 2019-10-30: 0.0034 deg before it), and count it as
    passed.
    """
    step_s = orbit.period_s / _STEPS_PER_ORBIT * (1 - orbit.record.ecco) ** 1.5
    ends = np.array([0.0, *node_since_epoch_s]) / step_s
    steps = np.arange(np.floor(ends.min()), np.ceil(ends.max()) + 1)
    angle = np.unwrap(argument_of_latitude(*orbit.state_teme(steps * step_s)))
    angle -= 2 * np.pi * np.floor((angle[steps == 0] + _AT_NODE_RAD) / (2 * np.pi))
    turns = np.interp(node_since_epoch_s, steps * step_s, angle) / (2 * np.pi)
    return np.asarray(orbit.revolution_at_epoch + np.round(turns))


def argument_of_latitude(r: FloatArray, v: FloatArray) -> FloatArray:
    """Angle (rad) from the ascending node to the satellite in the osculating plane, (n,)."""
    momentum = unit(cross(r, v))
    node = np.stack([-momentum[:, 1], momentum[:, 0], np.zeros(len(r))], axis=-1)
    return np.arctan2(dot(r, cross(momentum, node)), dot(r, node))
