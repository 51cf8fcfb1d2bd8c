"""Predicted accuracy: its radius against tables, its partials against draws of whole flights."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray
from humay.mission import Navigation
from humay.processing.location import circular_error, predict_location
from humay.spacecraft import draw_measured
from tests.processing.flights import LINE_S, flight, pushbroom

NONE = Navigation(
    position_sigma_m=0.0, attitude_sigma_rad=0.0, drift_sigma_rad_s=0.0, jitter_sigma_rad=0.0
)
SHAPE = (400, 300)
ROW, COL, HEIGHT_M = np.array([10.0, 200.0, 390.0]), np.array([290.0, 150.0, 10.0]), 600.0


def covariance(a: float, b: float, turn: float) -> FloatArray:
    """Sigma a along an axis turned by `turn`, b across, (1, 2, 2)."""
    c, s = math.cos(turn), math.sin(turn)
    axes = np.array([[c, -s], [s, c]])
    return np.asarray((axes @ np.diag([a * a, b * b]) @ axes.T)[None])


@pytest.mark.parametrize(
    ("share", "a", "b", "radius"),
    [
        (0.9, 1.0, 1.0, 2.1460),  # sqrt(-2 ln 0.1): NIMA, circular error at 90 %
        (0.9, 1.0, 0.0, 1.6449),  # the normal distribution's 95th percentile
        (0.5, 1.0, 1.0, 1.1774),  # CEP
        (0.5, 1.0, 0.0, 0.6745),
        (0.9, 3.0, 3.0, 6.4379),
    ],
)
def test_circles_have_the_published_radius(share: float, a: float, b: float, radius: float) -> None:
    """Factors of circular and linear error: MIL-STD-600001, appendix on error statistics."""
    assert circular_error(covariance(a, b, 0.7), share)[0] == pytest.approx(radius, abs=1e-4)


@given(ratio=st.floats(0.02, 1), share=st.floats(0.05, 0.98), turn=st.floats(0, 3))
def test_circles_hold_their_share(ratio: float, share: float, turn: float) -> None:
    """The other way to the same integral: by angle, where the radius has a closed form."""
    radius = float(circular_error(covariance(1.0, ratio, turn), share)[0])
    angle = (np.arange(20_000) + 0.5) * (2 * np.pi / 20_000)
    form = np.cos(angle) ** 2 + np.sin(angle) ** 2 / ratio**2
    within = np.mean((1 - np.exp(-0.5 * radius**2 * form)) / form) / ratio
    assert within == pytest.approx(share, abs=1e-6)


def test_circles_hold_their_share_of_draws() -> None:
    spread = covariance(2.0, 0.7, 0.4)
    draws = np.random.default_rng(1).multivariate_normal([0, 0], spread[0], 400_000)
    inside = np.mean(np.hypot(*draws.T) < circular_error(spread, 0.9)[0])
    assert inside == pytest.approx(0.9, abs=0.002)


def test_no_error_has_no_radius_and_a_share_of_one_has_none() -> None:
    assert circular_error(np.zeros((2, 2, 2)), 0.9).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="share is 1"):
        circular_error(np.zeros((1, 2, 2)), 1.0)


def test_each_error_moves_the_ground_as_geometry_says() -> None:
    """Straight down from 694 km: 2 m of position are 2 m; 10 microradians are 6.9 m along and
    across; a DEM wrong by 10 m moves nothing below, and 10 tan(incidence) at the side."""
    model = pushbroom(flight(roll_rad=0.0, seconds=2.25, step_s=1 / 64), SHAPE)

    def sigmas(navigation: Navigation, dem_sigma_m: float = 0.0, row: float = 199.5) -> FloatArray:
        found = predict_location(
            model, navigation, np.array(row), np.array(149.5), np.array(HEIGHT_M),
            dem_sigma_m=dem_sigma_m,
        )  # fmt: skip
        return np.asarray(np.sqrt(np.linalg.eigvalsh(found.covariance_m2)[0]))

    assert sigmas(replace(NONE, position_sigma_m=2.0)) == pytest.approx((2.0, 2.0), rel=0.01)
    turned = sigmas(replace(NONE, attitude_sigma_rad=1e-5))
    assert turned == pytest.approx((6.94, 6.94), rel=0.01)
    assert sigmas(replace(NONE, jitter_sigma_rad=1e-5)) == pytest.approx(turned, rel=1e-9)
    drifting = replace(NONE, drift_sigma_rad_s=1e-3)
    assert sigmas(drifting).max() < 0.1  # none in the middle
    grown = 1e-3 * (199.5 + 3000) * LINE_S * 694e3  # 1 s before the middle
    assert sigmas(drifting, row=-3000.0) == pytest.approx((grown, grown), rel=0.02)
    assert sigmas(NONE, dem_sigma_m=10.0).max() < 0.2
    model = pushbroom(flight(roll_rad=0.4, seconds=2.0, step_s=1 / 64), SHAPE)
    incidence = 0.4  # the flight stands at tan(roll) above a plane through the target
    assert sigmas(NONE, dem_sigma_m=10.0).max() == pytest.approx(10 * math.tan(incidence), rel=0.05)


def test_ninety_percent_of_measured_flights_lie_within_the_radius() -> None:
    """The errors of a flight as the satellite makes them, propagated by the model itself."""
    navigation = Navigation(
        position_sigma_m=2.0, attitude_sigma_rad=2e-5, drift_sigma_rad_s=1e-5, jitter_sigma_rad=4e-7
    )
    true = flight(roll_rad=0.3, seconds=2.0, step_s=1 / 64)
    model = pushbroom(true, SHAPE)
    heights = np.full(3, HEIGHT_M)
    predicted = predict_location(model, navigation, ROW, COL, heights, dem_sigma_m=5.0)
    rng = np.random.default_rng(5)
    lon, lat = model.locate(ROW, COL, heights)
    inside = []
    for _ in range(400):
        measured = pushbroom(draw_measured(true, navigation, rng), SHAPE)
        found = measured.locate(ROW, COL, heights + rng.normal(0.0, 5.0, 3))
        north_m = 6.37e6 * (found[1] - lat)
        east_m = 6.39e6 * np.cos(lat) * (found[0] - lon)
        inside.append(np.hypot(north_m, east_m) < predicted.ce90_m)
    assert np.mean(inside, axis=0) == pytest.approx(0.9, abs=0.045)  # three sigma of 400 draws
