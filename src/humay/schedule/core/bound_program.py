"""The linear program behind the bound, and what its prices prove.

Columns are services (of a part, by one bundle or by any), pieces of the goals' concave hulls, and
the candidates that no sequence holds. Candidates on lanes come in by sequences only. For any prices
of the rows that are not negative, the prices' worth, and the most that each column and each lane's
piece gain at them, add up to a bound (Lagrange): no solver has to be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """`constant` + `cost` @ v + `gain` @ x, where `low` <= v <= `high` (k,) and the rows (m,) are
    `most` at most: sums of `entry` over columns v and of `act_entry` over candidates x (n,).

    At the prices `dear` (m,) no service is worth its price; the prices `start` (m,) prove no more
    than all that can be gained.
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
    start: FloatArray

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


@dataclass(kw_only=True)
class Build:
    """A program while it is put together: entries are rows, columns (or candidates), entries."""

    on_lane: BoolArray
    gain: FloatArray
    column_of: IntArray
    cost: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    entries: list[tuple[IntArray, IntArray, FloatArray]] = field(default_factory=list)
    act_entries: list[tuple[IntArray, IntArray, FloatArray]] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    dear: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, on_lane: BoolArray, beside: IntArray, gain: FloatArray) -> Build:
        """With candidates that come in by sequences, and a column for each that stands `beside`
        the lanes; doing them gains `gain` (n,)."""
        column_of = np.full(len(gain), -1)
        build = cls(on_lane=on_lane, gain=np.where(on_lane, gain, 0.0), column_of=column_of)
        for i in beside.tolist():
            column_of[i] = build.column(float(gain[i]), 1.0)
        return build

    def column(self, cost: float, high: float, low: float = 0.0) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        return len(self.cost) - 1

    def row(
        self,
        columns: list[tuple[int, float]],
        acts: IntArray,
        weights: FloatArray,
        most: float,
        *,
        dear: float = 0.0,
        start: float = 0.0,
    ) -> None:
        """`columns` with their entries and candidates `acts` with `weights` come to `most` at most.

        Candidates that are neither on a lane nor beside all are never done.
        """
        row, own = len(self.most), self.on_lane[acts]
        beside = self.column_of[acts]
        column = np.concatenate([[c for c, _ in columns], beside[beside >= 0]]).astype(np.int64)
        entry = np.concatenate([[e for _, e in columns], weights[beside >= 0]])
        self.entries.append((np.full(len(column), row), column, entry))
        self.act_entries.append((np.full(int(np.sum(own)), row), acts[own], weights[own]))
        self.most.append(most)
        self.dear.append(dear)
        self.start.append(start)

    def worth(self, acts: IntArray, gains: FloatArray) -> None:
        """Doing candidates gains so much more."""
        np.add.at(self.gain, acts[self.on_lane[acts]], gains[self.on_lane[acts]])
        for act, gain in zip(acts.tolist(), gains.tolist(), strict=True):
            if self.column_of[act] >= 0:
                self.cost[self.column_of[act]] += gain

    def program(self, constant: float) -> Program:
        row, column, entry = _joined(self.entries)
        act_row, act, act_entry = _joined(self.act_entries)
        return Program(
            constant=constant, cost=np.array(self.cost), low=np.array(self.low),
            high=np.array(self.high), row=row, column=column, entry=entry,
            gain=self.gain, act_row=act_row, act=act, act_entry=act_entry,
            most=np.array(self.most), dear=np.array(self.dear), start=np.array(self.start),
        )  # fmt: skip


def _joined(
    entries: list[tuple[IntArray, IntArray, FloatArray]],
) -> tuple[IntArray, IntArray, FloatArray]:
    if not entries:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    rows, columns, values = (np.concatenate(each) for each in zip(*entries, strict=True))
    return rows, columns, values
