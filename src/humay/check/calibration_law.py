"""Where calibration looks are to look: sites, the Moon and stars from tables and the Earth's way,
and the attitude that follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray, norm, unit
from humay.check.case import CalibrationLook
from humay.earth import LIGHT_M_S, moon_gcrf, sun_gcrf
from humay.frames import (
    inertial_velocity,
    itrf_from_gcrf,
    matrix_from_quaternion,
    quaternion_from_matrix,
)
from humay.mission import Satellite
from humay.orbit import Ephemeris
from humay.tables import calibration_rows
from humay.time import DAY_S, J2000_JD

Law: TypeAlias = Callable[[FloatArray], FloatArray]

_RAD_PER_MAS = math.radians(1 / 3_600_000)
_YEAR_S = 365.25 * DAY_S
_HOUR_S = 3_600.0
_ALONG_CAMERA = 0.1  # of a panel's normal across the camera: with less its side has no say


@cache
def sites() -> dict[str, dict[str, str]]:
    """The rows of the table of sites by name."""
    return {row["name"]: row for row in calibration_rows("sites")}


@cache
def stars() -> dict[str, dict[str, str]]:
    """The rows of the table of stars by name."""
    return {row["name"]: row for row in calibration_rows("stars")}


def across_law(strip: Law) -> Law:
    """A strip's law with the body a quarter turn further about z: x where y was, y against x."""

    def law(t_s: FloatArray) -> FloatArray:
        x, y, z = np.moveaxis(matrix_from_quaternion(strip(t_s)), -2, 0)
        return quaternion_from_matrix(np.stack([y, -x, z], axis=-2))

    return law


def inertial_law(look: CalibrationLook) -> Law | None:
    """Body z at the target in the middle of the look, the panels' side at the Sun, and the sweep of
    the calibration about body y; None where the target is not known."""
    there = target_gcrf(look)
    if there is None:
        return None
    middle = np.array([look.middle_s])
    r, _ = _state_gcrf(look.orbit, middle)
    sun = unit(sun_gcrf(look.orbit.epoch, middle) - r)[0]
    side = unit(sun - (sun @ there) * there)
    gcrf = np.stack([there, side, np.cross(there, side)])
    z, own = np.array([0.0, 0.0, 1.0]), _panel_side(look.satellite)
    body_from_gcrf = np.stack([z, own, np.cross(z, own)]).T @ gcrf

    def law(t_s: FloatArray) -> FloatArray:
        angle = look.calibration.scan_rad_s * (np.asarray(t_s) - look.middle_s)
        c, s, none = np.cos(angle), np.sin(angle), np.zeros_like(angle)
        about_y = np.stack([c, none, -s, none, none + 1.0, none, s, none, c], axis=-1)
        return quaternion_from_matrix(about_y.reshape(-1, 3, 3) @ body_from_gcrf)

    return law


def _panel_side(satellite: Satellite) -> FloatArray:
    """The body direction at right angles with the camera that is turned to the Sun."""
    if satellite.power is not None:
        x, y, z = satellite.power.panel_normal
        across = math.hypot(x, y)
        if across >= _ALONG_CAMERA * math.hypot(across, z):
            return np.array([x, y, 0.0]) / across
    return np.array([-1.0, 0.0, 0.0])


def target_gcrf(look: CalibrationLook) -> FloatArray | None:
    """Apparent unit vector (3,) to Moon or star in the middle of a look, None for an unknown one.

    The Moon where it was when its light left, moved by the satellite's aberration; stars with
    proper motion and the aberration of the Earth's and the satellite's velocity.
    """
    t_s, epoch, name = np.array([look.middle_s]), look.orbit.epoch, look.entry["target"]
    r, v = _state_gcrf(look.orbit, t_s)
    if look.calibration.kind == "moon":
        light_s = norm(moon_gcrf(epoch, t_s) - r) / LIGHT_M_S
        moon = moon_gcrf(epoch, t_s - light_s) - r
        return np.asarray(unit(unit(moon) + v / LIGHT_M_S)[0])
    row = stars().get(name)
    if row is None:
        return None
    ra, dec = math.radians(float(row["ra_deg"])), math.radians(float(row["dec_deg"]))
    motion = (float(row["pm_ra_mas_year"]), float(row["pm_dec_mas_year"]))
    whole, days = epoch.julian_tt(t_s)
    years = float(((whole - J2000_JD) + days)[0]) * DAY_S / _YEAR_S
    ra += years * motion[0] * _RAD_PER_MAS / math.cos(dec)
    dec += years * motion[1] * _RAD_PER_MAS
    place = [math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)]
    before, after = (sun_gcrf(epoch, t_s + sign * _HOUR_S) for sign in (-1.0, 1.0))
    earth_v = -(after - before) / (2 * _HOUR_S)  # round the Sun, which itself moves by 0.01 arcsec
    return np.asarray(unit(np.array([place]) + (earth_v + v) / LIGHT_M_S)[0])


def _state_gcrf(orbit: Ephemeris, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    r, v = orbit.state_itrf(t_s)
    turn = np.swapaxes(itrf_from_gcrf(orbit.epoch, t_s), -1, -2)
    return (turn @ r[..., None])[..., 0], (turn @ inertial_velocity(r, v)[..., None])[..., 0]
