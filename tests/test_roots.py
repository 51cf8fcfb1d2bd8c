"""Roots whose place is known beforehand, and spans against dense sampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray
from humay.roots import bracketed_roots, positive_spans

Function = Callable[[FloatArray], FloatArray]
TOLERANCE = 1e-9


def counted(f: Function, calls: list[int]) -> Function:
    def g(x: FloatArray) -> FloatArray:
        calls.append(x.size)
        return f(x)

    return g


# ---------------------------------------------------------------- bracketed_roots


@pytest.mark.parametrize(
    ("f", "low", "high", "root", "most_calls"),
    [
        (lambda x: x * x - 2, 0.0, 2.0, math.sqrt(2), 14),
        (np.cos, 1.0, 2.0, math.pi / 2, 12),
        (lambda x: np.exp(x) - 10, 0.0, 50.0, math.log(10), 25),
        (lambda x: x**3, -1.0, 2.0, 0.0, 60),  # flat: no slope at the root
        (lambda x: (x - 0.3) ** 9, -1.0, 2.0, 0.3, 60),  # very flat
        (lambda x: np.arctan(1e6 * (x - 0.7)), -5.0, 5.0, 0.7, 60),  # very steep
        (lambda x: np.sign(x - 0.7), -5.0, 5.0, 0.7, 60),  # a step
        (lambda x: np.where(x < 0.5, x - 0.5, 100 * (x - 0.5)), 0.0, 0.9, 0.5, 60),  # a kink
        (lambda x: np.abs(x) ** 0.2 * np.sign(x), -1.0, 3.0, 0.0, 60),  # no slope that is finite
        (lambda x: 1e-200 * (x - 0.25), 0.0, 1.0, 0.25, 8),  # tiny values
        (lambda x: 1e200 * (x - 0.25), 0.0, 1.0, 0.25, 8),
    ],
)
def test_known_roots_are_found(
    f: Function, low: float, high: float, root: float, most_calls: int
) -> None:
    calls: list[int] = []
    found = bracketed_roots(
        counted(f, calls), np.array([low]), np.array([high]), tolerance=TOLERANCE
    )
    assert abs(found[0] - root) <= TOLERANCE
    assert len(calls) <= most_calls


def test_many_roots_are_found_at_once_each_of_its_own_function() -> None:
    """Kepler's equation for 2,000 orbits: found to 1e-12 where E - e sin E = M is known from E."""
    rng = np.random.default_rng(1)
    eccentricity, expected = rng.uniform(0, 0.95, 2000), rng.uniform(0, 2 * math.pi, 2000)
    mean = expected - eccentricity * np.sin(expected)
    calls: list[int] = []

    def kepler(anomaly: FloatArray) -> FloatArray:
        return np.asarray(anomaly - eccentricity * np.sin(anomaly) - mean)

    found = bracketed_roots(
        counted(kepler, calls), np.full(2000, -1.0), np.full(2000, 7.5), tolerance=1e-12
    )
    assert np.abs(found - expected).max() < 1e-12
    assert len(calls) < 40  # not one search after another


def test_an_element_does_not_feel_its_neighbours() -> None:
    """So that a span that is searched with others keeps its last digit."""
    shift = np.array([0.1, 2.0, 0.7, 1.3])
    together = bracketed_roots(
        lambda x: np.cos(x + shift), -np.ones(4), np.full(4, 2.0), tolerance=1e-6
    )
    for one, answer in zip(shift, together, strict=True):
        alone = bracketed_roots(
            partial(lambda shift, x: np.cos(x + shift), one),
            -np.ones(1),
            np.full(1, 2.0),
            tolerance=1e-6,
        )
        assert alone[0] == answer


@settings(deadline=None, max_examples=200)
@given(
    coefficients=st.lists(st.floats(-3, 3), min_size=2, max_size=6),
    low=st.floats(-5, 5),
    width=st.floats(1e-3, 10),
)
def test_the_sign_changes_within_the_tolerance_of_every_answer(
    coefficients: list[float], low: float, width: float
) -> None:
    def f(x: FloatArray) -> FloatArray:
        return np.asarray(np.polyval(coefficients, x))

    ends = np.array([low, low + width])
    if not np.sign(f(ends)).prod() < 0:
        return
    [found] = bracketed_roots(f, ends[:1], ends[1:], tolerance=TOLERANCE)
    assert ends[0] <= found <= ends[1]
    around = np.sign(f(found + np.array([-1.001, 0.0, 1.001]) * TOLERANCE))
    assert np.any(around[1:] * around[:-1] <= 0)  # two roots may lie that close


def test_a_root_on_an_end_is_that_end() -> None:
    low, high = np.array([0.0, -1.0]), np.array([1.0, 0.0])
    assert bracketed_roots(lambda x: x, low, high, tolerance=TOLERANCE).tolist() == [0.0, 0.0]


def test_no_brackets_have_no_roots() -> None:
    none = np.array([])
    assert bracketed_roots(np.sin, none, none, tolerance=TOLERANCE).size == 0


def test_ends_of_one_sign_are_a_callers_mistake_and_named() -> None:
    with pytest.raises(ValueError, match=r"no change of sign between 2\.0 \(4\.0\) and 3\.0"):
        bracketed_roots(
            lambda x: np.where(x < 1.5, x, x * x),
            np.array([-1.0, 2.0]),
            np.array([1.0, 3.0]),
            tolerance=TOLERANCE,
        )


def test_a_function_without_a_number_is_not_a_root() -> None:
    with np.errstate(invalid="ignore"):
        with pytest.raises(ValueError, match="no change of sign"):
            bracketed_roots(np.log, np.array([-1.0]), np.array([3.0]), tolerance=TOLERANCE)
        with pytest.raises(ArithmeticError, match="no number inside the bracket"):
            bracketed_roots(
                lambda x: np.where(np.abs(x) < 0.8, np.nan, x),
                np.array([-1.0]),
                np.array([1.5]),
                tolerance=TOLERANCE,
            )


def test_a_search_that_does_not_end_says_how_far_it_came() -> None:
    with pytest.raises(ArithmeticError, match=r"1 roots not found in 5 steps, widest bracket"):
        bracketed_roots(
            lambda x: np.sign(x - np.array([0.3, 0.5])),
            np.zeros(2),
            np.ones(2),
            tolerance=TOLERANCE,
            limit=5,
        )


# ---------------------------------------------------------------- positive_spans


def spans(f: Function, nodes: FloatArray | list[float]) -> list[tuple[float, float]]:
    return positive_spans(f, np.asarray(nodes, dtype=np.float64), tolerance=TOLERANCE)


def test_spans_of_a_sine_end_at_its_roots() -> None:
    found = spans(np.sin, np.linspace(1.0, 15.0, 30))
    expected = [(1.0, math.pi), (2 * math.pi, 3 * math.pi), (4 * math.pi, 15.0)]
    assert np.allclose(found, expected, rtol=0, atol=TOLERANCE)


def test_whole_and_empty() -> None:
    nodes = np.linspace(0, 1, 5)
    assert spans(lambda t: 1 + t, nodes) == [(0.0, 1.0)]
    assert spans(lambda t: -1 - t, nodes) == []
    assert spans(np.zeros_like, nodes) == [(0.0, 1.0)]  # zero counts as inside
    assert spans(lambda t: 0.5 - t, [0.0, 1.0]) == [(0.0, 0.5)]  # two nodes are enough


def test_a_touch_of_zero_is_no_span() -> None:
    nodes = np.linspace(-1, 1, 9)
    assert spans(lambda t: -(t**2), nodes) == []  # touches at a node
    assert spans(lambda t: -((t - 0.1) ** 2), nodes) == []  # between two
    assert spans(lambda t: -t - 1, nodes) == []  # at the very beginning


@pytest.mark.parametrize("centre", [-0.9, -0.6, 0.0, 0.05, 0.125, 0.2, 0.6, 0.97])
def test_an_excursion_between_nodes_is_found_also_in_the_outermost_gaps(centre: float) -> None:
    """Nodes every 0.25, the excursion 0.02 long; before, one in the first or last gap was missed
    unless the node inside was the higher one."""
    half = 0.01
    found = spans(lambda t: half**2 - (t - centre) ** 2, np.linspace(-1, 1, 9))
    assert np.allclose(found, [(centre - half, centre + half)], rtol=0, atol=TOLERANCE)


def test_a_gap_between_nodes_is_found() -> None:
    found = spans(lambda t: (t - 0.1) ** 2 - 1e-4, np.linspace(-1, 1, 9))
    assert np.allclose(found, [(-1.0, 0.09), (0.11, 1.0)], rtol=0, atol=TOLERANCE)


def test_roots_on_nodes_are_edges_once() -> None:
    nodes = np.linspace(0, 4, 9)
    found = spans(lambda t: (t - 1) * (3 - t), nodes)
    assert np.allclose(found, [(1.0, 3.0)], rtol=0, atol=TOLERANCE)
    found = spans(lambda t: (t - 1) * (t - 3), nodes)
    assert np.allclose(found, [(0.0, 1.0), (3.0, 4.0)], rtol=0, atol=TOLERANCE)
    crossing = spans(lambda t: (t - 2) ** 2 * (3 - t), nodes)  # touches from above inside a span
    assert crossing[0][0] == 0.0
    assert crossing[-1][1] == pytest.approx(3.0, abs=TOLERANCE)
    assert sum(end - begin for begin, end in crossing) == pytest.approx(3.0, abs=3 * TOLERANCE)


@settings(max_examples=150, deadline=None)
@given(
    waves=st.lists(
        st.tuples(st.floats(-1, 1), st.floats(0.1, 2.0), st.floats(0, 6.3)), min_size=1, max_size=4
    ),
    offset=st.floats(-1, 1),
)
@example(waves=[(1.0, 1.0, 0.0)], offset=1.0)
@example(waves=[(1.0, 1.0, 0.0)], offset=-1.0)
@example(waves=[(1.0, 2.0, 0.0), (-1.0, 1.9, 0.0)], offset=0.0)
def test_spans_are_those_of_dense_sampling(
    waves: list[tuple[float, float, float]], offset: float
) -> None:
    """Sums of sines of a rate of 2 at most, nodes every 0.1, samples every 0.002. A sample nearer
    to zero than 1e-5 may fall either way: a parabola over 0.1 is no better."""

    def f(t: FloatArray) -> FloatArray:
        return np.asarray(offset + sum(a * np.sin(w * t + p) for a, w, p in waves))

    found = spans(f, np.linspace(0, 20, 201))
    t = np.linspace(0, 20, 10_001)
    inside = np.zeros(t.size, dtype=bool)
    for begin, end in found:
        assert 0 <= begin < end <= 20
        inside |= (t >= begin) & (t <= end)
    clear = np.abs(f(t)) > 1e-5
    assert np.array_equal(inside[clear], (f(t) >= 0)[clear])
    for (_, end), (begin, _) in pairwise(found):
        assert end <= begin
    edges = np.array([edge for span in found for edge in span if 0 < edge < 20])
    if edges.size:
        steepest = 2 * sum(abs(a) for a, _, _ in waves)
        assert np.abs(f(edges)).max() <= steepest * TOLERANCE + 1e-12
