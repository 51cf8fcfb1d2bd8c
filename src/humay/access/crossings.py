"""Where functions of time change sign: every instant, however close two of them lie.

Between two looks at a function nothing is assumed but bounds on how it can bend. They show of most
intervals that the function stays on one side of zero, or that it runs one way and so changes sign
at most once; what they cannot settle is halved. This module knows nothing of space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from humay.access.looks import EDGE_TOLERANCE_S
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.roots import bracketed_roots

ROUNDING = 1e-13  # of angles and cosines: a function that leaves its chord by less is straight


class Curves(Protocol):
    """Functions of time, told apart by their index `which` (n,)."""

    def sample(self, t_s: FloatArray, which: IntArray) -> FloatArray:
        """Rows (c, n) of what is to be known at instants (n,), first the functions' values."""

    def settled(
        self, left: FloatArray, right: FloatArray, width_s: FloatArray, which: IntArray
    ) -> tuple[BoolArray, BoolArray]:
        """What is certain between two instants `width_s` (n,) apart, from the rows at both: the
        function stays on one side of zero, the function changes sign at most once.

        Where a function is straight to `ROUNDING` it must be one of both, lest one that is zero
        throughout be halved to the end.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals:
    """Stretches (n,) of functions, with the rows (c, n) at both ends."""

    which: IntArray
    low_s: FloatArray
    high_s: FloatArray
    left: FloatArray
    right: FloatArray

    def take(self, chosen: BoolArray) -> Intervals:
        """The stretches of a mask."""
        return Intervals(
            which=self.which[chosen],
            low_s=self.low_s[chosen],
            high_s=self.high_s[chosen],
            left=self.left[:, chosen],
            right=self.right[:, chosen],
        )

    def halved(self, curves: Curves) -> Intervals:
        """Each stretch as two."""
        middle_s = 0.5 * (self.low_s + self.high_s)
        middle = curves.sample(middle_s, self.which)
        return Intervals(
            which=np.concatenate([self.which, self.which]),
            low_s=np.concatenate([self.low_s, middle_s]),
            high_s=np.concatenate([middle_s, self.high_s]),
            left=np.concatenate([self.left, middle], axis=1),
            right=np.concatenate([middle, self.right], axis=1),
        )


Spans: TypeAlias = tuple[IntArray, FloatArray, FloatArray]
"""Of which function, from, to (k,), by function and time."""


def spans_above(curves: Curves, stretches: Intervals) -> Spans:
    """Where the functions are at least zero: which, from, to (k,), by function and time.

    The stretches stand in that order, too; where the next one of a function goes on from the last,
    so does a span. A span or gap of less than 0.01 ms may go unseen.
    """
    which, low_s, high_s = stretches.which, stretches.low_s, stretches.high_s
    begins = np.ones(len(which), dtype=bool)
    begins[1:] = (which[1:] != which[:-1]) | (low_s[1:] != high_s[:-1])
    first = begins & (stretches.left[0] >= 0)
    last = np.append(begins[1:], True)[: len(which)] & (stretches.right[0] >= 0)
    crossed, cross_s = _crossings(curves, stretches)
    which = np.concatenate([crossed, which[first], which[last]])
    edge_s = np.concatenate([cross_s, low_s[first], high_s[last]])
    order = np.lexsort((edge_s, which))
    which, edge_s = which[order][0::2], edge_s[order].reshape(-1, 2)
    return _joined(which, edge_s[:, 0], edge_s[:, 1])


def in_one(parts: Sequence[Spans], start_s: float, end_s: float) -> Spans:
    """All spans of parts that follow each other in time, cut to [start_s, end_s]."""
    nothing = np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    which, begin_s, finish_s = (np.concatenate(c) for c in zip(nothing, *parts, strict=True))
    order = np.lexsort((begin_s, which))
    begin_s, finish_s = np.maximum(begin_s[order], start_s), np.minimum(finish_s[order], end_s)
    return _joined(which[order], begin_s, finish_s)


def nodes_over(t_s: FloatArray, start_s: float, end_s: float) -> slice:
    """The rising instants from the last one not after `start_s` to the first not before `end_s`."""
    first = max(int(np.searchsorted(t_s, start_s, side="right")) - 1, 0)
    return slice(first, int(np.searchsorted(t_s, end_s, side="left")) + 1)


def _joined(which: IntArray, begin_s: FloatArray, end_s: FloatArray) -> Spans:
    """Spans in order, those that touch made one, those without length left out."""
    long = end_s > begin_s
    which, begin_s, end_s = which[long], begin_s[long], end_s[long]
    touch = (which[1:] == which[:-1]) & (begin_s[1:] == end_s[:-1])
    first = np.append(True, ~touch)[: len(which)]
    last = np.append(~touch, True)[: len(which)]
    return which[first], begin_s[first], end_s[last]


def _crossings(curves: Curves, stretches: Intervals) -> tuple[IntArray, FloatArray]:
    """Every sign change inside the stretches, to `EDGE_TOLERANCE_S`."""
    which, low_s, high_s = [], [], []
    while len(stretches.which):
        width_s = stretches.high_s - stretches.low_s
        one_side, once = curves.settled(stretches.left, stretches.right, width_s, stretches.which)
        done = once | (width_s <= EDGE_TOLERANCE_S)
        change = done & ((stretches.left[0] >= 0) != (stretches.right[0] >= 0))
        which.append(stretches.which[change])
        low_s.append(stretches.low_s[change])
        high_s.append(stretches.high_s[change])
        stretches = stretches.take(~(one_side | done)).halved(curves)
    if not which:
        return np.zeros(0, np.int64), np.zeros(0)
    found = np.concatenate(which)
    edge_s = bracketed_roots(
        lambda t_s: curves.sample(t_s, found)[0],
        np.concatenate(low_s),
        np.concatenate(high_s),
        tolerance=EDGE_TOLERANCE_S,
    )
    return found, edge_s
