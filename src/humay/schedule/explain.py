"""What became of every window of one request, and what the plan would lose by imaging it there.

Each window is tried on the finished plan as it stands. Where a limit refuses it, few acquisitions
of that satellite are taken out of a copy, the window is put in, the rest is filled up greedily: the
value of that plan less that of the finished one is what it would cost. The plan itself stays.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from humay.errors import PlanError
from humay.mission import suggestion
from humay.schedule.filling import drop_idle, fill
from humay.schedule.improve import value
from humay.schedule.plan import Plan
from humay.schedule.planner import Lane, Refusal
from humay.schedule.sequence import Act
from humay.schedule.worth import GAIN
from humay.time import Epoch, format_utc

MOST_TRIALS = 60
"""Ways to make room for one request that are tried, those that take out least worth first."""
MOST_RIVALS = 6
"""Acquisitions that may make room in a window, those nearest in time."""
MOST_TOGETHER = 3
"""Of these, neighbours that make room together."""
_HELD_S = 30.0  # acts so near to a window leave it no time for a slew
_LIMITS = frozenset({"slew", "imaging_time", "memory", "downlink", "energy"})
_SPARE = "not needed: its strip is planned in another window"


@dataclass(frozen=True, kw_only=True)
class Displacement:
    """A window imaged in the place of acts of other strips: what makes room, the plan's value then
    less now, and the requests whose worth changes, by how much."""

    strips: tuple[str, ...]
    net: float
    changes: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Window:
    """One opportunity of a request (s after the epoch, rad), and what became of it: `planned_s` is
    when it is imaged; else `refusal` says why not, None where it fits or is not needed (`spare`).

    `holders` are the strips imaged in the window or too near to it for a slew, `best` the cheapest
    of `trials` displacements that let it in, if any does.
    """

    satellite: str
    strip: str
    start_s: float
    end_s: float
    off_nadir_rad: float
    planned_s: float | None
    spare: bool
    refusal: Refusal | None
    holders: tuple[str, ...]
    trials: int = 0
    best: Displacement | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """All windows of a request in order of time; `refusal` says why it has none, or why nothing is
    planned. `trials` of the `ways` to make room were tried."""

    request: str
    epoch: Epoch
    value: float
    worth: float
    planned: float
    refusal: Refusal | None
    windows: tuple[Window, ...]
    trials: int
    ways: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Way:
    """A window, and acts that make room for it."""

    row: int
    acts: tuple[Act, ...]
    cost: float


def explain_request(plan: Plan, name: str, *, most_trials: int = MOST_TRIALS) -> Explanation:
    """What became of each window of a request, with at most `most_trials` ways to make room."""
    requests = {request.name: request for request in plan.given.requests}
    if name not in requests:
        raise PlanError(f"no request {name!r} to explain{suggestion(name, requests)}")
    o = plan.given.opportunities
    own = plan.rows.get(name, np.zeros(0, np.int64)).tolist()
    rows = sorted(own, key=lambda row: (float(o.start_s[row]), str(o.satellite[row]), row))
    windows = {row: _window(plan, row) for row in rows}
    ways = [way for row in rows for way in _ways(plan, row, windows[row])]
    ways.sort(key=lambda way: (way.cost, len(way.acts), way.row, way.acts[0].start_s))
    for way in ways[:most_trials]:
        windows[way.row] = _tried(plan, name, way, windows[way.row])
    return Explanation(
        request=name,
        epoch=o.epoch,
        value=plan.value,
        worth=requests[name].worth,
        planned=plan.worths[name],
        refusal=_why_none(plan, name),
        windows=tuple(windows.values()),
        trials=min(len(ways), most_trials),
        ways=len(ways),
    )


def _why_none(plan: Plan, name: str) -> Refusal | None:
    """Why a request has no window at all."""
    if name in plan.rows or name not in plan.given.absences:
        return None
    code, text = plan.given.absences[name]
    return Refusal(code=code, text=text)


def _lanes(plan: Plan) -> dict[str, Lane]:
    """Lanes with the acts of a plan, to be changed."""
    return {
        name: replace(part.lane, acts=list(part.acts)) for name, part in plan.satellites.items()
    }


def _window(plan: Plan, row: int) -> Window:
    o = plan.given.opportunities
    satellite, strip = str(o.satellite[row]), str(o.strip[row])
    acts = plan.satellites[satellite].acts
    planned = next((act.start_s for act in acts if act.row == row), None)
    spare = planned is None and strip in plan.served
    refusal = None if planned is not None or spare else _refusal(plan, row)
    return Window(
        satellite=satellite,
        strip=strip,
        start_s=float(o.start_s[row]),
        end_s=float(o.end_s[row]),
        off_nadir_rad=float(o.off_nadir_rad[row]),
        planned_s=planned,
        spare=spare,
        refusal=refusal,
        holders=tuple(act.strip for act in _beside(plan, row) if act.row != row),
    )


def _refusal(plan: Plan, row: int) -> Refusal | None:
    """Why a window does not come into the plan as it stands."""
    o, samples = plan.given.opportunities, plan.given.pointing[row]
    lane = _lanes(plan)[str(o.satellite[row])]
    done = [act.row for part in plan.satellites.values() for act in part.acts]
    mask = np.zeros(len(o), dtype=bool)
    mask[done] = True
    if plan.worth.barred(row, mask):
        return Refusal(code="separation", text="too near to planned looks, or one too many")
    refusal = lane.no_uplink(o, row) if samples is None else lane.place(row, o, samples)
    if refusal is None and not plan.worth.value([*done, row]) > plan.worth.value(done):
        return Refusal(code="completion", text="it fits, and is worth nothing without the rest")
    return refusal


def _beside(plan: Plan, row: int) -> list[Act]:
    """The acts in a window or too near to it for a slew."""
    o = plan.given.opportunities
    part = plan.satellites[str(o.satellite[row])]
    reach_s = part.lane.satellite.settle_s + _HELD_S
    low = float(o.start_s[row]) - reach_s
    high = float(o.end_s[row] + o.scan_s[row]) + _HELD_S
    return [act for act in part.acts if act.end_s > low and act.settle_from_s < high]


def _ways(plan: Plan, row: int, window: Window) -> Iterator[_Way]:
    """Which acts could make room for a window: of those that hold it where there is no time, of
    those nearest in time where another limit refuses it."""
    if window.refusal is None or window.refusal.code not in _LIMITS:
        return
    acts = _beside(plan, row)
    if window.refusal.code != "slew":
        acts = list(plan.satellites[window.satellite].acts)
    free = [act for act in acts if act.row not in plan.held.stays]
    middle_s = 0.5 * (window.start_s + window.end_s)
    near = sorted(free, key=lambda act: (abs(act.start_s - middle_s), act.start_s))[:MOST_RIVALS]
    near.sort(key=lambda act: act.start_s)
    for count in range(1, MOST_TOGETHER + 1):
        for i in range(len(near) - count + 1):
            some = tuple(near[i : i + count])
            cost = math.fsum(float(plan.worth.alone[act.row]) for act in some)
            yield _Way(row=row, acts=some, cost=cost)


def _tried(plan: Plan, name: str, way: _Way, window: Window) -> Window:
    """A window after one more trial."""
    found, best = _displaced(plan, name, way), window.best
    if found is not None and (best is None or found.net > best.net + GAIN):
        best = found
    return replace(window, trials=window.trials + 1, best=best)


def _displaced(plan: Plan, name: str, way: _Way) -> Displacement | None:
    """What a plan is worth with a window in the place of some acts, if it fits there."""
    o, samples = plan.given.opportunities, plan.given.pointing[way.row]
    lanes, gone = _lanes(plan), {act.row for act in way.acts}
    lane = lanes[str(o.satellite[way.row])]
    lane.acts = [act for act in lane.acts if act.row not in gone]
    if samples is None or lane.place(way.row, o, samples) is not None:
        return None
    only = _competing(plan, name, way)
    fill(lanes, plan.worth, o, plan.given.pointing, first=name, only=only)
    drop_idle(lanes, plan.worth, plan.held.stays)
    done = [act.row for each in lanes.values() for act in each.acts]
    if way.row not in done:  # the rest of what it belongs to has found no room
        return None
    worths = zip(plan.worths.items(), plan.worth.worths(done), strict=True)
    changes = {request: after - before for (request, before), after in worths}
    return Displacement(
        strips=tuple(act.strip for act in way.acts),
        net=value(lanes, plan.worth) - plan.value,
        changes={request: more for request, more in changes.items() if abs(more) > GAIN},
    )


def _competing(plan: Plan, name: str, way: _Way) -> frozenset[int]:
    """The goals that a change of some acts concerns: the request itself, those whose acts go, and
    those with windows of that satellite where these were; to the others nothing has changed but
    memory and charge."""
    o = plan.given.opportunities
    satellite = str(o.satellite[way.row])
    reach_s = plan.satellites[satellite].lane.satellite.settle_s + _HELD_S
    freed = np.zeros(len(o), dtype=bool)
    for act in way.acts:
        low_s, high_s = act.settle_from_s - reach_s, act.end_s + reach_s
        freed |= (o.start_s < high_s) & (o.end_s + o.scan_s > low_s)
    concerned = {name, *(act.request for act in way.acts)}
    concerned |= set(o.request[freed & (o.satellite == satellite)].tolist())
    return frozenset(
        goal for goal, request in enumerate(plan.worth.requests) if request.name in concerned
    )


# For people and programs -------------------------------------------------------------------------


def explanation_document(found: Explanation) -> dict[str, Any]:
    """An explanation as JSON: times in UTC, angles in degrees."""
    return {
        "request": found.request,
        "worth": found.worth,
        "planned": found.planned,
        "reason": _told_refusal(found.refusal),
        "trials": found.trials,
        "ways": found.ways,
        "windows": [_window_document(window, found.epoch) for window in found.windows],
    }


def _window_document(window: Window, epoch: Epoch) -> dict[str, Any]:
    def utc(t_s: float) -> str:
        return format_utc(epoch.utc(t_s))

    best = window.best
    return {
        "satellite": window.satellite,
        "strip": window.strip,
        "start": utc(window.start_s),
        "end": utc(window.end_s),
        "off_nadir_deg": round(math.degrees(window.off_nadir_rad), 3),
        "planned": None if window.planned_s is None else utc(window.planned_s),
        "spare": window.spare,
        "reason": _told_refusal(window.refusal),
        "holders": list(window.holders),
        "trials": window.trials,
        "displacing": None
        if best is None
        else {
            "strips": list(best.strips),
            "net": round(best.net, 9),
            "changes": {name: round(more, 9) for name, more in best.changes.items()},
        },
    }


def _told_refusal(refusal: Refusal | None) -> dict[str, str] | None:
    return None if refusal is None else {"code": refusal.code, "text": refusal.text}


def explanation_text(found: Mapping[str, Any]) -> str:
    """An explanation, as `explanation_document` makes it, for people."""
    lines = [
        f"{found['request']}: {found['planned']:.2f} of {found['worth']:.2f} planned,"
        f" {len(found['windows'])} windows; {found['trials']} of {found['ways']} ways to make room"
        " tried"
    ]
    if found["reason"] is not None:
        lines.append(f"  {found['reason']['code']}: {found['reason']['text']}")
    for window in found["windows"]:
        lines.append(
            f"  {window['strip']}: {window['satellite']} {window['start']} to {window['end']},"
            f" {window['off_nadir_deg']:.1f} deg: {_outcome(window)}"
        )
        if window["holders"] and window["planned"] is None:
            lines.append(f"    held by {', '.join(window['holders'])}")
        if window["trials"]:
            lines.append(f"    {_price(window)}")
    return "\n".join(lines)


def _outcome(window: Mapping[str, Any]) -> str:
    if window["planned"] is not None:
        return f"planned at {window['planned']}"
    if window["spare"]:
        return _SPARE
    reason = window["reason"]
    if reason is None:
        return "fits beside what is planned"
    return f"{reason['code']}: {reason['text']}"


def _price(window: Mapping[str, Any]) -> str:
    best, tried = window["displacing"], f"{window['trials']} tried"
    if best is None:
        return f"no way to make room found ({tried})"
    changes: Sequence[str] = [f"{name} {more:+.2f}" for name, more in best["changes"].items()]
    return (
        f"in the place of {', '.join(best['strips'])}: value {best['net']:+.2f}"
        f" ({', '.join(changes)}; {tried})"
    )
