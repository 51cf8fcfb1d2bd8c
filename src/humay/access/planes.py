"""Areas drawn on gnomonic planes of ellipsoid normals, all at once.

On the plane that touches at the middle of an area every great circle of normals is a straight line,
so that strips are bands and an area is cut by plane geometry. Nothing here depends on which other
areas are drawn beside: every number is worked out element by element.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from humay.access.lines import MEAN_RADIUS_M
from humay.arrays import FloatArray, IntArray, cross, dot, norm, unit
from humay.earth import ellipsoid_normal
from humay.errors import AccessError
from humay.mission import Request

Shapes: TypeAlias = NDArray[np.object_]

LARGEST_AREA_RAD = math.radians(40.0)
LINE_WIDTH_M = 100.0  # a LineString is imaged as a corridor this wide
THINNEST_RAD = 1e-10  # 0.6 mm: what is thinner is left by rounding
_EDGE_STEP_DEG = 0.1  # an edge along a parallel is within 1.5 m of its chord
_SAME_RAD = 1e-12
_LOST = 1e-6  # of an area: far more than points along its edges round off


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """Areas (n,) on their planes (rad), each touching at its unit normal `origin` (n, 3).

    x runs along `x_axis` (n, 3), y to the right of it.
    """

    name: list[str]
    height_m: FloatArray
    origin: FloatArray
    x_axis: FloatArray
    shape: Shapes

    def normal(self, which: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
        """Unit normals (m, 3) of places (m,) on the planes `which` (m,)."""
        origin, x_axis = self.origin[which], self.x_axis[which]
        return unit(origin + x[:, None] * x_axis + y[:, None] * cross(x_axis, origin))


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlines:
    """Requests (n,) as they are asked for: shapes in degrees with points along their edges, the
    normals (m, 3) of all their points and whose they are, and a unit normal in each middle."""

    name: list[str]
    height_m: FloatArray
    is_line: NDArray[np.bool_]
    shape: Shapes
    owner: IntArray
    normals: FloatArray
    middle: FloatArray

    def drawn(self, x_axis: FloatArray) -> Drawn:
        """The same on planes whose x runs along `x_axis` (n, 3) as far as it is level."""
        level = x_axis - dot(x_axis, self.middle)[:, None] * self.middle
        planes = Drawn(
            name=self.name, height_m=self.height_m, origin=self.middle, x_axis=unit(level),
            shape=self.shape,
        )  # fmt: skip
        xy = _on_plane(self.normals, planes.origin[self.owner], planes.x_axis[self.owner])
        shape = shapely.set_coordinates(self.shape.copy(), xy)
        lines = self.is_line
        shape[lines] = shapely.buffer(shape[lines], 0.5 * LINE_WIDTH_M / MEAN_RADIUS_M, quad_segs=4)
        shape = polygons_only(_mended(shapely.remove_repeated_points(shape, _SAME_RAD)))
        return Drawn(**(vars(planes) | {"shape": shape}))


def outlines(requests: Sequence[Request], shapes: Sequence[Any]) -> Outlines:
    """Requests with the shapes (degrees, longitudes unwrapped) that are left of their geometries.

    Raises `AccessError` for one that reaches over 40 deg from its middle.
    """
    given = np.empty(len(shapes), dtype=object)
    given[:] = shapes
    shape = with_points(_mended(given), _EDGE_STEP_DEG)
    lonlat_deg, owner = shapely.get_coordinates(shape, return_index=True)
    normals = ellipsoid_normal(*np.radians(lonlat_deg).T)
    return Outlines(
        name=[request.name for request in requests],
        height_m=np.array([_or_nan(request.height_m) for request in requests], dtype=np.float64),
        is_line=np.array([request.kind == "line" for request in requests], dtype=bool),
        shape=shape,
        owner=owner,
        normals=normals,
        middle=_middles([request.name for request in requests], shape, owner, normals),
    )


def centre_of(request: Request) -> FloatArray:
    """A unit normal in the middle of a request: the centroid of what is asked for."""
    return np.asarray(outlines([request], [request.geometry]).middle[0])


def polygons_only(shape: Shapes) -> Shapes:
    """Shapes without the lines and points that cutting and mending leave beside polygons."""
    kept = shape.copy()
    for i in np.flatnonzero(shapely.get_type_id(shape) == shapely.GeometryType.GEOMETRYCOLLECTION):
        parts = shapely.get_parts(shapely.get_parts(shape[i]))
        kept[i] = shapely.multipolygons(parts[shapely.get_dimensions(parts) == 2])
    return kept


def with_points(shape: Shapes, step: float) -> Shapes:
    """Shapes (n,) with points along their edges, at most `step` apart.

    Two shores that lie a rounding apart may cross once they have points. GEOS then rebuilds the
    polygon (`Densifier::createValidArea`, a buffer of 0) and may keep but one side of it, half of
    the area and less. Such shapes are made ring by ring; where shores then cross is for `_mended`.
    """
    dense: Shapes = shapely.segmentize(shape, step)
    size = shapely.area(shape)
    for i in np.flatnonzero(np.abs(shapely.area(dense) - size) > _LOST * size):
        parts = shapely.get_parts(shapely.get_parts(shape[i]))
        rings = [
            shapely.segmentize(shapely.get_rings(part), step)
            for part in parts[shapely.get_dimensions(parts) == 2]
        ]
        dense[i] = shapely.multipolygons([shapely.polygons(r[0], r[1:]) for r in rings])
    return dense


def _mended(shape: Shapes) -> Shapes:
    """Shapes whose rings do not cross: a bow-tie is both its halves."""
    mended, faulty = shape.copy(), ~shapely.is_valid(shape)
    mended[faulty] = shapely.make_valid(shape[faulty])
    return mended


def _middles(
    names: Sequence[str], shape: Shapes, owner: IntArray, normals: FloatArray
) -> FloatArray:
    """Centroids (n, 3), found on planes that touch at the mean of each outline's points."""
    n = len(names)
    count = np.bincount(owner, minlength=n)[:, None]
    total = np.stack([np.bincount(owner, normals[:, k], minlength=n) for k in range(3)], axis=-1)
    mean: FloatArray = total / count
    _refuse_large(names, np.arccos(np.minimum(norm(mean), 1.0)))
    first = unit(mean)
    x_axis = unit(cross(np.eye(3)[np.argmin(np.abs(first), axis=-1)], first))
    apart = _farthest(first, owner, normals)
    _refuse_large(names, 0.5 * apart)
    centroid = shapely.centroid(
        shapely.set_coordinates(shape.copy(), _on_plane(normals, first[owner], x_axis[owner]))
    )
    x, y = shapely.get_x(centroid)[:, None], shapely.get_y(centroid)[:, None]
    middle = unit(first + x * x_axis + y * cross(x_axis, first))
    _refuse_large(names, _farthest(middle, owner, normals))
    return middle


def _farthest(middle: FloatArray, owner: IntArray, normals: FloatArray) -> FloatArray:
    """Largest angles (n,) from the middles (n, 3) to points of their outlines."""
    least = np.ones(len(middle))
    np.minimum.at(least, owner, dot(normals, middle[owner]))
    return np.arccos(np.clip(least, -1, 1))


def _refuse_large(names: Sequence[str], radius_rad: FloatArray) -> None:
    for i in np.flatnonzero(~(radius_rad <= LARGEST_AREA_RAD))[:1]:
        raise AccessError(
            f"request {names[i]!r}: reaches over {math.degrees(float(radius_rad[i])):.0f} deg from"
            f" its middle, expected at most {math.degrees(LARGEST_AREA_RAD):g}: cut it into smaller"
            " areas"
        )


def _on_plane(normals: FloatArray, origin: FloatArray, x_axis: FloatArray) -> FloatArray:
    height = dot(normals, origin)
    sides = [dot(normals, axis) / height for axis in (x_axis, cross(x_axis, origin))]
    return np.stack(sides, axis=-1)


def _or_nan(height_m: float | None) -> float:
    return math.nan if height_m is None else height_m
