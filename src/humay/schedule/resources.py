"""Memory, downlink, battery and imaging time: what a sequence of acts leaves of each.

Curves are piecewise linear in time and checked at every break, so no peak hides between samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from humay.access import Timeline
from humay.arrays import FloatArray
from humay.mission import ImagingLimit, Power

LEAST_BITS = 1e-3  # less is rounding
_LAST_BIT = 1.0  # less than a bit: rounding
SHORTEST_DOWNLINK_S = 1e-4  # files tell times to the microsecond
BATTERY_MARGIN = 0.005  # of the capacity, kept free above the floor for what sampling leaves open


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Data of one acquisition: made at a constant rate from start to end. `None` names what was on
    board before the plan. `urgency` is the priority by which it is sent, where that counts."""

    acquisition: str | None
    start_s: float
    end_s: float
    bits: float
    urgency: int = 0


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A stretch in which a satellite may send: part of a pass, at one rate."""

    pass_id: str
    station: str
    start_s: float
    end_s: float
    bit_s: float


@dataclass(frozen=True, kw_only=True)
class Downlink:
    """Data sent from start to end at the rate of the stretch; what of which acquisition."""

    pass_id: str
    station: str
    start_s: float
    end_s: float
    items: tuple[tuple[str | None, float], ...]

    @property
    def bits(self) -> float:
        return sum(bits for _, bits in self.items)


def send_all(recordings: Sequence[Recording], sendings: Sequence[Sending]) -> list[Downlink]:
    """Everything recorded goes down as soon as a stretch allows, oldest first.

    An acquisition can leave once it has ended. A stretch that runs dry while another acquisition
    ends inside it goes on from there; where stretches of two stations overlap, the earlier one is
    used up first.
    """
    queue = [recording for recording in recordings if recording.bits >= LEAST_BITS]
    queue.sort(key=lambda r: (r.end_s, r.acquisition or ""))
    left = [recording.bits for recording in queue]
    first, free_s = 0, -math.inf
    downlinks: list[Downlink] = []
    for stretch in sorted(sendings, key=lambda s: s.start_s):
        now = began = max(stretch.start_s, free_s)
        items: list[tuple[str | None, float]] = []
        while first < len(queue) and stretch.end_s - now >= SHORTEST_DOWNLINK_S:
            if queue[first].end_s > now:  # nothing to send yet: close, and wait for it
                downlinks += one_downlink(stretch, began, now, items)
                items, now = [], queue[first].end_s
                began = now
                continue
            bits = min(left[first], (stretch.end_s - now) * stretch.bit_s)
            items.append((queue[first].acquisition, bits))
            now += bits / stretch.bit_s
            left[first] -= bits
            if left[first] >= LEAST_BITS:  # the stretch is full
                break
            first += 1
        downlinks += one_downlink(stretch, began, min(now, stretch.end_s), items)
        free_s = max(free_s, downlinks[-1].end_s if downlinks else free_s)
    return downlinks


def one_downlink(
    stretch: Sending, start_s: float, end_s: float, items: list[tuple[str | None, float]]
) -> list[Downlink]:
    if not items:
        return []
    end_s = min(max(end_s, start_s + SHORTEST_DOWNLINK_S), stretch.end_s)
    return [
        Downlink(
            pass_id=stretch.pass_id,
            station=stretch.station,
            start_s=start_s,
            end_s=end_s,
            items=tuple(items),
        )
    ]


def deliveries_s(
    bits: Mapping[str | None, float], downlinks: Sequence[Downlink]
) -> dict[str | None, float]:
    """When what has so many `bits` is on the ground whole: the end of the downlink with the last
    of them."""
    left, found = dict(bits), {}
    for downlink in downlinks:
        for name, sent in downlink.items:
            if name in left:
                left[name] -= sent
                if left[name] < _LAST_BIT:
                    found[name] = downlink.end_s
    return found


class Leaving(Protocol):
    """Data that leave the memory evenly from start to end: a downlink, or what is freed later."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def bits(self) -> float: ...


def memory_curve(
    recordings: Sequence[Recording], leaving: Sequence[Leaving], start_s: float, end_s: float
) -> tuple[FloatArray, FloatArray]:
    """Times and bits on board, linear between, from the plan's start to its end."""
    ramps = [(r.start_s, r.end_s, r.bits) for r in recordings]
    ramps += [(each.start_s, each.end_s, -each.bits) for each in leaving]
    begin, finish, amount = np.array(ramps, dtype=np.float64).reshape(-1, 3).T
    edges = np.concatenate([np.array([start_s, end_s]), begin, finish])
    t_s = np.unique(np.clip(edges, start_s, end_s))
    low, high = np.searchsorted(t_s, begin, side="right"), np.searchsorted(t_s, finish)
    done = np.zeros(len(t_s) + 1)
    np.add.at(done, high, amount)
    bits = np.cumsum(done)[:-1]
    inside = np.maximum(high - low, 0)
    ramp = np.repeat(np.arange(len(amount)), inside)
    at = np.arange(len(ramp)) + np.repeat(low - np.cumsum(inside) + inside, inside)
    share = (t_s[at] - begin[ramp]) / (finish - begin)[ramp]
    np.add.at(bits, at, amount[ramp] * share)
    return t_s, bits


def longest_imaging(starts_s: FloatArray, ends_s: FloatArray, per_s: float) -> float:
    """The most imaging time (s) inside any window `per_s` long.

    As a window slides, the time inside changes linearly between instants at which one of its ends
    meets an end of an acquisition, so the largest value stands at one of those.
    """
    if not len(starts_s):
        return 0.0
    begin = np.concatenate([starts_s, ends_s, starts_s - per_s, ends_s - per_s])
    return float(np.max(imaging_inside(starts_s, ends_s, begin, per_s)))


def imaging_inside(
    starts_s: FloatArray, ends_s: FloatArray, begin_s: FloatArray, per_s: float
) -> FloatArray:
    """Imaging time (k,) in the windows [begin, begin + per_s]."""
    if not len(starts_s):
        return np.zeros(len(begin_s))
    edges = np.concatenate([starts_s, ends_s])
    order = np.argsort(edges, kind="stable")
    at_s = edges[order]
    running = np.cumsum(np.repeat([1.0, -1.0], len(starts_s))[order])[:-1]
    imaged = np.concatenate([[0.0], np.cumsum(running * np.diff(at_s))])
    until, since = (np.interp(t_s, at_s, imaged) for t_s in (begin_s + per_s, begin_s))
    return np.asarray(until - since)


def first_overrun(
    starts_s: FloatArray, ends_s: FloatArray, limits: Sequence[ImagingLimit]
) -> ImagingLimit | None:
    """The first limit that a sequence of acquisitions breaks."""
    for limit in limits:
        if longest_imaging(starts_s, ends_s, limit.per_s) > limit.seconds + 1e-9:
            return limit
    return None


@dataclass(frozen=True, kw_only=True)
class Load:
    """A stretch of time with a constant extra load (W)."""

    start_s: float
    end_s: float
    watt: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Harvest:
    """A stretch outside the idle attitude, and what the panels give (n,) W at times (n,) in it, the
    first and the last included; linear between."""

    t_s: FloatArray
    watt: FloatArray


def _harvested(harvests: Sequence[Harvest], t_s: FloatArray) -> FloatArray:
    """Joules gained in all of them, which follow one another in time, up to each time (k,)."""
    if not harvests:
        return np.zeros(len(t_s))
    at_s = np.concatenate([h.t_s for h in harvests])
    watt = np.concatenate([h.watt for h in harvests])
    steps = 0.5 * (watt[1:] + watt[:-1]) * np.diff(at_s)
    steps[np.cumsum([len(h.t_s) for h in harvests])[:-1] - 1] = 0.0  # from one to the next
    return np.asarray(np.interp(t_s, at_s, np.concatenate([[0.0], np.cumsum(steps)])))


def _inside(t_s: FloatArray, spans: FloatArray, amount: FloatArray) -> FloatArray:
    """For each step of times (k,) the sum of what spans (n, 2) that hold it amount to (n,).

    The spans begin and end at times among them.
    """
    changes = np.zeros(len(t_s))
    np.add.at(changes, np.searchsorted(t_s, spans[:, 0]), amount)
    np.add.at(changes, np.minimum(np.searchsorted(t_s, spans[:, 1]), len(t_s) - 1), -amount)
    return np.cumsum(changes)[:-1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Battery:
    """The battery of one satellite over a plan, on the timeline's grid and every break of the acts.

    `idle_watt` (k,) is what the panels give in the idle attitude at the timeline's times.
    """

    power: Power
    timeline: Timeline
    idle_watt: FloatArray

    @property
    def floor_j(self) -> float:
        return (1 - self.power.max_depth_of_discharge) * self.power.battery_j

    def curve(
        self, harvests: Sequence[Harvest], loads: Sequence[Load], start_s: float, end_s: float
    ) -> tuple[FloatArray, FloatArray]:
        """Times and stored energy (J); charge above the capacity is lost.

        A store that cannot exceed its capacity is the free sum less its running excess (Skorokhod's
        reflection), so no step depends on the one before.
        """
        t_s, free = self.balance(harvests, loads, start_s, end_s)
        excess = np.maximum(np.maximum.accumulate(free - self.power.battery_j), 0.0)
        return t_s, free - excess

    def balance(
        self, harvests: Sequence[Harvest], loads: Sequence[Load], start_s: float, end_s: float
    ) -> tuple[FloatArray, FloatArray]:
        """The same for a battery without a capacity: what came in less what went out."""
        grid = self.timeline.t_s
        edges = np.array([(load.start_s, load.end_s) for load in loads]).reshape(-1, 2)
        ends = np.array([start_s, end_s])
        breaks = np.concatenate([ends, grid, edges.ravel(), *(h.t_s for h in harvests)])
        t_s = np.unique(np.clip(breaks, start_s, end_s))
        away = np.array([(h.t_s[0], h.t_s[-1]) for h in harvests]).reshape(-1, 2)
        gained = np.where(
            _inside(t_s, away, np.ones(len(away))) > 0.5,
            np.diff(_harvested(harvests, t_s)),
            np.diff(self._idle_energy(t_s)),
        )
        watt = self.power.platform_w + _inside(t_s, edges, np.array([load.watt for load in loads]))
        spent = watt * np.diff(t_s)
        begin = self.power.initial_charge * self.power.battery_j
        return t_s, begin + np.concatenate([[0.0], np.cumsum(gained - spent)])

    def _idle_energy(self, t_s: FloatArray) -> FloatArray:
        """Integral of the idle power up to each time, trapezoids between grid points."""
        grid, watt = self.timeline.t_s, self.idle_watt
        whole = np.concatenate([[0.0], np.cumsum(0.5 * (watt[1:] + watt[:-1]) * np.diff(grid))])
        i = np.clip(np.searchsorted(grid, t_s, side="right") - 1, 0, len(grid) - 2)
        step = t_s - grid[i]
        slope = (watt[i + 1] - watt[i]) / (grid[i + 1] - grid[i])
        return np.asarray(whole[i] + step * (watt[i] + 0.5 * slope * step))
