"""Time: aware UTC at the border, elapsed SI seconds after one epoch inside.

UTC days are not all alike (leap seconds) and the Earth does not turn evenly (UT1), so every
conversion stands here and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.errors import HumayError
from humay.tables import earth_orientation, leap_seconds

DAY_S = 86_400.0
TT_MINUS_TAI_S = 32.184  # IAU 1991
MJD_ZERO_JD = 2_400_000.5
J2000_JD = 2_451_545.0
MJD_ZERO_UTC = datetime(1858, 11, 17, tzinfo=UTC)
UNIX_ZERO_UTC = datetime(1970, 1, 1, tzinfo=UTC)
UNIX_ZERO_MJD = 40_587
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US

TwoPartDate: TypeAlias = tuple[float, FloatArray]
"""A Julian date as a whole part and days after it: one float64 resolves only 40 microseconds."""

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


def parse_utc(text: str) -> datetime:
    """The instant of an ISO 8601 text with `Z` or an offset, as aware UTC.

    Raises `HumayError` for anything else: a time without its zone could be any of 38.
    """
    if not _ISO.fullmatch(text):
        raise HumayError(f"{text!r} is not a time, expected one like 2026-03-01T06:30:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise HumayError(f"{text!r} is not a time: {error}") from error


def format_utc(moment: datetime) -> str:
    """ISO 8601 with `Z`, microseconds where there are any."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def modified_julian_date(moment: datetime) -> float:
    """MJD of an aware UTC datetime, in UTC days of 86,400 s (good to 1 microsecond)."""
    return (moment - MJD_ZERO_UTC) / timedelta(days=1)


@dataclass(frozen=True)
class Epoch:
    """The zero of `t_s`, elapsed SI seconds.

    A datetime cannot hold 23:59:60: an instant inside a leap second is shown as the last
    microsecond before it.
    """

    moment: datetime

    def __post_init__(self) -> None:
        if self.moment.tzinfo is None:
            raise ValueError(f"epoch {self.moment!r} has no time zone")
        # Python adds to and subtracts within a zone by the clock on the wall, summer time or not.
        object.__setattr__(self, "moment", self.moment.astimezone(UTC))

    def seconds(self, moment: datetime) -> float:
        """SI seconds from this epoch to `moment`, leap seconds counted."""
        return (moment - self.moment).total_seconds() + self._leap(moment) - self._leap(self.moment)

    def utc(self, t_s: float) -> datetime:
        """The UTC instant `t_s` seconds after this epoch, rounded to microseconds."""
        tai_like = self.moment + timedelta(seconds=float(t_s))
        for _ in range(3):  # one step changes the offset at most once; the last proves it
            leap = self._leap(tai_like) - self._leap(self.moment)
            moment = self.moment + timedelta(seconds=float(t_s) - leap)
            if self._leap(moment) - self._leap(self.moment) == leap:
                return moment
            tai_like = moment
        midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
        nearest = midnight if moment - midnight < timedelta(hours=12) else midnight + timedelta(1)
        return nearest - timedelta(microseconds=1)

    def utc_microseconds(self, t_s: FloatArray) -> IntArray:
        """UTC (...) at `t_s` (...) as microseconds after 1970-01-01, in days of 86,400 s.

        What `utc` gives, to the microsecond, for arrays. Refuses NaN.
        """
        t = np.asarray(t_s, dtype=np.float64)
        if not np.all(np.isfinite(t)):
            raise ValueError("a time is not a finite number")
        start = (self.moment - UNIX_ZERO_UTC) // _MICROSECOND
        leap_at_start = self._leap(self.moment)
        guess = start + _whole_microseconds(t)
        for _ in range(3):  # as in `utc`
            leap = _leaps(guess) - leap_at_start
            moment = start + _whole_microseconds(t - leap)
            settled = _leaps(moment) - leap_at_start == leap
            if np.all(settled):
                return moment
            guess = moment
        midnight = (moment + _DAY_US // 2) // _DAY_US * _DAY_US
        return np.where(settled, moment, midnight - 1)

    def seconds_at(self, utc_us: IntArray) -> FloatArray:
        """SI seconds (...) from this epoch to UTC instants as `utc_microseconds` gives them."""
        start = (self.moment - UNIX_ZERO_UTC) // _MICROSECOND
        utc = np.asarray(utc_us, dtype=np.int64)
        return (utc - start) / _SECOND_US + _leaps(utc) - self._leap(self.moment)

    def mjd_utc(self, t_s: FloatArray) -> FloatArray:
        """UTC as a modified Julian date; good to 1 microsecond, for looking up tables."""
        mjd_tai = self._mjd + (np.asarray(t_s) + self._leap(self.moment)) / DAY_S
        leaps = leap_seconds()
        offset = leaps.tai_minus_utc_s(mjd_tai)
        return np.asarray(mjd_tai - leaps.tai_minus_utc_s(mjd_tai - offset / DAY_S) / DAY_S)

    def julian_tt(self, t_s: FloatArray) -> TwoPartDate:
        """Terrestrial Time."""
        after = self._leap(self.moment) + TT_MINUS_TAI_S + np.asarray(t_s, dtype=np.float64)
        return self._jd_midnight, self._day_fraction + after / DAY_S

    def julian_ut1(self, t_s: FloatArray) -> TwoPartDate:
        """UT1, the angle the Earth has turned; held after the end of the orientation table."""
        t = np.asarray(t_s, dtype=np.float64)
        mjd = self.mjd_utc(t)
        ut1_minus_utc_s = earth_orientation().at(mjd)[0]
        leap_since_epoch = leap_seconds().tai_minus_utc_s(mjd) - self._leap(self.moment)
        return self._jd_midnight, self._day_fraction + (
            t - leap_since_epoch + ut1_minus_utc_s
        ) / DAY_S

    @property
    def _mjd(self) -> float:
        return modified_julian_date(self.moment)

    @property
    def _jd_midnight(self) -> float:
        return MJD_ZERO_JD + float(np.floor(self._mjd))

    @property
    def _day_fraction(self) -> float:
        midnight = self.moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return (self.moment - midnight) / timedelta(days=1)

    @staticmethod
    def _leap(moment: datetime) -> float:
        mjd = np.asarray(modified_julian_date(moment))
        return float(leap_seconds().tai_minus_utc_s(mjd))


def _whole_microseconds(t_s: FloatArray) -> IntArray:
    """Seconds (...) rounded to microseconds, half to even, as `timedelta` does."""
    whole = np.trunc(t_s)
    part_us = np.rint((t_s - whole) * _SECOND_US)
    return whole.astype(np.int64) * _SECOND_US + part_us.astype(np.int64)


def _leaps(utc_us: IntArray) -> FloatArray:
    """TAI-UTC (...) at microseconds after 1970-01-01."""
    mjd_us = np.asarray(utc_us) + UNIX_ZERO_MJD * _DAY_US
    return leap_seconds().tai_minus_utc_s(mjd_us / _DAY_US)
