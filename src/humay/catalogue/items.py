"""STAC items as the catalogue takes them in: checked once, then only looked up."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import shapely

from humay.catalogue.instants import microseconds
from humay.errors import CatalogueError

GEOMETRIES = (
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
    "GeometryCollection",
)  # fmt: skip

DEEPEST = 64
"""Objects and lists inside one another; items have about eight."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CatalogueItem:
    """A STAC item and the file it was read from; its relative hrefs count from that file.

    Made by `item_from_document`, which checks it, or by the catalogue, which holds checked ones.
    """

    document: Mapping[str, Any]
    location: Path | None = None

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def collection(self) -> str | None:
        name = self.document.get("collection")
        return None if name is None else str(name)

    @cached_property
    def shape(self) -> shapely.Geometry:
        """Its geometry in degrees, planar as RFC 7946 has it."""
        return shapely.from_geojson(json.dumps(self.document["geometry"]))

    @cached_property
    def span_us(self) -> tuple[int, int]:
        """First and last microsecond: its start and end, else its one instant."""
        properties = self.document["properties"]
        nominal = properties.get("datetime")
        return (
            microseconds(properties.get("start_datetime") or nominal),
            microseconds(properties.get("end_datetime") or nominal),
        )

    @property
    def nominal_us(self) -> int:
        """What it is sorted by: its datetime, else its start."""
        nominal = self.document["properties"].get("datetime")
        return self.span_us[0] if nominal is None else microseconds(nominal)

    @property
    def heights(self) -> tuple[float, float] | None:
        """Lowest and highest, if its bbox says so."""
        bbox = self.document["bbox"]
        return (float(bbox[2]), float(bbox[5])) if len(bbox) == 6 else None


Refuse: TypeAlias = Callable[[str], NoReturn]


def item_from_document(document: Any, *, where: str, location: Path | None = None) -> CatalogueItem:
    """Check a parsed STAC item (1.0 or 1.1). Raises `CatalogueError`, `where` begins its message.

    Checked is what finding and handing on rely on; JSON schemas of extensions are not. A geometry
    is wanted, valid and inside -180 to 180 and -90 to 90 degrees.
    """

    def refuse(what: str) -> NoReturn:
        raise CatalogueError(f"{where}: {what}")

    if not isinstance(document, dict) or document.get("type") != "Feature":
        kind = document.get("type") if isinstance(document, dict) else document
        refuse(f"type is {_shown(kind)}, expected a STAC item, a GeoJSON Feature")
    version = document.get("stac_version")
    if not (isinstance(version, str) and version.startswith("1.")):
        refuse(f"stac_version is {_shown(version)}, expected 1.0 or 1.1")
    _check_content(document, refuse)
    _check_names(document, refuse)
    _check_parts(document, refuse)
    _check_place(document, refuse)
    _check_time(document["properties"], refuse)
    return CatalogueItem(document=document, location=location)


def _check_names(document: Mapping[str, Any], refuse: Refuse) -> None:
    if not (isinstance(document.get("id"), str) and document["id"]):
        refuse(f"id is {_shown(document.get('id'))}, expected a text that is not empty")
    name = document.get("collection")
    if name is not None and not (isinstance(name, str) and name):
        refuse(f"collection is {_shown(name)}, expected a text that is not empty")


def _check_content(document: Mapping[str, Any], refuse: Refuse) -> None:
    """Whether it can be written again, and walked through."""
    layer: list[Any] = [document]
    for _ in range(DEEPEST):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if layer:
        refuse(f"is nested more than {DEEPEST} deep")
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        refuse(f"holds {error.object[error.start]!r}, half of a character")
    except ValueError as error:
        refuse(f"holds a number that is none: {error}")


def _check_parts(document: Mapping[str, Any], refuse: Refuse) -> None:
    if not isinstance(document.get("properties"), dict):
        refuse(f"properties is {_shown(document.get('properties'))}, expected an object")
    links, assets = document.get("links"), document.get("assets")
    if not isinstance(links, list) or not isinstance(assets, dict):
        refuse("expected links, a list, and assets, an object")
    named: list[tuple[str, Any, tuple[str, ...]]] = [
        (f"link {i}", link, ("href", "rel")) for i, link in enumerate(links)
    ]
    named += [(f"asset {key!r}", asset, ("href",)) for key, asset in assets.items()]
    for name, part, keys in named:
        if not isinstance(part, dict) or not all(isinstance(part.get(key), str) for key in keys):
            refuse(f"{name} is {_shown(part)}, expected an object with {' and '.join(keys)}")


def _check_place(document: Mapping[str, Any], refuse: Refuse) -> None:
    geometry, bbox = document.get("geometry"), document.get("bbox")
    if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRIES:
        refuse(f"geometry is {_shown(geometry)}, expected a GeoJSON geometry")
    if not (isinstance(bbox, list) and len(bbox) in (4, 6) and all(map(_is_number, bbox))):
        refuse(f"bbox is {_shown(bbox)}, expected 4 or 6 numbers")
    if len(bbox) == 6 and bbox[2] > bbox[5]:
        refuse(f"bbox is {_shown(bbox)}, expected the least height first")
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except shapely.GEOSException as error:
        refuse(f"geometry cannot be read: {str(error).splitlines()[0]:.120}")
    if shape.is_empty:
        refuse("geometry is empty")
    if not shape.is_valid:
        refuse(f"geometry is not valid: {shapely.is_valid_reason(shape)}")
    west, south, east, north = shape.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        refuse(
            f"geometry reaches from {west:g} to {east:g} and {south:g} to {north:g}, expected "
            "longitudes in -180 to 180 and latitudes in -90 to 90"
        )


def _check_time(properties: Mapping[str, Any], refuse: Refuse) -> None:
    if "datetime" not in properties:
        refuse("properties have no datetime, expected one or null")
    found = {}
    for name in ("datetime", "start_datetime", "end_datetime"):
        value = properties.get(name)
        if value is None:
            continue
        try:
            found[name] = microseconds(value if isinstance(value, str) else _shown(value))
        except ValueError as error:
            refuse(f"{name} {error}")
    ends = found.get("start_datetime"), found.get("end_datetime")
    if (ends[0] is None) != (ends[1] is None) or (ends[0] is None and "datetime" not in found):
        refuse("expected a datetime, or start_datetime and end_datetime, or all three")
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        refuse(f"ends {properties['end_datetime']}, before it starts")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _shown(value: Any) -> str:
    """A value in few words."""
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}..."
