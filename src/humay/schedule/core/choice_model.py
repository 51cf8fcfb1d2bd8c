"""A problem without lanes as columns and rows of an integer program.

Column i < n says whether candidate i is done. Bundles of several candidates, parts that several
bundles serve, and goals whose curves are not straight have columns of their own. The program is
exact but for the service of parts, of which only some rows are written at once: `Served.broken`
finds the ones that matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.errors import PlanError
from humay.schedule.core.choice_cuts import Conflicts, Row
from humay.schedule.core.problem import NO_LANE, Combine, Curve, Problem

Terms = dict[int, float]
"""Columns and how often each counts."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A part whose service (column `level`) is that of the bundles done, columns `by`.

    The service of a set of bundles grows with it, and each bundle adds the less the more are done
    already. So for every set T that is done, service <= f(T) + sum over others of f(T and it) -
    f(T) (Nemhauser, Wolsey, Fisher, Math. Programming 14, 1978).
    """

    level: int
    by: tuple[int, ...]
    quality: tuple[float, ...]
    combine: Combine

    def row(self, done: Sequence[int]) -> Row:
        """The row of the set T of places in `by`."""
        base = service([self.quality[k] for k in done], self.combine)
        terms: Terms = {self.level: 1.0}
        for k, column in enumerate(self.by):
            if k not in done:
                with_it = service([*(self.quality[j] for j in done), self.quality[k]], self.combine)
                terms[column] = terms.get(column, 0.0) - (with_it - base)
        return row_of(terms, base)

    def broken(self, x: FloatArray, slack: float) -> list[Row]:
        """Rows that x breaks, by sets of what it takes most of."""
        order = sorted(range(len(self.by)), key=lambda k: -x[self.by[k]])
        rows = [self.row(order[:size]) for size in range(1, len(order) + 1)]
        return [row for row in rows if row.broken_by(x, slack)]


def row_of(terms: Terms, most: float) -> Row:
    columns = np.array(list(terms), dtype=np.int64)
    return Row(which=columns, weight=np.array(list(terms.values())), most=most)


def service(qualities: Iterable[float], combine: Combine) -> float:
    """How well a part is served by bundles of these qualities."""
    if combine == "best":
        return max(qualities, default=0.0)
    return 1.0 - math.prod(1.0 - q for q in qualities)


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """Columns between `low` and `high`, whole where `whole`, worth `cost` each and `base` in all.

    The rows leave out `conflicts`, which stand on the first columns, the candidates.
    """

    problem: Problem
    cost: FloatArray
    low: FloatArray
    high: FloatArray
    whole: BoolArray
    base: float
    rows: tuple[Row, ...]
    served: tuple[Served, ...]
    conflicts: Conflicts

    @property
    def step(self) -> float:
        """What all values are multiples of, counted from `base`; 0 where nothing is known."""
        paying = self.cost != 0.0
        if not np.all(self.whole[paying]) or not np.all(self.cost == np.round(self.cost)):
            return 0.0
        if np.max(np.abs(self.cost), initial=0.0) > 2.0**31:
            return 0.0
        return float(np.gcd.reduce(self.cost[paying].astype(np.int64)))

    def refuting(self, x: FloatArray) -> list[Row]:
        """Rows that a whole x breaks although the program lets it pass.

        They are of service, and of budgets that are exceeded by less than the solver sees.
        """
        rows = [row for served in self.served for row in served.broken(x, 1e-9)]
        for budget in self.problem.budgets:
            done = budget.candidates[x[budget.candidates] > 0.5]
            used = math.fsum(budget.use[x[budget.candidates] > 0.5])
            if used > budget.most * (1 + 1e-12) + 1e-9:
                rows.append(row_of(dict.fromkeys(done.tolist(), 1.0), len(set(done)) - 1.0))
        return rows


def model_of(problem: Problem) -> Model:
    """The program of a problem; raises `PlanError` where a candidate stands on a lane."""
    laned = np.flatnonzero(problem.lane != NO_LANE)
    if len(laned):
        raise PlanError(
            f"candidate {laned[0]} is on lane {problem.lane[laned[0]]}, expected all beside lanes"
        )
    return _Writer(problem).written()


class _Writer:
    """The columns and rows so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.conflicts = Conflicts.of(len(problem), problem.pairs, problem.triples)
        self.cost = problem.bonus.tolist()
        self.low = problem.fixed.astype(float).tolist()
        self.high = [1.0] * len(problem)
        self.whole = [True] * len(problem)
        self.base = 0.0
        self.rows: list[Row] = []
        self.served: list[Served] = []

    def written(self) -> Model:
        bundles = [self._bundle(members) for members in self._members()]
        services = self._services(bundles)
        goals = self.problem.goals
        of_goal = _grouped(goals.part_goal, len(goals.weight))
        for g in range(len(goals.weight)):
            self._goal(g, [(services[p], float(goals.part_share[p])) for p in of_goal[g]])
        self._budgets()
        return Model(
            problem=self.problem,
            cost=np.array(self.cost),
            low=np.array(self.low),
            high=np.array(self.high),
            whole=np.array(self.whole, dtype=bool),
            base=self.base,
            rows=tuple(self.rows),
            served=tuple(self.served),
            conflicts=self.conflicts,
        )

    def _column(self, *, high: float, cost: float = 0.0, whole: bool = False) -> int:
        self.cost.append(cost)
        self.low.append(0.0)
        self.high.append(high)
        self.whole.append(whole)
        return len(self.cost) - 1

    def _row(self, terms: Terms, most: float) -> None:
        self.rows.append(row_of(terms, most))

    def _members(self) -> Iterator[list[int]]:
        rows = self.problem.bundles.members
        return (sorted(set(rows[b].tolist())) for b in range(len(rows)))

    def _bundle(self, members: list[int]) -> tuple[int, list[int]]:
        """The column that says whether a bundle is done, and its members."""
        if len(members) == 1:
            return members[0], members
        column = self._column(high=1.0)
        for i in members:
            self._row({column: 1.0, i: -1.0}, 0.0)
        return column, members

    def _services(self, bundles: list[tuple[int, list[int]]]) -> list[tuple[Terms, float]]:
        """How well each part is served, and at most."""
        serves, quality = self.problem.bundles.serves, self.problem.bundles.quality
        owner = np.repeat(np.arange(len(serves)), np.diff(serves.first))
        by_part = _grouped(serves.of, len(self.problem.goals.part_goal))
        return [
            self._service([(*bundles[owner[k]], float(quality[k])) for k in at if quality[k] > 0.0])
            for at in by_part
        ]

    def _service(self, by: list[tuple[int, list[int], float]]) -> tuple[Terms, float]:
        combine = self.problem.goals.combine
        qualities = [q for _, _, q in by]
        if all(
            self._exclude(a[1], b[1]) for k, a in enumerate(by) for b in by[:k]
        ):  # one at most is done
            terms: Terms = {}
            for column, _, q in by:
                terms[column] = terms.get(column, 0.0) + q
            return terms, max(qualities, default=0.0)
        most = service(qualities, combine)
        level = self._column(high=most)
        part = Served(
            level=level, by=tuple(c for c, _, _ in by), quality=tuple(qualities), combine=combine
        )
        self.served.append(part)
        self.rows.append(part.row([]))
        return {level: 1.0}, most

    def _exclude(self, one: list[int], two: list[int]) -> bool:
        return any(self.conflicts.exclude(i, j) for i in one for j in two)

    def _goal(self, g: int, parts: list[tuple[tuple[Terms, float], float]]) -> None:
        goals = self.problem.goals
        weight, curve = float(goals.weight[g]), goals.curves[goals.curve[g]]
        level: Terms = {}
        for (terms, _), share in parts:
            for column, a in terms.items():
                level[column] = level.get(column, 0.0) + share * a
        most = math.fsum(share * high for (_, high), share in parts)
        start, pieces = _pieces(curve, most)
        self.base += weight * start
        if weight == 0.0 or not pieces:
            return
        if len(pieces) == 1 and pieces[0].low == 0.0 and pieces[0].before == 0.0:
            for column, a in level.items():
                self.cost[column] += weight * pieces[0].slope * a
        elif _concave(pieces):
            self._hill(weight, level, pieces)
        else:
            self._stairs(weight, level, pieces)

    def _hill(self, weight: float, level: Terms, pieces: list[_Piece]) -> None:
        """Below each of the lines."""
        top = pieces[-1].before + pieces[-1].slope * pieces[-1].length
        worth = self._column(high=top, cost=weight)
        for piece in pieces:
            terms = {column: -piece.slope * a for column, a in level.items()}
            terms[worth] = 1.0
            self._row(terms, piece.before - piece.slope * piece.low)

    def _stairs(self, weight: float, level: Terms, pieces: list[_Piece]) -> None:
        """On one of the pieces: its column says so, another how far along it."""
        reach = {column: -a for column, a in level.items()}
        one: Terms = {}
        for piece in pieces:
            on = self._column(high=1.0, cost=weight * piece.before, whole=True)
            reach[on] = piece.low
            one[on] = 1.0
            if piece.slope > 0.0:
                along = self._column(high=piece.length, cost=weight * piece.slope)
                self._row({along: 1.0, on: -piece.length}, 0.0)
                reach[along] = 1.0
        self._row(reach, 0.0)
        self._row(one, 1.0)

    def _budgets(self) -> None:
        n = len(self.problem)
        for budget in self.problem.budgets:
            use = np.bincount(budget.candidates, weights=budget.use, minlength=n)
            alone = np.flatnonzero(use > budget.most * (1 + 1e-12) + 1e-9)
            for i in alone[~self.problem.fixed[alone]].tolist():
                self.high[i] = 0.0
            use[alone] = 0.0
            if np.sum(use) > budget.most:
                scale = float(np.max(use))
                terms = {i: float(use[i]) / scale for i in np.flatnonzero(use).tolist()}
                self._row(terms, budget.most / scale)


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """A straight piece of a curve: from `low` on, `length` long, worth `before` (above the worth of
    nothing) where it begins."""

    low: float
    length: float
    before: float
    slope: float

    @classmethod
    def between(cls, low: float, before: float, high: float, after: float) -> _Piece:
        length = high - low
        return cls(low=low, length=length, before=before, slope=(after - before) / length)


def _pieces(curve: Curve, most: float) -> tuple[float, list[_Piece]]:
    """The worth of nothing, and the pieces up to level `most` that are worth more."""
    start = curve.at(0.0)
    inside = (curve.level > 0.0) & (curve.level <= most + 1e-9)
    levels, worths = curve.level[inside].tolist(), curve.worth[inside].tolist()
    nodes = [(0.0, start), *zip(levels, worths, strict=True)]
    if nodes[-1][0] < most:
        nodes.append((most, curve.at(most)))
    pieces = [
        _Piece.between(low, before - start, high, after - start)
        for (low, before), (high, after) in pairwise(nodes)
        if high > low
    ]
    if len(nodes) > 1 and nodes[-1][0] == nodes[-2][0]:  # ends in a jump
        level, worth = nodes[-1]
        pieces.append(_Piece(low=level, length=0.0, before=worth - start, slope=0.0))
    return start, [p for p in pieces if p.before > 0.0 or p.slope > 0.0]


def _concave(pieces: list[_Piece]) -> bool:
    ends = [(p.low + p.length, p.before + p.slope * p.length) for p in pieces]
    joined = all(
        abs(b.low - end[0]) < 1e-12 and abs(b.before - end[1]) < 1e-12
        for end, b in zip(ends, pieces[1:], strict=False)
    )
    falling = all(a.slope >= b.slope - 1e-12 for a, b in pairwise(pieces))
    return joined and falling and pieces[0].low == 0.0 and pieces[0].before == 0.0


def _grouped(owner: IntArray, count: int) -> list[list[int]]:
    """The places of each of `count` owners."""
    groups: list[list[int]] = [[] for _ in range(count)]
    for at, g in enumerate(owner.tolist()):
        groups[g].append(at)
    return groups
