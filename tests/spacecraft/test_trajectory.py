"""Between its samples a trajectory is a curve known in advance."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray, norm
from humay.errors import SpacecraftError
from humay.frames import (
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.spacecraft import Trajectory
from humay.time import Epoch

EPOCH = Epoch(datetime(2026, 3, 1, tzinfo=UTC))
RADIUS_M, RATE_RAD_S = 6_978_137.0, 1.0831e-3  # a circle at 600 km: sqrt(mu / r^3)


def angles(p: FloatArray, q: FloatArray) -> FloatArray:
    turn = quaternion_product(p, quaternion_inverse(q))
    return norm(rotation_vector_from_quaternion(turn))


def circle(t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    u = RATE_RAD_S * t_s
    place = RADIUS_M * np.stack([np.cos(u), np.sin(u), 0 * u], axis=-1)
    return place, RADIUS_M * RATE_RAD_S * np.stack([-np.sin(u), np.cos(u), 0 * u], axis=-1)


def shaking(t_s: FloatArray, hertz: float = 0.0, amplitude_rad: float = 0.0) -> FloatArray:
    """A steady turn about one axis, faster than any sweep, and a tone about the same one."""
    angle = 2e-3 * t_s + amplitude_rad * np.sin(2 * np.pi * hertz * t_s)
    return quaternion_from_rotation_vector(angle[..., None] * np.array([0.6, -0.64, 0.48]))


def sampled(rate_hz: float, seconds: float = 20.0, **tone: float) -> Trajectory:
    t_s = 1000.0 + np.arange(int(seconds * rate_hz) + 1) / rate_hz
    r, v = circle(t_s)
    return Trajectory(epoch=EPOCH, t_s=t_s, r_itrf=r, v_itrf=v, body_from_gcrf=shaking(t_s, **tone))


BETWEEN = np.random.default_rng(5).uniform(1000.0, 1020.0, 4000)


def test_a_circle_is_followed_within_a_nanometre_of_what_theory_allows() -> None:
    """Cubic Hermite: h^4 / 384 of the fourth derivative, r n^4; a float of 7e6 m has 1e-9 m."""
    way = sampled(1.0)
    r, v = circle(BETWEEN)
    bound_m = RADIUS_M * RATE_RAD_S**4 / 384
    assert norm(way.position(BETWEEN) - r).max() <= bound_m + 5e-9
    assert norm(way.state(BETWEEN)[1] - v).max() <= 10 * bound_m + 1e-8


def test_velocity_is_the_derivative_of_position() -> None:
    way = sampled(2.0)
    t_s, step_s = np.linspace(1001.0, 1019.0, 73) + 0.01, 1e-3
    difference = (way.position(t_s + step_s) - way.position(t_s - step_s)) / (2 * step_s)
    assert norm(difference - way.state(t_s)[1]).max() < 1e-5  # 1e-9 m of rounding over 2 ms


def test_the_fastest_jitter_is_followed_to_a_hundredth() -> None:
    """23.3 Hz sampled 128 times a second, away from the ends; a flight has 1e-7 rad of it."""
    way = sampled(128.0, hertz=23.3, amplitude_rad=1e-7)
    inside = BETWEEN[(BETWEEN > 1001.0) & (BETWEEN < 1019.0)]
    error = angles(way.attitude(inside), shaking(inside, 23.3, 1e-7))
    assert 1e-12 < error.max() < 1.5e-9


def test_the_error_between_samples_falls_with_the_fourth_power_of_the_step() -> None:
    inside = BETWEEN[(BETWEEN > 1001.0) & (BETWEEN < 1019.0)]  # at the ends, with the fifth
    truth = shaking(inside, 2.0, 1e-3)
    coarse, fine = (
        angles(sampled(rate, hertz=2.0, amplitude_rad=1e-3).attitude(inside), truth).max()
        for rate in (64.0, 128.0)
    )
    assert 14 < coarse / fine < 18


def test_samples_are_met() -> None:
    way = sampled(64.0, hertz=5.0, amplitude_rad=1e-4)
    assert angles(way.attitude(way.t_s), way.body_from_gcrf).max() < 1e-15
    assert norm(way.position(way.t_s) - way.r_itrf).max() < 2e-9


def test_the_rate_is_continuous_across_a_sample() -> None:
    way = sampled(32.0, hertz=3.0, amplitude_rad=1e-4)
    step_s = 1e-5
    for at in way.t_s[1:-1:50]:
        before, here, after = way.attitude(at + step_s * np.array([-1.0, 0.0, 1.0]))
        rates = [angles(here, before) / step_s, angles(after, here) / step_s]
        assert abs(rates[1] - rates[0]) < 1e-6  # of 4e-3 rad/s; a kink would be 1e-4


def test_a_sign_that_jumps_in_the_samples_changes_nothing() -> None:
    way = sampled(32.0)
    flips = np.where(np.arange(len(way.t_s)) % 3 == 0, -1.0, 1.0)[:, None]
    flipped = replace(way, body_from_gcrf=way.body_from_gcrf * flips)
    attitude = flipped.attitude(np.sort(BETWEEN))
    assert angles(attitude, way.attitude(np.sort(BETWEEN))).max() < 1e-14
    assert np.abs(np.diff(attitude, axis=0)).max() < 0.1


@given(st.lists(st.floats(1000.0, 1020.0), min_size=1, max_size=12))
def test_one_time_and_many_give_the_same(times: list[float]) -> None:
    way = sampled(16.0)
    many = way.attitude(np.array(times).reshape(-1, 1))
    assert many.shape == (len(times), 1, 4)
    for time, q in zip(times, many[:, 0], strict=True):
        assert np.array_equal(way.attitude(np.array(time)), q)
        assert np.array_equal(way.position(np.array(time)), way.position(np.array([time]))[0])


@pytest.mark.parametrize("at", [999.99, 1020.01, np.nan, np.inf])
def test_a_time_outside_is_refused(at: float) -> None:
    with pytest.raises(SpacecraftError, match=r"asked at .*, expected 1000\.000000 to 1020"):
        sampled(16.0).attitude(np.array([1010.0, at]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: {"t_s": w.t_s**1.001}, "evenly spaced"),
        (lambda w: {"t_s": w.t_s[::-1]}, "evenly spaced"),
        (lambda w: {"r_itrf": w.r_itrf[:, :2]}, "r_itrf"),
        (lambda w: {"v_itrf": w.v_itrf * np.nan}, "v_itrf"),
        (lambda w: {"body_from_gcrf": 2 * w.body_from_gcrf}, "unit quaternions"),
        (lambda w: {"body_from_gcrf": shaking(w.t_s * 200)}, "turns by over"),
    ],
)
def test_what_is_no_trajectory_is_refused(change, message: str) -> None:  # type: ignore[no-untyped-def]
    way = sampled(16.0)
    with pytest.raises(ValueError, match=message):
        replace(way, **change(way))


def test_four_samples_are_too_few() -> None:
    with pytest.raises(ValueError, match="4 samples, expected at least 5"):
        sampled(1.0, seconds=3.0)


def test_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        sampled(16.0).r_itrf[0, 0] = 0.0
