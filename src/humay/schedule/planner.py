"""Greedy planning: the most urgent request first, each strip at its best look that still fits.

A strip is tried in its windows from the least off-nadir to the largest, in each at the start time
closest to the best one at which the slews from and to its neighbours fit. Then imaging time, memory
with the downlinks it leaves, and battery must hold for the whole plan. What was placed stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from humay.access import Opportunities, Pointing, Timeline
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.mission import Mission, Request, Satellite
from humay.schedule.attitude import SweepStates, sweep_states
from humay.schedule.ground import Pass, downlink_rate, earliest_start_s
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
from humay.schedule.sequence import Act, Choreography, Hold, Segment
from humay.schedule.slews import State, slew_time

START_GRID_S = 1.0
ENDLESS_BIT_S = 1e15
STAGES = (
    "period", "no_opportunity", "margin", "uplink", "slew", "imaging_time", "memory", "downlink",
    "energy",
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
    choreography: Choreography
    battery: Battery | None
    passes: tuple[Pass, ...]
    uplink: Pass | None
    rates_bit_s: Mapping[str, float]
    acts: list[Act] = field(default_factory=list)

    @property
    def span(self) -> tuple[float, float]:
        return self.choreography.start_s, self.choreography.end_s

    def segments(self, acts: Sequence[Act]) -> list[Segment] | None:
        return self.choreography.segments(acts)

    def recordings(self, acts: Sequence[Act]) -> list[Recording]:
        """What is on board at the start, and what the acts record."""
        before = Recording(
            acquisition=None,
            start_s=self.span[0],
            end_s=self.span[0],
            bits=self.satellite.memory_used_bit,
        )
        made = [
            Recording(acquisition=str(act.row), start_s=act.start_s, end_s=act.end_s, bits=act.bits)
            for act in acts
        ]
        return ([before] if before.bits else []) + made

    def sendings(self, segments: Sequence[Segment]) -> list[Sending]:
        """When data can go down: whole passes with a steerable antenna, else in nadir attitude."""
        usable = [p for p in self.passes if p.downlink]
        if self.satellite.antenna == "steerable":
            return [self._sending(p, p.start_s, p.end_s) for p in usable]
        held = [s for s in segments if s.mode == "downlink"]
        return [
            self._sending(p, max(p.start_s, s.start_s), min(p.end_s, s.end_s))
            for p in usable
            for s in held
            if min(p.end_s, s.end_s) > max(p.start_s, s.start_s)
        ]

    def _sending(self, p: Pass, start_s: float, end_s: float) -> Sending:
        return Sending(
            pass_id=p.pass_id,
            station=p.station,
            start_s=start_s,
            end_s=end_s,
            bit_s=self.rates_bit_s[p.station],
        )

    def downlinks(self, acts: Sequence[Act], segments: Sequence[Segment]) -> list[Downlink]:
        return send_all(self.recordings(acts), self.sendings(segments))

    def memory(
        self, acts: Sequence[Act], downlinks: Sequence[Downlink]
    ) -> tuple[FloatArray, FloatArray]:
        return memory_curve(self.recordings(acts), downlinks, *self.span)

    def energy(
        self, segments: Sequence[Segment], downlinks: Sequence[Downlink]
    ) -> tuple[FloatArray, FloatArray]:
        """Stored energy (J) over time. Only for satellites with a power table."""
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
        return self.battery.curve(self.choreography.harvests(segments), loads, *self.span)

    # Placing ---------------------------------------------------------------------------------

    def place(self, row: int, opportunities: Opportunities, pointing: Pointing) -> Refusal | None:
        """Put one opportunity into the plan where it fits, or say why it does not."""
        ready_s = earliest_start_s(self.satellite, self.uplink)
        low = max(float(opportunities.plan_start_s[row]), ready_s)
        high = float(opportunities.plan_end_s[row])
        if not low <= high:
            return self.no_uplink(opportunities, row)
        scan_s = round(float(opportunities.scan_s[row]), 6)
        starts = _starts(low, high, float(opportunities.best_s[row]))
        states = sweep_states(pointing, starts)
        fits = self._fits(starts, scan_s, states)
        wish = float(np.clip(opportunities.best_s[row], low, high))
        if not np.any(fits):
            return self._no_room(wish, scan_s, opportunities, row)
        best = int(np.flatnonzero(fits)[np.argmin(np.abs(starts[fits] - wish))])
        act = _act(row, opportunities, starts, scan_s, states, best, self.satellite.settle_s)
        return self._try(act)

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
        if before is not None:
            time = slew_time(before.last, goal, self.choreography.agility)
            return np.asarray(before.end_s + time <= at_s)
        origin = self.choreography.idle.state(np.maximum(at_s - 20.0, self.span[0]))
        return np.asarray(
            self.span[0] + slew_time(origin, goal, self.choreography.agility) + 1.0 <= at_s
        )

    def _leave(self, after: Act | None, at_s: FloatArray, origin: State) -> BoolArray:
        if after is not None:
            time = slew_time(origin, after.settle, self.choreography.agility)
            return np.asarray(at_s + time <= after.settle_from_s)
        goal = self.choreography.idle.state(at_s + 20.0)
        return np.asarray(
            at_s + slew_time(origin, goal, self.choreography.agility) + 1.0 <= self.span[1]
        )

    def _try(self, act: Act) -> Refusal | None:
        """Insert an act if every resource holds for the whole plan."""
        acts = sorted([*self.acts, act], key=lambda a: a.start_s)
        segments = self.segments(acts)
        if segments is None:
            return Refusal(code="slew", text="no time for the slews to its neighbours")
        refusal = (
            self._imaging_refusal(acts)
            or self._memory_refusal(acts, segments)
            or self.energy_refusal(acts, segments)
        )
        if refusal is None:
            self.acts = acts
        return refusal

    def _imaging_refusal(self, acts: Sequence[Act]) -> Refusal | None:
        starts = np.array([act.start_s for act in acts])
        ends = np.array([act.end_s for act in acts])
        limit = first_overrun(starts, ends, self.satellite.imaging_limits)
        if limit is None:
            return None
        return Refusal(
            code="imaging_time",
            text=f"{self.satellite.name} would image more than {limit.seconds:g} s in"
            f" {limit.per_s:g} s",
        )

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
        _, at_best = self.memory(acts, send_all(self.recordings(acts), endless))
        if np.max(at_best) <= limit:
            return Refusal(
                code="downlink",
                text=f"the passes of {self.satellite.name} cannot bring down enough before:"
                f" {need:.1f} Gbit too much on board",
            )
        return Refusal(
            code="memory",
            text=f"the memory of {self.satellite.name} would hold {need:.1f} Gbit more than its"
            f" {limit / 1e9:g}, and no pass lies between",
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
        if self.uplink is None:
            text = f"no pass of {self.satellite.name} can carry commands in this plan"
        else:
            text = f"it passes before {self.satellite.name} can have been commanded"
        return Refusal(code="uplink", text=text)

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
    uplinks: Mapping[str, Pass | None],
    timelines: Mapping[str, Timeline],
    span: tuple[float, float],
) -> dict[str, Lane]:
    """An empty lane for each satellite."""
    lanes = {}
    for satellite in mission.satellites:
        own = tuple(p for p in passes if p.satellite == satellite.name)
        holds = tuple(
            Hold(start_s=max(p.start_s, span[0]), end_s=min(p.end_s, span[1]))
            for p in own
            if p.downlink and satellite.antenna == "fixed"
        )
        timeline = timelines[satellite.name]
        choreography = Choreography(
            satellite=satellite, timeline=timeline, start_s=span[0], end_s=span[1], holds=holds
        )
        battery = None
        if satellite.power is not None:
            idle_watt = choreography.idle_watt(timeline.t_s)
            battery = Battery(power=satellite.power, timeline=timeline, idle_watt=idle_watt)
        rates = {station.name: downlink_rate(satellite, station) for station in mission.stations}
        lanes[satellite.name] = Lane(
            satellite=satellite,
            choreography=choreography,
            battery=battery,
            passes=own,
            uplink=uplinks[satellite.name],
            rates_bit_s=rates,
        )
    return lanes


def fill(
    lanes: Mapping[str, Lane],
    requests: Sequence[Request],
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
) -> dict[str, Refusal]:
    """Place what fits, in order of urgency; returns the refusal of every strip left out."""
    by_strip: dict[str, list[int]] = {}
    for row in range(len(opportunities)):
        by_strip.setdefault(str(opportunities.strip[row]), []).append(row)
    strips_of: dict[str, list[str]] = {request.name: [] for request in requests}
    for name in by_strip:
        strips_of[str(opportunities.request[by_strip[name][0]])].append(name)
    order = sorted(
        requests,
        key=lambda r: (
            -r.priority, -r.weight, sum(len(by_strip[s]) for s in strips_of[r.name]), r.name
        ),
    )  # fmt: skip
    refusals: dict[str, Refusal] = {}
    for request in order:
        for strip in sorted(strips_of[request.name]):
            refusal = _place_strip(lanes, by_strip[strip], opportunities, pointing)
            if refusal is not None:
                refusals[strip] = refusal
    return refusals


def _place_strip(
    lanes: Mapping[str, Lane],
    rows: Sequence[int],
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
) -> Refusal | None:
    """Try a strip's windows, least off-nadir first; the refusal that came furthest if none fits."""
    worst: Refusal | None = None
    ordered = sorted(
        rows,
        key=lambda i: (round(float(opportunities.off_nadir_rad[i]), 9), opportunities.start_s[i]),
    )  # fmt: skip
    for row in ordered:
        lane, samples = lanes[str(opportunities.satellite[row])], pointing[row]
        refusal = (
            lane.no_uplink(opportunities, row)
            if samples is None
            else lane.place(row, opportunities, samples)
        )
        if refusal is None:
            return None
        if worst is None or refusal.stage > worst.stage:
            worst = refusal
    return worst
