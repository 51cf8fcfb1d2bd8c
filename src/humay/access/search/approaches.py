"""Every closest approach of a satellite's ground point to places: one for each pass."""

from __future__ import annotations

import math
from typing import NamedTuple

from humay.access.search.motion import body_at, position, velocity
from humay.access.search.tables import Body, Track
from humay.arrays import FloatArray, IntArray
from humay.compiled import inner, kernel

APPROACH_S = 1e-3  # the instant is this close to the root
_CURVED = 0.15  # a parabola through three nodes h apart misses a cosine's top by less, times h^4


class Hunt(NamedTuple):
    """What is looked for: approaches to places (n, 3), unit vectors, within `cap_rad` (n,) seen
    from the Earth's centre, over [begin_s, end_s], with the sine of the Sun's elevation at the
    nearest node at least `least_sun` (n,)."""

    place: FloatArray
    cap_rad: FloatArray
    least_sun: FloatArray
    begin_s: float
    end_s: float


@kernel
def scan(
    track: Track, sun: Body, hunt: Hunt, first: int, out_place: IntArray, out_s: FloatArray
) -> tuple[int, int]:
    """Approaches from place `first` on, each near a minimum of the angle between place and
    satellite (0.1 s for nodes 120 s apart): how many, and the place to go on with once the arrays
    of answers have room again. None within the cap is left out, a few beyond it are let in."""
    found = 0
    most = 2 * track.arc.shape[0]  # of one place: an arc of a quarter turn has one minimum inside
    for i in range(first, hunt.place.shape[0]):
        if found + most > out_s.shape[0]:
            return found, i
        found = _of_one_place(track, sun, hunt, i, found, out_place, out_s)
    return found, hunt.place.shape[0]


@inner
def _of_one_place(
    track: Track, sun: Body, hunt: Hunt, i: int, found: int, out_place: IntArray, out_s: FloatArray
) -> int:
    """Write the approaches of place i from `found` on; how many there are then."""
    x, y, z = hunt.place[i, 0], hunt.place[i, 1], hunt.place[i, 2]
    cap = hunt.cap_rad[i]
    sine, cosine = math.sin(cap), math.cos(cap)
    wide = math.cos(cap + track.half_step_rad)
    first, last = _arcs_in(track, hunt)
    for k in range(first, last):
        off = abs(x * track.pole[0, k] + y * track.pole[1, k] + z * track.pole[2, k])
        if off > sine + track.off_plane_rad[k]:  # sin(a + b) <= sin(a) + b
            continue
        ahead = x * track.middle[0, k] + y * track.middle[1, k] + z * track.middle[2, k]
        if ahead < cosine * track.half_length[0, k] - sine * track.half_length[1, k]:
            continue
        for j in range(track.arc[k], track.arc[k + 1]):
            here = nearness(track, x, y, z, j)
            if here < wide:
                continue
            before, after = nearness(track, x, y, z, j - 1), nearness(track, x, y, z, j + 1)
            if here < before or here <= after:
                continue
            t, top = _top(track, x, y, z, j, before, here, after)
            if top < cosine or not _light(track, sun, hunt, i, j):
                continue
            if hunt.begin_s <= t <= hunt.end_s:
                out_place[found], out_s[found] = i, t
                found += 1
    return found


@inner
def _arcs_in(track: Track, hunt: Hunt) -> tuple[int, int]:
    """The arcs that may hold a part of the time looked at."""
    arcs = track.arc.shape[0] - 1
    low = (hunt.begin_s - track.origin_s) / track.step_s - track.first - 1
    high = (hunt.end_s - track.origin_s) / track.step_s - track.first + 1
    first, last = 0, arcs
    while first < arcs and track.arc[first + 1] < low:
        first += 1
    while last > first and track.arc[last - 1] > high:
        last -= 1
    return first, last


@inner
def nearness(track: Track, x: float, y: float, z: float, j: int) -> float:
    """Cosine of the angle between a direction and node j; less than any beyond the ends."""
    if j < 0 or j >= track.sub.shape[0]:
        return -2.0
    return float(x * track.sub[j, 0] + y * track.sub[j, 1] + z * track.sub[j, 2])


@inner
def _top(
    track: Track, x: float, y: float, z: float, j: int, before: float, here: float, after: float
) -> tuple[float, float]:
    """About when a direction is nearest, and a bound of the cosine there.

    The top of the parabola through three nodes; where the segment ends, the root itself.
    """
    node_s = track.origin_s + (track.first + j) * track.step_s
    bend = before - 2 * here + after
    if before < -1.0 or after < -1.0 or bend >= 0:
        t = _closest(track, x, y, z, j)
        rx, ry, rz = position(track, t)
        return t, (x * rx + y * ry + z * rz) / math.sqrt(rx * rx + ry * ry + rz * rz) + 1e-12
    shift = 0.5 * (before - after) / bend
    missed = _CURVED * (2 * track.half_step_rad) ** 4
    return node_s + shift * track.step_s, here - (after - before) ** 2 / (8 * bend) + missed


@inner
def _light(track: Track, sun: Body, hunt: Hunt, i: int, j: int) -> bool:
    """Whether the Sun is as high as asked for at node j, over the sphere."""
    if hunt.least_sun[i] <= -1.0:
        return True
    sx, sy, sz = body_at(sun, track.origin_s + (track.first + j) * track.step_s)
    high = sx * hunt.place[i, 0] + sy * hunt.place[i, 1] + sz * hunt.place[i, 2]
    return bool(high >= hunt.least_sun[i] * math.sqrt(sx * sx + sy * sy + sz * sz))


@inner
def _closest(track: Track, x: float, y: float, z: float, j: int) -> float:
    """The instant between the neighbours of node j at which the direction is nearest.

    The derivative of the angle's cosine is nearly a sine there: regula falsi that halves the value
    that stays (M. Dowell and P. Jarratt, BIT 11, 1971) needs three or four steps.
    """
    node_s = track.origin_s + (track.first + j) * track.step_s
    low = node_s - (track.step_s if j > 0 else 0.0)
    high = node_s + (track.step_s if j < track.sub.shape[0] - 1 else 0.0)
    f_low, f_high = _closing(track, x, y, z, low), _closing(track, x, y, z, high)
    if f_low <= 0 or f_high >= 0:  # at an end of the segment
        return low if f_low <= 0 else high
    t, side = low, 0
    for _ in range(60):
        before = t
        t = (low * f_high - high * f_low) / (f_high - f_low)
        f = _closing(track, x, y, z, t)
        if abs(t - before) < APPROACH_S or f == 0:
            break
        if f > 0:
            low, f_low = t, f
            f_high = 0.5 * f_high if side == 1 else f_high
            side = 1
        else:
            high, f_high = t, f
            f_low = 0.5 * f_low if side == -1 else f_low
            side = -1
    return t


@inner
def _closing(track: Track, x: float, y: float, z: float, t_s: float) -> float:
    """Rate of the cosine of the angle, times a positive factor that hardly changes."""
    rx, ry, rz = position(track, t_s)
    vx, vy, vz = velocity(track, t_s)
    square = rx * rx + ry * ry + rz * rz
    along = x * vx + y * vy + z * vz
    return along * square - (x * rx + y * ry + z * rz) * (rx * vx + ry * vy + rz * vz)
