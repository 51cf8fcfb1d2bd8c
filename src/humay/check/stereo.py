"""Code `looks`, of stereo: the angles of looks that belong together, from orbits and sweeps anew.

The formulas are those of docs/reference/stereo.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from shapely.geometry import Polygon

from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.check.case import Acquisition, Case
from humay.check.scans import look
from humay.check.violations import Violation
from humay.earth import sun_itrf
from humay.mission import PairLimits, Request, StereoLimits

ANGLE_TOLERANCE_RAD = math.radians(0.01)
TIME_TOLERANCE_S = 1e-3
OVERLAP_TOLERANCE = 0.005


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One look at the places (n, 3) of a strip, in one order for all looks: `to_satellite` (n, 3)
    unit vectors, `at_s` the instant that counts for separations, `sun` (3,) where the Sun stands,
    `scene` (4, 3) the corners of what it shows, from its middle."""

    at_s: float
    up: FloatArray
    to_satellite: FloatArray
    sun: FloatArray
    pitch_rad: float
    scene: FloatArray


def stereo_sets(
    case: Case, limits: StereoLimits, looks: Sequence[Acquisition]
) -> list[list[Acquisition]]:
    """Looks (in order of time) at a strip as sets, all in one where clouds do not count: else each
    set is an attempt, and they come one after the other."""
    each = limits.looks if case.mission.counted_clouds is not None else max(len(looks), 1)
    return [list(looks[k : k + each]) for k in range(0, len(looks), each)]


def stereo_faults(
    case: Case, request: Request, limits: StereoLimits, looks: Sequence[Acquisition]
) -> Iterator[Violation]:
    """What looks (in order of time) at one strip break of what a request asks of them."""
    if not looks:
        return
    if len(looks) != limits.looks:
        message = f"has {len(looks)} looks, expected {limits.looks} or none"
        yield case.at("looks", f"request {request.name!r}", message, looks[0].start_s)
        return
    views = [_view(case, request, each, looks[0]) for each in looks]
    pairs: list[tuple[int, int, PairLimits]] = [(0, limits.looks - 1, limits)]
    if limits.looks == 3:
        pairs += [(0, 1, limits.neighbouring), (1, 2, limits.neighbouring)]
        most = limits.max_middle_pitch_rad
        if most is not None and abs(views[1].pitch_rad) > most + ANGLE_TOLERANCE_RAD:
            found = f"pitch is {math.degrees(views[1].pitch_rad):.3f} deg"
            message = f"{found}, expected at most {math.degrees(most):.3f} either way"
            yield case.at("looks", looks[1].where, message, looks[1].start_s)
    for i, j, asked in pairs:
        for what in _broken(asked, views[i], views[j]):
            where = f"acquisitions {looks[i].id!r} and {looks[j].id!r}"
            yield case.at("looks", where, what, looks[j].start_s)


def _view(case: Case, request: Request, each: Acquisition, first: Acquisition) -> View:
    """A look; places are those of the first one, of a point only the middle."""
    point = request.kind == "point"
    f = np.array([0.5] if point else [0.5, 0.0, 1.0])
    same_way = dot(each.line.ends[1] - each.line.ends[0], first.line.ends[1] - first.line.ends[0])
    if not point and same_way < 0:
        f = 1 - f
    t_s = each.start_s + f * (each.end_s - each.start_s)
    (aim, along), (up, _) = each.line.points(f), each.line.normals(f)
    r_itrf, _ = each.orbit.state_itrf(t_s)
    seen = look(each.orbit, t_s, aim, up, np.zeros(len(t_s)))
    return View(
        at_s=float(t_s[0]) if point else each.start_s,
        up=up,
        to_satellite=unit(r_itrf - aim),
        sun=unit(sun_itrf(case.epoch, t_s[:1]) - aim[:1])[0],
        pitch_rad=float(seen.pitch_rad[0]),
        scene=_scene(aim[0] - r_itrf[0], along[0], up[0], each.satellite.camera.swath_rad),
    )


def _scene(sight: FloatArray, along: FloatArray, up: FloatArray, swath_rad: float) -> FloatArray:
    """Corners (4, 3), from the place looked at: the swath of the middle line on the level plane,
    drawn along the way of the sweep."""
    z = unit(sight)
    y = unit(cross(z, along))
    level = along - dot(along, up) * up
    sides = []
    for half in (-0.5 * swath_rad, 0.5 * swath_rad):
        ray = math.cos(half) * z + math.sin(half) * y
        sides.append(ray * (dot(sight, up) / dot(ray, up)) - sight)
    left, right = sides
    return np.array([left - level / 2, right - level / 2, right + level / 2, left + level / 2])


def _broken(limits: PairLimits, a: View, b: View) -> Iterator[str]:
    """What two looks break, in words."""
    least, most = limits.convergence_rad
    for u, v, up in zip(a.to_satellite, b.to_satellite, a.up, strict=True):
        turn = 2 * math.atan2(float(norm(u - v)), float(norm(u + v)))
        yield from _outside("convergence", turn, least, most)
        rise, lean = float(dot(unit(u + v), up)), float(dot(unit(u - v), up))
        low = limits.min_bisector_elevation_rad
        yield from _outside("bisector elevation", math.asin(min(rise, 1.0)), low, math.pi)
        high = limits.max_asymmetry_rad
        yield from _outside("asymmetry", math.atan2(abs(lean), rise), 0.0, high)
    moved = 2 * math.asin(min(0.5 * float(norm(a.sun - b.sun)), 1.0))
    yield from _outside("change of the Sun", moved, 0.0, limits.max_sun_change_rad)
    apart_s = b.at_s - a.at_s
    low_s, high_s = limits.min_separation_s, limits.max_separation_s
    if not low_s - TIME_TOLERANCE_S <= apart_s <= high_s + TIME_TOLERANCE_S:
        yield f"{apart_s:.3f} s apart, expected {low_s:g} to {high_s:g} s"
    common = _overlap(a.scene, b.scene, a.up[0])
    if common < limits.min_overlap - OVERLAP_TOLERANCE:
        yield f"overlap is {common:.4f}, expected at least {limits.min_overlap:g}"


def _outside(what: str, found_rad: float, low_rad: float, high_rad: float) -> Iterator[str]:
    if not low_rad - ANGLE_TOLERANCE_RAD <= found_rad <= high_rad + ANGLE_TOLERANCE_RAD:
        low, high = math.degrees(low_rad), math.degrees(high_rad)
        yield f"{what} is {math.degrees(found_rad):.3f} deg, expected {low:.3f} to {high:.3f} deg"


def _overlap(a: FloatArray, b: FloatArray, up: FloatArray) -> float:
    """The common part of two scenes, over the smaller one."""
    east = unit(cross(np.eye(3)[int(np.argmin(np.abs(up)))], up))
    axes = np.stack([east, cross(up, east)], axis=-1)
    one, other = Polygon(a @ axes), Polygon(b @ axes)
    smaller = min(one.area, other.area)
    return float(one.intersection(other).area / smaller) if smaller > 0 else 0.0
