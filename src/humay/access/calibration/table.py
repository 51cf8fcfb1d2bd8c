"""Calibration looks as a GeoParquet table, a row each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from humay.access.calibration.records import CalibrationLooks
from humay.access.tables.common import about_whole, instants, texts, with_about
from humay.arrays import FloatArray

CALIBRATION_FORMAT = "humay-calibration-1"

# column: (field of the record, how many of its units one unit of the column is)
_DEG = np.pi / 180
_NUMBERS = {
    "sunlit": ("sunlit", 1.0),
    "lon_deg": ("lon_rad", _DEG),
    "lat_deg": ("lat_rad", _DEG),
    "off_nadir_deg": ("off_nadir_rad", _DEG),
    "roll_deg": ("roll_rad", _DEG),
    "pitch_deg": ("pitch_rad", _DEG),
    "yaw_deg": ("yaw_rad", _DEG),
    "heading_deg": ("heading_rad", _DEG),
    "incidence_deg": ("incidence_rad", _DEG),
    "azimuth_deg": ("azimuth_rad", _DEG),
    "sun_elevation_deg": ("sun_elevation_rad", _DEG),
    "sun_azimuth_deg": ("sun_azimuth_rad", _DEG),
    "glint_deg": ("glint_rad", _DEG),
    "moon_elevation_deg": ("moon_elevation_rad", _DEG),
    "moon_phase_deg": ("moon_phase_rad", _DEG),
    "moon_distance_km": ("moon_distance_m", 1e3),
    "moon_diameter_deg": ("moon_diameter_rad", _DEG),
    "ra_deg": ("ra_rad", _DEG),
    "dec_deg": ("dec_rad", _DEG),
    "limb_deg": ("limb_rad", _DEG),
    "sun_angle_deg": ("sun_angle_rad", _DEG),
    "moon_angle_deg": ("moon_angle_rad", _DEG),
    "v_mag": ("magnitude", 1.0),
}
_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"]}},
}


def calibration_table(looks: CalibrationLooks, notes: Sequence[str] = ()) -> pa.Table:
    """The looks as a table; a number that a kind has no use for is empty.

    `geometry` is the place on the ground, of looks at Moon and stars the one below the satellite at
    `best`.
    """
    columns: dict[str, Any] = {
        name: texts(getattr(looks, name)) for name in ("look_id", "satellite", "kind", "target")
    }
    for name in ("start", "end", "best"):
        columns[name] = instants(looks.epoch, getattr(looks, f"{name}_s"))
    columns["duration_s"] = looks.end_s - looks.start_s
    columns["orbit"] = looks.orbit
    columns["anx_offset_s"] = looks.anx_offset_s
    columns["sigma_s"] = looks.sigma_s
    for name, (field, unit) in _NUMBERS.items():
        columns[name] = _or_empty(getattr(looks, field) / unit)
    places = shapely.points(looks.lon_rad / _DEG, looks.lat_rad / _DEG)
    columns["geometry"] = pa.array(list(shapely.to_wkb(places)), pa.binary())
    about = about_whole(CALIBRATION_FORMAT, looks.epoch, looks.span_s, notes)
    return with_about(pa.table(columns), about, geo=json.dumps(_GEO))


def _or_empty(values: FloatArray) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))
