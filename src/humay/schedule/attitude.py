"""Where a satellite points when nobody asks it to image: the idle laws, from its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from humay.access import Pointing, Timeline
from humay.arrays import FloatArray, cross, dot, unit
from humay.earth import AU_M
from humay.errors import PlanError
from humay.frames import (
    matrix_from_quaternion,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.schedule.quick import states_at
from humay.schedule.slews import State
from humay.time import Epoch, format_utc

Law: TypeAlias = Literal["nadir", "sun", "charging", "station"]

LEAST_APART_RAD = np.radians(5.0)
"""Of the Sun from the direction that the side of a charging satellite follows: nearer to it, the
side would turn fast."""


_FINER = 10
"""Into so many parts nodes of a timeline are cut for the law `charging`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class IdleLaw:
    """The attitude to keep when idle (or while a fixed antenna sends), sampled at `t_s` (k,):
    quaternions (k, 4) `body_from_gcrf` and body rates (k, 3) rad/s."""

    law: Law
    t_s: FloatArray
    quaternions: FloatArray
    rates_rad_s: FloatArray

    def attitude(self, t_s: FloatArray) -> FloatArray:
        """`body_from_gcrf` (n, 4) at times (n,)."""
        return interpolate(self.t_s, self.quaternions, np.clip(t_s, self.t_s[0], self.t_s[-1]))

    def state(self, t_s: FloatArray) -> State:
        """Attitudes and body rates at times (n,)."""
        return _states(self.t_s, self.quaternions, self.rates_rad_s, t_s)

    def state_at(self, t_s: float) -> State:
        """The same at one instant: attitude (4,), body rate (3,)."""
        states = self.state(np.array([t_s]))
        return State(attitude=states.attitude[0], rate_rad_s=states.rate_rad_s[0])


def idle_law(
    law: Law, timeline: Timeline, panel_normal: FloatArray, roll_rad: float = 0.0
) -> IdleLaw:
    """The law `nadir` (body axes are orbital axes), `sun` or `charging` (the panel normal on the
    Sun). Raises `PlanError` where `charging` is not well defined."""
    if law == "nadir":
        return law_through(law, timeline.t_s, timeline.nadir_attitude)
    if law == "charging":
        fine = _finer(timeline)
        axes = charging_pointing(fine, panel_normal, roll_rad)
        return law_through(law, fine.t_s, quaternion_from_matrix(axes))
    axes = sun_pointing(timeline.sun_gcrf, panel_normal)
    return law_through(law, timeline.t_s, quaternion_from_matrix(axes))


class _Facing(NamedTuple):
    """What of a timeline the law `charging` follows."""

    satellite: str
    epoch: Epoch
    t_s: FloatArray
    nadir_attitude: FloatArray
    sun_gcrf: FloatArray


def _finer(timeline: Timeline) -> _Facing:
    """Between the nodes, too, and with the Sun as the satellite sees it: where it stands near what
    the side of a charging satellite follows, that turns by several degrees from one node to the
    next, not evenly, and is off by several times what the direction of the Sun is."""
    share = np.arange(_FINER) / _FINER
    steps = np.diff(timeline.t_s)[:, None] * share
    t_s = np.append((timeline.t_s[:-1, None] + steps).ravel(), timeline.t_s[-1])
    r_gcrf_m = _columns(timeline.t_s, timeline.r_gcrf_m, t_s)
    return _Facing(
        satellite=timeline.satellite,
        epoch=timeline.epoch,
        t_s=t_s,
        nadir_attitude=interpolate(timeline.t_s, timeline.nadir_attitude, t_s),
        sun_gcrf=unit(AU_M * sun_direction(timeline, t_s) - r_gcrf_m),
    )


def law_through(law: Law, t_s: FloatArray, q: FloatArray) -> IdleLaw:
    """The law that passes through attitudes (k, 4) at times (k,), its rates by differences."""
    turn = rotation_vector_from_quaternion(quaternion_product(q[2:], quaternion_inverse(q[:-2])))
    inner = turn / (t_s[2:] - t_s[:-2])[:, None]
    rates = np.concatenate([inner[:1], inner, inner[-1:]])
    return IdleLaw(law=law, t_s=t_s, quaternions=q, rates_rad_s=rates)


def sun_direction(timeline: Timeline, t_s: FloatArray) -> FloatArray:
    """Unit vectors (n, 3) to the Sun in GCRF at times (n,)."""
    return unit(_columns(timeline.t_s, timeline.sun_gcrf, t_s))


def _columns(nodes_s: FloatArray, values: FloatArray, t_s: FloatArray) -> FloatArray:
    return np.stack([np.interp(t_s, nodes_s, column) for column in values.T], axis=-1)


def _states(
    nodes_s: FloatArray, quaternions: FloatArray, rates: FloatArray, t_s: FloatArray
) -> State:
    """Between nodes, outside of them those of the nearest."""
    attitude, rate = np.empty((len(t_s), 4)), np.empty((len(t_s), 3))
    states_at(nodes_s, quaternions, rates, t_s, attitude, rate)
    return State(attitude=attitude, rate_rad_s=rate)


def interpolate(nodes_s: FloatArray, quaternions: FloatArray, t_s: FloatArray) -> FloatArray:
    """Quaternions (k, 4) between nodes (n, 4), on the straight way, which for nodes a degree apart
    is the even turn to 1e-6 rad.
    """
    right = np.clip(np.searchsorted(nodes_s, t_s), 1, len(nodes_s) - 1)
    left = right - 1
    share = ((t_s - nodes_s[left]) / (nodes_s[right] - nodes_s[left]))[..., None]
    a, b = quaternions[left], quaternions[right]
    near = np.where(np.sum(a * b, axis=-1, keepdims=True) < 0, -b, b)
    mixed = (1 - share) * a + share * near
    return np.asarray(mixed / np.sqrt(np.sum(mixed * mixed, axis=-1, keepdims=True)))


def sun_pointing(sun_gcrf: FloatArray, panel_normal: FloatArray) -> FloatArray:
    """`body_from_gcrf` (k, 3, 3) with the panel normal on the Sun.

    Of the body axes, the one closest to a right angle with the normal (the first of equals) points
    as nearly as it can to the GCRF z axis.
    """
    return facing(sun_gcrf, np.broadcast_to([0.0, 0.0, 1.0], sun_gcrf.shape), panel_normal)


def charging_pointing(
    timeline: Timeline | _Facing, panel_normal: FloatArray, roll_rad: float
) -> FloatArray:
    """`body_from_gcrf` (k, 3, 3) with the panel normal on the Sun, and body y as nearly as it can
    where it points to over nadir, against the orbit's normal; body x along the flight where the
    panels look rather along y. From there the body is turned about the normal.

    An orbit's normal keeps still, so that the satellite does, too, and star trackers that look away
    from the Earth while it images do so while it charges.
    """
    normal = unit(np.asarray(panel_normal, dtype=np.float64))
    axis = 1 if abs(normal[1]) <= np.sqrt(0.5) else 0
    towards = matrix_from_quaternion(timeline.nadir_attitude)[:, axis]
    apart_rad = np.arccos(np.clip(np.abs(dot(timeline.sun_gcrf, towards)), 0.0, 1.0))
    nearest = int(np.argmin(apart_rad))
    if apart_rad[nearest] < LEAST_APART_RAD:
        what = "the orbit's normal" if axis == 1 else "the direction of flight"
        when = format_utc(timeline.epoch.utc(float(timeline.t_s[nearest])))
        raise PlanError(
            f"satellite {timeline.satellite!r}: idle_attitude is 'charging', and at {when} the Sun"
            f" stands {np.degrees(apart_rad[nearest]):.1f} deg off {what}, expected at least"
            f" {np.degrees(LEAST_APART_RAD):g}: take 'sun'"
        )
    turn = matrix_from_quaternion(quaternion_from_rotation_vector(roll_rad * normal))
    body = _triad(normal[None], np.eye(3)[axis][None])
    return np.asarray(turn @ np.swapaxes(body, -1, -2) @ _triad(timeline.sun_gcrf, towards))


def facing(there: FloatArray, towards: FloatArray, axis_body: FloatArray) -> FloatArray:
    """`body_from_gcrf` (k, 3, 3) with a body axis along `there` (k, 3), GCRF; of x, y and z the one
    closest to a right angle with it (the first of equals) as nearly as it can along `towards`."""
    normal = unit(np.asarray(axis_body, dtype=np.float64))
    side = np.eye(3)[int(np.argmin(np.round(np.abs(normal), 12)))]
    body = _triad(normal[None], side[None])
    return np.asarray(np.swapaxes(body, -1, -2) @ _triad(there, towards))


def _triad(first: FloatArray, second: FloatArray) -> FloatArray:
    """Rows: `first`, `second` made orthogonal to it, and their cross product."""
    side = unit(second - dot(first, second)[..., None] * first)
    return np.stack([first, side, cross(first, side)], axis=-2)


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepStates:
    """Sweeps that begin at times (k,): states entering settling, at the first and the last line,
    line period and data."""

    settle: State
    first: State
    last: State
    line_period_s: FloatArray
    data_bit: FloatArray


def sweep_states(pointing: Pointing, start_s: FloatArray) -> SweepStates:
    """The states of one opportunity for start times inside its plan window."""

    def state(attitude: FloatArray, rate: FloatArray) -> State:
        return _states(pointing.start_s, attitude, rate, start_s)

    return SweepStates(
        settle=state(pointing.settle_attitude, pointing.settle_rate_rad_s),
        first=state(pointing.first_attitude, pointing.first_rate_rad_s),
        last=state(pointing.last_attitude, pointing.last_rate_rad_s),
        line_period_s=np.interp(start_s, pointing.start_s, pointing.line_period_s),
        data_bit=np.interp(start_s, pointing.start_s, pointing.data_bit),
    )
