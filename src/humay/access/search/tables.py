"""An orbit and the sky as polynomials on an absolute grid, the way compiled code reads them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from humay.arrays import FloatArray, IntArray, angle_between, cross, norm, unit
from humay.earth import moon_gcrf, sun_gcrf
from humay.frames import EARTH_RATE_RAD_S, itrf_from_gcrf
from humay.orbit import Ephemeris
from humay.tables import earth_orientation
from humay.time import Epoch

SUN_STEP_S = 43_200.0  # a cubic through four follows it within 3e-9 rad
MOON_STEP_S = 10_800.0  # the same within 2e-8 rad
ARC_NODES = 12  # steps of an ephemeris in one arc


class Track(NamedTuple):
    """One segment of an ephemeris.

    `r` (m, 18) holds r(u) = c0 + c1 u + ... + c5 u^5 of each step, x, y, z of c0 first, u from 0
    to 1; step i begins at `origin_s` + (`first` + i) `step_s`. `sub` (m + 1, 3) are the directions
    of the nodes from the Earth's centre.

    Arcs of `ARC_NODES` nodes, begun on the absolute grid: `arc` (k + 1,) the node each begins with,
    `pole` (3, k) the normal of the plane it lies close to, `off_plane_rad` (k,) how far it leaves
    that, `middle` (3, k) and cosine and sine of its `half_length` (2, k).
    """

    r: FloatArray
    origin_s: float
    first: float
    step_s: float
    sub: FloatArray
    arc: IntArray
    pole: FloatArray
    off_plane_rad: FloatArray
    middle: FloatArray
    half_length: FloatArray
    half_step_rad: float
    least_half_step_rad: float
    farthest_m: float
    node_s: FloatArray
    node_orbit: FloatArray


class Body(NamedTuple):
    """Apparent Sun or Moon (m), the Earth's even turn and the pole's place taken out.

    `r` (k, 16): the cubic of each step, x, y, z of c0 first, then the pole's coordinates (rad) at
    its begin and what they grow by. Step i begins at (`first` + i) `step_s`.
    """

    r: FloatArray
    first: float
    step_s: float


class Sky(NamedTuple):
    """What shines."""

    sun: Body
    moon: Body


def tracks_of(ephemeris: Ephemeris) -> list[Track]:
    """A table of each segment."""
    return [_track(ephemeris, i) for i in range(len(ephemeris.segments))]


def _track(ephemeris: Ephemeris, index: int) -> Track:
    segment = ephemeris.segments[index]
    h = segment.step_s
    first = round(float(segment.t_s[0]) / h)
    sub = segment.r_itrf / norm(segment.r_itrf)[:, None]
    steps = angle_between(sub[1:], sub[:-1])
    arc = _arc_starts(first, len(sub))
    pole, off_plane, middle, half = _arcs(sub, arc)
    return Track(
        r=_quintics(segment.r_itrf, h * segment.v_itrf, h * h * segment.a_itrf),
        origin_s=float(segment.t_s[0]) - first * h,
        first=float(first),
        step_s=h,
        sub=np.ascontiguousarray(sub),
        arc=arc,
        pole=np.ascontiguousarray(pole.T),
        off_plane_rad=off_plane,
        middle=np.ascontiguousarray(middle.T),
        half_length=np.stack([np.cos(half), np.sin(half)]),
        half_step_rad=0.5 * float(np.max(steps)),
        least_half_step_rad=0.5 * float(np.min(steps)),
        farthest_m=float(np.max(norm(segment.r_itrf))) * 1.0005,
        node_s=np.array(ephemeris.node_s),
        node_orbit=np.array(ephemeris.node_orbit, dtype=np.float64),
    )


def _quintics(r: FloatArray, v: FloatArray, a: FloatArray) -> FloatArray:
    """Coefficients (m, 18) of quintic Hermite interpolation, `v` and `a` per step."""
    r0, r1, v0, v1, a0, a1 = r[:-1], r[1:], v[:-1], v[1:], a[:-1], a[1:]
    table = np.empty((len(r0), 18))
    climb, bend = r1 - r0, 0.5 * (a0 - a1)
    table[:, 0:3], table[:, 3:6], table[:, 6:9] = r0, v0, 0.5 * a0
    table[:, 9:12] = 10 * climb - 6 * v0 - 4 * v1 - a0 - bend
    table[:, 12:15] = -15 * climb + 8 * v0 + 7 * v1 + 0.5 * a0 + 2 * bend
    table[:, 15:18] = 6 * climb - 3 * (v0 + v1) - bend
    return table


def _arc_starts(first: int, nodes: int) -> IntArray:
    """First node of each arc, and the number of nodes: cuts are at multiples on the grid."""
    cuts = np.arange(-(first % ARC_NODES), nodes, ARC_NODES)
    return np.concatenate([[0], cuts[cuts > 0], [nodes]]).astype(np.int64)


def _arcs(
    sub: FloatArray, starts: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Normal (k, 3), largest distance from its plane (k,), middle and half length of each arc.

    Each takes in one node more on both sides. Between two nodes the way leaves the chord by less
    than an eighth of the square of their distance.
    """
    begin, end = starts[:-1, None], starts[1:, None]
    steps = np.arange(-1, ARC_NODES + 1)
    own = sub[np.clip(begin + steps, 0, np.minimum(end, len(sub) - 1))]
    pole = unit(np.sum(cross(own[:, :-1], own[:, 1:]), axis=1))
    middle = unit(np.sum(own, axis=1))
    gap = np.max(norm(np.diff(own, axis=1)), axis=1) * 1.01
    off = np.max(np.abs(np.arcsin(np.einsum("kni,ki->kn", own, pole))), axis=1)
    half = np.max(np.arccos(np.clip(np.einsum("kni,ki->kn", own, middle), -1, 1)), axis=1)
    return pole, off + gap**2 / 8, middle, half


def sky_of(epoch: Epoch, start_s: float, end_s: float, *, moon: bool) -> Sky:
    """Sun and Moon over [start_s, end_s]; a Moon that nobody asks for is left at the centre."""
    span = start_s, end_s
    sun = _body(epoch, span, SUN_STEP_S, sun_gcrf)
    if not moon:
        return Sky(sun=sun, moon=Body(r=np.zeros((1, 16)), first=sun.first, step_s=sun.step_s))
    return Sky(sun=sun, moon=_body(epoch, span, MOON_STEP_S, moon_gcrf))


def _body(
    epoch: Epoch,
    span: tuple[float, float],
    step_s: float,
    place_gcrf: Callable[[Epoch, FloatArray], FloatArray],
) -> Body:
    first, last = math.floor(span[0] / step_s), math.ceil(span[1] / step_s)
    t_s = step_s * np.arange(first - 1, last + 2, dtype=np.float64)
    _, xp, yp = earth_orientation().at(epoch.mjd_utc(t_s))
    r_itrf = np.einsum("nij,nj->ni", itrf_from_gcrf(epoch, t_s), place_gcrf(epoch, t_s))
    x, y, z = r_itrf.T
    off_pole = np.stack([x - xp * z, y + yp * z, z + xp * x - yp * y], axis=-1)
    turned = np.einsum("nij,nj->ni", _turned_back(t_s), off_pole)
    pole = np.stack([xp, yp], axis=-1)
    pole = np.concatenate([pole[1:-2], pole[2:-1] - pole[1:-2]], axis=-1)
    return Body(
        r=np.ascontiguousarray(np.concatenate([_cubics(turned), pole], axis=-1)),
        first=float(first),
        step_s=step_s,
    )


def _turned_back(t_s: FloatArray) -> FloatArray:
    """Rotations (n, 3, 3) that undo the Earth's even turn since t = 0."""
    angle = EARTH_RATE_RAD_S * t_s
    c, s, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    rows = [[c, -s, zero], [s, c, zero], [zero, zero, zero + 1.0]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _cubics(x: FloatArray) -> FloatArray:
    """Coefficients (n - 3, 12) of the cubic through four neighbours (n, 3), over the middle gap."""
    before, here, there, after = x[:-3], x[1:-2], x[2:-1], x[3:]
    coefficients = (
        here,
        -before / 3 - here / 2 + there - after / 6,
        before / 2 - here + there / 2,
        -before / 6 + here / 2 - there / 2 + after / 6,
    )
    return np.ascontiguousarray(np.concatenate(coefficients, axis=-1))
