"""Timelines of all satellites as one table, a row every 10 s each, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from humay.access.records import Timeline
from humay.access.tables.common import (
    INSTANT,
    NUMBER,
    TEXT,
    checked_about,
    floats,
    instants,
    names,
    out_of_lists,
    require,
    seconds,
    texts,
    whole,
    with_about,
)
from humay.arrays import FloatArray
from humay.time import Epoch, format_utc, parse_utc

TIMELINE_FORMAT = "humay-timeline-1"
_WIDE = {"r_gcrf_m": 3, "nadir_attitude": 4, "sun_gcrf": 3, "moon_gcrf": 3, "lonlat_deg": 2}
_KINDS = {
    "satellite": TEXT,
    "time": INSTANT,
    "irradiance_w_m2": NUMBER,
    **{name: pa.list_(NUMBER, width) for name, width in _WIDE.items()},
}


def timeline_table(timelines: Mapping[str, Timeline]) -> pa.Table:
    """Timelines of all satellites, a row every 10 s each; spans and nodes stand in the metadata."""
    parts = list(timelines.values())
    columns: dict[str, Any] = {
        "satellite": texts(p.satellite for p in parts for _ in p.t_s),
        "time": pa.concat_arrays([instants(p.epoch, p.t_s) for p in parts]),
        "irradiance_w_m2": np.concatenate([p.irradiance_w_m2 for p in parts]),
    }
    for name, width in _WIDE.items():
        flat = np.concatenate([getattr(p, name) for p in parts]).ravel()
        columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(flat), width)
    about = {
        "format": TIMELINE_FORMAT,
        "epoch": format_utc(parts[0].epoch.moment),
        "satellites": {p.satellite: _about(p) for p in parts},
    }
    return with_about(pa.table(columns), about)


def _about(p: Timeline) -> dict[str, Any]:
    return {
        "eclipses": [[format_utc(p.epoch.utc(t)) for t in span] for span in p.eclipse_s],
        "ascending_nodes": [format_utc(p.epoch.utc(t)) for t in p.node_s],
        "orbits": [int(n) for n in p.node_orbit],
        "orbit_epoch": format_utc(p.epoch.utc(p.orbit_epoch_s)),
        "inertial_speed_m_s": p.inertial_speed_m_s,
    }


def timelines_from_table(table: pa.Table, epoch: Epoch, *, where: str) -> dict[str, Timeline]:
    """The timelines of a table, on the time scale of `epoch`. Raises `AccessError`."""
    about = checked_about(table, TIMELINE_FORMAT, where=where)
    require(table, _KINDS, where=where)
    with whole("not a whole timeline file", where=where):
        satellite = names(table["satellite"])
        columns: dict[str, Any] = {
            "t_s": seconds(epoch, table["time"]),
            "irradiance_w_m2": floats(table["irradiance_w_m2"]),
        }
        for name, width in _WIDE.items():
            columns[name] = floats(out_of_lists(table[name], width)).reshape(-1, width)
        return {
            name: Timeline(
                satellite=name,
                epoch=epoch,
                eclipse_s=_spans(epoch, entry["eclipses"]),
                node_s=np.array([epoch.seconds(parse_utc(t)) for t in entry["ascending_nodes"]]),
                node_orbit=np.array(entry["orbits"], dtype=np.float64),
                orbit_epoch_s=epoch.seconds(parse_utc(entry["orbit_epoch"])),
                inertial_speed_m_s=float(entry["inertial_speed_m_s"]),
                **{key: value[satellite == name] for key, value in columns.items()},
            )
            for name, entry in about["satellites"].items()
        }


def _spans(epoch: Epoch, spans: Sequence[Sequence[str]]) -> FloatArray:
    ends = [[epoch.seconds(parse_utc(t)) for t in span] for span in spans]
    return np.array(ends, dtype=np.float64).reshape(-1, 2)
