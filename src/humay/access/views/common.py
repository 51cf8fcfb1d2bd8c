"""What the views share: what rows are called, the places they are about, and how to say a value."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from humay.access.lines import MEAN_RADIUS_M, line_from_lonlath
from humay.access.tables.common import INSTANT, TEXT, about_of
from humay.access.tables.contacts import CONTACTS_FORMAT
from humay.access.tables.opportunities import OPPORTUNITIES_FORMAT
from humay.arrays import FloatArray, cross, unit
from humay.errors import AccessError
from humay.mission import Request, Station
from humay.orbit import Ephemeris

COLOURS = ("#2b7a6f", "#7b5ea7", "#b0762a", "#50626f", "#a3456b", "#3b6fb0")  # satellites, in turn
_ALONG = 5  # points along each side of a strip: within 110 m of the curve for 300 km


@dataclass(frozen=True, kw_only=True)
class Backdrop:
    """What a view may show besides the windows themselves.

    `orbits` by satellite draw its track, `requests` those without a window, and `stations` where
    contacts are.
    """

    orbits: Mapping[str, Ephemeris] = field(default_factory=dict)
    requests: Sequence[Request] = ()
    stations: Sequence[Station] = ()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What the rows of a table are, and the columns that name them."""

    one: str
    many: str
    key: str
    place: str
    title: str

    def titled(self, row: Mapping[str, Any]) -> str:
        """A row in a few words."""
        return self.title.format(satellite=row["satellite"], place=row[self.place])


_KINDS = {
    OPPORTUNITIES_FORMAT: Kind(
        one="window",
        many="windows",
        key="opportunity_id",
        place="strip",
        title="{satellite} can image {place}",
    ),
    CONTACTS_FORMAT: Kind(
        one="contact",
        many="contacts",
        key="contact_id",
        place="station",
        title="{satellite} over {place}",
    ),
}


def kind_of(table: pa.Table) -> Kind:
    """What a table holds; refuses one that is neither of opportunities nor of contacts."""
    found = about_of(table).get("format")
    if found not in _KINDS:
        expected = " or ".join(repr(name) for name in _KINDS)
        raise AccessError(f"the table's format is {found!r}, expected {expected}")
    return _KINDS[found]


# Values ------------------------------------------------------------------------------------------


def utc_texts(column: pa.ChunkedArray) -> pa.Array:
    """Instants as `format_utc` writes them: microseconds where there are any."""
    utc_us = pc.fill_null(column.cast(pa.int64()), 0).to_numpy()
    instant = utc_us.astype("M8[us]")
    whole = np.datetime_as_string(instant.astype("M8[s]"))
    text = np.where(utc_us % 1_000_000 == 0, whole, np.datetime_as_string(instant))
    return pa.array(np.char.add(text, "Z"), TEXT, mask=pc.is_null(column).to_numpy())


def with_utc_texts(table: pa.Table) -> pa.Table:
    """The table with its instants as text."""
    for i, column in enumerate(table.schema):
        if column.type == INSTANT:
            table = table.set_column(i, column.name, utc_texts(table[column.name]))
    return table


def flat(table: pa.Table) -> pa.Table:
    """The columns that hold one value a row; geometry and samples are left out."""
    kinds = {column.name: column.type for column in table.schema}
    nested = {n for n, k in kinds.items() if pa.types.is_nested(k) or pa.types.is_binary(k)}
    return table.select([name for name in table.column_names if name not in nested])


# column: (how a person calls it, how it is shown)
_FACTS = {
    "off_nadir_deg": ("off-nadir", "{:.1f}°"),
    "roll_deg": ("roll", "{:.1f}°"),
    "pitch_deg": ("pitch", "{:.1f}°"),
    "incidence_deg": ("incidence", "{:.1f}°"),
    "azimuth_deg": ("azimuth of the satellite", "{:.0f}°"),
    "sun_elevation_deg": ("Sun elevation", "{:.1f}°"),
    "sun_azimuth_deg": ("Sun azimuth", "{:.0f}°"),
    "gsd_m": ("ground sampling", "{:.2f} m"),
    "scan_s": ("sweep", "{:.1f} s"),
    "max_elevation_deg": ("highest elevation", "{:.1f}°"),
    "data_gbit": ("data", "{:.2f} Gbit"),
    "volume_gbit": ("data", "{:.2f} Gbit"),
    "range_min_m": ("least range", "{:,.0f} m"),
    "doppler_max_hz": ("Doppler shift at most", "{:+,.0f} Hz"),
    "doppler_min_hz": ("Doppler shift at least", "{:+,.0f} Hz"),
    "duration_s": ("duration", "{:.1f} s"),
    "pass_direction": ("pass", "{}"),
    "orbit": ("orbit", "{}"),
    "sigma_s": ("one sigma of time", "{:.2f} s"),
}


def facts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a person wants to know of a row, as (name, value)."""
    shown = [("start", row["start"]), ("end", row["end"])]
    if row.get("best") is not None:
        shown.append(("best", row["best"]))
    return shown + [
        (name, form.format(row[column]))
        for column, (name, form) in _FACTS.items()
        if row.get(column) is not None
    ]


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def xml_text(text: str) -> str:
    """Text for XML or HTML, also between quotes; what they cannot hold becomes U+FFFD."""
    return html.escape(_NOT_XML.sub("\ufffd", text))


# Places ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Somewhere that windows are about: a point, a strip with its outline, a station.

    `lonlath` is a point or the middle of the strip; `outline` (k, 2) a closed ring of longitudes
    and latitudes, the former continuous. `rows` are its windows in the table.
    """

    name: str
    group: str  # the request
    lonlath: FloatArray  # (3,) deg, deg, m
    outline: FloatArray | None
    rows: Sequence[int]


def places_of(table: pa.Table, backdrop: Backdrop) -> list[Place]:
    """Each place once, in order of its first window, then those without any."""
    kind = kind_of(table)
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(table[kind.place].to_pylist()):
        rows.setdefault(name, []).append(i)
    if kind.place == "station":
        return _stations(rows, backdrop.stations)
    return _targets(table, rows, backdrop.requests)


def _stations(rows: Mapping[str, Sequence[int]], stations: Sequence[Station]) -> list[Place]:
    return [
        Place(
            name=s.name,
            group=s.name,
            lonlath=station_lonlath(s),
            outline=None,
            rows=rows.get(s.name, ()),
        )
        for s in stations
    ]


def station_lonlath(station: Station) -> FloatArray:
    """Longitude, latitude (deg) and height (m), to a centimetre."""
    lonlat = np.round(np.degrees([station.lon_rad, station.lat_rad]), 7)
    return np.array([*lonlat, round(station.height_m, 3)])


def _targets(
    table: pa.Table, rows: Mapping[str, Sequence[int]], requests: Sequence[Request]
) -> list[Place]:
    strips = {entry["name"]: entry for entry in about_of(table).get("strips", ())}
    found = [_strip(entry, rows.get(name, ())) for name, entry in strips.items()]
    points = {name: which for name, which in rows.items() if name not in strips}
    firsts = pa.array([which[0] for which in points.values()], pa.int64())
    ends = table["strip_geometry"].take(firsts).to_pylist()
    middles = _middles(np.array(ends, dtype=np.float64).reshape(-1, 2, 3))
    found += [
        Place(name=name, group=name, lonlath=middle, outline=None, rows=which)
        for (name, which), middle in zip(points.items(), middles, strict=True)
    ]
    found.sort(key=lambda place: place.rows[0] if place.rows else len(table))
    return found + [
        Place(
            name=r.name,
            group=r.name,
            lonlath=np.array([r.geometry.x, r.geometry.y, r.height_m]),
            outline=None,
            rows=(),
        )
        for r in requests
        if r.kind == "point" and r.name not in points
    ]


def _strip(entry: Mapping[str, Any], rows: Sequence[int]) -> Place:
    ends = np.array(entry["centre_line"], dtype=np.float64)
    return Place(
        name=entry["name"],
        group=entry["request"],
        lonlath=_middles(ends[None])[0],
        outline=strip_outline(ends, entry["width_m"]),
        rows=rows,
    )


def _middles(ends: FloatArray) -> FloatArray:
    """Longitude, latitude and height (n, 3) of the middles of lines (n, 2, 3)."""
    lines = line_from_lonlath(ends)
    lonlat = lonlat_of(lines.normal(np.full(len(ends), 0.5)))
    return np.concatenate([lonlat, np.mean(ends[:, :, 2:], axis=1)], axis=1)


def strip_outline(ends: FloatArray, width_m: float) -> FloatArray:
    """The ring (k, 2), deg, around a strip whose middle line has the ends (2, 3)."""
    share = np.linspace(0.0, 1.0, _ALONG)
    line = line_from_lonlath(ends)
    middle = line.normal(share)
    right = unit(cross(unit(line.normals[1] - line.normals[0])[None], middle))
    half_rad = 0.5 * width_m / MEAN_RADIUS_M
    sides = [np.cos(half_rad) * middle + sign * np.sin(half_rad) * right for sign in (1.0, -1.0)]
    ring = np.concatenate([sides[0], sides[1][::-1], sides[0][:1]])
    return continuous(lonlat_of(ring))


def lonlat_of(normals: FloatArray) -> FloatArray:
    """Longitudes and latitudes (..., 2), deg, of normals of the ellipsoid (..., 3)."""
    x, y, z = np.moveaxis(normals, -1, 0)
    lonlat = np.stack([np.arctan2(y, x), np.arcsin(np.clip(z, -1.0, 1.0))], axis=-1)
    return np.asarray(np.degrees(lonlat))


def continuous(lonlat: FloatArray) -> FloatArray:
    """The line (n, 2) with longitudes that go on past 180 rather than jump."""
    return np.stack([np.unwrap(lonlat[:, 0], period=360.0), lonlat[:, 1]], axis=1)


def wrapped(lon_deg: FloatArray) -> FloatArray:
    """Longitudes within -180 to 180."""
    return np.asarray((lon_deg + 180.0) % 360.0 - 180.0)
