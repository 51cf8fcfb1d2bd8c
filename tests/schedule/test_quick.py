"""What is compiled for one at a time is the same as its plain form for many."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.access import Timeline
from humay.arrays import FloatArray
from humay.frames import quaternion_from_rotation_vector
from humay.schedule.attitude import idle_law
from humay.schedule.resources import imaging_inside
from humay.schedule.slews import Agility, State, slew_time

components = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3)
rates = st.lists(st.floats(-0.03, 0.03), min_size=3, max_size=3) | st.just([0.0, 0.0, 0.0])


def state(turn: list[float], rate: list[float], sign: float = 1.0) -> State:
    attitude = sign * quaternion_from_rotation_vector(np.array(turn))
    return State(attitude=attitude, rate_rad_s=np.array(rate))


def many(one: State) -> State:
    return State(attitude=one.attitude[None], rate_rad_s=one.rate_rad_s[None])


@given(
    turn=components, rate=rates, far=components, next_rate=rates, same=st.booleans(),
    sign=st.sampled_from([-1.0, 1.0]), fast=st.floats(0.005, 0.2), hard=st.floats(0.001, 0.1),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_one_slew_takes_as_long_as_among_many(
    turn: list[float], rate: list[float], far: list[float], next_rate: list[float], same: bool,
    sign: float, fast: float, hard: float,
) -> None:  # fmt: skip
    agility = Agility(rate_rad_s=fast, acceleration_rad_s2=hard)
    start, end = state(turn, rate), state(turn if same else far, next_rate, sign)
    alone = float(slew_time(start, end, agility))
    among = float(slew_time(many(start), many(end), agility)[0])
    # the square root of an angle near zero is only as good as that of its rounding
    assert abs(alone - among) < 1e-9 + 2e-7 * (alone < 1.0)


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
