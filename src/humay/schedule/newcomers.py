"""The plan that flies, with requests that just came in: nothing else is planned anew."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from humay.access import Opportunities, Pointing
from humay.arrays import BoolArray
from humay.errors import PlanError
from humay.schedule.held import TOGETHER, Held, act_of, part_alone
from humay.schedule.insertion import Displaced, Insertion
from humay.schedule.planner import Lane, Refusal
from humay.schedule.previous import Previous
from humay.schedule.sequence import Act
from humay.schedule.worth import Worth

_COUNTED = re.compile(r" \(\d+ of \d+ strips\)$")


@dataclass(frozen=True, kw_only=True, eq=False)
class Taken:
    """Lanes with what came in, why strips are left out, and the acts that made room."""

    lanes: Mapping[str, Lane]
    refusals: Mapping[str, Refusal]
    displaced: tuple[Displaced, ...]
    iterations: int = 0
    searched: bool = False


def taken_in(
    lanes: dict[str, Lane],
    worth: Worth,
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    held: Held,
) -> Taken:
    """What stays of the previous plan in `lanes` and all else that it promised, and the requests
    that are urgent beside it; those of highest priority first.

    Raises `PlanError` for a request that is neither in the previous plan nor urgent: to plan it,
    everything would have to be planned again.
    """
    if held.previous is None or held.previous.urgent is None:
        raise PlanError("there is no previous plan to put urgent requests into")
    previous, urgency = held.previous, held.previous.urgent
    _refuse_unknown(previous, opportunities)
    refusals = _kept(lanes, opportunities, pointing, held) | _as_before(previous, worth)
    judge = _Judge(worth=worth, held=held)
    insertion = Insertion(
        lanes=lanes,
        opportunities=opportunities,
        pointing=pointing,
        judge=judge,
        costs=worth.alone,
        may_go=frozenset(row for _, row in held.wished),
        room=math.floor(urgency.most_changed * _promised(held)),
        elsewhere=lambda act: _elsewhere(worth, opportunities, act),
    )
    named = {request.name: goal for goal, request in enumerate(worth.requests)}
    goals = sorted((named[name] for name in urgency.names), key=lambda goal: _rank(worth, goal))
    with urgency.timed("urgent requests"):
        for goal in goals:
            refusals |= _served(insertion, worth, goal)
    for each in insertion.displaced:
        if not each.moved:
            refusals[each.act.strip] = Refusal(
                code="slew", text=f"made room for {each.request}", competitors=(each.request,)
            )
    return Taken(lanes=lanes, refusals=refusals, displaced=tuple(insertion.displaced))


def _rank(worth: Worth, goal: int) -> tuple[float, float, str]:
    request = worth.requests[goal]
    return -request.priority, -request.weight, request.name


def _promised(held: Held) -> int:
    """How many acquisitions the previous plan still has."""
    if held.freeze is None:
        raise PlanError("nothing is frozen of the previous plan")
    return len(held.freeze.acts) + len(held.freeze.open)


def _refuse_unknown(previous: Previous, o: Opportunities) -> None:
    known = {entry["name"] for entry in _wanted(previous)} | set(previous.withdrawn)
    urgent = set(() if previous.urgent is None else previous.urgent.names)
    strangers = sorted(set(o.request.tolist()) - known - urgent)
    if strangers:
        raise PlanError(
            f"request {strangers[0]!r} is neither in the previous plan nor urgent, expected one of"
            " both: plan again without urgent requests, or name it among them"
        )


def _wanted(previous: Previous) -> list[Mapping[str, Any]]:
    """Requests of the previous plan, and calibration looks that were due in it."""
    document = previous.document
    return [*document["requests"], *document.get("calibrations", ())]


def _kept(
    lanes: Mapping[str, Lane],
    o: Opportunities,
    pointing: Sequence[Pointing | None],
    held: Held,
) -> dict[str, Refusal]:
    """Put in what was promised, each act when it was, and say why where that cannot be any more."""
    wished: dict[str, list[Act]] = {name: [] for name in lanes}
    for promise, row in sorted(held.wished, key=lambda pair: -pair[0].value):
        wished[promise.satellite].append(
            act_of(lanes[promise.satellite], promise, row, o, pointing)
        )
    refusals: dict[str, Refusal] = {}
    for name, acts in wished.items():
        lane = lanes[name]
        lane.adopt(acts)
        stay = {act.row for act in lane.acts}
        for act in acts:
            samples = pointing[act.row]
            if act.row not in stay and samples is not None:
                refusal = lane.place(act.row, o, samples)
                refusals |= {} if refusal is None else {act.strip: refusal}
    return refusals


def _as_before(previous: Previous, worth: Worth) -> dict[str, Refusal]:
    """Why the strips of requests are left out that the previous plan left out, too."""
    told = {entry["name"]: entry["reason"] for entry in _wanted(previous)}
    return {
        strip: _refusal_of(told[request.name])
        for strip, request in _strips(worth)
        if told.get(request.name) is not None and told[request.name]["code"] != "imaged"
    }


def _strips(worth: Worth) -> list[tuple[str, Any]]:
    goals = worth.goals.part_goal.tolist()
    return [(strip, worth.requests[goal]) for strip, goal in zip(worth.strip, goals, strict=True)]


def _refusal_of(reason: Mapping[str, Any]) -> Refusal:
    return Refusal(
        code=reason["code"],
        text=_COUNTED.sub("", reason["text"]),
        competitors=tuple(reason["competitors"]),
    )


def _served(insertion: Insertion, worth: Worth, goal: int) -> dict[str, Refusal]:
    """Put in what fits of a request, unless that comes to nothing; the refusals of its strips."""
    before = {name: lane.acts for name, lane in insertion.lanes.items()}
    room, displaced = insertion.room, list(insertion.displaced)
    bundles = worth.bundles_of.get(goal, np.zeros(0, np.int64))
    served, refusals = worth.bundles.serves.of[bundles], {}
    for part in np.unique(served).tolist():
        ways = [worth.bundles.members[b].tolist() for b in bundles[served == part].tolist()]
        refusal = insertion.put(worth.requests[goal].name, ways)
        if refusal is not None:
            refusals[worth.strip[part]] = refusal
    if not len(bundles) or worth.goal_worth(goal, _mask(worth, insertion.done)) > 0:
        return refusals
    for name, acts in before.items():
        insertion.lanes[name].acts = acts
    insertion.room, insertion.displaced = room, displaced
    text = "what fits of it is worth nothing without the rest"
    whole = Refusal(code="completion", text=text)
    return {worth.strip[part]: refusals.get(worth.strip[part], whole) for part in served.tolist()}


def _mask(worth: Worth, done: Iterable[int]) -> BoolArray:
    mask = np.zeros(worth.rows, dtype=bool)
    mask[list(done)] = True
    return mask


def _elsewhere(worth: Worth, o: Opportunities, act: Act) -> list[int]:
    """The opportunities that serve what an act serves alone, the nearest in time first."""
    part = part_alone(worth)
    if part[act.row] == TOGETHER:
        return []
    others = np.flatnonzero(part == part[act.row])
    return sorted(others.tolist(), key=lambda row: abs(float(o.best_s[row]) - act.start_s))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Judge:
    """What acts are worth together, and that they are what was promised."""

    worth: Worth
    held: Held

    def value(self, done: Iterable[int]) -> float:
        rows = list(done)
        return self.worth.value(rows) + self.held.kept_of(rows, self.worth)

    def idle(self, done: Iterable[int]) -> set[int]:
        return self.worth.idle(done)

    def barred(self, row: int, done: Iterable[int]) -> bool:
        return self.worth.barred(row, _mask(self.worth, done))
