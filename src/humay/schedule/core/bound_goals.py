"""Goals as columns and rows of the bound's linear program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.core.bound_program import Build, Program
from humay.schedule.core.bound_rows import hull, rows_of
from humay.schedule.core.problem import Problem


class Servers(NamedTuple):
    """The bundles that can serve a part, and how well each does."""

    bundles: IntArray
    quality: FloatArray


def program_of(
    problem: Problem, on_lane: BoolArray, possible: BoolArray, idle: BoolArray
) -> Program:
    """The program of a problem whose candidates `on_lane` (n,) come in by sequences; those that
    are not `possible` (n,) are never done, those that are `idle` (n,) help none to follow another.
    """
    build = Build.of(on_lane, np.flatnonzero(~on_lane & possible), problem.bonus)
    goals = _Goals(build=build, problem=problem, direct=_direct(problem, idle))
    constant = goals.add(_servers(problem, possible))
    for row in rows_of(problem):
        size = float(np.max(np.abs(row.weights), initial=0.0)) or 1.0
        build.row([], row.acts, row.weights / size, row.most / size)
    return build.program(constant)


def _direct(problem: Problem, idle: BoolArray) -> BoolArray:
    """Candidates in one bundle of their own that serves one part: leaving out a second one for the
    part loses nothing and breaks nothing."""
    bundles, n = problem.bundles, len(problem)
    alone, single = np.diff(bundles.members.first) == 1, np.diff(bundles.serves.first) == 1
    simple = np.repeat(alone & single, np.diff(bundles.members.first))
    count = np.bincount(bundles.members.of, minlength=n)
    good = np.bincount(bundles.members.of[simple], minlength=n)
    direct = idle & (count == 1) & (good == 1) & ~problem.fixed & (problem.bonus <= 0)
    for store in problem.stores:
        direct &= (store.use >= 0) | (problem.lane != store.lane)
    return np.asarray(direct)


def _servers(problem: Problem, possible: BoolArray) -> list[Servers]:
    """Of each part."""
    bundles = problem.bundles
    of = np.repeat(np.arange(len(bundles.members)), np.diff(bundles.serves.first))
    good = bundles.whole(possible)[of] & (bundles.quality > 0)
    part, of, quality = bundles.serves.of[good], of[good], bundles.quality[good]
    order = np.argsort(part, kind="stable")
    first = np.searchsorted(part[order], np.arange(len(problem.goals.part_goal) + 1))
    return [
        Servers(of[order[a:b]], quality[order[a:b]])
        for a, b in zip(first[:-1].tolist(), first[1:].tolist(), strict=True)
    ]


@dataclass(kw_only=True)
class _Level:
    """What makes up a goal's level while its parts are added: `slope` is what a level gains at
    first, and all along where it is `straight`; entries of columns and candidates are negative."""

    slope: float
    straight: bool
    columns: list[tuple[int, float]] = field(default_factory=list)
    acts: list[IntArray] = field(default_factory=list)
    weights: list[FloatArray] = field(default_factory=list)

    def gain(self, share: float) -> float:
        """What a column that adds a share to the level gains by itself."""
        return self.slope * share if self.straight else 0.0


@dataclass(kw_only=True)
class _Goals:
    """A program to which goals are added.

    A candidate is `direct` that does nothing but serve one part, alone, and may be left out: of a
    part's direct candidates one is enough, so that it is its own service.
    """

    build: Build
    problem: Problem
    direct: BoolArray

    def add(self, servers: list[Servers]) -> float:
        """Add all goals; what they are worth when nothing is done."""
        goals = self.problem.goals
        parts: list[list[int]] = [[] for _ in goals.weight]
        for part, goal in enumerate(goals.part_goal.tolist()):
            if len(servers[part].bundles) and goals.part_share[part] > 0:
                parts[goal].append(part)
        return sum(self._add_goal(goal, own, servers) for goal, own in enumerate(parts))

    def _add_goal(self, goal: int, parts: list[int], servers: list[Servers]) -> float:
        goals = self.problem.goals
        shares: dict[tuple[bytes, bytes], float] = {}
        alike: dict[tuple[bytes, bytes], Servers] = {}
        for part in parts:
            key = servers[part].bundles.tobytes(), servers[part].quality.tobytes()
            shares[key] = shares.get(key, 0.0) + float(goals.part_share[part])
            alike[key] = servers[part]
        most = sum(share * self._top(alike[key]) for key, share in shares.items())
        level, worth = hull(goals.curves[goals.curve[goal]], most)
        nothing, lengths = float(goals.weight[goal] * worth[0]), np.diff(level)
        slopes = goals.weight[goal] * np.diff(worth) / np.maximum(lengths, 1e-300)
        if not len(slopes) or slopes[0] <= 0:
            return nothing
        reached = _Level(slope=float(slopes[0]), straight=len(slopes) == 1)
        for key, share in shares.items():
            self._add_part(alike[key], share, reached)
        if not reached.straight:
            self._add_hull(reached, slopes, lengths)
        return nothing

    def _top(self, servers: Servers) -> float:
        """How well a part can be served at most."""
        if self.problem.goals.combine == "best":
            return float(np.max(servers.quality))
        return float(1.0 - np.prod(1.0 - servers.quality))

    def _add_hull(self, level: _Level, slopes: FloatArray, lengths: FloatArray) -> None:
        """A concave curve: columns that gain less and less add up to what was served."""
        hulled = [
            (self.build.column(slope, length), 1.0)
            for slope, length in zip(slopes.tolist(), lengths.tolist(), strict=True)
        ]
        acts = np.concatenate([np.zeros(0, np.int64), *level.acts])
        self.build.row(hulled + level.columns, acts, np.concatenate([[], *level.weights]), 0.0)

    def _add_part(self, servers: Servers, share: float, level: _Level) -> None:
        """One service at most counts, where the best alone does or each is perfect; otherwise,
        chances add up to no more than their sum."""
        members, quality = self.problem.bundles.members, servers.quality
        alone = self.problem.goals.combine == "best" or bool(np.all(quality == 1.0))
        first = members.of[members.first[servers.bundles]]
        single = bool(np.all(np.diff(members.first)[servers.bundles] == 1))
        if alone and bool(np.all(self.direct[first])):
            self._add_direct(first, quality, share, level)
        elif single and (not alone or float(np.ptp(quality)) == 0.0):
            self._add_together(first, quality, share, level, alone=alone)
        else:
            self._add_services(servers, share, level, alone=alone)

    def _add_direct(self, acts: IntArray, quality: FloatArray, share: float, level: _Level) -> None:
        """One of the candidates at most is done, and is the service."""
        self.build.worth(acts, quality * level.gain(share))
        level.acts.append(acts)
        level.weights.append(-share * quality)
        best = level.slope * share * float(np.max(quality))
        start = best if level.straight else 0.0
        self.build.row([], acts, np.ones(len(acts)), 1.0, dear=best, start=start)

    def _add_together(
        self, acts: IntArray, quality: FloatArray, share: float, level: _Level, *, alone: bool
    ) -> None:
        """One column is served as far as any candidate is done."""
        top = self._top(Servers(acts, quality))
        share *= top
        column = self.build.column(level.gain(share), 1.0)
        level.columns.append((column, -share))
        weights = np.ones(len(acts)) if alone else quality / top
        self.build.row([(column, 1.0)], acts, -weights, 0.0, dear=level.slope * share)

    def _add_services(self, servers: Servers, share: float, level: _Level, *, alone: bool) -> None:
        """Each service is a column which none of its members may lack."""
        own = []
        for b, quality in zip(servers.bundles.tolist(), servers.quality.tolist(), strict=True):
            column = self.build.column(level.gain(share * quality), 1.0)
            own.append((column, 1.0 if alone else quality))
            level.columns.append((column, -share * quality))
            for act in self.problem.bundles.members[b]:
                self.build.row([(column, 1.0)], np.array([act]), -np.ones(1), 0.0)
        best = float(np.max(servers.quality)) if alone else 1.0
        dear = level.slope * share * best
        none = np.zeros(0, np.int64)
        start = dear if level.straight else 0.0
        most = 1.0 if alone else self._top(servers)
        self.build.row(own, none, np.zeros(0), most, dear=dear, start=start)
