"""What a slew uses of the limits of each axis and of the wheels, from its rates and accelerations
as vectors in body axes: part of code `slew`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from humay.arrays import FloatArray, norm
from humay.check.attitude import Slew, angle_rad
from humay.check.case import Case, Segment
from humay.check.violations import Violation
from humay.mission import Satellite

TOLERANCE = 1e-5  # relative: limits are written in degrees and read in radians
DURATION_TOLERANCE_S = 1e-3
MOVING_RAD_S = np.radians(0.02)
ANGLE_SLACK_RAD = np.radians(0.02)  # of attitudes at both ends
RATE_TOLERANCE_RAD_S = np.radians(0.01)  # of what a slew begins and ends with
RATE_SLACK_RAD_S = 1e-6  # of the rate at the end of a sweep, by differences: a turn carries it on


def check_axes(
    case: Case, segment: Segment, slew: Slew, end_rate_rad_s: FloatArray
) -> Iterator[Violation]:
    """[slew] No more of each limit than all of it, or than the slew begins or ends with."""
    satellite = segment.satellite
    edges = np.stack([slew.rate_rad_s[0], end_rate_rad_s])
    edges *= 1 + RATE_TOLERANCE_RAD_S / np.maximum(norm(edges), 1e-9)[:, None]
    phases = [phase.acceleration_rad_s2 for phase in segment.phases]
    yield from _turns_slowly(case, segment, slew)
    accelerations = np.array(phases, dtype=np.float64).reshape(-1, 3)
    used = _rate_shares(satellite, slew.rate_rad_s)
    allowed = _rate_shares(satellite, edges)
    slack = _rate_shares(satellite, np.full((1, 3), RATE_SLACK_RAD_S))
    for what, shares in _acceleration_shares(satellite, accelerations).items():
        yield from _over(case, segment, what, float(shares.max()), 1.0)
    for what, shares in used.items():
        most = max(1.0, float(allowed[what].max())) + float(slack[what][0])
        yield from _over(case, segment, what, float(shares.max()), most)


def _turns_slowly(case: Case, segment: Segment, slew: Slew) -> Iterator[Violation]:
    """From its first rest to its last a slew lasts at least as long as its turns by the satellite's
    slew law; a turn is what moves between two rests, and rest in between counts."""
    law = segment.satellite.slew_law
    if law is None:
        return
    ends_s = np.cumsum([0.0, *(phase.duration_s for phase in segment.phases)]) + segment.start_s
    edges = np.searchsorted(slew.t_s, ends_s - 1e-6)
    size = norm(slew.rate_rad_s)
    rests = [int(i) for i in edges if size[i] < RATE_TOLERANCE_RAD_S]
    if not rests:
        message = "never at rest, expected to stop before it turns, and to go after"
        yield case.at("slew", segment.where, message, segment.start_s)
        return
    moves = [(a, b) for a, b in pairwise(rests) if float(size[a : b + 1].max()) > MOVING_RAD_S]
    moves = moves or [(rests[0], rests[-1])]
    angles = np.array([angle_rad(slew.body_from_gcrf[b], slew.body_from_gcrf[a]) for a, b in moves])
    wanted_s = float(np.sum(law.turn_s(np.maximum(angles - ANGLE_SLACK_RAD, 0.0))))
    lasts_s = float(slew.t_s[rests[-1]] - slew.t_s[rests[0]])
    if lasts_s < wanted_s * (1 - TOLERANCE) - DURATION_TOLERANCE_S:
        yield case.at(
            "slew",
            segment.where,
            f"turns by {np.degrees(np.sum(angles)):.3f} deg in {lasts_s:.3f} s from rest to rest,"
            f" expected at least {wanted_s:.3f} s by the slew law",
            segment.start_s,
        )


def _over(
    case: Case, segment: Segment, what: str, used: float, allowed: float
) -> Iterator[Violation]:
    if used > allowed * (1 + TOLERANCE):
        yield case.at(
            "slew",
            segment.where,
            f"{what} is {100 * used:.3f} % of its limit, expected at most {100 * allowed:.3f} %",
            segment.start_s,
        )


def _rate_shares(satellite: Satellite, rate_rad_s: FloatArray) -> dict[str, FloatArray]:
    """How much (n,) of each limit rates (n, 3) are."""
    shares = {}
    axes, wheels = satellite.axis_limits, satellite.wheels
    if axes is not None and axes.rate_rad_s is not None:
        shares["the fastest turn about an axis"] = _largest(rate_rad_s, axes.rate_rad_s)
    if wheels is not None:
        momentum = norm(rate_rad_s * np.array(wheels.inertia_kg_m2))
        shares["momentum of the wheels"] = momentum / wheels.momentum_n_m_s
    return shares


def _acceleration_shares(
    satellite: Satellite, acceleration_rad_s2: FloatArray
) -> dict[str, FloatArray]:
    shares = {}
    axes, wheels = satellite.axis_limits, satellite.wheels
    if axes is not None and axes.acceleration_rad_s2 is not None:
        what = "the fastest change of turn about an axis"
        shares[what] = _largest(acceleration_rad_s2, axes.acceleration_rad_s2)
    if wheels is not None:
        torque = norm(acceleration_rad_s2 * np.array(wheels.inertia_kg_m2))
        shares["torque of the wheels"] = torque / wheels.torque_n_m
    return shares


def _largest(vectors: FloatArray, limits: tuple[float, float, float]) -> FloatArray:
    return np.asarray(np.max(np.abs(vectors) / np.array(limits), axis=-1))
