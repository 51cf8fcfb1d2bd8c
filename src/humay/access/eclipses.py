"""Eclipses: when the Earth covers a part of the Sun, or all of it, as a satellite sees it.

How far the Sun's disc is from the Earth's edge is a function of time that is followed from node to
node of the orbit; what its bounds cannot settle is halved. So the first eclipse of a season, which
lasts seconds, is found like any other. Refraction, the atmosphere and the Moon's shadow are left
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from humay.access.bounds import largest_pull_m_s2
from humay.access.crossings import ROUNDING, Intervals, in_one, nodes_over, spans_above
from humay.access.records import Eclipses
from humay.arrays import BoolArray, FloatArray, IntArray, dot, norm
from humay.earth import WGS84_A_M, WGS84_B_M, stretched_sun_m, sun_itrf
from humay.frames import EARTH_RATE_RAD_S, inertial_velocity
from humay.mission import Mission, Satellite
from humay.orbit import Ephemeris, Segment, ephemerides
from humay.time import Epoch

_PENUMBRA, _UMBRA = 0, 1
_STRETCH = np.array([1.0, 1.0, WGS84_A_M / WGS84_B_M])
_YEAR_RATE_RAD_S = 3e-7  # not in the rates: the Sun among the stars, 2.06e-7 at perihelion
_SUN_RATE_RAD_S = 7.4e-5  # of the Sun on ITRF axes, with room
_SUN_SINE = 0.005  # of the Sun's radius, with room: 0.00473 at perihelion
_LEAST = 1e-12  # square of a cosine: a satellite on the ground sees half of the sky covered


def find_eclipses(
    mission: Mission,
    *,
    start: datetime,
    end: datetime,
    orbits: Mapping[str, Ephemeris] | None = None,
) -> Eclipses:
    """Every eclipse of every satellite over [start, end], in order of time."""
    if orbits is None:
        orbits = ephemerides(mission, start, end)
    epoch = next(iter(orbits.values())).epoch
    span = epoch.seconds(start), epoch.seconds(end)
    parts = [
        _eclipses_of(satellite, orbits[satellite.name], span) for satellite in mission.satellites
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["start_s"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    return Eclipses(epoch=epoch, span_s=span, **columns)


def _eclipses_of(
    satellite: Satellite, ephemeris: Ephemeris, span_s: tuple[float, float]
) -> dict[str, Any]:
    """The columns of one satellite's eclipses."""
    penumbra, umbra = shadow_spans(ephemeris, *span_s)
    start_s = penumbra[:, 0]
    first = np.searchsorted(umbra[:, 0], start_s)
    last = np.searchsorted(umbra[:, 1], penumbra[:, 1], side="right") - 1
    whole = np.flatnonzero(last >= first)
    umbra_s = np.full_like(penumbra, np.nan)
    umbra_s[whole, 0], umbra_s[whole, 1] = umbra[first[whole], 0], umbra[last[whole], 1]
    orbit, anx_offset_s = ephemeris.orbit_at(start_s)
    speed = norm(inertial_velocity(*ephemeris.state_itrf(start_s)))
    return {
        "satellite": np.full(len(start_s), satellite.name, dtype=object),
        "start_s": start_s,
        "end_s": penumbra[:, 1],
        "umbra_start_s": umbra_s[:, 0],
        "umbra_end_s": umbra_s[:, 1],
        "orbit": orbit.astype(np.int64),
        "anx_offset_s": anx_offset_s,
        "sigma_s": satellite.orbit_sigma.along_m(ephemeris.age_days(start_s)) / speed,
    }


def shadow_spans(
    ephemeris: Ephemeris, start_s: float, end_s: float
) -> tuple[FloatArray, FloatArray]:
    """Spans (k, 2) inside [start_s, end_s] in which any of the Sun is covered, and those (l, 2) in
    which all of it is. None is missed, however short; edges to 0.01 ms.

    The Earth is the ellipsoid, as in `sunlit_fraction`: space is stretched along the pole until it
    is a sphere, and the Sun with it (0.34 % of its radius at most, 15 ms of an edge, more where the
    shadow is grazed).
    """
    parts = [
        spans_above(covered, covered.stretches(start_s, end_s))
        for covered in (
            _Covered(ephemeris.epoch, segment)
            for segment in ephemeris.segments
            if segment.t_s[0] < end_s and segment.t_s[-1] > start_s
        )
    ]
    which, begin_s, finish_s = in_one(parts, start_s, end_s)
    spans = np.stack([begin_s, finish_s], axis=-1)
    return spans[which == _PENUMBRA], spans[which == _UMBRA]


class _Covered:
    """How far the Sun has gone behind the Earth: the cosine of its angle from the Earth's centre
    over that of where it is touched (penumbra) or covered (umbra), functions of time.

    Both stand in space stretched along the pole. Rows: the function, its rate, the distance from
    the centre, its rate, the speed.
    """

    def __init__(self, epoch: Epoch, segment: Segment) -> None:
        self._epoch, self._segment = epoch, segment

    def sample(self, t_s: FloatArray, which: IntArray) -> FloatArray:
        return self._rows(self._geometry(t_s), which)

    def _geometry(self, t_s: FloatArray) -> FloatArray:
        """Cosine of the Sun's angle from the direction to the centre, its rate, the sine of the
        Sun's radius, then distance, rate and speed as in the rows, (6, n)."""
        r, v = self._segment.state(t_s)
        sun = sun_itrf(self._epoch, t_s)
        sun_v = -EARTH_RATE_RAD_S * np.stack([-sun[:, 1], sun[:, 0], np.zeros(len(sun))], axis=-1)
        place, to_sun = r * _STRETCH, (sun - r) * _STRETCH
        move, sun_move = v * _STRETCH, (sun_v - v) * _STRETCH
        p, d = norm(place), norm(to_sun)
        p_rate, d_rate = dot(place, move) / p, dot(to_sun, sun_move) / d
        cosine = -dot(place, to_sun) / (p * d)
        cosine_rate = -(dot(move, to_sun) + dot(place, sun_move)) / (p * d)
        cosine_rate -= cosine * (p_rate / p + d_rate / d)
        sun_radius = stretched_sun_m(place / p[:, None], to_sun / d[:, None], cosine)
        return np.stack([cosine, cosine_rate, sun_radius / d, p, p_rate, norm(move)])

    def _rows(self, geometry: FloatArray, which: IntArray) -> FloatArray:
        """The cosine of the sum of both radii, or of their difference, is what counts."""
        cosine, cosine_rate, sun, p, p_rate, speed = geometry
        side = np.where(which == _PENUMBRA, -1.0, 1.0)
        earth = np.minimum(WGS84_A_M / p, 1.0)  # sines of the apparent radii
        earth_cosine = np.sqrt(np.maximum(1 - earth**2, _LEAST))
        sun_cosine = np.sqrt(1 - sun**2)
        limit = earth_cosine * sun_cosine + side * earth * sun
        slope = earth**2 / earth_cosine * sun_cosine - side * earth * sun
        return np.stack([cosine - limit, cosine_rate - slope * p_rate / p, p, p_rate, speed])

    def settled(
        self,
        left: FloatArray,
        right: FloatArray,
        width_s: FloatArray,
        which: IntArray,  # noqa: ARG002 - the bounds are those of both
    ) -> tuple[BoolArray, BoolArray]:
        """By how far the second derivative can go: that of a direction at speed v, distance p and
        acceleration a is at most (a + 2 v^2/p)/p, and the Sun turns on the same axes; that of p is
        at most a + v^2/p, and the limit is a function of p.
        """
        least, speed = np.minimum(left[2], right[2]), np.maximum(left[4], right[4])
        pull = largest_pull_m_s2(least, speed)
        speed = speed + pull * width_s / 2
        p_bend = pull + 1.1 * speed**2 / least
        p = np.maximum(least - p_bend * width_s**2 / 8, 0.9 * least)
        p_rate = np.maximum(np.abs(left[3]), np.abs(right[3])) + p_bend * width_s / 2
        bend = (pull + 2 * speed**2 / p) / p + 2 * _SUN_RATE_RAD_S * speed / p + _SUN_RATE_RAD_S**2
        sine = WGS84_A_M / p
        cosine = np.sqrt(np.maximum(1 - sine**2, _LEAST))
        bend += sine**2 / cosine * (p_bend / p + (3 + sine**2 / cosine**2) * (p_rate / p) ** 2)
        bend += _SUN_SINE * (p_bend / p + 2 * (p_rate / p) ** 2)
        off = np.minimum(np.abs(left[0]), np.abs(right[0]))
        one_side = (left[0] * right[0] > 0) & (off > bend * width_s**2 / 8)
        gained = np.abs(left[1] + right[1])
        once = (left[1] * right[1] > 0) & (gained > bend * width_s + 2 * _YEAR_RATE_RAD_S)
        return one_side, once | (bend * width_s**2 / 8 < ROUNDING)

    def stretches(self, start_s: float, end_s: float) -> Intervals:
        """From node to node, first for the penumbra, then for the umbra."""
        t_s = self._segment.t_s[nodes_over(self._segment.t_s, start_s, end_s)]
        geometry = self._geometry(t_s)
        which = np.repeat([_PENUMBRA, _UMBRA], len(t_s))
        rows = self._rows(np.tile(geometry, 2), which).reshape(5, 2, -1)
        return Intervals(
            which=np.repeat([_PENUMBRA, _UMBRA], len(t_s) - 1),
            low_s=np.tile(t_s[:-1], 2),
            high_s=np.tile(t_s[1:], 2),
            left=rows[:, :, :-1].reshape(5, -1),
            right=rows[:, :, 1:].reshape(5, -1),
        )
