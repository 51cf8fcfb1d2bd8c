"""The attitude timeline of one satellite: its acts, and how it gets from each to the next."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np

from humay.access import Timeline
from humay.arrays import FloatArray
from humay.frames import rotate
from humay.mission import Power, Satellite
from humay.schedule.attitude import IdleLaw, idle_law, interpolate, sun_direction
from humay.schedule.detours import way_time
from humay.schedule.keep_outs import Guard
from humay.schedule.resources import Harvest
from humay.schedule.slews import Agility, Phase, State, fly, slew_phases

SHORTEST_IDLE_S = 60.0  # a shorter stop on the way is not worth two slews
LEAST_IDLE_S = 0.5  # a plan begins and ends in idle: what came before and comes after hangs on it
SHORTEST_HOLD_S = 20.0  # the least time for which a fixed antenna is turned to the ground
_FIT_S = 1e-6  # that a slew is given to spare
_SETTLED_S = 1e-8  # of the time of a slew: a hundredth of what it is given to spare
_MOST_ROUNDS = 40
_SAMPLE_S = 2.0
_HOLD_SAMPLE_S = 20.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Act:
    """One acquisition at a fixed time, with its states: settling, first line, last line."""

    row: int
    request: str
    strip: str
    start_s: float
    end_s: float
    settle_from_s: float
    settle: State
    first: State
    last: State
    line_period_s: float
    bits: float

    @property
    def key(self) -> tuple[int, float]:
        """What tells acts apart: opportunity and start."""
        return self.row, self.start_s


Key: TypeAlias = tuple[int, float] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """A stretch of the attitude timeline, and what the panels give in it unless it is idle: worked
    out when it is asked for, because most stretches that are tried never are."""

    mode: str
    start_s: float
    end_s: float
    law: str | None = None
    act: Act | None = None
    phases: tuple[Phase, ...] = ()
    reap: Callable[[], Harvest] | None = None
    station: str | None = None

    @cached_property
    def harvest(self) -> Harvest | None:
        return None if self.reap is None else self.reap()


@dataclass(frozen=True, kw_only=True, eq=False)
class Hold:
    """A stretch in which a fixed antenna looks to the ground: nadir attitude is wanted, or, where
    it is to be kept on a station, that law."""

    start_s: float
    end_s: float
    law: IdleLaw | None = None
    station: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Pose:
    """A state at an instant."""

    t_s: float
    state: State


@dataclass(frozen=True, kw_only=True, eq=False)
class Choreography:
    """How one satellite moves between acts; remembers the links it has worked out."""

    satellite: Satellite
    timeline: Timeline
    start_s: float
    end_s: float
    holds: tuple[Hold, ...] = ()
    guard: Guard
    _links: dict[tuple[Key, Key], list[Segment] | None] = field(default_factory=dict)
    _sweeps: dict[Key, list[Segment] | None] = field(default_factory=dict)

    @property
    def agility(self) -> Agility:
        return Agility.of(self.satellite)

    @cached_property
    def idle(self) -> IdleLaw:
        """The law between acts. Without panels, `sun` turns -z to the Sun."""
        power = self.satellite.power
        normal = np.array([0.0, 0.0, -1.0]) if power is None else np.asarray(power.panel_normal)
        roll_rad = self.satellite.charging_roll_rad
        return idle_law(self.satellite.idle_attitude, self.timeline, normal, roll_rad)

    @cached_property
    def nadir(self) -> IdleLaw:
        """The law of a fixed antenna that sends."""
        return idle_law("nadir", self.timeline, np.array([0.0, 0.0, -1.0]))

    def segments(self, acts: Sequence[Act]) -> list[Segment] | None:
        """The whole timeline for acts in order of time, or None where a link does not fit."""
        out: list[Segment] = []
        for before, after in zip([None, *acts], [*acts, None], strict=True):
            link = self._link(before, after)
            sweep = [] if after is None else self._sweep(after)
            if link is None or sweep is None:
                return None
            out += link + sweep
        return out

    def joins(self, before: Act | None, act: Act, after: Act | None) -> bool:
        """Whether an act fits between two that follow one another, or the ends of the plan."""
        links = self._link(before, act), self._sweep(act), self._link(act, after)
        return None not in links

    def harvests(self, segments: Sequence[Segment]) -> list[Harvest]:
        """What the panels give where the attitude is not the idle one."""
        return [segment.harvest for segment in segments if segment.harvest is not None]

    def _sweep(self, act: Act) -> list[Segment] | None:
        if act.key not in self._sweeps:
            self._sweeps[act.key] = self._sweep_of(act) if self._is_clear(act) else None
        return self._sweeps[act.key]

    def _sweep_of(self, act: Act) -> list[Segment]:
        image = self._between("image", act.start_s, act.end_s, act, act.first, act.last)
        if act.start_s <= act.settle_from_s:
            return [image]
        settle = self._between("settle", act.settle_from_s, act.start_s, act, act.settle, act.first)
        return [settle, image]

    def _is_clear(self, act: Act) -> bool:
        """Whether an act keeps off all that must not be looked at."""
        if not self.guard:
            return True
        states = [
            State(attitude=state.attitude[None], rate_rad_s=state.rate_rad_s[None])
            for state in (act.settle, act.first, act.last)
        ]
        settle_s, scan_s = act.start_s - act.settle_from_s, act.end_s - act.start_s
        return bool(
            np.all(self.guard.sweeps_clear(np.array([act.start_s]), settle_s, scan_s, states))
        )

    def _between(
        self, mode: str, start_s: float, end_s: float, act: Act, first: State, last: State
    ) -> Segment:
        def reap() -> Harvest:
            t_s = _samples(start_s, end_s)
            ends = np.stack([first.attitude, last.attitude])
            return self._harvest(t_s, interpolate(np.array([start_s, end_s]), ends, t_s))

        return Segment(mode=mode, start_s=start_s, end_s=end_s, act=act, reap=reap)

    def _link(self, before: Act | None, after: Act | None) -> list[Segment] | None:
        key = (
            None if before is None else before.key,
            None if after is None else after.key,
        )
        if key not in self._links:
            start = (
                self._pose(self.idle, self.start_s)
                if before is None
                else Pose(t_s=before.end_s, state=before.last)
            )
            end = None if after is None else Pose(t_s=after.settle_from_s, state=after.settle)
            self._links[key] = self._way(start, end, from_idle=before is None)
        return self._links[key]

    def _way(self, start: Pose, end: Pose | None, *, from_idle: bool) -> list[Segment] | None:
        """From one act to the next through every hold that lies between and can be reached."""
        out: list[Segment] = []
        for hold in self.holds:
            if hold.end_s <= start.t_s or (end is not None and hold.start_s >= end.t_s):
                continue
            law = hold.law or self.nadir
            leave_s = start.t_s + (LEAST_IDLE_S if from_idle else 0.0)
            reach_s = leave_s + 1.01 * self._time_to(start.state, law, leave_s) + _FIT_S
            begin = max(hold.start_s, reach_s)
            finish = min(hold.end_s, self.end_s)
            if end is not None:
                finish = min(finish, end.t_s - self._time_from(law, end))
            elif finish < self.end_s:
                finish = self._home_before_the_end(law, finish)
            if finish - begin < SHORTEST_HOLD_S:
                continue
            way = self._simple(start, self._pose(law, begin), from_idle=from_idle)
            after = self._pose(law, finish)
            if way is None or self._simple(after, end, from_idle=False) is None:
                continue  # no way to it, or none on from it: the antenna stays away
            out += [*way, self._hold(law, hold.station, begin, finish)]
            start, from_idle = after, False
        rest = self._simple(start, end, from_idle=from_idle)
        return None if rest is None else out + rest

    def _home_before_the_end(self, law: IdleLaw, finish: float) -> float:
        """The latest end of a hold, up to `finish`, that leaves time to be idle at the end."""
        latest = finish
        for _ in range(_MOST_ROUNDS):  # the law turns on while the slew is moved forward
            pose = self._pose(law, latest)
            back_s = self._time_to(pose.state, self.idle, latest) + LEAST_IDLE_S + _FIT_S
            before, latest = latest, min(finish, self.end_s - back_s)
            if latest < self.start_s or abs(latest - before) < _SETTLED_S:
                break
        return latest

    def _simple(self, start: Pose, end: Pose | None, *, from_idle: bool) -> list[Segment] | None:
        """Through the idle attitude where there is time for it, else straight."""
        if end is None and start.t_s >= self.end_s:
            return []
        to_idle = 0.0 if from_idle else self._time_to(start.state, self.idle, start.t_s)
        last = self.end_s if end is None else end.t_s
        from_end = 0.0 if end is None else self._time_from(self.idle, end)
        rest = last - start.t_s - to_idle - from_end
        if rest >= (LEAST_IDLE_S if end is None or from_idle else SHORTEST_IDLE_S):
            idle_from, idle_to = start.t_s + to_idle, last - from_end
            parts: list[Segment | None] = []
            if not from_idle:
                parts.append(self._slew(start, self._pose(self.idle, idle_from)))
            if idle_to > idle_from:
                parts.append(
                    Segment(mode="idle", start_s=idle_from, end_s=idle_to, law=self.idle.law)
                )
            if end is not None:
                parts.append(self._slew(self._pose(self.idle, idle_to), end))
            found = [part for part in parts if part is not None]
            if len(found) == len(parts):
                return found
            if not self.guard:
                return None
        direct = None if end is None or from_idle else self._slew(start, end)
        return None if direct is None else [direct]

    def _slew(self, start: Pose, end: Pose) -> Segment | None:
        duration = end.t_s - start.t_s
        seconds, via = self._way_time(start.state, end.state, start.t_s, duration + 1e-9)
        if seconds == math.inf:
            return None
        phases = slew_phases(start.state, end.state, self.agility, duration, via)
        if self.guard and not self.guard.slew_clear(start.state, start.t_s, phases):
            return None

        def reap() -> Harvest:
            t_s = _samples(0.0, duration)
            return self._harvest(start.t_s + t_s, fly(start.state, phases, t_s))

        return Segment(
            mode="slew", start_s=start.t_s, end_s=end.t_s, phases=tuple(phases), reap=reap
        )

    def _way_time(
        self, start: State, end: State, from_s: float, within_s: float = math.inf
    ) -> tuple[float, tuple[FloatArray, ...]]:
        """How long a slew takes that keeps off what must not be looked at, and through what."""
        return way_time(start, end, self.agility, self.guard, from_s, within_s)

    def _time_to(self, state: State, law: IdleLaw, from_s: float) -> float:
        """Seconds from a state at `from_s` to a law that moves on meanwhile.

        A round gains as many times as slews are faster than the law: most 60 times, measured ones
        a few.
        """
        time = 0.0
        for _ in range(_MOST_ROUNDS):
            goal = self._pose(law, from_s + time).state
            before, time = time, self._way_time(state, goal, from_s)[0] + _FIT_S
            if time == math.inf or abs(time - before) < _SETTLED_S:
                break
        return time

    def _time_from(self, law: IdleLaw, end: Pose) -> float:
        """Seconds from a law to a state at a fixed time."""
        time = 0.0
        for _ in range(_MOST_ROUNDS):
            origin = self._pose(law, end.t_s - time).state
            before, time = time, self._way_time(origin, end.state, end.t_s - time)[0] + _FIT_S
            if time == math.inf or abs(time - before) < _SETTLED_S:
                break
        return time

    def _pose(self, law: IdleLaw, t_s: float) -> Pose:
        return Pose(t_s=t_s, state=law.state_at(t_s))

    def _hold(self, law: IdleLaw, station: str | None, start_s: float, end_s: float) -> Segment:
        def reap() -> Harvest:
            t_s = np.linspace(start_s, end_s, max(3, int((end_s - start_s) / _HOLD_SAMPLE_S) + 1))
            return self._harvest(t_s, law.attitude(t_s))

        return Segment(mode="downlink", start_s=start_s, end_s=end_s, reap=reap, station=station)

    def idle_watt(self, t_s: FloatArray) -> FloatArray:
        """What the panels give (k,) W in the idle attitude at times (k,)."""
        power = self.satellite.power
        if power is None:
            return np.zeros(len(t_s))
        return panel_watt(power, self.timeline, t_s, self.idle.attitude(t_s))

    def _harvest(self, t_s: FloatArray, attitude: FloatArray) -> Harvest:
        power = self.satellite.power
        if power is None:
            return Harvest(t_s=t_s, watt=np.zeros(len(t_s)))
        return Harvest(t_s=t_s, watt=panel_watt(power, self.timeline, t_s, attitude))


def panel_watt(
    power: Power, timeline: Timeline, t_s: FloatArray, attitude: FloatArray
) -> FloatArray:
    """Power (k,) W of the panels: irradiance x area x efficiency x cosine to the Sun, never
    negative.
    """
    irradiance = np.interp(t_s, timeline.t_s, timeline.irradiance_w_m2)
    cosine = rotate(attitude, sun_direction(timeline, t_s)) @ np.asarray(power.panel_normal)
    return np.asarray(
        irradiance * power.panel_area_m2 * power.panel_efficiency * np.maximum(cosine, 0.0)
    )


def _samples(start_s: float, end_s: float) -> FloatArray:
    return np.linspace(start_s, end_s, max(3, int(np.ceil((end_s - start_s) / _SAMPLE_S)) + 1))
