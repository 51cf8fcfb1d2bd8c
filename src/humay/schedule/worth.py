"""What a plan is worth: which opportunities serve which part of a request, and how the parts count.

Everything that needs to know takes it from here: the greedy method, the search, the bound, the
plan's value and what plan.json tells of each request.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, islice

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.mission import SAME_CLOUDS_S, Completion, Request
from humay.schedule.age import Freshness
from humay.schedule.attempts import at_most, by_strip, grouped, is_monitoring, too_near
from humay.schedule.chances import chance_of_all
from humay.schedule.core import (
    LINEAR,
    Budget,
    Bundles,
    Curve,
    Goals,
    Ragged,
    levels,
    services,
    worths,
)
from humay.schedule.core.bound_rows import hull
from humay.schedule.expectation import ROUNDING, Lot, expected_share, guiding_curve
from humay.schedule.looks import Looks

MOST_CHOICES = 60
"""Of attempts that are made together at one strip."""
GAIN = 1e-9
"""Of a worth; less is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """The goals of a plan, one a request in their order, and the bundles of opportunities (rows)
    that serve their parts.

    A part is a strip of a request, in a slot of a series, or one look of monitoring; `strip` (p,)
    names the strip. `bundle_goal` (b,) is the goal that each bundle serves; a bundle serves one
    part. Rows in `apart` (k, 2) are never done together, of those of `most` only so many. `shares`
    are those of strips, `clear` (rows,) the chances of looks where clouds count, `freshness` what
    they count for where age does.


    Where clouds count, what can be expected of a request with a curve, or of monitoring, is no
    curve of a level: `worths` takes the mean over all that can happen, whatever the goal's curve.
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
    clear: FloatArray
    counts_clouds: bool
    freshness: Freshness | None = None

    # What acts are worth ----------------------------------------------------------------------

    def value(self, done: Iterable[int]) -> float:
        """What the acts of some opportunities are worth together."""
        return math.fsum(self.worths(done))

    def worths(self, done: Iterable[int]) -> list[float]:
        """The same request by request."""
        mask = self._mask(done)
        found = worths(self.goals, levels(self.goals, self.bundles, mask))
        for goal in self._uncertain:
            found[goal] = self.goal_worth(goal, mask)
        return found

    def goal_worth(self, goal: int, done: BoolArray) -> float:
        """What one goal is worth, where `done` (rows,) says what is."""
        goals, bundles = self.goals, self.bundles
        missing: dict[int, float] = {}
        for b in self.bundles_of.get(goal, ()):
            if np.all(done[bundles.members[b]]):
                part = int(bundles.serves.of[b])
                missing[part] = missing.get(part, 1.0) * (1.0 - float(bundles.quality[b]))
        if goal in self._uncertain:
            lots = self._lots(goal, {part: 1.0 - left for part, left in missing.items()})
            completion = self.requests[goal].completion
            return float(goals.weight[goal]) * expected_share(completion, lots)
        level = math.fsum(goals.part_share[part] * (1.0 - left) for part, left in missing.items())
        return float(goals.weight[goal] * goals.curves[int(goals.curve[goal])].at(level))

    @cached_property
    def guiding(self) -> Goals:
        """The goals as the search sees them: with a curve of its own for each of which the mean is
        no curve of the level."""
        curves, curve = list(self.goals.curves), np.array(self.goals.curve)
        for goal in self._uncertain & set(self.bundles_of):
            own = self.bundles_of[goal]
            part, quality = self.bundles.serves.of[own], self.bundles.quality[own]
            once = {p: float(np.max(quality[part == p])) for p in np.unique(part).tolist()}
            every = {p: 1.0 - float(np.prod(1.0 - quality[part == p])) for p in once}
            completion = self.requests[goal].completion
            guide = guiding_curve(completion, self._lots(goal, once), self._lots(goal, every))
            curve[goal] = len(curves)
            curves.append(guide)
        return replace(self.goals, curves=tuple(curves), curve=curve)

    @cached_property
    def enveloping(self) -> Goals:
        """The goals as a bound may see them: no mean of a curve lies above the least concave one
        over it at the mean level (Jensen), of what can be imaged at all."""
        curves, curve = list(self.goals.curves), np.array(self.goals.curve)
        for goal in self._uncertain & set(self.bundles_of):
            parts = np.unique(self.bundles.serves.of[self.bundles_of[goal]])
            most = min(float(np.sum(self.goals.part_share[parts])), 1.0)
            level, worth = hull(self.goals.curves[int(self.goals.curve[goal])], most)
            curve[goal] = len(curves)
            curves.append(Curve(level=level, worth=worth))
        return replace(self.goals, curves=tuple(curves), curve=curve)

    @cached_property
    def _uncertain(self) -> set[int]:
        """Goals of which the mean over clear and cloudy is no curve of the mean level."""
        if not self.counts_clouds:
            return set()
        return {
            goal
            for goal, request in enumerate(self.requests)
            if request.completion != "linear" or is_monitoring(request.repeat)
        }

    def _lots(self, goal: int, served: Mapping[int, float]) -> list[Lot]:
        """What counts of a goal for itself, from how well its parts are served: each part, of
        monitoring all at a strip."""
        repeat, share = self.requests[goal].repeat, self.goals.part_share
        if repeat is None or not is_monitoring(repeat):
            return [
                Lot(chances=np.array([served[p]]), step=float(share[p])) for p in sorted(served)
            ]
        of_strip: dict[str, list[int]] = {}
        for part in sorted(served):
            of_strip.setdefault(self.strip[part], []).append(part)
        return [
            Lot(
                chances=np.array([served[p] for p in own]),
                step=float(share[own[0]]),
                most=repeat.count,
            )
            for own in of_strip.values()
        ]

    def idle(self, done: Iterable[int]) -> set[int]:
        """Acts that are worth nothing: of a bundle that is not whole, or of a goal that is worth
        nothing as far as it is reached."""
        acts = set(done)
        if not acts:
            return acts
        mask = self._mask(acts)
        reached = np.array(self.worths(acts)) > 0
        whole = self.bundles.whole(mask) & reached[self.bundle_goal]
        first, members = self.bundles.members.first, self.bundles.members.of
        useful = members[np.repeat(whole, np.diff(first))]
        return acts - set(useful.tolist())

    def fractions(self, done: Iterable[int]) -> FloatArray:
        """How much of each request is imaged, 0 to 1, whatever it is worth."""
        served = self.goals.part_share * services(self.goals, self._certain, self._mask(done))
        names, first, of = np.unique(
            np.array(self.strip, dtype=str), return_index=True, return_inverse=True
        )
        most = np.array([self.shares[name] for name in names.tolist()], dtype=np.float64)
        imaged = np.minimum(np.bincount(of, weights=served, minlength=len(names)), most)
        goal = self.goals.part_goal[first]
        found = np.bincount(goal, weights=imaged, minlength=len(self.requests))
        return np.minimum(found, 1.0)

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
        each = goals.weight[goals.part_goal[part]] * goals.part_share[part]
        each = np.where(self.attempted, each, each / count)
        found = np.zeros(self.rows)
        found[self.bundles.members.of] = np.repeat(each, count)
        return found

    @cached_property
    def attempted(self) -> BoolArray:
        """Bundles (b,) of attempts that are made together, of which one serves."""
        together = [self.counts_clouds and r.min_attempts > 1 for r in self.requests]
        return np.array(together, dtype=bool)[self.bundle_goal]

    def _mask(self, done: Iterable[int]) -> BoolArray:
        mask = np.zeros(self.rows, dtype=bool)
        mask[list(done)] = True
        return mask


def worth_of(requests: Sequence[Request], looks: Looks, shares: Mapping[str, float]) -> Worth:
    """The worth of requests whose strips have `shares`: a look, or a set of them, serves a strip,
    of a series in its slot."""
    goal = {request.name: k for k, request in enumerate(requests)}
    bundles = _members(requests, looks)
    owner = [requests[goal[str(looks.opportunities.request[rows[0]])]] for rows in bundles]
    served = [_part_of(r, rows[0], looks) for r, rows in zip(owner, bundles, strict=True)]
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
            members=Ragged.from_rows(bundles),
            serves=Ragged.singles(of),
            quality=np.array(
                [_quality(rows, r, looks) for r, rows in zip(owner, bundles, strict=True)]
            ),
        ),
        strip=tuple(strip for _, strip, _ in parts),
        rows=len(looks.opportunities),
        bundle_goal=part_goal[of],
        bundles_of=grouped(part_goal[of]),
        apart=too_near(requests, looks),
        most=at_most(requests, looks),
        shares=shares,
        clear=looks.clear,
        counts_clouds=looks.counts_clouds,
    )


def _members(requests: Sequence[Request], looks: Looks) -> list[tuple[int, ...]]:
    """The rows of each bundle: one look, those of a set, or attempts that are made together."""
    asked = {r.name: r for r in requests} if looks.counts_clouds else {}
    together = {name for name, r in asked.items() if r.min_attempts > 1}
    bound = {row for rows in looks.sets for row in rows}
    names = looks.opportunities.request.tolist()
    alone = [(row,) for row, name in enumerate(names) if row not in bound and name not in together]
    attempts = [
        rows
        for name, own in by_strip(looks)
        if name in together
        for rows in _attempts(asked[name].min_attempts, own, looks)
    ]
    return [*alone, *looks.sets, *attempts]


def _attempts(count: int, own: Sequence[int], looks: Looks) -> list[tuple[int, ...]]:
    """So many looks at one strip under clouds of their own, the most promising of all choices; all
    there are where there are fewer."""
    at_s, clear = looks.opportunities.best_s, looks.clear
    ranked = sorted(own, key=lambda row: (-clear[row], at_s[row]))
    kept: list[int] = []
    for row in ranked:
        if all(abs(at_s[row] - at_s[other]) >= 2 * SAME_CLOUDS_S for other in kept):
            kept.append(row)
    size = min(count, len(kept))
    choices = islice(combinations(kept, size), MOST_CHOICES) if size else ()
    return [tuple(sorted(rows, key=lambda row: at_s[row])) for rows in choices]


def _quality(rows: tuple[int, ...], request: Request, looks: Looks) -> float:
    """How surely a bundle serves its part: its chance of being clear, where that counts."""
    if not looks.counts_clouds:
        return 1.0
    own = list(rows)
    if request.min_attempts > 1:
        return 1.0 - float(np.prod(1.0 - looks.clear[own]))
    return chance_of_all(looks.clear[own], looks.opportunities.best_s[own])


def _part_of(request: Request, row: int, looks: Looks) -> tuple[str, str, int]:
    """Request, strip and number of the part that a row serves: of monitoring, each its own."""
    number = row if is_monitoring(request.repeat) else int(looks.slot[row])
    return request.name, str(looks.opportunities.strip[row]), number


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
