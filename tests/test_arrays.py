"""Vector operations: algebra done by hand, and what holds for every vector."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray, angle_between, dot, frozen, norm, unit

COMPONENT = st.floats(-1e8, 1e8).map(lambda x: 0.0 if abs(x) < 1e-8 else x)
VECTORS = st.tuples(COMPONENT, COMPONENT, COMPONENT).map(np.array).filter(lambda v: bool(np.any(v)))


def test_products_and_lengths_by_hand() -> None:
    a = np.array([[1.0, 2.0, 2.0], [0.0, 3.0, -4.0]])
    assert dot(a, np.array([2.0, -1.0, 0.5])).tolist() == [1.0, -5.0]
    assert norm(a).tolist() == [3.0, 5.0]
    assert unit(a).tolist() == [[1 / 3, 2 / 3, 2 / 3], [0.0, 0.6, -0.8]]


def test_any_leading_shape_gives_what_single_vectors_give() -> None:
    a = np.random.default_rng(1).normal(size=(2, 3, 4, 3))
    b = a[::-1]
    for function in (dot, angle_between):
        many = function(a, b)
        assert many.shape == (2, 3, 4)
        assert many[1, 2, 3] == function(a[1, 2, 3], b[1, 2, 3])
    assert norm(a).shape == (2, 3, 4)
    assert unit(a).shape == a.shape


@settings(deadline=None)
@given(v=VECTORS)
def test_a_direction_has_length_one_and_points_along(v: FloatArray) -> None:
    assert norm(unit(v)) == pytest.approx(1.0, abs=4e-16)
    assert np.allclose(unit(v) * norm(v), v, rtol=4e-16, atol=0)


def test_a_zero_vector_has_no_direction() -> None:
    with pytest.raises(ValueError, match="zero vector has no direction"):
        unit(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    with pytest.raises(ValueError, match="zero vector has no direction"):
        unit(np.array([np.nan, 0.0, 0.0]))


@settings(deadline=None)
@given(exponent=st.floats(-15, 0), turn=st.floats(0, 2 * math.pi))
def test_angles_are_exact_near_0_and_near_pi(exponent: float, turn: float) -> None:
    """The arc cosine of a dot product loses every angle below 1e-8 rad; this keeps 15 digits."""
    angle_rad = 10.0**exponent
    x, y = np.array([1.0, 0.0, 0.0]), np.array([0.0, math.cos(turn), math.sin(turn)])
    near = math.cos(angle_rad) * x + math.sin(angle_rad) * y
    assert angle_between(x, near) == pytest.approx(angle_rad, rel=1e-14, abs=4e-16)
    assert math.pi - angle_between(-x, near) == pytest.approx(angle_rad, rel=1e-14, abs=1e-15)


@settings(deadline=None)
@given(a=VECTORS, b=VECTORS)
def test_an_angle_is_the_same_both_ways_and_completes_to_pi(a: FloatArray, b: FloatArray) -> None:
    assert angle_between(a, b) == angle_between(b, a)
    assert angle_between(a, b) + angle_between(a, -b) == pytest.approx(math.pi, abs=1e-15)


def test_a_frozen_array_is_a_copy_that_cannot_be_changed() -> None:
    mine = np.array([1.0, 2.0])
    kept = frozen(mine)
    mine[0] = 9.0
    assert kept.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 3.0
