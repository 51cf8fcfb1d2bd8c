"""`find_opportunities`: when each satellite can image each request, and how it would look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from humay.access.lines import MEAN_RADIUS_M, GroundLine
from humay.access.looks import (
    Nadir,
    Places,
    find_approaches,
    find_windows,
    look_angles,
    reach,
    sun_azimuth,
    sun_elevation,
    windows_around,
)
from humay.access.records import Opportunities, joined
from humay.access.strips import Strip, centre_of, cut_into_strips
from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, norm, unit
from humay.earth import (
    azimuth_angle,
    ellipsoid_normal,
    geodetic_from_itrf,
    itrf_from_normal,
)
from humay.errors import AccessError
from humay.frames import inertial_velocity
from humay.mission import Mission, Request, Satellite, limits
from humay.orbit import Ephemeris, ephemerides

SIGMAS = 3.0  # what is planned stays within the limits for errors up to this many sigma
LARGEST_TURN_FROM_TRACK_RAD = math.radians(30.0)  # a strip is offered to passes no more oblique
EARTH_SURFACE_SPEED_M_S = 465.1  # at the equator
HIGHEST_GROUND_M = 9_000.0
_LINE_NODE_M = 25_000.0
_USABLE_STEP_S = 300.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Wanted:
    """Rows to be: sweeps (n,) along lines, each `scan_s` long, about `mid_s` and in [low_s,
    high_s].
    """

    request: IntArray
    strip: list[str]
    line: GroundLine
    width_m: FloatArray
    mid_s: FloatArray
    scan_s: FloatArray
    low_s: FloatArray
    high_s: FloatArray


def find_opportunities(
    mission: Mission,
    requests: Sequence[Request],
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir = "geodetic",
    orbits: Mapping[str, Ephemeris] | None = None,
) -> Opportunities:
    """Every window of every request over [start, end], in order of time.

    Edges are good to 0.01 ms for the given orbit; `sigma_s` says how far its uncertainty may move
    them. `orbits` saves propagating again what is known already.
    """
    if orbits is None:
        orbits = ephemerides(mission, start, end)
    epoch = next(iter(orbits.values())).epoch
    span = epoch.seconds(start), epoch.seconds(end)
    strips = find_strips(mission, requests, orbits, span, nadir)
    _refuse_twins(requests, strips)
    parts = [
        part
        for satellite in mission.satellites
        for part in (
            _point_rows(satellite, orbits[satellite.name], requests, span, nadir),
            _strip_rows(satellite, orbits[satellite.name], requests, strips, span, nadir),
        )
    ]
    return joined(parts, epoch=epoch, span_s=span, strips=tuple(strips))


def _refuse_twins(requests: Sequence[Request], strips: Sequence[Strip]) -> None:
    """A point is its own strip, so its name must not be that of a strip of an area."""
    points = {request.name for request in requests if request.kind == "point"}
    for strip in strips:
        if strip.name in points:
            raise AccessError(
                f"request {strip.name!r} has the name of a strip of the request {strip.request!r},"
                " expected another name"
            )


# Areas -----------------------------------------------------------------------------------------


def find_strips(
    mission: Mission,
    requests: Sequence[Request],
    orbits: Mapping[str, Ephemeris],
    span: tuple[float, float],
    nadir: Nadir,
) -> list[Strip]:
    """Strips of every line and area, wide enough for any satellite to cover: one cut a request.

    Their direction is the track of the best look at the middle of the area.
    """
    strips: list[Strip] = []
    for request in requests:
        if request.kind == "point":
            continue
        swath_m, extension_m, tan_incidence = _narrowest(mission, orbits, span)
        strips += cut_into_strips(
            request,
            heading=_heading(mission, request, orbits, span, nadir),
            swath_m=swath_m,
            extension_m=extension_m,
            tan_incidence=tan_incidence,
            heights=mission.heights,
        )
    return strips


def _narrowest(
    mission: Mission, orbits: Mapping[str, Ephemeris], span: tuple[float, float]
) -> tuple[float, float, float]:
    """Usable swath, lengthening and tangent of incidence that are safe for every satellite."""
    t_s = np.linspace(*span, max(2, int((span[1] - span[0]) / _USABLE_STEP_S) + 1))
    each = [_usable(satellite, orbits[satellite.name], t_s) for satellite in mission.satellites]
    swath, extension, incidence = (np.concatenate(part) for part in zip(*each, strict=True))
    return float(swath.min()), float(extension.max()), float(incidence.max())


def _usable(
    satellite: Satellite, ephemeris: Ephemeris, t_s: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """At times (n,): swath at nadir less three sigma at both sides, what a line must be longer by
    at both ends, and the tangent of the largest incidence.

    Over the highest ground the swath is narrowest. Across the track, an orbit that runs early or
    late sees the Earth turned a little less or more. Along it, three sigma of orbit and pointing
    count, and that each band looks ahead of or behind the panchromatic one.
    """
    r, v = ephemeris.state_itrf(t_s)
    height = geodetic_from_itrf(r)[2]
    sine = norm(r) / (norm(r) - height) * math.sin(satellite.max_off_nadir_rad)
    incidence = np.arcsin(np.minimum(0.99, sine))
    pointing_m = SIGMAS * satellite.pointing_sigma_rad * height / np.cos(incidence)
    along_m = SIGMAS * _along_sigma_m(satellite, ephemeris, t_s)
    across_m = along_m / norm(inertial_velocity(r, v)) * EARTH_SURFACE_SPEED_M_S
    swath_m = 2 * (height - HIGHEST_GROUND_M) * math.tan(satellite.camera.swath_rad / 2)
    offset = max(abs(band.along_track_offset_rad) for band in satellite.camera.bands)
    bands_m = offset * height / np.cos(incidence) ** 2
    longer_m = along_m + pointing_m + bands_m
    return swath_m - 2 * (pointing_m + across_m), longer_m, np.tan(incidence)


def _along_sigma_m(satellite: Satellite, ephemeris: Ephemeris, t_s: FloatArray) -> FloatArray:
    return satellite.orbit_sigma.along_m(ephemeris.age_days(t_s))


def _heading(
    mission: Mission,
    request: Request,
    orbits: Mapping[str, Ephemeris],
    span: tuple[float, float],
    nadir: Nadir,
) -> FloatArray:
    """Direction of the satellite's way over the ground at the best look at the middle of an area.

    Where no look is allowed, that of the node which comes closest: such strips are only counted.
    """
    up = centre_of(request)
    r_itrf = itrf_from_normal(up, np.array(request.height_m or 0.0))
    best: tuple[float, FloatArray] | None = None
    for satellite in mission.satellites:
        ephemeris = orbits[satellite.name]
        places = places_of(satellite, [request], r_itrf[None], up[None])
        found = find_windows(ephemeris, places, start_s=span[0], end_s=span[1], nadir=nadir)
        for t in found.best_s:
            r, v = ephemeris.state_itrf(np.array([t]))
            off_nadir = float(look_angles(r, v, r_itrf[None], nadir)[0][0])
            if best is None or off_nadir < best[0]:
                best = off_nadir, v[0]
    if best is not None:
        return best[1]
    segment = orbits[mission.satellites[0].name].segments[0]
    return np.asarray(segment.v_itrf[np.argmax(unit(segment.r_itrf) @ up)])


# Rows ------------------------------------------------------------------------------------------


def places_of(
    satellite: Satellite, requests: Sequence[Request], r_itrf: FloatArray, up: FloatArray
) -> Places:
    """Places (n, 3), each with the stricter limits of the satellite and of its request."""
    each = [limits(satellite, request) for request in requests]
    return Places(
        r_itrf=r_itrf,
        up=up,
        max_off_nadir_rad=np.array([limit.max_off_nadir_rad for limit in each]),
        max_roll_rad=np.array([limit.max_roll_rad for limit in each]),
        max_pitch_rad=np.array([limit.max_pitch_rad for limit in each]),
        min_sun_elevation_rad=np.array([limit.min_sun_elevation_rad for limit in each]),
    )


def _point_rows(
    satellite: Satellite,
    ephemeris: Ephemeris,
    requests: Sequence[Request],
    span: tuple[float, float],
    nadir: Nadir,
) -> Opportunities:
    """Windows of the point requests, each to be swept along the track through the point."""
    number = np.array([i for i, r in enumerate(requests) if r.kind == "point"], dtype=np.int64)
    chosen = [requests[i] for i in number]
    lon = np.radians([request.geometry.x for request in chosen])
    lat = np.radians([request.geometry.y for request in chosen])
    height = np.array([request.height_m for request in chosen], dtype=np.float64)
    up = ellipsoid_normal(lon, lat).reshape(-1, 3)
    places = places_of(satellite, chosen, itrf_from_normal(up, height), up)
    found = find_windows(ephemeris, places, start_s=span[0], end_s=span[1], nadir=nadir)
    low, high = periods_of([chosen[i] for i in found.which], ephemeris, span)
    start_s, end_s = np.maximum(found.start_s, low), np.minimum(found.end_s, high)
    open_ = end_s > start_s
    which, start_s, end_s = found.which[open_], start_s[open_], end_s[open_]
    best_s = np.clip(found.best_s[open_], start_s, end_s)
    swath_m, extension_m, _ = _usable(satellite, ephemeris, best_s)
    _, v = ephemeris.state_itrf(best_s)
    length_m = satellite.camera.scene_length_m + 2 * extension_m
    line = GroundLine.centred(up[which], v, length_m, height[which])
    wanted = _Wanted(
        request=number[which],
        strip=[chosen[i].name for i in which],
        line=line,
        width_m=swath_m,
        mid_s=found.peak_s[open_],
        scan_s=_scan_s(ephemeris, best_s, line),
        low_s=low[open_],
        high_s=high[open_],
    )
    return _rows(satellite, ephemeris, requests, wanted, start_s, end_s, nadir, 0.0)


def _strip_rows(
    satellite: Satellite,
    ephemeris: Ephemeris,
    requests: Sequence[Request],
    strips: Sequence[Strip],
    span: tuple[float, float],
    nadir: Nadir,
) -> Opportunities:
    """Start times of strips: passes near their middle, every line's window moved to the start."""
    index = {request.name: i for i, request in enumerate(requests)}
    owner = np.array([index[strip.request] for strip in strips], dtype=np.int64)
    line = GroundLine(
        normals=np.array([strip.line.normals for strip in strips]).reshape(-1, 2, 3),
        heights_m=np.array([strip.line.heights_m for strip in strips]).reshape(-1, 2),
    )
    middle = np.full(len(strips), 0.5)
    places = places_of(
        satellite, [requests[i] for i in owner], line.place(middle), line.normal(middle)
    )
    cap = reach(ephemeris, places) if len(strips) else np.zeros(0)
    which, mid_s = find_approaches(ephemeris, places.r_itrf, cap + 0.01)
    near = (mid_s > span[0] - 900) & (mid_s < span[1] + 900)
    which, mid_s = which[near], mid_s[near]
    _, v = ephemeris.state_itrf(mid_s)
    up = line.normal(middle)[which]
    course = dot(unit(v - dot(v, up)[:, None] * up), line.tangent(middle)[which])
    along = np.abs(course) >= math.cos(LARGEST_TURN_FROM_TRACK_RAD)
    which, mid_s, course = which[along], mid_s[along], course[along]
    swept = line[which].reversed_where(course < 0)
    scan_s = _scan_s(ephemeris, mid_s, swept)
    row, start_s, end_s = start_spans(ephemeris, swept, places.take(which), mid_s, scan_s, nadir)
    low, high = periods_of([requests[owner[which[i]]] for i in row], ephemeris, span)
    start_s, end_s = np.maximum(start_s, low), np.minimum(end_s, high - scan_s[row])
    open_ = end_s > start_s
    row, start_s, end_s = row[open_], start_s[open_], end_s[open_]
    wanted = _Wanted(
        request=owner[which[row]],
        strip=[strips[i].name for i in which[row]],
        line=swept[row],
        width_m=np.array([strips[i].width_m for i in which[row]]),
        mid_s=mid_s[row],
        scan_s=scan_s[row],
        low_s=low[open_],
        high_s=high[open_],
    )
    return _rows(satellite, ephemeris, requests, wanted, start_s, end_s, nadir, 0.5)


def periods_of(
    requests: Sequence[Request], ephemeris: Ephemeris, span: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """The part of the span that each request's own period leaves, (n,) and (n,)."""
    seconds = ephemeris.epoch.seconds
    low = [span[0] if r.start is None else max(span[0], seconds(r.start)) for r in requests]
    high = [span[1] if r.end is None else min(span[1], seconds(r.end)) for r in requests]
    return np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)


def _scan_s(ephemeris: Ephemeris, t_s: FloatArray, line: GroundLine) -> FloatArray:
    """Seconds a sweep lasts: the line at the speed of the sub-satellite point, so that the attitude
    hardly moves in the orbital frame."""
    r, v = ephemeris.state_itrf(t_s)
    radial = dot(r, v) / norm(r)
    ground_speed = np.sqrt(dot(v, v) - radial**2) * MEAN_RADIUS_M / norm(r)
    return np.asarray(line.length_m / ground_speed)


def start_spans(
    ephemeris: Ephemeris,
    line: GroundLine,
    places: Places,
    mid_s: FloatArray,
    scan_s: FloatArray,
    nadir: Nadir,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Spans of start times from which every line of sweep i meets its limits: (i, start, end).

    Each place on the line has its own window; moved back by the time the sweep takes to get there,
    all of them must hold. Places stand at most 25 km apart and at both ends.
    """
    if not len(mid_s):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    nodes = max(3, int(np.ceil(np.max(line.length_m) / _LINE_NODE_M)) + 1)
    found: list[list[tuple[float, float]]] = [[(-math.inf, math.inf)] for _ in mid_s]
    for share in np.linspace(0.0, 1.0, nodes):
        at = np.full(len(mid_s), share)
        here = Places(**(vars(places) | {"r_itrf": line.place(at), "up": line.normal(at)}))
        windows = windows_around(ephemeris, here, mid_s + (share - 0.5) * scan_s, nadir)
        spans: list[list[tuple[float, float]]] = [[] for _ in mid_s]
        back = share * scan_s[windows.which]
        for i, begin, end in zip(
            windows.which, windows.start_s - back, windows.end_s - back, strict=True
        ):
            spans[i].append((float(begin), float(end)))
        found = [_common(a, b) for a, b in zip(found, spans, strict=True)]
    rows = [(i, *span) for i, each in enumerate(found) for span in each]
    which, begin_s, end_s = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(which, dtype=np.int64), np.array(begin_s), np.array(end_s)


def _common(
    a: list[tuple[float, float]], b: list[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Where a span of `a` and a span of `b` overlap."""
    both = ((max(p[0], q[0]), min(p[1], q[1])) for p in a for q in b)
    return [(begin, end) for begin, end in both if end > begin]


def _rows(
    satellite: Satellite,
    ephemeris: Ephemeris,
    requests: Sequence[Request],
    wanted: _Wanted,
    start_s: FloatArray,
    end_s: FloatArray,
    nadir: Nadir,
    mid_share: float,
) -> Opportunities:
    """All columns of windows. A strip's middle line (`mid_share` 0.5) stands for it."""
    n = len(start_s)
    later = mid_share * wanted.scan_s
    half = np.full(n, 0.5)
    target, up = wanted.line.place(half), wanted.line.normal(half)
    best_s = np.clip(wanted.mid_s - later, start_s, end_s)
    at = best_s + later
    r, v = ephemeris.state_itrf(at)
    look = describe_look(satellite, ephemeris, wanted.line, at, half, nadir)
    orbit, anx_offset = ephemeris.orbit_at(at)
    line_period_s = line_period(look.gsd_along_m, wanted.line.length_m / wanted.scan_s)
    plan_start, plan_end = _plan_windows(
        satellite, ephemeris, requests, wanted, best_s, start_s, end_s, mid_share, nadir
    )
    ends = [
        look_angles(*ephemeris.state_itrf(t + later), target, nadir)[0] for t in (start_s, end_s)
    ]
    sun = [sun_elevation(ephemeris.epoch, t + later, target, up) for t in (start_s, end_s)]
    speed = norm(inertial_velocity(r, v))
    return Opportunities(
        epoch=ephemeris.epoch,
        span_s=(math.nan, math.nan),  # `joined` knows it
        strips=(),
        opportunity_id=_ids(satellite.name, wanted.strip, orbit, v[:, 2] > 0),
        satellite=np.full(n, satellite.name, dtype=object),
        request=np.array([requests[i].name for i in wanted.request], dtype=object),
        strip=np.array(wanted.strip, dtype=object),
        start_s=start_s,
        end_s=end_s,
        best_s=best_s,
        sigma_s=_along_sigma_m(satellite, ephemeris, at) / speed,
        orbit=orbit.astype(np.int64),
        anx_offset_s=anx_offset - later,
        ascending=v[:, 2] > 0,
        off_nadir_rad=look.off_nadir_rad,
        roll_rad=look.roll_rad,
        pitch_rad=look.pitch_rad,
        incidence_rad=look.incidence_rad,
        azimuth_rad=look.azimuth_rad,
        sun_elevation_rad=look.sun_elevation_rad,
        sun_azimuth_rad=sun_azimuth(ephemeris.epoch, at, target, up),
        gsd_along_m=look.gsd_along_m,
        gsd_across_m=look.gsd_across_m,
        off_nadir_start_rad=ends[0],
        off_nadir_end_rad=ends[1],
        sun_elevation_start_rad=sun[0],
        sun_elevation_end_rad=sun[1],
        line=wanted.line,
        scan_s=wanted.scan_s,
        scan_heading_rad=azimuth_angle(wanted.line.tangent(half), up),
        width_m=wanted.width_m,
        line_period_s=line_period_s,
        data_bit=wanted.scan_s / line_period_s * satellite.camera.bits_per_pan_line(),
        plan_start_s=plan_start,
        plan_end_s=plan_end,
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


def _ids(satellite: str, strip: list[str], orbit: FloatArray, ascending: BoolArray) -> Any:
    """`satellite:strip:orbit` and `a` or `d`; a second window of one pass gets `.2`."""
    seen: dict[str, int] = {}
    names = []
    for name, number, up in zip(strip, orbit, ascending, strict=True):
        plain = f"{satellite}:{name}:{int(number)}{'a' if up else 'd'}"
        seen[plain] = seen.get(plain, 0) + 1
        names.append(plain if seen[plain] == 1 else f"{plain}.{seen[plain]}")
    return np.array(names, dtype=object)


def _plan_windows(
    satellite: Satellite,
    ephemeris: Ephemeris,
    requests: Sequence[Request],
    wanted: _Wanted,
    best_s: FloatArray,
    start_s: FloatArray,
    end_s: FloatArray,
    mid_share: float,
    nadir: Nadir,
) -> tuple[FloatArray, FloatArray]:
    """Start times of a whole sweep with three sigma to spare; NaN where none is left.

    Pointing takes from the angles; the orbit's error along the track takes from both ends in
    time, and from the angles what the Earth turns meanwhile.
    """
    n = len(best_s)
    plan_start, plan_end = np.full(n, np.nan), np.full(n, np.nan)
    if not n:
        return plan_start, plan_end
    half = np.full(n, 0.5)
    target, up = wanted.line.place(half), wanted.line.normal(half)
    r, v = ephemeris.state_itrf(best_s + mid_share * wanted.scan_s)
    along_m = SIGMAS * _along_sigma_m(satellite, ephemeris, best_s)
    trim_s = along_m / norm(inertial_velocity(r, v))
    # A satellite that runs early or late meets an Earth turned a little less or more: the place
    # then lies to the side by as much as the ground moves in that time.
    aside_m = trim_s * EARTH_SURFACE_SPEED_M_S * np.hypot(up[:, 0], up[:, 1])
    aside_rad = aside_m / (norm(r) - norm(target))
    places = places_of(satellite, [requests[i] for i in wanted.request], target, up)
    places = places.tightened(SIGMAS * satellite.pointing_sigma_rad + aside_rad)
    row, begin, finish = start_spans(
        ephemeris, wanted.line, places, wanted.mid_s, wanted.scan_s, nadir
    )
    to_start = (0.5 - mid_share) * wanted.scan_s  # a point's window is that of its middle line
    begin = np.maximum(begin + trim_s[row], start_s[row] - to_start[row])
    finish = np.minimum(finish - trim_s[row], end_s[row] - to_start[row])
    begin = np.maximum(begin, wanted.low_s[row])
    finish = np.minimum(finish, (wanted.high_s - wanted.scan_s)[row])
    for i, low, high in zip(row, begin, finish, strict=True):
        if high > low and not (high - low <= plan_end[i] - plan_start[i]):
            plan_start[i], plan_end[i] = low, high
    return plan_start, plan_end
