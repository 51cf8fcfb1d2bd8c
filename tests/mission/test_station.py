"""Stations and their horizon."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from humay.errors import MissionError
from humay.mission import Mission, Station


def station(mask_deg: list[tuple[float, float]], min_elevation_deg: float = 5.0) -> Station:
    return Station(
        name="s",
        lon_rad=0.0,
        lat_rad=0.0,
        height_m=0.0,
        min_elevation_rad=math.radians(min_elevation_deg),
        mask=tuple((math.radians(a), math.radians(e)) for a, e in mask_deg),
    )


def test_without_a_mask_the_horizon_is_the_lowest_elevation_everywhere() -> None:
    azimuth_rad = np.radians([[0.0, 90.0], [180.0, 359.0]])
    assert np.array_equal(station([]).horizon_rad(azimuth_rad), np.full((2, 2), math.radians(5)))


def test_the_mask_is_linear_between_its_points_and_closed_over_north() -> None:
    """From 20 deg at azimuth 350 to 10 deg at 10: 15 deg due north; 5 deg wins behind the hill."""
    horizon = station([(10, 10), (90, 0), (340, 0), (350, 20)])
    azimuth_deg = np.array([350.0, 355.0, 0.0, 360.0, -10.0, 10.0, 50.0, 200.0, 345.0])
    expected_deg = [20.0, 17.5, 15.0, 15.0, 20.0, 10.0, 5.0, 5.0, 10.0]
    found_deg = np.degrees(horizon.horizon_rad(np.radians(azimuth_deg)))
    assert np.allclose(found_deg, expected_deg, rtol=0, atol=1e-9)


def test_a_mask_of_one_point_holds_all_round() -> None:
    assert math.degrees(float(station([(45, 12)]).horizon_rad(np.array(3.0)))) == pytest.approx(12)


def test_a_mask_from_a_file_is_in_radians(load: Callable[..., Mission]) -> None:
    mask = "mask = [{azimuth_deg = 0, elevation_deg = 3}, {azimuth_deg = 180, elevation_deg = 9}]"
    found = load(("height_m = 30.0", f"height_m = 30.0\n{mask}")).stations[0].mask
    assert found == ((0.0, math.radians(3)), (math.pi, math.radians(9)))


@pytest.mark.parametrize(
    ("mask_deg", "words"),
    [
        ([(0, 5), (0, 6)], "azimuth_deg 0 after 0"),
        ([(90, 5), (45, 6)], "azimuth_deg 45 after 90"),
        ([(360, 5)], "azimuth_rad is"),
        ([(0, 95)], "elevation_rad is"),
    ],
)
def test_a_mask_that_cannot_be_is_refused(mask_deg: list[tuple[float, float]], words: str) -> None:
    with pytest.raises(MissionError, match=words):
        station(mask_deg)


def test_rates_by_elevation_from_a_file_are_in_bits_and_radians(
    load: Callable[..., Mission],
) -> None:
    steps = (
        "rate_by_elevation = [{elevation_deg = 5, rate_mbit_s = 60}, "
        "{elevation_deg = 9, rate_mbit_s = 0}]"
    )
    found = load(("height_m = 30.0", f"height_m = 30.0\n{steps}")).stations[0].rate_by_elevation
    assert [step.elevation_rad for step in found] == [math.radians(5), math.radians(9)]
    assert [step.rate_bit_s for step in found] == [60e6, 0.0]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (
            "{elevation_deg = 9, rate_mbit_s = 1}, {elevation_deg = 5, rate_mbit_s = 2}",
            "rate_by_elevation has elevation_deg 5 after 9, expected rising elevations",
        ),
        (
            "{elevation_deg = 5, rate_mbit_s = -1}",
            "rate_mbit_s is -1, expected a number at least 0",
        ),
        ("{elevation_deg = 90, rate_mbit_s = 1}", "elevation_deg is 90, expected .* less than 90"),
        ("{elevation_deg = 5}", "'rate_mbit_s' is missing"),
        ("{elevation_deg = 5, mbit_s = 1}", "unknown key 'mbit_s'"),
    ],
)
def test_rates_that_cannot_be_are_refused(
    load: Callable[..., Mission], steps: str, words: str
) -> None:
    with pytest.raises(MissionError, match=words):
        load(("height_m = 30.0", f"height_m = 30.0\nrate_by_elevation = [{steps}]"))


def test_a_carrier_is_in_hertz(load: Callable[..., Mission]) -> None:
    """8.2 GHz; 8200 would be MHz."""
    line = "downlink_mbit_s = 300.0"
    assert load((line, f"{line}\ndownlink_hz = 8.2e9")).satellites[0].downlink_hz == 8.2e9
    assert load().satellites[0].downlink_hz is None
    with pytest.raises(
        MissionError, match="downlink_hz is 8200, expected a number at least 1000000"
    ):
        load((line, f"{line}\ndownlink_hz = 8200"))


ANTENNA = "setup_s = 20\nantenna_rate_deg_s = 3\nmax_elevation_deg = 85\npasses_per_day = 6"


def test_an_antenna_from_a_file_is_in_radians(load: Callable[..., Mission]) -> None:
    station = load(("height_m = 30.0", f"height_m = 30.0\n{ANTENNA}")).stations[0]
    assert (station.setup_s, station.passes_per_day) == (20.0, 6)
    assert station.antenna_rate_rad_s == pytest.approx(math.radians(3))
    assert station.max_elevation_rad == pytest.approx(math.radians(85))


def test_without_further_words_an_antenna_follows_through_the_zenith_and_turns_in_no_time(
    load: Callable[..., Mission],
) -> None:
    station = load().stations[0]
    assert station.max_elevation_rad == math.pi / 2
    assert (station.antenna_rate_rad_s, station.passes_per_day) == (None, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("max_elevation_deg = 5", "max_elevation_deg is 5, expected more than min_elevation_deg"),
        ("max_elevation_deg = 91", "max_elevation_deg is 91, expected .* at most 90"),
        ("antenna_rate_deg_s = 0", "antenna_rate_deg_s is 0, expected a number more than 0"),
        ("passes_per_day = 0", "passes_per_day is 0, expected a whole number at least 1"),
        ("passes_per_day = 1.5", "passes_per_day is 1.5, expected a whole number"),
    ],
)
def test_an_antenna_that_cannot_be_is_refused(
    load: Callable[..., Mission], line: str, words: str
) -> None:
    with pytest.raises(MissionError, match=words):
        load(("height_m = 30.0", f"height_m = 30.0\n{line}"))
