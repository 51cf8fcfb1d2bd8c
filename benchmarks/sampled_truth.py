"""Windows by brute force: every limit at every second, straight from SGP4, edges by halving.

Nothing here is interpolated, and nothing comes from `humay.access`: positions are those of the
`sgp4` package turned to ITRF, the Sun that of `humay.earth`. A window or a gap between two seconds
shows as an extremum of the margin there and is looked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from benchmarks.window_lists import WindowList
from sgp4.api import Satrec, jday

from humay.access import Nadir
from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, norm, unit
from humay.earth import ellipsoid_normal, itrf_from_geodetic, sun_itrf, up_at
from humay.frames import itrf_from_teme
from humay.time import Epoch

CAP_RAD = math.radians(6.0)  # 30 deg off nadir from 720 km see 3.9 deg of the Earth
BLOCK_S = 21_600
HALVINGS = 26  # of a second: 15 ns
THIRDS = 40  # of two seconds: 0.2 microseconds
NEAR_RAD = 1e-4  # an extremum may lie beyond its parabola by far less

Margin = Callable[[FloatArray, IntArray], FloatArray]  # times and places (n,) to margins (n,)


@dataclass(frozen=True, kw_only=True, eq=False)
class Flight:
    """One satellite over places (n, 3) of lon_deg, lat_deg, height_m; `t_s` counts from `start`."""

    record: Satrec
    start: datetime
    places: FloatArray
    nadir: Nadir
    off_nadir_rad: float
    sun_rad: float

    @cached_property
    def epoch(self) -> Epoch:
        return Epoch(self.start)

    @cached_property
    def targets(self) -> FloatArray:
        lon, lat, height = self.places.T
        return itrf_from_geodetic(np.radians(lon), np.radians(lat), height)

    @cached_property
    def normals(self) -> FloatArray:
        return ellipsoid_normal(np.radians(self.places[:, 0]), np.radians(self.places[:, 1]))

    def position(self, t_s: FloatArray) -> FloatArray:
        """ITRF positions (n, 3) in metres."""
        day, part = jday(self.start.year, self.start.month, self.start.day, 0, 0, 0.0)
        codes, r_km, _ = self.record.sgp4_array(np.full(t_s.shape, day), part + t_s / 86_400.0)
        assert not codes.any()
        return np.asarray(np.einsum("nij,nj->ni", itrf_from_teme(self.epoch, t_s), 1e3 * r_km))

    def off_nadir(self, r: FloatArray, place: IntArray) -> FloatArray:
        down = -up_at(r) if self.nadir == "geodetic" else -unit(r)
        sight = self.targets[place] - r
        return np.arctan2(norm(cross(sight, down)), dot(sight, down))

    def look_left(self, r: FloatArray, place: IntArray) -> FloatArray:
        """What is left of off-nadir, or of the elevation above the ellipsoid's horizon (rad)."""
        above = np.arcsin(dot(unit(r - self.targets[place]), self.normals[place]))
        return np.minimum(self.off_nadir_rad - self.off_nadir(r, place), above)

    def sun_left(self, sun: FloatArray, place: IntArray) -> FloatArray:
        to_sun = unit(sun - self.targets[place])
        return np.asarray(np.arcsin(dot(to_sun, self.normals[place])) - self.sun_rad)

    def margin(self, t_s: FloatArray, place: IntArray) -> FloatArray:
        """The least that is left of any limit (rad)."""
        look = self.look_left(self.position(t_s), place)
        return np.minimum(look, self.sun_left(sun_itrf(self.epoch, t_s), place))

    def ground_m(self, t_s: FloatArray, place: IntArray) -> FloatArray:
        """How far on the ground the edge of what is in reach passes from places; NaN where the Sun
        decides."""
        r = self.position(t_s)
        sight = r - self.targets[place]
        left = self.look_left(r, place)
        by_sun = np.abs(self.sun_left(sun_itrf(self.epoch, t_s), place)) < np.abs(left)
        slant = norm(sight) / dot(unit(sight), self.normals[place])
        return np.where(by_sun, np.nan, np.abs(left) * slant)


def sampled_windows(flight: Flight, seconds: int) -> WindowList:
    """Every window in [0, seconds], whole seconds, as of satellite 0."""
    parts = [_bracketed(flight, low, seconds) for low in range(0, seconds, BLOCK_S)]
    low, high, place, rises = _joined(parts)
    t_s = _halved(flight.margin, low, high, place, rises)
    every = np.arange(len(flight.places))
    at_start = flight.margin(np.zeros(len(every)), every) >= 0
    at_end = flight.margin(np.full(len(every), float(seconds)), every) >= 0
    start_s = np.concatenate([np.zeros(at_start.sum()), t_s[rises]])
    start_of = np.concatenate([every[at_start], place[rises]])
    end_s = np.concatenate([t_s[~rises], np.full(at_end.sum(), float(seconds))])
    end_of = np.concatenate([place[~rises], every[at_end]])
    first, last = np.lexsort((start_s, start_of)), np.lexsort((end_s, end_of))
    assert np.array_equal(start_of[first], end_of[last]), "a window begins and does not end"
    return WindowList(
        place=start_of[first],
        satellite=np.zeros(len(first), dtype=np.int64),
        start_s=start_s[first],
        end_s=end_s[last],
    )


Brackets = tuple[FloatArray, FloatArray, IntArray, BoolArray]


def _bracketed(flight: Flight, begin: int, seconds: int) -> Brackets:
    """Low and high ends, places and whether the margin rises, of the edges in one block.

    A second more at either end gives the block's first and last second their neighbours.
    """
    t = np.arange(begin - 1, min(begin + BLOCK_S, seconds) + 2, dtype=np.float64)
    r, sun = flight.position(t), sun_itrf(flight.epoch, t)
    found: list[Brackets] = []
    for place, near in _passes(flight, r):
        which = np.full(len(near), place)
        left = np.minimum(flight.look_left(r[near], which), flight.sun_left(sun[near], which))
        inside = slice(1, len(near)) if near[0] == 0 else slice(0, len(near))
        found += [_changes(t[near][inside], left[inside], place, t[-2])]
        found += [_hidden(flight, t[near], left, place, (max(begin, 1), t[-2]))]
    return _joined(found)


def _joined(parts: list[Brackets]) -> Brackets:
    none = np.zeros(0)
    parts = [(none, none, none.astype(np.int64), none.astype(bool)), *parts]
    low, high, place, rises = zip(*parts, strict=True)
    return np.concatenate(low), np.concatenate(high), np.concatenate(place), np.concatenate(rises)


def _passes(flight: Flight, r: FloatArray) -> Iterator[tuple[int, IntArray]]:
    """Place by place, unbroken runs of instants at which the sub-point is near."""
    direction = unit(r)
    for place, target in enumerate(unit(flight.targets)):
        near = np.flatnonzero(direction @ target > math.cos(CAP_RAD))
        for run in np.split(near, np.flatnonzero(np.diff(near) > 1) + 1):
            if len(run) > 2:
                yield place, run


def _changes(t: FloatArray, left: FloatArray, place: int, end_s: float) -> Brackets:
    """Neighbours in time with different signs, none beyond `end_s`."""
    inside = left >= 0
    at = np.flatnonzero((inside[1:] != inside[:-1]) & (t[1:] <= end_s))
    return t[at], t[at + 1], np.full(len(at), place), inside[at + 1]


def _hidden(
    flight: Flight, t: FloatArray, left: FloatArray, place: int, span_s: tuple[float, float]
) -> Brackets:
    """Windows, and gaps, that begin and end between neighbours in time, about an instant in
    [span_s)."""
    mid, before, after = left[1:-1], left[:-2], left[2:]
    sign = np.where(mid < 0, 1.0, -1.0)
    bend = sign * (before - 2 * mid + after)
    tip = sign * mid - (sign * (after - before)) ** 2 / (8 * np.where(bend < 0, bend, -1.0))
    peak = (sign * mid >= sign * before) & (sign * mid >= sign * after) & (bend < 0)
    at = 1 + np.flatnonzero(peak & (tip > -NEAR_RAD))
    at = at[(t[at] >= span_s[0]) & (t[at] < span_s[1])]
    which, sign = np.full(len(at), place), sign[at - 1]
    best = _best(lambda s, p: sign * flight.margin(s, p), t[at] - 1, t[at] + 1, which)
    real = sign * flight.margin(best, which) > 0
    at, best, which, opens = at[real], best[real], which[real], sign[real] > 0
    return (
        np.concatenate([t[at] - 1, best]),
        np.concatenate([best, t[at] + 1]),
        np.concatenate([which, which]),
        np.concatenate([opens, ~opens]),
    )


def _best(f: Margin, low: FloatArray, high: FloatArray, place: IntArray) -> FloatArray:
    """Where f is largest between low and high (n,), by thirds."""
    for _ in range(THIRDS if len(low) else 0):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        right = f(a, place) < f(b, place)
        low, high = np.where(right, a, low), np.where(right, high, b)
    return 0.5 * (low + high)


def _halved(
    f: Margin, low: FloatArray, high: FloatArray, place: IntArray, rises: BoolArray
) -> FloatArray:
    """Where f changes its sign between low and high (n,)."""
    for _ in range(HALVINGS if len(low) else 0):
        middle = 0.5 * (low + high)
        before = (f(middle, place) >= 0) != rises
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return 0.5 * (low + high)
