"""Time against the calendar, the published leap seconds, astropy, and itself there and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from humay.errors import HumayError, TableError
from humay.tables import earth_orientation
from humay.time import DAY_S, Epoch, format_utc, modified_julian_date, parse_utc
from tests.reference.astropy_offline import astropy_time, bulletin_a, offline, whole_microseconds

MICROSECOND = timedelta(microseconds=1)
LEAP_2016 = Epoch(datetime(2016, 12, 31, tzinfo=UTC))  # its day has 86,401 s
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
FIRST = datetime(1972, 1, 2, tzinfo=UTC)  # before 1972 there are no leap seconds
MOMENTS = st.datetimes(datetime(1972, 1, 2), datetime(2050, 1, 1), timezones=st.just(UTC))


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("text", "year_to_microsecond"),
    [
        ("2026-03-01T06:30:00Z", (2026, 3, 1, 6, 30, 0, 0)),
        ("2026-03-01 06:30Z", (2026, 3, 1, 6, 30, 0, 0)),
        ("2024-02-29T23:59:59.5Z", (2024, 2, 29, 23, 59, 59, 500_000)),
        ("2026-03-01T00:00:00.000001Z", (2026, 3, 1, 0, 0, 0, 1)),
        ("2026-03-01T02:00:00+04:00", (2026, 2, 28, 22, 0, 0, 0)),
        ("2026-12-31T20:30:00-04:30", (2027, 1, 1, 1, 0, 0, 0)),
    ],
)
def test_iso_texts_are_read_as_utc(text: str, year_to_microsecond: tuple[int, ...]) -> None:
    found = parse_utc(text)
    assert found.tzinfo is UTC
    assert (*found.timetuple()[:6], found.microsecond) == year_to_microsecond


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T06:30:00",  # no zone
        "2026-03-01",
        "2026-03-01Z",
        "tomorrow",
        "",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-01T25:00:00Z",
        "2026-03-01T06:60:00Z",
        "2016-12-31T23:59:60Z",  # a datetime cannot hold it
        "2026-03-01T06:30:00.1234567Z",
        "2026-03-01T06:30:00Z ",
        "26-03-01T06:30:00Z",
        "2026-03-01T06:30:00+99:00",
        "0001-01-01T00:00:00+05:00",
        "\uff12026-03-01T06:30:00Z",  # a full-width digit
        "NaN",
        "1772346600",
    ],
)
def test_what_is_no_instant_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(HumayError, match="is not a time") as caught:
        parse_utc(text)
    assert str(caught.value).startswith(repr(text))


@settings(deadline=None)
@given(moment=st.datetimes(datetime(1000, 1, 1), timezones=ZONES))
@example(datetime(2026, 3, 1, 6, 30, tzinfo=UTC))
def test_texts_lead_there_and_back(moment: datetime) -> None:
    try:
        moment.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999, west of Greenwich
        return
    text = format_utc(moment)
    assert text.endswith("Z")
    assert parse_utc(text) == moment
    assert format_utc(parse_utc(text)) == text


def test_a_fraction_is_written_only_where_there_is_one() -> None:
    moment = datetime(2026, 3, 1, 10, 30, tzinfo=timezone(timedelta(hours=4)))
    assert format_utc(moment) == "2026-03-01T06:30:00Z"
    assert format_utc(moment + MICROSECOND) == "2026-03-01T06:30:00.000001Z"


def test_a_time_without_its_zone_is_a_callers_mistake() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        format_utc(datetime(2026, 3, 1))
    with pytest.raises(ValueError, match="no time zone"):
        Epoch(datetime(2026, 3, 1))


# ---------------------------------------------------------------- leap seconds


def test_elapsed_seconds_count_every_leap_second() -> None:
    """TAI-UTC was 10 s on 1972-01-01 and 37 s on 2017-01-01 (IERS Bulletin C 52): 27 steps."""
    epoch = Epoch(datetime(1972, 1, 1, tzinfo=UTC))
    new_year = datetime(2017, 1, 1, tzinfo=UTC)
    days = (new_year - epoch.moment).days
    assert epoch.seconds(new_year) == days * 86_400 + 27
    assert Epoch(new_year).seconds(epoch.moment) == -(days * 86_400 + 27)
    assert LEAP_2016.seconds(new_year) == 86_401
    assert LEAP_2016.seconds(new_year - MICROSECOND) == 86_399.999999


@pytest.mark.parametrize(
    ("t_s", "text"),
    [
        (86_399.0, "2016-12-31T23:59:59Z"),
        (86_399.999999, "2016-12-31T23:59:59.999999Z"),
        (86_400.0, "2016-12-31T23:59:59.999999Z"),  # 23:59:60
        (86_400.5, "2016-12-31T23:59:59.999999Z"),  # 23:59:60.5
        (86_400.999998, "2016-12-31T23:59:59.999999Z"),
        (86_401.0, "2017-01-01T00:00:00Z"),
        (86_401.25, "2017-01-01T00:00:00.250000Z"),
        (172_801.0, "2017-01-02T00:00:00Z"),
    ],
)
def test_a_datetime_stands_still_inside_the_leap_second(t_s: float, text: str) -> None:
    assert format_utc(LEAP_2016.utc(t_s)) == text
    from_afar = Epoch(datetime(1990, 5, 5, tzinfo=UTC))
    assert format_utc(from_afar.utc(from_afar.seconds(LEAP_2016.moment) + t_s)) == text


@settings(deadline=None)
@given(epoch=MOMENTS, moment=MOMENTS)
@example(datetime(2016, 12, 31, tzinfo=UTC), datetime(2017, 1, 1, tzinfo=UTC))
@example(datetime(2017, 1, 1, tzinfo=UTC), datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
@example(datetime(2016, 12, 31, 23, 59, 50, tzinfo=UTC), datetime(2017, 1, 1, 0, 0, 30, tzinfo=UTC))
def test_instants_lead_there_and_back_to_a_microsecond(epoch: datetime, moment: datetime) -> None:
    at = Epoch(epoch)
    assert abs(at.utc(at.seconds(moment)) - moment) <= MICROSECOND
    assert at.seconds(moment) == -Epoch(moment).seconds(epoch)


@settings(deadline=None)
@given(before_s=st.floats(0, 100), after_s=st.floats(0, 100))
def test_later_seconds_are_never_an_earlier_instant(before_s: float, after_s: float) -> None:
    begin = 86_350.0 + before_s
    assert LEAP_2016.utc(begin) <= LEAP_2016.utc(begin + after_s)


def plain_microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND


@settings(deadline=None)
@given(
    epoch=MOMENTS,
    t_s=st.lists(st.floats(-5e6, 5e6), min_size=1, max_size=20),
    fine=st.lists(st.integers(-(10**13), 10**13).map(lambda n: n / 2e6), max_size=20),
)
@example(LEAP_2016.moment, [86_399.0, 86_399.9999995, 86_400.0, 86_400.5, 86_401.0], [])
@example(datetime(2017, 1, 1, tzinfo=UTC), [-1.0000005, -1.0, -0.5, -1e-6, -4e-7, 0.0], [])
@example(datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), [1e-6, 1.0, 1.000001, 2.0], [])
@example(datetime(2026, 3, 1, tzinfo=UTC), [0.5e-6, 1.5e-6, 2.5e-6, -0.5e-6, -1.5e-6], [])
def test_arrays_of_instants_are_those_of_single_ones(
    epoch: datetime, t_s: list[float], fine: list[float]
) -> None:
    at = Epoch(epoch)
    times = np.array([t for t in t_s + fine if epoch + timedelta(seconds=t) > FIRST])
    found = at.utc_microseconds(times)
    assert found.tolist() == [plain_microseconds(at.utc(t)) for t in times]
    moments = [datetime(1970, 1, 1, tzinfo=UTC) + n * MICROSECOND for n in found.tolist()]
    assert at.seconds_at(found).tolist() == [at.seconds(moment) for moment in moments]


def test_an_instant_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        LEAP_2016.utc_microseconds(np.array([0.0, np.nan]))


@settings(deadline=None)
@given(epoch=MOMENTS, early=MOMENTS, late=MOMENTS)
def test_spans_add_up_whatever_the_epoch(epoch: datetime, early: datetime, late: datetime) -> None:
    at = Epoch(epoch)
    assert at.seconds(late) - at.seconds(early) == pytest.approx(
        Epoch(early).seconds(late), abs=1e-6
    )


class Spring2026(tzinfo):
    """Central European time: on 2026-03-29 the clock goes from 02:00 to 03:00."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        assert moment is not None
        summer = moment.replace(tzinfo=None) >= datetime(2026, 3, 29, 3)
        return timedelta(hours=2 if summer else 1)

    def dst(self, moment: datetime | None) -> timedelta:
        return self.utcoffset(moment) - timedelta(hours=1)

    def tzname(self, moment: datetime | None) -> str:
        return "CEST" if self.dst(moment) else "CET"


def test_an_epoch_in_summer_time_counts_what_the_clock_leaves_out() -> None:
    """Python subtracts two datetimes of one zone by the clock on the wall: two hours here."""
    zone = Spring2026()
    epoch = Epoch(datetime(2026, 3, 29, 1, 30, tzinfo=zone))
    assert epoch.seconds(datetime(2026, 3, 29, 3, 30, tzinfo=zone)) == 3600
    assert format_utc(epoch.utc(3600.0)) == "2026-03-29T01:30:00Z"
    assert epoch.utc(3600.0).tzinfo is UTC


def test_utc_before_1972_is_refused() -> None:
    with pytest.raises(TableError, match="leap seconds begin"):
        Epoch(datetime(1971, 12, 31, tzinfo=UTC)).seconds(datetime(1980, 1, 1, tzinfo=UTC))


# ---------------------------------------------------------------- days and dates


def test_days_by_hand() -> None:
    assert modified_julian_date(datetime(1858, 11, 17, tzinfo=UTC)) == 0.0
    assert modified_julian_date(datetime(2000, 1, 1, 12, tzinfo=UTC)) == 51_544.5  # J2000
    assert LEAP_2016.mjd_utc(np.array([0.0, 43_200.0])).tolist() == [57_753.0, 57_753.5]


def test_days_of_utc_near_a_leap_second() -> None:
    """57754 is 2017-01-01. Inside the leap second a day has no name: at most 1 s off either way."""
    t_s = np.array([86_399.0, 86_399.999, 86_401.0, 86_401.5, 86_500.0])
    after_midnight_s = (LEAP_2016.mjd_utc(t_s) - 57_754.0) * DAY_S
    assert np.allclose(after_midnight_s, [-1.0, -0.001, 0.0, 0.5, 99.0], rtol=0, atol=1e-6)
    inside = (LEAP_2016.mjd_utc(np.linspace(86_400, 86_400.999, 50)) - 57_754.0) * DAY_S
    assert np.abs(inside).max() < 1.0


@settings(deadline=None)
@given(epoch=MOMENTS, moment=MOMENTS)
def test_days_of_utc_are_those_of_the_calendar(epoch: datetime, moment: datetime) -> None:
    at = Epoch(epoch)
    found = at.mjd_utc(np.array(at.seconds(moment)))
    assert abs(found - modified_julian_date(moment)) * DAY_S <= 2e-6


def test_terrestrial_time_is_the_published_one() -> None:
    """D. A. Vallado, Fundamentals of Astrodynamics (2013), example 3-15: 2004-04-06,
    07:51:28.386009 UTC is JD 2453101.828154745 TT (given to 40 microseconds)."""
    whole, days = Epoch(parse_utc("2004-04-06T07:51:28.386009Z")).julian_tt(np.array(0.0))
    assert abs((whole - 2_453_101) + days - 0.828154745) * DAY_S < 1e-4


def test_ut1_runs_on_through_a_leap_second() -> None:
    """A day of UT1 differs from 86,400 SI seconds by 1 to 2 ms (IERS): 3e-8 in a second."""
    t_s = np.linspace(86_390, 86_410, 2001)
    whole, days = LEAP_2016.julian_ut1(t_s)
    elapsed_s = (days - days[0]) * DAY_S
    assert whole == 2_457_753.5
    assert np.abs(elapsed_s - (t_s - t_s[0])).max() < 1e-6


def test_ut1_is_held_after_the_end_of_the_table() -> None:
    """UT1-TAI, not UT1-UTC, is held: the Earth goes on turning as on the last day."""
    epoch = Epoch(datetime(2026, 1, 1, tzinfo=UTC))
    end_s = (earth_orientation().end_mjd - modified_julian_date(epoch.moment)) * DAY_S
    t_s = end_s + np.array([0.0, 1.0, 86_400.0, 3e8])
    _, ut1_days = epoch.julian_ut1(t_s)
    _, tt_days = epoch.julian_tt(t_s)
    assert np.ptp(ut1_days - tt_days) * DAY_S < 1e-6


def test_one_instant_gives_what_it_gives_among_many() -> None:
    epoch = Epoch(datetime(2019, 10, 30, 3, 4, 5, 678, tzinfo=UTC))
    t_s = np.random.default_rng(1).uniform(-1e8, 1e8, (3, 4))
    for dates in (epoch.julian_tt, epoch.julian_ut1):
        whole, days = dates(t_s)
        assert days.shape == (3, 4)
        assert dates(t_s[1, 2]) == (whole, days[1, 2])
    assert epoch.mjd_utc(t_s)[1, 2] == epoch.mjd_utc(t_s[1, 2])


# ---------------------------------------------------------------- astropy


def test_tt_and_ut1_are_those_of_astropy_to_a_microsecond() -> None:
    """Bulletin A, measured days from 1975 to 2026 and days with a leap second among them."""
    epoch = Epoch(datetime(1993, 7, 1, tzinfo=UTC))
    begin = epoch.seconds(datetime(1975, 1, 1, tzinfo=UTC))
    end = epoch.seconds(datetime(2026, 10, 1, tzinfo=UTC))
    scattered = np.random.default_rng(2).uniform(begin, end, 300)
    leap_day = epoch.seconds(LEAP_2016.moment) + np.array([0.0, 40_000.5, 86_399.5, 86_402.0])
    moments, t_s = whole_microseconds(epoch, np.concatenate([scattered, leap_day]))
    with bulletin_a():
        theirs = astropy_time(moments)
        for scale, ours in (("tt", epoch.julian_tt(t_s)), ("ut1", epoch.julian_ut1(t_s))):
            date = getattr(theirs, scale)
            difference_s = ((date.jd1 - ours[0]) + (date.jd2 - ours[1])) * DAY_S
            assert np.abs(difference_s).max() < 1e-6, scale


def test_ut1_is_that_of_the_final_bulletin_b_within_02_ms() -> None:
    """astropy left to itself takes Bulletin B: 0.2 ms of UT1 are 0.1 m at the equator."""
    epoch = Epoch(datetime(2010, 1, 1, tzinfo=UTC))
    moments, t_s = whole_microseconds(epoch, np.random.default_rng(3).uniform(0, 5.3e8, 300))
    with offline():
        date = astropy_time(moments).ut1
    whole, days = epoch.julian_ut1(t_s)
    assert np.abs((date.jd1 - whole) + (date.jd2 - days)).max() * DAY_S < 2e-4
