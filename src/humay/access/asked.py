"""What is asked of the search, as arrays: places and strips with their limits and conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from humay.access.lines import GroundLine
from humay.access.looks import Nadir
from humay.access.search.hunt import Clouds, Sought, cap_of
from humay.access.search.programs import DENSE_NODE_M, TERRAIN_POINTS, Programs, compile_all
from humay.access.search.rows import Craft, Subjects
from humay.access.search.tables import Sky, Track
from humay.access.strips import Strip
from humay.access.terrain import horizons
from humay.arrays import FloatArray, IntArray, norm
from humay.earth import ellipsoid_normal, itrf_from_normal
from humay.mission import (
    AllOf,
    Constraint,
    Mission,
    Request,
    Satellite,
    TerrainHorizon,
    Within,
    asks_for,
    conditions,
    leaves,
)
from humay.orbit import Ephemeris
from humay.time import Epoch

_NEAR_HORIZON_RAD = math.radians(2.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """What m requests ask: limits (m,), infinite where they leave it to the satellite, and periods.

    `tree` (m,) numbers the different pairs of conditions and cloud limits; `example` (k,) is a
    request of each.
    """

    max_off_nadir_rad: FloatArray
    min_sun_elevation_rad: FloatArray
    low_s: FloatArray
    high_s: FloatArray
    tree: IntArray
    example: list[int]

    def only_of(self, satellite: str, requests: Sequence[Request]) -> Terms:
        """The same for one satellite: requests that do not allow it have no time at all."""
        barred = np.array([not request.allows(satellite) for request in requests], dtype=bool)
        if not np.any(barred):
            return self
        return replace(self, high_s=np.where(barred, self.low_s - 1.0, self.high_s))


def terms_of(requests: Sequence[Request], epoch: Epoch, span: tuple[float, float]) -> Terms:
    """The terms of requests over a span."""
    codes: dict[tuple[int, float | None], int] = {}
    example: list[int] = []
    tree = np.zeros(len(requests), dtype=np.int64)
    for i, request in enumerate(requests):
        key = id(request.constraints), request.max_cloud
        if key not in codes:
            codes[key] = len(example)
            example.append(i)
        tree[i] = codes[key]
    seconds = epoch.seconds
    low = [span[0] if r.start is None else max(span[0], seconds(r.start)) for r in requests]
    high = [span[1] if r.end is None else min(span[1], seconds(r.end)) for r in requests]
    tilt = [math.inf if r.max_off_nadir_rad is None else r.max_off_nadir_rad for r in requests]
    sun = [
        -math.inf if r.min_sun_elevation_rad is None else r.min_sun_elevation_rad for r in requests
    ]
    return Terms(
        max_off_nadir_rad=np.array(tilt, dtype=np.float64),
        min_sun_elevation_rad=np.array(sun, dtype=np.float64),
        low_s=np.array(low, dtype=np.float64),
        high_s=np.array(high, dtype=np.float64),
        tree=tree,
        example=example,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """n points or n strips: the request of each, its line as the search takes it, normal
    and position of the middle."""

    request: IntArray
    line: FloatArray
    width_m: FloatArray
    relief_m: FloatArray
    sure_course: FloatArray
    normal: FloatArray
    r_itrf: FloatArray

    def __len__(self) -> int:
        return len(self.request)


def asked_points(requests: Sequence[Request], mission: Mission) -> Asked:
    """The points among requests, but for those that are never to be imaged."""
    number = np.array([i for i, r in enumerate(requests) if r.kind == "point"], dtype=np.int64)
    lonlat = np.radians([(requests[i].geometry.x, requests[i].geometry.y) for i in number])
    lon, lat = lonlat.reshape(-1, 2).T
    height = np.array([requests[i].height_m for i in number], dtype=np.float64)
    if mission.exclusions:
        kept = ~mission.excludes(lon, lat)
        number, lon, lat, height = number[kept], lon[kept], lat[kept], height[kept]
    up = ellipsoid_normal(lon, lat).reshape(-1, 3)
    line = np.concatenate([up, np.zeros_like(up), height[:, None], height[:, None]], axis=1)
    return Asked(
        request=number,
        line=line,
        width_m=np.zeros(len(number)),
        relief_m=np.zeros(len(number)),
        sure_course=np.zeros(len(number)),
        normal=up,
        r_itrf=itrf_from_normal(up, height),
    )


def asked_strips(strips: Sequence[Strip], requests: Sequence[Request]) -> Asked:
    """All strips."""
    index = {request.name: i for i, request in enumerate(requests)}
    normals = np.array([strip.line.normals for strip in strips]).reshape(-1, 6)
    heights = np.array([strip.line.heights_m for strip in strips]).reshape(-1, 2)
    middle = normals[:, :3] + normals[:, 3:]
    middle = middle / np.maximum(norm(middle), 1e-300)[:, None]
    return Asked(
        request=np.array([index[strip.request] for strip in strips], dtype=np.int64),
        line=np.concatenate([normals, heights], axis=1),
        width_m=np.array([strip.width_m for strip in strips], dtype=np.float64),
        relief_m=np.array([strip.relief_m for strip in strips], dtype=np.float64),
        sure_course=np.array([_sure_course(strip) for strip in strips], dtype=np.float64),
        normal=middle,
        r_itrf=itrf_from_normal(middle, heights.mean(axis=1) if len(strips) else np.zeros(0)),
    )


def _sure_course(strip: Strip) -> float:
    """Cosine of the turn from the track up to which every look is wide enough; over 1: none is."""
    return math.cos(strip.sure_turn_rad) if strip.sure_turn_rad >= 0 else 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Rules:
    """What one satellite holds m requests to."""

    off_nadir_rad: FloatArray
    min_sun_rad: FloatArray
    program: IntArray
    programs: Programs


def rules_of(
    mission: Mission,
    satellite: Satellite,
    requests: Sequence[Request],
    terms: Terms,
    *,
    horizon_rad: float,
    strips: bool,
) -> Rules:
    """The stricter limits of satellite and requests, and a program for each different set.

    `horizon_rad` is the least off-nadir angle of the satellite's horizon. Close to it off-nadir
    rises and falls more than once in a pass: there the horizon bounds the pass, and the limit is a
    condition.
    """
    off_nadir = np.minimum(satellite.max_off_nadir_rad, terms.max_off_nadir_rad)
    near_horizon = off_nadir > horizon_rad - _NEAR_HORIZON_RAD
    tilt = np.where(near_horizon, off_nadir, np.nan)
    sun = np.maximum(satellite.min_sun_elevation_rad, terms.min_sun_elevation_rad)
    roll, pitch = satellite.max_roll_rad < off_nadir, satellite.max_pitch_rad < off_nadir
    keys = np.stack([sun, roll, pitch, terms.tree, np.nan_to_num(tilt, nan=-1.0)], axis=1)
    if len(keys) and np.all(keys == keys[0]):
        different, program = keys[:1], np.zeros(len(keys), dtype=np.int64)
    else:
        different, program = np.unique(keys, axis=0, return_inverse=True)
    own = [conditions(satellite, requests[example], mission.clouds) for example in terms.example]
    trees = [
        _tree(
            satellite, own[int(tree)], float(low_sun), float(tilt),
            roll=bool(rolls), pitch=bool(pitches),
        )
        for low_sun, rolls, pitches, tree, tilt in different
    ]  # fmt: skip
    dense = [own[int(tree)] is not None for *_, tree, _ in different]
    return Rules(
        off_nadir_rad=np.where(near_horizon, math.pi / 2, off_nadir),
        min_sun_rad=sun,
        program=program.reshape(-1).astype(np.int64),
        programs=compile_all(trees, dense, swath=strips),
    )


def _tree(
    satellite: Satellite,
    own: Constraint | None,
    min_sun_rad: float,
    tilt_rad: float,
    *,
    roll: bool,
    pitch: bool,
) -> Constraint | None:
    """Limits and conditions as one tree; a tilt below zero is no limit."""
    parts: list[Constraint] = [Within(quantity="sun_elevation_rad", low=min_sun_rad)]
    if tilt_rad >= 0:
        parts.append(Within(quantity="off_nadir_rad", high=tilt_rad))
    for asked, name, most in (
        (pitch, "pitch_rad", satellite.max_pitch_rad),
        (roll, "roll_rad", satellite.max_roll_rad),
    ):
        if asked:
            parts.append(Within(quantity=name, low=-most, high=most))
    if own is not None:
        parts.append(own)
    return AllOf(parts=tuple(parts))


def craft_of(
    satellite: Satellite, ephemeris: Ephemeris, nadir: Nadir, *, with_margin: bool
) -> Craft:
    """What of a satellite the rows depend on."""
    camera = satellite.camera
    return Craft(
        max_off_nadir_rad=satellite.max_off_nadir_rad,
        pointing_sigma_rad=satellite.pointing_sigma_rad,
        sigma_at_epoch_m=satellite.orbit_sigma.at_epoch_m,
        sigma_per_day_m=satellite.orbit_sigma.per_day_m,
        orbit_epoch_s=ephemeris.orbit_epoch_s,
        ifov_rad=camera.ifov_rad,
        swath_rad=camera.swath_rad,
        scene_length_m=camera.scene_length_m,
        band_offset_rad=max(abs(band.along_track_offset_rad) for band in camera.bands),
        geocentric=nadir == "geocentric",
        with_margin=with_margin,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Terrain:
    """Terrain horizons as the search takes them, and the number of the first of each subject."""

    profiles: FloatArray
    first: IntArray


def terrain_of(
    mission: Mission, satellite: Satellite, requests: Sequence[Request], asked: Asked, rules: Rules
) -> Terrain:
    """The horizons of subjects under a condition on terrain: of a point, or of every place on a
    line at which limits are tested. Out to every distance that conditions name."""
    first = np.zeros(len(asked), dtype=np.int64)
    if not rules.programs.uses_terrain:
        return Terrain(profiles=np.zeros(0), first=first)
    wanted = np.array(
        [_asks_for_terrain(conditions(satellite, r, mission.clouds)) for r in requests]
    )
    azimuth = np.arange(TERRAIN_POINTS) * (2 * math.pi / TERRAIN_POINTS)
    tables: list[FloatArray] = []
    count = 0
    for i in np.flatnonzero(wanted[asked.request]):
        normals, height_m = _places_on(asked.line[i])
        levels = [
            horizons(mission.heights, normals, height_m, distance_m=far_m, points=TERRAIN_POINTS)
            for far_m in rules.programs.distance_m
        ]
        first[i] = count
        count += len(normals)
        tables += [
            np.concatenate([azimuth, each[k]]) for k in range(len(normals)) for each in levels
        ]
    return Terrain(profiles=np.concatenate(tables or [np.zeros(0)]), first=first)


def _asks_for_terrain(tree: Constraint | None) -> bool:
    return tree is not None and any(isinstance(leaf, TerrainHorizon) for leaf in leaves(tree))


def _places_on(line: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Normals and heights of the places of a subject at which limits are tested."""
    if not np.any(line[3:6]):
        return line[None, :3], line[6:7]
    ground = GroundLine(normals=line[:6].reshape(2, 3), heights_m=line[6:8])
    share = np.linspace(0.0, 1.0, max(3, math.ceil(float(ground.length_m) / DENSE_NODE_M) + 1))
    many = GroundLine(
        normals=np.broadcast_to(ground.normals, (len(share), 2, 3)),
        heights_m=np.broadcast_to(ground.heights_m, (len(share), 2)),
    )
    return many.normal(share), line[6] + share * (line[7] - line[6])


def sought(
    asked: Asked, terms: Terms, rules: Rules, terrain: Terrain, craft: Craft, track: Track, sky: Sky
) -> Sought:
    """The search of one satellite, on one segment of its way, for points or strips."""
    own = asked.request
    place_m = norm(asked.r_itrf)
    return Sought(
        track=track,
        sky=sky,
        craft=craft,
        programs=rules.programs._replace(profiles=terrain.profiles),
        subjects=Subjects(
            line=asked.line,
            off_nadir_rad=rules.off_nadir_rad[own],
            program=rules.program[own],
            low_s=terms.low_s[own],
            high_s=terms.high_s[own],
            width_m=asked.width_m,
            relief_m=asked.relief_m,
            sure_course=asked.sure_course,
            profile=terrain.first,
        ),
        place=asked.r_itrf / place_m[:, None],
        cap_rad=cap_of(track, rules.off_nadir_rad[own], place_m),
        min_sun_rad=rules.min_sun_rad[own],
    )


def clouds_of(
    mission: Mission,
    satellite: Satellite,
    requests: Sequence[Request],
    asked: Asked,
    terms: Terms,
    rules: Rules,
    epoch: Epoch,
) -> Clouds:
    """The probability of clouds over subjects at instants, or the nearest of their requests' own
    periods; zero where nobody asks for it."""
    model = mission.clouds
    if model is None or not rules.programs.uses_clouds:
        return lambda which, t_s: np.zeros(len(t_s))  # noqa: ARG005
    lon, lat = np.arctan2(asked.normal[:, 1], asked.normal[:, 0]), np.arcsin(asked.normal[:, 2])
    own = np.array(
        [_asks_for_clouds(conditions(satellite, r, model)) for r in requests], dtype=bool
    )[asked.request]
    low_s, high_s = terms.low_s[asked.request], terms.high_s[asked.request]

    def probability(which: IntArray, t_s: FloatArray) -> FloatArray:
        found = np.zeros(len(which))
        rows = np.flatnonzero(own[which] & (high_s[which] > low_s[which]))
        who = which[rows]
        at_s = np.clip(t_s[rows], low_s[who], high_s[who])
        names = [requests[i].name for i in asked.request[who]]
        found[rows] = model.known_probability(names, lon[who], lat[who], epoch.mjd_utc(at_s))
        return found

    return probability


def _asks_for_clouds(tree: Constraint | None) -> bool:
    return tree is not None and asks_for(tree, "cloud_probability")
