"""Looks at the targets of a stereo imaging case: when, how pointed, and what strip they leave.

The benchmark's verifier places satellites without the motion of the pole, 10 to 14 m from where
they are here, and its Sun is up to 0.05 deg off: strips are taken 20 m narrower to each side, the
Sun 0.1 deg lower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from benchmarks.stereo_case import WGS84_A_M, WGS84_B_M, Case, Satellite
from sgp4.api import SGP4_ERRORS, Satrec, jday

from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, norm, unit
from humay.earth import ground_point, sun_itrf
from humay.frames import EARTH_RATE_RAD_S, itrf_from_teme
from humay.time import Epoch

COARSE_S, START_STEP_S = 20.0, 2
WIDTH_MARGIN_M, SUN_MARGIN_DEG, TILT_MARGIN_DEG = 20.0, 0.1, 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Looks (n,) by satellite, target and time. `visit` numbers passes; `along` and `across` are
    tangents of the angles kept; `arrive` and `leave` (n, 3) are directions, `place` (n, 3) is the
    satellite at the middle (ITRF), `ends` (n, 2, 2) the strip's, east and north of the target."""

    satellite: IntArray
    target: IntArray
    visit: IntArray
    start_s: FloatArray
    duration_s: FloatArray
    along: FloatArray
    across: FloatArray
    arrive: FloatArray
    leave: FloatArray
    place: FloatArray
    ends: FloatArray
    half_width_m: FloatArray
    pixel_m: FloatArray

    def __len__(self) -> int:
        return len(self.satellite)

    def __getitem__(self, which: IntArray | BoolArray) -> Looks:
        return Looks(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    @property
    def tilt_deg(self) -> FloatArray:
        return np.asarray(np.degrees(np.arctan(np.hypot(self.along, self.across))))

    @property
    def middle_s(self) -> FloatArray:
        return self.start_s + 0.5 * self.duration_s

    @classmethod
    def joined(cls, parts: list[Looks]) -> Looks:
        return cls(**{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(cls)
        })  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """Columns (m,) of a case's targets: places, the points of the ellipsoid under them, and unit
    vectors up, east and north (m, 3). `up` is away from the Earth's centre, as in the rules."""

    place: FloatArray
    foot: FloatArray
    up: FloatArray
    east: FloatArray
    north: FloatArray
    radius_m: FloatArray

    @classmethod
    def of(cls, case: Case) -> Ground:
        place = np.array([target.place for target in case.targets])
        up = unit(place)
        east = unit(np.stack([-up[:, 1], up[:, 0], np.zeros(len(up))], axis=-1))
        scale = np.array([WGS84_A_M, WGS84_A_M, WGS84_B_M])
        return cls(
            place=place, foot=place / norm(place / scale)[:, None], up=up, east=east,
            north=cross(up, east), radius_m=np.array([target.radius_m for target in case.targets]),
        )  # fmt: skip


def states(satellite: Satellite, epoch: Epoch, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Positions (n, 3) m and velocities m/s, both ITRF."""
    zero = epoch.moment
    day, part = jday(zero.year, zero.month, zero.day, zero.hour, zero.minute, zero.second)
    record = Satrec.twoline2rv(*satellite.lines)
    codes, r_km, v_km_s = record.sgp4_array(np.full(len(t_s), day), part + t_s / 86_400)
    if np.any(codes):
        raise ValueError(f"{satellite.name}: {SGP4_ERRORS[int(codes.max())]}")
    turned = itrf_from_teme(epoch, t_s)
    r, v = (1e3 * np.einsum("nij,nj->ni", turned, x) for x in (r_km, v_km_s))
    spin = np.stack([-r[:, 1], r[:, 0], np.zeros(len(r))], axis=-1)
    return r, v - EARTH_RATE_RAD_S * spin


def all_looks(case: Case) -> Looks:
    """Every look at a target's middle that may begin on an even second."""
    ground, epoch = Ground.of(case), Epoch(case.start)
    coarse_s = np.arange(0.0, case.horizon_s + 1, COARSE_S)
    light = unit(sun_itrf(epoch, coarse_s)) @ ground.up.T
    parts = []
    for k in range(len(case.satellites)):
        target, t_s = _near(case, k, ground, light, coarse_s)
        parts.append(_looks(case, k, ground, target, t_s))
    return Looks.joined(parts)


def _near(
    case: Case, k: int, ground: Ground, light: FloatArray, coarse_s: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Targets and whole seconds (q,) at which satellite k might see them, by target and time."""
    r, v = states(case.satellites[k], Epoch(case.start), coarse_s)
    step_rad = float(np.max(norm(v) / norm(r))) * COARSE_S
    farthest = _earth_angle(case.satellites[k], float(np.max(norm(r)))) + step_rad
    near = (unit(r) @ ground.up.T > math.cos(farthest)) & (
        light > math.sin(math.radians(case.sun_deg - 1))
    )
    target, at = np.nonzero(near.T)
    seconds = np.arange(-COARSE_S / 2, COARSE_S / 2)
    t_s = (coarse_s[at][:, None] + seconds).ravel()
    target = np.repeat(target, len(seconds))
    inside = (t_s >= 0) & (t_s <= case.horizon_s)
    return target[inside], t_s[inside]


def _earth_angle(satellite: Satellite, radius_m: float) -> float:
    """At the Earth's centre (rad), between the satellite and the farthest target in its reach."""
    tilt = math.radians(satellite.off_nadir_deg)
    return math.asin(min(radius_m / WGS84_B_M * math.sin(tilt), 1.0)) - tilt


def _looks(case: Case, k: int, ground: Ground, target: IntArray, t_s: FloatArray) -> Looks:
    """Of satellite k, in the seconds (q,) near targets."""
    satellite, epoch = case.satellites[k], Epoch(case.start)
    moments, at = np.unique(t_s, return_inverse=True)
    r, v = states(satellite, epoch, moments)
    sight = ground.place[target] - r[at]
    tilt_deg = np.degrees(np.arccos(dot(unit(sight), -unit(r[at]))))
    sun_deg = np.degrees(np.arcsin(dot(unit(sun_itrf(epoch, moments))[at], ground.up[target])))
    seen = (tilt_deg <= satellite.off_nadir_deg - TILT_MARGIN_DEG) & (
        dot(sight, ground.up[target]) < 0
    )
    seen &= sun_deg >= case.sun_deg + SUN_MARGIN_DEG
    target, t_s = target[seen], t_s[seen]
    visit = np.cumsum((np.diff(target, prepend=-1) != 0) | (np.diff(t_s, prepend=-1) != 1))
    duration_s = _durations(satellite, ground, r, v)[target]
    last = np.arange(len(t_s)) + np.ceil(duration_s).astype(np.int64)
    good = (last < len(t_s)) & (t_s % START_STEP_S == 0)
    good[good] = visit[last[good]] == visit[good]
    return pointed(case, k, target[good], visit[good], t_s[good], duration_s[good])


def _durations(satellite: Satellite, ground: Ground, r: FloatArray, v: FloatArray) -> FloatArray:
    """Seconds (m,) in which a strip that cannot be wider gets long enough for each target."""
    width_m = (np.min(norm(r), initial=np.inf) - WGS84_A_M) * math.tan(
        math.radians(satellite.half_view_deg)
    )
    reach_m = np.sqrt(np.maximum(ground.radius_m**2 - width_m**2, 0.0))
    needed_s = 2 * reach_m / np.min(norm(v) * WGS84_B_M / norm(r), initial=np.inf)
    return np.minimum(np.ceil(np.maximum(needed_s, satellite.shortest_s)), satellite.longest_s)


def pointed(
    case: Case, k: int, target: IntArray, visit: IntArray, start_s: FloatArray,
    duration_s: FloatArray,
) -> Looks:  # fmt: skip
    """Looks of satellite k that have the point below the target in the middle of their strip."""
    satellite, epoch, ground = case.satellites[k], Epoch(case.start), Ground.of(case)
    r, v = states(satellite, epoch, start_s + 0.5 * duration_s)
    sight = ground.foot[target] - r
    x, y, z = (dot(sight, axis) for axis in _axes(r, v))
    along, across = x / z, y / z
    edges = []
    for t_s in (start_s, start_s + duration_s):
        place, speed = states(satellite, epoch, t_s)
        a, c, n = _axes(place, speed)
        direction = unit(n + along[:, None] * a + across[:, None] * c)
        off = ground_point(place, direction) - ground.place[target]
        plane = np.stack([dot(off, ground.east[target]), dot(off, ground.north[target])], axis=-1)
        edges.append((direction, plane))
    (arrive, first), (leave, last) = edges
    slant_m = norm(sight)
    width_m = slant_m * math.tan(math.radians(satellite.half_view_deg))
    return Looks(
        satellite=np.full(len(target), k), target=target, visit=visit, start_s=start_s,
        duration_s=duration_s, along=along, across=across, arrive=arrive, leave=leave, place=r,
        ends=np.stack([first, last], axis=1), half_width_m=width_m - WIDTH_MARGIN_M,
        pixel_m=slant_m * math.radians(satellite.pixel_deg),
    )  # fmt: skip


def _axes(r: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Along the track over the ground, across it, and to the Earth's centre: (n, 3) each."""
    nadir = -unit(r)
    along = unit(v - dot(v, nadir)[:, None] * nadir)
    return along, cross(along, nadir), nadir


def inside(points: FloatArray, ends: FloatArray, half_width_m: FloatArray) -> BoolArray:
    """Which points (n or 1, q, 2) lie in straight strips (n,) with round ends: (n, q)."""
    line = ends[:, 1] - ends[:, 0]
    off = points - ends[:, :1]
    share = np.einsum("nqk,nk->nq", off, line) / dot(line, line)[:, None]
    off = off - np.clip(share, 0.0, 1.0)[..., None] * line[:, None]
    return np.asarray(norm(off) <= half_width_m[:, None])
