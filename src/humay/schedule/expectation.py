"""What can be expected of a request under clouds, whatever its curve of completion.

A request comes in *lots*, each clear or cloudy for itself: a strip, a slot of a series at a strip,
or all looks of monitoring at one, which count up to so many. What lots bring together is spread
over levels, and the curve is taken at each. No curve of the mean would do: of two strips asked for
whole, each clear with 0.5, a quarter can be expected, but the curve of one half is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray
from humay.mission import Completion
from humay.schedule.core import Curve

MOST_LEVELS = 4_096
"""More are put on a grid; up to twelve lots of different shares stay exact."""
GRID = 2_048
ROUNDING = 1e-6
"""Shares of lots that are a request together sum up to 1 but for this."""
_DIGITS = 9  # levels that differ by less are one
_NODES = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Lot:
    """Chances (k,) of services that each bring `step` of a request, up to `most` of them."""

    chances: FloatArray
    step: float
    most: int = 1

    def counts(self) -> FloatArray:
        """The chance (most + 1,) that so many services count."""
        found = np.zeros(min(len(self.chances), self.most) + 1)
        found[0] = 1.0
        for chance in self.chances.tolist():
            ahead = chance * found
            found -= ahead
            found[1:] += ahead[:-1]
            found[-1] += ahead[-1]
        return found


def expected_share(completion: Completion, lots: Sequence[Lot]) -> float:
    """The mean of what a completion makes of lots, 0 to 1.

    Exact while they have no more than `MOST_LEVELS` different levels. Beyond, each level is split
    between its neighbours on a grid so that the mean stays: an error below the change of the
    curve's slope times a 1 / `GRID` for each of the lots that follow, and never in "whole".
    """
    spreads = [(lot, lot.counts()) for lot in lots]
    if completion == "whole":
        full = sum(lot.step * (len(counts) - 1) for lot, counts in spreads) >= 1.0 - ROUNDING
        return float(np.prod([counts[-1] for _, counts in spreads])) if full else 0.0
    level, chance = np.zeros(1), np.ones(1)
    for lot, counts in spreads:
        steps = lot.step * np.arange(len(counts))
        level, chance = _merged(np.add.outer(steps, level), np.multiply.outer(counts, chance))
    nodes = ((0.0, 0.0), (1.0, 1.0)) if completion == "linear" else completion
    share, worth = np.array(nodes).T
    return float(chance @ np.interp(level, share, worth))


def _merged(level: FloatArray, chance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Different levels and their chances, on the grid where there are too many."""
    merged, of = np.unique(np.round(level.ravel(), _DIGITS), return_inverse=True)
    summed = np.bincount(of.ravel(), weights=chance.ravel())
    if len(merged) <= MOST_LEVELS:
        return merged, np.asarray(summed, dtype=np.float64)
    at = merged * GRID
    below = np.floor(at).astype(np.int64)
    up = summed * (at - below)
    size = int(below[-1]) + 2
    found = np.bincount(below, summed - up, size) + np.bincount(below + 1, up, size)
    return np.arange(size) / GRID, np.asarray(found, dtype=np.float64)


def guiding_curve(completion: Completion, lots: Sequence[Lot], again: Sequence[Lot]) -> Curve:
    """A curve of the mean level that comes near to what can be expected, for the search.

    It follows lots from the surest service to the least sure, and then further attempts at all of
    them alike, up to `again`: the same lots with all attempts. The mean level is as the search
    counts it, with no lot full. The curve is exact in that order, and where a lot is all there is.
    """
    nodes = [(0.0, 0.0)]
    for stage in [*_growing(lots), *_raised(lots, again)]:
        mean = sum(lot.step * float(np.sum(lot.chances)) for lot in stage)
        nodes.append((mean, expected_share(completion, stage)))
    level, worth = np.maximum.accumulate(np.array(nodes), axis=0).T
    return Curve(level=level, worth=worth)


def _growing(lots: Sequence[Lot]) -> Iterator[list[Lot]]:
    """More and more services, the surest first, in a few steps."""
    order = sorted(((float(c), k) for k, lot in enumerate(lots) for c in lot.chances), reverse=True)
    sizes = np.linspace(1, len(order), min(len(order), _NODES))
    for size in np.rint(sizes).astype(int).tolist():
        taken: list[list[float]] = [[] for _ in lots]
        for chance, k in order[:size]:
            taken[k].append(chance)
        yield [
            Lot(chances=np.array(own), step=lot.step, most=lot.most)
            for own, lot in zip(taken, lots, strict=True)
        ]


def _raised(lots: Sequence[Lot], again: Sequence[Lot]) -> Iterator[list[Lot]]:
    """From one attempt at each service to all of them."""
    for share in (0.5, 1.0):
        yield [
            Lot(
                chances=once.chances + share * (more.chances - once.chances),
                step=once.step,
                most=once.most,
            )
            for once, more in zip(lots, again, strict=True)
        ]
