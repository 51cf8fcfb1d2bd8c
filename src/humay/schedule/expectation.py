"""What can be expected of a request under clouds, whatever its curve of completion.

A request comes in *lots*, each clear or cloudy for itself: a strip, a slot of a series at a strip,
or all looks of monitoring at one, which count up to so many. What lots bring together is spread
over levels, and the curve is taken at each. No curve of the mean would do: of two strips asked for
whole, each clear with 0.5, a quarter can be expected, but the curve of one half is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray
from humay.mission import Completion
from humay.schedule.core import Curve

MOST_LEVELS = 4_096
"""More are put on a grid; up to twelve lots of different shares stay exact."""
GRID = 2_048
ROUNDING = 1e-6
"""Shares of lots that are a request together sum up to 1 but for this."""
_SAME_STEP = 1e-9
_NODES = 12

Spread: TypeAlias = tuple[float, FloatArray]
"""A step, and the chances that 0, 1, 2, ... of it count."""


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

    Exact while they have no more than `MOST_LEVELS` levels. Beyond, lots are taken in blocks of as
    many; each level of a block is split between its neighbours on a grid so that the mean stays: an
    error below the change of the curve's slope times 1 / `GRID` for each of the blocks. That all is
    clear, or nothing, counts at its own level, so that the error goes as all is sure; "linear" and
    "whole" have none. Which lots are a block follows from their steps and numbers alone, so that
    chances and shares that differ by rounding have means that do.
    """
    spreads = _spreads(lots)
    full = sum(step * (len(chance) - 1) for step, chance in spreads)
    if completion == "linear":
        return float(sum(step * chance @ np.arange(len(chance)) for step, chance in spreads))
    sure = float(np.prod([chance[-1] for _, chance in spreads]))
    if completion == "whole":
        return sure if full >= 1.0 - ROUNDING else 0.0
    share, worth = np.array(completion).T
    blocks = list(_blocks(spreads))
    if len(blocks) == 1:
        return float(blocks[0][1] @ np.interp(blocks[0][0], share, worth))
    every = reduce(np.convolve, [_on_grid(level, chance) for level, chance in blocks])
    clear = reduce(np.convolve, [_on_grid(level[-1:], np.ones(1)) for level, _ in blocks])
    mean = (every - sure * clear) @ np.interp(np.arange(len(every)) / GRID, share, worth)
    return float(mean + sure * np.interp(full, share, worth))


def _spreads(lots: Sequence[Lot]) -> list[Spread]:
    """Lots that can count, those of one step together, from the largest step to the smallest."""
    found: list[Spread] = []
    for lot in sorted(lots, key=lambda lot: -lot.step):
        counts = lot.counts()
        if not np.any(counts[1:] > 0):
            continue
        if found and found[-1][0] - lot.step < _SAME_STEP:
            step, before = found.pop()
            found.append((step, np.convolve(before, counts)))
        else:
            found.append((lot.step, counts))
    return found


def _blocks(spreads: Sequence[Spread]) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Levels and their chances, of as many spreads at a time as have no more than the most."""
    level, chance = np.zeros(1), np.ones(1)
    for step, counts in spreads:
        if len(level) * len(counts) > MOST_LEVELS:
            yield level, chance
            level, chance = np.zeros(1), np.ones(1)
        level = np.add.outer(level, step * np.arange(len(counts))).ravel()
        chance = np.multiply.outer(chance, counts).ravel()
    yield level, chance


def _on_grid(level: FloatArray, chance: FloatArray) -> FloatArray:
    """Chances of the levels of the grid, each level split between two with the same mean; the last
    level is the highest."""
    at = level * GRID
    below = np.floor(at).astype(np.int64)
    up, size = chance * (at - below), int(below[-1]) + 2
    split = np.bincount(below, chance - up, size) + np.bincount(below + 1, up, size)
    return np.asarray(split, dtype=np.float64)


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
