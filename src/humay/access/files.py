"""Tables as files, by the suffix of their name; Parquet is read back."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from humay.access.records import Contacts, Opportunities, Pointing, Timeline
from humay.access.tables.contacts import contacts_from_table
from humay.access.tables.opportunities import opportunities_from_table, pointing_from_table
from humay.access.tables.timelines import timelines_from_table
from humay.access.views.calendar import ics_bytes
from humay.access.views.common import Backdrop
from humay.access.views.czml import czml_bytes
from humay.access.views.kml import kml_bytes
from humay.access.views.map import map_picture
from humay.access.views.png import png_bytes
from humay.access.views.rows import csv_bytes, geojson_bytes
from humay.access.views.svg import svg_text
from humay.errors import AccessError
from humay.time import Epoch

_VIEWS = {
    ".geojson": geojson_bytes,
    ".json": geojson_bytes,
    ".czml": czml_bytes,
    ".kml": kml_bytes,
    ".ics": ics_bytes,
}


def read_opportunities(path: Path, epoch: Epoch) -> Opportunities:
    """The windows of a Parquet file, on the time scale of `epoch`. Raises `AccessError`."""
    return opportunities_from_table(_read(path), epoch, where=str(path))


def read_pointing(path: Path, epoch: Epoch) -> list[Pointing | None] | None:
    """The pointing samples of an opportunity file, or None if it was written without them."""
    return pointing_from_table(_read(path), epoch, where=str(path))


def read_contacts(path: Path, epoch: Epoch) -> Contacts:
    """The contacts of a Parquet file. Raises `AccessError`."""
    return contacts_from_table(_read(path), epoch, where=str(path))


def read_timelines(path: Path, epoch: Epoch) -> dict[str, Timeline]:
    """The timelines of a Parquet file. Raises `AccessError`."""
    return timelines_from_table(_read(path), epoch, where=str(path))


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise AccessError(f"{path}: cannot be read as Parquet: {reason}") from error


def table_bytes(table: pa.Table, suffix: str, backdrop: Backdrop | None = None) -> bytes:
    """A table in the format of a file name's suffix; refuses others.

    The orbits of `backdrop` are needed by `.czml`, its stations place contacts.
    """
    if suffix == ".parquet":
        return _parquet_bytes(table)
    if suffix == ".csv":
        return csv_bytes(table)
    if suffix in _VIEWS:
        return _VIEWS[suffix](table, backdrop or Backdrop())
    known = ", ".join((".parquet", ".csv", *_VIEWS))
    raise AccessError(f"{suffix!r} is not a known format, expected one of {known}")


def plot_bytes(table: pa.Table, suffix: str, backdrop: Backdrop | None = None) -> bytes:
    """A map of where the windows of a table are, as `.svg` or `.png`; refuses other suffixes."""
    if suffix not in (".svg", ".png"):
        raise AccessError(f"{suffix!r} is not a known picture, expected .svg or .png")
    picture = map_picture(table, backdrop or Backdrop())
    return svg_text(picture).encode() if suffix == ".svg" else png_bytes(picture)


def _parquet_bytes(table: pa.Table) -> bytes:
    """Zstandard; smooth samples split into byte streams, which halves them."""
    samples = [f"{name}.list.element" for name in table.column_names if name.startswith("node_")]
    plain = [name for name in table.column_names if not name.startswith("node_")]
    sink = io.BytesIO()
    pq.write_table(
        table, sink, compression="zstd", use_dictionary=plain, use_byte_stream_split=samples
    )
    return sink.getvalue()
