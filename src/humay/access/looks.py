"""Where a satellite must look to see a place, and how it sees it then: the geometry of looks.

Pure arrays: n looks at once, each at its own place and time. The search itself is compiled
(`humay.access.search`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from humay.access.lines import GroundLine
from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.earth import azimuth_angle, elevation_angle, sun_itrf, up_at
from humay.errors import AccessError
from humay.frames import inertial_velocity, orbital_frame, roll_pitch
from humay.mission import Satellite
from humay.orbit import Ephemeris
from humay.time import Epoch

Nadir: TypeAlias = Literal["geodetic", "geocentric"]

EDGE_TOLERANCE_S = 1e-5
HIGHEST_ORBIT_M = 8_500_000.0  # from the centre: about 2,100 km of altitude
ROUNDEST_RATIO = 1.1  # of farthest to nearest: an eccentricity of 0.05


def down_at(r_itrf: FloatArray, nadir: Nadir) -> FloatArray:
    """Direction to nadir (..., 3): to the foot point on the ellipsoid, or to the Earth's centre."""
    return -up_at(r_itrf) if nadir == "geodetic" else -unit(r_itrf)


def look_angles(
    r_itrf: FloatArray, v_itrf: FloatArray, target: FloatArray, nadir: Nadir
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Off-nadir, roll and pitch (rad) of the line of sight from satellites to targets, (...)."""
    orb_from_itrf = orbital_frame(down_at(r_itrf, nadir), inertial_velocity(r_itrf, v_itrf))
    sight = np.einsum("...ij,...j->...i", orb_from_itrf, unit(target - r_itrf))
    off_nadir = np.arctan2(np.hypot(sight[..., 0], sight[..., 1]), sight[..., 2])
    return off_nadir, *roll_pitch(sight)


def sun_elevation(epoch: Epoch, t_s: FloatArray, target: FloatArray, up: FloatArray) -> FloatArray:
    """Elevation (rad) of the apparent Sun at places, topocentric, without refraction."""
    return elevation_angle(sun_itrf(epoch, t_s) - target, up)


def sun_azimuth(epoch: Epoch, t_s: FloatArray, target: FloatArray, up: FloatArray) -> FloatArray:
    """Azimuth (rad, clockwise from north) of the apparent Sun at places."""
    return azimuth_angle(sun_itrf(epoch, t_s) - target, up)


def refuse_unlike_low_orbits(ephemeris: Ephemeris) -> None:
    """The search knows one closest approach a revolution, and brackets edges by how fast it goes
    there: true for low, nearly circular orbits, of which Earth observation is made."""
    radii = [norm(segment.r_itrf) for segment in ephemeris.segments]
    low, high = min(float(r.min()) for r in radii), max(float(r.max()) for r in radii)
    if high > HIGHEST_ORBIT_M or high / low > ROUNDEST_RATIO:
        raise AccessError(
            f"satellite {ephemeris.satellite!r}: its distance from the Earth's centre goes from"
            f" {low / 1e3:.0f} to {high / 1e3:.0f} km, expected at most {HIGHEST_ORBIT_M / 1e3:.0f}"
            f" km and a ratio of at most {ROUNDEST_RATIO:g}: the search is for low orbits"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """How places are seen, (n,): angles of the satellite, ground sampling, Sun."""

    off_nadir_rad: FloatArray
    roll_rad: FloatArray
    pitch_rad: FloatArray
    incidence_rad: FloatArray
    azimuth_rad: FloatArray
    sun_elevation_rad: FloatArray
    gsd_along_m: FloatArray
    gsd_across_m: FloatArray


def describe_look(
    satellite: Satellite, ephemeris: Ephemeris, line: GroundLine, t_s: FloatArray,
    share: FloatArray, nadir: Nadir,
) -> Look:  # fmt: skip
    """The look at times (n,) at the places a `share` (n,) along lines (n,)."""
    target, up = line.place(share), line.normal(share)
    r, v = ephemeris.state_itrf(t_s)
    off_nadir, roll, pitch = look_angles(r, v, target, nadir)
    sight = unit(target - r)
    tangent = line.tangent(share)
    along = unit(tangent - dot(tangent, sight)[:, None] * sight)
    pixel_m = norm(target - r) * satellite.camera.ifov_rad
    return Look(
        off_nadir_rad=off_nadir,
        roll_rad=roll,
        pitch_rad=pitch,
        incidence_rad=np.arccos(np.clip(-dot(sight, up), -1, 1)),
        azimuth_rad=azimuth_angle(-sight, up),
        sun_elevation_rad=sun_elevation(ephemeris.epoch, t_s, target, up),
        gsd_along_m=_ground_size(pixel_m, sight, along, up),
        gsd_across_m=_ground_size(pixel_m, sight, cross(sight, along), up),
    )


def line_period(gsd_along_m: FloatArray, ground_speed_m_s: FloatArray) -> FloatArray:
    """Seconds between PAN lines: those in which the boresight moves on by one ground sample.

    Then the image moves over the detectors as fast as the charge is shifted along their stages: a
    camera keeps its own `line_period_s` over nadir and takes longer where it looks from farther.
    """
    return np.asarray(gsd_along_m / ground_speed_m_s)


def _ground_size(
    across_m: FloatArray, sight: FloatArray, side: FloatArray, up: FloatArray
) -> FloatArray:
    """How far apart on the ground two rays meet that are `across_m` apart on their way down."""
    return np.asarray(across_m * np.sqrt(1 + (dot(side, up) / dot(sight, up)) ** 2))
