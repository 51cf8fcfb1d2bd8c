"""Values in the text files that come with images; each message says where, what and what for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import numpy as np

from humay.arrays import FloatArray
from humay.errors import HumayError, SensorError
from humay.sensor.rpc import TERMS, Rpc, Scaling
from humay.time import parse_utc

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?Z?;?", re.ASCII)
_SHOWN = 40


def shown(text: str) -> str:
    """A value as a message shows it: in quotes, on one line, not endless."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def number(text: str, what: str, where: str) -> float:
    """A finite number; `float` would also take nan, infinity and 1_000."""
    value = float(text) if len(text) < 100 and _NUMBER.fullmatch(text.strip()) else float("nan")
    if not abs(value) < float("inf"):
        raise SensorError(f"{where}: {what} is {shown(text)}, expected a number")
    return value


def whole(text: str, what: str, where: str) -> int:
    """A whole number from 0 to 100 million, such as rows and columns are counted in."""
    if not re.fullmatch(r"\d{1,9}", text.strip(), re.ASCII) or int(text) > 100_000_000:
        raise SensorError(f"{where}: {what} is {shown(text)}, expected a whole number up to 1e8")
    return int(text)


def instant(text: str, what: str, where: str) -> datetime:
    """A time of these formats: UTC, whether it says so or not, with any number of decimals."""
    parts = _INSTANT.fullmatch(text.strip())
    if parts is None:
        raise SensorError(f"{where}: {what} is {shown(text)}, expected a time in UTC")
    day, clock, decimals = parts.groups()
    try:
        return parse_utc(f"{day}T{clock}{(decimals or '')[:7]}Z")
    except HumayError as error:
        message = f"{where}: {what} is {shown(text)}, expected a time in UTC"
        raise SensorError(message) from error


@contextmanager
def named(where: str) -> Iterator[None]:
    """Say where, if a record that refuses its values does not know it."""
    try:
        yield
    except SensorError as error:
        if str(error).startswith(where):
            raise
        raise SensorError(f"{where}: {error}") from error


def rpc_of_fields(
    value: Callable[[str], float],
    *,
    where: str,
    pixel_origin: int = 0,
    error_bias_m: float | None = None,
    error_random_m: float | None = None,
) -> Rpc:
    """The RPC whose fields `value` reads by their RPC00B names, `LINE_OFF`, `LINE_NUM_COEFF_1` ...

    `pixel_origin` is how the file counts the centre of the first pixel.
    """

    def scaling(axis: str, origin: int = 0) -> Scaling:
        return Scaling(offset=value(f"{axis}_OFF") - origin, scale=value(f"{axis}_SCALE"))

    def coefficients(part: str) -> FloatArray:
        return np.array([value(f"{part}_COEFF_{i}") for i in range(1, TERMS + 1)])

    with named(where):
        return Rpc(
            row=scaling("LINE", pixel_origin),
            col=scaling("SAMP", pixel_origin),
            lon_deg=scaling("LONG"),
            lat_deg=scaling("LAT"),
            height_m=scaling("HEIGHT"),
            row_num=coefficients("LINE_NUM"),
            row_den=coefficients("LINE_DEN"),
            col_num=coefficients("SAMP_NUM"),
            col_den=coefficients("SAMP_DEN"),
            error_bias_m=error_bias_m,
            error_random_m=error_random_m,
        )
