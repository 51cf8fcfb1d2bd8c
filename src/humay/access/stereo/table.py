"""Stereo as a GeoParquet table, a row each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from humay.access.stereo.records import FIRST, LAST, MIDDLE, Slices, StereoSets
from humay.access.tables.common import about_whole, instants, texts, with_about
from humay.arrays import FloatArray

STEREO_FORMAT = "humay-stereo-1"

_LOOKS = {"first": FIRST, "middle": MIDDLE, "last": LAST}
_PAIRS = {"": 0, "first_middle_": 1, "middle_last_": 2}
_DEG = np.pi / 180
# column: (field of the record, how many of its units one unit of the column is)
_OF_PAIRS = {
    "convergence_deg": ("convergence_rad", _DEG),
    "base_to_height": ("base_to_height", 1.0),
    "parallax_ratio": ("parallax_ratio", 1.0),
    "bisector_elevation_deg": ("bisector_elevation_rad", _DEG),
    "asymmetry_deg": ("asymmetry_rad", _DEG),
    "overlap": ("overlap", 1.0),
    "sun_change_deg": ("sun_change_rad", _DEG),
}
_OF_LOOKS = {
    "incidence_deg": ("incidence_rad", _DEG),
    "azimuth_deg": ("azimuth_rad", _DEG),
    "pitch_deg": ("pitch_rad", _DEG),
}
# lists of columns: the slices, what is held and what is moved in them
_SLICES = {
    "region": ("first", "last"),
    "before": ("first", "middle"),
    "after": ("last", "middle"),
}
_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"]}},
}


def stereo_table(sets: StereoSets, notes: Sequence[str] = ()) -> pa.Table:
    """The pairs and triples as a table; what belongs to a middle look is empty in a pair.

    `geometry` is the place, of a strip its middle. Columns `node_...` hold the regions as lists of
    seconds after the table's epoch.
    """
    s = sets
    columns: dict[str, Any] = {
        name: texts(getattr(s, name)) for name in ("stereo_id", "request", "strip")
    }
    columns["looks"] = np.array([s.looks(row) for row in range(len(s))], dtype=np.int64)
    columns["same_pass"] = s.same_pass
    for name, look in _LOOKS.items():
        columns[f"{name}_opportunity"] = texts(s.opportunity[:, look])
        columns[f"{name}_satellite"] = texts(s.satellite[:, look])
        columns[name] = instants(s.epoch, s.at_s[:, look])
    columns |= {
        "separation_s": s.at_s[:, LAST] - s.at_s[:, FIRST],
        "area_s2": s.area_s2,
        "slack": s.slack,
    }
    for table, places in (
        (_OF_PAIRS, _PAIRS),
        (_OF_LOOKS, {f"{n}_": k for n, k in _LOOKS.items()}),
    ):
        for prefix, place in places.items():
            for name, (field, unit) in table.items():
                columns[prefix + name] = _filled(getattr(s, field)[:, place] / unit)
    columns["lon_deg"], columns["lat_deg"] = s.lon_rad / _DEG, s.lat_rad / _DEG
    places = shapely.points(columns["lon_deg"], columns["lat_deg"])
    columns["geometry"] = pa.array(shapely.to_wkb(places, flavor="iso"), pa.binary())
    for name, (held, moved) in _SLICES.items():
        columns |= _nodes(getattr(s, name), f"node_{name}", held, moved)
    about = about_whole(STEREO_FORMAT, s.epoch, s.span_s, notes)
    return with_about(pa.table(columns), about, geo=json.dumps(_GEO))


def _filled(values: FloatArray) -> pa.Array:
    """Numbers, empty where there are none."""
    return pa.array(values, mask=np.isnan(values))


def _nodes(slices: Slices, prefix: str, held: str, moved: str) -> dict[str, pa.Array]:
    """The slices of each row as three lists."""
    begin = slices.begin.astype(np.int32)
    values = {
        f"{prefix}_{held}_s": slices.at_s,
        f"{prefix}_{moved}_low_s": slices.low_s,
        f"{prefix}_{moved}_high_s": slices.high_s,
    }
    return {name: pa.ListArray.from_arrays(begin, value) for name, value in values.items()}
