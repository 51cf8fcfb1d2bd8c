"""Opportunities, contacts and timelines as files: GeoParquet, GeoJSON, CSV.

Columns carry their unit; times are UTC. The Parquet files hold all that a plan needs and are read
back; GeoJSON and CSV are for people and other programs.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import shapely
from shapely.geometry import mapping

from humay.access.lines import line_from_lonlath
from humay.access.records import LOOKS, Contacts, Opportunities, Pointing, Timeline
from humay.access.strips import Strip
from humay.arrays import FloatArray
from humay.errors import AccessError
from humay.time import Epoch, format_utc, parse_utc

OPPORTUNITIES_FORMAT = "humay-opportunities-1"
CONTACTS_FORMAT = "humay-contacts-1"
TIMELINE_FORMAT = "humay-timeline-1"
_TEXT = pa.string()
_UTC = pa.timestamp("us", tz="UTC")

# column: (field of the record, how the number is shown)
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
    columns: dict[str, Any] = {name: pa.array(list(getattr(o, name)), _TEXT) for name in _NAMES}
    columns |= {name: _instants(o.epoch, getattr(o, field)) for name, field in _INSTANTS.items()}
    columns["duration_s"] = o.end_s - o.start_s
    columns["orbit"] = o.orbit
    columns["pass_direction"] = pa.array(
        ["ascending" if up else "descending" for up in o.ascending], _TEXT
    )
    columns |= {name: getattr(o, name) for name in _PLAIN}
    columns["gsd_m"] = o.gsd_mean_m
    columns |= {name: np.degrees(getattr(o, field)) for name, field in _ANGLES.items()}
    columns["data_gbit"] = o.data_bit / 1e9
    ends = [o.line[i].lonlath() for i in range(len(o))]
    columns["strip_geometry"] = pa.array(ends, pa.list_(pa.list_(pa.float64())))
    lines = [shapely.LineString(_near(line)) for line in ends]
    columns["geometry"] = pa.array([shapely.to_wkb(line) for line in lines], pa.binary())
    if pointing is not None:
        columns |= {f"node_{name}": _node_column(pointing, name) for name in _NODES}
    table = pa.table(columns)
    about = {
        "format": OPPORTUNITIES_FORMAT,
        "epoch": format_utc(o.epoch.moment),
        "span": _span_utc(o.epoch, o.span_s),
        "notes": list(notes),
        "strips": [_strip_entry(strip) for strip in o.strips],
    }
    return table.replace_schema_metadata(
        {"humay": json.dumps(about, ensure_ascii=False), "geo": json.dumps(_GEO)}
    )


_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["LineString Z"]}},
}


def _near(line: list[list[float]]) -> list[list[float]]:
    """The line with continuous longitudes, so that one over the antimeridian stays short."""
    (lon_a, *rest_a), (lon_b, *rest_b) = line
    return [[lon_a, *rest_a], [lon_b - 360.0 * round((lon_b - lon_a) / 360.0), *rest_b]]


def _node_column(pointing: Sequence[Pointing | None], name: str) -> pa.Array:
    rows = [None if p is None else getattr(p, name).ravel() for p in pointing]
    return pa.array(rows, pa.list_(pa.float64()))


def _span_utc(epoch: Epoch, span_s: tuple[float, float]) -> list[str]:
    return [format_utc(epoch.utc(t)) for t in span_s]


def _span_s(epoch: Epoch, about: Mapping[str, Any]) -> tuple[float, float]:
    start, end = (epoch.seconds(parse_utc(text)) for text in about["span"])
    return start, end


def _strip_entry(strip: Strip) -> dict[str, Any]:
    return {
        "name": strip.name,
        "request": strip.request,
        "centre_line": strip.line.lonlath(),
        "width_m": strip.width_m,
        "share": strip.share,
    }


def _instants(epoch: Epoch, t_s: FloatArray) -> pa.Array:
    return pa.array([None if np.isnan(t) else epoch.utc(t) for t in t_s], _UTC)


def opportunities_bytes(
    opportunities: Opportunities, suffix: str, notes: Sequence[str] = ()
) -> bytes:
    """The content of a `.parquet`, `.geojson` or `.csv` file."""
    return table_bytes(opportunities_table(opportunities, notes), suffix)


def table_bytes(table: pa.Table, suffix: str) -> bytes:
    """A table in the format of a file name's suffix; refuses others."""
    sink = io.BytesIO()
    if suffix == ".parquet":
        _write_parquet(table, sink)
    elif suffix == ".csv":
        nested = ("geometry", "strip_geometry", *(f"node_{name}" for name in _NODES))
        flat = [name for name in table.column_names if name not in nested]
        pyarrow.csv.write_csv(_with_utc_text(table.select(flat)), sink)
    elif suffix in (".geojson", ".json"):
        sink.write(json.dumps(_feature_collection(table), ensure_ascii=False).encode() + b"\n")
    else:
        raise AccessError(f"{suffix!r} is not a known format, expected .parquet, .geojson or .csv")
    return sink.getvalue()


def _write_parquet(table: pa.Table, sink: io.BytesIO) -> None:
    """Zstandard; smooth samples split into byte streams, which halves them."""
    samples = [f"{name}.list.element" for name in table.column_names if name.startswith("node_")]
    plain = [name for name in table.column_names if not name.startswith("node_")]
    pq.write_table(
        table, sink, compression="zstd", use_dictionary=plain, use_byte_stream_split=samples
    )


def _with_utc_text(table: pa.Table) -> pa.Table:
    for i, name in enumerate(table.column_names):
        if table.schema.field(name).type == _UTC:
            table = table.set_column(i, name, pa.array(_utc_texts(table[name]), _TEXT))
    return table


def _utc_texts(column: pa.ChunkedArray) -> list[str | None]:
    return [None if t is None else format_utc(t) for t in column.to_pylist()]


def _feature_collection(table: pa.Table) -> dict[str, Any]:
    about = json.loads((table.schema.metadata or {}).get(b"humay", b"{}"))
    shapes: Sequence[Any] = [None] * len(table)
    if "geometry" in table.column_names:
        shapes = [mapping(shapely.from_wkb(wkb)) for wkb in table["geometry"].to_pylist()]
        table = table.drop_columns(["geometry"])
    rows = _with_utc_text(table).to_pylist()
    features = [
        {"type": "Feature", "geometry": shape, "properties": row}
        for shape, row in zip(shapes, rows, strict=True)
    ]
    return {"type": "FeatureCollection", "humay": about, "features": features}


def read_opportunities(path: Path, epoch: Epoch) -> Opportunities:
    """The windows of a Parquet file, on the time scale of `epoch`. Raises `AccessError`."""
    table, about = _read(path, OPPORTUNITIES_FORMAT)
    try:
        columns: dict[str, Any] = {n: np.array(table[n].to_pylist(), dtype=object) for n in _NAMES}
        columns |= {field: _seconds(epoch, table[name]) for name, field in _INSTANTS.items()}
        columns |= {name: _floats(table[name]) for name in _PLAIN}
        columns |= {f: np.radians(_floats(table[name])) for name, f in _ANGLES.items()}
        columns["orbit"] = np.array(table["orbit"].to_pylist(), dtype=np.int64)
        columns["ascending"] = np.array(
            [way == "ascending" for way in table["pass_direction"].to_pylist()], dtype=bool
        )
        columns["data_bit"] = _floats(table["data_gbit"]) * 1e9
        ends = np.array(table["strip_geometry"].to_pylist(), dtype=np.float64).reshape(-1, 2, 3)
        strips = tuple(_strip(entry) for entry in about["strips"])
        span_s = _span_s(epoch, about)
    except (KeyError, ValueError, TypeError) as error:
        raise AccessError(f"{path}: not a whole opportunity file: {error}") from error
    return Opportunities(
        epoch=epoch, span_s=span_s, strips=strips, line=line_from_lonlath(ends), **columns
    )


def read_pointing(path: Path, epoch: Epoch) -> list[Pointing | None] | None:
    """The pointing samples of an opportunity file, or None if it was written without them."""
    table, about = _read(path, OPPORTUNITIES_FORMAT)
    if f"node_{next(iter(_NODES))}" not in table.column_names:
        return None
    later_s = epoch.seconds(parse_utc(about["epoch"]))
    try:
        columns = {name: table[f"node_{name}"].to_pylist() for name in _NODES}
        return [
            _pointing(dict(zip(columns, row, strict=True)), later_s)
            for row in zip(*columns.values(), strict=True)
        ]
    except (KeyError, ValueError, TypeError) as error:
        raise AccessError(f"{path}: pointing samples are damaged: {error}") from error


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
    )


def _read(path: Path, expected: str) -> tuple[pa.Table, dict[str, Any]]:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise AccessError(f"{path}: cannot be read as Parquet: {reason}") from error
    about = json.loads((table.schema.metadata or {}).get(b"humay", b"{}"))
    if about.get("format") != expected:
        raise AccessError(f"{path}: format is {about.get('format')!r}, expected {expected!r}")
    return table, about


def _floats(column: pa.ChunkedArray) -> FloatArray:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _seconds(epoch: Epoch, column: pa.ChunkedArray) -> FloatArray:
    return np.array(
        [np.nan if t is None else epoch.seconds(_aware(t)) for t in column.to_pylist()],
        dtype=np.float64,
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# Contacts ----------------------------------------------------------------------------------------


def contacts_table(contacts: Contacts, notes: Sequence[str] = ()) -> pa.Table:
    """Contacts, a row each."""
    c = contacts
    table = pa.table(
        {
            "contact_id": pa.array(list(c.contact_id), _TEXT),
            "satellite": pa.array(list(c.satellite), _TEXT),
            "station": pa.array(list(c.station), _TEXT),
            "start": _instants(c.epoch, c.start_s),
            "end": _instants(c.epoch, c.end_s),
            "duration_s": c.end_s - c.start_s,
            "max_elevation_deg": np.degrees(c.max_elevation_rad),
            "orbit": c.orbit,
            "anx_offset_s": c.anx_offset_s,
            "sigma_s": c.sigma_s,
        }
    )
    about = {
        "format": CONTACTS_FORMAT,
        "epoch": format_utc(c.epoch.moment),
        "span": _span_utc(c.epoch, c.span_s),
        "notes": list(notes),
    }
    return table.replace_schema_metadata({"humay": json.dumps(about, ensure_ascii=False)})


def read_contacts(path: Path, epoch: Epoch) -> Contacts:
    """The contacts of a Parquet file. Raises `AccessError`."""
    table, about = _read(path, CONTACTS_FORMAT)
    try:
        return Contacts(
            epoch=epoch,
            span_s=_span_s(epoch, about),
            contact_id=np.array(table["contact_id"].to_pylist(), dtype=object),
            satellite=np.array(table["satellite"].to_pylist(), dtype=object),
            station=np.array(table["station"].to_pylist(), dtype=object),
            start_s=_seconds(epoch, table["start"]),
            end_s=_seconds(epoch, table["end"]),
            max_elevation_rad=np.radians(_floats(table["max_elevation_deg"])),
            orbit=np.array(table["orbit"].to_pylist(), dtype=np.int64),
            anx_offset_s=_floats(table["anx_offset_s"]),
            sigma_s=_floats(table["sigma_s"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise AccessError(f"{path}: not a whole contact file: {error}") from error


# Timelines ---------------------------------------------------------------------------------------

_WIDE = {"nadir_attitude": 4, "sun_gcrf": 3, "moon_gcrf": 3, "lonlat_deg": 2}


def timeline_table(timelines: Mapping[str, Timeline]) -> pa.Table:
    """Timelines of all satellites, a row every 10 s each; spans and nodes stand in the metadata."""
    parts = list(timelines.values())
    columns: dict[str, Any] = {
        "satellite": pa.array([p.satellite for p in parts for _ in p.t_s], _TEXT),
        "time": pa.concat_arrays([_instants(p.epoch, p.t_s) for p in parts]),
        "irradiance_w_m2": np.concatenate([p.irradiance_w_m2 for p in parts]),
    }
    for name, width in _WIDE.items():
        flat = np.concatenate([getattr(p, name) for p in parts]).ravel()
        columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(flat), width)
    about = {
        "format": TIMELINE_FORMAT,
        "epoch": format_utc(parts[0].epoch.moment),
        "satellites": {p.satellite: _timeline_about(p) for p in parts},
    }
    return pa.table(columns).replace_schema_metadata({"humay": json.dumps(about)})


def _timeline_about(p: Timeline) -> dict[str, Any]:
    utc = [[format_utc(p.epoch.utc(t)) for t in span] for span in p.eclipse_s]
    return {
        "eclipses": utc,
        "ascending_nodes": [format_utc(p.epoch.utc(t)) for t in p.node_s],
        "orbits": [int(n) for n in p.node_orbit],
        "orbit_epoch": format_utc(p.epoch.utc(p.orbit_epoch_s)),
        "inertial_speed_m_s": p.inertial_speed_m_s,
    }


def read_timelines(path: Path, epoch: Epoch) -> dict[str, Timeline]:
    """The timelines of a Parquet file. Raises `AccessError`."""
    table, about = _read(path, TIMELINE_FORMAT)
    try:
        names = np.array(table["satellite"].to_pylist(), dtype=object)
        t_s = _seconds(epoch, table["time"])
        wide = {
            name: np.array(table[name].to_pylist(), dtype=np.float64).reshape(-1, width)
            for name, width in _WIDE.items()
        }
        watt = _floats(table["irradiance_w_m2"])
        return {
            name: Timeline(
                satellite=name,
                epoch=epoch,
                t_s=t_s[names == name],
                irradiance_w_m2=watt[names == name],
                eclipse_s=_spans(epoch, entry["eclipses"]),
                node_s=np.array([epoch.seconds(parse_utc(t)) for t in entry["ascending_nodes"]]),
                node_orbit=np.array(entry["orbits"], dtype=np.float64),
                orbit_epoch_s=epoch.seconds(parse_utc(entry["orbit_epoch"])),
                inertial_speed_m_s=float(entry["inertial_speed_m_s"]),
                **{key: value[names == name] for key, value in wide.items()},
            )
            for name, entry in about["satellites"].items()
        }
    except (KeyError, ValueError, TypeError) as error:
        raise AccessError(f"{path}: not a whole timeline file: {error}") from error


def _spans(epoch: Epoch, spans: Sequence[Sequence[str]]) -> FloatArray:
    seconds = [[epoch.seconds(parse_utc(t)) for t in span] for span in spans]
    return np.array(seconds, dtype=np.float64).reshape(-1, 2)
