"""Slews against their promises, integrated by other means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray, norm
from humay.frames import (
    matrix_from_quaternion,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.schedule.slews import Agility, Phase, State, fly, slew_phases, slew_time

SPOT = Agility(rate_rad_s=np.radians(3.75), acceleration_rad_s2=np.radians(1.25))
REST = np.zeros(3)
SETTLE_S = 3.0


def integrate(start: State, phases: list[Phase], step_s: float = 0.01) -> State:
    """Runge-Kutta on the attitude matrix: dM/dt = -[w] M, dw/dt = a. Shares nothing with `fly`."""
    m, w = matrix_from_quaternion(start.attitude), np.array(start.rate_rad_s)

    def slope(m: FloatArray, w: FloatArray) -> FloatArray:
        x, y, z = w
        return -np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ m

    for phase in phases:
        steps = max(1, int(np.ceil(phase.duration_s / step_s)))
        h, a = phase.duration_s / steps, phase.acceleration_rad_s2
        for _ in range(steps):
            k1 = slope(m, w)
            k2 = slope(m + 0.5 * h * k1, w + 0.5 * h * a)
            k3 = slope(m + 0.5 * h * k2, w + 0.5 * h * a)
            k4 = slope(m + h * k3, w + h * a)
            m, w = m + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), w + h * a
    trace = np.clip((np.trace(m) - 1) / 2, -1, 1)
    assert np.allclose(m @ m.T, np.eye(3), atol=1e-6), trace
    return State(attitude=m, rate_rad_s=w)


def angle_deg(matrix: FloatArray, quaternion: FloatArray) -> float:
    off = matrix @ matrix_from_quaternion(quaternion).T
    axis = np.array([off[1, 2] - off[2, 1], off[2, 0] - off[0, 2], off[0, 1] - off[1, 0]])
    return float(np.degrees(np.arctan2(norm(axis), np.trace(off) - 1)))


def test_thirty_degrees_take_fourteen_seconds_with_settling() -> None:
    """SPOT 6/7 as published: 30 deg in 14 s, stabilisation included."""
    start = State(attitude=np.array([0.0, 0.0, 0.0, 1.0]), rate_rad_s=REST)
    turned = quaternion_from_rotation_vector(np.radians(30.0) * np.array([1.0, 0.0, 0.0]))
    end = State(attitude=turned, rate_rad_s=REST)
    seconds = float(slew_time(start, end, SPOT))
    assert abs(seconds + SETTLE_S - 14.0) < 1e-9
    arrived = integrate(start, slew_phases(start, end, SPOT, seconds))
    assert angle_deg(arrived.attitude, turned) < 0.01
    assert norm(arrived.rate_rad_s) < 1e-9


vectors = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)
turns = st.tuples(vectors, st.floats(0, 3.1)).filter(lambda pair: norm(pair[0]) > 0.1)


@given(
    turn=turns,
    rate_from=vectors,
    rate_to=vectors,
    slack_s=st.floats(0, 200),
    acceleration_deg=st.floats(0.2, 3),
)
@example(  # the stop and the go are the whole slew: the turn's time came out below zero
    turn=(np.array([0.0, 0.0, 1.0]), 0.0),
    rate_from=np.array([0.0, 0.047523886488112455, 0.3125]),
    rate_to=np.array([0.0, 0.047523886488112455, 0.3125]),
    slack_s=0.0,
    acceleration_deg=2.5,
)
@settings(max_examples=60, deadline=None)
def test_any_slew_arrives_with_the_wanted_attitude_and_rate_within_its_limits(
    turn: tuple[FloatArray, float],
    rate_from: FloatArray,
    rate_to: FloatArray,
    slack_s: float,
    acceleration_deg: float,
) -> None:
    """Rates up to 0.7 deg/s at both ends, as while tracking; longer than needed by any slack."""
    agility = Agility(rate_rad_s=SPOT.rate_rad_s, acceleration_rad_s2=np.radians(acceleration_deg))
    direction, angle = turn
    start = State(
        attitude=quaternion_from_rotation_vector(0.4 * rate_to),
        rate_rad_s=np.radians(0.4 * rate_from),
    )
    goal = quaternion_product(
        quaternion_from_rotation_vector(angle * direction / norm(direction)), start.attitude
    )
    end = State(attitude=goal, rate_rad_s=np.radians(0.4 * rate_to))
    seconds = float(slew_time(start, end, agility)) + slack_s
    phases = slew_phases(start, end, agility, seconds)
    assert abs(sum(phase.duration_s for phase in phases) - seconds) < 1e-9
    assert all(phase.duration_s >= 0 for phase in phases)
    arrived = integrate(start, phases, step_s=0.05)
    assert angle_deg(arrived.attitude, goal) < 0.01
    assert np.degrees(norm(arrived.rate_rad_s - end.rate_rad_s)) < 1e-6
    rate, peak = np.array(start.rate_rad_s), 0.0
    for phase in phases:
        assert norm(phase.acceleration_rad_s2) <= agility.acceleration_rad_s2 * (1 + 1e-12)
        rate = rate + phase.duration_s * phase.acceleration_rad_s2
        peak = max(peak, float(norm(rate)))
    assert peak <= agility.rate_rad_s * (1 + 1e-9)


@given(turn=turns, rate_from=vectors)
@settings(max_examples=30, deadline=None)
def test_flying_a_slew_passes_where_the_integration_passes(
    turn: tuple[FloatArray, float], rate_from: FloatArray
) -> None:
    direction, angle = turn
    start = State(attitude=np.array([0.0, 0.0, 0.0, 1.0]), rate_rad_s=np.radians(0.4 * rate_from))
    end = State(
        attitude=quaternion_from_rotation_vector(angle * direction / norm(direction)),
        rate_rad_s=REST,
    )
    phases = slew_phases(start, end, SPOT, float(slew_time(start, end, SPOT)))
    upto = 0.0
    for count in range(1, len(phases) + 1):
        upto += phases[count - 1].duration_s
        flown = fly(start, phases, np.array([upto]))[0]
        assert angle_deg(integrate(start, phases[:count]).attitude, flown) < 1e-3


def test_a_slew_that_does_not_fit_is_refused() -> None:
    start = State(attitude=np.array([0.0, 0.0, 0.0, 1.0]), rate_rad_s=REST)
    end = State(attitude=np.array([0.5, 0.0, 0.0, np.sqrt(0.75)]), rate_rad_s=REST)
    needed = float(slew_time(start, end, SPOT))
    with pytest.raises(ValueError, match="does not fit"):
        slew_phases(start, end, SPOT, needed - 0.01)


@given(turn=turns)
def test_there_and_back_take_the_same_time(turn: tuple[FloatArray, float]) -> None:
    direction, angle = turn
    here = State(attitude=np.array([0.0, 0.0, 0.0, 1.0]), rate_rad_s=REST)
    q = quaternion_from_rotation_vector(angle * direction / norm(direction))
    there = State(attitude=q, rate_rad_s=REST)
    forth, back = slew_time(here, there, SPOT), slew_time(there, here, SPOT)
    assert abs(forth - back) < 1e-9
    off = norm(rotation_vector_from_quaternion(quaternion_product(q, quaternion_inverse(q))))
    assert off < 1e-9
