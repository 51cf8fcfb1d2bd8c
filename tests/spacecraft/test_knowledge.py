"""What is measured differs from the truth just as stated: the ground predicts from it."""

from __future__ import annotations

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.frames import (
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.mission import Navigation
from humay.spacecraft import Trajectory, draw_measured
from humay.spacecraft.control import draw_control
from humay.spacecraft.knowledge import draw_jitter, draw_knowledge, jitter_spectrum, measure
from tests.check.valid_plan import MISSION
from tests.spacecraft.test_trajectory import sampled

SIGMAS = Navigation(
    position_sigma_m=3.0,
    attitude_sigma_rad=2e-5,
    drift_sigma_rad_s=1e-6,
    jitter_sigma_rad=5e-6,
)
DRAWS = 1500


def within_chi_square(values: FloatArray, sigma: float) -> bool:
    """Whether normal values of this sigma could be so spread: chi-square within 4 of its sigma."""
    n = values.size
    return bool(abs(np.sum((values / sigma) ** 2) - n) < 4 * np.sqrt(2 * n))


def turned_by(measured: Trajectory, true: Trajectory) -> FloatArray:
    """Rotation vectors (n, 3) in body axes from the true to the measured attitude."""
    back = quaternion_inverse(true.body_from_gcrf)
    return rotation_vector_from_quaternion(quaternion_product(measured.body_from_gcrf, back))


@pytest.fixture(scope="module")
def errors() -> tuple[FloatArray, FloatArray]:
    """Position (DRAWS, 3) and attitude (DRAWS, n, 3) errors of many measured trajectories."""
    true, rng = sampled(8.0), np.random.default_rng(11)
    measured = [draw_measured(true, SIGMAS, rng) for _ in range(DRAWS)]
    assert all(np.ptp(m.r_itrf - true.r_itrf, axis=0).max() < 1e-8 for m in measured[:20])
    places = np.array([(m.r_itrf - true.r_itrf)[0] for m in measured])
    return places, np.array([turned_by(m, true) for m in measured])


def test_positions_are_off_by_a_constant_of_the_stated_sigma(
    errors: tuple[FloatArray, FloatArray],
) -> None:
    for axis in errors[0].T:
        assert within_chi_square(axis, 3.0)
    assert np.abs(np.corrcoef(errors[0].T) - np.eye(3)).max() < 4 / np.sqrt(DRAWS)


@pytest.mark.parametrize("place", [0, 40, 80, 120, 160])
def test_attitudes_are_off_by_bias_drift_and_jitter(
    place: int, errors: tuple[FloatArray, FloatArray]
) -> None:
    """At t from the middle: sqrt(bias^2 + (drift t)^2 + jitter^2), about each axis."""
    after_s = (place - 80) / 8.0
    sigma = np.sqrt(2e-5**2 + (1e-6 * after_s) ** 2 + 5e-6**2)
    for axis in errors[1][:, place].T:
        assert within_chi_square(axis, sigma)


def test_wrong_sigmas_would_be_found(errors: tuple[FloatArray, FloatArray]) -> None:
    for wrong in (0.9, 1.1):
        assert not within_chi_square(errors[0], 3.0 * wrong)
        assert not within_chi_square(errors[1][:, 80], np.sqrt(2e-5**2 + 5e-6**2) * wrong)


def test_without_jitter_the_error_is_a_straight_line() -> None:
    true = sampled(8.0)
    drawn = draw_knowledge(SIGMAS, np.random.default_rng(1), 1010.0)
    turn = turned_by(measure(true, drawn), true)
    line = drawn.bias_rad + drawn.drift_rad_s * (true.t_s - 1010.0)[:, None]
    assert np.abs(turn - line).max() < 1e-15


def test_jitter_has_its_rms_at_every_instant() -> None:
    rng, t_s = np.random.default_rng(3), np.array([0.0, 0.4, 7.7])
    turns = np.array([draw_jitter(5e-6, rng, 0.0).turn_rad(t_s) for _ in range(DRAWS)])
    for i in range(len(t_s)):
        assert within_chi_square(turns[:, i], 5e-6)


def test_shares_of_the_jitter_sum_up() -> None:
    frequency, share = jitter_spectrum()
    assert abs(share.sum() - 1.0) < 1e-12
    assert frequency.min() == pytest.approx(0.5)
    assert frequency.max() == pytest.approx(23.3)


def test_jitter_is_not_white() -> None:
    """Its spectrum over 64 s, a mean of 40: white noise of 256 Hz would have 1.6 % below 2 Hz."""
    rng, t_s = np.random.default_rng(8), np.arange(64 * 256) / 256.0
    window = np.hanning(len(t_s))[:, None]
    power = sum(
        np.abs(np.fft.rfft(window * draw_jitter(1e-6, rng, 32.0).turn_rad(t_s), axis=0)) ** 2
        for _ in range(40)
    )
    frequency, mean = np.fft.rfftfreq(len(t_s), 1 / 256.0), np.mean(power, axis=1)
    mean = mean / mean.sum()

    def between(low: float, high: float) -> float:
        return float(mean[(frequency >= low) & (frequency < high)].sum())

    assert between(0.4, 2.0) > 0.7
    assert between(25.0, 128.0) < 1e-3
    for line in (11.7, 23.3):  # a tenth of the variance each, within the spread of 120 draws
        assert 0.06 < between(line - 0.2, line + 0.2) < 0.15
    # Amplitudes fall with the square of the frequency: an octave up, a density of 1/16.
    octaves = between(1.0, 2.0) / 1.0, between(4.0, 8.0) / 4.0
    assert 100 < octaves[0] / octaves[1] < 600  # 256


def test_the_jitter_of_the_truth_is_not_measured() -> None:
    """A draw against jitter: what is measured less what is true is bias, drift, and that jitter."""
    rng = np.random.default_rng(2)
    only = Navigation(
        position_sigma_m=0, attitude_sigma_rad=0, drift_sigma_rad_s=0, jitter_sigma_rad=5e-6
    )
    true = sampled(256.0, seconds=4.0)
    turn = turned_by(draw_measured(true, only, rng), true)
    assert 1e-6 < np.sqrt(np.mean(turn**2)) < 2e-5
    assert np.abs(np.diff(turn, axis=0)).max() < 5e-6


def test_pointing_is_off_by_its_sigma_and_rings_out_while_settling() -> None:
    satellite = MISSION.satellites[0]
    rng, sigma = np.random.default_rng(6), satellite.pointing_sigma_rad
    t_s = np.array([100.0, 103.0, 110.0])  # settling begins, first line, later
    turns = np.array(
        [
            draw_control(satellite, rng, middle_s=106.0, first_line_s=103.0).turn_rad(t_s)
            for _ in range(DRAWS)
        ]
    )
    assert within_chi_square(turns[:, 0], sigma * np.sqrt(2))  # as much again, ringing
    assert within_chi_square(turns[:, 1], sigma)
    assert within_chi_square(turns[:, 2], sigma)
    calm = draw_control(satellite, rng, middle_s=106.0, first_line_s=103.0)
    late = calm.turn_rad(np.array([106.0, 107.0]))
    assert np.abs(late[1] - late[0]).max() < 0.05 * sigma  # 2 pi / 600 of it in a second
