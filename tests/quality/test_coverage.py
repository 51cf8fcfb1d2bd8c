"""Predicted circles against what many draws do, where the circle is known in closed form."""

from __future__ import annotations

import math

import numpy as np

from humay.mission import Navigation
from humay.quality import Coverage, Pixels, coverage_of_prediction
from humay.sensor import Pushbroom
from tests.sensor.flown import flight

IFOV_RAD = 13e-6 / 4.216
CE90_OF_SIGMA = math.sqrt(2.0 * math.log(10.0))  # of a circular normal error, 2.146
NADIR = Pushbroom(  # but for 10 km that the sweep's ground lies behind the satellite
    trajectory=flight(),
    first_line_s=0.0,
    line_period_s=316e-6,
    along=np.zeros(2),
    across=np.array([-500.0 * IFOV_RAD, IFOV_RAD]),
)


def coverage(
    navigation: Navigation, ce90_m: float, *, dem_error_m: float = 0.0, draws: int = 300
) -> Coverage:
    row, col = np.array([1000.0, 4000.0]), np.array([200.0, 800.0])
    return coverage_of_prediction(
        NADIR,
        navigation,
        Pixels(row=row, col=col, height_m=np.full(2, 100.0), ce90_m=np.full(2, ce90_m)),
        dem_errors_m=np.array([-dem_error_m, dem_error_m]),
        draws=draws,
        rng=np.random.default_rng(2),
    )


def navigation(position_m: float = 0.0, attitude_rad: float = 0.0) -> Navigation:
    return Navigation(
        position_sigma_m=position_m,
        attitude_sigma_rad=attitude_rad,
        drift_sigma_rad_s=0.0,
        jitter_sigma_rad=0.0,
    )


def test_a_position_error_shifts_the_ground_by_its_horizontal_part() -> None:
    """300 draws: one standard deviation of the share is 1.7 %."""
    found = coverage(navigation(position_m=5.0), 5.0 * CE90_OF_SIGMA)
    assert (found.draws, found.points) == (300, 600)
    assert abs(found.share - 0.9) < 0.05


def test_an_attitude_error_moves_it_by_the_height_of_the_orbit() -> None:
    found = coverage(navigation(attitude_rad=2e-5), 694e3 * 2e-5 * CE90_OF_SIGMA)
    assert abs(found.share - 0.9) < 0.05


def test_a_circle_of_another_size_is_told_from_the_right_one() -> None:
    """A circle of r sigma holds 1 - exp(-r2 / 2): 0.683 at 0.7 of CE90, 0.980 at 1.3 of it."""
    for size, share in ((0.7, 0.683), (1.3, 0.980)):
        found = coverage(navigation(position_m=5.0), size * 5.0 * CE90_OF_SIGMA)
        assert abs(found.share - share) < 0.07
        assert not 0.87 <= found.share <= 0.93


def test_a_wrong_height_moves_the_ground_by_the_tilt_of_the_view() -> None:
    """Views tilted by 0.81 deg, from plain trigonometry: 100 m of height are 1.41 m."""
    assert coverage(navigation(), 1.45, dem_error_m=100.0, draws=20).share == 1.0
    assert coverage(navigation(), 1.37, dem_error_m=100.0, draws=20).share == 0.0
