"""`Ephemeris`: where a satellite is, the same for every source of orbits.

Nodes of position, velocity and acceleration in ITRF on an absolute grid, quintic Hermite between
them. Whatever made the nodes, everything downstream sees only this.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from humay.arrays import FloatArray, dot, frozen
from humay.earth import J2_EARTH, MU_EARTH_M3_S2, WGS84_A_M
from humay.errors import OrbitError
from humay.frames import EARTH_RATE_RAD_S
from humay.time import Epoch, format_utc


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """An unbroken stretch: nodes `t_s` (n,) evenly spaced, with r, v, a (n, 3) in ITRF, SI."""

    t_s: FloatArray
    r_itrf: FloatArray
    v_itrf: FloatArray
    a_itrf: FloatArray

    def __post_init__(self) -> None:
        n = len(self.t_s)
        if n < 2 or np.ptp(np.diff(self.t_s)) > 1e-6:
            raise ValueError(f"a segment needs two or more evenly spaced nodes, got {n}")
        for name in ("t_s", "r_itrf", "v_itrf", "a_itrf"):
            value = frozen(getattr(self, name))
            if value.shape != ((n,) if name == "t_s" else (n, 3)) or not np.all(np.isfinite(value)):
                raise ValueError(f"segment: {name} has shape {value.shape} or holds no numbers")
            object.__setattr__(self, name, value)

    @property
    def step_s(self) -> float:
        return float(self.t_s[1] - self.t_s[0])

    def state(self, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Position and velocity (..., 3) at times (...) inside the segment."""
        h = self.step_s
        place = (t_s - self.t_s[0]) / h
        i = np.clip(np.floor(place).astype(np.int64), 0, len(self.t_s) - 2)
        u = place - i
        values = (
            self.r_itrf[i], h * self.v_itrf[i], h * h * self.a_itrf[i],
            self.r_itrf[i + 1], h * self.v_itrf[i + 1], h * h * self.a_itrf[i + 1],
        )  # fmt: skip
        r = sum(w[..., None] * x for w, x in zip(_quintic(u), values, strict=True))
        v = sum(w[..., None] * x for w, x in zip(_quintic_rate(u), values, strict=True))
        return np.asarray(r), np.asarray(v) / h


def _quintic(u: FloatArray) -> tuple[FloatArray, ...]:
    """Weights of value, rate and acceleration at the left, then at the right node."""
    u3 = u**3
    return (
        1 + u3 * (-10 + u * (15 - 6 * u)),
        u + u3 * (-6 + u * (8 - 3 * u)),
        u**2 * (0.5 + u * (-1.5 + u * (1.5 - 0.5 * u))),
        u3 * (10 + u * (-15 + 6 * u)),
        u3 * (-4 + u * (7 - 3 * u)),
        u3 * (0.5 + u * (-1 + 0.5 * u)),
    )


def _quintic_rate(u: FloatArray) -> tuple[FloatArray, ...]:
    """Derivatives of `_quintic`."""
    u2 = u**2
    return (
        u2 * (-30 + u * (60 - 30 * u)),
        1 + u2 * (-18 + u * (32 - 15 * u)),
        u * (1 + u * (-4.5 + u * (6 - 2.5 * u))),
        u2 * (30 + u * (-60 + 30 * u)),
        u2 * (-12 + u * (28 - 15 * u)),
        u2 * (1.5 + u * (-4 + 2.5 * u)),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Ephemeris:
    """A satellite's way in ITRF as segments, never interpolated across.

    `orbit_epoch_s` is the time of its elements. `node_s` and `node_orbit` (k,) are the ascending
    nodes in the span and their orbit numbers; an orbit begins at its node.
    """

    satellite: str
    epoch: Epoch
    segments: tuple[Segment, ...]
    orbit_epoch_s: float
    node_s: FloatArray
    node_orbit: FloatArray

    @property
    def start_s(self) -> float:
        return float(self.segments[0].t_s[0])

    @property
    def end_s(self) -> float:
        return float(self.segments[-1].t_s[-1])

    def position_itrf(self, t_s: FloatArray) -> FloatArray:
        """Positions (..., 3) in metres at times (...)."""
        return self.state_itrf(t_s)[0]

    def state_itrf(self, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions (m) and rates of change of the ITRF coordinates (m/s), both (..., 3).

        Raises `OrbitError` for a time outside every segment.
        """
        t = np.asarray(t_s, dtype=np.float64)
        if len(self.segments) == 1:
            self._refuse(t[(t < self.start_s) | (t > self.end_s)])
            return self.segments[0].state(t)
        r, v, found = np.empty((*t.shape, 3)), np.empty((*t.shape, 3)), np.zeros(t.shape, bool)
        for segment in self.segments:
            here = (t >= segment.t_s[0]) & (t <= segment.t_s[-1])
            r[here], v[here] = segment.state(t[here])
            found |= here
        self._refuse(t[~found])
        return r, v

    def _refuse(self, outside: FloatArray) -> None:
        if outside.size:
            begin, end = (format_utc(self.epoch.utc(t)) for t in (self.start_s, self.end_s))
            raise OrbitError(
                f"satellite {self.satellite!r}: no orbit at {format_utc(self.epoch.utc(outside.flat[0]))},"
                f" it is known from {begin} to {end}"
            )

    def orbit_at(self, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Orbit numbers and seconds since the ascending node that began them, at times (...)."""
        i = np.searchsorted(self.node_s, t_s, side="right") - 1
        if np.any(i < 0):
            raise OrbitError(
                f"satellite {self.satellite!r}: a time before the first ascending node"
            )
        return self.node_orbit[i], np.asarray(t_s) - self.node_s[i]

    def age_days(self, t_s: FloatArray) -> FloatArray:
        """Days between the elements and `t_s`, never negative."""
        return np.abs(np.asarray(t_s) - self.orbit_epoch_s) / 86_400.0

    def orbit_epoch(self) -> datetime:
        """UTC of the elements."""
        return self.epoch.utc(self.orbit_epoch_s)


def acceleration_itrf(r_itrf: FloatArray, v_itrf: FloatArray) -> FloatArray:
    """Acceleration (n, 3) of ITRF coordinates: central body, J2, Coriolis and centrifugal terms.

    What is left out (other harmonics, Sun, Moon, drag: 1e-5 m/s2 at most) moves a quintic over 60 s
    by less than a millimetre.
    """
    r2 = dot(r_itrf, r_itrf)[:, None]
    z2 = r_itrf[:, 2:] ** 2 / r2
    oblate = 1.5 * J2_EARTH * WGS84_A_M**2 / r2
    pull = 1 + oblate * (np.array([1.0, 1.0, 3.0]) - 5 * z2)
    gravity = -MU_EARTH_M3_S2 / r2**1.5 * r_itrf * pull
    x, y = r_itrf[:, 0], r_itrf[:, 1]
    vx, vy = v_itrf[:, 0], v_itrf[:, 1]
    w = EARTH_RATE_RAD_S
    spin = np.stack([w * w * x + 2 * w * vy, w * w * y - 2 * w * vx, np.zeros_like(x)], axis=-1)
    return np.asarray(gravity + spin)
