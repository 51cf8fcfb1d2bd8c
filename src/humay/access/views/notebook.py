"""What a notebook shows of windows: counts, a map, the first and the last rows. No network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from humay.access.records import Contacts, Opportunities
from humay.access.tables.contacts import contacts_table
from humay.access.tables.opportunities import opportunities_table
from humay.access.views.common import (
    Backdrop,
    Kind,
    flat,
    kind_of,
    places_of,
    with_utc_texts,
    xml_text,
)
from humay.access.views.map import map_picture
from humay.access.views.svg import svg_text

_EACH_END = 5  # rows shown from the beginning, and from the end
_MAP_WIDTH = 900.0
_CELL = "padding:2px 12px 2px 0;text-align:left;white-space:nowrap"
# column: how its values are shown
_COLUMNS = {
    "satellite": "{}",
    "strip": "{}",
    "station": "{}",
    "start": "{:.19}",
    "duration_s": "{:.1f}",
    "off_nadir_deg": "{:.1f}",
    "sun_elevation_deg": "{:.1f}",
    "gsd_m": "{:.2f}",
    "max_elevation_deg": "{:.1f}",
    "orbit": "{}",
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A few lines of text for a terminal, HTML for a notebook."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def show(found: Opportunities | Contacts, backdrop: Backdrop | None = None) -> Shown:
    """A look at what was found: in a notebook a map and a table, elsewhere the count.

    The map needs no network and no script. `backdrop` adds tracks and requests without a window; of
    contacts there is a map only with its stations.
    """
    table = contacts_table(found) if isinstance(found, Contacts) else opportunities_table(found)
    kind, around = kind_of(table), backdrop or Backdrop()
    count = f"{len(table):,} {kind.one if len(table) == 1 else kind.many}"
    picture = ""
    if places_of(table, around):
        picture = svg_text(map_picture(table, around, width=_MAP_WIDTH))
    body = f"<p>{count}</p>{picture}{''.join(_table(table, kind))}"
    return Shown(text=count, html=f'<div style="max-width:{_MAP_WIDTH:g}px">{body}</div>')


def _table(table: pa.Table, kind: Kind) -> Iterator[str]:
    names = [name for name in _COLUMNS if name in table.column_names]
    yield '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums"><thead><tr>'
    yield from (f'<th style="{_CELL}">{name}</th>' for name in names)
    yield "</tr></thead><tbody>"
    some = with_utc_texts(flat(table).select(names))
    if len(table) <= 2 * _EACH_END:
        yield from _rows(some)
    else:
        left = len(table) - 2 * _EACH_END
        yield from _rows(some.slice(0, _EACH_END))
        yield f'<tr><td style="{_CELL}" colspan="{len(names)}">{left:,} more {kind.many}</td></tr>'
        yield from _rows(some.slice(len(table) - _EACH_END))
    yield "</tbody></table>"


def _rows(table: pa.Table) -> Iterator[str]:
    for row in table.to_pylist():
        yield "<tr>"
        yield from (f'<td style="{_CELL}">{_cell(row, name)}</td>' for name in row)
        yield "</tr>"


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    return "" if value is None else xml_text(_COLUMNS[name].format(value))
