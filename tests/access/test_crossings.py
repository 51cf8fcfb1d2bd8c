"""Sign changes of functions whose curvature is bounded, against roots by algebra and sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.access.crossings import ROUNDING, Intervals, in_one, spans_above
from humay.arrays import BoolArray, FloatArray, IntArray


class Waves:
    """Functions c_i + sum of a sin(w t + p), w = 1, 2, 3... in 1/100 rad/s."""

    def __init__(self, constants: list[float], waves: list[tuple[float, float]]) -> None:
        self._constants = np.array(constants)
        self._height, self._phase = np.array(waves).T
        self._rate = 0.01 * np.arange(1, len(waves) + 1)
        self._bend = float(np.sum(np.abs(self._height) * self._rate**2))

    def sample(self, t_s: FloatArray, which: IntArray) -> FloatArray:
        angle = self._rate[:, None] * t_s + self._phase[:, None]
        rate = (self._height * self._rate) @ np.cos(angle)
        return np.stack([self._constants[which] + self._height @ np.sin(angle), rate])

    def settled(
        self, left: FloatArray, right: FloatArray, width_s: FloatArray, which: IntArray
    ) -> tuple[BoolArray, BoolArray]:
        assert len(which) == left.shape[1]
        off = np.minimum(np.abs(left[0]), np.abs(right[0]))
        one_side = (left[0] * right[0] > 0) & (off > self._bend * width_s**2 / 8)
        once = (left[1] * right[1] > 0) & (np.abs(left[1] + right[1]) > self._bend * width_s)
        return one_side, once | (self._bend * width_s**2 / 8 < ROUNDING)

    def over(self, nodes_s: FloatArray) -> Intervals:
        """All functions from node to node."""
        which = np.repeat(np.arange(len(self._constants)), len(nodes_s) - 1)
        low_s, high_s = (
            np.tile(part, len(self._constants)) for part in (nodes_s[:-1], nodes_s[1:])
        )
        left, right = self.sample(low_s, which), self.sample(high_s, which)
        return Intervals(which=which, low_s=low_s, high_s=high_s, left=left, right=right)


@pytest.mark.parametrize("depth", [1e-3, 1e-6, 1e-10])
def test_a_lobe_however_short_is_found(depth: float) -> None:
    """sin(0.01 t) - (1 - d) is positive for 2 acos(1 - d) / 0.01 s around a quarter turn: 2.8 ms
    where d is 1e-10. Its bottom, one side of zero, is no lobe."""
    waves = Waves([-(1 - depth), 1 + depth, -(1 + depth)], [(1.0, 0.0)])
    which, begin_s, end_s = spans_above(waves, waves.over(np.linspace(0, 200 * math.pi, 11)))
    half_s = math.acos(1 - depth) / 0.01
    assert which.tolist() == [0, 1]
    assert np.allclose(begin_s, [50 * math.pi - half_s, 0.0], rtol=0, atol=1e-4)
    assert np.allclose(end_s, [50 * math.pi + half_s, 200 * math.pi], rtol=0, atol=1e-4)


@given(
    waves=st.lists(st.tuples(st.floats(-2, 2), st.floats(0, 2 * math.pi)), min_size=1, max_size=5),
    constants=st.lists(st.floats(-3, 3), min_size=1, max_size=3),
)
def test_spans_are_those_of_dense_sampling(
    waves: list[tuple[float, float]], constants: list[float]
) -> None:
    functions = Waves(constants, waves)
    which, begin_s, end_s = spans_above(functions, functions.over(np.linspace(0.0, 1000.0, 18)))
    t_s = np.arange(0.0, 1000.0, 0.1)
    for i in range(len(constants)):
        value = functions.sample(t_s, np.full(len(t_s), i))[0]
        own = which == i
        after = np.searchsorted(begin_s[own], t_s, side="right")
        inside = after > np.searchsorted(end_s[own], t_s, side="left")
        clear = np.abs(value) > 1e-6
        assert np.array_equal(inside[clear], value[clear] > 0)


def test_spans_of_parts_are_cut_and_those_that_touch_are_one() -> None:
    one = np.array([0, 0, 1]), np.array([0.0, 5.0, 8.0]), np.array([2.0, 10.0, 10.0])
    two = np.array([0, 1]), np.array([10.0, 10.5]), np.array([12.0, 20.0])
    which, begin_s, end_s = in_one([one, two], 1.0, 15.0)
    assert which.tolist() == [0, 0, 1, 1]
    assert begin_s.tolist() == [1.0, 5.0, 8.0, 10.5]
    assert end_s.tolist() == [2.0, 12.0, 10.0, 15.0]


def test_nothing_given_is_nothing_found() -> None:
    waves = Waves([], [(1.0, 0.0)])
    assert all(len(part) == 0 for part in spans_above(waves, waves.over(np.arange(3.0))))
    assert all(len(part) == 0 for part in in_one([], 0.0, 1.0))
