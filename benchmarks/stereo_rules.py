"""The rules of AstroReason-Bench's stereo imaging in plain code: what written observations earn.

Satellites are where skyfield has them, as in the benchmark's verifier; the Sun is good to 0.01 deg,
theirs to 0.05. Nothing here knows of `humay`. Angles are degrees, as in the files.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from benchmarks.stereo_case import (
    EDGE_SAMPLES,
    PAIR_SAMPLES,
    SLACK,
    WGS84_A_M,
    WGS84_B_M,
    Case,
    FloatArray,
    Satellite,
    Seen,
    Target,
    moment,
)
from numpy.typing import NDArray
from skyfield.api import EarthSatellite, Timescale, load
from skyfield.framelib import itrs

STRIP_STEP_S, PASS_STEP_S = 8.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """One observation; angles along and across the track, kept all along it."""

    satellite: Satellite
    target: Target
    start: datetime
    end: datetime
    along_deg: float
    across_deg: float

    def __str__(self) -> str:
        return f"{self.satellite.name} {self.target.name} at {self.start.isoformat()}"

    @property
    def middle(self) -> datetime:
        return self.start + (self.end - self.start) / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """What one look leaves: the satellite at its middle, the strip's middle line (n, 2) east and
    north of the target and its half width, the size of a pixel, the angle off nadir."""

    look: Look
    seen: Seen
    satellite_m: FloatArray
    line_m: FloatArray
    half_width_m: float
    pixel_m: float
    tilt_deg: float

    def holds(self, points: FloatArray) -> NDArray[np.bool_]:
        """Which points (n, 2) lie in the strip; its ends are round."""
        return np.asarray(_off_line(points, self.line_m) <= self.half_width_m + 1e-9)


def worth(case: Case, path: Path) -> tuple[int, float]:
    """Targets with a product, and the mean quality; ValueError where a rule is broken."""
    looks = _read_looks(case, path)
    for satellite in case.satellites:
        _check_order(sorted((x for x in looks if x.satellite is satellite), key=lambda x: x.start))
    images = _images(case, looks)
    best = [
        _best(case, target, [image for image in images if image.look.target is target])
        for target in case.targets
    ]
    return sum(quality is not None for quality in best), math.fsum(q or 0.0 for q in best) / len(
        best
    )


def _read_looks(case: Case, path: Path) -> list[Look]:
    satellites = {satellite.name: satellite for satellite in case.satellites}
    targets = {target.name: target for target in case.targets}
    looks = []
    for entry in json.loads(path.read_text(encoding="utf-8"))["actions"]:
        if entry["type"] != "observation":
            raise ValueError(f"{path}: {entry['type']!r}, expected an observation")
        if entry["satellite_id"] not in satellites or entry["target_id"] not in targets:
            raise ValueError(
                f"{path}: {entry['satellite_id']} or {entry['target_id']} is not known"
            )
        look = Look(
            satellite=satellites[entry["satellite_id"]],
            target=targets[entry["target_id"]],
            start=moment(entry["start_time"]),
            end=moment(entry["end_time"]),
            along_deg=entry["off_nadir_along_deg"],
            across_deg=entry["off_nadir_across_deg"],
        )
        _check_alone(case, look)
        looks.append(look)
    return looks


def _check_alone(case: Case, look: Look) -> None:
    """Times and angles of one look, and access to its target all along it."""
    satellite, seconds = look.satellite, (look.end - look.start).total_seconds()
    if look.start < case.start or look.end > case.start + timedelta(seconds=case.horizon_s):
        raise ValueError(f"{look}: beyond the horizon")
    if not satellite.shortest_s - 1e-9 <= seconds <= satellite.longest_s + 1e-9:
        raise ValueError(f"{look}: takes {seconds} s")
    tangents = [math.tan(math.radians(angle)) for angle in (look.along_deg, look.across_deg)]
    tilt_deg = math.degrees(math.atan(math.hypot(*tangents)))
    if tilt_deg > satellite.off_nadir_deg + SLACK:
        raise ValueError(f"{look}: {tilt_deg} deg off nadir")
    if not _sees_from_to(case, satellite, look.target, look.start, look.end):
        raise ValueError(f"{look}: the target is out of reach or in the dark")


def _check_order(looks: list[Look]) -> None:
    """No overlap, and time for every slew."""
    for before, after in pairwise(looks):
        free_s, needed_s = (after.start - before.end).total_seconds(), slew_s(before, after)
        if free_s + SLACK < needed_s:
            raise ValueError(f"{after}: {free_s} s before it, its slew takes {needed_s} s")


def slew_s(before: Look, after: Look) -> float:
    """Over the angle between pointings at its ends, both on the axes of the turning Earth."""
    leave, arrive = boresight(before, before.end)[1], boresight(after, after.start)[1]
    return after.satellite.slew_s(float(_angle_deg(leave, arrive)))


def _images(case: Case, looks: list[Look]) -> list[Image]:
    """Looks by their order in the file, which numbers the passes."""
    visits: dict[tuple[str, str], list[Look]] = {}
    images = []
    for look in looks:
        firsts = visits.setdefault((look.satellite.name, look.target.name), [])
        visit = next((k for k, first in enumerate(firsts) if _one_pass(case, first, look)), None)
        if visit is None:
            visit = len(firsts)
            firsts.append(look)
        images.append(image(look, visit))
    return images


def _one_pass(case: Case, one: Look, other: Look) -> bool:
    begin, end = min(one.start, other.start), max(one.end, other.end)
    if (end - begin).total_seconds() > 0.25 * 86_400:
        return False
    return _sees_from_to(case, one.satellite, one.target, begin, end)


def image(look: Look, visit: int = 0) -> Image:
    satellite_m, direction = boresight(look, look.middle)
    ground_m = _ground(satellite_m, direction)
    slant_m = float(np.linalg.norm(ground_m - satellite_m))
    seconds = (look.end - look.start).total_seconds()
    steps = np.unique([*np.arange(0.0, seconds, STRIP_STEP_S), seconds])
    line = [_ground(*boresight(look, look.start + timedelta(seconds=s))) for s in steps.tolist()]
    return Image(
        look=look,
        seen=Seen(
            satellite=look.satellite.name, visit=visit, start=look.start, end=look.end
        ),
        satellite_m=satellite_m,
        line_m=_east_north(look.target, np.array(line)),
        half_width_m=slant_m * math.tan(math.radians(look.satellite.half_view_deg)),
        pixel_m=slant_m * math.radians(look.satellite.pixel_deg),
        tilt_deg=float(_angle_deg(-satellite_m, ground_m - satellite_m)),
    )  # fmt: skip


def _best(case: Case, target: Target, images: list[Image]) -> float | None:
    """The best product's quality; None without one."""
    found = []
    for pair in combinations(images, 2):
        if all(_go_together(case, *two) for two in combinations(pair, 2)):
            found.append(_pair(case, target, pair, "pair_overlap", PAIR_SAMPLES))
    for triple in combinations(images, 3):
        pairs = list(combinations(triple, 2))
        if all(_go_together(case, *two) for two in pairs):
            edges = [_pair(case, target, two, "tri_pair_edge", EDGE_SAMPLES) for two in pairs]
            overlap = _overlap(case, target, triple, "tri_overlap", PAIR_SAMPLES)
            tilt = min(image.tilt_deg for image in triple)
            found.append(case.triple_quality(target.scene, edges, overlap, tilt))
    return max((quality for quality in found if quality > 0), default=None)


def _go_together(case: Case, one: Image, other: Image) -> bool:
    """One pass of one satellite, or two satellites; near enough in time."""
    apart_s = abs((one.look.middle - other.look.middle).total_seconds())
    if apart_s > case.longest_apart_s + SLACK:
        return False
    if one.look.satellite is other.look.satellite:
        return one.seen.visit == other.seen.visit
    return case.across_satellites


def _pair(case: Case, target: Target, pair: tuple[Image, ...], role: str, count: int) -> float:
    views = [image.satellite_m - np.array(target.place) for image in pair]
    pixels = [image.pixel_m for image in pair]
    quality = case.pair_quality(
        target.scene,
        _angle_deg(*views),
        np.array(_overlap(case, target, pair, role, count)),
        np.array(max(pixels) / min(pixels)),
    )
    return float(quality)


def _overlap(case: Case, target: Target, images: tuple[Image, ...], role: str, count: int) -> float:
    points = case.samples(target, [image.seen for image in images], role, count)
    return float(np.mean(np.all([image.holds(points) for image in images], axis=0)))


# ---------------------------------------------------------------- geometry


@cache
def _timescale() -> Timescale:
    return load.timescale(builtin=True)


@cache
def _record(satellite: Satellite) -> EarthSatellite:
    return EarthSatellite(*satellite.lines, ts=_timescale())


def _states(satellite: Satellite, moments: list[datetime]) -> tuple[FloatArray, FloatArray]:
    """Positions (n, 3) m and velocities m/s, both ITRF."""
    at = _record(satellite).at(_timescale().from_datetimes(moments))
    position, velocity = at.frame_xyz_and_velocity(itrs)
    return 1e3 * position.km.T, 1e3 * velocity.km_per_s.T


def boresight(look: Look, moment: datetime) -> tuple[FloatArray, FloatArray]:
    """The satellite (3,) and where it points."""
    (r,), (v,) = _states(look.satellite, [moment])
    nadir = -r / np.linalg.norm(r)
    along = v - np.dot(v, nadir) * nadir
    along /= np.linalg.norm(along)
    across = np.cross(along, nadir)
    to = nadir + math.tan(math.radians(look.along_deg)) * along
    to += math.tan(math.radians(look.across_deg)) * across
    return r, to / np.linalg.norm(to)


def _ground(origin: FloatArray, direction: FloatArray) -> FloatArray:
    """Where a ray first meets the ellipsoid."""
    scale = np.array([WGS84_A_M, WGS84_A_M, WGS84_B_M])
    o, d = origin / scale, direction / scale
    a, b, c = np.dot(d, d), np.dot(o, d), np.dot(o, o) - 1
    if b * b < a * c or b > 0:
        raise ValueError(f"a ray from {origin} along {direction} misses the Earth")
    return np.asarray(origin - (b + math.sqrt(b * b - a * c)) / a * direction)


def _east_north(target: Target, points: FloatArray) -> FloatArray:
    """Points (n, 3) as (n, 2) in the plane at right angles to the target's radius."""
    up = np.array(target.place) / np.linalg.norm(target.place)
    east = np.array([-up[1], up[0], 0.0]) / math.hypot(up[0], up[1])
    axes = np.stack([east, np.cross(up, east)], axis=-1)
    return np.asarray((points - np.array(target.place)) @ axes)


def _off_line(points: FloatArray, line: FloatArray) -> FloatArray:
    """Distances (n,) of points from a line of straight pieces."""
    nearest = np.full(len(points), np.inf)
    for a, b in pairwise(line):
        share = np.clip((points - a) @ (b - a) / np.dot(b - a, b - a), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - a - share[:, None] * (b - a), axis=1))
    return nearest


def _sees_from_to(
    case: Case, satellite: Satellite, target: Target, begin: datetime, end: datetime
) -> bool:
    """Whether the target is above the horizon, in reach and in the light at every step."""
    seconds = (end - begin).total_seconds()
    steps = np.unique([*np.arange(0.0, seconds, PASS_STEP_S), seconds])
    moments = [begin + timedelta(seconds=s) for s in steps.tolist()]
    r, place = _states(satellite, moments)[0], np.array(target.place)
    tilt_deg = _angle_deg(-r, place - r)
    up = place / np.linalg.norm(place)
    sun_deg = np.degrees(np.arcsin(_sun(moments) @ up))
    seen = ((r - place) @ up > 0) & (tilt_deg <= satellite.off_nadir_deg + SLACK)
    return bool(np.all(seen & (sun_deg >= case.sun_deg - SLACK)))


def _sun(moments: list[datetime]) -> FloatArray:
    """Directions (n, 3) on the Earth's axes: The Astronomical Almanac's low-precision formulas."""
    t = _timescale().from_datetimes(moments)
    days = np.asarray(t.tt) - 2_451_545.0
    anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude = np.radians(
        280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)
    )
    tilt = np.radians(23.439 - 4e-7 * days)
    right = np.arctan2(np.cos(tilt) * np.sin(longitude), np.cos(longitude))
    height = np.arcsin(np.sin(tilt) * np.sin(longitude))
    turned = right - np.radians(15 * np.asarray(t.gmst))
    return np.stack(
        [np.cos(height) * np.cos(turned), np.cos(height) * np.sin(turned), np.sin(height)], axis=-1
    )


def _angle_deg(a: FloatArray, b: FloatArray) -> FloatArray:
    """Between vectors (..., 3)."""
    cosine = np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
