"""The reference tables Humay stands on: Earth orientation, leap seconds, geoid, relief, shores,
spectra, calibration targets.

Everything is read from installed files, once: Earth orientation and leap seconds from the package
`astropy_iers_data`, the rest from `humay/data`, where a SOURCE.md beside each table tells where
it comes from. Nothing is fetched.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import astropy_iers_data
import numpy as np
from numpy.typing import ArrayLike, NDArray

from humay.arrays import FloatArray, frozen
from humay.errors import TableError

DATA = Path(__file__).parent / "data"

RAD_PER_ARCSEC = np.pi / 648_000
GROUND_M_PER_UT1_S = 465.1  # speed of the equator: 7.292115e-5 rad/s times 6378.137 km
GROUND_M_PER_RAD = 6_378_137.0  # the pole's displacement, seen on the ground

# What a table that has ended costs, in metres at the equator a day. Measured on the finals2000A
# table of 2026-11-02 over its 19,652 measured days, 1973 to 2026: for each lag of 1 to 720 days,
# take UT1-TAI and the pole of one day for those of `lag` days later, at every start; the ground
# error is 465.1 m/s times the first plus the pole's path on the ground. 99 % of all starts stay
# below 1.71 m a day after 1 day, 1.63 after 30, 1.48 after 180, 1.37 after 365, 1.34 after 720:
# 1.75 is above each, by 2 % after a day and 30 % after two years. The worst start is 1.94 m a day,
# in the 1970s; since 2017 none passes 1.1 m a day.
GROUND_DRIFT_M_PER_DAY = 1.75
NORMAL_99 = 2.576  # 99 % of a normal distribution lie within so many standard deviations


# ---------------------------------------------------------------- leap seconds


@dataclass(frozen=True, kw_only=True, eq=False)
class LeapSeconds:
    """The steps of TAI-UTC since 1972, each valid from 0 h UTC of its day.

    After `expires` a leap second may have been announced that the table does not know; the last
    value is then kept.
    """

    mjd_utc: FloatArray  # (n,) days
    offset_s: FloatArray  # (n,) TAI-UTC from that day on
    expires: date

    def __post_init__(self) -> None:
        if self.mjd_utc.size == 0 or self.mjd_utc.shape != self.offset_s.shape:
            raise TableError(
                f"leap seconds: {self.mjd_utc.size} days and {self.offset_s.size} offsets, "
                "expected as many of both, and at least one"
            )
        if not np.all(np.diff(self.mjd_utc) > 0):
            raise TableError("leap seconds: days are not in order")

    def tai_minus_utc_s(self, mjd_utc: ArrayLike) -> FloatArray:
        """TAI-UTC at UTC days of any shape; `TableError` before 1972, when UTC had a rate."""
        mjd = np.asarray(mjd_utc, dtype=np.float64)
        if not np.all(mjd >= self.mjd_utc[0]):  # also refuses NaN
            raise TableError(
                f"leap seconds begin at MJD {self.mjd_utc[0]:.0f} (1972-01-01), "
                f"asked for {_low(mjd)}"
            )
        return np.asarray(self.offset_s[np.searchsorted(self.mjd_utc, mjd, side="right") - 1])


@cache
def leap_seconds() -> LeapSeconds:
    """Leap seconds as published by the IERS, from `astropy_iers_data`."""
    return read_leap_seconds(Path(astropy_iers_data.IERS_LEAP_SECOND_FILE))


def read_leap_seconds(path: Path) -> LeapSeconds:
    """Read the IERS file Leap_Second.dat: MJD, day, month, year, TAI-UTC, with # remarks."""
    text = path.read_text(encoding="ascii")
    expiry = re.search(r"File expires on (\d{1,2} \w+ \d{4})", text)
    if expiry is None:
        raise TableError(f"{path}: no line 'File expires on DAY MONTH YEAR'")
    rows = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    try:
        steps = np.array([(float(row[0]), float(row[4])) for row in rows]).reshape(-1, 2)
        expires = datetime.strptime(expiry[1], "%d %B %Y").date()
    except (ValueError, IndexError) as error:
        raise TableError(f"{path}: {error}; expected lines 'MJD day month year TAI-UTC'") from error
    return LeapSeconds(mjd_utc=frozen(steps[:, 0]), offset_s=frozen(steps[:, 1]), expires=expires)


# ---------------------------------------------------------------- Earth orientation


@dataclass(frozen=True, kw_only=True, eq=False)
class EarthOrientation:
    """UT1 and the pole by day of UTC: measured to `last_measured_mjd`, then predicted for a year.

    Between days UT1-TAI and the pole are interpolated linearly (within 3 cm on the ground; the
    daily and half-daily tides, some 4 cm more, are not in the table). After `end_mjd` UT1-TAI and
    the pole are held; `ground_error_m` says what that costs.
    """

    mjd_utc: FloatArray  # (n,) days, 0 h UTC
    ut1_minus_utc_s: FloatArray  # (n,)
    polar_x_rad: FloatArray  # (n,) towards longitude 0
    polar_y_rad: FloatArray  # (n,) towards longitude 90 W
    ground_sigma_m: FloatArray  # (n,) the table's own standard deviation, at the equator
    last_measured_mjd: float
    leap_seconds: LeapSeconds

    def __post_init__(self) -> None:
        columns = (self.ut1_minus_utc_s, self.polar_x_rad, self.polar_y_rad, self.ground_sigma_m)
        if self.mjd_utc.size < 2 or any(c.shape != self.mjd_utc.shape for c in columns):
            raise TableError("Earth orientation: columns differ in length or have under 2 days")
        if not np.all(np.diff(self.mjd_utc) == 1.0):
            raise TableError("Earth orientation: days are missing or not in order")
        if not all(np.isfinite(c).all() for c in columns):
            raise TableError("Earth orientation: a value is not a number")

    @property
    def end_mjd(self) -> float:
        """Last day of the table, predictions included."""
        return float(self.mjd_utc[-1])

    @cached_property
    def _ut1_minus_tai_s(self) -> FloatArray:
        return frozen(self.ut1_minus_utc_s - self.leap_seconds.tai_minus_utc_s(self.mjd_utc))

    def at(self, mjd_utc: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """UT1-UTC (s) and the pole x, y (rad) at UTC days of any shape.

        UT1 runs smoothly through a leap second, UTC does not: the interpolation is in UT1-TAI.
        `TableError` before the table begins (1973-01-02).
        """
        mjd = self._checked(mjd_utc)
        ut1_minus_tai_s = np.interp(mjd, self.mjd_utc, self._ut1_minus_tai_s)
        return (
            np.asarray(ut1_minus_tai_s + self.leap_seconds.tai_minus_utc_s(mjd)),
            np.asarray(np.interp(mjd, self.mjd_utc, self.polar_x_rad)),
            np.asarray(np.interp(mjd, self.mjd_utc, self.polar_y_rad)),
        )

    def ground_error_m(self, mjd_utc: ArrayLike) -> FloatArray:
        """Error on the ground, at the equator, that 99 % of cases stay below; any shape.

        Inside the table 2.576 times its own standard deviation: centimetres where measured,
        some 30 m at the end of a year of predictions. After its end 1.75 m a day more
        (`GROUND_DRIFT_M_PER_DAY`). A leap second announced after the table was made is not in it.
        """
        mjd = self._checked(mjd_utc)
        own_m = NORMAL_99 * np.interp(mjd, self.mjd_utc, self.ground_sigma_m)
        return np.asarray(own_m + GROUND_DRIFT_M_PER_DAY * np.maximum(mjd - self.end_mjd, 0.0))

    def _checked(self, mjd_utc: ArrayLike) -> FloatArray:
        mjd = np.asarray(mjd_utc, dtype=np.float64)
        if not np.all(mjd >= self.mjd_utc[0]):  # also refuses NaN
            raise TableError(
                f"Earth orientation begins at MJD {self.mjd_utc[0]:.0f}, asked for {_low(mjd)}"
            )
        return mjd


@cache
def earth_orientation() -> EarthOrientation:
    """Bulletin A of the IERS, 1973 to a year ahead, from `astropy_iers_data`."""
    return read_earth_orientation(Path(astropy_iers_data.IERS_A_FILE), leap_seconds())


def read_earth_orientation(path: Path, leap_seconds: LeapSeconds) -> EarthOrientation:
    """Read the IERS file finals2000A.all (the Bulletin A columns; layout in ReadMe.finals2000A)."""
    lines = _lines(path, width=187)
    flag = lines[:, 57]
    filled = int(np.count_nonzero(flag != ord(" ")))  # the table ends in days without values
    lines, flag = lines[:filled], flag[:filled]
    if not np.any(flag == ord("I")):
        raise TableError(f"{path}: no day is flagged 'I' (measured) in byte 58")

    def column(first: int, last: int) -> FloatArray:
        """Bytes `first` to `last`, counted from 1 as in the file's description."""
        cells = np.ascontiguousarray(lines[:, first - 1 : last]).view(f"S{last - first + 1}")
        try:
            return cells.ravel().astype(np.float64)
        except ValueError as error:
            raise TableError(f"{path}: bytes {first}-{last}: {error}") from error

    mjd_utc = column(8, 15)
    pole_sigma_rad = np.hypot(column(28, 36), column(47, 55)) * RAD_PER_ARCSEC
    return EarthOrientation(
        mjd_utc=frozen(mjd_utc),
        ut1_minus_utc_s=frozen(column(59, 68)),
        polar_x_rad=frozen(column(19, 27) * RAD_PER_ARCSEC),
        polar_y_rad=frozen(column(38, 46) * RAD_PER_ARCSEC),
        ground_sigma_m=frozen(
            np.hypot(GROUND_M_PER_UT1_S * column(69, 78), GROUND_M_PER_RAD * pole_sigma_rad)
        ),
        last_measured_mjd=float(mjd_utc[np.flatnonzero(flag == ord("I"))[-1]]),
        leap_seconds=leap_seconds,
    )


def _lines(path: Path, *, width: int) -> NDArray[np.uint8]:
    """A text file of equal lines as bytes `(lines, width)`: 20 times faster than a loop."""
    data = np.fromfile(path, dtype=np.uint8)
    if data.size == 0 or data.size % (width + 1) != 0:
        raise TableError(f"{path}: {data.size} bytes, expected whole lines of {width} characters")
    lines = data.reshape(-1, width + 1)
    short = np.flatnonzero(lines[:, width] != ord("\n"))
    if short.size:
        raise TableError(f"{path}:{short[0] + 1}: the line is not {width} characters long")
    return lines[:, :width]


def _low(mjd: FloatArray) -> str:
    return f"MJD {np.min(mjd):.3f}"


# ---------------------------------------------------------------- geoid and relief


def geoid_height_m(lon_rad: ArrayLike, lat_rad: ArrayLike) -> FloatArray:
    """Height of the EGM96 geoid above the WGS84 ellipsoid; any shapes that broadcast.

    Bilinear on a 15' grid: within 6 cm of NGA's own interpolation at its published test points.
    Longitudes wrap.
    """
    lon_deg, lat_deg = _degrees(lon_rad, lat_rad)
    return _bilinear(_geoid_cm(), (90.0 - lat_deg) * 4.0, (lon_deg + 180.0) * 4.0) / 100.0


def relief_height_m(lon_rad: ArrayLike, lat_rad: ArrayLike) -> FloatArray:
    """Coarse height of the ground above the geoid; any shapes that broadcast.

    Bilinear between the centres of 5' cells (9 km) in steps of 28 m: a last resort where nothing
    better is known. On land 80 % of cells are within 50 m and 89 % within 100 m of another
    model's, but a valley or a peak inside a cell may be off by hundreds of metres (rms 216 m in
    the French Alps). The sea is 0, never below (no bathymetry); land below the sea is kept, the
    Caspian Sea is at -28 m. Ice counts as ground. Longitudes wrap.
    """
    lon_deg, lat_deg = _degrees(lon_rad, lat_rad)
    code, heights_m = _relief()
    row, col = (90.0 - lat_deg) * 12.0 - 0.5, (lon_deg + 180.0) * 12.0 - 0.5
    return _bilinear(code, row, col, values=heights_m)


def _degrees(lon_rad: ArrayLike, lat_rad: ArrayLike) -> tuple[FloatArray, FloatArray]:
    lon_deg, lat_deg = np.broadcast_arrays(np.degrees(lon_rad), np.degrees(lat_rad))
    if not np.all(np.isfinite(lon_deg)):
        raise ValueError("a longitude is not a finite number")
    if not np.all(np.abs(lat_deg) <= 90.0 + 1e-9):  # also refuses NaN; rounding may pass the pole
        raise ValueError(f"latitudes reach {np.max(np.abs(lat_deg))} deg, expected within 90")
    return lon_deg, lat_deg


def _bilinear(
    grid: NDArray[np.integer], row: FloatArray, col: FloatArray, *, values: FloatArray | None = None
) -> FloatArray:
    """Interpolate at fractional rows and columns: rows stop at the edges, columns wrap.

    With `values`, the grid holds codes and `values[code]` is what is interpolated.
    """
    rows, cols = grid.shape
    row = np.clip(row, 0.0, rows - 1.0)
    above = np.minimum(row.astype(np.int64), rows - 2)
    left = np.floor(col).astype(np.int64)
    down, right = row - above, col - left

    def corner(i: NDArray[np.int64], j: NDArray[np.int64]) -> FloatArray:
        cell = grid[i, j % cols]
        return np.asarray(cell if values is None else values[cell], dtype=np.float64)

    upper = corner(above, left) * (1 - right) + corner(above, left + 1) * right
    lower = corner(above + 1, left) * (1 - right) + corner(above + 1, left + 1) * right
    return np.asarray(upper * (1 - down) + lower * down)


@cache
def _geoid_cm() -> NDArray[np.int16]:
    """(721, 1440) nodes every 15', from 90 N and 180 W; the file holds differences along both."""
    steps = _read_npz("geoid")["steps_cm"]
    rows = np.cumsum(steps, axis=0, dtype=np.int16)
    return np.cumsum(rows, axis=1, dtype=np.int16, out=rows)


@cache
def _relief() -> tuple[NDArray[np.uint8], FloatArray]:
    """(2160, 4320) codes of 5' cells, from 90 N and 180 W, and the height of each code."""
    table = _read_npz("relief")
    return table["code"].astype(np.uint8, copy=False), table["heights_m"].astype(np.float64)


# ---------------------------------------------------------------- shores and borders


def land_outlines() -> tuple[FloatArray, ...]:
    """Shores as closed rings `(n, 2)` of lon_deg, lat_deg, for maps.

    Islands, and seas enclosed by land (the Caspian), alike: filled by the even-odd rule they are
    the land. Natural Earth 1:10m, within 0.004 deg around the Caspian, within 0.03 deg elsewhere.
    """
    return _lines_deg("land")


def border_lines() -> tuple[FloatArray, ...]:
    """Land borders between countries as lines `(n, 2)` of lon_deg, lat_deg, for orientation only.

    Natural Earth 1:10m, simplified as the shores; data/outlines/SOURCE.md says what is left out.
    """
    return _lines_deg("border")


@cache
def _lines_deg(name: str) -> tuple[FloatArray, ...]:
    table = _read_npz("outlines")
    points_deg = frozen(np.cumsum(table[f"{name}_steps"], axis=0) / 1000.0)
    return tuple(np.split(points_deg, table[f"{name}_ends"][:-1]))


# ---------------------------------------------------------------- letters

_EM_UNITS = 2048.0
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, kw_only=True, eq=False)
class Glyph:
    """A letter in ems: closed rings (n, 2), y upwards from the base line, filled by the even-odd
    rule, and the step to the next letter.
    """

    advance: float
    rings: tuple[FloatArray, ...]


def glyph(letter: str) -> Glyph:
    """Roboto's letter: Latin, Greek, Cyrillic and punctuation; a boxed question mark for others."""
    known = _glyphs()
    return known.get(letter, known[_REPLACEMENT])


@cache
def _glyphs() -> dict[str, Glyph]:
    table = _read_npz("glyphs")
    points = frozen(np.cumsum(table["steps"].astype(np.int64), axis=0) / _EM_UNITS)
    rings = np.split(points, np.cumsum(table["points"].astype(np.int64))[:-1])
    ends = np.cumsum(table["rings"].astype(np.int64))
    advances = table["advances"].astype(np.float64) / _EM_UNITS
    return {
        chr(int(code)): Glyph(advance=float(advance), rings=tuple(rings[end - count : end]))
        for code, advance, count, end in zip(
            table["codes"].astype(np.int64),
            advances,
            table["rings"].astype(np.int64),
            ends,
            strict=True,
        )
    }


# ---------------------------------------------------------------- spectra

SPECTRA_M = (400e-9, 900e-9)  # where the spectra begin and end


@dataclass(frozen=True, kw_only=True, eq=False)
class MaterialSpectra:
    """Reflectance of the ground's materials by wavelength, straight lines between nodes."""

    names: tuple[str, ...]
    wavelength_m: FloatArray  # (n,)
    reflectance: FloatArray  # (materials, n)

    def at(self, name: str, wavelength_m: ArrayLike) -> FloatArray:
        """Reflectance of a material at wavelengths of any shape within `SPECTRA_M`."""
        if name not in self.names:
            raise TableError(f"spectra: no material {name!r}, known are {', '.join(self.names)}")
        wavelength = _within_spectra(wavelength_m)
        return np.asarray(
            np.interp(wavelength, self.wavelength_m, self.reflectance[self.names.index(name)])
        )


@cache
def material_spectra() -> MaterialSpectra:
    """31 materials of the USGS Spectral Library Version 7, every 10 nm from 400 to 900 nm."""
    table = _read_npz("spectra")
    return MaterialSpectra(
        names=tuple(str(name) for name in table["names"]),
        wavelength_m=frozen(table["wavelength_nm"].astype(np.float64) * 1e-9),
        reflectance=frozen(table["reflectance"]),
    )


def solar_spectrum_w_m2_um(wavelength_m: ArrayLike) -> FloatArray:
    """Irradiance of the Sun at 1 au, W / (m2 um), outside the atmosphere; within `SPECTRA_M`.

    ASTM G173-03, every nanometre, straight lines between.
    """
    return np.asarray(np.interp(_within_spectra(wavelength_m), *_solar_spectrum()))


def solar_irradiance_w_m2_um(low_m: float, high_m: float) -> float:
    """Mean irradiance of the Sun at 1 au over a band, W / (m2 um), outside the atmosphere.

    Within 2 % of what the operators of SPOT 6 and Pleiades publish for bands of these limits.
    """
    if not low_m < high_m:
        raise ValueError(f"band is {low_m} to {high_m} m, expected the lower limit first")
    nodes = _solar_spectrum()[0]
    inner = nodes[(nodes > low_m) & (nodes < high_m)]
    wavelength = np.concatenate([[low_m], inner, [high_m]])
    value = solar_spectrum_w_m2_um(wavelength)
    return float(np.sum(np.diff(wavelength) * (value[1:] + value[:-1]) / 2) / (high_m - low_m))


@cache
def _solar_spectrum() -> tuple[FloatArray, FloatArray]:
    table = _read_npz("spectra")
    return (
        frozen(table["solar_nm"].astype(np.float64) * 1e-9),
        frozen(table["solar_w_m2_um"]),
    )


def _within_spectra(wavelength_m: ArrayLike) -> FloatArray:
    wavelength = np.asarray(wavelength_m, dtype=np.float64)
    first, last = SPECTRA_M
    if not np.all((wavelength >= first * (1 - 1e-9)) & (wavelength <= last * (1 + 1e-9))):
        raise TableError(
            f"spectra reach from {first * 1e9:.0f} to {last * 1e9:.0f} nm, asked for "
            f"{np.min(wavelength) * 1e9:.0f} to {np.max(wavelength) * 1e9:.0f} nm"
        )
    return wavelength


# ---------------------------------------------------------------- calibration


@cache
def calibration_rows(name: Literal["sites", "stars"]) -> tuple[dict[str, str], ...]:
    """Rows of a table of calibration targets as text by column; data/calibration/SOURCE.md tells
    what the columns are."""
    with (DATA / "calibration" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _read_npz(name: str) -> dict[str, NDArray[np.generic]]:
    with np.load(DATA / name / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)
