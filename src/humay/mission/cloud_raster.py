"""What an open raster says of clouds: where its cells lie, when its layers hold, in which unit.

GeoTIFF and NetCDF (CF conventions 1.11, through GDAL's driver). What could be meant in two ways is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from humay.arrays import FloatArray
from humay.errors import HumayError
from humay.mission.clouds import MONTHS, CloudModel, Float32Array
from humay.mission.keys import made
from humay.mission.kinds import Place, shown
from humay.time import modified_julian_date, parse_utc

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

MOST_CELLS = 100_000_000  # 400 MB in memory
CLOUD_COVER = "cloud_area_fraction"  # CF standard name of total cloud cover

_FRACTIONS = ("1", "fraction", "probability", "(0 - 1)", "0-1")
_PERCENTS = ("%", "percent", "percentage")
_ROUNDING = 1e-3  # how far packed files may leave the range of a probability
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SECONDS_OF = {"second": 1.0, "sec": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "hour": 3600.0,
               "hr": 3600.0, "h": 3600.0, "day": 86_400.0, "d": 86_400.0}  # fmt: skip
_SINCE = re.compile(
    r"(?P<unit>[a-z]+) since (?P<date>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[t ](?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:\.0*)?)? ?(?:z|utc|\+?00:?00)?",
    re.ASCII,
)
_MEMBERS = ("member", "members", "number", "realization", "ensemble", "ensemble_member")
_CALENDARS = ("standard", "gregorian", "proleptic_gregorian")
_GREGORIAN_MJD = -100_840.0  # 1582-10-15, before which the standard calendar is the Julian one


def cloud_model(raster: DatasetReader, path: Path, place: Place) -> CloudModel:
    """The model that a raster of one variable holds."""
    count, rows, cols = raster.count, raster.height, raster.width
    if count * rows * cols > MOST_CELLS:
        place.refuse(f"has {count * rows * cols / 1e6:.0f} million cells, expected at most"
                     f" {MOST_CELLS / 1e6:.0f}")  # fmt: skip
    corner = _corner(raster, place)
    mjd_utc, order = _times(raster, place)
    layers = raster.read(out_dtype="float32", masked=True).filled(np.nan)
    layers = _over_members(_as_share(layers, raster, place), raster)[order]
    if raster.transform.e > 0:  # south is at the top
        layers = layers[:, ::-1]
    fields = {
        "path": path,
        "probabilities": layers,
        "mjd_utc": mjd_utc,
        **corner,
    }
    model: CloudModel = made(CloudModel, fields, place)
    return model


def cloud_variable(rasters: Sequence[DatasetReader], place: Place) -> DatasetReader:
    """Which variable of a NetCDF file holds the clouds: its standard name says so, or it is the
    only one on a map."""
    on_map = [raster for raster in rasters if not raster.transform.is_identity]
    named = [r for r in on_map if r.tags(1).get("standard_name") == CLOUD_COVER]
    chosen = named or on_map
    if len(chosen) != 1:
        names = ", ".join(raster.name.rpartition(":")[2] for raster in chosen) or "none"
        place.refuse(
            f"has the variables {names} on a map, expected one, or one with the standard name"
            f" {CLOUD_COVER}"
        )
    return chosen[0]


# Where -------------------------------------------------------------------------------------------


def _corner(raster: DatasetReader, place: Place) -> dict[str, float]:
    """Corner in the north-west and size of the cells, in degrees."""
    grid, rows, cols = raster.transform, raster.height, raster.width
    in_degrees = raster.crs.is_geographic if raster.crs else _has_degrees(raster)
    if grid.is_identity or grid.b or grid.d or not in_degrees:
        place.refuse("has no even grid of longitude and latitude, expected one")
    south, north = sorted((grid.f, grid.f + rows * grid.e))
    height = abs(grid.e)
    if not 0 < grid.a <= 360 or (cols - 1) * grid.a > 360 + 1e-6:  # the first may come again
        place.refuse(f"spans {cols * grid.a:g} deg of longitude, expected up to 360, eastwards")
    if south < -90 - height or north > 90 + height:
        place.refuse(f"spans lat {south:g} to {north:g}, expected -90 to 90")
    return {
        "west_deg": grid.c, "north_deg": north, "cell_lon_deg": grid.a, "cell_lat_deg": height,
    }  # fmt: skip


def _has_degrees(raster: DatasetReader) -> bool:
    """Whether the coordinates of a NetCDF file without a grid mapping are degrees (CF 4.1, 4.2)."""
    units = [value.lower() for key, value in raster.tags().items() if key.endswith("#units")]
    return all(any(re.fullmatch(f"degrees?_?{side}", unit) for unit in units)
               for side in ("e(ast)?", "n(orth)?"))  # fmt: skip


# When --------------------------------------------------------------------------------------------


def _times(raster: DatasetReader, place: Place) -> tuple[FloatArray | None, Any]:
    """MJD (k,) of the layers, None where they are months or hold always; and the layers' order."""
    if "NETCDF_DIM_EXTRA" in raster.tags():
        return _dimension_times(raster, place)
    bands = range(1, raster.count + 1)
    said = [raster.tags(i).get("time") or raster.descriptions[i - 1] or "" for i in bands]
    times = [_parsed(text) for text in said]
    known = [time for time in times if time is not None]
    if len(known) == len(times):
        return _rising(np.array([modified_julian_date(time) for time in known]), place)
    if known:
        place.refuse(f"has {len(known)} of {len(times)} bands with a time, expected all or none")
    if raster.count not in (1, MONTHS):
        place.refuse(
            f"has {raster.count} bands without times, expected 1, {MONTHS} for the months, or times"
            " as their descriptions, like 2026-03-01T06:30:00Z"
        )
    months = [_MONTH_NAMES.index(t[:3].lower()) for t in said if t[:3].lower() in _MONTH_NAMES]
    if raster.count == MONTHS and months and months != list(range(MONTHS)):
        place.refuse(f"has bands of the months {[m + 1 for m in months]}, expected 1 to {MONTHS}")
    return None, slice(None)


def _parsed(text: str) -> datetime | None:
    try:
        return parse_utc(text)
    except HumayError:
        return None  # a description like any other


def _dimension_times(raster: DatasetReader, place: Place) -> tuple[FloatArray | None, Any]:
    """The same from the dimension of a NetCDF variable besides longitude and latitude."""
    tags, sizes = raster.tags(), _dimensions(raster)
    long = [name for name, size in sizes.items() if size > 1 and not _is_member(raster, name)]
    if len(long) != 1:
        found = ", ".join(f"{name} ({size})" for name, size in sizes.items())
        place.refuse(f"has the dimensions {found}, expected one of times or months, or none")
    [name] = long
    listed = tags.get(f"NETCDF_DIM_{name}_VALUES", "").strip("{}").split(",")
    if len(listed) != sizes[name]:
        place.refuse(f"has no values of its dimension {name}, expected times or months")
    values = np.array(listed, dtype=np.float64)
    if name in ("month", "months"):
        return None, _month_order(values, place)
    mjd = _decoded(values, tags.get(f"{name}#units", ""), tags.get(f"{name}#calendar"), place)
    if f"{name}#climatology" in tags:
        moment = [datetime(1858, 11, 17) + timedelta(days=float(t)) for t in mjd]
        return None, _month_order(np.array([m.month for m in moment]), place)
    return _rising(mjd, place)


def _dimensions(raster: DatasetReader) -> dict[str, int]:
    """Names and sizes of the dimensions of a NetCDF variable besides the map, as its bands run: the
    last the fastest."""
    tags = raster.tags()
    return {
        name: int(tags[f"NETCDF_DIM_{name}_DEF"].strip("{}").split(",")[0])
        for name in tags.get("NETCDF_DIM_EXTRA", "").strip("{}").split(",")
        if name
    }


def _is_member(raster: DatasetReader, name: str) -> bool:
    """Whether a dimension counts the members of an ensemble."""
    return name.lower() in _MEMBERS or raster.tags().get(f"{name}#standard_name") == "realization"


def _month_order(months: FloatArray, place: Place) -> Any:
    """Indices of the layers of January to December."""
    order = np.argsort(months)
    if not np.array_equal(months[order], np.arange(1, MONTHS + 1)):
        place.refuse(f"has the months {shown(months.tolist())}, expected 1 to {MONTHS}, each once")
    return order


def _rising(mjd: FloatArray, place: Place) -> tuple[FloatArray, Any]:
    if len(mjd) < 2 or not np.all(np.diff(mjd) > 0):
        place.refuse(f"has {len(mjd)} times, expected two or more in rising order, or none")
    return mjd, slice(None)


def _decoded(values: FloatArray, units: str, calendar: str | None, place: Place) -> FloatArray:
    """MJD (UTC) of CF times, `hours since 2026-03-01` (CF conventions 4.4)."""
    found = _SINCE.fullmatch(units.strip().lower())
    second = found and _SECONDS_OF.get(found["unit"].removesuffix("s") or found["unit"])
    if not found or not second:
        place.refuse(f"has times in {shown(units)}, expected like 'hours since 2026-03-01 00:00'")
    if calendar is not None and calendar.lower() not in _CALENDARS:
        place.refuse(f"has the calendar {shown(calendar)}, expected the standard one")
    year, month, day = (int(part) for part in found["date"].split("-"))
    hours, minutes, *seconds = (int(part) for part in (found["time"] or "0:00").split(":"))
    try:
        midnight = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        place.refuse(f"has times in {shown(units)}, expected a date that exists")
    clock_s = 3600 * hours + 60 * minutes + sum(seconds)
    mjd = modified_julian_date(midnight) + (clock_s + values * second) / 86_400.0
    if calendar != "proleptic_gregorian" and modified_julian_date(midnight) < _GREGORIAN_MJD:
        place.refuse(f"has times in {shown(units)}, expected a date of the Gregorian calendar")
    return np.asarray(mjd)


# What --------------------------------------------------------------------------------------------


def _over_members(layers: Float32Array, raster: DatasetReader) -> Float32Array:
    """The mean over the members of an ensemble: each is as likely, and what it has of clouds is the
    chance of a point to lie under them. Unknown where any member is."""
    sizes = _dimensions(raster)
    members = tuple(k for k, name in enumerate(sizes) if _is_member(raster, name))
    if not members:
        return layers
    each = layers.reshape(*sizes.values(), *layers.shape[1:])
    mean = np.mean(each, axis=members, dtype=np.float64)
    return np.asarray(mean.reshape(-1, *layers.shape[1:]), dtype=np.float32)


def _as_share(layers: Float32Array, raster: DatasetReader, place: Place) -> Float32Array:
    """Probabilities from 0 to 1 of the numbers in the file, fractions or percent."""
    scale = np.array(raster.scales, dtype=np.float32)[:, None, None]
    values = layers * scale + np.array(raster.offsets, dtype=np.float32)[:, None, None]
    known = values[~np.isnan(values)]
    if not known.size:
        place.refuse("has no number anywhere, expected probabilities")
    low, high = float(known.min()), float(known.max())
    whole = np.issubdtype(np.dtype(raster.dtypes[0]), np.integer) and set(raster.scales) == {1.0}
    most = _full(raster.units[0], high, whole=bool(whole), place=place)
    if not (-_ROUNDING * most <= low and high <= (1 + _ROUNDING) * most):
        place.refuse(f"has numbers from {low:g} to {high:g}, expected 0 to {most:g}")
    return np.asarray(np.clip(values / np.float32(most), 0, 1), dtype=np.float32)


def _full(unit: str | None, high: float, *, whole: bool, place: Place) -> float:
    """The number that means surely cloudy: 1 or 100."""
    plain = (unit or "").strip().lower()
    if plain in _FRACTIONS:
        return 1.0
    if plain in _PERCENTS:
        return 100.0
    if plain:
        place.refuse(f"has numbers in {shown(unit)}, expected '1' or '%'")
    if (whole and high <= 1) or 1 + _ROUNDING < high < 2:
        place.refuse(
            f"has no unit and numbers up to {high:g}, which may be fractions or percent, expected"
            " the unit '1' or '%'"
        )
    return 1.0 if high <= 1 + _ROUNDING else 100.0
