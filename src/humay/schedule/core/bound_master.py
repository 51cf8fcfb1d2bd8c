"""The program with the sequences found so far, solved again and again by HiGHS.

Left alone, the prices of a row jump between nothing and all there is to gain. So they are kept in a
box around the best prices known (Marsten, Hogan, Blankenship, Oper. Res. 23, 1975): a column for
each side of a price, at a cost, stands for what lies beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import highspy
import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.errors import PlanError
from humay.schedule.core.bound_program import Program
from humay.schedule.core.choice_program import Stop

_INFINITY = highspy.kHighsInf
_DONE = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)


class Solved(NamedTuple):
    """The value of the program with the sequences at hand, the prices (m,) of its rows, the share
    of each sequence, and whether the box keeps prices from where they would go."""

    value: float
    price: FloatArray
    share: FloatArray
    boxed: bool


class Master:
    """Sequences as columns: the shares of one piece's sequences add up to one at most. What is
    fixed may be lacking at first, which costs more than there is to gain."""

    def __init__(self, program: Program, pieces: int, stop: Stop | None) -> None:
        self._program, self._pieces = program, pieces
        self._piece: list[int] = []
        self._acts: list[tuple[int, ...]] = []
        self._known: set[tuple[int, ...]] = set()
        self._rows_of = _rows_by_act(program)
        self._solver = _solver(stop)
        self._solver.passModel(_model(program, pieces))
        self._own = self._solver.getNumCol()
        self._sided = np.flatnonzero(program.dear > 0)

    @property
    def sequences(self) -> list[tuple[int, tuple[int, ...]]]:
        """Piece and candidates of each."""
        return list(zip(self._piece, self._acts, strict=True))

    def add(self, piece: int, sequences: Sequence[Sequence[int]]) -> int:
        """Add sequences of candidates of one piece; how many were new."""
        new = [tuple(s) for s in sequences if tuple(s) not in self._known]
        for acts in new:
            rows, entries = self._entries(piece, acts)
            cost = float(np.sum(self._program.gain[list(acts)]))
            self._solver.addCol(cost, 0.0, _INFINITY, len(rows), rows, entries)
        self._known.update(new)
        self._acts += new
        self._piece += [piece] * len(new)
        return len(new)

    def _entries(self, piece: int, acts: tuple[int, ...]) -> tuple[IntArray, FloatArray]:
        rows = np.concatenate([self._rows_of[a][0] for a in acts])
        entries = np.concatenate([self._rows_of[a][1] for a in acts])
        which, place = np.unique(rows, return_inverse=True)
        sums = np.bincount(place, weights=entries, minlength=len(which))
        rows = np.append(which, len(self._program.most) + piece)
        return rows.astype(np.int32), np.append(sums, 1.0)

    def best(self, profit: FloatArray) -> FloatArray:
        """The most that a sequence at hand gains, by piece, or 0."""
        gain = np.zeros(self._pieces)
        if self._acts:
            starts = np.cumsum([0] + [len(acts) for acts in self._acts[:-1]])
            flat = np.concatenate([np.array(acts) for acts in self._acts])
            np.maximum.at(gain, np.array(self._piece), np.add.reduceat(profit[flat], starts))
        return gain

    def around(self, center: FloatArray, width: float) -> None:
        """Box the prices: at most `width`, as a share of what is dear, from `center` (m,)."""
        rows, reach = self._sided, width * self._program.dear[self._sided]
        cost = np.concatenate([-(center[rows] + reach), np.maximum(center[rows] - reach, 0.0)])
        columns = np.arange(self._own - len(cost), self._own, dtype=np.int32)
        self._solver.changeColsCost(len(cost), columns, cost)

    def solve(self) -> Solved | None:
        """The optimum, or nothing when it was stopped before."""
        self._solver.run()
        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInterrupt:
            return None
        if status not in _DONE:
            raise PlanError(f"the bound's linear program ended with {status}")
        solution, m = self._solver.getSolution(), len(self._program.most)
        price, value = np.array(solution.row_dual), np.array(solution.col_value)
        total = float(self._solver.getInfo().objective_function_value) + self._program.constant
        sides = value[self._own - 2 * len(self._sided) : self._own]
        return Solved(
            total, np.maximum(price[:m], 0.0), value[self._own :], bool(np.any(sides > 1e-9))
        )

    def drop(self, which: BoolArray) -> None:
        """Forget some of the sequences."""
        columns = np.flatnonzero(which).astype(np.int32)
        self._solver.deleteCols(len(columns), columns + np.int32(self._own))
        kept = np.flatnonzero(~which)
        self._known -= {self._acts[k] for k in columns}
        self._piece = [self._piece[k] for k in kept]
        self._acts = [self._acts[k] for k in kept]


def _solver(stop: Stop | None) -> Any:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # no annotations in highspy
    for option, setting in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
        solver.setOptionValue(option, setting)
    if stop is not None:
        asked = stop

        def interrupt(event: Any) -> None:
            if asked():
                event.interrupt()

        solver.cbSimplexInterrupt += interrupt
    return solver


def _model(program: Program, pieces: int) -> Any:
    """Rows of the program and of its pieces; behind its columns, one for each row that has to be
    filled, then one to buy more of each row that may be dear, and one to sell it."""
    lacking, sided = np.flatnonzero(program.most < 0), np.flatnonzero(program.dear > 0)
    more = np.concatenate([lacking, sided, sided])
    sign = np.repeat([-1.0, 1.0], [len(lacking) + len(sided), len(sided)])
    k, m = len(program.cost), len(program.most)
    most = 10.0 * (1.0 + float(np.sum(np.abs(program.cost)) + np.sum(np.abs(program.gain))))
    cost = np.concatenate([np.full(len(lacking), most), program.dear[sided], np.zeros(len(sided))])
    column = np.concatenate([program.column, k + np.arange(len(more))])
    row, entry = np.concatenate([program.row, more]), np.concatenate([program.entry, sign])
    order = np.lexsort((row, column))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = k + len(more), m + pieces
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([program.cost, -cost])
    model.col_lower_ = np.concatenate([program.low, np.zeros(len(more))])
    model.col_upper_ = np.concatenate([program.high, np.full(len(more), _INFINITY)])
    model.row_lower_ = np.full(m + pieces, -_INFINITY)
    model.row_upper_ = np.concatenate([program.most, np.ones(pieces)])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.searchsorted(column[order], np.arange(k + len(more) + 1))
    model.a_matrix_.index_ = row[order]
    model.a_matrix_.value_ = entry[order]
    return model


def _rows_by_act(program: Program) -> list[tuple[IntArray, FloatArray]]:
    """The rows of each candidate on a lane, and its entries."""
    order = np.argsort(program.act, kind="stable")
    first = np.searchsorted(program.act[order], np.arange(len(program.gain) + 1))
    row, entry = program.act_row[order], program.act_entry[order]
    return [(row[a:b], entry[a:b]) for a, b in pairwise(first.tolist())]
