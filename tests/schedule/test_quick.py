"""What is compiled for one or a few is the same as its plain form."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.access import Timeline
from humay.arrays import FloatArray
from humay.frames import quaternion_from_rotation_vector
from humay.schedule.attitude import IdleLaw, idle_law, interpolate
from humay.schedule.resources import imaging_inside
from humay.schedule.slews import (
    Agility,
    State,
    fly,
    plain_fly,
    plain_slew_time,
    slew_phases,
    slew_time,
)

components = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3)
rates = st.lists(st.floats(-0.03, 0.03), min_size=3, max_size=3) | st.just([0.0, 0.0, 0.0])


def state(turn: list[float], rate: list[float], sign: float = 1.0) -> State:
    attitude = sign * quaternion_from_rotation_vector(np.array(turn))
    return State(attitude=attitude, rate_rad_s=np.array(rate))


@given(
    turn=components, rate=rates, far=components, next_rate=rates, same=st.booleans(),
    sign=st.sampled_from([-1.0, 1.0]), fast=st.floats(0.005, 0.2), hard=st.floats(0.001, 0.1),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_one_slew_takes_as_long_as_in_plain_form(
    turn: list[float], rate: list[float], far: list[float], next_rate: list[float], same: bool,
    sign: float, fast: float, hard: float,
) -> None:  # fmt: skip
    agility = Agility(rate_rad_s=fast, acceleration_rad_s2=hard)
    start, end = state(turn, rate), state(turn if same else far, next_rate, sign)
    alone = float(slew_time(start, end, agility))
    plain = float(plain_slew_time(start, end, agility))
    # the square root of an angle near zero is only as good as that of its rounding
    assert abs(alone - plain) < 1e-9 + 2e-7 * (alone < 1.0)


def test_a_quarter_turn_from_rest_takes_what_the_formula_says() -> None:
    """pi / 2 at 0.1 rad/s under 0.05 rad/s2: 15.708 s at speed, 2 s to get there and to stop."""
    agility = Agility(rate_rad_s=0.1, acceleration_rad_s2=0.05)
    start, end = state([0.0, 0.0, 0.0], [0, 0, 0]), state([0.0, np.pi / 2, 0.0], [0, 0, 0])
    assert np.isclose(slew_time(start, end, agility), np.pi / 0.2 + 2.0, rtol=1e-12)


@given(at=st.lists(st.floats(-5.0, 105.0), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_an_instant_of_an_idle_law_is_that_of_many(at: list[float]) -> None:
    t_s = np.arange(0.0, 101.0, 10.0)
    turns = np.stack([0.001 * t_s, 0.06 * t_s, -0.0005 * t_s], axis=-1)
    nadir: FloatArray = quaternion_from_rotation_vector(turns)
    timeline = cast(Timeline, SimpleNamespace(t_s=t_s, nadir_attitude=nadir))
    law = idle_law("nadir", timeline, np.array([0.0, 0.0, -1.0]))
    whole = law.state(np.array(at))
    for i, instant in enumerate(at):
        one = law.state_at(instant)
        assert np.allclose(one.attitude, whole.attitude[i], rtol=0, atol=1e-14)
        assert np.allclose(one.rate_rad_s, whole.rate_rad_s[i], rtol=0, atol=1e-16)


@given(
    spans=st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 20)), max_size=8),
    begins=st.lists(st.floats(-80, 120), min_size=1, max_size=5), per_s=st.floats(0.5, 60),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_imaging_time_in_a_window_is_the_sum_of_what_lies_in_it(
    spans: list[tuple[float, float]], begins: list[float], per_s: float
) -> None:
    starts = np.array([start for start, _ in spans])
    ends = np.array([start + length for start, length in spans])
    found = imaging_inside(starts, ends, np.array(begins), per_s)
    for begin, seconds in zip(begins, found, strict=True):
        inside = [min(b, begin + per_s) - max(a, begin) for a, b in zip(starts, ends, strict=True)]
        assert abs(seconds - sum(max(each, 0.0) for each in inside)) < 1e-9


# Several at a time ------------------------------------------------------------------------------

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
