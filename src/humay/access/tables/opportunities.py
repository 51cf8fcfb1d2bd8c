"""Opportunities, and the pointing samples of each, as a GeoParquet table and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from humay.access.lines import GroundLine, line_from_lonlath
from humay.access.records import LOOKS, Opportunities, Pointing
from humay.access.strips import Strip
from humay.access.tables.common import (
    COUNT,
    INSTANT,
    NUMBER,
    TEXT,
    about_whole,
    checked_about,
    floats,
    in_lists,
    instants,
    names,
    out_of_lists,
    require,
    rounded,
    seconds,
    span_of,
    texts,
    whole,
    with_about,
)
from humay.arrays import FloatArray
from humay.time import Epoch, parse_utc

OPPORTUNITIES_FORMAT = "humay-opportunities-1"

# column: field of the record
_ANGLES = {
    "off_nadir_deg": "off_nadir_rad",
    "roll_deg": "roll_rad",
    "pitch_deg": "pitch_rad",
    "incidence_deg": "incidence_rad",
    "azimuth_deg": "azimuth_rad",
    "sun_elevation_deg": "sun_elevation_rad",
    "sun_azimuth_deg": "sun_azimuth_rad",
    "off_nadir_start_deg": "off_nadir_start_rad",
    "off_nadir_end_deg": "off_nadir_end_rad",
    "sun_elevation_start_deg": "sun_elevation_start_rad",
    "sun_elevation_end_deg": "sun_elevation_end_rad",
    "scan_heading_deg": "scan_heading_rad",
}
_PLAIN = (
    "sigma_s",
    "anx_offset_s",
    "gsd_along_m",
    "gsd_across_m",
    "scan_s",
    "width_m",
    "line_period_s",
)
_INSTANTS = {
    "start": "start_s",
    "end": "end_s",
    "best": "best_s",
    "plan_start": "plan_start_s",
    "plan_end": "plan_end_s",
}
_NAMES = ("opportunity_id", "satellite", "request", "strip")
_KINDS = {
    **dict.fromkeys((*_NAMES, "pass_direction"), TEXT),
    **dict.fromkeys(_INSTANTS, INSTANT),
    **dict.fromkeys((*_PLAIN, *_ANGLES, "data_gbit"), NUMBER),
    "orbit": COUNT,
    "strip_geometry": pa.list_(pa.list_(NUMBER)),
}
_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["LineString Z"]}},
}

# Pointing samples: column, and how many numbers each sample has
_NODES = {
    "start_s": 1,
    "settle_attitude": 4,
    "settle_rate_rad_s": 3,
    "first_attitude": 4,
    "first_rate_rad_s": 3,
    "last_attitude": 4,
    "last_rate_rad_s": 3,
    "roll_rad": LOOKS,
    "pitch_rad": LOOKS,
    "to_satellite_enu": 3,
    "sun_elevation_rad": 1,
    "gsd_mean_m": 1,
    "line_period_s": 1,
    "data_bit": 1,
}


def opportunities_table(
    opportunities: Opportunities,
    notes: Sequence[str] = (),
    pointing: Sequence[Pointing | None] | None = None,
) -> pa.Table:
    """The windows as a GeoParquet table; `geometry` is the line the boresight is swept along.

    With `pointing` the samples of each window follow in columns `node_...`, flat lists: a plan can
    then be made without the orbit.
    """
    o = opportunities
    columns: dict[str, Any] = {name: texts(getattr(o, name)) for name in _NAMES}
    columns |= {name: instants(o.epoch, getattr(o, field)) for name, field in _INSTANTS.items()}
    columns["duration_s"] = o.end_s - o.start_s
    columns["orbit"] = o.orbit
    columns["start_anx_s"] = o.anx_offset_s + (o.start_s - o.best_s)
    columns["end_anx_s"] = o.anx_offset_s + (o.end_s - o.best_s)
    columns["pass_direction"] = pc.if_else(pa.array(o.ascending), "ascending", "descending")
    columns |= {name: getattr(o, name) for name in _PLAIN}
    columns["gsd_m"] = o.gsd_mean_m
    columns |= {name: np.degrees(getattr(o, field)) for name, field in _ANGLES.items()}
    columns["data_gbit"] = o.data_bit / 1e9
    ends = _ends(o.line)
    columns["strip_geometry"] = in_lists(in_lists(ends.ravel(), 3), 2)
    lines = shapely.linestrings(_near(ends))
    columns["geometry"] = pa.array(shapely.to_wkb(lines, flavor="iso"), pa.binary())
    if pointing is not None:
        columns |= {f"node_{name}": _node_column(pointing, name) for name in _NODES}
    about = about_whole(OPPORTUNITIES_FORMAT, o.epoch, o.span_s, notes)
    about["strips"] = [_strip_entry(strip) for strip in o.strips]
    return with_about(pa.table(columns), about, geo=json.dumps(_GEO))


def _ends(line: GroundLine) -> FloatArray:
    """`GroundLine.lonlath` of many lines (n, 2, 3), to the digit."""
    x, y, z = np.moveaxis(line.normals, -1, 0)
    lon_deg, lat_deg = np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(z))
    return np.stack([rounded(lon_deg, 7), rounded(lat_deg, 7), rounded(line.heights_m, 3)], axis=-1)


def _near(ends: FloatArray) -> FloatArray:
    """Lines (n, 2, 3) with continuous longitudes: one over the antimeridian stays short."""
    near = ends.copy()
    near[:, 1, 0] -= 360.0 * np.rint((ends[:, 1, 0] - ends[:, 0, 0]) / 360.0)
    return near


def _node_column(pointing: Sequence[Pointing | None], name: str) -> pa.Array:
    rows = [None if p is None else getattr(p, name).ravel() for p in pointing]
    return pa.array(rows, pa.list_(NUMBER))


def _strip_entry(strip: Strip) -> dict[str, Any]:
    return {
        "name": strip.name,
        "request": strip.request,
        "centre_line": strip.line.lonlath(),
        "width_m": strip.width_m,
        "share": strip.share,
        "decomposition": strip.decomposition,
        "relief_m": strip.relief_m,
        "sure_turn_deg": math.degrees(strip.sure_turn_rad),
    }


def opportunities_from_table(table: pa.Table, epoch: Epoch, *, where: str) -> Opportunities:
    """The windows of a table, on the time scale of `epoch`. Raises `AccessError`."""
    about = checked_about(table, OPPORTUNITIES_FORMAT, where=where)
    require(table, _KINDS, where=where)
    with whole("not a whole opportunity file", where=where):
        columns: dict[str, Any] = {name: names(table[name]) for name in _NAMES}
        columns |= {field: seconds(epoch, table[name]) for name, field in _INSTANTS.items()}
        columns |= {name: floats(table[name]) for name in _PLAIN}
        columns |= {field: np.radians(floats(table[name])) for name, field in _ANGLES.items()}
        columns["orbit"] = np.array(table["orbit"].to_numpy(), dtype=np.int64)
        columns["ascending"] = pc.equal(table["pass_direction"], "ascending").to_numpy()
        columns["data_bit"] = floats(table["data_gbit"]) * 1e9
        ends = out_of_lists(out_of_lists(table["strip_geometry"], 2), 3)
        return Opportunities(
            epoch=epoch,
            span_s=span_of(epoch, about),
            strips=tuple(_strip(entry) for entry in about["strips"]),
            line=line_from_lonlath(floats(ends).reshape(-1, 2, 3)),
            **columns,
        )


def pointing_from_table(
    table: pa.Table, epoch: Epoch, *, where: str
) -> list[Pointing | None] | None:
    """The pointing samples of a table, or None if it was made without them. `AccessError`."""
    about = checked_about(table, OPPORTUNITIES_FORMAT, where=where)
    if f"node_{next(iter(_NODES))}" not in table.column_names:
        return None
    with whole("pointing samples are damaged", where=where):
        later_s = epoch.seconds(parse_utc(about["epoch"]))
        columns = {name: table[f"node_{name}"].to_pylist() for name in _NODES}
        return [
            _pointing(dict(zip(columns, row, strict=True)), later_s)
            for row in zip(*columns.values(), strict=True)
        ]


def _pointing(row: Mapping[str, Any], later_s: float) -> Pointing | None:
    if row["start_s"] is None:
        return None
    arrays = {
        name: np.array(row[name], dtype=np.float64).reshape((-1, width) if width > 1 else -1)
        for name, width in _NODES.items()
    }
    return Pointing(**(arrays | {"start_s": arrays["start_s"] + later_s}))


def _strip(entry: Mapping[str, Any]) -> Strip:
    return Strip(
        name=str(entry["name"]),
        request=str(entry["request"]),
        line=line_from_lonlath(entry["centre_line"]),
        width_m=float(entry["width_m"]),
        share=float(entry["share"]),
        decomposition=str(entry["decomposition"]),
        relief_m=float(entry["relief_m"]),
        sure_turn_rad=math.radians(entry["sure_turn_deg"]),
    )
