"""Requests out of a parsed GeoJSON document (RFC 7946): strict, and without reading any file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from humay.errors import RequestError
from humay.mission.corridor import widened
from humay.mission.geometry import RequestKind, read_geometry
from humay.mission.heights import HeightError, HeightModel, HeightSource
from humay.mission.keys import Fields
from humay.mission.kinds import Place, shown
from humay.mission.request import REQUEST, Request


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """A request before its height is known. `where` begins every message about it."""

    where: str
    fields: Fields
    kind: RequestKind
    geometry: Point | LineString | Polygon | MultiPolygon
    height_m: float | None
    height_source: HeightSource


def requests_from_geojson(
    document: Any, *, where: str, heights: HeightModel
) -> tuple[Request, ...]:
    """The requests of a FeatureCollection or of one Feature; an empty collection gives ().

    Heights that neither coordinates nor `height_m` say come from `heights`. `where` is the file's
    name for messages. Raises `RequestError` naming file, feature (counted from 1) and property.
    """
    drafts = [
        _draft(feature, number, where=where)
        for number, feature in enumerate(
            features_of(document, Place(file=where, error=RequestError)), start=1
        )
    ]
    _refuse_twins(drafts, where)
    ground_m = _ground_heights_m(drafts, heights)
    return tuple(_request(draft, ground_m.get(i), heights) for i, draft in enumerate(drafts))


def areas_from_geojson(document: Any, place: Place) -> tuple[Polygon | MultiPolygon, ...]:
    """The areas of a FeatureCollection or of one Feature, whatever their properties say."""
    return tuple(
        _area(feature, Place(file=f"{place.file}: feature {number}", error=place.error))
        for number, feature in enumerate(features_of(document, place), start=1)
    )


def _area(feature: Any, place: Place) -> Polygon | MultiPolygon:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        found = feature.get("type") if isinstance(feature, dict) else feature
        place.refuse(f"is {shown(found)}, expected a Feature")
    kind, shape, _ = read_geometry(feature.get("geometry"), place)
    if kind != "area":
        place.refuse(f"is a {kind}, expected a Polygon or MultiPolygon")
    area: Polygon | MultiPolygon = shape
    return area


def features_of(document: Any, place: Place) -> list[Any]:
    """The features of a FeatureCollection, or the one Feature that a document is."""
    found = document.get("type") if isinstance(document, dict) else document
    if found not in ("FeatureCollection", "Feature"):
        place.refuse(f"is {shown(found)}, expected a GeoJSON FeatureCollection or Feature")
    _refuse_other_crs(document, place)
    if found == "Feature":
        return [document]
    features = document.get("features")
    if not isinstance(features, list):
        place.refuse(f"features is {shown(features)}, expected a list")
    return features


def _refuse_other_crs(document: dict[str, Any], place: Place) -> None:
    """Old GeoJSON could name a coordinate system; RFC 7946 has one. Exports still write it."""
    crs = document.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else crs
    if not isinstance(name, str) or not name.upper().endswith(("CRS84", "EPSG::4326", "EPSG:4326")):
        place.refuse(f"crs is {shown(name)}, expected longitude and latitude in WGS 84 (CRS84)")


def _draft(feature: Any, number: int, *, where: str) -> _Draft:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        found = feature.get("type") if isinstance(feature, dict) else feature
        raise RequestError(f"{where}: feature {number}: is {shown(found)}, expected a Feature")
    properties = feature.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    label = f"{where}: feature {number}" + (f" {shown(name)}" if isinstance(name, str) else "")
    place = Place(file=label, error=RequestError)
    if not isinstance(properties, dict):
        place.refuse(f"properties is {shown(properties)}, expected a table with a name")
    for stray in set(feature) & set(REQUEST.names):
        place.refuse(f"{stray!r} stands beside the properties, expected among them")
    given = {key: value for key, value in properties.items() if value is not None}
    fields = REQUEST.read(given, place)
    kind, geometry, z_m = read_geometry(feature.get("geometry"), place)
    width_m = fields.pop("corridor_width_m")
    if width_m is not None:
        if kind != "line":
            place.refuse(f"corridor_width_km is asked of {kind!r} geometry, expected a LineString")
        kind, geometry = "area", widened(geometry, width_m, place)
    stated_m = fields.pop("height_m")
    return _Draft(
        where=label,
        fields=fields,
        kind=kind,
        geometry=geometry,
        height_m=stated_m if z_m is None else z_m,
        height_source="height_m" if z_m is None else "geojson",
    )


def _refuse_twins(drafts: Sequence[_Draft], where: str) -> None:
    first: dict[str, int] = {}
    for number, draft in enumerate(drafts, start=1):
        name = draft.fields["name"]
        if name in first:
            raise RequestError(
                f"{where}: features {first[name]} and {number} are both named {shown(name)}, "
                f"expected different names"
            )
        first[name] = number


def _ground_heights_m(drafts: Sequence[_Draft], heights: HeightModel) -> dict[int, float]:
    """Heights of the points that do not say theirs, by their number.

    The corners of lines and areas are looked up too, only so that a place the model does not know
    is refused now: strips sample the model later.
    """
    asking = [i for i, draft in enumerate(drafts) if draft.height_m is None]
    if not asking:
        return {}
    corners = [shapely.get_coordinates(drafts[i].geometry) for i in asking]
    owner = np.repeat(asking, [len(positions) for positions in corners])
    lon_rad, lat_rad = np.radians(np.concatenate(corners)).T
    try:
        height_m = heights.ellipsoidal_m(lon_rad, lat_rad)
    except HeightError as error:
        raise RequestError(f"{drafts[owner[error.index]].where}: {error}") from error
    first = np.searchsorted(owner, asking)
    return {
        i: float(height_m[position])
        for i, position in zip(asking, first, strict=True)
        if drafts[i].kind == "point"
    }


def _request(draft: _Draft, ground_m: float | None, heights: HeightModel) -> Request:
    height_m, source = draft.height_m, draft.height_source
    if height_m is None:
        height_m, source = ground_m, heights.source
    try:
        return Request(
            geometry=draft.geometry,
            kind=draft.kind,
            height_m=height_m,
            height_source=source,
            **draft.fields,
        )
    except RequestError as error:
        raise RequestError(f"{draft.where}: {error}") from error
