"""`make_plan`: opportunities in, a `Plan` with its bound and its reasons out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from humay.access import Contacts, Opportunities, Pointing, Timeline
from humay.arrays import FloatArray
from humay.errors import PlanError
from humay.mission import Mission, Request
from humay.schedule.bound import upper_bound
from humay.schedule.ground import (
    Pass,
    book_passes,
    downlink_rate,
    first_uplink,
    soonest_command_s,
)
from humay.schedule.planner import Lane, Refusal, fill, make_lanes
from humay.schedule.resources import Downlink
from humay.schedule.sequence import Act, Segment
from humay.time import format_utc


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanInput:
    """All that a plan is made from: what is asked, when it can be seen, who listens when.

    `pointing` has an entry for each opportunity. `absences` gives a reason code and a sentence for
    each request without a window. `notes` are told to whoever reads the plan.
    """

    mission: Mission
    requests: Sequence[Request]
    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    contacts: Contacts
    timelines: Mapping[str, Timeline]
    absences: Mapping[str, tuple[str, str]]
    notes: Sequence[str] = ()

    def check(self, span_s: tuple[float, float]) -> None:
        """Raise `PlanError` unless everything covers the span and speaks of this mission."""
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
    """What one satellite does: acts in order of time, attitude without gap, downlinks."""

    lane: Lane
    acts: tuple[Act, ...]
    segments: tuple[Segment, ...]
    downlinks: tuple[Downlink, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A plan over [start, end]; `value` counts weight x share of every strip imaged, `bound` is
    what no plan can exceed, `shares` what part of its request each strip is.
    """

    given: PlanInput
    start: datetime
    end: datetime
    release: datetime
    seed: int
    satellites: Mapping[str, SatellitePlan]
    passes: tuple[Pass, ...]
    refusals: Mapping[str, Refusal]
    shares: Mapping[str, float]
    value: float
    bound: float

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
) -> Plan:
    """The greedy plan over [start, end]. `seed` is recorded for methods that draw lots; this one
    does not."""
    if not start < end:
        raise PlanError(f"the plan ends at {format_utc(end)}, not after {format_utc(start)}")
    release = start if release is None else release
    if release >= end:
        raise PlanError(f"release is {format_utc(release)}, expected before {format_utc(end)}")
    epoch = given.opportunities.epoch
    span = epoch.seconds(start), epoch.seconds(end)
    given.check(span)
    passes = book_passes(given.mission, given.contacts)
    uplinks = {
        satellite.name: first_uplink(satellite, passes, epoch.seconds(release))
        for satellite in given.mission.satellites
    }
    lanes = make_lanes(given.mission, passes, uplinks, given.timelines, span)
    for lane in lanes.values():
        _refuse_hopeless(lane)
    refusals = fill(lanes, given.requests, given.opportunities, given.pointing)
    shares = _shares(given)
    values = _values(given, shares)
    value = float(math.fsum(values[act.row] for lane in lanes.values() for act in lane.acts))
    bound = _bound(given, values, epoch.seconds(release), span[0])
    if value > bound:
        raise AssertionError(f"the plan is worth {value} and its upper bound is {bound}")
    return Plan(
        given=given,
        start=start,
        end=end,
        release=release,
        seed=seed,
        satellites={name: _satellite_plan(lane) for name, lane in lanes.items()},
        passes=tuple(passes),
        refusals=refusals,
        shares=shares,
        value=value,
        bound=bound,
    )


def _refuse_hopeless(lane: Lane) -> None:
    """A satellite whose battery fails without any imaging has no plan at all."""
    segments = lane.segments([])
    if segments is None:
        raise PlanError(f"satellite {lane.satellite.name!r} has no way through its own passes")
    refusal = lane.energy_refusal([], segments)
    if refusal is not None:
        raise PlanError(f"even without imaging, {refusal.text}: its power figures do not add up")


def _satellite_plan(lane: Lane) -> SatellitePlan:
    segments = lane.segments(lane.acts)
    if segments is None:
        raise AssertionError(
            f"the acts of {lane.satellite.name!r} were accepted and do not join up"
        )
    downlinks = lane.downlinks(lane.acts, segments)
    return SatellitePlan(
        lane=lane,
        acts=tuple(lane.acts),
        segments=tuple(segments),
        downlinks=tuple(downlinks),
    )


def _shares(given: PlanInput) -> dict[str, float]:
    shares = {strip.name: strip.share for strip in given.opportunities.strips}
    return shares | {request.name: 1.0 for request in given.requests if request.kind == "point"}


def _values(given: PlanInput, shares: Mapping[str, float]) -> FloatArray:
    """What each opportunity is worth: the weight of its request times the share of its strip."""
    weights = {request.name: request.weight for request in given.requests}
    o = given.opportunities
    worth = [weights[str(r)] * shares[str(s)] for r, s in zip(o.request, o.strip, strict=True)]
    return np.array(worth, dtype=np.float64)


def _bound(given: PlanInput, values: FloatArray, release_s: float, start_s: float) -> float:
    """The relaxation with every contact a satellite could have, booked or not."""
    satellites = {satellite.name: satellite for satellite in given.mission.satellites}
    ready = {
        name: soonest_command_s(satellite, given.mission, given.contacts, release_s)
        for name, satellite in satellites.items()
    }
    rates = {
        (name, station.name): downlink_rate(satellite, station)
        for name, satellite in satellites.items()
        for station in given.mission.stations
    }
    bits = [math.inf if p is None else float(np.min(p.data_bit)) for p in given.pointing]
    least_bits = np.array(bits, dtype=np.float64)
    return upper_bound(
        given.opportunities, values, least_bits, satellites, ready, given.contacts, rates, start_s
    )
