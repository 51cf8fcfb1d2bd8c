"""Compiled slews and attitudes are those of their plain forms."""

from __future__ import annotations

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.schedule.attitude import IdleLaw, interpolate
from humay.schedule.slews import (
    Agility,
    State,
    fly,
    plain_fly,
    plain_slew_time,
    slew_phases,
    slew_time,
)

AGILITY = Agility(rate_rad_s=np.radians(3.5), acceleration_rad_s2=np.radians(0.5))


def unit(q: FloatArray) -> FloatArray:
    return np.asarray(q / np.linalg.norm(q, axis=-1, keepdims=True))


def drawn(rng: np.random.Generator, *shape: int) -> State:
    """Any attitudes, turning at up to some 0.3 deg/s about any axis."""
    return State(
        attitude=unit(rng.normal(size=(*shape, 4))),
        rate_rad_s=rng.normal(0.0, np.radians(0.1), (*shape, 3)),
    )


def near(rng: np.random.Generator, state: State) -> State:
    """Attitudes a small turn away."""
    attitude = unit(state.attitude + rng.normal(0.0, 1e-3, state.attitude.shape))
    return State(attitude=attitude, rate_rad_s=state.rate_rad_s)


def angle_rad(a: FloatArray, b: FloatArray) -> FloatArray:
    """Between attitudes, by the chord: exact for small ones."""
    chord = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    return np.asarray(4.0 * np.arcsin(0.5 * chord))


@pytest.mark.parametrize(("starts", "ends"), [((), ()), ((50,), ()), ((), (50,)), ((50,), (50,))])
def test_slews_take_as_long_as_in_plain_form(
    starts: tuple[int, ...], ends: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(3)
    start, end = drawn(rng, *starts), drawn(rng, *ends)
    pairs = [(start, end)] if starts != ends else [(start, end), (start, near(rng, start))]
    for first, last in pairs:
        quick, plain = slew_time(first, last, AGILITY), plain_slew_time(first, last, AGILITY)
        assert quick.shape == plain.shape == (starts or ends)
        assert np.allclose(quick, plain, rtol=0, atol=1e-9)  # seconds


def test_a_slew_is_flown_as_in_plain_form_before_it_in_it_and_after_it() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        start, end = drawn(rng), drawn(rng)
        seconds = 1.2 * float(slew_time(start, end, AGILITY))
        phases = slew_phases(start, end, AGILITY, seconds)
        t_s = np.linspace(-1.0, seconds + 1.0, 101)
        quick, plain = fly(start, phases, t_s), plain_fly(start, phases, t_s)
        assert np.max(angle_rad(quick, plain)) < 1e-12
        at_its_end = fly(start, phases, np.array([seconds]))
        assert np.max(angle_rad(at_its_end, end.attitude)) < 1e-9


def test_an_idle_law_is_straight_between_its_nodes_and_still_beyond_them() -> None:
    rng = np.random.default_rng(5)
    t_s = np.array([0.0, 10.0, 15.0, 40.0])
    attitude = unit(rng.normal(size=4) + 0.01 * rng.normal(size=(4, 4)))
    rates_rad_s = rng.normal(size=(4, 3))
    either_sign = attitude * np.array([1.0, -1.0, 1.0, 1.0])[:, None]
    law = IdleLaw(law="sun", t_s=t_s, quaternions=either_sign, rates_rad_s=rates_rad_s)
    at_s = np.array([-5.0, 0.0, 3.0, 10.0, 12.0, 39.9, 40.0, 50.0])
    states = law.state(at_s)
    inside = np.clip(at_s, 0.0, 40.0)
    assert np.max(angle_rad(states.attitude, interpolate(t_s, attitude, inside))) < 1e-12
    rates = [np.interp(inside, t_s, column) for column in rates_rad_s.T]
    assert np.allclose(states.rate_rad_s, np.transpose(rates), rtol=0, atol=1e-15)
    one = law.state_at(3.0)
    assert np.array_equal(one.attitude, states.attitude[2])
    assert np.array_equal(one.rate_rad_s, states.rate_rad_s[2])
