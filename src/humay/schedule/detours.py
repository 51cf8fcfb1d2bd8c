"""The way round: slews led through an attitude aside where the straight turn comes too close.

Attitudes aside are half-way ones of the straight turn, turned on about fixed body axes by fixed
angles. The quickest that keeps off all along is taken; there may be a quicker one yet, and where
none of them keeps off the slew is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np

from humay.arrays import FloatArray, unit
from humay.frames import (
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.schedule.keep_outs import Guard
from humay.schedule.slews import Agility, State, slew_phases, slew_time

_STEPS_RAD = np.radians([10.0, 20.0, 35.0, 55.0, 80.0, 110.0])
_AXES = unit(np.array([axis for axis in product((-1.0, 0.0, 1.0), repeat=3) if any(axis)]))
_ASIDE = quaternion_from_rotation_vector((_STEPS_RAD[:, None, None] * _AXES).reshape(-1, 3))


def way_time(
    start: State, end: State, agility: Agility, guard: Guard, from_s: float, within_s: float
) -> tuple[float, tuple[FloatArray, ...]]:
    """The shortest time (s) of a slew that begins at `from_s` and keeps off, and the attitudes that
    it is led through; infinite if none of at most `within_s` does."""
    for seconds, via in _ways(start, end, agility, guard, from_s):
        if seconds > within_s:
            break
        if not guard:
            return seconds, via
        phases = slew_phases(start, end, agility, seconds, via)
        if guard.slew_clear(start, from_s, phases):
            return seconds, via
    return math.inf, ()


def _ways(
    start: State, end: State, agility: Agility, guard: Guard, from_s: float
) -> Iterator[tuple[float, tuple[FloatArray, ...]]]:
    """Straight on, then through attitudes aside that are clear themselves, the quickest first."""
    straight_s = float(slew_time(start, end, agility))
    yield straight_s, ()
    aside = _aside(start, end)
    seconds = slew_time(start, end, agility, (aside,))
    clear = guard.clear("slew", np.full(len(aside), from_s + 0.5 * straight_s), aside)
    for i in np.argsort(seconds, kind="stable"):
        if clear[i]:
            yield float(seconds[i]), (aside[i],)


def _aside(start: State, end: State) -> FloatArray:
    """Attitudes (k, 4) beside the half-way one."""
    turn = quaternion_product(end.attitude, quaternion_inverse(start.attitude))
    half = quaternion_from_rotation_vector(0.5 * rotation_vector_from_quaternion(turn))
    return quaternion_product(_ASIDE, quaternion_product(half, start.attitude)[None])
