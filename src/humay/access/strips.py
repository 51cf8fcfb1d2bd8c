"""Areas cut into strips that one pass can image, along the track, one usable swath wide.

The area is drawn on a gnomonic plane of ellipsoid normals, where the great circles that strips
follow are straight lines. Radii are taken on the safe side, so that neighbours overlap by a little
more than asked, never less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from humay.access.lines import MEAN_RADIUS_M, GroundLine
from humay.arrays import FloatArray, cross, unit
from humay.earth import ellipsoid_normal
from humay.errors import AccessError
from humay.mission import HeightModel, Request

LARGEST_RADIUS_M = 6_400_000.0  # of curvature, anywhere on WGS84: a given angle is at most this far
LONGEST_STRIP_M = 300_000.0
LARGEST_AREA_RAD = math.radians(40.0)
OVERLAP = 0.02  # of the usable swath, between neighbours
MOST_BANDS = 100
LINE_WIDTH_M = 100.0  # a LineString is imaged as a corridor this wide
_EDGE_STEP_DEG = 0.25
_HEIGHT_STEP_M = 10_000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """One sweep: its ground line, the width it covers, and its share of the request."""

    name: str
    request: str
    line: GroundLine
    width_m: float
    share: float


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalPlane:
    """Gnomonic plane (rad) touching at the unit normal `origin`, y to the right of x."""

    origin: FloatArray
    x_axis: FloatArray

    @property
    def y_axis(self) -> FloatArray:
        return cross(self.x_axis, self.origin)

    def project(self, normals: FloatArray) -> FloatArray:
        """Plane coordinates (n, 2) of unit normals (n, 3); refuses what lies over 80 deg away."""
        height = normals @ self.origin
        if np.any(height < math.cos(math.radians(80))):
            raise AccessError(
                "an area reaches over 80 deg from its middle, cut it into smaller ones"
            )
        return np.stack([normals @ self.x_axis, normals @ self.y_axis], axis=-1) / height[:, None]

    def normal(self, xy: FloatArray) -> FloatArray:
        """Unit normals (n, 3) of plane points (n, 2)."""
        return unit(self.origin + xy[:, :1] * self.x_axis + xy[:, 1:] * self.y_axis)


def centre_of(request: Request) -> FloatArray:
    """A unit normal in the middle of a request: the mean direction of its outline."""
    middle = np.mean(np.concatenate([_normals(ring) for ring, _ in _parts(request)]), axis=0)
    if np.linalg.norm(middle) < math.cos(LARGEST_AREA_RAD):
        raise AccessError(
            f"request {request.name!r}: the area is larger than"
            f" {math.degrees(LARGEST_AREA_RAD):g} deg in radius, cut it into smaller ones"
        )
    return unit(middle)


def largest_skew_m(swath_m: float, tan_incidence: float) -> float:
    """How far, at most, the end of a line lies ahead of or behind its middle, along the strip.

    A line of detectors at right angles to the image motion is drawn askew on the ground when the
    look is oblique both along and across: for half a swath s at right angles to the look, by
    s sin(a) sin(b) / cos(i), with a and b the incidence along and across. At the limit i the
    product is largest where they are equal, sin(i)^2 / 2; the swath grows by 1 / cos(i) on the way.
    """
    incidence = math.atan(tan_incidence)
    grown = 0.5 * swath_m / math.cos(incidence)
    return grown * math.sin(incidence) ** 2 / (2 * math.cos(incidence))


def _parts(request: Request) -> list[tuple[FloatArray, list[FloatArray]]]:
    """Outlines of a request as (ring or line, holes), (n, 2) lon_deg, lat_deg."""
    if request.kind == "point":
        return [(np.array([[request.geometry.x, request.geometry.y]]), [])]
    if request.kind == "line":
        return [(request.densified_line_lonlat(_EDGE_STEP_DEG), [])]
    return request.densified_lonlat(_EDGE_STEP_DEG)


def cut_into_strips(
    request: Request,
    *,
    heading: FloatArray,
    swath_m: float,
    extension_m: float,
    tan_incidence: float,
    heights: HeightModel,
) -> list[Strip]:
    """Strips that together cover `request`, each along `heading` (an ITRF vector at its centre).

    `swath_m` is what the narrowest look surely covers on flat ground; relief takes away what a
    wrong height shifts the line at `tan_incidence`. Each strip is lengthened at both ends by
    `extension_m` for what is uncertain along the track, and for the skew of its lines. Shares are
    of the area on the plane and sum up to 1.
    """
    origin = centre_of(request)
    plane = LocalPlane(origin=origin, x_axis=unit(heading - (heading @ origin) * origin))
    area = _drawn(request, plane)
    relief_m = _relief(area, plane, heights, request)
    if swath_m <= 0:
        raise AccessError(
            "three sigma of orbit and pointing leave nothing of the swath over this span, expected"
            " newer elements or a shorter span"
        )
    width_m = swath_m - 2 * relief_m * tan_incidence
    if width_m < 0.2 * swath_m:
        raise AccessError(
            f"request {request.name!r}: relief of {relief_m:.0f} m and uncertainty leave"
            f" {width_m:.0f} m of the swath of {swath_m:.0f} m, expected a fifth at least"
        )
    extension_m += largest_skew_m(swath_m, tan_incidence)
    spacing = width_m / LARGEST_RADIUS_M * (1 - OVERLAP)
    low, high = area.bounds[1], area.bounds[3]
    if (high - low) / spacing > MOST_BANDS:
        raise AccessError(
            f"request {request.name!r}: {math.ceil((high - low) / spacing)} swaths lie side by side"
            f" in it, expected at most {MOST_BANDS}: cut it into smaller areas"
        )
    pieces = _bands(area, spacing)
    total = sum(piece.area for piece, _ in pieces)
    return [
        Strip(
            name=f"{request.name}/{number:02d}",
            request=request.name,
            line=_line(piece, y, plane, extension_m, heights, request),
            width_m=width_m,
            share=piece.area / total,
        )
        for number, (piece, y) in enumerate(pieces, start=1)
    ]


def _drawn(request: Request, plane: LocalPlane) -> BaseGeometry:
    parts = []
    for ring, holes in _parts(request):
        drawn = [plane.project(_normals(points)) for points in (ring, *holes)]
        if request.kind == "line":
            parts.append(shapely.LineString(drawn[0]).buffer(0.5 * LINE_WIDTH_M / MEAN_RADIUS_M))
        else:
            parts.append(shapely.make_valid(Polygon(drawn[0], drawn[1:])))
    return shapely.union_all(parts)


def _normals(lonlat_deg: FloatArray) -> FloatArray:
    lon, lat = np.radians(lonlat_deg).T
    return ellipsoid_normal(lon, lat)


def _relief(area: BaseGeometry, plane: LocalPlane, heights: HeightModel, request: Request) -> float:
    """The range of heights over the area: how far ground may lie from the heights of a strip."""
    if request.height_m is not None:
        return 0.0
    x0, y0, x1, y1 = area.bounds
    step = _HEIGHT_STEP_M / MEAN_RADIUS_M
    x, y = np.meshgrid(_steps(x0, x1, step), _steps(y0, y1, step))
    found = _heights(plane.normal(np.stack([x.ravel(), y.ravel()], axis=-1)), heights)
    return float(np.ptp(found))


def _steps(low: float, high: float, step: float) -> FloatArray:
    return np.linspace(low, high, min(200, max(2, math.ceil((high - low) / step) + 1)))


def _heights(normals: FloatArray, heights: HeightModel) -> FloatArray:
    lon, lat = np.arctan2(normals[:, 1], normals[:, 0]), np.arcsin(np.clip(normals[:, 2], -1, 1))
    return heights.ellipsoidal_m(lon, lat)


def _bands(area: BaseGeometry, spacing: float) -> list[tuple[Polygon | MultiPolygon, float]]:
    """The area in bands of constant y, each cut where it is empty or too long; (piece, mid y)."""
    x0, y0, x1, y1 = area.bounds
    count = max(1, math.ceil((y1 - y0) / spacing))
    middle = 0.5 * (y0 + y1)
    longest = LONGEST_STRIP_M / LARGEST_RADIUS_M
    pieces: list[tuple[Polygon | MultiPolygon, float]] = []
    for band in range(count):
        y = middle + (band - 0.5 * (count - 1)) * spacing
        inside = area.intersection(shapely.box(x0, y - spacing / 2, x1, y + spacing / 2))
        for low, high in _stretches(inside, gap=spacing):
            cuts = np.linspace(low, high, max(1, math.ceil((high - low) / longest)) + 1)
            for left, right in pairwise(cuts):
                box = shapely.box(left, y - spacing, right, y + spacing)
                piece = inside.intersection(box)
                if piece.area > 0:
                    pieces.append((piece, y))
    return pieces


def _stretches(inside: BaseGeometry, gap: float) -> list[tuple[float, float]]:
    """Intervals of x that hold parts of the area, joined where the gap is less than a swath."""
    parts = [part for part in shapely.get_parts(inside) if part.area > 0]
    found: list[tuple[float, float]] = []
    for low, high in sorted((part.bounds[0], part.bounds[2]) for part in parts):
        if found and low - found[-1][1] < gap:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _line(
    piece: BaseGeometry, y: float, plane: LocalPlane, extension_m: float,
    heights: HeightModel, request: Request,
) -> GroundLine:  # fmt: skip
    low, _, high, _ = piece.bounds
    ends = plane.normal(np.array([[low, y], [high, y]]))
    tight = GroundLine(normals=ends, heights_m=np.zeros(2))
    more = extension_m / float(tight.length_m)
    ends = np.stack([tight.normal(np.array(share)) for share in (-more, 1 + more)])
    flat = GroundLine(normals=ends, heights_m=np.zeros(2))
    if request.height_m is not None:
        return GroundLine(normals=ends, heights_m=np.full(2, request.height_m))
    share = _steps(0.0, 1.0, _HEIGHT_STEP_M / max(float(flat.length_m), 1.0))
    slope, level = np.polyfit(share, _heights(_spread(flat, share), heights), 1)
    return GroundLine(normals=ends, heights_m=np.array([level, level + slope]))


def _spread(line: GroundLine, share: FloatArray) -> FloatArray:
    """Normals (n, 3) at many shares of one line."""
    many = GroundLine(
        normals=np.broadcast_to(line.normals, (len(share), 2, 3)),
        heights_m=np.broadcast_to(line.heights_m, (len(share), 2)),
    )
    return many.normal(share)
