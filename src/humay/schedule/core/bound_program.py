"""The linear program behind the bound, and what its prices prove.

Columns are services (a bundle that serves a part), pieces of the goals' concave hulls, and the
candidates that no sequence holds. Candidates on lanes come in by sequences only. For any prices of
the rows that are not negative, the prices' worth, and the most that each column and each lane's
piece gain at them, add up to a bound (Lagrange): no solver has to be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.core.bound_rows import hull, rows_of
from humay.schedule.core.problem import Problem


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """`constant` + `cost` @ v + `gain` @ x, where `low` <= v <= `high` (k,) and the rows (m,) are
    `most` at most: sums of `entry` over columns v and of `act_entry` over candidates x (n,).

    At the prices `dear` (m,) no service is worth its price.
    """

    constant: float
    cost: FloatArray
    low: FloatArray
    high: FloatArray
    row: IntArray
    column: IntArray
    entry: FloatArray
    gain: FloatArray
    act_row: IntArray
    act: IntArray
    act_entry: FloatArray
    most: FloatArray
    dear: FloatArray

    def proved(self, price: FloatArray) -> float:
        """What the prices (m,) of the rows prove, without the lanes' sequences."""
        spent = np.bincount(
            self.column, weights=self.entry * price[self.row], minlength=len(self.cost)
        )
        left = self.cost - spent
        gain = np.where(left > 0, left * self.high, left * self.low)
        return self.constant + float(self.most @ price + np.sum(gain))

    def profit(self, price: FloatArray) -> FloatArray:
        """What each candidate (n,) is worth to its sequence at these prices."""
        spent = np.bincount(
            self.act, weights=self.act_entry * price[self.act_row], minlength=len(self.gain)
        )
        return np.asarray(self.gain - spent)

    def sizes(self) -> FloatArray:
        """The largest entry (m,) of each row."""
        size = np.zeros(len(self.most))
        np.maximum.at(size, self.row, np.abs(self.entry))
        np.maximum.at(size, self.act_row, np.abs(self.act_entry))
        return np.where(size > 0, size, 1.0)

    def slack(self, price: FloatArray, acts: FloatArray) -> FloatArray:
        """What columns that gain at these prices, and `acts` (n,), leave of each row (m,)."""
        m = len(self.most)
        spent = np.bincount(
            self.column, weights=self.entry * price[self.row], minlength=len(self.cost)
        )
        v = np.where(self.cost > spent, self.high, self.low)
        taken = np.bincount(self.row, weights=self.entry * v[self.column], minlength=m)
        done = np.bincount(self.act_row, weights=self.act_entry * acts[self.act], minlength=m)
        return np.asarray(self.most - taken - done)

    def worth(self, acts: FloatArray) -> float:
        """About what doing candidates `acts` (n,) is worth: what is too much is given back."""
        m = len(self.most)
        done = np.bincount(self.act_row, weights=self.act_entry * acts[self.act], minlength=m)
        return self.constant + float(self.gain @ acts - self.dear @ np.maximum(done - self.most, 0))


@dataclass(kw_only=True)
class _Build:
    """A program while it is put together: entries are (row, column, entry).

    A candidate is `direct` that does nothing but serve one part, alone, and may be left out: of a
    part's direct candidates one is enough, so that it is its own service.
    """

    problem: Problem
    on_lane: BoolArray
    possible: BoolArray
    direct: BoolArray
    gain: FloatArray
    cost: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    act_entries: list[tuple[int, int, float]] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    dear: list[float] = field(default_factory=list)
    column_of: dict[int, int] = field(default_factory=dict)

    def column(self, cost: float, low: float, high: float) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        return len(self.cost) - 1

    def row(
        self,
        columns: Iterable[tuple[int, float]],
        acts: Iterable[tuple[int, float]],
        most: float,
        dear: float = 0.0,
    ) -> None:
        """`columns` and candidates `acts`, with their entries, come to `most` at most."""
        number = len(self.most)
        self.most.append(most)
        self.dear.append(dear)
        self.entries += [(number, column, entry) for column, entry in columns]
        for act, entry in acts:
            if self.on_lane[act]:
                self.act_entries.append((number, act, entry))
            else:
                self.entries.append((number, self.column_of[act], entry))

    def worth(self, act: int, gain: float) -> None:
        """Doing a candidate gains so much more."""
        if self.on_lane[act]:
            self.gain[act] += gain
        else:
            self.cost[self.column_of[act]] += gain


def program_of(
    problem: Problem, on_lane: BoolArray, possible: BoolArray, idle: BoolArray
) -> Program:
    """The program of a problem whose candidates `on_lane` (n,) come in by sequences; those that
    are not `possible` (n,) are never done, those that are `idle` (n,) help none to follow another.
    """
    build = _Build(
        problem=problem, on_lane=on_lane, possible=possible, direct=_direct(problem, idle),
        gain=problem.bonus.copy(),
    )  # fmt: skip
    for i in np.flatnonzero(~on_lane & possible).tolist():
        build.column_of[i] = build.column(float(problem.bonus[i]), float(problem.fixed[i]), 1.0)
    constant = _add_goals(build)
    for row in rows_of(problem):
        size = float(np.max(np.abs(row.weights), initial=0.0)) or 1.0
        acts = zip(row.acts.tolist(), (row.weights / size).tolist(), strict=True)
        build.row([], [(a, w) for a, w in acts if possible[a]], row.most / size)
    return _built(build, constant)


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


def _add_goals(build: _Build) -> float:
    """Columns and rows of all goals; what they are worth when nothing is done."""
    goals, servers = build.problem.goals, _servers(build)
    parts: list[list[int]] = [[] for _ in goals.weight]
    for part, goal in enumerate(goals.part_goal.tolist()):
        if servers[part] and goals.part_share[part] > 0:
            parts[goal].append(part)
    return sum(_add_goal(build, goal, parts[goal], servers) for goal in range(len(goals.weight)))


def _add_goal(
    build: _Build, goal: int, parts: list[int], servers: list[list[tuple[int, float]]]
) -> float:
    """A goal of which some parts can be served; what it is worth when nothing is done."""
    goals = build.problem.goals
    tops = [_top(servers[p], goals.combine) for p in parts]
    shares = goals.part_share[parts].tolist()
    most = float(np.dot(shares, tops))
    level, worth = hull(goals.curves[goals.curve[goal]], most)
    nothing = float(goals.weight[goal] * worth[0])
    lengths = np.diff(level)
    slopes = goals.weight[goal] * np.diff(worth) / np.maximum(lengths, 1e-300)
    if not len(slopes) or slopes[0] <= 0:
        return nothing
    steepest, straight = float(slopes[0]), len(slopes) == 1
    columns: list[tuple[int, float]] = []
    acts: list[tuple[int, float]] = []
    for part, share, top in zip(parts, shares, tops, strict=True):
        _add_part(build, servers[part], (share, top, steepest, straight), columns, acts)
    if not straight:
        hulled = [
            (build.column(float(slope), 0.0, float(length)), 1.0)
            for slope, length in zip(slopes, lengths, strict=True)
        ]
        build.row(hulled + columns, acts, 0.0)
    return nothing


def _servers(build: _Build) -> list[list[tuple[int, float]]]:
    """Of each part, the bundles that can serve it, and how well."""
    bundles = build.problem.bundles
    servers: list[list[tuple[int, float]]] = [[] for _ in build.problem.goals.part_goal]
    for b in range(len(bundles.members)):
        if np.all(build.possible[bundles.members[b]]):
            first, last = bundles.serves.first[b], bundles.serves.first[b + 1]
            for part, quality in zip(bundles.serves[b], bundles.quality[first:last], strict=True):
                if quality > 0:
                    servers[part].append((b, float(quality)))
    return servers


def _top(servers: list[tuple[int, float]], combine: str) -> float:
    """How well a part can be served at most."""
    qualities = np.array([quality for _, quality in servers])
    return float(np.max(qualities) if combine == "best" else 1.0 - np.prod(1.0 - qualities))


def _add_part(
    build: _Build, servers: list[tuple[int, float]], terms: tuple[float, float, float, bool],
    columns: list[tuple[int, float]], acts: list[tuple[int, float]],
) -> None:  # fmt: skip
    """How a part is served: its entries (negative) in its goal's level go to `columns` and `acts`.

    `terms` are its share, how well it is served at most, what a level gains at first, and whether
    it gains that all along. Each service is a column which none of its members may lack, or its
    direct member. One service at most counts, where the best alone does or each is perfect;
    otherwise, chances add up to no more than their sum.
    """
    share, top, slope, straight = terms
    problem = build.problem
    alone = problem.goals.combine == "best" or all(q == 1.0 for _, q in servers)
    own: tuple[list[tuple[int, float]], list[tuple[int, float]]] = ([], [])
    for b, quality in servers:
        members, weight = problem.bundles.members[b].tolist(), 1.0 if alone else quality
        gain = slope * share * quality if straight else 0.0
        if alone and build.direct[members[0]]:
            build.worth(members[0], gain)
            own[1].append((members[0], weight))
            acts.append((members[0], -share * quality))
            continue
        column = build.column(gain, 0.0, 1.0)
        own[0].append((column, weight))
        columns.append((column, -share * quality))
        for act in members:
            build.row([(column, 1.0)], [(act, -1.0)], 0.0)
    best = slope * share * max(quality for _, quality in servers)
    build.row(*own, 1.0 if alone else top, best if alone else slope * share)


def _built(build: _Build, constant: float) -> Program:
    row, column, entry = _columns(build.entries)
    act_row, act, act_entry = _columns(build.act_entries)
    return Program(
        constant=constant, cost=np.array(build.cost), low=np.array(build.low),
        high=np.array(build.high), row=row, column=column, entry=entry,
        gain=build.gain, act_row=act_row, act=act, act_entry=act_entry,
        most=np.array(build.most), dear=np.array(build.dear),
    )  # fmt: skip


def _columns(entries: list[tuple[int, int, float]]) -> tuple[IntArray, IntArray, FloatArray]:
    return (
        np.array([e[0] for e in entries], dtype=np.int64),
        np.array([e[1] for e in entries], dtype=np.int64),
        np.array([e[2] for e in entries], dtype=np.float64),
    )
