"""A satellite in the sky of ground stations: where it stands, and when it is above their masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from humay.access.bounds import largest_pull_m_s2
from humay.access.crossings import ROUNDING, Intervals, Spans, in_one, nodes_over, spans_above
from humay.access.horizons import TURN, Horizons, horizons_of
from humay.arrays import BoolArray, FloatArray, IntArray, dot, norm, unit
from humay.earth import ellipsoid_normal, itrf_from_normal
from humay.mission import Station
from humay.orbit import Ephemeris, Segment

_NORMAL_TILT_RAD = 0.006  # what the ellipsoid's normal, 0.2 deg off the radius, adds to a cap
_NEAREST_M = 1e3  # no orbit passes a station at less
_BLOCK = 4_000_000  # cosines at a time, 32 MB


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A satellite as seen from stations, all (n,): elevation, azimuth clockwise from north,
    distance, and their rates of change."""

    elevation_rad: FloatArray
    azimuth_rad: FloatArray
    range_m: FloatArray
    elevation_rate_rad_s: FloatArray
    azimuth_rate_rad_s: FloatArray
    range_rate_m_s: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Sky:
    """The sky over m stations: `place_itrf` (m, 3), directions (m, 3) on ITRF axes, horizons."""

    place_itrf: FloatArray
    east: FloatArray
    north: FloatArray
    up: FloatArray
    horizons: Horizons

    def view(self, r_itrf: FloatArray, v_itrf: FloatArray, which: IntArray) -> View:
        """Satellites at positions and velocities (n, 3), from the stations with indices (n,).

        Geometric, without refraction. Right in the zenith the rates of the angles are without
        meaning.
        """
        sight = r_itrf - self.place_itrf[which]
        east, north, up = self.east[which], self.north[which], self.up[which]
        x, y, z = dot(sight, east), dot(sight, north), dot(sight, up)
        x_rate, y_rate, z_rate = dot(v_itrf, east), dot(v_itrf, north), dot(v_itrf, up)
        flat = np.maximum(np.hypot(x, y), 1e-3)
        flat_rate = (x * x_rate + y * y_rate) / flat
        square = flat**2 + z**2
        distance = np.sqrt(square)
        return View(
            elevation_rad=np.arctan2(z, flat),
            azimuth_rad=np.mod(np.arctan2(x, y), TURN),
            range_m=distance,
            elevation_rate_rad_s=(z_rate * flat - z * flat_rate) / square,
            azimuth_rate_rad_s=(x_rate * y - x * y_rate) / flat**2,
            range_rate_m_s=(flat * flat_rate + z * z_rate) / distance,
        )


def sky_over(stations: Sequence[Station]) -> Sky:
    """The sky over stations."""
    lon = np.array([station.lon_rad for station in stations])
    lat = np.array([station.lat_rad for station in stations])
    up = ellipsoid_normal(lon, lat)
    return Sky(
        place_itrf=itrf_from_normal(up, np.array([station.height_m for station in stations])),
        east=ellipsoid_normal(lon + np.pi / 2, np.zeros_like(lat)),
        north=ellipsoid_normal(lon, lat + np.pi / 2),
        up=up,
        horizons=horizons_of(stations),
    )


def find_passes(ephemeris: Ephemeris, sky: Sky, start_s: float, end_s: float) -> Spans:
    """Every span inside [start_s, end_s] in which the satellite is above a station's horizon:
    which station, from, to (k,), by station and time."""
    parts = [
        spans_above(over, over.stretches(start_s, end_s))
        for over in (
            _OverMask(segment, sky)
            for segment in ephemeris.segments
            if segment.t_s[0] < end_s and segment.t_s[-1] > start_s and len(sky.place_itrf)
        )
    ]
    return in_one(parts, start_s, end_s)


class _OverMask:
    """Elevation over the horizon in use (rad), a function of time for each station.

    Rows: the function, elevation, azimuth, rates of both, distance, speed, radius.
    """

    def __init__(self, segment: Segment, sky: Sky) -> None:
        self._segment, self._sky = segment, sky

    def sample(self, t_s: FloatArray, which: IntArray) -> FloatArray:
        r, v = self._segment.state(t_s)
        seen = self._sky.view(r, v, which)
        over = seen.elevation_rad - self._sky.horizons.at(which, seen.azimuth_rad)
        return np.stack([
            over, seen.elevation_rad, seen.azimuth_rad, seen.elevation_rate_rad_s,
            seen.azimuth_rate_rad_s, seen.range_m, norm(v), norm(r),
        ])  # fmt: skip

    def settled(
        self, left: FloatArray, right: FloatArray, width_s: FloatArray, which: IntArray
    ) -> tuple[BoolArray, BoolArray]:
        """By how fast and how unevenly a line of sight can turn in between.

        A line of sight of length d, at speed v and acceleration a, turns by at most v/d, and its
        turn changes by at most (a + v^2/d)/d: the rate along the circle and twice the product of
        both rates. Azimuth goes faster by 1/cos(elevation); spherical coordinates add the
        turn's square times tan(elevation) to the second derivatives of both angles.
        """
        speed = np.maximum(left[6], right[6])
        pull = largest_pull_m_s2(np.minimum(left[7], right[7]), speed)
        speed = speed + pull * width_s / 2
        near = np.maximum((left[5] + right[5] - speed * width_s) / 2, _NEAREST_M)
        turn = speed / near
        middle, reach = (left[1] + right[1]) / 2, turn * width_s / 2
        steepest = np.minimum(np.abs(middle) + reach, np.pi / 2 - 1e-6)
        flat = np.cos(steepest)
        least, largest, slope = self._arc(left[2], right[2], reach / flat, which)
        bend = (pull + speed**2 / near) / near + turn**2 * np.tan(steepest)
        bend *= 1 + np.abs(slope) / flat
        rates = [end[3] - slope * end[4] for end in (left, right)]
        off = np.minimum(np.abs(left[0]), np.abs(right[0]))
        one_side = (left[0] * right[0] > 0) & (off > bend * width_s**2 / 8)
        one_side |= (middle - reach > largest) | (middle + reach < least)
        once = (rates[0] * rates[1] > 0) & (np.abs(rates[0] + rates[1]) > bend * width_s)
        return one_side, once | (bend * width_s**2 / 8 < ROUNDING)

    def _arc(
        self, left: FloatArray, right: FloatArray, swing: FloatArray, which: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What the horizon does over all azimuths that a swing to both sides may reach."""
        turn = np.mod(right - left + np.pi, TURN) - np.pi
        swing = np.where(swing < np.pi / 2, swing, np.pi)
        middle = left + turn / 2
        return self._sky.horizons.over(which, middle - swing, middle + swing)

    def stretches(self, start_s: float, end_s: float) -> Intervals:
        """From node to node, by station and time, all in which the satellite may be seen."""
        t_s = self._segment.t_s
        station, node = self._near(nodes_over(t_s, start_s, end_s))
        keys = station * len(t_s) + node
        looks = np.unique(np.concatenate([keys, keys + 1]))
        rows = self.sample(t_s[looks % len(t_s)], looks // len(t_s))
        left = np.searchsorted(looks, keys)
        return Intervals(
            which=station,
            low_s=t_s[node],
            high_s=t_s[node + 1],
            left=rows[:, left],
            right=rows[:, left + 1],
        )

    def _near(self, nodes: slice) -> tuple[IntArray, IntArray]:
        """Station and earlier node of each step between nodes in which the central angle may be
        small enough for the lowest elevation in use."""
        sub = unit(self._segment.r_itrf[nodes])
        step = float(np.max(np.arccos(np.clip(dot(sub[1:], sub[:-1]), -1, 1))))
        least = np.cos(np.minimum(self._caps() + 0.6 * step, np.pi))
        place, across = unit(self._sky.place_itrf), np.ascontiguousarray(sub.T)
        found = []
        for begin in range(0, len(place), max(1, _BLOCK // len(sub))):
            rows = slice(begin, begin + max(1, _BLOCK // len(sub)))
            near = place[rows] @ across >= least[rows, None]
            steps = near[:, 1:] | near[:, :-1]
            station, node = np.divmod(np.flatnonzero(steps), len(sub) - 1)
            found.append((station + begin, node + nodes.start))
        station, node = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return station, node

    def _caps(self) -> FloatArray:
        """Central angle (m,) from each station beyond which nothing so far out is seen."""
        farthest_m = 1.001 * float(np.max(norm(self._segment.r_itrf)))
        lowest = self._sky.horizons.lowest_rad
        cosine = norm(self._sky.place_itrf) * np.cos(lowest) / farthest_m
        return np.asarray(np.arccos(np.minimum(cosine, 1.0)) - lowest + _NORMAL_TILT_RAD)
