"""`make_plan`: opportunities in, a `Plan` with its bound and its reasons out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np

from humay.access import (
    Contacts,
    Link,
    Opportunities,
    PlannableLooks,
    Pointing,
    StereoSets,
    Timeline,
)
from humay.arrays import FloatArray, IntArray
from humay.errors import PlanError
from humay.mission import Mission, Request, Satellite
from humay.schedule.assignment import Need
from humay.schedule.attitude import idle_law
from humay.schedule.bound import upper_bound
from humay.schedule.calibration import DueLook, due_looks, wanted_looks, without_clouds
from humay.schedule.commands import commanding, soonest_command_s
from humay.schedule.freshness import ageing, as_delivered, least_ages
from humay.schedule.ground import Loss, Pass, book_passes, downlink_rate, losses
from humay.schedule.held import NOTHING, Held, hold
from humay.schedule.improve import Effort, Improved, improved
from humay.schedule.improve import value as value_of
from humay.schedule.insertion import Displaced
from humay.schedule.looks import Looks, looks_of
from humay.schedule.newcomers import Taken, taken_in
from humay.schedule.outages import closures
from humay.schedule.planner import Lane, Refusal, make_lanes
from humay.schedule.previous import Previous, freeze
from humay.schedule.relaxed import Proof, Reach, better_proof, linear_proof, relaxed_problem
from humay.schedule.resources import Downlink
from humay.schedule.sequence import Act, Segment
from humay.schedule.worth import Worth, worth_of
from humay.time import format_utc

IDLE_STEP_S = 10.0  # of the timeline
ROLL_STEP_DEG = 5
SEQUENCED_AT_MOST = 4_000
"""Opportunities up to which a plan is bounded by sequences: they take about 5 s for 500."""
SEQUENCED_IN_A_HURRY = 500
GREEDY = Effort(iterations=0)
_NO_SET = "no windows of it make a stereo set within its limits"
_NO_SLOT = "none of its windows lies in a slot of its series"


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanInput:
    """All that a plan is made from: what is asked, when it can be seen, who listens when.

    `pointing` has an entry for each opportunity, `links` one for each contact. `absences` gives a
    reason code and a sentence for each request without a window. `notes` are told to whoever reads
    the plan. `stereo` are the sets of windows of requests that ask for stereo, `calibrations` the
    windows of the mission's calibration looks.
    """

    mission: Mission
    requests: Sequence[Request]
    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    contacts: Contacts
    links: Sequence[Link]
    timelines: Mapping[str, Timeline]
    absences: Mapping[str, tuple[str, str]]
    notes: Sequence[str] = ()
    stereo: StereoSets | None = None
    calibrations: PlannableLooks | None = None

    def check(self, span_s: tuple[float, float]) -> None:
        """Raise `PlanError` unless everything covers the span and speaks of this mission."""
        if len(self.links) != len(self.contacts):
            raise PlanError(
                f"links: {len(self.links)} found, expected one for each of"
                f" {len(self.contacts)} contacts"
            )
        utc = self.opportunities.epoch.utc
        parts = {
            "opportunities": self.opportunities.span_s,
            "contacts": self.contacts.span_s,
            **{
                f"timeline of {name!r}": (float(t.t_s[0]), float(t.t_s[-1]))
                for name, t in self.timelines.items()
            },
        }
        for what, (start_s, end_s) in parts.items():
            if start_s > span_s[0] + 1e-3 or end_s < span_s[1] - 1e-3:
                raise PlanError(
                    f"{what}: known from {format_utc(utc(start_s))} to {format_utc(utc(end_s))},"
                    f" expected all of {format_utc(utc(span_s[0]))} to {format_utc(utc(span_s[1]))}"
                )
        satellites = {satellite.name for satellite in self.mission.satellites}
        _refuse_strangers("opportunities", "satellite", self.opportunities.satellite, satellites)
        requests = {request.name for request in self.requests}
        _refuse_strangers("opportunities", "request", self.opportunities.request, requests)
        _refuse_strangers("contacts", "satellite", self.contacts.satellite, satellites)
        stations = {station.name for station in self.mission.stations}
        _refuse_strangers("contacts", "station", self.contacts.station, stations)
        missing = satellites - set(self.timelines)
        if missing:
            raise PlanError(f"timeline: no {', '.join(sorted(missing))}, expected every satellite")


def _refuse_strangers(what: str, kind: str, names: Iterable[object], known: set[str]) -> None:
    strangers = sorted({str(name) for name in names} - known)
    if strangers:
        raise PlanError(
            f"{what}: {kind} {strangers[0]!r} is not of this mission and its requests, expected one"
            f" of {len(known)} known"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class SatellitePlan:
    """What one satellite does: acts in order of time, the pass that carries the command of each,
    attitude without gap, downlinks."""

    lane: Lane
    acts: tuple[Act, ...]
    uplinks: tuple[Pass, ...]
    segments: tuple[Segment, ...]
    downlinks: tuple[Downlink, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Doing:
    """An act of a satellite, and the pass that carries its command up."""

    satellite: str
    act: Act
    uplink: Pass


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A plan over [start, end]; `value` is what its acts are worth together, `proof` tells what no
    plan can exceed."""

    given: PlanInput
    start: datetime
    end: datetime
    release: datetime
    seed: int
    satellites: Mapping[str, SatellitePlan]
    passes: tuple[Pass, ...]
    losses: tuple[Loss, ...]
    refusals: Mapping[str, Refusal]
    worth: Worth
    value: float
    proof: Proof
    iterations: int
    searched: bool
    held: Held = NOTHING
    dues: tuple[DueLook, ...] = ()
    displaced: Sequence[Displaced] = ()

    @cached_property
    def rows(self) -> Mapping[str, IntArray]:
        """The opportunities of each request that has any."""
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(self.given.opportunities.request):
            rows.setdefault(str(name), []).append(row)
        return {name: np.array(own, dtype=np.int64) for name, own in rows.items()}

    @cached_property
    def doings(self) -> Mapping[str, list[Doing]]:
        """What is done for each request that anything is done for, in order of time."""
        done: dict[str, list[Doing]] = {}
        for name, part in self.satellites.items():
            for act, uplink in zip(part.acts, part.uplinks, strict=True):
                doing = Doing(satellite=name, act=act, uplink=uplink)
                done.setdefault(act.request, []).append(doing)
        for own in done.values():
            own.sort(key=lambda doing: (doing.act.start_s, doing.satellite))
        return done

    @cached_property
    def calibrating(self) -> frozenset[str]:
        """The names under which calibration looks stand among the requests."""
        return frozenset(due.name for due in self.dues)

    @cached_property
    def made(self) -> frozenset[str]:
        """The names of calibration looks that earlier plans have made."""
        previous = self.held.previous
        return self.calibrating & (frozenset() if previous is None else previous.made)

    @cached_property
    def served(self) -> AbstractSet[str]:
        """The strips that are imaged as asked."""
        parts = self.satellites.values()
        return self.worth.served(act.row for part in parts for act in part.acts)

    @cached_property
    def worths(self) -> Mapping[str, float]:
        """What of each request's worth is planned."""
        rows = (a.row for part in self.satellites.values() for a in part.acts)
        names = [request.name for request in self.given.requests]
        return dict(zip(names, self.worth.worths(rows), strict=True))

    @property
    def bound(self) -> float:
        """What no plan can exceed."""
        return self.proof.bound

    @property
    def gap(self) -> float:
        """How far the value may lie below the best, as a share of the bound."""
        return (self.bound - self.value) / self.bound if self.bound > 0 else 0.0


def make_plan(
    given: PlanInput,
    *,
    start: datetime,
    end: datetime,
    release: datetime | None = None,
    seed: int = 1,
    effort: Effort = GREEDY,
    previous: Previous | None = None,
) -> Plan:
    """The best plan over [start, end] that greedy placing and a search of some effort find; `seed`
    is that of the search. What is frozen of a `previous` plan stays."""
    if not start < end:
        raise PlanError(f"the plan ends at {format_utc(end)}, not after {format_utc(start)}")
    release = start if release is None else release
    if release >= end:
        raise PlanError(f"release is {format_utc(release)}, expected before {format_utc(end)}")
    epoch = given.opportunities.epoch
    span = epoch.seconds(start), epoch.seconds(end)
    dues = due_looks(given.mission, start, end)
    made_before = frozenset() if previous is None else previous.made
    given = _with_calibrations(given, [due for due in dues if due.name not in made_before])
    given.check(span)
    closed = closures(given.mission, epoch, span)
    looks = looks_of(
        given.requests,
        given.opportunities,
        given.pointing,
        given.stereo,
        given.mission.counted_clouds,
    )
    looks = without_clouds(looks, dues)
    held = NOTHING
    if previous is not None:
        frozen = freeze(previous, given.mission, release, start, epoch)
        held = hold(
            previous, frozen, looks.opportunities, looks.pointing, given.contacts, given.links,
            span, looks.sets,
        )  # fmt: skip
    passes = book_passes(
        given.mission,
        given.contacts,
        given.links,
        _needs(given, span[0]),
        closed=closed,
        release_s=epoch.seconds(release),
        kept=held.passes,
        from_s=held.booked_until_s,
    )
    commandings = {
        satellite.name: held.commanded(
            commanding(
                satellite, given.mission, passes, given.contacts, closed, epoch.seconds(release)
            ),
            given.mission,
            span[0],
        )
        for satellite in given.mission.satellites
    }
    worth = worth_of(given.requests, looks, _shares(given))
    given = _narrowed(given, looks)
    worth = _ageing(given, worth, span[1], frozenset(due.name for due in dues))

    empty = make_lanes(given.mission, passes, commandings, given.timelines, closed, span)
    for name, lane in empty.items():
        lane.aboard = held.aboard(name, epoch, span[0])
        lane.priorities = {request.name: request.priority for request in given.requests}
        lane.flown = held.flown(name, epoch)
        _refuse_hopeless(lane)
    empty = held.begun(empty, given.opportunities, given.pointing)

    def empty_lanes() -> dict[str, Lane]:
        """With the same choreography, which remembers the slews it has worked out."""
        return {name: replace(lane, acts=[*lane.acts]) for name, lane in empty.items()}

    made: Improved | Taken
    if held.urgent:
        made = taken_in(empty_lanes(), worth, given.opportunities, given.pointing, held)
    else:
        made = improved(
            empty_lanes, worth, given.opportunities, given.pointing, seed=seed, effort=effort,
            held=held,
        )  # fmt: skip
    lanes = made.lanes
    value = value_of(lanes, worth)
    proof = _proof(given, worth, empty, epoch.seconds(release), held)
    if value > proof.bound:
        raise AssertionError(f"the plan is worth {value} and its upper bound is {proof.bound}")
    return Plan(
        given=given,
        start=start,
        end=end,
        release=release,
        seed=seed,
        satellites={name: satellite_plan(lane) for name, lane in lanes.items()},
        passes=tuple(passes),
        losses=tuple(losses(given.contacts, closed)),
        refusals={**made.refusals, **held.refusals},
        worth=as_delivered(worth, lanes.values()),
        value=value,
        proof=proof,
        iterations=made.iterations,
        searched=made.searched,
        held=held,
        dues=dues,
        displaced=made.displaced if isinstance(made, Taken) else (),
    )


def _with_calibrations(given: PlanInput, dues: Sequence[DueLook]) -> PlanInput:
    """With the calibration looks that are due behind the requests."""
    if not dues:
        return given
    more = wanted_looks(dues, given.calibrations, given.requests, given.opportunities)
    return replace(
        given,
        requests=[*given.requests, *more.requests],
        opportunities=more.opportunities,
        pointing=[*given.pointing, *more.pointing],
        absences={**given.absences, **more.absences},
    )


def _narrowed(given: PlanInput, looks: Looks) -> PlanInput:
    """Looks for windows, and why requests whose windows offer none have none."""
    present = set(looks.opportunities.request.tolist())
    lost = set(given.opportunities.request.tolist()) - present
    asked = {request.name: request for request in given.requests}
    absences = {
        name: ("no_opportunity", _NO_SET if asked[name].stereo is not None else _NO_SLOT)
        for name in lost
    }
    return replace(
        given,
        opportunities=looks.opportunities,
        pointing=looks.pointing,
        absences={**given.absences, **absences},
    )


def _needs(given: PlanInput, start_s: float) -> dict[str, Need]:
    """What each satellite can be expected to record, and when: the data of every strip, at its
    first window of each satellite, in equal parts to all that see it.

    To 0.1 s and 10 Mbit: what a file rounds must not decide between passes that are worth the same.
    """
    o = given.opportunities
    firsts: dict[str, dict[str, tuple[float, float]]] = {}
    for row, pointing in enumerate(given.pointing):
        if pointing is not None:
            end_s = round(float(o.plan_end_s[row] + o.scan_s[row]), 1)
            data = end_s, round(float(np.min(pointing.data_bit)), -7)
            own = firsts.setdefault(str(o.strip[row]), {})
            own[o.satellite[row]] = min(own.get(o.satellite[row], data), data)
    needs = {}
    for satellite in given.mission.satellites:
        rows = [(start_s, satellite.memory_used_bit)]
        for seen in firsts.values():
            if satellite.name in seen:
                end_s, bits = seen[satellite.name]
                rows.append((end_s, bits / len(seen)))
        t_s, bits = np.array(sorted(rows), dtype=np.float64).T
        needs[satellite.name] = Need(t_s=t_s, bits=np.cumsum(bits))
    return needs


def _refuse_hopeless(lane: Lane) -> None:
    """A satellite whose battery fails without any imaging has no plan at all."""
    _refuse_idle_looks(lane)
    segments = lane.segments([])
    if segments is None:
        raise PlanError(f"satellite {lane.satellite.name!r} has no way through its own passes")
    refusal = lane.energy_refusal([], segments)
    if refusal is not None:
        raise PlanError(f"even without imaging, {refusal.text}: its power figures do not add up")


def _refuse_idle_looks(lane: Lane) -> None:
    """A satellite that looks at what it must not with nothing to do has no plan either."""
    guard, law = lane.choreography.guard, lane.choreography.idle
    inside = (law.t_s >= lane.span[0] - IDLE_STEP_S) & (law.t_s <= lane.span[1] + IDLE_STEP_S)
    t_s = np.clip(law.t_s[inside], *lane.span)
    found = guard.worst("idle", t_s, law.attitude(t_s))
    if found is None:
        return
    what, i = found
    raise PlanError(
        f"satellite {lane.satellite.name!r}: its idle attitude ({law.law!r}) brings {what}"
        f" at {format_utc(guard.timeline.epoch.utc(float(t_s[i])))}, expected one that never does;"
        f" or leave 'idle' out of its modes{_clear_roll(lane, t_s)}"
    )


def _clear_roll(lane: Lane, t_s: FloatArray) -> str:
    """For a satellite that charges, which roll nearest to none would keep off all."""
    satellite, guard = lane.satellite, lane.choreography.guard
    if satellite.idle_attitude != "charging" or satellite.power is None:
        return ""
    normal = np.asarray(satellite.power.panel_normal)
    for roll_deg in sorted(range(-180, 180, ROLL_STEP_DEG), key=abs):
        law = idle_law("charging", guard.timeline, normal, math.radians(roll_deg))
        if guard.worst("idle", t_s, law.attitude(t_s)) is None:
            return f"; charging_roll_deg = {roll_deg} would keep off"
    return "; no charging_roll_deg would keep off"


def satellite_plan(lane: Lane) -> SatellitePlan:
    """What a lane makes of its acts."""
    segments = lane.segments(lane.acts)
    carriers = lane.commanding.carriers([act.start_s for act in lane.acts])
    if segments is None or carriers is None:
        raise AssertionError(
            f"the acts of {lane.satellite.name!r} were accepted and do not join up"
        )
    downlinks = lane.downlinks(lane.acts, segments)
    return SatellitePlan(
        lane=lane,
        acts=tuple(lane.acts),
        uplinks=tuple(carriers),
        segments=tuple(segments),
        downlinks=tuple(downlinks),
    )


def _shares(given: PlanInput) -> dict[str, float]:
    shares = {strip.name: strip.share for strip in given.opportunities.strips}
    return shares | {request.name: 1.0 for request in given.requests if request.kind == "point"}


def _rates(mission: Mission) -> dict[tuple[str, str], float]:
    """Bits per second by satellite and station, at best."""
    return {
        (satellite.name, station.name): downlink_rate(satellite, station)
        for satellite in mission.satellites
        for station in mission.stations
    }


def _ageing(given: PlanInput, worth: Worth, end_s: float, except_of: frozenset[str]) -> Worth:
    """The worth of looks that age on their way to the ground, where that counts."""
    half_life_s = given.mission.objective.age_half_life_s
    if half_life_s is None:
        return worth
    ages_s = least_ages(
        given.opportunities, given.pointing, given.contacts, _rates(given.mission), end_s
    )
    return ageing(worth, half_life_s, end_s, ages_s, except_of)


def _unsent(satellite: Satellite, lane: Lane) -> Satellite:
    """With what was sent before acknowledged at once: no plan frees its memory sooner."""
    left = max(satellite.memory_used_bit - lane.aboard.sent_bit, 0.0)
    return replace(satellite, memory_used_bit=left)


def _proof(
    given: PlanInput, worth: Worth, empty: Mapping[str, Lane], release_s: float, held: Held
) -> Proof:
    """What no plan exceeds, with every contact that satellites could have, booked or not, and with
    what stays of a previous plan as it is."""
    satellites = {s.name: _unsent(s, empty[s.name]) for s in given.mission.satellites}
    ready = {
        name: soonest_command_s(satellite, given.mission, given.contacts, release_s)
        for name, satellite in satellites.items()
    }
    rates = _rates(given.mission)
    bits = [math.inf if p is None else float(np.min(p.data_bit)) for p in given.pointing]
    least_bits = np.array(bits, dtype=np.float64)
    start_s = min(lane.span[0] for lane in empty.values())
    linear = upper_bound(
        given.opportunities, worth, least_bits, satellites, ready, given.contacts, rates, start_s,
        held.fixed_s,
    )  # fmt: skip
    most = SEQUENCED_IN_A_HURRY if held.urgent else SEQUENCED_AT_MOST
    if np.count_nonzero(np.isfinite(least_bits)) > most:
        return linear_proof(linear)
    reach = Reach(
        opportunities=given.opportunities,
        pointing=given.pointing,
        lanes=empty,
        ready_s=ready,
        contacts=given.contacts,
        rates_bit_s=rates,
        fixed_s=held.fixed_s,
    )
    return better_proof(linear, relaxed_problem(reach, worth))
