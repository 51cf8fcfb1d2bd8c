"""Geometries out of parsed GeoJSON (RFC 7946): strict, with the place of every fault."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from shapely.geometry import Point

from humay.arrays import FloatArray
from humay.mission import lonlat
from humay.mission.kinds import Number, Place, shown

RequestKind: TypeAlias = Literal["point", "line", "area"]

_LONGITUDE = Number(at_least=-180, at_most=360)
_AXES = (
    ("longitude", _LONGITUDE),
    ("latitude", Number(at_least=-90, at_most=90)),
    ("height", Number(at_least=-1000, at_most=10_000)),
)
_KINDS: dict[str, RequestKind] = {
    "Point": "point",
    "LineString": "line",
    "Polygon": "area",
    "MultiPolygon": "area",
}


def read_geometry(geometry: Any, place: Place) -> tuple[RequestKind, Any, float | None]:
    """Kind, shape and stated height of a GeoJSON geometry."""
    kind = geometry.get("type") if isinstance(geometry, dict) else geometry
    if not isinstance(geometry, dict) or kind not in tuple(_KINDS):
        place.refuse(
            f"geometry is {shown(kind)}, expected Point, LineString, Polygon or MultiPolygon"
        )
    found = geometry.get("coordinates")
    if kind == "Point":
        positions = _position(found, "coordinates", place)[None, :]
        shape: Any = Point(positions[0, :2])
    elif kind == "LineString":
        positions = _positions(found, "coordinates", place, at_least=2)
        shape = lonlat.line(positions[:, :2], place)
    else:
        polygons = [found] if kind == "Polygon" else _list(found, "coordinates", place)
        rings = [
            _rings(polygon, "coordinates" if kind == "Polygon" else f"coordinates[{i}]", place)
            for i, polygon in enumerate(polygons)
        ]
        positions = np.concatenate([ring for polygon in rings for ring in polygon])
        shape = lonlat.area([[ring[:, :2] for ring in polygon] for polygon in rings], place)
    return _KINDS[kind], shape, _stated_height_m(positions[:, 2], place)


def _rings(found: Any, spot: str, place: Place) -> list[FloatArray]:
    """The rings of one polygon, each (n, 3)."""
    rings = []
    for i, ring in enumerate(_list(found, spot, place)):
        positions = _positions(ring, f"{spot}[{i}]", place, at_least=4)
        if not np.array_equal(positions[0], positions[-1], equal_nan=True):
            place.refuse(
                f"ring {spot}[{i}] ends at {shown(ring[-1])}, expected its first position "
                f"{shown(ring[0])} again"
            )
        rings.append(positions)
    return rings


def _positions(found: Any, spot: str, place: Place, *, at_least: int) -> FloatArray:
    positions = _list(found, spot, place)
    if len(positions) < at_least:
        place.refuse(f"{spot} has {len(positions)} positions, expected at least {at_least}")
    return np.array([_position(p, f"{spot}[{i}]", place) for i, p in enumerate(positions)])


def _position(found: Any, spot: str, place: Place) -> FloatArray:
    """Longitude, latitude (deg) and height (m, NaN where none is written)."""
    if not isinstance(found, list) or len(found) not in (2, 3):
        place.refuse(f"{spot} is {shown(found)}, expected [longitude, latitude] or with a height")
    for value, (name, kind) in zip(found, _AXES, strict=False):
        if kind.holds(value, 1.0):
            continue
        swapped = name == "latitude" and _LONGITUDE.holds(value, 1.0)
        hint = ": are longitude and latitude swapped?" if swapped else ""
        place.refuse(f"{spot}: {name} is {shown(value)}, expected {kind.words}{hint}")
    return np.array([*found, np.nan][:3], dtype=np.float64)


def _list(found: Any, spot: str, place: Place) -> list[Any]:
    if not isinstance(found, list) or not found:
        place.refuse(f"{spot} is {shown(found)}, expected a list with something in it")
    return found


def _stated_height_m(height_m: FloatArray, place: Place) -> float | None:
    """The height the coordinates say: one for the whole shape, the mean of its corners."""
    known = np.isfinite(height_m)
    if not known.any():
        return None
    if not known.all():
        place.refuse("some positions have a height and others have none, expected all or none")
    return float(height_m.mean())
