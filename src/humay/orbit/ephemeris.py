"""`Ephemeris`: where a satellite is, the same for every source of orbits.

Nodes of position, velocity and acceleration in ITRF on an absolute grid, quintic Hermite between
them. Whatever made the nodes, everything downstream sees only this. Nodes 120 s apart follow SGP4
within a centimetre in low orbit; the velocity is the derivative of the position.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from humay.arrays import FloatArray, frozen
from humay.errors import OrbitError
from humay.time import Epoch, format_utc

RIM = 3  # positions at either end of a table that become no nodes, see `segment_through`


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """An unbroken stretch: nodes `t_s` (n,) evenly spaced, with r, v, a (n, 3) in ITRF, SI."""

    t_s: FloatArray
    r_itrf: FloatArray
    v_itrf: FloatArray
    a_itrf: FloatArray

    def __post_init__(self) -> None:
        n = len(self.t_s)
        if n < 2 or np.ptp(np.diff(self.t_s)) > 1e-6 or not self.t_s[0] < self.t_s[1]:
            raise ValueError(f"a segment needs two or more nodes, evenly spaced in time, got {n}")
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
        first = round(float(self.t_s[0]) / h)  # places are counted from t = 0, not from the first
        place = (t_s - (self.t_s[0] - first * h)) / h  # node, so that no span changes a last digit
        i = np.clip(np.floor(place).astype(np.int64) - first, 0, len(self.t_s) - 2)
        u = place - (i + first)
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

    def __post_init__(self) -> None:
        if not self.segments:
            raise ValueError(f"satellite {self.satellite!r}: an ephemeris without segments")
        for before, after in pairwise(self.segments):
            if after.t_s[0] < before.t_s[-1]:
                raise ValueError(f"satellite {self.satellite!r}: segments overlap or lack order")
        if self.node_s.shape != self.node_orbit.shape or not np.all(np.diff(self.node_s) > 0):
            raise ValueError(f"satellite {self.satellite!r}: ascending nodes lack order or number")
        for name in ("node_s", "node_orbit"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

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
            wanted = format_utc(self.epoch.utc(outside.flat[0]))
            raise OrbitError(
                f"satellite {self.satellite!r}: no orbit at {wanted}, it is known from {begin}"
                f" to {end}"
            )

    def orbit_at(self, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Orbit numbers and seconds since the ascending node that began them, at times (...)."""
        t = np.asarray(t_s, dtype=np.float64)
        self._refuse(t[(t < self.start_s) | (t > self.end_s)])
        i = np.searchsorted(self.node_s, t, side="right") - 1
        if np.any(i < 0):
            raise OrbitError(
                f"satellite {self.satellite!r}: a time before the first ascending node"
            )
        return self.node_orbit[i], t - self.node_s[i]

    def age_days(self, t_s: FloatArray) -> FloatArray:
        """Days between the elements and `t_s`, never negative."""
        return np.abs(np.asarray(t_s) - self.orbit_epoch_s) / 86_400.0

    def orbit_epoch(self) -> datetime:
        """UTC of the elements."""
        return self.epoch.utc(self.orbit_epoch_s)


def segment_through(t_s: FloatArray, r_itrf: FloatArray) -> Segment:
    """A segment through evenly spaced positions (n, 3), `RIM` nodes shorter at either end.

    Velocity and acceleration are central differences of sixth order over seven positions (B.
    Fornberg, Math. Comp. 51, 1988, table 1), and so belong to them: the velocity that SGP4 itself
    gives is 0.02 m/s off the derivative of its position, worth 0.2 m between nodes.
    """
    left_3, left_2, left_1, here, right_1, right_2, right_3 = (
        r_itrf[i : len(r_itrf) - 2 * RIM + i] for i in range(2 * RIM + 1)
    )
    h = t_s[1] - t_s[0]
    v = (45 * (right_1 - left_1) - 9 * (right_2 - left_2) + (right_3 - left_3)) / (60 * h)
    a = (
        270 * (right_1 + left_1) - 27 * (right_2 + left_2) + 2 * (right_3 + left_3) - 490 * here
    ) / (180 * h**2)
    return Segment(t_s=t_s[RIM:-RIM], r_itrf=here, v_itrf=v, a_itrf=a)
