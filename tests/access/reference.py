"""The search for windows in plain NumPy, which the compiled one is held to: places only, and the
limits of every request.

A pass is known by its closest approach, off-nadir and pitch by roots; roll and Sun bend slowly and
are clipped inside the window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from humay.access.looks import (
    EDGE_TOLERANCE_S,
    Nadir,
    down_at,
    look_angles,
    refuse_unlike_low_orbits,
    sun_elevation,
)
from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, norm, unit
from humay.earth import ellipsoid_normal, itrf_from_normal
from humay.mission import Request, Satellite, limits
from humay.orbit import Ephemeris
from humay.roots import bracketed_roots, positive_spans
from humay.time import Epoch

_SLOW_STEP_S = 1.0  # roll and Sun bend so slowly that hardly an excursion hides in 1 s
_CLEAR_OF_SUN_RAD = 1e-3  # further from its limit than this at nine instants, it is not near
_GEODETIC_TILT_RAD = 0.0034  # geodetic nadir leaves the geocentric one by at most 0.193 deg


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """n places with their limits: positions and ellipsoid normals (n, 3), limits (n,) in rad."""

    r_itrf: FloatArray
    up: FloatArray
    max_off_nadir_rad: FloatArray
    max_roll_rad: FloatArray
    max_pitch_rad: FloatArray
    min_sun_elevation_rad: FloatArray

    def take(self, which: IntArray) -> Places:
        """The places with these indices, repeats allowed."""
        return Places(**{name: value[which] for name, value in vars(self).items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """Spans (k,) in which place `which` is within every limit. `best_s` is the least off-nadir
    inside the span, `peak_s` that of the whole pass, in the span or not."""

    which: IntArray
    start_s: FloatArray
    end_s: FloatArray
    best_s: FloatArray
    peak_s: FloatArray


def places_of(satellite: Satellite, requests: Sequence[Request]) -> Places:
    """The places (n, 3) of points, each with the stricter limits of satellite and request."""
    each = [limits(satellite, request) for request in requests]
    lonlat = np.radians([(request.geometry.x, request.geometry.y) for request in requests])
    up = ellipsoid_normal(lonlat[:, 0], lonlat[:, 1])
    return Places(
        r_itrf=itrf_from_normal(up, np.array([request.height_m for request in requests])),
        up=up,
        max_off_nadir_rad=np.array([limit.max_off_nadir_rad for limit in each]),
        max_roll_rad=np.array([limit.max_roll_rad for limit in each]),
        max_pitch_rad=np.array([limit.max_pitch_rad for limit in each]),
        min_sun_elevation_rad=np.array([limit.min_sun_elevation_rad for limit in each]),
    )


def find_approaches(
    ephemeris: Ephemeris, r_itrf: FloatArray, cap_rad: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Closest approaches (which place, when) to m places (m, 3), no further than their cap (m,).

    A pass shows as a local maximum of p.u over the nodes inside a cap widened by half a node step;
    its instant is the root of d/dt(p.u), which is monotone there. No pass can be missed, however
    short its window, because the window's length is never asked.
    """
    if not len(r_itrf):
        return np.zeros(0, np.int64), np.zeros(0)
    refuse_unlike_low_orbits(ephemeris)
    which, when = [], []
    direction = unit(r_itrf)
    for segment in ephemeris.segments:
        sub = unit(segment.r_itrf)
        half_step = 0.5 * float(np.max(np.arccos(np.clip(dot(sub[1:], sub[:-1]), -1, 1))))
        least = np.cos(np.minimum(cap_rad + half_step, np.pi))
        for begin in range(0, len(direction), _block(len(sub))):
            rows = slice(begin, begin + _block(len(sub)))
            place, node = _local_maxima(direction[rows] @ sub.T, least[rows])
            which.append(place + begin)
            when.append(_closest(ephemeris, direction[place + begin], segment.t_s, node))
    index, t_s = np.concatenate(which), np.concatenate(when)
    apart = np.arccos(np.clip(dot(unit(ephemeris.position_itrf(t_s)), direction[index]), -1, 1))
    near = apart <= cap_rad[index]
    return index[near], t_s[near]


def _block(nodes: int) -> int:
    return max(1, 4_000_000 // nodes)  # 32 MB of cosines at a time


def _local_maxima(cosine: FloatArray, least: FloatArray) -> tuple[IntArray, IntArray]:
    mid = cosine[:, 1:-1]
    peak = (mid >= cosine[:, :-2]) & (mid > cosine[:, 2:]) & (mid >= least[:, None])
    place, node = np.nonzero(peak)
    return place, node + 1


def _closest(
    ephemeris: Ephemeris, direction: FloatArray, node_s: FloatArray, node: IntArray
) -> FloatArray:
    def approach(t_s: FloatArray) -> FloatArray:
        r, v = ephemeris.state_itrf(t_s)
        along = dot(direction, v) * dot(r, r) - dot(direction, r) * dot(r, v)
        return np.asarray(along / norm(r) ** 3)

    return bracketed_roots(approach, node_s[node - 1], node_s[node + 1], tolerance=1e-4)


def reach(ephemeris: Ephemeris, places: Places) -> FloatArray:
    """Largest central angle (rad, (m,)) at which each place can be within its off-nadir limit."""
    far = max(float(np.max(norm(segment.r_itrf))) for segment in ephemeris.segments)
    return _cap(places, np.full(len(places.r_itrf), far))


def _cap(places: Places, far: FloatArray) -> FloatArray:
    """The same from satellites no further than `far` (m,) from the Earth's centre."""
    radius = norm(places.r_itrf)
    tilt = np.minimum(places.max_off_nadir_rad + _GEODETIC_TILT_RAD, np.pi / 2)
    sine = far * np.sin(tilt) / radius
    horizon = np.arccos(np.clip(radius / far, -1, 1)) + 0.005  # the ellipsoid's normals lean
    inside = np.arcsin(np.clip(sine, -1, 1)) - tilt
    return np.where(sine < 1, np.minimum(inside, horizon), horizon) + 0.002


def find_windows(
    ephemeris: Ephemeris, places: Places, *, start_s: float, end_s: float, nadir: Nadir
) -> Windows:
    """Every window of every place inside [start_s, end_s]: all limits met, edges to 0.01 ms."""
    which, approach_s = find_approaches(ephemeris, places.r_itrf, reach(ephemeris, places))
    near = (approach_s > start_s - 900) & (approach_s < end_s + 900)
    which, approach_s = which[near], approach_s[near]
    found = windows_around(ephemeris, places.take(which), approach_s, nadir)
    begin, finish = np.maximum(found.start_s, start_s), np.minimum(found.end_s, end_s)
    kept = finish > begin
    return Windows(
        which=which[found.which][kept],
        start_s=begin[kept],
        end_s=finish[kept],
        best_s=np.clip(found.best_s, begin, finish)[kept],
        peak_s=found.peak_s[kept],
    )


def windows_around(
    ephemeris: Ephemeris, places: Places, approach_s: FloatArray, nadir: Nadir
) -> Windows:
    """The windows of the pass of each place (n,) that comes closest at `approach_s` (n,).

    Off-nadir and horizon by roots; roll, pitch and Sun as spans inside. A place may get none, one
    or more windows.
    """
    least = np.cos(places.max_off_nadir_rad)

    def margin(t_s: FloatArray, which: IntArray) -> FloatArray:
        """Positive in reach: cosine of off-nadir over its limit, and above the horizon.

        A place behind the Earth also lies close to the nadir line, so the angle alone would accept
        it.
        """
        r = ephemeris.position_itrf(t_s)
        sight = places.r_itrf[which] - r
        distance = norm(sight)
        tilt_left = dot(sight, down_at(r, nadir)) / distance - least[which]
        return np.minimum(tilt_left, -dot(sight, places.up[which]) / distance)

    everyone = np.arange(len(approach_s))
    peak_s = _least_off_nadir(margin, approach_s, everyone)
    open_ = np.flatnonzero(margin(peak_s, everyone) > 0)
    peak = peak_s[open_]
    half = _longest_half_pass(ephemeris, places.take(open_), peak)

    def edge(t_s: FloatArray) -> FloatArray:
        return margin(t_s, open_)

    rise = bracketed_roots(edge, peak - half, peak, tolerance=EDGE_TOLERANCE_S)
    fall = bracketed_roots(edge, peak, peak + half, tolerance=EDGE_TOLERANCE_S)
    windows = Windows(which=open_, start_s=rise, end_s=fall, best_s=peak, peak_s=peak)
    windows = _within_pitch(windows, ephemeris, places, nadir)
    windows = _clip(windows, _roll_left(ephemeris, places, nadir), math.inf)
    return _clip(windows, _sun_left(ephemeris.epoch, places), _CLEAR_OF_SUN_RAD)


def _least_off_nadir(
    margin: Callable[[FloatArray, IntArray], FloatArray], approach_s: FloatArray, which: IntArray
) -> FloatArray:
    """Instants of least off-nadir: parabola steps from the closest approach to the sub-point.

    They lie within a second of each other, but a grazing window may be shorter than that.
    """
    t, h = approach_s, 2.0
    for _ in range(3):
        left, mid, right = margin(t - h, which), margin(t, which), margin(t + h, which)
        bend = left - 2 * mid + right
        step = np.where(bend < 0, -0.5 * h * (right - left) / np.where(bend < 0, bend, 1.0), 0.0)
        t, h = t + np.clip(step, -5.0, 5.0), h / 4
    return t


def _longest_half_pass(ephemeris: Ephemeris, places: Places, peak_s: FloatArray) -> FloatArray:
    """Seconds after which the sub-point is surely out of reach: the cap over the ground rate.

    Both as they are at the peak, with room for an orbit of eccentricity 0.05, so that the bracket
    of an edge, and with it the edge's last digit, does not depend on the span asked for.
    """
    r, v = ephemeris.state_itrf(peak_s)
    radius = norm(r)
    rate = norm(cross(r, v)) / radius**2
    return (_cap(places, 1.02 * radius) + 0.01) / (0.9 * rate) + 10.0


Limit: TypeAlias = Callable[[FloatArray, IntArray], FloatArray]


def _within_pitch(windows: Windows, ephemeris: Ephemeris, places: Places, nadir: Nadir) -> Windows:
    """The parts of windows within the pitch limit.

    Pitch falls all through a pass, from looking ahead to looking back, by 0.6 deg/s and more: the
    instants at which it meets the limits are roots, and no window is too short for them.
    """
    if np.all(places.max_pitch_rad >= places.max_off_nadir_rad):
        return windows

    def over(t_s: FloatArray, rows: IntArray, sign: float) -> FloatArray:
        which = windows.which[rows]
        r, v = ephemeris.state_itrf(t_s)
        pitch = look_angles(r, v, places.r_itrf[which], nadir)[2]
        return np.asarray(pitch - sign * places.max_pitch_rad[which])

    start_s, end_s = windows.start_s.copy(), windows.end_s.copy()
    every = np.arange(len(windows.which))
    outside = (over(windows.end_s, every, 1.0) > 0) | (over(windows.start_s, every, -1.0) < 0)
    for sign, edge_s in ((1.0, start_s), (-1.0, end_s)):
        begin, finish = over(windows.start_s, every, sign), over(windows.end_s, every, sign)
        rows = np.flatnonzero(~outside & (begin > 0) & (finish < 0))
        edge_s[rows] = bracketed_roots(
            lambda t_s, rows=rows, sign=sign: over(t_s, rows, sign),  # type: ignore[misc]
            windows.start_s[rows],
            windows.end_s[rows],
            tolerance=EDGE_TOLERANCE_S,
        )
    kept = ~outside & (end_s > start_s)
    return Windows(
        which=windows.which[kept],
        start_s=start_s[kept],
        end_s=end_s[kept],
        best_s=np.clip(windows.best_s, start_s, np.maximum(start_s, end_s))[kept],
        peak_s=windows.peak_s[kept],
    )


def _roll_left(ephemeris: Ephemeris, places: Places, nadir: Nadir) -> Limit | None:
    """Margin of roll, which hardly changes through a pass; None where off-nadir keeps it."""
    if np.all(places.max_roll_rad >= places.max_off_nadir_rad):
        return None

    def left(t_s: FloatArray, which: IntArray) -> FloatArray:
        r, v = ephemeris.state_itrf(t_s)
        roll = look_angles(r, v, places.r_itrf[which], nadir)[1]
        return np.asarray(places.max_roll_rad[which] - np.abs(roll))

    return left


def _sun_left(epoch: Epoch, places: Places) -> Limit:
    def left(t_s: FloatArray, which: IntArray) -> FloatArray:
        elevation = sun_elevation(epoch, t_s, places.r_itrf[which], places.up[which])
        return np.asarray(elevation - places.min_sun_elevation_rad[which])

    return left


def _clip(windows: Windows, limit: Limit | None, clear_rad: float) -> Windows:
    """The parts of windows where a slow limit holds; nine instants that are clear decide."""
    if limit is None or not len(windows.which):
        return windows
    share = np.linspace(0.0, 1.0, 9)
    t_s = windows.start_s[:, None] + share * (windows.end_s - windows.start_s)[:, None]
    which = np.broadcast_to(windows.which[:, None], t_s.shape)
    left = limit(t_s.ravel(), which.ravel()).reshape(t_s.shape)
    whole: BoolArray = np.all(left > clear_rad, axis=1)
    near = ~whole & ~np.all(left < -clear_rad, axis=1)
    rows = [(i, windows.start_s[i], windows.end_s[i]) for i in np.flatnonzero(whole)]
    for i in np.flatnonzero(near):
        rows += [(i, begin, end) for begin, end in _spans_inside(windows, int(i), limit)]
    if not rows:
        return Windows(**{name: value[:0] for name, value in vars(windows).items()})
    rows.sort()
    order = np.array([row[0] for row in rows], dtype=np.int64)
    start_s, end_s = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    best_s = np.clip(windows.best_s[order], start_s, end_s)
    return Windows(
        which=windows.which[order],
        start_s=start_s,
        end_s=end_s,
        best_s=best_s,
        peak_s=windows.peak_s[order],
    )


def _spans_inside(windows: Windows, i: int, limit: Limit) -> list[tuple[float, float]]:
    begin, end = windows.start_s[i], windows.end_s[i]
    nodes = np.linspace(begin, end, max(5, int(np.ceil((end - begin) / _SLOW_STEP_S)) + 1))

    def left(t_s: FloatArray) -> FloatArray:
        return limit(t_s, np.full(t_s.shape, windows.which[i]))

    return positive_spans(left, nodes, tolerance=EDGE_TOLERANCE_S)
