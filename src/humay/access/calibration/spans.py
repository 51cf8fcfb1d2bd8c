"""Where smooth functions of time are positive: every lobe, edges refined, the same from any span.

Nodes lie on an absolute grid and reach past the span, so that brackets, and with them the last
digits of the roots, do not depend on where the span begins or ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from humay.access.looks import EDGE_TOLERANCE_S
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.roots import bracketed_roots

Span: TypeAlias = tuple[float, float]
Spans: TypeAlias = list[Span]
Margin: TypeAlias = Callable[[FloatArray, IntArray], FloatArray]
"""Values (n,) at times (n,) of the functions with indices (n,)."""

_BEYOND = 3  # nodes past either end: what happens at the outermost two cannot be trusted
_ROUNDS = 4  # of parabola steps; each looks four times closer


def grid(span: Span, step_s: float, nodes: int = 0) -> FloatArray:
    """Nodes `step_s` apart over the span and a little beyond, at multiples of the step; at least
    `nodes` of them."""
    first, last = math.floor(span[0] / step_s) - _BEYOND, math.ceil(span[1] / step_s) + _BEYOND
    return np.arange(first, max(last + 1, first + nodes), dtype=np.float64) * step_s


def spans_above_zero(
    margin: Margin, t_s: FloatArray, value: FloatArray, within: Spans | None = None
) -> list[Spans]:
    """For each of m functions the spans inside its nodes `t_s` (m, n) where it is >= 0; `value`
    (m, n) is what it is at them.

    A lobe that begins and ends between two nodes is found by its top, a gap by its bottom: both
    show as a local extremum of the nodes. Edges are good to 0.01 ms inside `within`, outside no
    span is given.
    """
    inside = value >= 0
    row, node = np.nonzero(inside[:, 1:] != inside[:, :-1])
    top_row, top_node, top_s = _hidden_extrema(margin, t_s, value)
    which = np.concatenate([row, top_row, top_row])
    low = np.concatenate([t_s[row, node], t_s[top_row, top_node - 1], top_s])
    high = np.concatenate([t_s[row, node + 1], top_s, t_s[top_row, top_node + 1]])
    edge = low.copy()
    wanted = np.flatnonzero(_touching(low, high, within))
    if wanted.size:
        edge[wanted] = bracketed_roots(
            lambda t: margin(t, which[wanted]), low[wanted], high[wanted],
            tolerance=EDGE_TOLERANCE_S,
        )  # fmt: skip
    order = np.lexsort((edge, which))
    edges = np.split(edge[order], np.cumsum(np.bincount(which, minlength=len(t_s)))[:-1])
    found = [
        _paired(t, ends, bool(here[0]), bool(here[-1]))
        for t, ends, here in zip(t_s, edges, inside, strict=True)
    ]
    return found if within is None else [common(spans, within) for spans in found]


def _paired(t_s: FloatArray, edges: FloatArray, opens: bool, closes: bool) -> Spans:
    """Spans between edges in order of time; one that `opens` begins with the first node."""
    bounds = [float(t_s[0])] * opens + edges.tolist() + [float(t_s[-1])] * closes
    return [(a, b) for a, b in zip(bounds[0::2], bounds[1::2], strict=True) if b > a]


def highest(margin: Margin, near_s: FloatArray, which: IntArray, step_s: float) -> FloatArray:
    """Instants (n,) of a local maximum of functions `which`, within a step or so of `near_s`."""
    t, h = near_s, step_s
    for _ in range(_ROUNDS):
        left, mid, right = margin(t - h, which), margin(t, which), margin(t + h, which)
        bend = left - 2 * mid + right
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend != 0, -0.5 * h * (right - left) / bend, 0.0)
        t, h = t + np.clip(step, -h, h), h / 4
    return t


def _hidden_extrema(
    margin: Margin, t_s: FloatArray, value: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Functions and nodes about which they change sign twice, and an instant between both changes.

    By how much a smooth function passes a node's value on the way to an extremum beside it is an
    eighth of the second difference; eight times that is left as room.
    """
    left, mid, right = value[:, :-2], value[:, 1:-1], value[:, 2:]
    peak = (mid < 0) & (mid > left) & (mid >= right)
    dip = (mid >= 0) & (mid < left) & (mid <= right)
    near = np.abs(mid) <= np.abs(left + right - 2 * mid)
    row, node = np.nonzero((peak | dip) & near)
    node += 1
    if not row.size:
        return row, node, np.zeros(0)
    top_s = highest(margin, t_s[row, node], row, float(t_s[0, 1] - t_s[0, 0]))
    top_s = np.clip(top_s, t_s[row, node - 1], t_s[row, node + 1])
    crossed = (margin(top_s, row) >= 0) != (value[row, node] >= 0)
    return row[crossed], node[crossed], top_s[crossed]


def _touching(low: FloatArray, high: FloatArray, within: Spans | None) -> BoolArray:
    """Which of the intervals (n,) overlap one of the spans."""
    if within is None:
        return np.ones(len(low), dtype=bool)
    ends = np.array([end for _, end in within] + [math.inf])
    starts = np.array([start for start, _ in within] + [math.inf])
    return np.asarray(starts[np.searchsorted(ends, low)] <= high)


def common(a: Spans, b: Spans) -> Spans:
    """Where a span of `a` and a span of `b` overlap, both in order of time."""
    found, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        start, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if end > start:
            found.append((start, end))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return found


def either(a: Spans, b: Spans) -> Spans:
    """Where a span of `a` or a span of `b` is."""
    found: Spans = []
    for start, end in sorted([*a, *b]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def columns(spans: Iterable[Span]) -> tuple[FloatArray, FloatArray]:
    """Starts (n,) and ends (n,)."""
    both = np.array(list(spans), dtype=np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
