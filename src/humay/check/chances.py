"""What can be expected of a completion, case by case: of what is clear or cloudy for itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from humay.mission import Completion

ALL_OF_IT = 0.999999
MOST_CASES, GRID = 4_096, 2_048  # as docs/reference/requests.md says

Draw: TypeAlias = Mapping[float, float]
"""Shares of a request, each with the chance that so much of it is imaged clear."""


def once(share: float, clear: Sequence[float]) -> Draw:
    """A share that any of some attempts brings, each clear with a chance of its own."""
    missed = math.prod(1.0 - chance for chance in clear)
    return {share: 1.0 - missed, 0.0: missed}


def monitored(share: float, clear: Sequence[float], count: int) -> Draw:
    """A share of which each clear look brings one part in `count`, until all are there."""
    chance_of = {0: 1.0}
    for chance in clear:
        after: dict[int, float] = {}
        for number, before in chance_of.items():
            more = min(number + 1, count)
            after[number] = after.get(number, 0.0) + before * (1.0 - chance)
            after[more] = after.get(more, 0.0) + before * chance
        chance_of = after
    return {share * number / count: chance for number, chance in chance_of.items()}


def expected(completion: Completion, draws: Sequence[Draw]) -> float:
    """The mean of what a completion makes of the sum of independent draws."""
    if completion == "whole":
        best = [max(draw.items()) for draw in draws]
        full = math.fsum(share for share, _ in best) >= ALL_OF_IT
        return math.prod(chance for _, chance in best) if full else 0.0
    cases = {0.0: 1.0}
    for draw in draws:
        after: dict[float, float] = {}
        for before, likely in cases.items():
            for share, chance in draw.items():
                if chance > 0:
                    total = round(before + share, 9)
                    after[total] = after.get(total, 0.0) + likely * chance
        cases = after if len(after) <= MOST_CASES else _on_grid(after)
    return math.fsum(chance * completed(completion, share) for share, chance in cases.items())


def _on_grid(cases: Mapping[float, float]) -> dict[float, float]:
    """Each case as two beside it, in steps of the grid, with the same mean."""
    found: dict[float, float] = {}
    for share, chance in cases.items():
        low = math.floor(share * GRID)
        up = share * GRID - low
        for step, part in ((low, 1.0 - up), (low + 1, up)):
            if part > 0:
                found[step / GRID] = found.get(step / GRID, 0.0) + chance * part
    return found


def completed(completion: Completion, share: float) -> float:
    """The part of its worth that a share of a request brings."""
    if share >= ALL_OF_IT:
        return 1.0
    if completion == "linear":
        return share
    if completion == "whole":
        return 0.0
    (a, low), (b, high) = next(ends for ends in pairwise(completion) if share <= ends[1][0])
    return low + (high - low) * (share - a) / (b - a)
