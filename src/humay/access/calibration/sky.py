"""What stands in the sky of a satellite, and how far from what would spoil a look at it.

Directions are apparent, on axes of the GCRF: of the Moon with the satellite's own place (parallax
up to 1 deg), light time and aberration; of stars with proper motion and the aberration of the
Earth's and the satellite's velocity; of the Sun with parallax. Left out: the parallax of stars
(0.13" at most in the table), the bending of light, and the
satellite's aberration of the Sun (5"). The Moon itself is good to 15".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import erfa
import numpy as np

from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.earth import (
    AU_M,
    LIGHT_M_S,
    SUN_RADIUS_M,
    WGS84_A_M,
    WGS84_B_M,
    moon_gcrf,
    stretched_sun_m,
    sun_gcrf,
    sun_itrf,
)
from humay.frames import inertial_velocity, itrf_from_gcrf
from humay.orbit import Ephemeris
from humay.time import DAY_S, J2000_JD, Epoch

MOON_RADIUS_M = 1_737_400.0  # IAU 2015, mean
JULIAN_YEAR_S = 365.25 * DAY_S
_ECLIPTIC_POLE = np.array([0.0, -0.3977771559319137, 0.9174820620691818])  # of J2000.0, GCRF
_UMBRA_AIR = 1.02  # the shadow on the Moon is 2 % larger for the air (Meeus, chapter 54)


@dataclass(frozen=True, eq=False)
class Sky:
    """What a satellite sees at times (n,), on axes of the GCRF; worked out as it is asked for."""

    ephemeris: Ephemeris
    t_s: FloatArray

    @cached_property
    def _state(self) -> tuple[FloatArray, FloatArray]:
        r, v = self.ephemeris.state_itrf(self.t_s)
        turn = itrf_from_gcrf(self.ephemeris.epoch, self.t_s)
        still = inertial_velocity(r, v)
        return (
            np.asarray(np.einsum("...ji,...j->...i", turn, r)),
            np.asarray(np.einsum("...ji,...j->...i", turn, still)),
        )

    @property
    def r(self) -> FloatArray:
        """The satellite's position (n, 3) in metres."""
        return self._state[0]

    @property
    def v(self) -> FloatArray:
        """Its inertial velocity (n, 3) in m/s."""
        return self._state[1]

    @cached_property
    def sun_geocentric(self) -> FloatArray:
        """The Sun (n, 3) in metres from the Earth's centre."""
        return sun_gcrf(self.ephemeris.epoch, self.t_s)

    @cached_property
    def moon_geocentric(self) -> FloatArray:
        """The Moon (n, 3) in metres from the Earth's centre, where it is."""
        return moon_gcrf(self.ephemeris.epoch, self.t_s)

    @cached_property
    def sun(self) -> FloatArray:
        """The Sun (n, 3) in metres from the satellite."""
        return self.sun_geocentric - self.r

    @cached_property
    def moon(self) -> FloatArray:
        """The apparent Moon (n, 3) in metres from the satellite: light time and aberration."""
        light_s = norm(self.moon_geocentric - self.r) / LIGHT_M_S
        seen = moon_gcrf(self.ephemeris.epoch, self.t_s - light_s) - self.r
        distance = norm(seen)[..., None]
        return np.asarray(distance * unit(seen / distance + self.v / LIGHT_M_S))

    def towards(self, place: FloatArray, motion: FloatArray) -> FloatArray:
        """Apparent unit vectors (n, 3) to stars at `place` (..., 3) at J2000.0 that move by
        `motion` (..., 3) rad a year: proper motion and aberration."""
        return unit(unit(place + self._years[..., None] * motion) + self._velocity / LIGHT_M_S)

    @cached_property
    def _years(self) -> FloatArray:
        whole, days = self.ephemeris.epoch.julian_tt(self.t_s)
        return np.asarray(((whole - J2000_JD) + days) * (DAY_S / JULIAN_YEAR_S))

    @cached_property
    def _velocity(self) -> FloatArray:
        """Barycentric velocity (n, 3) of the satellite in m/s."""
        return earth_velocity(self.ephemeris.epoch, self.t_s) + self.v


def known(ephemeris: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Times (n,) moved to the nearest at which the orbit is known, so that nodes and trial steps
    may reach past an end of it."""
    starts = np.array([segment.t_s[0] for segment in ephemeris.segments])
    ends = np.array([segment.t_s[-1] for segment in ephemeris.segments])
    before = np.maximum(np.searchsorted(starts, t_s, side="right") - 1, 0)
    after = np.minimum(before + 1, len(starts) - 1)
    held = np.clip(t_s, starts[before], ends[before])
    return np.where(np.abs(starts[after] - t_s) < np.abs(held - t_s), starts[after], held)


def earth_velocity(epoch: Epoch, t_s: FloatArray) -> FloatArray:
    """Barycentric velocity (n, 3) of the Earth in m/s: straight between days, within 1.2 m/s, which
    is 0.001 arcsecond."""
    whole, days = epoch.julian_tt(t_s)
    after = (whole - J2000_JD) + days
    first = np.floor(after)
    nodes, place = np.unique(
        np.concatenate([first.ravel(), first.ravel() + 1]), return_inverse=True
    )
    _, barycentric = erfa.epv00(J2000_JD, nodes)
    v = barycentric["v"][place] * (AU_M / DAY_S)
    left, right = v[: first.size].reshape(*first.shape, 3), v[first.size :].reshape(*first.shape, 3)
    return np.asarray(left + (after - first)[..., None] * (right - left))


# Angles ------------------------------------------------------------------------------------------


def earth_radius_rad(r: FloatArray, atmosphere_m: float) -> FloatArray:
    """Angular radius (rad) of the Earth with its air, a sphere of the equator's radius."""
    return np.arcsin(np.minimum((WGS84_A_M + atmosphere_m) / norm(r), 1.0))


def limb_margin(
    direction: FloatArray, r: FloatArray, atmosphere_m: float, least_rad: float
) -> FloatArray:
    """Positive where a unit vector points more than `least_rad` above the Earth's limb."""
    return np.cos(np.minimum(earth_radius_rad(r, atmosphere_m) + least_rad, np.pi)) + dot(
        direction, unit(r)
    )


def apart_margin(a: FloatArray, b: FloatArray, least_rad: float) -> FloatArray:
    """Positive where two vectors are more than `least_rad` apart."""
    return np.asarray(np.cos(least_rad) - dot(unit(a), unit(b)))


def moon_phase(sun: FloatArray, moon: FloatArray) -> FloatArray:
    """Phase angle (rad): at the Moon between the Sun and who looks, negative before full Moon.

    `sun` and `moon` point from there (m). The sign is that of ROLO and GIRO: a waxing Moon, east of
    the Sun, is negative.
    """
    to_sun, to_eye = sun - moon, -moon
    phase = np.arctan2(norm(cross(to_sun, to_eye)), dot(to_sun, to_eye))
    waxing = dot(cross(sun, moon), _ECLIPTIC_POLE) > 0
    return np.where(waxing, -phase, phase)


def phase_cosine(sun: FloatArray, moon: FloatArray) -> FloatArray:
    """Cosine of the phase angle."""
    return dot(unit(sun - moon), unit(-moon))


def moon_lit_margin(sky: Sky) -> FloatArray:
    """Positive (rad) where no part of the Moon is in the Earth's penumbra: no lunar eclipse."""
    moon_m, sun_m = norm(sky.moon_geocentric), norm(sky.sun_geocentric)
    penumbra = _UMBRA_AIR * (WGS84_A_M / moon_m + WGS84_A_M / sun_m) + SUN_RADIUS_M / sun_m
    apart = np.arccos(np.clip(-dot(unit(sky.moon_geocentric), unit(sky.sun_geocentric)), -1, 1))
    return np.asarray(apart - penumbra - MOON_RADIUS_M / moon_m)


def umbra_margin(ephemeris: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Positive (rad) where the Earth covers the whole Sun: where `sunlit_fraction` is 0."""
    r, sun = ephemeris.position_itrf(t_s), sun_itrf(ephemeris.epoch, t_s)
    stretch = np.array([1.0, 1.0, WGS84_A_M / WGS84_B_M])
    place, to_sun = r * stretch, (sun - r) * stretch
    up, towards = unit(place), unit(to_sun)
    cosine = np.clip(-dot(up, towards), -1, 1)
    sun_radius = np.arcsin(stretched_sun_m(up, towards, cosine) / norm(to_sun))
    earth_radius = np.arcsin(np.minimum(WGS84_A_M / norm(place), 1.0))
    apart = np.arccos(cosine)
    return np.asarray(earth_radius - sun_radius - apart)
