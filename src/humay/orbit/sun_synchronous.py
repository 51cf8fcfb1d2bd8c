"""A sun-synchronous orbit from what a designer says: altitude, local time, phase.

It becomes mean elements for SGP4, without drag, so that it flies with the same J2 to J4 as an orbit
read from elements.
"""

from __future__ import annotations

import math

import erfa
import numpy as np
from sgp4.api import WGS72, Satrec
from sgp4.earth_gravity import wgs72

from humay.earth import WGS84_A_M
from humay.errors import OrbitError
from humay.mission import SunSynchronousOrbit
from humay.orbit.sgp4 import SGP4_DAY_ZERO, Sgp4Orbit
from humay.time import DAY_S, Epoch

MU_WGS72_M3_S2 = 3.986008e14  # SGP4's own
TROPICAL_YEAR_DAYS = 365.24219


def sun_synchronous_orbit(definition: SunSynchronousOrbit, satellite: str) -> Sgp4Orbit:
    """The orbit whose mean local time of the descending node stays, at its stated epoch.

    The inclination is the one whose secular node rate, as SGP4 computes it, is one turn a tropical
    year; the mean motion the one whose un-Kozaied semi-major axis is 6,378.137 km + altitude.
    """
    semi_major_m = WGS84_A_M + definition.altitude_m
    inclination = _inclination(definition, semi_major_m)
    record = _record(definition, semi_major_m, inclination)
    source = f"sun_synchronous of {satellite!r}"
    code, _, _ = record.sgp4_tsince(0.0)
    if code:
        raise OrbitError(f"{source}: SGP4 refuses the orbit (code {code})")
    return Sgp4Orbit(satellite=satellite, record=record, epoch=definition.epoch, source=source)


def _inclination(definition: SunSynchronousOrbit, semi_major_m: float) -> float:
    """Secant steps on the cosine, which the node rate is nearly proportional to."""
    wanted = 2 * math.pi / (TROPICAL_YEAR_DAYS * 1440.0)  # rad/min
    cosine = -0.1
    for _ in range(20):
        rate = _record(definition, semi_major_m, math.acos(cosine)).nodedot
        if abs(rate / wanted - 1) < 1e-12:
            return math.acos(cosine)
        cosine *= wanted / rate
        if not -1 < cosine < 0:
            break
    raise OrbitError(
        f"no inclination keeps an orbit of {definition.altitude_m / 1e3:g} km sun-synchronous"
    )


def _record(definition: SunSynchronousOrbit, semi_major_m: float, inclination: float) -> Satrec:
    mean_motion = math.sqrt(MU_WGS72_M3_S2 / semi_major_m**3) * 60.0  # rad/min
    kozai = mean_motion
    for _ in range(10):  # SGP4 wants Kozai's mean motion and takes a correction off it
        record = _start(definition, kozai, inclination)
        unkozai = math.sqrt(MU_WGS72_M3_S2 / (record.a * record.radiusearthkm * 1e3) ** 3) * 60.0
        if abs(unkozai / mean_motion - 1) < 1e-14:
            break
        kozai *= mean_motion / unkozai
    return record


def _start(definition: SunSynchronousOrbit, kozai: float, inclination: float) -> Satrec:
    eccentricity, perigee = _sgp4_eccentricity(definition, inclination)
    mean_anomaly = (definition.phase_rad - perigee) % (2 * math.pi)
    record = Satrec()
    record.sgp4init(
        WGS72, "i", 0, (definition.epoch - SGP4_DAY_ZERO).total_seconds() / DAY_S, 0.0, 0.0, 0.0,
        eccentricity, perigee, inclination, mean_anomaly, kozai, _node(definition),
    )  # fmt: skip
    return record


def _sgp4_eccentricity(definition: SunSynchronousOrbit, inclination: float) -> tuple[float, float]:
    """Eccentricity and argument of perigee (rad) that SGP4 wants for a perigee in the north.

    SGP4 turns its mean eccentricity evenly about that of the frozen orbit, which J3 keeps in the
    north (`ayn`, AIAA 2006-6753, appendix B: 0.00106 at 600 km), and adds the two: a frozen orbit
    is 0 to it, as in real element sets.
    """
    radii = (WGS84_A_M + definition.altitude_m) / (wgs72.radiusearthkm * 1e3)
    frozen = -0.5 * wgs72.j3oj2 * math.sin(inclination) / radii
    north = definition.eccentricity - frozen
    return abs(north), math.copysign(math.pi / 2, north) % (2 * math.pi)


def _node(definition: SunSynchronousOrbit) -> float:
    """Right ascension of the ascending node (rad, TEME) from the descending node's local time.

    Mean local time at a meridian is UT1 plus its longitude; the descending node lies half a turn
    from the ascending one.
    """
    ut1 = Epoch(definition.epoch).julian_ut1(np.zeros(1))
    time_of_day_s = float((ut1[0] - 0.5 + ut1[1][0]) % 1.0 * DAY_S)
    gmst = float(erfa.gmst82(ut1[0], ut1[1])[0])
    ahead = 2 * math.pi * (definition.local_time_s - time_of_day_s) / DAY_S
    return (gmst + ahead - math.pi) % (2 * math.pi)
