"""Requests that just came in, put into a plan with as little change as possible.

First each is tried beside everything that is there, the window that ends first first. Where nothing
fits, few neighbouring acts make room, those that are worth least first, and are tried elsewhere.
What has been commanded stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from humay.access import Opportunities, Pointing
from humay.arrays import FloatArray
from humay.errors import PlanError
from humay.mission import Request
from humay.schedule.plan import Plan, SatellitePlan, satellite_plan
from humay.schedule.planner import Lane, Refusal
from humay.schedule.previous import clear_of_freeze_s
from humay.schedule.sequence import Act

MOST_CHANGED = 0.05
"""Of the acquisitions of a plan: so many may make room."""
MOST_TRIALS = 60
"""Ways to make room for one strip that are tried, the cheapest first."""
_MOST_BESIDE = 3  # neighbours in a row that make room together


@dataclass(frozen=True, kw_only=True)
class Answer:
    """When an urgent request is first commanded, imaged and delivered (s after the epoch), None for
    what does not happen; and why nothing of it is planned."""

    uplink_s: float | None = None
    image_s: float | None = None
    delivery_s: float | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Inserted:
    """A plan with urgent requests in it: what each satellite does, the answer to each request, and
    the acts of the plan that had to go or to move."""

    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    satellites: Mapping[str, SatellitePlan]
    answers: Mapping[str, Answer]
    dropped: tuple[Act, ...]
    moved: tuple[Act, ...]


@dataclass(kw_only=True, eq=False)
class Insertion:
    """Lanes into which strips are put one by one. `values` (n,) are those of the opportunities,
    `stays` are opportunities whose acts must not go, `room` is how many acts still may;
    `elsewhere` gives the opportunities of a strip."""

    lanes: Mapping[str, Lane]
    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    values: FloatArray
    stays: frozenset[int]
    room: int
    elsewhere: Callable[[str], Sequence[int]]
    trials: int = MOST_TRIALS
    dropped: list[Act] = field(default_factory=list)
    moved: list[Act] = field(default_factory=list)

    def put(self, rows: Sequence[int]) -> Refusal | None:
        """Image a strip in one of its windows (rows), or say why not."""
        ordered = sorted(rows, key=lambda row: (self._end_s(row), row))
        worst: Refusal | None = None
        for row in ordered:
            refusal = self.place(row)
            if refusal is None:
                return None
            if worst is None or refusal.stage > worst.stage:
                worst = refusal
        return None if self._make_room(ordered) else worst

    def place(self, row: int) -> Refusal | None:
        """Put one opportunity beside all that is there, or say why not."""
        lane, samples = self.lanes[str(self.opportunities.satellite[row])], self.pointing[row]
        if samples is None:
            return lane.no_uplink(self.opportunities, row)
        return lane.place(row, self.opportunities, samples)

    def _end_s(self, row: int) -> float:
        end_s = float(self.opportunities.plan_end_s[row])
        return math.inf if math.isnan(end_s) else end_s

    def _make_room(self, rows: Sequence[int]) -> bool:
        """Let neighbours go, the cheapest first, until one of the windows fits. What goes must be
        worth less than what comes."""
        ways = [
            (self._cost(beside), len(beside), row, beside)
            for row in rows
            for beside in self.neighbours(row)
            if len(beside) <= self.room
        ]
        ways.sort(key=lambda way: way[:3])
        for cost, _, row, beside in ways[: self.trials]:
            if cost < self.values[row] and self._displace(row, beside):
                return True
        return False

    def _cost(self, acts: Sequence[Act]) -> float:
        return math.fsum(self.values[act.row] for act in acts)

    def neighbours(self, row: int) -> list[list[Act]]:
        """The acts beside a window that may go: each alone, and up to three in a row."""
        lane = self.lanes[str(self.opportunities.satellite[row])]
        reach_s = clear_of_freeze_s(lane.satellite)
        low = float(self.opportunities.plan_start_s[row]) - reach_s
        high = float(self.opportunities.plan_end_s[row] + self.opportunities.scan_s[row]) + reach_s
        near = [
            act
            for act in lane.acts
            if act.end_s > low and act.settle_from_s < high and act.row not in self.stays
        ]
        return [
            near[i : i + count]
            for count in range(1, _MOST_BESIDE + 1)
            for i in range(len(near) - count + 1)
        ]

    def _displace(self, row: int, beside: Sequence[Act]) -> bool:
        """Put an opportunity in the place of some acts, and these elsewhere where they fit."""
        lane = self.lanes[str(self.opportunities.satellite[row])]
        before, gone = lane.acts, {act.row for act in beside}
        lane.acts = [act for act in before if act.row not in gone]
        if self.place(row) is not None:
            lane.acts = before
            return False
        self.room -= len(beside)
        for act in sorted(beside, key=lambda act: -self.values[act.row]):
            if any(self.place(other) is None for other in self.elsewhere(act.strip)):
                self.moved.append(act)
            else:
                self.dropped.append(act)
        return True


def insert_urgent(
    plan: Plan,
    requests: Sequence[Request],
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    *,
    release: datetime,
    most_changed: float = MOST_CHANGED,
) -> Inserted:
    """Urgent requests in a plan that is at hand, released at `release`.

    `opportunities` and `pointing` are those of the urgent requests alone, over the plan's span;
    what the plan has is used as it is. At most `most_changed` of its acquisitions make room.
    """
    if not 0 <= most_changed <= 1:
        raise PlanError(f"most_changed is {most_changed}, expected 0 to 1")
    given = plan.given
    known = {request.name for request in given.requests}
    again = sorted(known & {request.name for request in requests})
    if again:
        raise PlanError(f"urgent request {again[0]!r} is in the plan already, expected a new name")
    several = sorted(request.name for request in requests if request.several_looks)
    if several:
        raise PlanError(f"urgent request {several[0]!r} asks for several looks, expected one")
    first = len(given.opportunities)
    both = given.opportunities.and_then(opportunities)
    samples = [*given.pointing, *pointing]
    release_s = both.epoch.seconds(release)
    lanes = {name: _commanded(part, release_s) for name, part in plan.satellites.items()}
    insertion = Insertion(
        lanes=lanes,
        opportunities=both,
        pointing=samples,
        values=np.concatenate([plan.worth.alone, _worths(requests, opportunities)]),
        stays=frozenset(_sent(plan, release_s)),
        room=math.floor(most_changed * sum(len(part.acts) for part in plan.satellites.values())),
        elsewhere=lambda strip: np.flatnonzero(given.opportunities.strip == strip).tolist(),
    )
    refusals: dict[str, Refusal | None] = {}
    for request in sorted(requests, key=lambda r: (-r.priority, -r.weight, r.name)):
        own = np.flatnonzero(opportunities.request == request.name)
        strips: dict[str, list[int]] = {}
        for row in own.tolist():
            strips.setdefault(str(opportunities.strip[row]), []).append(first + row)
        told = [refusal for rows in strips.values() if (refusal := insertion.put(rows))]
        refusals[request.name] = max(told, key=lambda r: r.stage, default=None)
    satellites = {name: satellite_plan(lane) for name, lane in lanes.items()}
    return Inserted(
        opportunities=both,
        pointing=samples,
        satellites=satellites,
        answers={r.name: _answer(r, satellites, refusals[r.name]) for r in requests},
        dropped=tuple(insertion.dropped),
        moved=tuple(insertion.moved),
    )


def _worths(requests: Sequence[Request], o: Opportunities) -> FloatArray:
    """What each opportunity (n,) stands for of its request."""
    worth = {request.name: request.worth for request in requests}
    share = {strip.name: strip.share for strip in o.strips}
    strangers = sorted({str(name) for name in o.request} - set(worth))
    if strangers:
        raise PlanError(f"opportunities of {strangers[0]!r}, which is not an urgent request")
    pairs = zip(o.request, o.strip, strict=True)
    return np.array([worth[str(r)] * share.get(str(s), 1.0) for r, s in pairs], dtype=np.float64)


def _sent(plan: Plan, release_s: float) -> list[int]:
    """The opportunities of acts that are on board before new commands can be."""
    return [
        act.row
        for part in plan.satellites.values()
        for act, uplink in zip(part.acts, part.uplinks, strict=True)
        if uplink.start_s < release_s + part.lane.satellite.preparation_s
    ]


def _commanded(part: SatellitePlan, release_s: float) -> Lane:
    """A satellite's acts, with the commands of a plan that is released later."""
    lane = part.lane
    ready_s = release_s + lane.satellite.preparation_s
    commanding = replace(
        lane.commanding,
        passes=tuple(p for p in lane.commanding.passes if p.start_s >= ready_s),
        sent={
            **lane.commanding.sent,
            **{
                act.start_s: uplink
                for act, uplink in zip(part.acts, part.uplinks, strict=True)
                if uplink.start_s < ready_s
            },
        },
    )
    return replace(lane, acts=list(part.acts), commanding=commanding)


def _answer(
    request: Request, satellites: Mapping[str, SatellitePlan], refusal: Refusal | None
) -> Answer:
    own = [
        (part, act, uplink)
        for part in satellites.values()
        for act, uplink in zip(part.acts, part.uplinks, strict=True)
        if act.request == request.name
    ]
    if not own and refusal is None:
        refusal = Refusal(code="no_opportunity", text="it is never within every limit")
    delivered = [_delivery_s(part, act) for part, act, _ in own]
    return Answer(
        uplink_s=min((uplink.end_s for _, _, uplink in own), default=None),
        image_s=min((act.end_s for _, act, _ in own), default=None),
        delivery_s=min((t for t in delivered if t is not None), default=None),
        refusal=refusal,
    )


def _delivery_s(part: SatellitePlan, act: Act) -> float | None:
    """When the last bit of an act is down."""
    left, name = act.bits, str(act.row)
    for downlink in part.downlinks:
        left -= sum(bits for item, bits in downlink.items if item == name)
        if left < 1.0:
            return downlink.end_s
    return None
