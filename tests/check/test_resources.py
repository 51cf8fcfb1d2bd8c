"""Masks, sliding windows, data and battery of the checker against loops and numbers by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.check import check_plan
from humay.check.case import Clock, read_case
from humay.check.contacts import direction, highest_deg, horizon_rad
from humay.check.data import bits_per_line, imaged_within
from humay.check.energy import Sunlight, battery_j
from humay.check.timeline import fly_slews
from humay.earth import geodetic_from_itrf
from humay.mission import Band, ImagingLimit
from humay.orbit import ephemerides
from humay.time import Epoch
from tests.check.valid_plan import (
    CAMERA,
    END,
    MISSION,
    START,
    STATION,
    moved,
    of_id,
    requests,
    seconds,
    valid_plan,
)


def mask(*points: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return tuple((math.radians(a), math.radians(e)) for a, e in points)


@pytest.mark.parametrize(
    ("azimuth", "elevation"),
    [(10, 5), (65, 5.5), (120, 7), (210, 6.5), (300, 6), (335, 5), (359, 5), (0, 5)],
)
def test_a_mask_is_linear_in_azimuth_and_never_below_the_least_elevation(
    azimuth: float, elevation: float
) -> None:
    """Points (10, 4), (120, 7), (300, 6) deg and at least 5 deg: by hand."""
    assert np.degrees(horizon_rad(STATION, np.radians([azimuth]))) == pytest.approx([elevation])


@pytest.mark.parametrize(("azimuth", "elevation"), [(350, 8), (355, 9), (0, 10), (5, 11), (10, 12)])
def test_a_mask_goes_on_over_north(azimuth: float, elevation: float) -> None:
    station = replace(STATION, mask=mask((10, 12), (180, 20), (350, 8)))
    assert np.degrees(horizon_rad(station, np.radians([azimuth]))) == pytest.approx([elevation])


def test_one_mask_point_holds_all_round() -> None:
    station = replace(STATION, mask=mask((90, 9)))
    assert np.degrees(horizon_rad(station, np.radians([0, 90, 359]))) == pytest.approx([9, 9, 9])


def test_a_satellite_overhead_is_at_90_deg_and_flies_on_to_the_south_south_west() -> None:
    """A descending pass at 36 N of an orbit inclined by 97.8 deg."""
    orbit = ephemerides(MISSION, START, END)["alpha"]
    t_s = np.array([orbit.epoch.seconds(START) + 1_400.0])
    lon, lat, _ = geodetic_from_itrf(orbit.position_itrf(t_s)[0])
    below = replace(STATION, lon_rad=float(lon), lat_rad=float(lat), height_m=0.0, mask=())
    elevation, _ = direction(below, orbit, t_s)
    assert np.degrees(elevation) == pytest.approx([90.0], abs=1e-4)
    elevation, azimuth = direction(below, orbit, t_s + 60.0)
    assert 180 < np.degrees(azimuth[0]) < 200
    assert 40 < np.degrees(elevation[0]) < 60  # 430 km on, 600 km up


def test_the_top_of_a_pass_over_the_zenith_is_found_between_two_seconds() -> None:
    """Half a second off the top are 0.36 deg at 600 km and 7.5 km/s."""
    case, _ = read_case(MISSION, requests(), valid_plan())
    assert case is not None
    booked = case.passes[0]
    top_s = booked.contact_start_s + 100.5
    lon, lat, _ = geodetic_from_itrf(booked.orbit.position_itrf(np.array(top_s)))
    station = replace(STATION, lon_rad=float(lon), lat_rad=float(lat), height_m=0.0)
    over = replace(booked, station=station, contact_end_s=booked.contact_start_s + 300.0)
    assert highest_deg(over) == pytest.approx(90.0, abs=0.01)


def test_a_leap_second_inside_the_span_is_counted() -> None:
    """2016-12-31 had 86,401 seconds (IERS Bulletin C 52)."""
    start, end = (datetime(year, month, 1, tzinfo=UTC) for year, month in ((2016, 12), (2017, 2)))
    clock = Clock(Epoch(datetime(2016, 11, 1, tzinfo=UTC)), start, end)
    day_s = 86_400.0
    for text, days, leaps in (
        ("2016-11-30T00:00:00Z", -1, 0),
        ("2016-12-31T00:00:00Z", 30, 0),
        ("2017-01-01T00:00:00Z", 31, 1),
        ("2017-02-02T00:00:00Z", 63, 1),
    ):
        assert clock.seconds(text) - clock.start_s == days * day_s + leaps
    assert clock.utc(clock.start_s + 31 * day_s + 1) == datetime(2017, 1, 1, tzinfo=UTC)


# ---------------------------------------------------------------- imaging time


SPANS = st.lists(st.tuples(st.floats(0, 50), st.floats(0.5, 20)), min_size=1, max_size=6)


@given(gaps=SPANS, per_s=st.floats(1, 200))
def test_time_in_sliding_windows_is_what_a_plain_sum_gives(
    gaps: list[tuple[float, float]], per_s: float
) -> None:
    begin, spans = 0.0, []
    for gap, length in gaps:
        spans.append((begin + gap, begin + gap + length))
        begin = spans[-1][1]
    limit = ImagingLimit(seconds=per_s, per_s=per_s)
    ends = np.linspace(-10.0, begin + per_s + 10.0, 101)
    plain = [sum(max(0.0, min(b, t) - max(a, t - per_s)) for a, b in spans) for t in ends]
    assert imaged_within(np.array(spans), limit, ends) == pytest.approx(plain, abs=1e-9)
    edges = np.array(spans).ravel()
    tops = imaged_within(np.array(spans), limit, np.concatenate([edges, edges + per_s]))
    assert tops.max() >= max(plain) - 1e-9


# ---------------------------------------------------------------- data


def test_bits_of_a_line_by_hand() -> None:
    """PAN 12,000 x 12 bit; red 3,000 x 12 bit every fourth line; compressed 3 to 1."""
    assert bits_per_line(CAMERA) == pytest.approx((144_000 + 9_000) / 3)
    wide = replace(
        CAMERA,
        compression=1.0,
        bands=(*CAMERA.bands, Band(name="nir", pixels=6_000, pixel_pitch_m=20e-6, bits=10,
                                   response_m=(760e-9, 890e-9))),
    )  # fmt: skip
    assert bits_per_line(wide) == pytest.approx(144_000 + 9_000 + 30_000)


@pytest.mark.parametrize(("after_s", "found"), [(26.0, False), (2.0, True)])
def test_data_leave_after_their_acquisition_has_ended(after_s: float, found: bool) -> None:
    """1.05 Gbit of a2 take 3.5 s at 300 Mbit/s: they fit behind its end in 26 s, not in 2 s."""
    plan = valid_plan()
    sent, last = of_id(plan, "downlinks", "s1"), of_id(plan, "acquisitions", "a2")
    lasts_s = seconds(sent["end"]) - seconds(sent["start"])
    sent["end"] = moved(last["end"], after_s)
    sent["start"] = moved(sent["end"], -lasts_s)
    booked = of_id(plan, "passes", "d-alpha")
    booked["start"], booked["end"] = sent["start"], sent["end"]
    for name in ("a1", "a2"):
        of_id(plan, "acquisitions", name)["delivered"] = sent["end"]
    assert ("downlink" in {v.code for v in check_plan(MISSION, requests(), plan)}) == found


# ---------------------------------------------------------------- battery


def test_the_battery_never_holds_more_than_its_capacity_and_loses_what_comes_on_top() -> None:
    """In sunlight it fills up to 200 Wh; 120 W then empty it over an eclipse of 35 minutes."""
    case, _ = read_case(MISSION, requests(), valid_plan())
    assert case is not None
    beta = MISSION.satellite("beta")
    assert beta.power is not None
    t_s, charge_j = battery_j(case, beta, beta.power, fly_slews(case)[0], Sunlight(case))
    assert np.diff(t_s).max() <= 1.0 + 1e-9
    assert charge_j[0] == pytest.approx(180 * 3600)
    assert charge_j.max() == pytest.approx(200 * 3600)
    (first, *_) = [e for e in case.plan["eclipses"]["beta"] if e["start"] != case.plan["start"]]
    begin_s, end_s = (case.clock.seconds(first[key]) for key in ("start", "end"))
    begin_j, end_j = np.interp([begin_s + 15, end_s - 15], t_s, charge_j)
    assert begin_j - end_j == pytest.approx(120.0 * (end_s - begin_s - 30), rel=1e-3)
