"""Which way satellites go over the ground, in closed form, and how low they come at least."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from humay.access.swath import SIGMAS
from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.earth import sun_gcrf
from humay.frames import EARTH_RATE_RAD_S
from humay.mission import Satellite
from humay.orbit import Ephemeris, Sgp4Orbit, orbit_of
from humay.time import DAY_S, Epoch

_STEPS = 60  # of a revolution
_POLE = 1e-9  # cosine of the latitude at which every direction is south


@dataclass(frozen=True, kw_only=True)
class Track:
    """The way of one satellite as its elements say it, whatever span is asked for.

    `least_radius_m` is the least distance from the Earth's centre over a revolution, `along_m`
    three sigma of the orbit along the track on the last day of the span. `descends_by_day` tells
    whether the descending node lies on the side of the Sun, at the epoch of the elements.
    """

    satellite: Satellite
    inclination_rad: float
    period_s: float
    least_radius_m: float
    along_m: float
    descends_by_day: bool

    def azimuth(
        self, up: FloatArray, *, ascending: bool, aside_rad: FloatArray | float = 0.0
    ) -> FloatArray:
        """Direction in space (rad, clockwise from north, (...)) of the passes that leave places
        with normals `up` (..., 3) an angle `aside_rad` to the left.

        The normal of an orbit has cos(i) along the pole, sin(aside) along the normal of the place,
        so that its part to the north there follows; the way runs at right angles to it. Where no
        such pass is, it runs along the parallel.
        """
        cosine = np.maximum(np.hypot(up[..., 0], up[..., 1]), _POLE)
        north = math.cos(self.inclination_rad) - np.sin(aside_rad) * up[..., 2]
        sine = np.clip(north / (cosine * np.cos(aside_rad)), -1.0, 1.0)
        eastward = np.arcsin(sine)
        return np.asarray(eastward if ascending else np.pi - eastward)

    def ground_azimuth(self, up: FloatArray, azimuth: FloatArray) -> FloatArray:
        """The same over the ground, which turns below: circular orbit, round Earth."""
        turn = EARTH_RATE_RAD_S * self.period_s / (2 * math.pi) * np.hypot(up[..., 0], up[..., 1])
        return np.arctan2(np.sin(azimuth) - turn, np.cos(azimuth))


def track_of(satellite: Satellite, ephemeris: Ephemeris, span: tuple[float, float]) -> Track:
    """The track of one satellite for a span, seconds after the ephemeris' epoch, a midnight.

    The span counts in whole days: what its ends are within their days changes nothing.
    """
    orbit = orbit_of(satellite)
    first, last = math.floor(span[0] / DAY_S), math.ceil(span[1] / DAY_S)
    age_days = ephemeris.age_days(np.array([first, last]) * DAY_S)
    r, v = _revolution(orbit, 0.0)
    later, _ = _revolution(orbit, (last - 1) * DAY_S - ephemeris.orbit_epoch_s)
    momentum = np.mean(unit(cross(r, v)), axis=0)
    descending_node = np.array([momentum[1], -momentum[0], 0.0])
    sun = sun_gcrf(Epoch(orbit.epoch), np.zeros(1))[0]
    return Track(
        satellite=satellite,
        inclination_rad=math.acos(momentum[2] / float(norm(momentum))),
        period_s=orbit.period_s,
        least_radius_m=float(min(norm(r).min(), norm(later).min())),
        along_m=SIGMAS * float(np.max(satellite.orbit_sigma.along_m(age_days))),
        descends_by_day=bool(dot(descending_node, sun) >= 0),
    )


def _revolution(orbit: Sgp4Orbit, since_epoch_s: float) -> tuple[FloatArray, FloatArray]:
    return orbit.state_teme(since_epoch_s + np.arange(_STEPS) / _STEPS * orbit.period_s)


def level_direction(up: FloatArray, azimuth: FloatArray) -> FloatArray:
    """Unit vectors (n, 3) towards azimuths (n,) where the normals are `up` (n, 3); at the poles
    azimuths count from the meridian of 180 deg."""
    flat = np.stack([-up[:, 1], up[:, 0], np.zeros(len(up))], axis=-1)
    at_pole = norm(flat) < _POLE
    flat[at_pole] = (0.0, 1.0, 0.0)
    east = unit(flat)
    north = cross(up, east)
    return np.asarray(np.sin(azimuth)[:, None] * east + np.cos(azimuth)[:, None] * north)
