"""`Trajectory`: position and attitude in samples, and what they mean between the samples.

The interpolation belongs to the record: whoever reads a trajectory gets the same curve. Position is
a cubic Hermite on position and velocity. Attitude is a cubic Hermite on rotation vectors from the
middle sample, with the fourth-order central difference as the rate at each sample: it meets every
sample, its rate is continuous, and what it leaves out grows with the fourth power of the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from humay.arrays import FloatArray, IntArray, frozen, norm
from humay.errors import SpacecraftError
from humay.frames import (
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.time import Epoch, format_utc

LEAST_SAMPLES = 5  # the rate at a sample comes from five
LARGEST_TURN_RAD = 2.5  # from the middle sample; a rotation vector is not smooth through pi
_SLACK_S = 1e-6  # files tell times to the microsecond

# d/du of the quartic through five even samples at the first, second, ... of them: B. Fornberg,
# Math. Comp. 51 (1988), tables 1 and 3.
_RATE_WEIGHTS = (
    np.array(
        [
            [-25.0, 48.0, -36.0, 16.0, -3.0],
            [-3.0, -10.0, 18.0, -6.0, 1.0],
            [1.0, -8.0, 0.0, 8.0, -1.0],
            [-1.0, 6.0, -18.0, 10.0, 3.0],
            [3.0, -16.0, 36.0, -48.0, 25.0],
        ]
    )
    / 12.0
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """A satellite's way at `t_s` (n,), evenly spaced, SI seconds after `epoch`.

    `r_itrf` (n, 3) in metres, `v_itrf` (n, 3) the rate of these coordinates in m/s,
    `body_from_gcrf` (n, 4) unit quaternions, scalar last.
    """

    epoch: Epoch
    t_s: FloatArray
    r_itrf: FloatArray
    v_itrf: FloatArray
    body_from_gcrf: FloatArray

    def __post_init__(self) -> None:
        n = len(self.t_s)
        if n < LEAST_SAMPLES:
            raise ValueError(f"trajectory: {n} samples, expected at least {LEAST_SAMPLES}")
        for name, shape in (
            ("t_s", (n,)),
            ("r_itrf", (n, 3)),
            ("v_itrf", (n, 3)),
            ("body_from_gcrf", (n, 4)),
        ):
            value = frozen(getattr(self, name))
            if value.shape != shape or not np.all(np.isfinite(value)):
                raise ValueError(f"trajectory: {name} is not {shape} finite numbers")
            object.__setattr__(self, name, value)
        steps = np.diff(self.t_s)
        if not steps[0] > 0 or np.ptp(steps) > _SLACK_S:
            raise ValueError("trajectory: t_s is not evenly spaced and rising")
        lengths = np.sqrt(np.sum(self.body_from_gcrf**2, axis=-1))
        if not np.all(np.abs(lengths - 1.0) < 1e-6):
            raise ValueError("trajectory: body_from_gcrf holds other than unit quaternions")
        if not np.max(norm(self._turns)) < LARGEST_TURN_RAD:
            raise ValueError(f"trajectory: it turns by over {LARGEST_TURN_RAD} rad from its middle")

    @property
    def start_s(self) -> float:
        return float(self.t_s[0])

    @property
    def end_s(self) -> float:
        return float(self.t_s[-1])

    @property
    def step_s(self) -> float:
        return (self.end_s - self.start_s) / (len(self.t_s) - 1)

    def position(self, t_s: FloatArray) -> FloatArray:
        """Positions (..., 3) in ITRF, metres, at times (...) inside the samples."""
        i, u = self._place(t_s)
        return _cubic(self._way[i], u)

    def state(self, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions (m) and their rates (m/s), both (..., 3) in ITRF."""
        i, u = self._place(t_s)
        pieces = self._way[i]
        return _cubic(pieces, u), _cubic_rate(pieces, u) / self.step_s

    def attitude(self, t_s: FloatArray) -> FloatArray:
        """`body_from_gcrf` (..., 4) at times (...); the sign of the quaternions never jumps."""
        i, u = self._place(t_s)
        turn = quaternion_from_rotation_vector(_cubic(self._swing[i], u))
        return quaternion_product(turn, self._middle)

    def _place(self, t_s: FloatArray) -> tuple[IntArray, FloatArray]:
        """The step each time lies in, and how far in it, 0 to 1."""
        t = np.asarray(t_s, dtype=np.float64)
        inside = (t >= self.start_s - _SLACK_S) & (t <= self.end_s + _SLACK_S)
        if not np.all(inside):  # also refuses NaN
            begin, end = (format_utc(self.epoch.utc(edge)) for edge in (self.start_s, self.end_s))
            raise SpacecraftError(
                f"trajectory: asked at {t[~inside].flat[0]:.6f} s, expected"
                f" {self.start_s:.6f} to {self.end_s:.6f} s ({begin} to {end})"
            )
        place = (t - self.start_s) / self.step_s
        i = np.clip(place.astype(np.int64), 0, len(self.t_s) - 2)
        return i, place - i

    @property
    def _middle(self) -> FloatArray:
        q = self.body_from_gcrf[len(self.t_s) // 2]
        return np.asarray(q / np.sqrt(np.sum(q * q)))

    @cached_property
    def _turns(self) -> FloatArray:
        """Rotation vectors (n, 3) from the middle sample."""
        back = quaternion_inverse(self._middle)
        return rotation_vector_from_quaternion(quaternion_product(self.body_from_gcrf, back))

    @cached_property
    def _way(self) -> FloatArray:
        return _hermite(self.r_itrf, self.step_s * self.v_itrf)

    @cached_property
    def _swing(self) -> FloatArray:
        return _hermite(self._turns, rates(self._turns))


def rates(values: FloatArray) -> FloatArray:
    """Changes per step (n, 3) at even samples (n, 3), to fourth order; one-sided at the ends."""
    inner = (8.0 * (values[3:-1] - values[1:-3]) - (values[4:] - values[:-4])) / 12.0
    head, tail = _RATE_WEIGHTS[:2] @ values[:5], _RATE_WEIGHTS[3:] @ values[-5:]
    return np.concatenate([head, inner, tail])


def _hermite(values: FloatArray, rates: FloatArray) -> FloatArray:
    """Coefficients (n - 1, 4, 3) of 1, u, u2, u3 between neighbours."""
    a, b, step = rates[:-1], rates[1:], np.diff(values, axis=0)
    return np.stack([values[:-1], a, 3 * step - 2 * a - b, a + b - 2 * step], axis=1)


def _cubic(c: FloatArray, u: FloatArray) -> FloatArray:
    x = u[..., None]
    return np.asarray(c[..., 0, :] + x * (c[..., 1, :] + x * (c[..., 2, :] + x * c[..., 3, :])))


def _cubic_rate(c: FloatArray, u: FloatArray) -> FloatArray:
    x = u[..., None]
    return np.asarray(c[..., 1, :] + x * (2 * c[..., 2, :] + 3 * x * c[..., 3, :]))
