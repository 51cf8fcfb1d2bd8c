"""Contacts as a table, a row each, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from humay.access.records import Contacts
from humay.access.tables.common import (
    COUNT,
    INSTANT,
    NUMBER,
    TEXT,
    about_whole,
    checked_about,
    floats,
    instants,
    names,
    require,
    seconds,
    span_of,
    texts,
    whole,
    with_about,
)
from humay.arrays import FloatArray
from humay.time import Epoch

CONTACTS_FORMAT = "humay-contacts-2"

# column: field of the record
_NAMES = ("contact_id", "satellite", "station")
_INSTANTS = {"start": "start_s", "best": "best_s", "end": "end_s"}
_ANGLES = {
    "max_elevation_deg": "max_elevation_rad",
    "azimuth_start_deg": "azimuth_start_rad",
    "azimuth_best_deg": "azimuth_best_rad",
    "azimuth_end_deg": "azimuth_end_rad",
}
_PLAIN = (
    "range_start_m",
    "range_min_m",
    "range_end_m",
    "range_rate_start_m_s",
    "range_rate_end_m_s",
    "doppler_max_hz",
    "doppler_min_hz",
    "anx_offset_s",
    "sigma_s",
)
_KINDS = {
    **dict.fromkeys(_NAMES, TEXT),
    **dict.fromkeys(_INSTANTS, INSTANT),
    **dict.fromkeys((*_ANGLES, *_PLAIN, "volume_gbit"), NUMBER),
    "orbit": COUNT,
}


def contacts_table(contacts: Contacts, notes: Sequence[str] = ()) -> pa.Table:
    """Contacts, a row each; empty where a number is not known."""
    c = contacts
    columns: dict[str, Any] = {name: texts(getattr(c, name)) for name in _NAMES}
    columns |= {name: instants(c.epoch, getattr(c, field)) for name, field in _INSTANTS.items()}
    columns["duration_s"] = c.duration_s
    columns |= {name: _numbers(np.degrees(getattr(c, field))) for name, field in _ANGLES.items()}
    columns |= {name: _numbers(getattr(c, name)) for name in _PLAIN}
    columns["volume_gbit"] = _numbers(c.volume_bit / 1e9)
    columns["orbit"] = c.orbit
    return with_about(pa.table(columns), about_whole(CONTACTS_FORMAT, c.epoch, c.span_s, notes))


def _numbers(values: FloatArray) -> pa.Array:
    return pa.array(values, from_pandas=True)  # NaN becomes an empty cell


def contacts_from_table(table: pa.Table, epoch: Epoch, *, where: str) -> Contacts:
    """The contacts of a table, on the time scale of `epoch`. Raises `AccessError`."""
    about = checked_about(table, CONTACTS_FORMAT, where=where)
    require(table, _KINDS, where=where)
    with whole("not a whole contact file", where=where):
        columns: dict[str, Any] = {name: names(table[name]) for name in _NAMES}
        columns |= {field: seconds(epoch, table[name]) for name, field in _INSTANTS.items()}
        columns |= {field: np.radians(floats(table[name])) for name, field in _ANGLES.items()}
        columns |= {name: floats(table[name]) for name in _PLAIN}
        columns["volume_bit"] = floats(table["volume_gbit"]) * 1e9
        columns["orbit"] = np.array(table["orbit"].to_numpy(), dtype=np.int64)
        return Contacts(epoch=epoch, span_s=span_of(epoch, about), **columns)
