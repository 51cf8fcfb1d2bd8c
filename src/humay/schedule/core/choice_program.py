"""The integer program in HiGHS: its relaxation, tightened by rows, and its solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from humay.arrays import FloatArray
from humay.errors import PlanError
from humay.schedule.core.choice_cuts import VIOLATED, Grower, Row, broken, covering
from humay.schedule.core.choice_model import Model

Stop = Callable[[], bool]

ALL_NODES = 2**31 - 1
SAFETY = 1e-6
"""Of the largest cost: what the solver's tolerances may hide of the bound of its tree."""
ROUNDING = 1e-9
"""Of a sum of prices."""

_FEASIBLE = int(highspy.SolutionStatus.kSolutionStatusFeasible)
_ENDED = (
    highspy.HighsModelStatus.kOptimal,
    highspy.HighsModelStatus.kSolutionLimit,  # of nodes
    highspy.HighsModelStatus.kInterrupt,
    highspy.HighsModelStatus.kModelEmpty,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """The columns found, what no columns exceed, and whether that is proved to be the best."""

    x: FloatArray
    bound: float
    proved: bool


class Program:
    """A model with the rows found so far."""

    def __init__(self, model: Model, rows: Sequence[Row] | None = None) -> None:
        self.model = model
        self.rows: list[Row] = []
        self._known: set[bytes] = set()
        self._unit = float(np.max(np.abs(model.cost), initial=0.0))
        fits = 1.0 <= self._unit <= 2.0**20 or self._unit == 0.0
        self._scale = 1.0 if fits else 2.0 ** -int(np.frexp(self._unit)[1])
        self._solver = _solver(model, self._scale)
        self._add([*model.rows, *covering(model.conflicts)] if rows is None else rows)

    def copy(self) -> Program:
        """Another solver with the same rows."""
        return Program(self.model, self.rows)

    def _add(self, rows: Sequence[Row]) -> bool:
        """More rows; whether any of them is new."""
        rows = list({row.key: row for row in rows if row.key not in self._known}.values())
        if not rows:
            return False
        starts = np.cumsum([0, *(len(row.which) for row in rows)])
        self._solver.addRows(
            len(rows),
            np.full(len(rows), -highspy.kHighsInf),
            np.array([row.most for row in rows]),
            int(starts[-1]),
            starts[:-1].astype(np.int32),
            np.concatenate([row.which for row in rows]).astype(np.int32),
            np.concatenate([row.weight for row in rows]),
        )
        self.rows += rows
        self._known |= {row.key for row in rows}
        return True

    def tighten(self, stop: Stop | None = None) -> tuple[FloatArray, float]:
        """Add rows that the relaxation breaks until there are none, or `stop`.

        Returns the relaxation's columns and the bound on the value.
        """
        grower, best = Grower(self.model.conflicts), np.inf
        while True:
            x, bound = self._relax(stop)
            best = min(best, bound)
            rows = broken(grower, x[: len(self.model.conflicts)])
            rows += [row for served in self.model.served for row in served.broken(x, VIOLATED)]
            if (stop is not None and stop()) or not self._add(rows):
                return x, best

    def _relax(self, stop: Stop | None) -> tuple[FloatArray, float]:
        self._solver.setOptionValue("solve_relaxation", True)
        self._bounds(self.model.low, self.model.high)
        self._run(stop)
        solution = self._solver.getSolution()  # not valid where it was stopped early
        x = np.array(solution.col_value) if solution.value_valid else self.model.low
        return x, self._priced(
            np.array(solution.row_dual) if solution.dual_valid else np.zeros(len(self.rows))
        )

    def _priced(self, price: FloatArray) -> float:
        """The bound of weak duality: it holds for any prices (rows,) that are not negative."""
        model, price = self.model, np.maximum(price, 0.0) / self._scale
        left = model.cost.copy()
        if self.rows:
            left -= np.bincount(
                np.concatenate([row.which for row in self.rows]),
                weights=np.concatenate(
                    [row.weight * p for row, p in zip(self.rows, price, strict=True)]
                ),
                minlength=len(left),
            )
        paid = float(price @ np.array([row.most for row in self.rows]))
        most = paid + float(np.sum(np.maximum(left * model.low, left * model.high)))
        return self._bound(most + ROUNDING * max(self._unit, abs(most)))

    def _bound(self, most: float) -> float:
        """A bound on values from one on the columns' worth: down to what values there are."""
        step = self.model.step
        return self.model.base + (float(np.floor(most / step)) * step if step else most)

    def solve(
        self, low: FloatArray, high: FloatArray, *, start: FloatArray, seed: int, nodes: int,
        stop: Stop | None = None,
    ) -> Answer:  # fmt: skip
        """The best whole columns between `low` and `high`, within so many nodes of the tree."""
        self._solver.setOptionValue("solve_relaxation", False)
        self._solver.setOptionValue("random_seed", seed)
        self._solver.setOptionValue("mip_max_nodes", nodes)
        self._bounds(low, high)
        while True:
            given = highspy.HighsSolution()
            given.col_value = start.tolist()
            self._solver.setSolution(given)
            self._run(stop)
            info = self._solver.getInfo()
            found = info.primal_solution_status == _FEASIBLE
            x = np.array(self._solver.getSolution().col_value) if found else start
            optimal = self._solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
            bound = self._bound(info.mip_dual_bound / self._scale + SAFETY * self._unit)
            refuted = self._add(self.model.refuting(np.where(self.model.whole, np.round(x), x)))
            if not refuted or (stop is not None and stop()):
                return Answer(x=x, bound=bound, proved=optimal and not refuted)

    def closed(self, value: float, bound: float) -> bool:
        """Whether a value reaches a bound."""
        return value >= bound - 2.0 * ROUNDING * max(self._unit, abs(bound))

    def _bounds(self, low: FloatArray, high: FloatArray) -> None:
        columns = np.arange(len(low), dtype=np.int32)
        self._solver.changeColsBounds(len(low), columns, low, high)

    def _run(self, stop: Stop | None) -> None:
        def ask(event: highspy.highs.HighsCallbackEvent) -> None:
            if stop is not None and stop():
                event.interrupt()

        asked = (self._solver.cbMipInterrupt, self._solver.cbSimplexInterrupt) if stop else ()
        for callback in asked:
            callback.subscribe(ask)
        self._solver.run()
        for callback in asked:
            callback.unsubscribe(ask)
        ended = self._solver.getModelStatus()
        if ended not in _ENDED:
            raise PlanError(f"the program of choices ended with {ended}, expected an optimum")


def _solver(model: Model, scale: float) -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # no annotations in highspy
    for option, setting in (
        ("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.0),
    ):  # fmt: skip
        solver.setOptionValue(option, setting)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), 0
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.cost * scale, model.low, model.high
    lp.integrality_ = [kinds[int(whole)] for whole in model.whole]
    lp.a_matrix_.start_ = np.zeros(len(model.cost) + 1, dtype=np.int32)
    solver.passModel(lp)
    return solver
