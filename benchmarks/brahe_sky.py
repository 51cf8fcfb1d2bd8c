"""Where satellites and the Sun are in the conventions of AstroReason-Bench's verifiers.

They use brahe 1.3.4: SGP4 with WGS 84 constants, GMST 1982 to the Earth's axes with UT1 = UTC and
the pole at rest, IAU 2006/2000A to GCRF, a low-precision Sun and a cylinder for the shadow. All is
computed here from `sgp4` and ERFA alone. Places on the ground lie within 1 cm of theirs.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import TypeAlias

import erfa
import numpy as np
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS, WGS84, Satrec

FloatArray: TypeAlias = NDArray[np.float64]

DAY_S = 86_400
UNIX_EPOCH_JD = 2_440_587.5
J2000_JD = 2_451_545.0
EARTH_RATE_RAD_S = 7.292115146706979e-5  # IERS 2010
SHADOW_RADIUS_M = 6_378_136.3  # brahe's R_EARTH, of GGM05s
POLE_STEP_S = 21_600.0  # the pole moves 0.01 arcseconds in half of it


def utc(start: datetime, t_s: FloatArray) -> tuple[float, FloatArray]:
    """Julian date of t_s after `start` in two parts: a midnight, and days from it."""
    whole, rest = divmod(int(start.timestamp()), DAY_S)
    return UNIX_EPOCH_JD + whole, (rest + t_s) / DAY_S


def tt(start: datetime, t_s: FloatArray) -> tuple[float, FloatArray]:
    jd, days = utc(start, t_s)
    return jd, days + (erfa.dat(start.year, start.month, 1, 0) + 32.184) / DAY_S


def states_itrf(
    lines: tuple[str, str], start: datetime, t_s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Positions (n, 3) m and velocities m/s at t_s (n,), the velocities over the ground."""
    jd, days = utc(start, t_s)
    record = Satrec.twoline2rv(*lines, WGS84)
    codes, r_km, v_km_s = record.sgp4_array(np.full(len(t_s), jd), days)
    if np.any(codes):
        raise ValueError(f"{lines[0]}: {SGP4_ERRORS[int(codes.max())]}")
    gmst = erfa.gmst82(jd, days)
    r, v = _turned(1e3 * r_km, gmst), _turned(1e3 * v_km_s, gmst)
    return r, v - EARTH_RATE_RAD_S * np.stack([-r[:, 1], r[:, 0], np.zeros(len(r))], axis=-1)


def _turned(vector: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """On axes turned about z, (n, 3)."""
    c, s, (x, y, z) = np.cos(angle_rad), np.sin(angle_rad), vector.T
    return np.stack([c * x + s * y, c * y - s * x, z], axis=-1)


def shadow_margin_m(start: datetime, t_s: FloatArray, r_itrf: FloatArray) -> FloatArray:
    """Distance (n,) m outside the shadow's cylinder; infinite on the side of the Sun."""
    sun = sun_itrf(start, t_s)
    along = np.sum(r_itrf * sun, axis=-1)
    across = np.linalg.norm(r_itrf - along[:, None] * sun, axis=-1)
    return np.where(along < 0, across - SHADOW_RADIUS_M, np.inf)


def sun_itrf(start: datetime, t_s: FloatArray) -> FloatArray:
    """Directions (n, 3) to the Sun on the Earth's axes."""
    nodes, place = np.unique(np.round(t_s / POLE_STEP_S), return_inverse=True)
    intermediate_from_gcrf = erfa.c2i06a(*tt(start, nodes * POLE_STEP_S))[place]
    sun = np.einsum("nij,nj->ni", intermediate_from_gcrf, _sun_gcrf(start, t_s))
    return _turned(sun, erfa.era00(*utc(start, t_s)))


def _sun_gcrf(start: datetime, t_s: FloatArray) -> FloatArray:
    """Montenbruck and Gill, Satellite Orbits (2000), section 3.3.2: good to 1' near 2000, to 5' in
    2025."""
    jd, days = tt(start, t_s)
    centuries = (jd - J2000_JD + days) / 36_525
    anomaly = np.radians(357.5256 + 35_999.049 * centuries)
    equation = np.radians((6892 * np.sin(anomaly) + 72 * np.sin(2 * anomaly)) / 3600)
    longitude = math.radians(282.94) + anomaly + equation
    tilt = math.radians(23.43929111)
    y = np.sin(longitude)
    return np.stack([np.cos(longitude), y * math.cos(tilt), y * math.sin(tilt)], axis=-1)
