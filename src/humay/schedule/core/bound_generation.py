"""Sequences generated where prices ask for them, and prices found where they prove most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from humay.arrays import BoolArray, FloatArray
from humay.schedule.core.bound_clusters import Piece, can_start, pieces_of
from humay.schedule.core.bound_gaps import Sweeps, sweeps_of
from humay.schedule.core.bound_goals import program_of
from humay.schedule.core.bound_master import Master, Solved
from humay.schedule.core.bound_memory import holds, lapses, memory_of
from humay.schedule.core.bound_paths import Memory, labels_for, price
from humay.schedule.core.bound_program import Program
from humay.schedule.core.choice_program import Stop
from humay.schedule.core.problem import Problem

CONVERGED, ROUGHLY = 1e-7, 1e-4
"""Of the value: how much more the prices may prove than the program is worth, in the end, and as
long as sequences come back to candidates."""
_SAFETY = 1e-8
_USED = 1e-6
_FLOOR = 1e-10
_WIDEST, _WIDTH, _NARROWEST = 16.0, 0.25, 1e-6


@dataclass
class _Priced:
    """A piece, which of its candidates remember which, their bits, and what was asked last."""

    piece: Piece
    remember: BoolArray
    memory: Memory
    profit: FloatArray = field(default_factory=lambda: np.zeros(0))
    most: float = 0.0

    def place(self, acts: tuple[int, ...]) -> list[int]:
        """Candidates of the problem as numbers in the piece."""
        number = {int(c): k for k, c in enumerate(self.piece.nodes)}
        return [number[c] for c in acts]

    def learn(self) -> None:
        """Bits for what its candidates remember now."""
        self.memory, self.profit = memory_of(self.piece, self.remember), np.zeros(0)

    def holds(self, acts: tuple[int, ...]) -> bool:
        """Whether a sequence comes back to nothing that is remembered."""
        return holds(self.piece, self.remember, self.place(acts))


class Generation:
    """The least bound proved for a problem so far, `proved`, and what proves it.

    Everything is counted in units of the largest gain.
    """

    def __init__(self, problem: Problem, stop: Stop | None, rounds: int | None) -> None:
        sweeps = sweeps_of(problem)
        pieces = pieces_of(problem, sweeps, stop)
        self._stop, self._left = stop, rounds
        self.program, self.unit = _in_units(_program(problem, sweeps, pieces))
        nothing = [np.zeros((len(piece.nodes),) * 2, dtype=bool) for piece in pieces]
        self.pieces = [
            _Priced(piece, remember, memory_of(piece, remember))
            for piece, remember in zip(pieces, nothing, strict=True)
        ]
        self.labels = labels_for(pieces)
        self.master = Master(self.program, len(pieces), stop)
        self.center = self.program.start
        self.level = self.proved = self._proved_by(self.center, [])
        self.safety = _SAFETY * float(np.sum(problem.goals.weight) + np.sum(np.abs(problem.bonus)))

    def run(self) -> float:
        """The bound, once nothing makes it less or it was stopped."""
        solved = self._converge()
        while solved is not None and self._remember_more(solved):
            solved = self._converge()
        return self.proved * self.unit + self.safety

    def _stopped(self) -> bool:
        return self._left == 0 or (self._stop is not None and self._stop())

    def _proved_by(self, prices: FloatArray, most: list[float]) -> float:
        """What prices (m,) prove when the first pieces gain `most`, the others all they can."""
        profit = self.program.profit(prices)
        rest = [float(np.sum(np.maximum(profit[p.piece.nodes], 0))) for p in self.pieces]
        return self.program.proved(prices) + sum(most) + sum(rest[len(most) :])

    def _ask(self, prices: FloatArray) -> float:
        """What prices prove; the sequences they ask for are added."""
        profit = self.program.profit(prices)
        floors = self.master.best(profit)
        most: list[float] = []
        for k, floor in enumerate(floors.tolist()):
            if self._stop is not None and self._stop():
                break
            most.append(self._most(k, profit, floor))
        self._left = None if self._left is None else max(self._left - 1, 0)
        value = self._proved_by(prices, most)
        self.proved = min(self.proved, value)
        if value < self.level:
            self.level, self.center = value, prices
        return value

    def _most(self, k: int, profit: FloatArray, floor: float) -> float:
        """The most that piece k gains, at least `floor`."""
        priced = self.pieces[k]
        own = profit[priced.piece.nodes]
        if not np.array_equal(own, priced.profit):
            found = price(priced.piece, priced.memory, own, floor + _FLOOR, self.labels)
            priced.profit, priced.most = own, found.most
            self.master.add(k, [priced.piece.nodes[path].tolist() for path in found.paths])
        return priced.most

    def _converge(self) -> Solved | None:
        """Prices that prove no more than the program with its sequences is worth, if it was not
        stopped before."""
        self.level, width = np.inf, _WIDTH
        self._ask(self.center)
        while not self._stopped():
            before = self.level
            self.master.around(self.center, width)
            solved = self.master.solve()
            if solved is None:
                return None
            value = self._ask(solved.price)
            left = self.level - solved.value
            if left <= self._enough(solved) or width < _NARROWEST:
                if not solved.boxed or width > _WIDEST:
                    return solved
                width *= 4.0
            elif value >= before:
                width *= 0.7
            elif before - value > 0.3 * (before - solved.value):
                width *= 1.5
        return None

    def _enough(self, solved: Solved) -> float:
        """How much the level may lie above what the program is worth."""
        rough = next(self._lapses(solved), None) is not None
        return (ROUGHLY if rough else CONVERGED) * max(abs(solved.value), 1e-3)

    def _lapses(self, solved: Solved) -> Iterator[tuple[int, int, list[int]]]:
        """Piece, candidate, and those that forgot it, where the mixture comes back to it."""
        used = np.flatnonzero(solved.share > _USED).tolist()
        sequences = self.master.sequences
        for k, acts in (sequences[i] for i in used):
            priced = self.pieces[k]
            for a, between in lapses(priced.piece, priced.place(acts)):
                if not np.all(priced.remember[between, a]):
                    yield k, a, between

    def _remember_more(self, solved: Solved) -> bool:
        """Forbid what the mixture's sequences come back to; whether there was anything."""
        changed = set()
        for k, a, between in list(self._lapses(solved)):
            self.pieces[k].remember[between, a] = True
            changed.add(k)
        for k in changed:
            self.pieces[k].learn()
        lost = [
            k in changed and not self.pieces[k].holds(acts) for k, acts in self.master.sequences
        ]
        self.master.drop(np.array(lost, dtype=bool))
        return bool(changed)


def _program(problem: Problem, sweeps: Sweeps, pieces: list[Piece]) -> Program:
    on_lane = np.zeros(len(problem), dtype=bool)
    for piece in pieces:
        on_lane[piece.nodes] = True
    return program_of(problem, on_lane, can_start(problem), sweeps.idle)


def _in_units(program: Program) -> tuple[Program, float]:
    """The program in units of its largest gain, and that."""
    gains = np.concatenate([program.cost, program.gain])
    unit = float(np.max(np.abs(gains), initial=0.0)) or 1.0
    names = ("constant", "cost", "gain", "dear", "start")
    return replace(program, **{name: getattr(program, name) / unit for name in names}), unit
