"""What every table of this stage is made of: text, instants, and the record about the whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from humay.arrays import FloatArray
from humay.errors import AccessError, HumayError
from humay.time import UNIX_ZERO_UTC, Epoch, format_utc, parse_utc

TEXT = pa.string()
NUMBER = pa.float64()
COUNT = pa.int64()
INSTANT = pa.timestamp("us", tz="UTC")
_ABOUT = b"humay"  # key of the schema's metadata


def texts(values: Iterable[Any]) -> pa.Array:
    """A column of names."""
    return pa.array(list(values), TEXT)


def instants(epoch: Epoch, t_s: FloatArray) -> pa.Array:
    """A column of UTC instants; empty where `t_s` (n,) is NaN."""
    empty = np.isnan(t_s)
    utc_us = epoch.utc_microseconds(np.where(empty, 0.0, t_s))
    return pa.array(utc_us, mask=empty).cast(INSTANT)


def names(column: pa.ChunkedArray) -> Any:
    """The texts (n,) of a column as Python strings."""
    return np.array(column.to_pylist(), dtype=object)


def floats(column: pa.ChunkedArray) -> FloatArray:
    """The numbers (n,) of a column."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def seconds(epoch: Epoch, column: pa.ChunkedArray) -> FloatArray:
    """Seconds (n,) after `epoch` of a column of instants, UTC; NaN where it is empty."""
    start = (epoch.moment - UNIX_ZERO_UTC) // timedelta(microseconds=1)
    utc_us = column.cast(pa.timestamp("us")).cast(pa.int64())
    filled = pc.fill_null(utc_us, start).to_numpy()
    return np.where(pc.is_null(column).to_numpy(), np.nan, epoch.seconds_at(filled))


def in_lists(values: Any, size: int) -> pa.ListArray:
    """A column of lists of `size` each, from all their values."""
    return pa.ListArray.from_arrays(np.arange(0, len(values) + 1, size, dtype=np.int32), values)


def out_of_lists(column: Any, size: int) -> Any:
    """All values of a column of lists; refuses lists of another size."""
    sizes = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    if np.any(sizes != size):
        raise ValueError(f"lists of {sizes[sizes != size][0]}, expected {size} in each")
    return pc.list_flatten(column)


def rounded(values: FloatArray, digits: int) -> FloatArray:
    """Values (...) rounded as Python's `round` does: exactly, whatever the last bit of a product.

    NumPy multiplies first, which tips one value in some millions to the other side of a half.
    """
    scaled = values * 10.0**digits
    close = np.rint(scaled) / 10.0**digits
    doubtful = np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) < 1e-4
    close[doubtful] = [round(value, digits) for value in values[doubtful].tolist()]
    return np.asarray(close)


def about_whole(
    form: str, epoch: Epoch, span_s: tuple[float, float], notes: Sequence[str]
) -> dict[str, Any]:
    """The record about a table that covers a span."""
    return {
        "format": form,
        "epoch": format_utc(epoch.moment),
        "span": [format_utc(epoch.utc(t)) for t in span_s],
        "notes": list(notes),
    }


def span_of(epoch: Epoch, about: Mapping[str, Any]) -> tuple[float, float]:
    """The span (start, end) in seconds after `epoch`."""
    start, end = (epoch.seconds(parse_utc(text)) for text in about["span"])
    return start, end


def with_about(table: pa.Table, about: Mapping[str, Any], **more: str) -> pa.Table:
    """The table with its record, and other metadata, in the schema."""
    return table.replace_schema_metadata({"humay": json.dumps(about, ensure_ascii=False), **more})


def about_of(table: pa.Table) -> dict[str, Any]:
    """The record about a table; empty where it has none."""
    about = json.loads((table.schema.metadata or {}).get(_ABOUT, b"{}"))
    return about if isinstance(about, dict) else {}


def checked_about(table: pa.Table, expected: str, *, where: str) -> dict[str, Any]:
    """The record about a table of the expected format. Raises `AccessError`."""
    with whole("the record about it, 'humay' in the metadata, is damaged", where=where):
        about = about_of(table)
    if about.get("format") != expected:
        raise AccessError(f"{where}: format is {about.get('format')!r}, expected {expected!r}")
    return about


def require(table: pa.Table, columns: Mapping[str, pa.DataType], *, where: str) -> None:
    """Refuse a table without these columns of these kinds. Raises `AccessError`.

    Integers do for numbers, any resolution of time and width of text will do. Only numbers and
    instants may be empty.
    """
    for name, kind in columns.items():
        if name not in table.column_names:
            raise AccessError(f"{where}: no column {name!r}, expected one of {kind}")
        found = table.schema.field(name).type
        if not _will_do(found, kind):
            raise AccessError(f"{where}: column {name!r} holds {found}, expected {kind}")
        empty = table[name].null_count
        if empty and kind not in (NUMBER, INSTANT):
            raise AccessError(
                f"{where}: column {name!r} is empty in {empty} of {len(table)} rows, expected"
                f" {kind} in each"
            )


def _will_do(found: pa.DataType, kind: pa.DataType) -> bool:
    kinds = {
        TEXT: ("is_string", "is_large_string"),
        NUMBER: ("is_floating", "is_integer"),
        COUNT: ("is_integer",),
        INSTANT: ("is_timestamp",),
    }
    tests = kinds.get(kind, ("is_list", "is_large_list", "is_fixed_size_list"))
    return any(getattr(pa.types, test)(found) for test in tests)


@contextmanager
def whole(what: str, *, where: str) -> Iterator[None]:
    """Tell of what is missing or misshapen as `AccessError`."""
    try:
        yield
    except KeyError as error:
        raise AccessError(f"{where}: {what}: no {error}") from error
    except (ValueError, TypeError, HumayError) as error:
        raise AccessError(f"{where}: {what}: {error}") from error
