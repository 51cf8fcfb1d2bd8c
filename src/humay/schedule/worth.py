"""What a plan is worth: which opportunities serve which part of a request, and how the parts count.

Everything that needs to know takes it from here: the greedy method, the search, the bound, the
plan's value and what plan.json tells of each request.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.mission import Completion, Repeat, Request
from humay.schedule.core import LINEAR, Budget, Bundles, Curve, Goals, Ragged, levels, worths
from humay.schedule.looks import Looks

ROUNDING = 1e-6
"""Shares of strips that are a request together sum up to 1 but for this."""
GAIN = 1e-9
"""Of a worth; less is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """The goals of a plan, one a request in their order, and the bundles of opportunities (rows)
    that serve their parts.

    A part is a strip of a request, in a slot of a series, or one look of monitoring; `strip` (p,)
    names the strip. `bundle_goal` (b,) is the goal that each bundle serves; a bundle serves one
    part. Rows in `apart` (k, 2) are never done together, of those of `most` only so many. `shares`
    are those of strips.
    """

    requests: tuple[Request, ...]
    goals: Goals
    bundles: Bundles
    strip: tuple[str, ...]
    rows: int
    bundle_goal: IntArray
    bundles_of: Mapping[int, IntArray]
    apart: IntArray
    most: tuple[Budget, ...]
    shares: Mapping[str, float]

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
        return np.minimum(levels(self.goals, self._certain, self._mask(done)), 1.0)

    def served(self, done: Iterable[int]) -> set[str]:
        """The strips of which all that is asked for is done."""
        mask, found = self._mask(done), dict.fromkeys(self.shares, 0.0)
        parts = np.unique(self.bundles.serves.of[self.bundles.whole(mask)])
        for part in parts.tolist():
            found[self.strip[part]] += float(self.goals.part_share[part])
        return {name for name, share in found.items() if share >= self.shares[name] - GAIN}

    def barred(self, row: int, done: BoolArray) -> bool:
        """Whether what is `done` (rows,) excludes an opportunity."""
        if any(done[other] for other in self._excludes.get(row, ())):
            return True
        return any(np.sum(done[cap.candidates]) >= cap.most for cap in self._caps.get(row, ()))

    @cached_property
    def _certain(self) -> Bundles:
        return replace(self.bundles, quality=np.ones_like(self.bundles.quality))

    @cached_property
    def _excludes(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for i, j in self.apart.tolist():
            found.setdefault(i, []).append(j)
            found.setdefault(j, []).append(i)
        return found

    @cached_property
    def _caps(self) -> dict[int, list[Budget]]:
        found: dict[int, list[Budget]] = {}
        for cap in self.most:
            for row in cap.candidates.tolist():
                found.setdefault(row, []).append(cap)
        return found

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


def worth_of(requests: Sequence[Request], looks: Looks, shares: Mapping[str, float]) -> Worth:
    """The worth of requests whose strips have `shares`: a look, or a set of them, serves a strip,
    of a series in its slot."""
    goal = {request.name: k for k, request in enumerate(requests)}
    bundles = _members(looks)
    served = [_part_of(requests[goal[str(looks.opportunities.request[b[0]])]], b[0], looks)
              for b in bundles]  # fmt: skip
    parts = sorted(set(served))
    number = {part: k for k, part in enumerate(parts)}
    of = np.array([number[part] for part in served], dtype=np.int64)
    curves, curve = _curves(requests)
    part_goal = np.array([goal[request] for request, _, _ in parts], dtype=np.int64)
    count = [1 if r.repeat is None else r.repeat.count for r in requests]
    goals = Goals(
        weight=np.array([request.worth for request in requests], dtype=np.float64),
        curve=curve,
        part_goal=part_goal,
        part_share=np.array([shares[s] / count[goal[r]] for r, s, _ in parts], dtype=np.float64),
        curves=curves,
    )
    return Worth(
        requests=tuple(requests),
        goals=goals,
        bundles=Bundles(
            members=Ragged.from_rows(bundles), serves=Ragged.singles(of), quality=np.ones(len(of))
        ),
        strip=tuple(strip for _, strip, _ in parts),
        rows=len(looks.opportunities),
        bundle_goal=part_goal[of],
        bundles_of=_grouped(part_goal[of]),
        apart=_too_near(requests, looks),
        most=_at_most(requests, looks),
        shares=shares,
    )


def _members(looks: Looks) -> list[tuple[int, ...]]:
    """The rows of each bundle: one look, or those of a set."""
    bound = {row for rows in looks.sets for row in rows}
    alone = [(row,) for row in range(len(looks.opportunities)) if row not in bound]
    return [*alone, *looks.sets]


def _part_of(request: Request, row: int, looks: Looks) -> tuple[str, str, int]:
    """Request, strip and number of the part that a row serves: of monitoring, each its own."""
    number = int(looks.slot[row])
    if request.repeat is not None and request.repeat.every_h is None:
        number = row
    return request.name, str(looks.opportunities.strip[row]), number


def _repeated(requests: Sequence[Request], looks: Looks) -> Iterator[tuple[Repeat, list[int]]]:
    """The rows of every strip of requests for several looks."""
    asked = {r.name: r.repeat for r in requests if r.repeat is not None}
    rows: dict[tuple[str, str], list[int]] = {}
    names = zip(looks.opportunities.request, looks.opportunities.strip, strict=True)
    for row, (request, strip) in enumerate(names):
        if request in asked:
            rows.setdefault((str(request), str(strip)), []).append(row)
    for (request, _), own in rows.items():
        yield asked[request], own


def _too_near(requests: Sequence[Request], looks: Looks) -> IntArray:
    """Pairs (k, 2) of looks at one strip that may begin nearer to each other than is asked."""
    o, found = looks.opportunities, []
    for repeat, own in _repeated(requests, looks):
        if repeat.separation_s == 0:
            continue
        free_s = o.plan_start_s[own] - o.plan_end_s[own][:, None]  # from i to j
        near = ~((free_s >= repeat.separation_s) | (repeat.separation_s <= free_s.T))
        i, j = np.nonzero(np.triu(near, k=1))
        found += [(own[a], own[b]) for a, b in zip(i.tolist(), j.tolist(), strict=True)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _at_most(requests: Sequence[Request], looks: Looks) -> tuple[Budget, ...]:
    """No more looks at a strip than monitoring asks for."""
    return tuple(
        Budget(candidates=np.array(own), use=np.ones(len(own)), most=float(repeat.count))
        for repeat, own in _repeated(requests, looks)
        if repeat.every_h is None
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
