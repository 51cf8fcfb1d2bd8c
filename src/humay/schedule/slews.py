"""Slews that join two moving attitudes: stop, turn, go.

The rate of the trajectory that is left is braked about its own axis, a turn from rest to rest about
one axis follows (accelerate, coast, brake), and the rate of the trajectory that is met is taken up
about its own axis. Every phase has a constant angular acceleration in body axes, so that rate and
acceleration limits hold by construction and anyone can integrate it. Against a direct rendezvous it
loses the time to stop and to go, 0.1 s at orbital rate.

A slew may be led through attitudes in which it rests for an instant: then it is several turns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from humay.arrays import FloatArray, norm
from humay.frames import (
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.mission import AxisLimits, Satellite, SlewLaw, Wheels
from humay.schedule.quick import flown, slew_seconds

_LAW_STEPS = 4_000
_HALVINGS = 40
_LEAST = 1e-12  # rad, rad/s: below, a turn has no axis


@dataclass(frozen=True, kw_only=True)
class Agility:
    """What turning is limited by: rate (rad/s) and angular acceleration (rad/s2) about any axis,
    those about each body axis, what the wheels can take up and give, and what a turn from rest to
    rest takes at least whatever all these allow."""

    rate_rad_s: float
    acceleration_rad_s2: float
    axis_limits: AxisLimits | None = None
    wheels: Wheels | None = None
    law: SlewLaw | None = None

    @classmethod
    def of(cls, satellite: Satellite) -> Agility:
        """That of a satellite."""
        return cls(
            rate_rad_s=satellite.slew_rate_rad_s,
            acceleration_rad_s2=satellite.slew_acceleration_rad_s2,
            axis_limits=satellite.axis_limits,
            wheels=satellite.wheels,
            law=satellite.slew_law,
        )

    @property
    def same_about_any_axis(self) -> bool:
        return self.axis_limits is None and self.wheels is None and self.law is None

    def fastest(self, turn: FloatArray) -> FloatArray:
        """The largest rates (...) about the axes of turns (..., 3)."""
        axes = None if self.axis_limits is None else self.axis_limits.rate_rad_s
        momentum = math.inf if self.wheels is None else self.wheels.momentum_n_m_s
        return self._most(turn, self.rate_rad_s, axes, momentum)

    def hardest(self, turn: FloatArray) -> FloatArray:
        """The largest accelerations (...) about the axes of turns (..., 3)."""
        axes = None if self.axis_limits is None else self.axis_limits.acceleration_rad_s2
        torque = math.inf if self.wheels is None else self.wheels.torque_n_m
        return self._most(turn, self.acceleration_rad_s2, axes, torque)

    def _most(
        self,
        turn: FloatArray,
        any_axis: float,
        each_axis: tuple[float, float, float] | None,
        by_wheels: float,
    ) -> FloatArray:
        """What is allowed about the axes of turns (..., 3), zero turns being about x."""
        most = np.asarray(any_axis)
        if each_axis is None and self.wheels is None:
            return most
        size = norm(turn)[..., None]
        still = size < _LEAST
        axis = np.abs(np.where(still, np.array([1.0, 0.0, 0.0]), turn / np.where(still, 1.0, size)))
        if each_axis is not None:
            most = np.minimum(most, np.min(np.array(each_axis) / np.maximum(axis, _LEAST), axis=-1))
        if self.wheels is not None:
            most = np.minimum(most, by_wheels / norm(np.array(self.wheels.inertia_kg_m2) * axis))
        return np.asarray(most)

    def at_best(self) -> tuple[float, float]:
        """A rate and an acceleration with which no turn takes longer than it does, whatever its
        axis."""
        rates, accelerations = [self.rate_rad_s], [self.acceleration_rad_s2]
        axes, wheels = self.axis_limits, self.wheels
        if axes is not None and axes.rate_rad_s is not None:
            rates.append(math.hypot(*axes.rate_rad_s))
        if axes is not None and axes.acceleration_rad_s2 is not None:
            accelerations.append(math.hypot(*axes.acceleration_rad_s2))
        if wheels is not None:
            rates.append(wheels.momentum_n_m_s / min(wheels.inertia_kg_m2))
            accelerations.append(wheels.torque_n_m / min(wheels.inertia_kg_m2))
        rate, acceleration = min(rates), min(accelerations)
        if self.law is None:
            return rate, acceleration
        return _rate_under(self.law, rate, acceleration), acceleration


def _rate_under(law: SlewLaw, rate: float, acceleration: float) -> float:
    """The least rate, up to `rate`, with which turns that coast take no longer than a law says.

    A turn by an angle takes angle / rate + rate / acceleration once it coasts, which falls with the
    rate; and the law never falls with the angle, so that the end of a step decides for all of it.
    """
    angle = np.linspace(0.0, np.pi, _LAW_STEPS + 1)
    least_s, step = law.turn_s(angle)[:-1], angle[1:]

    def stays_under(slower: float) -> bool:
        coasts = step >= slower**2 / acceleration
        return bool(np.all((step / slower + slower / acceleration <= least_s) | ~coasts))

    low, high = 0.0, rate
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if stays_under(middle) else (middle, high)
    return high


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """Attitudes (..., 4) `body_from_gcrf` and body rates (..., 3) rad/s."""

    attitude: FloatArray
    rate_rad_s: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Phase:
    """Seconds of constant angular acceleration (3,) rad/s2 in body axes."""

    duration_s: float
    acceleration_rad_s2: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Parts:
    stop_s: FloatArray
    turns: list[FloatArray]
    go_s: FloatArray


def resting_after(start: State, agility: Agility) -> tuple[FloatArray, FloatArray]:
    """Attitudes (..., 4) and seconds (...) at which moving ones have come to rest."""
    seconds = norm(start.rate_rad_s) / agility.hardest(start.rate_rad_s)
    turned = quaternion_from_rotation_vector(0.5 * seconds[..., None] * start.rate_rad_s)
    return quaternion_product(turned, start.attitude), seconds


def resting_before(end: State, agility: Agility) -> tuple[FloatArray, FloatArray]:
    """Attitudes (..., 4) from rest in which, seconds (...) before, moving ones are reached."""
    seconds = norm(end.rate_rad_s) / agility.hardest(end.rate_rad_s)
    turned = quaternion_from_rotation_vector(-0.5 * seconds[..., None] * end.rate_rad_s)
    return quaternion_product(turned, end.attitude), seconds


def _parts(start: State, end: State, agility: Agility, via: Sequence[FloatArray]) -> _Parts:
    """Times to stop and to go, and the turns (..., 3) rad from rest to rest."""
    stopped, stop_s = resting_after(start, agility)
    waiting, go_s = resting_before(end, agility)
    rests = [stopped, *via, waiting]
    turns = [
        rotation_vector_from_quaternion(quaternion_product(after, quaternion_inverse(before)))
        for before, after in pairwise(rests)
    ]
    return _Parts(stop_s=stop_s, turns=turns, go_s=go_s)


def turn_time(turn: FloatArray, agility: Agility) -> FloatArray:
    """Shortest time (s), (...), from rest to rest by turns (..., 3)."""
    angle, rate, a = norm(turn), agility.fastest(turn), agility.hardest(turn)
    short = 2 * np.sqrt(np.maximum(angle, 0.0) / a)
    seconds = np.where(angle > rate**2 / a, angle / rate + rate / a, short)
    return seconds if agility.law is None else np.maximum(seconds, agility.law.turn_s(angle))


def slew_time(
    start: State, end: State, agility: Agility, via: Sequence[FloatArray] = ()
) -> FloatArray:
    """Shortest time (s), (...), from one moving attitude to another; settling not counted."""
    if not agility.same_about_any_axis or via or max(start.attitude.ndim, end.attitude.ndim) > 2:
        return plain_slew_time(start, end, agility, via)
    seconds = np.empty(np.broadcast_shapes(start.attitude.shape[:-1], end.attitude.shape[:-1]))
    slew_seconds(
        _rows(start.attitude), _rows(start.rate_rad_s), _rows(end.attitude), _rows(end.rate_rad_s),
        agility.rate_rad_s, agility.acceleration_rad_s2, seconds.reshape(-1),
    )  # fmt: skip
    return seconds


def _rows(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(values.reshape(-1, values.shape[-1]))


def plain_slew_time(
    start: State, end: State, agility: Agility, via: Sequence[FloatArray] = ()
) -> FloatArray:
    """The same of any shape and under any limits."""
    parts = _parts(start, end, agility, via)
    turning_s = sum(turn_time(turn, agility) for turn in parts.turns)
    return np.asarray(parts.stop_s + turning_s + parts.go_s)


def slew_phases(
    start: State,
    end: State,
    agility: Agility,
    duration_s: float,
    via: Sequence[FloatArray] = (),
) -> list[Phase]:
    """The phases of one slew that takes `duration_s`: two, and three for each of its turns; a
    longer one turns more slowly.

    Raises ValueError if the duration is shorter than `slew_time`.
    """
    parts = _parts(start, end, agility, via)
    brake, push = (agility.hardest(state.rate_rad_s) for state in (start, end))
    stop_s, go_s = float(parts.stop_s), float(parts.go_s)
    turning_s = duration_s - stop_s - go_s
    least_s = [float(turn_time(turn, agility)) for turn in parts.turns]
    if turning_s < sum(least_s) - 1e-9:
        angle = sum(float(norm(turn)) for turn in parts.turns)
        raise ValueError(f"a slew of {angle:.4f} rad does not fit into {duration_s:.4f} s")
    turning_s = max(turning_s, 0.0)  # no turn at all may come out a rounding below zero
    shares = [each / sum(least_s) if sum(least_s) else 1 / len(least_s) for each in least_s]
    return [
        Phase(duration_s=stop_s, acceleration_rad_s2=-brake * _direction(start.rate_rad_s)),
        *(
            phase
            for turn, share in zip(parts.turns, shares, strict=True)
            for phase in _turn_phases(turn, turning_s * share, agility)
        ),
        Phase(duration_s=go_s, acceleration_rad_s2=push * _direction(end.rate_rad_s)),
    ]


def _turn_phases(turn: FloatArray, turn_s: float, agility: Agility) -> list[Phase]:
    """From rest to rest: accelerate, coast, brake."""
    angle, a = float(norm(turn)), float(agility.hardest(turn))
    half = 0.5 * a * turn_s
    peak = half - np.sqrt(max(half * half - a * angle, 0.0))  # angle = peak (turn_s - peak / a)
    up_s = peak / a
    axis = turn / angle if angle > 0 else np.zeros(3)
    return [
        Phase(duration_s=up_s, acceleration_rad_s2=a * axis),
        Phase(duration_s=max(turn_s - 2 * up_s, 0.0), acceleration_rad_s2=np.zeros(3)),
        Phase(duration_s=up_s, acceleration_rad_s2=-a * axis),
    ]


def turned_rad(phases: Sequence[Phase]) -> float:
    """Angle run through by the turns of a slew, from rest to rest."""
    ups, coasts = phases[1:-1:3], phases[2:-1:3]
    return sum(
        up.duration_s * float(norm(up.acceleration_rad_s2)) * (up.duration_s + coast.duration_s)
        for up, coast in zip(ups, coasts, strict=True)
    )


def _direction(rate: FloatArray) -> FloatArray:
    size = float(norm(rate))
    return rate / size if size > _LEAST else np.zeros(3)  # squares of less may be no numbers


def fly(start: State, phases: Sequence[Phase], t_s: FloatArray) -> FloatArray:
    """Attitudes (k, 4) at times (k,) after the start of a slew; each phase turns about one axis."""
    seconds = np.array([phase.duration_s for phase in phases])
    acceleration = np.array([phase.acceleration_rad_s2 for phase in phases]).reshape(-1, 3)
    attitude = np.empty((len(t_s), 4))
    flown(start.attitude, start.rate_rad_s, seconds, acceleration, t_s, attitude)
    return attitude


def plain_fly(start: State, phases: Sequence[Phase], t_s: FloatArray) -> FloatArray:
    """The same without compiled code."""
    attitude, rate = start.attitude, start.rate_rad_s
    out = np.broadcast_to(attitude, (len(t_s), 4)).copy()
    begin = 0.0
    for phase in phases:
        inside = np.clip(t_s - begin, 0.0, phase.duration_s)[:, None]
        here = t_s >= begin
        turn = rate * inside + 0.5 * phase.acceleration_rad_s2 * inside**2
        now = quaternion_product(quaternion_from_rotation_vector(turn), attitude[None])
        out[here] = now[here]
        full = rate * phase.duration_s + 0.5 * phase.acceleration_rad_s2 * phase.duration_s**2
        attitude = quaternion_product(quaternion_from_rotation_vector(full), attitude)
        rate = rate + phase.acceleration_rad_s2 * phase.duration_s
        begin += phase.duration_s
    return out
