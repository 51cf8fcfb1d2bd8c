"""Requests that just came in, put into a plan that is at hand, with nothing looked for but their
own windows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from humay.access import Opportunities, Pointing
from humay.arrays import FloatArray
from humay.errors import PlanError
from humay.mission import Request
from humay.schedule.insertion import Insertion
from humay.schedule.plan import Plan, SatellitePlan, satellite_plan
from humay.schedule.planner import Lane, Refusal
from humay.schedule.previous import MOST_CHANGED
from humay.schedule.sequence import Act


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


@dataclass(frozen=True, kw_only=True, eq=False)
class _Alone:
    """Opportunities (n,) that are each worth something for themselves."""

    values: FloatArray

    def value(self, done: Iterable[int]) -> float:
        return math.fsum(self.values[list(done)])

    def idle(self, _done: Iterable[int]) -> set[int]:
        return set()

    def barred(self, _row: int, _done: Iterable[int]) -> bool:
        return False


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
    what the plan has is used as it is. At most `most_changed` of its acquisitions make room, none
    of a request whose looks depend on each other: stereo, series, what counts along a curve.
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
    for lane in lanes.values():
        lane.priorities = {**lane.priorities, **{r.name: r.priority for r in requests}}
    values = np.concatenate([plan.worth.alone, _worths(requests, opportunities)])
    sent = set(_sent(plan, release_s))
    acts = [act for part in plan.satellites.values() for act in part.acts]
    held = _held_together(given.requests)
    insertion = Insertion(
        lanes=lanes,
        opportunities=both,
        pointing=samples,
        judge=_Alone(values=values),
        costs=values,
        may_go=frozenset(act.row for act in acts if act.request not in held) - sent,
        room=math.floor(most_changed * len(acts)),
        elsewhere=lambda act: np.flatnonzero(given.opportunities.strip == act.strip).tolist(),
    )
    refusals: dict[str, Refusal | None] = {}
    for request in sorted(requests, key=lambda r: (-r.priority, -r.weight, r.name)):
        own = np.flatnonzero(opportunities.request == request.name)
        strips: dict[str, list[int]] = {}
        for row in own.tolist():
            strips.setdefault(str(opportunities.strip[row]), []).append(first + row)
        ways = [[(row,) for row in rows] for rows in strips.values()]
        told = [refusal for each in ways if (refusal := insertion.put(request.name, each))]
        refusals[request.name] = max(told, key=lambda r: r.stage, default=None)
    satellites = {name: satellite_plan(lane) for name, lane in lanes.items()}
    return Inserted(
        opportunities=both,
        pointing=samples,
        satellites=satellites,
        answers={r.name: _answer(r, satellites, refusals[r.name]) for r in requests},
        dropped=tuple(each.act for each in insertion.displaced if not each.moved),
        moved=tuple(each.act for each in insertion.displaced if each.moved),
    )


def _held_together(requests: Sequence[Request]) -> set[str]:
    """The requests whose looks are not each worth their share, free of one another."""
    return {r.name for r in requests if r.several_looks or r.completion != "linear"}


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
