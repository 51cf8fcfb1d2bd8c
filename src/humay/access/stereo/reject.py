"""Windows that surely have no pair in them, told from a few looks; compiled."""

from __future__ import annotations

import math

from humay.access.stereo.limits import LEAST, LIT, MOST, SUN_TURN, Pair, sun_cosine
from humay.access.stereo.motion import TIME, VIEW_AT, Vector, dot3, vector
from humay.arrays import FloatArray
from humay.compiled import inner

_CELL = 16  # nodes whose looks are judged together
_SAFETY = 1.02
_SUN_RATE_RAD_S = 7.5e-5  # the Sun goes round in a day


@inner
def possible(pair: Pair, first: FloatArray, second: FloatArray) -> bool:
    """False only where no two looks of two tables can meet convergence and change of the Sun.

    Looks of some neighbouring nodes lie as near to the one in their middle as the outer ones do.
    """
    bounds = pair.bounds
    for i in range(0, first.shape[0], _CELL):
        a = min(i + _CELL // 2, first.shape[0] - 1)
        wide_1 = spread(first, i, a)
        for j in range(0, second.shape[0], _CELL):
            b = min(j + _CELL // 2, second.shape[0] - 1)
            room = wide_1 + spread(second, j, b)
            angle = angle_of(vector(first[a, VIEW_AT:]), vector(second[b, VIEW_AT:]))
            if bounds[LEAST] - room <= angle <= bounds[MOST] + room:
                return lit(pair, first, second)
    return False


@inner
def spread(looks: FloatArray, begin: int, middle: int) -> float:
    """How far (rad) looks of a cell lie from the one in its middle."""
    end = min(begin + _CELL, looks.shape[0] - 1)
    view = vector(looks[middle, VIEW_AT:])
    before = angle_of(view, vector(looks[begin, VIEW_AT:]))
    return _SAFETY * max(before, angle_of(view, vector(looks[end, VIEW_AT:])))


@inner
def angle_of(a: Vector, b: Vector) -> float:
    return math.acos(min(max(dot3(a, b), -1.0), 1.0))


@inner
def lit(pair: Pair, first: FloatArray, second: FloatArray) -> bool:
    """Whether the Sun may change by as little as asked."""
    for k in range(pair.asked.shape[0]):
        if pair.asked[k, 0] == LIT:
            a, b = first[first.shape[0] // 2], second[second.shape[0] // 2]
            half_s = first[first.shape[0] - 1, TIME] - first[0, TIME]
            half_s += second[second.shape[0] - 1, TIME] - second[0, TIME]
            change = math.acos(min(max(sun_cosine(a, b), -1.0), 1.0))
            return bool(change <= pair.bounds[SUN_TURN] + _SUN_RATE_RAD_S * half_s)
    return True
