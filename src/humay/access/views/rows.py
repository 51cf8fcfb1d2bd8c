"""Rows as comma-separated values and as GeoJSON features."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import shapely
from shapely.geometry import mapping

from humay.access.tables.common import about_of
from humay.access.views.common import Backdrop, flat, station_lonlath, with_utc_texts


def csv_bytes(table: pa.Table) -> bytes:
    """The columns with one value a row; RFC 4180 but for the line ends."""
    sink = io.BytesIO()
    pyarrow.csv.write_csv(with_utc_texts(flat(table)), sink)
    return sink.getvalue()


def geojson_bytes(table: pa.Table, backdrop: Backdrop) -> bytes:
    """A feature a row (RFC 7946), at its `geometry` or its station; null where it has no place."""
    rows = with_utc_texts(table.drop_columns(_samples(table))).to_pylist()
    features = [
        {"type": "Feature", "geometry": shape, "properties": row}
        for shape, row in zip(_shapes(table, backdrop), rows, strict=True)
    ]
    whole = {"type": "FeatureCollection", "humay": about_of(table), "features": features}
    return json.dumps(whole, ensure_ascii=False).encode() + b"\n"


def _samples(table: pa.Table) -> list[str]:
    names = [name for name in table.column_names if name.startswith("node_")]
    return names + (["geometry"] if "geometry" in table.column_names else [])


def _shapes(table: pa.Table, backdrop: Backdrop) -> Sequence[Any]:
    if "geometry" in table.column_names:
        return [mapping(shapely.from_wkb(wkb)) for wkb in table["geometry"].to_pylist()]
    if "station" not in table.column_names:
        return [None] * len(table)
    points = {station.name: station_lonlath(station).tolist() for station in backdrop.stations}
    return [
        {"type": "Point", "coordinates": points[name]} if name in points else None
        for name in table["station"].to_pylist()
    ]
