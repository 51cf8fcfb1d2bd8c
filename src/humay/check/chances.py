"""What can be expected of a completion, case by case: of what is clear or cloudy for itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from humay.mission import Completion

ALL_OF_IT = 0.999999
MOST_CASES, GRID = 4_096, 2_048  # as docs/reference/requests.md says
SAME_STEP = 1e-9


@dataclass(frozen=True, kw_only=True)
class Draw:
    """`chance` that 0, 1, 2, ... times `step` of a request is imaged clear."""

    step: float
    chance: tuple[float, ...]

    @property
    def most(self) -> float:
        """What there is where all is clear."""
        return self.step * (len(self.chance) - 1)

    def cases(self) -> list[tuple[float, float]]:
        """Shares and their chances."""
        return [(self.step * number, chance) for number, chance in enumerate(self.chance)]

    def joined(self, other: Draw) -> Draw:
        """With one of the same step."""
        found = [0.0] * (len(self.chance) + len(other.chance) - 1)
        for i, a in enumerate(self.chance):
            for j, b in enumerate(other.chance):
                found[i + j] += a * b
        return Draw(step=self.step, chance=tuple(found))


def once(share: float, clear: Sequence[float]) -> Draw:
    """A share that any of some attempts brings, each clear with a chance of its own."""
    missed = math.prod(1.0 - chance for chance in clear)
    return Draw(step=share, chance=(missed, 1.0 - missed))


def monitored(share: float, clear: Sequence[float], count: int) -> Draw:
    """A share of which each clear look brings one part in `count`, until all are there."""
    chance_of = [1.0]
    for chance in clear:
        after = [0.0] * min(len(chance_of) + 1, count + 1)
        for number, before in enumerate(chance_of):
            after[number] += before * (1.0 - chance)
            after[min(number + 1, count)] += before * chance
        chance_of = after
    return Draw(step=share / count, chance=tuple(chance_of))


def expected(completion: Completion, draws: Sequence[Draw]) -> float:
    """The mean of what a completion makes of the sum of independent draws."""
    if completion == "linear":
        return math.fsum(share * chance for draw in draws for share, chance in draw.cases())
    joined = _of_one_step(draws)
    most = math.fsum(draw.most for draw in joined)
    likely = math.prod(draw.chance[-1] for draw in joined)
    if completion == "whole":
        return likely if most >= ALL_OF_IT else 0.0
    parts = _parts(joined)
    if len(parts) == 1:
        cases = _sums(parts[0])
        return math.fsum(chance * completed(completion, share) for share, chance in cases)
    joint, best = np.ones(1), np.ones(1)
    for part in parts:
        joint = np.convolve(joint, _on_grid(_sums(part)))
        best = np.convolve(best, _on_grid([(math.fsum(draw.most for draw in part), 1.0)]))
    mean = math.fsum(
        (chance - likely * own) * completed(completion, k / GRID)
        for k, (chance, own) in enumerate(zip(joint.tolist(), best.tolist(), strict=True))
    )
    return mean + likely * completed(completion, most)


def _of_one_step(draws: Sequence[Draw]) -> list[Draw]:
    """Draws that may bring something, those of one step joined, the largest first."""
    found: list[Draw] = []
    for draw in sorted(draws, key=lambda each: each.step, reverse=True):
        if max(draw.chance[1:], default=0.0) <= 0.0:
            continue
        if found and found[-1].step - draw.step < SAME_STEP:
            found[-1] = found[-1].joined(draw)
        else:
            found.append(draw)
    return found


def _parts(draws: Sequence[Draw]) -> list[list[Draw]]:
    """Draws in parts that have no more cases than may be."""
    parts: list[list[Draw]] = [[]]
    cases = 1
    for draw in draws:
        cases *= len(draw.chance)
        if cases > MOST_CASES:
            parts.append([])
            cases = len(draw.chance)
        parts[-1].append(draw)
    return parts


def _sums(draws: Sequence[Draw]) -> list[tuple[float, float]]:
    """All cases of some draws: what they bring together, and how likely."""
    cases = [(0.0, 1.0)]
    for draw in draws:
        cases = [(a + b, p * q) for a, p in cases for b, q in draw.cases()]
    return cases


def _on_grid(cases: Iterable[tuple[float, float]]) -> list[float]:
    """Each case as two beside it, in steps of the grid, with the same mean."""
    found: dict[int, float] = {}
    for share, chance in cases:
        low = math.floor(share * GRID)
        up = share * GRID - low
        for step, part in ((low, 1.0 - up), (low + 1, up)):
            found[step] = found.get(step, 0.0) + chance * part
    return [found.get(step, 0.0) for step in range(max(found) + 1)]


def completed(completion: Completion, share: float) -> float:
    """The part of its worth that a share of a request brings."""
    if completion == "whole":
        return float(share >= ALL_OF_IT)
    if completion == "linear" or share >= 1.0:
        return min(share, 1.0)
    (a, low), (b, high) = next(ends for ends in pairwise(completion) if share <= ends[1][0])
    return low + (high - low) * (share - a) / (b - a)
