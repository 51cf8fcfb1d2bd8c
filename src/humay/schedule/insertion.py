"""What just came in, put into lanes that are full, with as little change as possible.

First each part of a request is tried beside everything that is there, the look that ends first
first. Where nothing fits, few neighbouring acts make room, those that are worth least first, and
are tried elsewhere. What has been commanded stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from humay.access import Opportunities, Pointing
from humay.arrays import FloatArray
from humay.schedule.planner import Lane, Refusal
from humay.schedule.previous import clear_of_freeze_s
from humay.schedule.sequence import Act
from humay.schedule.worth import GAIN

MOST_TRIALS = 60
"""Ways to make room for one part of a request that are tried, the cheapest first."""
MOST_BESIDE = 3
"""Neighbours in a row that make room together."""
MOST_NEAR = 6
"""Acts that may make room where not time is what lacks, those nearest in time."""
_TIMELY = frozenset({"slew", "keep_out"})
_SHARED = frozenset({"imaging_time", "memory", "downlink", "energy"})


class Judge(Protocol):
    """What acts are worth, by the opportunities (rows) that they are."""

    def value(self, done: Iterable[int]) -> float:
        """What they are worth together."""

    def idle(self, done: Iterable[int]) -> set[int]:
        """Those that are worth nothing."""

    def barred(self, row: int, done: Iterable[int]) -> bool:
        """Whether what is done excludes one more."""


@dataclass(frozen=True, kw_only=True)
class Displaced:
    """An act that made room for a request: moved to another window, or dropped."""

    act: Act
    request: str
    moved: bool


@dataclass(kw_only=True, eq=False)
class Insertion:
    """Lanes into which looks are put one part of a request at a time. `costs` (n,) are what the
    opportunities stand for, `may_go` are opportunities whose acts may make room, `room` is how many
    still may; `elsewhere` gives the opportunities that would do instead of an act."""

    lanes: Mapping[str, Lane]
    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    judge: Judge
    costs: FloatArray
    may_go: frozenset[int]
    room: int
    elsewhere: Callable[[Act], Sequence[int]]
    trials: int = MOST_TRIALS
    displaced: list[Displaced] = field(default_factory=list)

    @property
    def done(self) -> list[int]:
        """The opportunities of all acts."""
        return [act.row for lane in self.lanes.values() for act in lane.acts]

    def put(self, request: str, ways: Iterable[Sequence[int]]) -> Refusal | None:
        """Do one part of a request in one of its ways, each some opportunities that belong
        together, or say why not."""
        ordered = sorted(ways, key=lambda rows: (max(map(self._end_s, rows)), tuple(rows)))
        refused: list[tuple[Sequence[int], Refusal]] = []
        for rows in ordered:
            refusal = self.place(rows)
            if refusal is None:
                return None
            refused.append((rows, refusal))
        if not refused:
            return Refusal(code="no_opportunity", text="it is never within every limit")
        why = self._make_room(request, refused)
        if why is None:
            return None
        worst = max((refusal for _, refusal in refused), key=lambda refusal: refusal.stage)
        return replace(worst, text=worst.text + why)

    def place(self, rows: Sequence[int]) -> Refusal | None:
        """Put opportunities beside all that is there, all or none, or say why not."""
        before = self._acts()
        for row in rows:
            refusal = self._place_one(row)
            if refusal is not None:
                self._restore(before)
                return refusal
        return None

    def _place_one(self, row: int) -> Refusal | None:
        done = self.done
        if row in done:
            return None
        if self.judge.barred(row, done):
            text = "its other windows are too near to looks that are planned"
            return Refusal(code="separation", text=text)
        lane, samples = self.lanes[str(self.opportunities.satellite[row])], self.pointing[row]
        if samples is None:
            return lane.no_uplink(self.opportunities, row)
        return lane.place(row, self.opportunities, samples)

    def _acts(self) -> dict[str, list[Act]]:
        return {name: lane.acts for name, lane in self.lanes.items()}

    def _restore(self, before: Mapping[str, list[Act]]) -> None:
        for name, acts in before.items():
            self.lanes[name].acts = acts

    def _end_s(self, row: int) -> float:
        end_s = float(self.opportunities.plan_end_s[row])
        return math.inf if math.isnan(end_s) else end_s

    # Making room -----------------------------------------------------------------------------

    def _make_room(
        self, request: str, refused: Sequence[tuple[Sequence[int], Refusal]]
    ) -> str | None:
        """Let neighbours go, the cheapest first, until one of the ways fits; else tell, as the end
        of a sentence, why none does. The plan must be worth more with it than before."""
        choices = [
            (math.fsum(self.costs[act.row] for act in beside), len(beside), rows, beside)
            for rows, refusal in refused
            for beside in self._beside(rows, refusal)
        ]
        choices.sort(key=lambda choice: choice[:2])
        if not choices:
            return ""
        few = [choice for choice in choices if choice[1] <= self.room]
        if not few:
            left = f"only {self.room} more" if self.room else "no more"
            return f"; {left} of the plan's acquisitions may make room"
        if any(self._displace(request, rows, beside) for _, _, rows, beside in few[: self.trials]):
            return None
        tried = min(len(few), self.trials)
        return f"; no room worth making for it ({tried} of {len(choices)} ways tried)"

    def _beside(self, rows: Sequence[int], refusal: Refusal) -> list[list[Act]]:
        """The acts that may go for a way: each alone, and up to three in a row."""
        near = []
        for name in {str(self.opportunities.satellite[row]) for row in rows}:
            own = [row for row in rows if self.opportunities.satellite[row] == name]
            free = [act for act in self.lanes[name].acts if act.row in self.may_go]
            if refusal.code in _TIMELY:
                near += self._near_s(free, own, clear_of_freeze_s(self.lanes[name].satellite))
            elif refusal.code in _SHARED:
                near += self._nearest(free, own)
        near.sort(key=lambda act: act.start_s)
        return [
            near[i : i + count]
            for count in range(1, MOST_BESIDE + 1)
            for i in range(len(near) - count + 1)
        ]

    def _near_s(self, acts: Sequence[Act], rows: Sequence[int], reach_s: float) -> list[Act]:
        """The acts that a window, with so much time round it, meets."""
        o = self.opportunities
        low = o.plan_start_s[rows] - reach_s
        high = o.plan_end_s[rows] + o.scan_s[rows] + reach_s
        return [a for a in acts if np.any((a.end_s > low) & (a.settle_from_s < high))]

    def _nearest(self, acts: Sequence[Act], rows: Sequence[int]) -> list[Act]:
        """The acts nearest in time to a window."""
        middle_s = 0.5 * (
            self.opportunities.plan_start_s[rows] + self.opportunities.plan_end_s[rows]
        )
        away = [(float(np.min(np.abs(middle_s - act.start_s))), act.start_s) for act in acts]
        order = sorted(range(len(acts)), key=away.__getitem__)
        return [acts[i] for i in order[:MOST_NEAR]]

    def _displace(self, request: str, rows: Sequence[int], beside: Sequence[Act]) -> bool:
        """Put opportunities in the place of some acts, and these elsewhere where they fit."""
        before, were = self._acts(), self.done
        gone = {act.row for act in beside}
        for lane in self.lanes.values():
            self._without(lane, gone)
        if self.place(rows) is not None:
            self._restore(before)
            return False
        made = [
            Displaced(act=act, request=request, moved=self._is_moved(act))
            for act in sorted(beside, key=lambda act: -self.costs[act.row])
        ]
        idle = (self.judge.idle(self.done) - self.judge.idle(were)) & self.may_go
        made += [
            Displaced(act=act, request=request, moved=False)
            for lane in self.lanes.values()
            for act in self._without(lane, idle)
        ]
        better = self.judge.value(self.done) > self.judge.value(were) + GAIN
        if not better or len(made) > self.room or not self._holds(before):
            self._restore(before)
            return False
        self.room -= len(made)
        self.displaced += made
        return True

    def _is_moved(self, act: Act) -> bool:
        return any(self.place([other]) is None for other in self.elsewhere(act))

    def _without(self, lane: Lane, rows: set[int]) -> list[Act]:
        """Take acts out of a lane."""
        out = [act for act in lane.acts if act.row in rows]
        if out:
            lane.acts = [act for act in lane.acts if act.row not in rows]
        return out

    def _holds(self, before: Mapping[str, list[Act]]) -> bool:
        """Whether the lanes that are not as they were can be flown: without an act between them,
        two others may have no way from one to the other."""
        changed = [lane for name, lane in self.lanes.items() if lane.acts is not before[name]]
        return all(lane.refusal(lane.acts) is None for lane in changed)
