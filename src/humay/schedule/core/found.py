"""What a search hands back."""

from __future__ import annotations

from dataclasses import dataclass

from humay.schedule.core.problem import Solution


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """The best solution met, its value, and after how many iterations the search stopped.

    `bound` is what no solution can exceed, where the search itself proved one.
    """

    solution: Solution
    value: float
    iterations: int
    bound: float | None = None
