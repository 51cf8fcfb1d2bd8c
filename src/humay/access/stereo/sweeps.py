"""Opportunities as compiled code reads them: one `Sweep` a row.

The instant of a look is counted as in the row's window: of a point when it is imaged, of a strip
when its sweep begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from humay.access.lines import GroundLine
from humay.access.records import Opportunities
from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, unit
from humay.earth import sun_itrf
from humay.frames import EARTH_RATE_RAD_S
from humay.mission import Satellite
from humay.orbit import Ephemeris, Segment
from humay.time import Epoch

RATE_STEP_S = 0.05  # a sweep's rate is the central difference of its attitude
_ROOM_S = 1.0  # beyond what a row needs of its orbit

# Where in `Sweep.fixed`. The grid of the orbit: step i begins at origin + (first + i) step.
ORIGIN, FIRST, STEP = 0, 1, 2
# From the row's time to the beginning of the sweep, its length, settling time (s), slew limits.
BEGINS, SCAN, SETTLE, RATE, ACCELERATION = 3, 4, 5, 6, 7
# Tangent of half the swath; half the way of the sweep (m), its direction, two horizontal axes that
# all sweeps over this ground share.
HALF_SWATH, HALF_WAY, ALONG, EAST, NORTH = 8, 9, 10, 13, 16
# An instant, the unit vector from the middle place to the Sun then, its rate and half its second
# derivative, the turn of the Earth about z taken out: its pole lies elsewhere.
SUN_TIME, SUN_FROM, SUN_RATE, SUN_BEND = 19, 20, 23, 26
# Where the camera points and in which direction it sweeps, `RATE_STEP_S` before, at and after the
# end of the sweep, then the same about the beginning of settling: 2 x 3 x 6 numbers.
AIM = 29
# How many places there are: the middle line's and, of a strip, those of its ends; of each the
# seconds from the row's time until it is imaged, position and up.
PLACES, PLACE, PLACE_SIZE = 65, 66, 7


class Sweep(NamedTuple):
    """One opportunity; ITRF, metres, seconds, radians.

    `orbit` (k, 18): r(u) = c0 + c1 u + ... + c5 u^5 in each step of the ephemeris, x, y, z of c0
    first, u from 0 to 1. `fixed` (87,): what the constants above name.
    """

    orbit: FloatArray
    fixed: FloatArray


def sweeps_of(
    opportunities: Opportunities,
    satellites: Mapping[str, Satellite],
    orbits: Mapping[str, Ephemeris],
    is_point: BoolArray,
) -> list[Sweep]:
    """The sweeps of all rows (n,); `is_point` (n,) where the row is of a point."""
    o = opportunities
    each = [satellites[name] for name in o.satellite]
    begins_s = np.where(is_point, -0.5 * o.scan_s, 0.0)
    settle_s = np.array([satellite.settle_s for satellite in each], dtype=np.float64)
    swath = np.array([satellite.camera.swath_rad for satellite in each], dtype=np.float64)
    agility = [
        begins_s,
        o.scan_s,
        settle_s,
        np.array([satellite.slew_rate_rad_s for satellite in each], dtype=np.float64),
        np.array([satellite.slew_acceleration_rad_s2 for satellite in each], dtype=np.float64),
    ]
    place = _places(o, is_point)
    fixed = np.concatenate(
        [
            np.stack(agility, axis=-1),
            _scenes(o.line, swath),
            _suns(o, place[:, 0]),
            _aims(o.line, o.scan_s, settle_s).reshape(len(o), 36),
            np.where(is_point, 1.0, 3.0)[:, None],
            place.reshape(len(o), 3 * PLACE_SIZE),
        ],
        axis=-1,
    )
    low_s = o.start_s + begins_s - settle_s - _ROOM_S
    high_s = o.end_s + begins_s + o.scan_s + _ROOM_S
    sweeps = []
    for i, name in enumerate(o.satellite):
        orbit, grid = _path(orbits[name], low_s[i], high_s[i])
        sweeps.append(Sweep(orbit=orbit, fixed=np.concatenate([grid, fixed[i]])))
    return sweeps


def _places(o: Opportunities, is_point: BoolArray) -> FloatArray:
    """The places (n, 3, 7): the ends of a strip in one order, whichever way it is swept."""
    share = np.full((len(o), 3), 0.5)
    share[:, 1], share[:, 2] = 0.0, 1.0
    ends = o.line.normals
    away = _stands_behind(ends[:, 0], ends[:, 1])
    share[away] = share[away][:, [0, 2, 1]]
    line = o.line[:, None]
    later_s = np.where(is_point[:, None], 0.0, share * o.scan_s[:, None])
    return np.concatenate([later_s[..., None], line.place(share), line.normal(share)], axis=-1)


def _stands_behind(a: FloatArray, b: FloatArray) -> BoolArray:
    """Whether vectors (n, 3) come after others in the order of their first unequal coordinate."""
    first = np.argmax(a != b, axis=-1)[:, None]
    return np.asarray(np.take_along_axis(a > b, first, axis=-1)[:, 0])


def _suns(o: Opportunities, middle: FloatArray) -> FloatArray:
    """The Sun (n, 10) about the middle of each window."""
    at_s = 0.5 * (o.start_s + o.end_s)
    half_s = 0.5 * (o.end_s - o.start_s) + _ROOM_S
    before, now, after = (
        _still_sun(o.epoch, at_s, sign * half_s, middle) for sign in (-1.0, 0.0, 1.0)
    )
    rate = (after - before) / (2 * half_s)[:, None]
    bend = (0.5 * (after + before) - now) / (half_s**2)[:, None]
    return np.concatenate([at_s[:, None], now, rate, bend], axis=-1)


def _still_sun(epoch: Epoch, at_s: FloatArray, by_s: FloatArray, middle: FloatArray) -> FloatArray:
    """Directions (n, 3) to the Sun `by_s` after `at_s`, the Earth turned back to `at_s`."""
    t_s = at_s + by_s + middle[:, 0]
    x, y, z = np.moveaxis(unit(sun_itrf(epoch, t_s) - middle[:, 1:4]), -1, 0)
    cosine, sine = np.cos(EARTH_RATE_RAD_S * by_s), np.sin(EARTH_RATE_RAD_S * by_s)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=-1)


def _scenes(line: GroundLine, swath_rad: FloatArray) -> FloatArray:
    """Swath and way (n, 11)."""
    half = np.full(len(swath_rad), 0.5)
    east, north = level_axes(line.normal(half))
    sizes = np.stack([np.tan(swath_rad / 2), line.length_m / 2], axis=-1)
    return np.concatenate([sizes, line.tangent(half), east, north], axis=-1)


def level_axes(up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two horizontal unit vectors (n, 3), at right angles, from the axis most unlike `up`."""
    axis = np.eye(3)[np.argmin(np.abs(up), axis=-1)]
    x = unit(axis - dot(axis, up)[..., None] * up)
    return x, cross(up, x)


def _aims(line: GroundLine, scan_s: FloatArray, settle_s: FloatArray) -> FloatArray:
    """The aims (n, 2, 3, 6)."""
    steps = np.array([-RATE_STEP_S, 0.0, RATE_STEP_S])
    after_s = np.stack([scan_s[:, None] + steps, -settle_s[:, None] + steps], axis=1)
    share = after_s / scan_s[:, None, None]
    many = line[:, None, None]
    return np.concatenate([many.place(share), many.tangent(share)], axis=-1)


def _path(ephemeris: Ephemeris, low_s: float, high_s: float) -> tuple[FloatArray, FloatArray]:
    """Polynomials and grid of a row that needs the orbit from `low_s` to `high_s`."""
    middle_s = 0.5 * (low_s + high_s)
    segment = next(s for s in ephemeris.segments if s.t_s[0] <= middle_s <= s.t_s[-1])
    first, origin_s = _counted(segment)
    place = (np.array([low_s, high_s]) - origin_s) / segment.step_s
    low, high = np.clip(np.floor(place).astype(np.int64) - first, 0, len(segment.t_s) - 2)
    grid = np.array([origin_s, float(first + low), segment.step_s])
    return _steps(segment, np.arange(low, high + 1)), grid


def _counted(segment: Segment) -> tuple[int, float]:
    """Number of a segment's first node on the grid from t = 0, and that grid's origin."""
    first = round(float(segment.t_s[0]) / segment.step_s)
    return first, float(segment.t_s[0]) - first * segment.step_s


def _steps(segment: Segment, i: IntArray) -> FloatArray:
    """Polynomials (k, 18) through position, velocity and acceleration at both nodes of steps."""
    h = segment.step_s
    r, v, a = segment.r_itrf, h * segment.v_itrf, 0.5 * h * h * segment.a_itrf
    rise = r[i + 1] - r[i] - v[i] - a[i]
    turn = v[i + 1] - v[i] - 2 * a[i]
    bend = a[i + 1] - a[i]
    return np.concatenate(
        [
            r[i],
            v[i],
            a[i],
            10 * rise - 4 * turn + bend,
            -15 * rise + 7 * turn - 2 * bend,
            6 * rise - 3 * turn + bend,
        ],
        axis=-1,
    )
