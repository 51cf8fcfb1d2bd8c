"""Where a satellite points when nobody asks it to image: the idle laws, from its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from humay.access import Pointing, Timeline
from humay.arrays import FloatArray, dot, unit
from humay.frames import (
    quaternion_from_matrix,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.schedule.slews import State

Law: TypeAlias = Literal["nadir", "sun"]
_RATE_STEP_S = 5.0


@dataclass(frozen=True, kw_only=True, eq=False)
class IdleLaw:
    """The attitude to keep when idle (or while a fixed antenna sends): `nadir` or `sun`."""

    law: Law
    timeline: Timeline
    panel_normal: FloatArray

    def attitude(self, t_s: FloatArray) -> FloatArray:
        """`body_from_gcrf` (k, 4) at times (k,)."""
        if self.law == "nadir":
            return interpolate(self.timeline.t_s, self.timeline.nadir_attitude, t_s)
        return quaternion_from_matrix(sun_pointing(self.sun(t_s), self.panel_normal))

    def sun(self, t_s: FloatArray) -> FloatArray:
        """Unit vectors (k, 3) to the Sun in GCRF."""
        columns = [np.interp(t_s, self.timeline.t_s, axis) for axis in self.timeline.sun_gcrf.T]
        return unit(np.stack(columns, axis=-1))

    def state(self, t_s: FloatArray) -> State:
        """Attitudes and body rates at times (k,)."""
        before, after = self.attitude(t_s - _RATE_STEP_S), self.attitude(t_s + _RATE_STEP_S)
        turn = rotation_vector_from_quaternion(
            quaternion_product(after, quaternion_inverse(before))
        )
        return State(attitude=self.attitude(t_s), rate_rad_s=turn / (2 * _RATE_STEP_S))


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
    normal = unit(np.asarray(panel_normal, dtype=np.float64))
    axis = np.eye(3)[int(np.argmin(np.round(np.abs(normal), 12)))]
    body = _triad(normal[None], axis[None])
    gcrf = _triad(sun_gcrf, np.broadcast_to([0.0, 0.0, 1.0], sun_gcrf.shape))
    return np.asarray(np.swapaxes(body, -1, -2) @ gcrf)


def _triad(first: FloatArray, second: FloatArray) -> FloatArray:
    """Rows: `first`, `second` made orthogonal to it, and their cross product."""
    side = unit(second - dot(first, second)[..., None] * first)
    return np.stack([first, side, np.cross(first, side)], axis=-2)


@dataclass(frozen=True, kw_only=True, eq=False)
class SweepStates:
    """States of sweeps that begin at times (k,): entering settling, first line, last line."""

    settle: State
    first: State
    last: State


def sweep_states(pointing: Pointing, start_s: FloatArray) -> SweepStates:
    """The states of one opportunity for start times inside its plan window."""

    def state(attitude: FloatArray, rate: FloatArray) -> State:
        columns = [np.interp(start_s, pointing.start_s, axis) for axis in rate.T]
        return State(
            attitude=interpolate(pointing.start_s, attitude, start_s),
            rate_rad_s=np.stack(columns, axis=-1),
        )

    return SweepStates(
        settle=state(pointing.settle_attitude, pointing.settle_rate_rad_s),
        first=state(pointing.first_attitude, pointing.first_rate_rad_s),
        last=state(pointing.last_attitude, pointing.last_rate_rad_s),
    )
