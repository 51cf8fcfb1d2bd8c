"""Greedy planning: the most urgent request first, each part of it at its best look that still fits.

A strip is tried in its windows from the least off-nadir to the largest. What belongs together is
placed whole or not at all; a request that comes to nothing, as far as it fits, is taken out again.
What was placed then stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from humay.access import Opportunities, Pointing
from humay.arrays import BoolArray, IntArray
from humay.schedule.planner import Lane, Refusal
from humay.schedule.sequence import Act
from humay.schedule.worth import GAIN, Worth

TOGETHER = 300
"""Requests that are placed before memory and batteries are looked at."""


def fill(
    lanes: Mapping[str, Lane],
    worth: Worth,
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    *,
    first: str | None = None,
    only: frozenset[int] | None = None,
) -> dict[str, Refusal]:
    """Place what fits beside what is there, a `first` request and then in order of urgency, of
    `only` these goals if given; returns the refusal of every strip left out."""
    filling = _Filling(lanes, worth, opportunities, pointing)
    requests = worth.requests
    count = [len(worth.bundles_of.get(goal, ())) for goal in range(len(requests))]
    order = sorted(
        range(len(requests)) if only is None else only,
        key=lambda g: (
            requests[g].name != first,
            -requests[g].priority,
            -requests[g].weight,
            count[g],
            requests[g].name,
        ),
    )
    filling.serve_all(order)
    if worth.counts_clouds:
        filling.try_again()
    return filling.refusals


def drop_idle(lanes: Mapping[str, Lane], worth: Worth, stays: frozenset[int] = frozenset()) -> None:
    """Take out what is worth nothing, because what it belongs to is not whole, but not what
    `stays`."""
    while idle := worth.idle(act.row for lane in lanes.values() for act in lane.acts) - stays:
        for lane in lanes.values():
            kept = [act for act in lane.acts if act.row not in idle]
            if len(kept) < len(lane.acts):
                lane.acts = []
                lane.adopt(kept)


@dataclass(frozen=True, eq=False)
class _Part:
    """The bundles that serve one part of a request, in the order in which they are tried."""

    number: int
    strip: str
    bundles: Sequence[int]


class _Filling:
    """One run of the greedy method: what is done, and why the rest is not."""

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        worth: Worth,
        opportunities: Opportunities,
        pointing: Sequence[Pointing | None],
    ) -> None:
        self.lanes, self.worth = lanes, worth
        self.opportunities, self.pointing = opportunities, pointing
        self.refusals: dict[str, Refusal] = {}
        self.done = np.zeros(worth.rows, dtype=bool)
        for lane in lanes.values():
            self.done[[act.row for act in lane.acts]] = True

    def serve_all(self, order: Sequence[int]) -> None:
        """Serve requests in order.

        Memory and batteries are looked at for some requests together, and for each where they do
        not hold: what they refuse to an act they would refuse to it and further ones.
        """
        hasty = True
        for first in range(0, len(order), TOGETHER):
            some = order[first : first + TOGETHER]
            hasty = hasty and self._serve_hastily(some)
            if not hasty:
                for goal in some:
                    self.serve(goal)

    def _serve_hastily(self, goals: Sequence[int]) -> bool:
        """Serve requests if all holds in the end; else nothing has happened."""
        (acts, done), refusals = self._state(), dict(self.refusals)
        for lane in self.lanes.values():
            lane.hasty = True
        for goal in goals:
            self.serve(goal)
        for lane in self.lanes.values():
            lane.hasty = False
        changed = [lane for name, lane in self.lanes.items() if lane.acts is not acts[name]]
        if all(lane.refusal(lane.acts) is None for lane in changed):
            return True
        self._restore(acts, done)
        self.refusals = refusals
        return False

    def serve(self, goal: int) -> None:
        """Place what fits of a request, unless that comes to nothing."""
        acts, done = self._state()
        missing = [part for part in self._parts(goal) if not self._is_served(part)]
        placed = [part for part in missing if self._place(part)]
        if placed and not self.worth.goal_worth(goal, self.done) > 0:
            self._restore(acts, done)
            text = "what fits of it is worth nothing without the rest"
            for part in placed:
                self.refusals[part.strip] = Refusal(code="completion", text=text)

    def try_again(self) -> None:
        """Add further attempts at what may be cloudy, those with most to gain first."""
        bundles, goals = self.worth.bundles, self.worth.goals
        part = bundles.serves.of
        gain = goals.weight[self.worth.bundle_goal] * goals.part_share[part] * bundles.quality
        for bundle in np.argsort(-gain, kind="stable").tolist():
            rows, goal = bundles.members[bundle], int(self.worth.bundle_goal[bundle])
            if np.all(self.done[rows]):
                continue
            (acts, done), before = self._state(), self.worth.goal_worth(goal, self.done)
            refused = self._place_whole(rows) is not None
            if not refused and self.worth.goal_worth(goal, self.done) <= before * (1 + GAIN):
                self._restore(acts, done)

    def _state(self) -> tuple[dict[str, list[Act]], BoolArray]:
        return {name: lane.acts for name, lane in self.lanes.items()}, self.done.copy()

    def _restore(self, acts: Mapping[str, list[Act]], done: BoolArray) -> None:
        for name, before in acts.items():
            self.lanes[name].acts = before
        self.done = done

    def _parts(self, goal: int) -> Iterator[_Part]:
        """The parts of a request by the names of their strips."""
        worth = self.worth
        own = worth.bundles_of.get(goal, np.zeros(0, np.int64))
        served = worth.bundles.serves.of[own]
        for part in np.unique(served).tolist():
            tried = sorted(own[served == part].tolist(), key=self._preference)
            yield _Part(part, worth.strip[part], tried)

    def _preference(self, bundle: int) -> tuple[float, float, float]:
        """The surest first, of equals the least off-nadir."""
        o, rows = self.opportunities, self.worth.bundles.members[bundle]
        unsure = 1.0 - round(float(self.worth.bundles.quality[bundle]), 9)
        return unsure, round(float(np.max(o.off_nadir_rad[rows])), 9), float(o.start_s[rows[0]])

    def _is_served(self, part: _Part) -> bool:
        return any(np.all(self.done[self.worth.bundles.members[b]]) for b in part.bundles)

    def _place(self, part: _Part) -> bool:
        """Try what serves a part; keep the refusal that came furthest if nothing fits."""
        worst: Refusal | None = None
        for bundle in part.bundles:
            refusal = self._place_whole(self.worth.bundles.members[bundle])
            if refusal is None:
                return True
            if worst is None or refusal.stage > worst.stage:
                worst = refusal
        if worst is not None:
            self.refusals[part.strip] = worst
        return False

    def _place_whole(self, rows: IntArray) -> Refusal | None:
        """All of some opportunities or none of them."""
        if any(self.worth.barred(row, self.done) for row in rows.tolist()):
            text = "its other windows are too near to looks that are planned"
            return Refusal(code="separation", text=text)
        acts, done = self._state()
        for row in rows.tolist():
            refusal = None if self.done[row] else self._place_one(row)
            if refusal is not None:
                self._restore(acts, done)
                return refusal
            self.done[row] = True
        return None

    def _place_one(self, row: int) -> Refusal | None:
        lane, samples = self.lanes[str(self.opportunities.satellite[row])], self.pointing[row]
        if samples is None:
            return lane.no_uplink(self.opportunities, row)
        return lane.place(row, self.opportunities, samples)
