"""Code `coverage`: strips make up their request, and what is imaged of it is what counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from humay.arrays import FloatArray, norm, unit
from humay.check.aim import LONGEST_RAD, SHORTEST_RAD, CentreLine
from humay.check.case import Case, Json
from humay.check.violations import Violation
from humay.check.worth import imaged_share
from humay.earth import (
    WGS84_A_M,
    WGS84_E2,
    ellipsoid_normal,
    itrf_from_geodetic,
)
from humay.mission import HeightError, Request

SHARE_TOLERANCE = 1e-6
PARTITION_TOLERANCE = 0.02  # absolute
COVERED_AT_LEAST = 0.999
SERVED_AT_LEAST = 0.999999
POINT_TOLERANCE_M = 1.0
HEIGHT_TOLERANCE_M = 50.0
EDGE_STEP_DEG = 0.05
EDGE_POINTS = 65  # along each side of a strip
TURNS_DEG = (-720.0, -360.0, 0.0, 360.0, 720.0)  # longitudes are unwrapped, each in its own way
VALUE_TOLERANCE = 1e-6


def check_coverage(case: Case) -> Iterator[Violation]:
    """[coverage] Strips, shares, outcomes and values of every request."""
    known = {request.name: request for request in case.requests}
    for entry in case.plan["requests"]:
        request = known.get(entry["name"])
        if request is not None:
            yield from _outcome(case, request, entry)
            yield from _strips(case, request, entry)
    for acquisition in case.acquisitions:
        yield from _value(case, acquisition.request, acquisition.entry)


# ---------------------------------------------------------------- outcome and value


def _outcome(case: Case, request: Request, entry: Json) -> Iterator[Violation]:
    where = f"request {request.name!r}"
    imaged = imaged_share(case, request, entry)
    if abs(entry["fraction"] - imaged) > SHARE_TOLERANCE:
        message = f"fraction is {entry['fraction']:.6f}, expected {imaged:.6f}, what is imaged"
        yield case.at("coverage", where, message)
    outcome = "served" if imaged >= SERVED_AT_LEAST else "partly" if imaged > 0 else "left out"
    if entry["outcome"] != outcome:
        message = f"outcome is {entry['outcome']!r}, expected {outcome!r} with {imaged:.6f} imaged"
        yield case.at("coverage", where, message)
    if (entry["reason"] is None) != (outcome == "served"):
        found = "no reason" if entry["reason"] is None else "a reason"
        expected = "none" if outcome == "served" else "one"
        message = f"{found} found, expected {expected} for a request that is {outcome}"
        yield case.at("coverage", where, message)


def _value(case: Case, request: Request, entry: Json) -> Iterator[Violation]:
    shares = [
        strip["share"]
        for wanted in case.plan["requests"]
        if wanted["name"] == request.name
        for strip in wanted["strips"]
        if strip["id"] == entry["strip"]
    ]
    if not shares:
        return  # already a violation `span`
    looks = 1 if request.stereo is None else request.stereo.looks
    looks = looks if request.repeat is None else request.repeat.count
    expected = request.worth * shares[0] / looks
    if abs(entry["value"] - expected) > VALUE_TOLERANCE * max(1.0, expected):
        yield case.at(
            "coverage",
            f"acquisition {entry['id']!r}",
            f"value is {entry['value']:.6f}, expected {expected:.6f}: worth {request.worth:g} x"
            f" share {shares[0]:.6f} / {looks} looks asked for",
            case.clock.seconds(entry["start"]),
        )


# ---------------------------------------------------------------- strips


def _strips(case: Case, request: Request, entry: Json) -> Iterator[Violation]:
    where = f"request {request.name!r}"
    strips = entry["strips"]
    total = sum(strip["share"] for strip in strips)
    if strips and abs(total - 1) > SHARE_TOLERANCE:
        yield case.at("coverage", where, f"shares sum up to {total:.6f}, expected 1")
    # What is never in reach has no direction to cut it in: no strips, or none that lie anywhere.
    placed = [s for s in strips if s["centre_line"] is not None and s["width_m"] is not None]
    if not placed and entry["outcome"] != "left out":
        yield case.at("coverage", where, "has no strip anywhere, expected some unless left out")
    if placed and len(placed) < len(strips):
        missing = len(strips) - len(placed)
        message = f"{missing} of {len(strips)} strips lie nowhere, expected all or none of them"
        yield case.at("coverage", where, message)
    if not placed or len(placed) < len(strips):
        return
    lines = [CentreLine.from_places(strip["centre_line"]) for strip in strips]
    bad = [s["id"] for s, n in zip(strips, lines, strict=True)
           if not SHORTEST_RAD < n.angle_rad < LONGEST_RAD]  # fmt: skip
    if bad:
        message = f"centre line of strip {bad[0]!r} has no length or is over 6,400 km long"
        yield case.at("coverage", where, message)
        return
    widths_m = [float(strip["width_m"]) for strip in strips]
    if request.kind == "point":
        yield from _point(case, request, strips, lines)
    else:
        yield from _heights(case, request, strips, lines, widths_m)
        yield from _partition(case, request, strips, lines, widths_m)


def _point(
    case: Case, request: Request, strips: Sequence[Json], lines: Sequence[CentreLine]
) -> Iterator[Violation]:
    where = f"request {request.name!r}"
    if len(strips) != 1:
        yield case.at("coverage", where, f"is a point with {len(strips)} strips, expected 1")
    lon, lat = np.radians([request.geometry.x, request.geometry.y])
    place = itrf_from_geodetic(lon, lat, np.array(request.height_m))
    for strip, line in zip(strips, lines, strict=True):
        off_m = _distance_m(line, place)
        if not off_m <= POINT_TOLERANCE_M:
            yield case.at(
                "coverage",
                where,
                f"centre line of strip {strip['id']!r} passes {off_m:.2f} m from the point at"
                f" {request.height_m:.1f} m, expected at most {POINT_TOLERANCE_M:g} m",
            )


def _distance_m(line: CentreLine, place: FloatArray) -> float:
    """Distance of a place (3,) from the aim points: the nearest, then along the tangent.

    Where the middle of the line is near enough, as it is in a good plan, that decides.
    """
    middle_m = float(norm(line.points(np.array(0.5))[0] - place))
    if middle_m <= POINT_TOLERANCE_M:
        return middle_m
    f = np.linspace(0.0, 1.0, 101)
    nearest = f[np.argmin(norm(line.points(f)[0] - place))]
    for _ in range(4):
        at, along = line.points(nearest)
        nearest = np.clip(nearest - (at - place) @ along / (along @ along), 0.0, 1.0)
    return float(norm(line.points(nearest)[0] - place))


def _heights(
    case: Case,
    request: Request,
    strips: Sequence[Json],
    lines: Sequence[CentreLine],
    widths_m: Sequence[float],
) -> Iterator[Violation]:
    """Strips run at the height of the ground under them, or at the one the request states.

    A straight line through rough ground may leave its heights at the ends, by as much again as they
    differ, but not in the middle.
    """
    for strip, line, width_m in zip(strips, lines, widths_m, strict=True):
        where = f"strip {strip['id']!r} of request {request.name!r}"
        if request.height_m is not None:
            low, high = request.height_m, request.height_m
        else:
            lon, lat = _lonlat_of(footprint(line, width_m, rows=5))
            try:
                ground = case.mission.heights.ellipsoidal_m(lon, lat)
            except HeightError as error:
                yield case.at("coverage", where, f"no height is known under it: {error}")
                continue
            low, high = float(ground.min()), float(ground.max())
        slack, spread = HEIGHT_TOLERANCE_M, high - low
        for name, found, more in (
            ("A", line.heights_m[0], spread),
            ("its middle", line.heights_m.mean(), 0.0),
            ("B", line.heights_m[1], spread),
        ):
            if not low - more - slack <= found <= high + more + slack:
                yield case.at(
                    "coverage",
                    where,
                    f"height at {name} is {found:.0f} m, expected that of the ground,"
                    f" {low:.0f} to {high:.0f} m",
                )


def _lonlat_of(normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Longitudes and latitudes (n,) in radians of normals (..., 3)."""
    x, y, z = normals.reshape(-1, 3).T
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))


# ---------------------------------------------------------------- areas and lines


def footprint(line: CentreLine, width_m: float, *, rows: int = 2) -> FloatArray:
    """Normals (rows, n, 3) of a strip from its left to its right side, `width_m` apart.

    The side lies at right angles to the great circle of the normals; metres become angles by the
    ellipsoid's radius of curvature in that direction (Euler: 1/R = cos2/M + sin2/N) and the height.
    """
    f = np.linspace(0.0, 1.0, EDGE_POINTS)
    normal, ahead = line.normals(f)
    side = unit(np.cross(normal, ahead))
    bulge = 1 - WGS84_E2 * normal[:, 2] ** 2
    prime_m = WGS84_A_M / np.sqrt(bulge)
    meridian_m = prime_m * (1 - WGS84_E2) / bulge
    # The part of `side` towards north: only z has a component along it beyond the normal's.
    cosine = np.maximum(1 - normal[:, 2] ** 2, 1e-18)
    north2 = np.minimum(side[:, 2] ** 2 / cosine, 1.0)
    radius_m = 1 / (north2 / meridian_m + (1 - north2) / prime_m) + line.heights(f)
    half = np.minimum(width_m / 2 / radius_m, math.pi / 4)
    turns = np.linspace(1.0, -1.0, rows)[:, None, None] * half[None, :, None]
    return np.asarray(np.cos(turns) * normal + np.sin(turns) * side)


class LocalMap:
    """Lambert's azimuthal equal-area projection of normals about a centre, in radians of normal.

    J. P. Snyder, Map Projections, USGS 1395, p. 185: true in area on the sphere of normals, so
    shares are true but for the ellipsoid's 0.7 %, which is alike over one request.
    """

    def __init__(self, centre: FloatArray) -> None:
        self.centre = unit(centre)
        least = np.eye(3)[np.argmin(np.abs(self.centre))]
        self.right = unit(np.cross(least, self.centre))
        self.up = np.cross(self.centre, self.right)

    def project(self, normals: FloatArray) -> FloatArray:
        """Places (..., 2) of normals (..., 3); the antipode of the centre has none."""
        scale = np.sqrt(2 / np.maximum(1 + normals @ self.centre, 1e-9))
        return np.stack([scale * (normals @ self.right), scale * (normals @ self.up)], axis=-1)


def _normals(lonlat_deg: FloatArray) -> FloatArray:
    lon, lat = np.radians(lonlat_deg).T
    return ellipsoid_normal(lon, lat)


def _partition(
    case: Case,
    request: Request,
    strips: Sequence[Json],
    lines: Sequence[CentreLine],
    widths_m: Sequence[float],
) -> Iterator[Violation]:
    """Strips cover the request; a share lies between what its strip alone and in all covers."""
    where = f"request {request.name!r}"
    local, wanted = _wanted(request)
    wanted = shapely.difference(wanted, _excluded(request, case.mission.exclusions, local))
    if wanted.is_empty:
        yield case.at("coverage", where, "has strips in excluded areas, expected none")
        return
    covers = [_cover(local, line, width) for line, width in zip(lines, widths_m, strict=True)]
    whole = _size(wanted)
    covered = _size(shapely.intersection(wanted, shapely.union_all(covers))) / whole
    if covered < COVERED_AT_LEAST:
        message = f"strips cover {covered:.4%} of it, expected at least {COVERED_AT_LEAST:.1%}"
        yield case.at("coverage", where, message)
    tree = shapely.STRtree(covers)
    for index, (strip, cover) in enumerate(zip(strips, covers, strict=True)):
        others = shapely.union_all([covers[i] for i in tree.query(cover) if i != index])
        own = shapely.intersection(wanted, cover)
        most = _size(own) / whole
        least = _size(shapely.difference(own, others)) / whole
        slack = PARTITION_TOLERANCE
        if not least - slack <= strip["share"] <= most + slack:
            yield case.at(
                "coverage",
                where,
                f"share of strip {strip['id']!r} is {strip['share']:.4f}, expected {least:.4f}"
                f" (what only it covers) to {most:.4f} (all it covers) within {slack:g}",
            )


def _size(shape: BaseGeometry) -> float:
    """Area, or length where there is no area."""
    return float(shape.area or shape.length)


def _wanted(request: Request) -> tuple[LocalMap, BaseGeometry]:
    """A map about a request, and the request's area or line on it.

    Rings round a pole touch themselves on the map, hence `make_valid`.
    """
    if request.kind == "line":
        normals = _normals(request.densified_line_lonlat(EDGE_STEP_DEG))
        local = _map_about([normals])
        return local, LineString(local.project(normals))
    local = _map_about([exterior for exterior, *_ in _rings(request)])
    return local, _drawn(request, local)


def _rings(area: Request) -> list[list[FloatArray]]:
    """Normals (n, 3) along the outline of each part of an area, and along its holes."""
    return [
        [_normals(ring) for ring in (exterior, *holes)]
        for exterior, holes in area.densified_lonlat(EDGE_STEP_DEG)
    ]


def _drawn(area: Request, local: LocalMap) -> BaseGeometry:
    parts = []
    for part in _rings(area):
        solid = [shapely.make_valid(Polygon(local.project(ring))) for ring in part]
        parts.append(shapely.difference(solid[0], shapely.union_all(solid[1:])))
    return _polygonal(shapely.union_all(parts))


def _excluded(
    request: Request, exclusions: Sequence[BaseGeometry], local: LocalMap
) -> BaseGeometry:
    """What is never imaged of a request, on its map. Longitudes may differ by whole turns."""
    box = shapely.box(*request.geometry.bounds).buffer(EDGE_STEP_DEG)
    pieces = [
        _polygonal(shapely.intersection(translate(area, turn), box))
        for area in exclusions
        for turn in TURNS_DEG
    ]
    drawn = [
        _drawn(replace(request, kind="area", geometry=piece), local)
        for piece in pieces
        if not piece.is_empty
    ]
    return shapely.union_all(drawn) if drawn else Polygon()


def _map_about(normals: Sequence[FloatArray]) -> LocalMap:
    middle = np.concatenate(list(normals)).mean(axis=0)
    return LocalMap(middle if norm(middle) > 1e-3 else np.array([0.0, 0.0, 1.0]))


def _cover(local: LocalMap, line: CentreLine, width_m: float) -> BaseGeometry:
    """A strip's footprint on the map."""
    left, right = local.project(footprint(line, width_m))
    return _polygonal(shapely.make_valid(Polygon(np.vstack([left, right[::-1]]))))


def _polygonal(shape: BaseGeometry) -> BaseGeometry:
    """Only what has an area."""
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    return shapely.union_all(parts) if parts else Polygon()
