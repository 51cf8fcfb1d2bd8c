"""What a satellite sees along its strips: looks with the orbit's uncertainty, and the ground."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from humay.arrays import FloatArray, angle_between, dot, norm, unit
from humay.check.aim import CentreLine
from humay.check.attitude import AT_ONCE, orb_from_itrf, scan_frame
from humay.check.case import Acquisition
from humay.earth import azimuth_angle, elevation_angle, sun_itrf
from humay.frames import EARTH_RATE_RAD_S, inertial_velocity, roll_pitch
from humay.mission import Satellite
from humay.orbit import Ephemeris

STEP_S = 0.25
SIGMAS = 3.0
GRAZING = 1e-3  # sine of the lowest view whose ground is computed; long before, limits are exceeded


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """A satellite looking at its aim points: angles (n,) in radians, distances (n,) in metres."""

    elevation_rad: FloatArray
    off_nadir_rad: FloatArray
    roll_rad: FloatArray
    pitch_rad: FloatArray
    azimuth_rad: FloatArray
    range_m: FloatArray


def look(
    orbit: Ephemeris,
    t_s: FloatArray,
    aim_itrf: FloatArray,
    up: FloatArray,
    late_s: FloatArray | float = 0.0,
) -> Look:
    """From `orbit` to `aim_itrf` (n, 3), where the normals are `up`, at `t_s` (n,).

    `late_s` is how many seconds the satellite runs ahead on its orbit in space: it is then where it
    would be that much later, over an Earth that has not turned on meanwhile.
    """
    moved_s = t_s + late_s
    turn = EARTH_RATE_RAD_S * np.broadcast_to(late_s, t_s.shape)
    aim_later, up_later = turned(aim_itrf, -turn), turned(up, -turn)
    sight = aim_later - orbit.position_itrf(moved_s)
    sight_orb = unit(np.einsum("nij,nj->ni", orb_from_itrf(orbit, moved_s), sight))
    up = up_later
    roll, pitch = roll_pitch(sight_orb)
    return Look(
        elevation_rad=elevation_angle(-sight, up),
        off_nadir_rad=angle_between(sight_orb, np.broadcast_to([0.0, 0.0, 1.0], sight.shape)),
        roll_rad=roll,
        pitch_rad=pitch,
        azimuth_rad=azimuth_angle(-sight, up),
        range_m=norm(sight),
    )


def turned(v: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """Vectors (n, 3) turned about the pole, eastwards by `angle_rad` (n,)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    x, y = c * v[:, 0] - s * v[:, 1], s * v[:, 0] + c * v[:, 1]
    return np.stack([x, y, v[:, 2]], axis=-1)


def orbit_shift_s(acquisition: Acquisition, t_s: FloatArray) -> FloatArray:
    """Seconds (n,) that 3 sigma of along-track uncertainty put the satellite ahead or behind."""
    sigma = acquisition.satellite.orbit_sigma
    orbit = acquisition.orbit
    sigma_m = sigma.at_epoch_m + sigma.per_day_m * orbit.age_days(t_s)
    return np.asarray(SIGMAS * sigma_m / norm(inertial_velocity(*orbit.state_itrf(t_s))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What the camera draws on the ground at times (n,): metres per radian of view along and across
    the lines' motion, metres of swath to both sides alike, metres per second of scanning."""

    along_m: FloatArray
    across_m: FloatArray
    swath_m: FloatArray
    speed_m_s: FloatArray


Seen = TypeVar("Seen", Look, Ground)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """A strip at times (n,), 0.25 s apart or less; the last of them is its middle.

    As expected, and with the satellite 3 sigma of along-track uncertainty ahead and behind.
    """

    t_s: FloatArray
    expected: Look
    ahead: Look
    behind: Look
    sun_elevation_rad: FloatArray
    ground: Ground

    def part(self, here: slice) -> Scan:
        return Scan(
            t_s=self.t_s[here],
            expected=_part(self.expected, here),
            ahead=_part(self.ahead, here),
            behind=_part(self.behind, here),
            sun_elevation_rad=self.sun_elevation_rad[here],
            ground=_part(self.ground, here),
        )


def _part(record: Seen, here: slice) -> Seen:
    return type(record)(**{name: values[here] for name, values in vars(record).items()})


def scans(acquisitions: Sequence[Acquisition]) -> Iterator[tuple[Acquisition, Scan]]:
    """Each strip of one satellite; many are derived at once, some thousand instants of them."""
    times_s = [_times(acquisition) for acquisition in acquisitions]
    piece = np.cumsum([len(t_s) for t_s in times_s]) // AT_ONCE
    for number in np.unique(piece):
        some = np.flatnonzero(piece == number).tolist()
        row = _row([acquisitions[i] for i in some], [times_s[i] for i in some])
        ends = np.cumsum([0, *(len(times_s[i]) for i in some)]).tolist()
        for i, (begin, end) in zip(some, pairwise(ends), strict=True):
            yield acquisitions[i], row.part(slice(begin, end))


def _times(acquisition: Acquisition) -> FloatArray:
    return np.append(scan_times(acquisition), (acquisition.start_s + acquisition.end_s) / 2)


def scan_times(acquisition: Acquisition) -> FloatArray:
    """Times (n,) along a strip, 0.25 s apart or less."""
    lasts_s = acquisition.end_s - acquisition.start_s
    count = max(3, math.ceil(lasts_s / STEP_S) + 1)
    return np.linspace(acquisition.start_s, acquisition.end_s, count)


def _row(acquisitions: Sequence[Acquisition], times_s: Sequence[FloatArray]) -> Scan:
    """All strips of one satellite one after the other."""
    satellite, orbit = acquisitions[0].satellite, acquisitions[0].orbit
    which, t_s = (
        np.repeat(np.arange(len(times_s)), [len(t) for t in times_s]),
        np.concatenate(times_s),
    )
    start_s, end_s = np.array([(a.start_s, a.end_s) for a in acquisitions])[which].T
    line = CentreLine.in_a_row([a.line for a in acquisitions], which)
    f = (t_s - start_s) / (end_s - start_s)
    (aim, _), (up, _) = line.points(f), line.normals(f)
    shift_s = orbit_shift_s(acquisitions[0], t_s)
    return Scan(
        t_s=t_s,
        expected=look(orbit, t_s, aim, up),
        ahead=look(orbit, t_s, aim, up, shift_s),
        behind=look(orbit, t_s, aim, up, -shift_s),
        sun_elevation_rad=elevation_angle(sun_itrf(orbit.epoch, t_s) - aim, up),
        ground=_ground(satellite, orbit.position_itrf(t_s), line, f, end_s - start_s),
    )


def _ground(
    satellite: Satellite, r_itrf: FloatArray, line: CentreLine, f: FloatArray,
    lasting_s: FloatArray,
) -> Ground:  # fmt: skip
    """On the plane that touches the ellipsoid (raised to the strip's height) at the aim point."""
    (aim, along), (up, _) = line.points(f), line.normals(f)
    x, y, z = np.moveaxis(scan_frame(r_itrf, line, f), -2, 0)
    range_m, down = norm(aim - r_itrf), np.minimum(dot(z, up), -GRAZING)
    half_rad = satellite.camera.swath_rad / 2
    half_rad = max(0.0, half_rad - SIGMAS * satellite.pointing_sigma_rad)
    across = unit(np.cross(up, along))
    reach_m = []
    for side in (-1.0, 1.0):
        ray = z * math.cos(half_rad) + side * y * math.sin(half_rad)
        hit = ray * (range_m * down / np.minimum(dot(ray, up), -GRAZING))[:, None]
        reach_m.append(np.abs(dot(hit - (aim - r_itrf), across)))
    return Ground(
        along_m=range_m * np.hypot(1.0, dot(x, up) / down),
        across_m=range_m * np.hypot(1.0, dot(y, up) / down),
        swath_m=2 * np.minimum(*reach_m),
        speed_m_s=norm(along) / lasting_s,
    )
