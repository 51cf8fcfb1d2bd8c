"""One satellite's plan while it grows: what fits beside what is there, and why the rest does not.

An opportunity is tried at the start time closest to its best one at which the slews from and to
its neighbours fit. Then imaging time, memory with the downlinks it leaves, and battery must hold
for the whole plan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from humay.access import Opportunities, Pointing, Timeline
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.mission import Mission, Satellite, Station
from humay.schedule.aboard import EMPTY, LEAST_GBIT, Aboard
from humay.schedule.acknowledged import Freed, freed, uplink_after
from humay.schedule.attitude import SweepStates, sweep_states
from humay.schedule.commands import Commanding
from humay.schedule.duty import duty_fault
from humay.schedule.ground import Pass
from humay.schedule.keep_outs import Guard
from humay.schedule.outages import Attendance, Closure, Span, clear_holds, left_of
from humay.schedule.resources import (
    BATTERY_MARGIN,
    Battery,
    Downlink,
    Load,
    Recording,
    Sending,
    first_overrun,
    memory_curve,
    send_all,
)
from humay.schedule.sending import send_urgent_first
from humay.schedule.sequence import Act, Choreography, Hold, Segment
from humay.schedule.slews import State, slew_time
from humay.schedule.tracking import tracking_law

START_GRID_S = 1.0
WAYS_TRIED = 6
ENDLESS_BIT_S = 1e15
STAGES = (
    "completion", "separation", "period", "no_opportunity", "margin", "imaged", "outage",
    "uplink", "keep_out", "slew", "imaging_time", "memory", "downlink", "energy",
)  # fmt: skip
"""Reasons in the order in which a strip meets them; the last one met is the reason told."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a strip, or a whole request, was not planned."""

    code: str
    text: str
    competitors: tuple[str, ...] = ()

    @property
    def stage(self) -> int:
        return STAGES.index(self.code)


@dataclass(kw_only=True, eq=False)
class Lane:
    """One satellite's plan while it grows: the only thing here that changes."""

    satellite: Satellite
    choreography: Attendance
    closures: tuple[Closure, ...]
    battery: Battery | None
    passes: tuple[Pass, ...]
    commanding: Commanding
    acts: list[Act] = field(default_factory=list)
    aboard: Aboard = EMPTY
    priorities: Mapping[str, int] = field(default_factory=dict)
    flown: Sequence[Span] = ()
    hasty: bool = False
    """Whether `place` leaves it to its caller to ask `refusal` of all acts together."""

    @property
    def span(self) -> tuple[float, float]:
        return self.choreography.start_s, self.choreography.end_s

    def segments(self, acts: Sequence[Act]) -> list[Segment] | None:
        return self.choreography.segments(acts)

    def recordings(self, acts: Sequence[Act]) -> list[Recording]:
        """What is on board unsent at the start, and what the acts record."""
        made = [
            Recording(
                acquisition=str(act.row),
                start_s=act.start_s,
                end_s=act.end_s,
                bits=act.bits,
                urgency=self.priorities.get(act.request, 0),
            )
            for act in acts
        ]
        return [*self._unsent_before, *made]

    @cached_property
    def _unsent_before(self) -> list[Recording]:
        """What is on board unsent at the start; what of it nobody knows anything of comes first."""
        known = self.aboard.sent_bit + sum(each.bits for each in self.aboard.unsent)
        older, unsent = self.satellite.memory_used_bit - known, list(self.aboard.unsent)
        if older < LEAST_GBIT * 1e9:
            return unsent
        at_s = min([self.span[0], *(each.end_s - 1.0 for each in unsent)])
        return [Recording(acquisition=None, start_s=at_s, end_s=at_s, bits=older), *unsent]

    def sendings(self, segments: Sequence[Segment]) -> list[Sending]:
        """When data can go down: with a steerable antenna in any attitude, else in that of nadir;
        while imaging only where the satellite can do both."""
        busy = {p.station: self._cannot_send(segments, p.station) for p in self.passes}
        return [
            Sending(
                pass_id=p.pass_id, station=p.station, start_s=low, end_s=high, bit_s=stretch.bit_s
            )
            for p in self.passes
            for stretch in p.stretches
            for low, high in left_of((stretch.start_s, stretch.end_s), busy[p.station])
            if high > low
        ]

    def _cannot_send(
        self, segments: Sequence[Segment], station: str
    ) -> Sequence[tuple[float, float]]:
        """When nothing can go down to a station, for what the satellite does."""
        if self.satellite.antenna == "fixed":
            pointed = [
                (s.start_s, s.end_s)
                for s in segments
                if s.mode == "downlink" and s.station in (None, station)
            ]
            return left_of(self.span, pointed)
        if self.satellite.image_while_downlinking:
            return ()
        return [(s.start_s, s.end_s) for s in segments if s.mode == "image"]

    def downlinks(self, acts: Sequence[Act], segments: Sequence[Segment]) -> list[Downlink]:
        return self.sent(self.recordings(acts), self.sendings(segments))

    def sent(self, recordings: Sequence[Recording], sendings: Sequence[Sending]) -> list[Downlink]:
        """What goes down when, in the order of this satellite."""
        if self.satellite.downlink_order == "priority":
            return send_urgent_first(recordings, sendings)
        return send_all(recordings, sendings)

    def memory(
        self, acts: Sequence[Act], downlinks: Sequence[Downlink]
    ) -> tuple[FloatArray, FloatArray]:
        """Bits on board over time: what was sent leaves at once, or when it is acknowledged."""
        if not self.acknowledges:
            return memory_curve(self.recordings(acts), downlinks, *self.span)
        at_s = self.span[0]
        sent = [
            Recording(acquisition=None, start_s=at_s, end_s=at_s, bits=each.bits)
            for each in self.aboard.sent
        ]
        leaving = [each for each in self.freed(downlinks) if each.uplink is not None]
        return memory_curve([*sent, *self.recordings(acts)], leaving, *self.span)

    @property
    def acknowledges(self) -> bool:
        """Whether memory is free only after reception is acknowledged."""
        return self.satellite.memory_release == "acknowledged"

    def freed(self, downlinks: Sequence[Downlink]) -> list[Freed]:
        """What was sent, pass by pass, and when it leaves the memory, where that has to wait for
        the uplink that acknowledges it."""
        return freed(downlinks, self.aboard.sent, self.acknowledging)

    @cached_property
    def acknowledging(self) -> dict[str, Pass | None]:
        """The pass that acknowledges what went down in each."""
        after_s = self.satellite.acknowledge_s
        ends = {each.pass_id: each.end_s for each in self.aboard.sent}
        ends |= {p.pass_id: p.end_s for p in self.passes}
        return {name: uplink_after(end_s, self.passes, after_s) for name, end_s in ends.items()}

    def energy(
        self, segments: Sequence[Segment], downlinks: Sequence[Downlink]
    ) -> tuple[FloatArray, FloatArray]:
        """Stored energy (J) over time. Only for satellites with a power table."""
        battery, loads = self._loads(segments, downlinks)
        return battery.curve(self.choreography.harvests(segments), loads, *self.span)

    def balance(
        self, segments: Sequence[Segment], downlinks: Sequence[Downlink]
    ) -> tuple[FloatArray, FloatArray]:
        """The same without a capacity."""
        battery, loads = self._loads(segments, downlinks)
        return battery.balance(self.choreography.harvests(segments), loads, *self.span)

    def _loads(
        self, segments: Sequence[Segment], downlinks: Sequence[Downlink]
    ) -> tuple[Battery, list[Load]]:
        if self.battery is None:
            raise ValueError(f"satellite {self.satellite.name!r} has no power table")
        power = self.battery.power
        watts = {"image": power.imaging_w, "slew": power.slew_w, "settle": power.slew_w}
        loads = [
            Load(start_s=s.start_s, end_s=s.end_s, watt=watts[s.mode])
            for s in segments
            if s.mode in watts
        ]
        loads += [Load(start_s=d.start_s, end_s=d.end_s, watt=power.downlink_w) for d in downlinks]
        return self.battery, loads

    # Placing ---------------------------------------------------------------------------------

    def place(self, row: int, opportunities: Opportunities, pointing: Pointing) -> Refusal | None:
        """Put one opportunity into the plan where it fits, or say why it does not."""
        low = float(opportunities.plan_start_s[row])
        high = float(opportunities.plan_end_s[row])
        if not low <= high:
            return self.no_uplink(opportunities, row)
        scan_s = round(float(opportunities.scan_s[row]), 6)
        free = self._free(low, high, scan_s)
        if not free:
            return self._in_outage(low, high + scan_s)
        low = max(low, self.commanding.ready_s)
        free = [(max(start, low), end) for start, end in free if end >= low]
        if not free:
            return self.no_uplink(opportunities, row)
        best_s = float(opportunities.best_s[row])
        starts = np.concatenate([_starts(*span, best_s) for span in free])
        starts = starts[self._apart(starts, scan_s)]
        wish = float(np.clip(opportunities.best_s[row], low, high))
        if not len(starts):
            return self._no_room(wish, scan_s, opportunities, row)
        states = sweep_states(pointing, starts)
        clear = self.clear(starts, scan_s, states)
        if not np.any(clear):
            return self._kept_out("its looks bring", "settle", "image")
        fits = self._fits(starts, scan_s, states) & clear
        if not np.any(fits):
            return self._no_room(wish, scan_s, opportunities, row)
        worst: Refusal | None = None
        for i in self._tries(starts, fits, wish):
            act = _act(row, opportunities, starts, scan_s, states, i, self.satellite.settle_s)
            refusal = self._try(act)
            if refusal is None or refusal.code != "keep_out":
                return refusal
            worst = refusal
        return worst

    def _tries(self, starts: FloatArray, fits: BoolArray, wish: float) -> list[int]:
        """The start closest to the best one; with something to keep out, a few others besides, for
        the way there may be clear at another time."""
        ordered = np.flatnonzero(fits)
        ordered = ordered[np.argsort(np.abs(starts[ordered] - wish), kind="stable")]
        if not self.choreography.guard:
            return [int(ordered[0])]
        return [int(i) for i in ordered[:: max(1, math.ceil(len(ordered) / WAYS_TRIED))]]

    def clear(self, starts: FloatArray, scan_s: float, states: SweepStates) -> BoolArray:
        """At which start times (k,) the act itself keeps off all that must not be looked at."""
        guard = self.choreography.guard
        if not guard:
            return np.ones(len(starts), dtype=bool)
        three = states.settle, states.first, states.last
        return guard.sweeps_clear(starts, self.satellite.settle_s, scan_s, three)

    def _kept_out(self, what: str, *modes: str) -> Refusal:
        of = " or ".join(self.choreography.guard.asks(*modes))
        return Refusal(code="keep_out", text=f"{what} {of}")

    def _free(self, low: float, high: float, scan_s: float) -> list[tuple[float, float]]:
        """Start times between two at which settling and sweep lie outside of every outage."""
        settle_s = self.satellite.settle_s
        closed = [(start - scan_s, end + settle_s) for start, end in self.choreography.closed]
        return left_of((low, high), closed)

    def _in_outage(self, low: float, high: float) -> Refusal:
        met = [c.text for c in self.closures if c.end_s >= low and c.start_s <= high]
        return Refusal(code="outage", text=f"its windows lie in {' and '.join(met)}")

    def _apart(self, starts: FloatArray, scan_s: float) -> BoolArray:
        """At which start times (k,) settling and sweep meet no other act: to be asked first."""
        settle_from, ends = starts - self.satellite.settle_s, starts + scan_s
        over = np.searchsorted([act.end_s for act in self.acts], settle_from, side="right")
        begun = np.searchsorted([act.settle_from_s for act in self.acts], ends)
        return np.asarray(over >= begun)

    def _fits(self, starts: FloatArray, scan_s: float, states: SweepStates) -> BoolArray:
        """At which start times (k,) the neighbours leave time for both slews."""
        settle_from, ends = starts - self.satellite.settle_s, starts + scan_s
        begins = np.array([act.settle_from_s for act in self.acts])
        place = np.searchsorted(begins, settle_from)
        fits = np.zeros(len(starts), dtype=bool)
        for i in np.unique(place):
            here = np.flatnonzero(place == i)
            before = self.acts[i - 1] if i > 0 else None
            after = self.acts[i] if i < len(self.acts) else None
            come = self._come(before, settle_from[here], _some(states.settle, here))
            leave = self._leave(after, ends[here], _some(states.last, here))
            fits[here] = come & leave
        return fits

    def _come(self, before: Act | None, at_s: FloatArray, goal: State) -> BoolArray:
        """Whether the slew from what comes before, in the same stretch, ends in time."""
        low, agility = self.choreography.begins_s(at_s), self.choreography.agility
        if before is not None and np.all(low <= before.end_s):
            return np.asarray(before.end_s + slew_time(before.last, goal, agility) <= at_s)
        origin = self.choreography.idle.state(np.maximum(at_s - 20.0, low))
        fits = low + slew_time(origin, goal, agility) + 1.0 <= at_s
        if before is None:
            return np.asarray(fits)
        next_to_it = before.end_s + slew_time(before.last, goal, agility) <= at_s
        return np.where(low > before.end_s, fits, next_to_it)

    def _leave(self, after: Act | None, at_s: FloatArray, origin: State) -> BoolArray:
        """Whether there is time for the slew to what comes after, in the same stretch."""
        high, agility = self.choreography.ends_s(at_s), self.choreography.agility
        if after is not None and np.all(high >= after.settle_from_s):
            seconds = slew_time(origin, after.settle, agility)
            return np.asarray(at_s + seconds <= after.settle_from_s)
        goal = self.choreography.idle.state(np.minimum(at_s + 20.0, self.span[1]))
        fits = at_s + slew_time(origin, goal, agility) + 1.0 <= high
        if after is None:
            return np.asarray(fits)
        next_to_it = at_s + slew_time(origin, after.settle, agility) <= after.settle_from_s
        return np.where(high < after.settle_from_s, fits, next_to_it)

    def _try(self, act: Act) -> Refusal | None:
        """Insert an act if every resource holds for the whole plan."""
        acts = sorted([*self.acts, act], key=lambda a: a.start_s)
        refusal = self._hasty_refusal(acts, act) if self.hasty else self.refusal(acts)
        if refusal is None:
            self.acts = acts
        return refusal

    def _hasty_refusal(self, acts: Sequence[Act], act: Act) -> Refusal | None:
        """What an act would break of that which is looked at where it stands."""
        if not self.choreography.joins(self.acts, act):
            return self._no_way(acts)
        return self._imaging_refusal(acts) or self._duty_refusal(acts)

    def _no_way(self, acts: Sequence[Act]) -> Refusal:
        if self.choreography.guard and self.choreography.unguarded.segments(acts) is not None:
            return self._kept_out("no way to it or on from it but one that would bring", "slew")
        return Refusal(code="slew", text="no time for the slews to its neighbours")

    def refusal(self, acts: Sequence[Act]) -> Refusal | None:
        """What acts in order of time would break."""
        if self.commanding.carriers([a.start_s for a in acts]) is None:
            return Refusal(code="uplink", text=self.commanding.room_text)
        segments = self.segments(acts)
        if segments is None:
            return self._no_way(acts)
        return (
            self._imaging_refusal(acts)
            or self._duty_refusal(acts)
            or self._memory_refusal(acts, segments)
            or self.energy_refusal(acts, segments)
        )

    # Taking over what a search found ---------------------------------------------------------

    def scan_s(self, row: int, o: Opportunities) -> float:
        """How long an opportunity takes."""
        return round(float(o.scan_s[row]), 6)

    def free_starts(self, row: int, o: Opportunities) -> list[Span]:
        """The stretches of its window in which an opportunity can begin, commanded by then and
        outside of outages."""
        window = float(o.plan_start_s[row]), float(o.plan_end_s[row])
        free, ready_s = self._free(*window, self.scan_s(row, o)), self.commanding.ready_s
        return [(max(start, ready_s), end) for start, end in free if end >= ready_s]

    def stands_alone(
        self, at_s: FloatArray, ends_s: FloatArray, settle: State, last: State
    ) -> BoolArray:
        """Whether there is time to come from idle to acts that begin to settle at times (n,), and
        to go back to it when they end."""
        return self._come(None, at_s, settle) & self._leave(None, ends_s, last)

    def act(self, row: int, o: Opportunities, pointing: Pointing, start_s: float) -> Act:
        """One opportunity at one start time."""
        starts = np.array([start_s])
        scan_s = self.scan_s(row, o)
        states = sweep_states(pointing, starts)
        return _act(row, o, starts, scan_s, states, 0, self.satellite.settle_s)

    def adopt(self, acts: Sequence[Act]) -> None:
        """Add acts, the most wanted first, but for those with which something would not hold.

        Tried all at once, then in halves: nearly always all of them stand.
        """
        together = sorted([*self.acts, *acts], key=lambda a: a.start_s)
        if self.refusal(together) is None:
            self.acts = together
        elif len(acts) > 1:
            self.adopt(acts[: len(acts) // 2])
            self.adopt(acts[len(acts) // 2 :])

    def imaging(self, acts: Sequence[Act]) -> tuple[FloatArray, FloatArray]:
        """When imaging starts and ends: in acts in order of time, and in what was flown before
        them and still counts."""
        spans = [*self.flown, *((act.start_s, act.end_s) for act in acts)]
        starts, ends = np.array(spans, dtype=np.float64).reshape(-1, 2).T
        return starts, ends

    def _imaging_refusal(self, acts: Sequence[Act]) -> Refusal | None:
        starts, ends = self.imaging(acts)
        limit = first_overrun(starts, ends, self.satellite.imaging_limits)
        if limit is None:
            return None
        return Refusal(
            code="imaging_time",
            text=f"{self.satellite.name} would image more than {limit.seconds:g} s in"
            f" {limit.per_s:g} s",
        )

    def _duty_refusal(self, acts: Sequence[Act]) -> Refusal | None:
        timeline = self.choreography.guard.timeline
        text = duty_fault(self.satellite, timeline, acts, self.span[0], self.flown)
        return Refusal(code="imaging_time", text=text) if text else None

    def _memory_refusal(self, acts: Sequence[Act], segments: Sequence[Segment]) -> Refusal | None:
        limit = self.satellite.memory_bit
        _, bits = self.memory(acts, self.downlinks(acts, segments))
        if np.max(bits) <= limit:
            return None
        need = (float(np.max(bits)) - limit) / 1e9
        endless = [
            replace(s, bit_s=ENDLESS_BIT_S)
            for s in self.sendings(segments)
        ]  # fmt: skip
        _, at_best = self.memory(acts, self.sent(self.recordings(acts), endless))
        if np.max(at_best) <= limit:
            return Refusal(
                code="downlink",
                text=f"the passes of {self.satellite.name} cannot bring down enough before:"
                f" {need:.1f} Gbit too much on board",
            )
        between = "pass and then uplink" if self.acknowledges else "pass"
        return Refusal(
            code="memory",
            text=f"the memory of {self.satellite.name} would hold {need:.1f} Gbit more than its"
            f" {limit / 1e9:g}, and no {between} lies between",
        )

    def energy_refusal(self, acts: Sequence[Act], segments: Sequence[Segment]) -> Refusal | None:
        if self.battery is None:
            return None
        _, stored = self.energy(segments, self.downlinks(acts, segments))
        least, power = float(np.min(stored)), self.battery.power
        if least >= self.battery.floor_j + BATTERY_MARGIN * power.battery_j:
            return None
        return Refusal(
            code="energy",
            text=f"the battery of {self.satellite.name} would fall to"
            f" {100 * least / power.battery_j:.1f} %, it must keep"
            f" {100 * self.battery.floor_j / power.battery_j:.1f} % and a margin of"
            f" {100 * BATTERY_MARGIN:.1f} %",
        )

    def no_uplink(self, opportunities: Opportunities, row: int) -> Refusal:
        if math.isnan(float(opportunities.plan_end_s[row])):
            return Refusal(
                code="margin",
                text="its windows are shorter than three sigma of orbit and pointing",
            )
        if not self.commanding.passes:
            text = f"no pass of {self.satellite.name} can carry commands in this plan"
        else:
            text = f"it passes before {self.satellite.name} can have been commanded"
        return Refusal(code="uplink", text=text + self.commanding.lost)

    def _no_room(
        self, wish_s: float, scan_s: float, opportunities: Opportunities, row: int
    ) -> Refusal:
        """Whose acquisitions stand in the way in this window."""
        low = float(opportunities.plan_start_s[row]) - self.satellite.settle_s
        high = float(opportunities.plan_end_s[row]) + scan_s
        near = [act for act in self.acts if act.end_s > low - 30 and act.settle_from_s < high + 30]
        near.sort(key=lambda act: abs(0.5 * (act.start_s + act.end_s) - wish_s))
        names = tuple(dict.fromkeys(act.request for act in near))[:5]
        beside = ", ".join(names) if names else "the edge of the plan"
        return Refusal(code="slew", text=f"no time to slew beside {beside}", competitors=names)


def _some(state: State, which: IntArray) -> State:
    return State(attitude=state.attitude[which], rate_rad_s=state.rate_rad_s[which])


def _starts(low: float, high: float, best: float) -> FloatArray:
    """Whole milliseconds to try: every second, both ends, and the best start."""
    first, last = math.ceil(low * 1e3), math.floor(high * 1e3)
    if last < first:
        return np.array([low])
    grid = np.arange(first, last, int(START_GRID_S * 1e3))
    wish = min(max(round(best * 1e3), first), last)
    return np.unique(np.concatenate([grid, [last, wish]])) / 1e3


def _act(
    row: int, opportunities: Opportunities, starts: FloatArray, scan_s: float,
    states: SweepStates, i: int, settle_s: float,
) -> Act:  # fmt: skip
    def one(state: State) -> State:
        return State(attitude=state.attitude[i], rate_rad_s=state.rate_rad_s[i])

    start_s = float(starts[i])
    return Act(
        row=row,
        request=str(opportunities.request[row]),
        strip=str(opportunities.strip[row]),
        start_s=start_s,
        end_s=start_s + scan_s,
        settle_from_s=start_s - settle_s,
        settle=one(states.settle),
        first=one(states.first),
        last=one(states.last),
        line_period_s=float(states.line_period_s[i]),
        bits=float(states.data_bit[i]),
    )


# The whole plan ----------------------------------------------------------------------------------


def make_lanes(
    mission: Mission,
    passes: Sequence[Pass],
    commandings: Mapping[str, Commanding],
    timelines: Mapping[str, Timeline],
    closures: Sequence[Closure],
    span: tuple[float, float],
) -> dict[str, Lane]:
    """An empty lane for each satellite."""
    lanes = {}
    for satellite in mission.satellites:
        own = tuple(p for p in passes if p.satellite == satellite.name)
        timeline = timelines[satellite.name]
        stations = {station.name: station for station in mission.stations}
        holds = tuple(
            _hold_of(p, satellite, stations[p.station], timeline, span)
            for p in own
            if p.downlink and satellite.antenna == "fixed"
        )
        guard = Guard.of(satellite, timeline)
        whole = Choreography(
            satellite=satellite,
            timeline=timeline,
            start_s=span[0],
            end_s=span[1],
            holds=clear_holds(holds, guard),
            guard=guard,
        )
        closed = tuple(c for c in closures if c.of(satellite=satellite.name))
        choreography = Attendance.around(whole, closed)
        battery = None
        if satellite.power is not None:
            idle_watt = choreography.idle_watt(timeline.t_s)
            battery = Battery(power=satellite.power, timeline=timeline, idle_watt=idle_watt)
        lanes[satellite.name] = Lane(
            satellite=satellite,
            choreography=choreography,
            closures=closed,
            battery=battery,
            passes=own,
            commanding=commandings[satellite.name],
        )
    return lanes


def _hold_of(
    p: Pass, satellite: Satellite, station: Station, timeline: Timeline, span: tuple[float, float]
) -> Hold:
    """Where the antenna of a satellite looks to in a pass."""
    start_s = max(p.stretches[0].start_s, span[0])
    end_s = min(p.stretches[-1].end_s, span[1])
    if satellite.antenna_axis is None:
        return Hold(start_s=start_s, end_s=end_s)
    axis = np.array(satellite.antenna_axis)
    law = tracking_law(station, axis, timeline, start_s, end_s)
    return Hold(start_s=start_s, end_s=end_s, law=law, station=station.name)
