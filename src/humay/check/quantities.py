"""Quantities of looks, each by the formula of docs/reference/constraints.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Literal, TypeAlias

import numpy as np

from humay.arrays import FloatArray, angle_between, cross, dot, norm, unit
from humay.earth import azimuth_angle, elevation_angle, moon_gcrf, sun_itrf, up_at
from humay.errors import RequestError
from humay.frames import inertial_velocity, itrf_from_gcrf
from humay.mission import CloudModel, HeightModel, Within
from humay.orbit import Ephemeris

Nadir: TypeAlias = Literal["geodetic", "geocentric"]

LIMB_RADIUS_M = 6_371_000.0
HALF_PASS_S = 900  # on either side the satellite is behind the horizon
EDGE_RAD = 1e-7  # 0.6 m: how far apart two may have the middle of a line


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """n looks of one satellite at places (n, 3) with normals `up`, at times `t_s` (n,).

    `along` (n, 3) is the direction in which lines follow each other over the ground, None where it
    is that of the ground track; `middle_up` (3,) the normal at the place whose clouds count, None
    for the middle one. The boresight lies on the place; the body is turned from the
    orbital frame by roll, then pitch.
    """

    request: str
    orbit: Ephemeris
    t_s: FloatArray
    place: FloatArray
    up: FloatArray
    ifov_rad: float
    heights: HeightModel
    clouds: CloudModel | None = None
    along: FloatArray | None = None
    middle_up: FloatArray | None = None
    nadir: Nadir = "geodetic"

    @cached_property
    def _state(self) -> tuple[FloatArray, FloatArray]:
        return self.orbit.state_itrf(self.t_s)

    @property
    def r_itrf(self) -> FloatArray:
        return self._state[0]

    @property
    def v_itrf(self) -> FloatArray:
        return self._state[1]

    @cached_property
    def sight(self) -> FloatArray:
        """Directions (n, 3) from the satellite to the place."""
        return unit(self.place - self.r_itrf)

    @cached_property
    def orb(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Axes x, y, z (n, 3) of the orbital frame, on ITRF axes."""
        z = -up_at(self.r_itrf) if self.nadir == "geodetic" else -unit(self.r_itrf)
        y = unit(cross(z, inertial_velocity(self.r_itrf, self.v_itrf)))
        return cross(y, z), y, z

    @cached_property
    def seen(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The line of sight on those axes: ahead, to the right, down (n,)."""
        x, y, z = (dot(axis, self.sight) for axis in self.orb)
        return x, y, z

    @cached_property
    def sun(self) -> FloatArray:
        """Apparent Sun (n, 3), geocentric."""
        return sun_itrf(self.orbit.epoch, self.t_s)

    @cached_property
    def sun_direction(self) -> FloatArray:
        """From the place to the Sun (n, 3)."""
        return unit(self.sun - self.place)

    @cached_property
    def moon(self) -> FloatArray:
        turn = itrf_from_gcrf(self.orbit.epoch, self.t_s)
        return np.asarray(np.einsum("nij,nj->ni", turn, moon_gcrf(self.orbit.epoch, self.t_s)))

    def body_axis(self, axis: Sequence[float]) -> FloatArray:
        """A vector of the body on ITRF axes (n, 3)."""
        ahead, right, down = self.seen
        roll, pitch = np.arctan2(-right, down), np.arctan2(ahead, np.hypot(right, down))
        x, y, z = self.orb
        y_body = np.cos(roll)[:, None] * y + np.sin(roll)[:, None] * z
        z_rolled = np.cos(roll)[:, None] * z - np.sin(roll)[:, None] * y
        x_body = np.cos(pitch)[:, None] * x - np.sin(pitch)[:, None] * z_rolled
        z_body = np.cos(pitch)[:, None] * z_rolled + np.sin(pitch)[:, None] * x
        return np.asarray(axis[0] * x_body + axis[1] * y_body + axis[2] * z_body)


# Quantities --------------------------------------------------------------------------------------


def _off_nadir(looks: Looks, _: Within) -> FloatArray:
    return angle_between(looks.sight, looks.orb[2])


def _roll(looks: Looks, _: Within) -> FloatArray:
    return np.arctan2(-looks.seen[1], looks.seen[2])


def _pitch(looks: Looks, _: Within) -> FloatArray:
    return np.arctan2(looks.seen[0], np.hypot(looks.seen[1], looks.seen[2]))


def _incidence(looks: Looks, _: Within) -> FloatArray:
    return angle_between(-looks.sight, looks.up)


def _azimuth(looks: Looks, _: Within) -> FloatArray:
    return azimuth_angle(-looks.sight, looks.up)


def _range(looks: Looks, _: Within) -> FloatArray:
    return norm(looks.place - looks.r_itrf)


def _gsd(looks: Looks, _: Within) -> FloatArray:
    """A pixel is a ray's width across the line of sight, and longer where that meets the ground."""
    track = looks.v_itrf - dot(looks.v_itrf, looks.up)[:, None] * looks.up
    along = track if looks.along is None else looks.along
    x = unit(along - dot(along, looks.sight)[:, None] * looks.sight)
    down = dot(looks.sight, looks.up)
    ahead, aside = (np.hypot(1.0, dot(s, looks.up) / down) for s in (x, cross(looks.sight, x)))
    return np.asarray(_range(looks, _) * looks.ifov_rad * np.sqrt(ahead * aside))


def _sun_elevation(looks: Looks, _: Within) -> FloatArray:
    return elevation_angle(looks.sun_direction, looks.up)


def _sun_azimuth(looks: Looks, _: Within) -> FloatArray:
    return azimuth_angle(looks.sun_direction, looks.up)


def _glint(looks: Looks, _: Within) -> FloatArray:
    height = dot(looks.up, looks.sun_direction)[:, None]
    return angle_between(-looks.sight, 2 * height * looks.up - looks.sun_direction)


def _local_solar_time(looks: Looks, _: Within) -> FloatArray:
    place, sun = (np.arctan2(v[:, 1], v[:, 0]) for v in (looks.up, looks.sun_direction))
    return np.asarray(np.mod(math.pi + place - sun, 2 * math.pi))


def _sun_angle(looks: Looks, condition: Within) -> FloatArray:
    return angle_between(looks.body_axis(condition.axis), looks.sun - looks.r_itrf)


def _moon_angle(looks: Looks, condition: Within) -> FloatArray:
    return angle_between(looks.body_axis(condition.axis), looks.moon - looks.r_itrf)


def _limb_angle(looks: Looks, condition: Within) -> FloatArray:
    earth = np.arcsin(LIMB_RADIUS_M / norm(looks.r_itrf))
    return angle_between(looks.body_axis(condition.axis), -looks.r_itrf) - earth


def _cloud_probability(looks: Looks, _: Within) -> FloatArray:
    """One for all looks: at the middle of the sweep, at the least off-nadir of the pass; the lowest
    where that lies on the edge between two cells of the raster."""
    if looks.clouds is None:
        raise RequestError(
            f"request {looks.request!r}: cloud_probability is bounded, but no clouds are known"
        )
    middle = len(looks.t_s) // 2
    up = looks.up[middle] if looks.middle_up is None else looks.middle_up
    t_s = looks.t_s[middle] + np.arange(-HALF_PASS_S, HALF_PASS_S + 1.0)
    t_s = t_s[(t_s >= looks.orbit.start_s) & (t_s <= looks.orbit.end_s)]
    closest = t_s[np.argmax(up_at(looks.orbit.position_itrf(t_s)) @ up)]
    mjd = looks.orbit.epoch.mjd_utc(np.array([closest]))
    lon, lat = np.arctan2(up[1], up[0]), np.arctan2(up[2], math.hypot(up[0], up[1]))
    looks.clouds.known_probability([looks.request], np.array([lon]), np.array([lat]), mjd)
    found = np.nanmin(probabilities_near(looks.clouds, up, float(mjd[0])))
    return np.broadcast_to(found, looks.t_s.shape)


def probabilities_near(clouds: CloudModel, normal: FloatArray, mjd_utc: float) -> FloatArray:
    """Probabilities (9,) at a place, first, and half a metre around it, NaN where none is known:
    one on the edge between two cells of the raster lies in either, by rounding."""
    lat_rad = np.arctan2(normal[2], np.hypot(normal[0], normal[1]))
    aside = EDGE_RAD * np.array([(0, 0), *(p for p in product((-1, 0, 1), repeat=2) if any(p))])
    east_rad = aside[:, 0] / max(float(np.cos(lat_rad)), EDGE_RAD)
    lon_rad = np.arctan2(normal[1], normal[0]) + east_rad
    return clouds.probability(lon_rad, lat_rad + aside[:, 1], np.full(len(aside), mjd_utc))


_VALUES: Mapping[str, Callable[[Looks, Within], FloatArray]] = {
    "off_nadir_rad": _off_nadir, "roll_rad": _roll, "pitch_rad": _pitch,
    "incidence_rad": _incidence, "azimuth_rad": _azimuth, "range_m": _range, "gsd_m": _gsd,
    "sun_elevation_rad": _sun_elevation, "sun_azimuth_rad": _sun_azimuth, "glint_rad": _glint,
    "local_solar_time_rad": _local_solar_time, "sun_angle_rad": _sun_angle,
    "moon_angle_rad": _moon_angle, "limb_angle_rad": _limb_angle,
    "cloud_probability": _cloud_probability,
}  # fmt: skip


def value_of(condition: Within, looks: Looks) -> FloatArray:
    """The quantity (n,) that a condition bounds, in core units."""
    return _VALUES[condition.quantity](looks, condition)
