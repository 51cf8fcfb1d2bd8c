"""Outages as the planner sees them: what they leave of a span, and of a satellite's time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from humay.arrays import FloatArray
from humay.mission import Mission, Outage
from humay.schedule.attitude import IdleLaw
from humay.schedule.keep_outs import Guard
from humay.schedule.resources import Harvest
from humay.schedule.sequence import (
    LEAST_IDLE_S,
    SHORTEST_HOLD_S,
    Act,
    Choreography,
    Hold,
    Segment,
)
from humay.schedule.slews import Agility
from humay.time import Epoch, format_utc

Span = tuple[float, float]

SHORTEST_STRETCH_S = 60.0  # a satellite that is free for less stays idle
_EDGE_S = 1e-6  # rounding


@dataclass(frozen=True, kw_only=True)
class Closure:
    """The part of an outage that falls into a plan."""

    outage: Outage
    start_s: float
    end_s: float

    def of(self, station: str | None = None, satellite: str | None = None) -> bool:
        """Whether it is that of this station or of this satellite."""
        its = self.outage.station, self.outage.satellite
        return its in ((station, None), (None, satellite))

    @property
    def text(self) -> str:
        """Whose, from when to when, and why."""
        outage = self.outage
        return (
            f"the outage of {outage.who} from {format_utc(outage.start)} to"
            f" {format_utc(outage.end)} ({outage.reason})"
        )


def closures(mission: Mission, epoch: Epoch, span_s: Span) -> tuple[Closure, ...]:
    """The outages that meet a span, in the order of the mission file."""
    start, end = (epoch.utc(t_s) for t_s in span_s)
    return tuple(
        Closure(
            outage=outage,
            start_s=epoch.seconds(max(outage.start, start)),
            end_s=epoch.seconds(min(outage.end, end)),
        )
        for outage in mission.outages
        if outage.start < end and outage.end > start
    )


def left_of(span_s: Span, taken: Sequence[Span]) -> list[Span]:
    """The parts of a span outside of all that is taken, in order; an edge may be shared."""
    left, low = [], span_s[0]
    for start_s, end_s in sorted(taken):
        if start_s >= span_s[1]:
            break
        if start_s > low:
            left.append((low, start_s))
        low = max(low, end_s)
    return [*left, (low, span_s[1])] if low <= span_s[1] else left


@dataclass(frozen=True, kw_only=True, eq=False)
class Attendance:
    """The attitude timeline of a satellite over a whole plan: a choreography for each stretch
    between its outages, each idle at both ends, and the idle attitude through the outages."""

    whole: Choreography
    stretches: tuple[Choreography, ...]

    @classmethod
    def around(cls, whole: Choreography, closed: Sequence[Closure]) -> Attendance:
        """The stretches that are long enough to do something in."""
        taken = [(c.start_s, c.end_s) for c in closed]
        if not taken:
            return cls(whole=whole, stretches=(whole,))
        return cls(
            whole=whole,
            stretches=tuple(
                replace(
                    whole,
                    start_s=low,
                    end_s=high,
                    holds=_inside(whole, low, high),
                    _links={},
                    _sweeps={},
                )
                for low, high in left_of((whole.start_s, whole.end_s), taken)
                if high - low >= SHORTEST_STRETCH_S
            ),
        )

    @property
    def start_s(self) -> float:
        return self.whole.start_s

    @property
    def end_s(self) -> float:
        return self.whole.end_s

    @property
    def idle(self) -> IdleLaw:
        return self.whole.idle

    @property
    def agility(self) -> Agility:
        return self.whole.agility

    @property
    def guard(self) -> Guard:
        return self.whole.guard

    @cached_property
    def unguarded(self) -> Attendance:
        """The same with nothing to keep out."""
        guard = self.guard.without()
        return Attendance(
            whole=replace(self.whole, guard=guard, _links={}, _sweeps={}),
            stretches=tuple(
                replace(each, guard=guard, _links={}, _sweeps={}) for each in self.stretches
            ),
        )

    @property
    def closed(self) -> list[Span]:
        """Where nothing can be done, in order."""
        edges = [self.start_s, *(t for s in self.stretches for t in (s.start_s, s.end_s))]
        gaps = zip(edges[::2], [*edges[1::2], self.end_s], strict=True)
        return [(low, high) for low, high in gaps if high > low]

    def begins_s(self, t_s: FloatArray) -> FloatArray:
        """When the stretches that hold instants (n,) begin; the instants lie in stretches."""
        starts = np.array([stretch.start_s for stretch in self.stretches])
        return starts[np.maximum(np.searchsorted(starts, t_s + _EDGE_S, side="right") - 1, 0)]

    def ends_s(self, t_s: FloatArray) -> FloatArray:
        """When the stretches that hold instants (n,) end; the instants lie in stretches."""
        ends = np.array([stretch.end_s for stretch in self.stretches])
        return ends[np.minimum(np.searchsorted(ends, t_s - _EDGE_S), len(ends) - 1)]

    def stretch(self, t_s: float) -> Choreography | None:
        """The stretch that holds an instant."""
        inside = (s for s in self.stretches if s.start_s - _EDGE_S <= t_s <= s.end_s + _EDGE_S)
        return next(inside, None)

    def segments(self, acts: Sequence[Act]) -> list[Segment] | None:
        """The whole timeline for acts in order of time, or None where they do not fit."""
        if any(self.stretch(act.settle_from_s) is not self.stretch(act.end_s) for act in acts):
            return None
        out: list[Segment] = []
        for stretch in self.stretches:
            own = [a for a in acts if stretch.start_s <= a.start_s <= stretch.end_s]
            part = stretch.segments(own)
            if part is None:
                return None
            out += part
        return self._with_outages(out)

    def joins(self, acts: Sequence[Act], act: Act) -> bool:
        """Whether an act fits beside the others, in order of time, that join up without it."""
        stretch = self.stretch(act.settle_from_s)
        if stretch is None or stretch is not self.stretch(act.end_s):
            return False
        own = [a for a in acts if stretch.start_s <= a.start_s <= stretch.end_s]
        place = bisect_left(own, act.start_s, key=lambda a: a.start_s)
        before = own[place - 1] if place > 0 else None
        return stretch.joins(before, act, own[place] if place < len(own) else None)

    def _with_outages(self, parts: Sequence[Segment]) -> list[Segment]:
        """Idle from the last act before an outage to the first slew after it."""
        rest = Segment(mode="idle", start_s=0.0, end_s=0.0, law=self.idle.law)
        gaps = [replace(rest, start_s=low, end_s=high) for low, high in self.closed]
        joined: list[Segment] = []
        for part in sorted([*parts, *gaps], key=lambda s: s.start_s):
            if joined and part.mode == joined[-1].mode == "idle":
                part = replace(part, start_s=joined.pop().start_s)
            joined.append(part)
        return joined

    def harvests(self, segments: Sequence[Segment]) -> list[Harvest]:
        return self.whole.harvests(segments)

    def idle_watt(self, t_s: FloatArray) -> FloatArray:
        return self.whole.idle_watt(t_s)


def _inside(whole: Choreography, low: float, high: float) -> tuple[Hold, ...]:
    """The holds of a stretch: passes are cut at outages already, so each lies in one or in none.

    A plan may end in a hold; a stretch before an outage ends in idle.
    """
    last = high if high == whole.end_s else high - LEAST_IDLE_S
    return tuple(
        replace(hold, end_s=min(hold.end_s, last))
        for hold in whole.holds
        if low <= hold.start_s < last and hold.end_s <= high
    )


def clear_holds(holds: Sequence[Hold], guard: Guard) -> tuple[Hold, ...]:
    """What of the holds keeps off all that must not be looked at."""
    if not guard:
        return tuple(holds)
    nadir = guard.closed("downlink", guard.timeline.t_s, guard.timeline.nadir_attitude)
    clear: list[Hold] = []
    for hold in holds:
        law, closed = hold.law, nadir
        if law is not None:
            closed = guard.closed("downlink", law.t_s, law.quaternions)
        clear += [
            replace(hold, start_s=low, end_s=high)
            for low, high in left_of((hold.start_s, hold.end_s), closed)
            if high - low >= SHORTEST_HOLD_S
        ]
    return tuple(clear)
