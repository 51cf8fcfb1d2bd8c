"""What a plan is worth: which opportunities serve which part of a request, and how the parts count.

Everything that needs to know takes it from here: the greedy method, the search, the bound, the
plan's value and what plan.json tells of each request.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from humay.access import Opportunities
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.mission import Completion, Request
from humay.schedule.core import LINEAR, Bundles, Curve, Goals, levels, worths

ROUNDING = 1e-6
"""Shares of strips that are a request together sum up to 1 but for this."""
GAIN = 1e-9
"""Of a worth; less is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """The goals of a plan, one a request in their order, and the bundles of opportunities (rows)
    that serve their parts.

    A part is a strip of a request; `strip` (p,) names it. `bundle_goal` (b,) is the goal that each
    bundle serves; a bundle serves one part.
    """

    requests: tuple[Request, ...]
    goals: Goals
    bundles: Bundles
    strip: tuple[str, ...]
    rows: int
    bundle_goal: IntArray
    bundles_of: Mapping[int, IntArray]

    # What acts are worth ----------------------------------------------------------------------

    def value(self, done: Iterable[int]) -> float:
        """What the acts of some opportunities are worth together."""
        return math.fsum(worths(self.goals, self.levels(done)))

    def levels(self, done: Iterable[int]) -> FloatArray:
        """How far each goal is reached."""
        return levels(self.goals, self.bundles, self._mask(done))

    def goal_worth(self, goal: int, done: BoolArray) -> float:
        """What one goal is worth, where `done` (rows,) says what is."""
        goals, bundles = self.goals, self.bundles
        missing: dict[int, float] = {}
        for b in self.bundles_of.get(goal, ()):
            if np.all(done[bundles.members[b]]):
                part = int(bundles.serves.of[b])
                missing[part] = missing.get(part, 1.0) * (1.0 - float(bundles.quality[b]))
        level = math.fsum(goals.part_share[part] * (1.0 - left) for part, left in missing.items())
        return float(goals.weight[goal] * goals.curves[int(goals.curve[goal])].at(level))

    def idle(self, done: Iterable[int]) -> set[int]:
        """Acts that are worth nothing: of a bundle that is not whole, or of a goal that is worth
        nothing as far as it is reached."""
        acts = set(done)
        if not acts:
            return acts
        mask = self._mask(acts)
        reached = np.array(worths(self.goals, levels(self.goals, self.bundles, mask))) > 0
        whole = self.bundles.whole(mask) & reached[self.bundle_goal]
        first, members = self.bundles.members.first, self.bundles.members.of
        useful = members[np.repeat(whole, np.diff(first))]
        return acts - set(useful.tolist())

    def fractions(self, done: Iterable[int]) -> FloatArray:
        """How much of each request is imaged, 0 to 1, whatever it is worth."""
        certain = replace(self.bundles, quality=np.ones_like(self.bundles.quality))
        return np.minimum(levels(self.goals, certain, self._mask(done)), 1.0)

    @cached_property
    def alone(self) -> FloatArray:
        """The part (rows,) of its request's worth that each opportunity stands for: that of its
        strip, in equal parts for those that belong together."""
        part, count = self.bundles.serves.of, np.diff(self.bundles.members.first)
        goals = self.goals
        each = goals.weight[goals.part_goal[part]] * goals.part_share[part] / count
        found = np.zeros(self.rows)
        found[self.bundles.members.of] = np.repeat(each, count)
        return found

    def _mask(self, done: Iterable[int]) -> BoolArray:
        mask = np.zeros(self.rows, dtype=bool)
        mask[list(done)] = True
        return mask


def worth_of(
    requests: Sequence[Request], opportunities: Opportunities, shares: Mapping[str, float]
) -> Worth:
    """The worth of requests whose strips have `shares`; each window alone serves its strip."""
    o = opportunities
    goal = {request.name: k for k, request in enumerate(requests)}
    names = list(zip(o.request.tolist(), o.strip.tolist(), strict=True))
    strips = sorted(set(names))
    part = {strip: k for k, strip in enumerate(strips)}
    served = np.array([part[name] for name in names], dtype=np.int64)
    curves, curve = _curves(requests)
    goals = Goals(
        weight=np.array([request.worth for request in requests], dtype=np.float64),
        curve=curve,
        part_goal=np.array([goal[request] for request, _ in strips], dtype=np.int64),
        part_share=np.array([shares[strip] for _, strip in strips], dtype=np.float64),
        curves=curves,
    )
    bundle_goal = goals.part_goal[served]
    return Worth(
        requests=tuple(requests),
        goals=goals,
        bundles=Bundles.singles(served),
        strip=tuple(strip for _, strip in strips),
        rows=len(o),
        bundle_goal=bundle_goal,
        bundles_of=_grouped(bundle_goal),
    )


def _grouped(of: IntArray) -> dict[int, IntArray]:
    """The positions of each number."""
    order = np.argsort(of, kind="stable")
    met, first = np.unique(of[order], return_index=True)
    return {int(n): own for n, own in zip(met, np.split(order, first)[1:], strict=True)}


def _curves(requests: Sequence[Request]) -> tuple[tuple[Curve, ...], IntArray]:
    """The different curves of completion, and the number of each request's."""
    numbers: dict[Completion, int] = {"linear": 0}
    curve = [numbers.setdefault(r.completion, len(numbers)) for r in requests]
    return tuple(_curve(completion) for completion in numbers), np.array(curve, dtype=np.int64)


def _curve(completion: Completion) -> Curve:
    if completion == "linear":
        return LINEAR
    if completion == "whole":
        full = 1.0 - ROUNDING
        return Curve(level=np.array([0.0, full, full]), worth=np.array([0.0, 0.0, 1.0]))
    share, worth = np.array(completion).T
    return Curve(level=share, worth=worth)
