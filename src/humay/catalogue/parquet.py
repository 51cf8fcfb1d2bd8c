"""Items as stac-geoparquet 1.1: one row an item, properties as columns, geometry as WKB.

Written with pyarrow alone; the library of that name is what the tests read it with. A key without a
value (null or an empty object) and a key that is absent are the same in a table.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from humay.catalogue.exports import collection_document, in_order, rehomed
from humay.catalogue.instants import microseconds, utc
from humay.catalogue.items import CatalogueItem
from humay.errors import CatalogueError

SPEC_VERSION = "1.1.0"  # radiantearth/stac-geoparquet-spec
GEOPARQUET_VERSION = "1.1.0"

_TEXT = pa.string()
_INSTANT = pa.timestamp("us", tz="UTC")
_INSTANTS = {  # those the spec's library takes as times; others stay texts
    "datetime", "start_datetime", "end_datetime", "created", "updated", "expires", "published",
    "unpublished",
}  # fmt: skip
_CORE = {
    "stac_version": _TEXT,
    "stac_extensions": pa.list_(_TEXT),
    "id": _TEXT,
    "collection": _TEXT,
}
_TOP = {*_CORE, "type", "geometry", "bbox", "links", "assets", "properties"}
_EDGES = {4: ("xmin", "ymin", "xmax", "ymax"), 6: ("xmin", "ymin", "zmin", "xmax", "ymax", "zmax")}


def parquet_bytes(items: Sequence[CatalogueItem], folder: Path) -> bytes:
    """A Parquet file of the items that will lie in `folder`. Raises `CatalogueError`.

    A column has one type: a property that is a number here and a text there is refused, as are
    items with and without heights in one table.
    """
    sink = io.BytesIO()
    pq.write_table(stac_table(items, folder), sink, compression="zstd")
    return sink.getvalue()


def stac_table(items: Sequence[CatalogueItem], folder: Path) -> pa.Table:
    """The items as an Arrow table with the metadata of GeoParquet and stac-geoparquet."""
    ordered = in_order(items)
    documents = [rehomed(item, folder) for item in ordered]
    columns: dict[str, pa.Array] = {
        name: _column(name, [document.get(name) for document in documents], kind)
        for name, kind in _CORE.items()
    }
    columns["geometry"] = pa.array(
        [shapely.to_wkb(item.shape, flavor="iso") for item in ordered], pa.binary()
    )
    columns["bbox"] = _bbox_column(documents)
    columns["links"] = _column("links", [document["links"] for document in documents])
    columns["assets"] = _column("assets", [document["assets"] for document in documents])
    columns |= _property_columns(documents)
    table = pa.table(columns)
    return table.replace_schema_metadata(_metadata(ordered))


def _property_columns(documents: Sequence[dict[str, Any]]) -> dict[str, pa.Array]:
    names = dict.fromkeys(name for document in documents for name in document["properties"])
    if taken := sorted(_TOP & set(names)):
        raise CatalogueError(f"items have a property {taken[0]!r}, which is a column of its own")
    columns = {}
    for name in names:
        values = [document["properties"].get(name) for document in documents]
        if name in _INSTANTS:
            columns[name] = _instants(name, values)
        elif name == "proj:geometry":
            columns[name] = _shapes(name, values)
        else:
            columns[name] = _column(name, values)
    return columns


def _column(name: str, values: Sequence[Any], kind: pa.DataType | None = None) -> pa.Array:
    try:
        return pa.array([_without_empty(value) for value in values], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise CatalogueError(f"{name!r} is not alike in all items: {reason}") from error


def _without_empty(value: Any) -> Any:
    """Parquet has no column for an object without keys."""
    if isinstance(value, dict):
        return {key: _without_empty(inner) for key, inner in value.items()} or None
    return [_without_empty(inner) for inner in value] if isinstance(value, list) else value


def _instants(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        moments = [None if value is None else utc(microseconds(str(value))) for value in values]
    except ValueError as error:
        raise CatalogueError(f"{name} {error}") from error
    return pa.array(moments, _INSTANT)


def _shapes(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        shapes = [None if v is None else shapely.from_geojson(json.dumps(v)) for v in values]
    except shapely.GEOSException as error:
        raise CatalogueError(f"{name} cannot be read: {error}") from error
    wkb = [None if shape is None else shapely.to_wkb(shape, flavor="iso") for shape in shapes]
    return pa.array(wkb, pa.binary())


def _bbox_column(documents: Sequence[dict[str, Any]]) -> pa.Array:
    sizes = {len(document["bbox"]) for document in documents} or {4}
    if len(sizes) > 1:
        raise CatalogueError(
            "some items have heights in their bbox and some not, expected one kind"
        )
    edges = _EDGES[sizes.pop()]
    boxes = [dict(zip(edges, map(float, d["bbox"]), strict=True)) for d in documents]
    return pa.array(boxes, pa.struct([(edge, pa.float64()) for edge in edges]))


def _metadata(items: Sequence[CatalogueItem]) -> dict[str, str]:
    covering = {edge: ["bbox", edge] for edge in _EDGES[4]}
    geometry: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted({item.shape.geom_type for item in items}),
        "covering": {"bbox": covering},
    }  # without a crs it is OGC:CRS84
    if items:
        geometry["bbox"] = list(map(float, shapely.total_bounds([item.shape for item in items])))
    columns: dict[str, Any] = {"geometry": geometry}
    if any("proj:geometry" in item.document["properties"] for item in items):
        columns["proj:geometry"] = {"encoding": "WKB", "geometry_types": [], "crs": None}
    collections = {
        name: collection_document(name, list(group))
        for name, group in groupby(items, key=lambda item: item.collection)
        if name is not None
    }
    geo = {"version": GEOPARQUET_VERSION, "primary_column": "geometry", "columns": columns}
    stac = {"version": SPEC_VERSION, "collections": collections}
    return {"geo": json.dumps(geo), "stac-geoparquet": json.dumps(stac, ensure_ascii=False)}
