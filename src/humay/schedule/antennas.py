"""Antennas: what they could follow, how long they turn, and the times at which they may change.

An antenna's day is a path through a network: it is idle, or it rides on an offer from one of its
times to the next. Which path is best is for `assignment`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from humay.access import Link
from humay.arrays import FloatArray
from humay.mission import Station

SHORTEST_PASS_S = 30.0
STEP_S = 30.0  # between times at which a pass may begin or end, besides those that matter more
COARSE_STEP_S = 150.0
FINE_OFFERS = 60  # an antenna with more offers changes at coarser times, for the sake of effort
_FARTHEST_TURN_RAD = math.pi  # azimuth goes the shorter way round
_EDGE_S = 1e-6  # rounding
_NOBODY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Offer:
    """A time in which an antenna could follow a satellite: a contact, or what outages leave of it.

    A pass that begins at `commands_from_s` or later could carry commands.
    """

    station: Station
    satellite: str
    start_s: float
    end_s: float
    link: Link
    commands_from_s: float = math.inf

    def bits(self, start_s: float, end_s: float) -> float:
        """What the link carries in a part of the offer."""
        return float(np.diff(self.bits_until(np.array([start_s, end_s])))[0])

    def bits_until(self, t_s: FloatArray) -> FloatArray:
        """What the link carries (n,) from the start of the contact to times (n,)."""
        edges, rate = self.link.edges_s, self.link.rate_bit_s
        total = np.concatenate([[0.0], np.cumsum(rate * np.diff(edges))])
        return np.asarray(np.interp(t_s, edges, total), dtype=np.float64)


def longest_turn_s(station: Station) -> float:
    """What an antenna needs at most between two satellites."""
    rate = station.antenna_rate_rad_s
    return max(station.setup_s, 0.0 if rate is None else _FARTHEST_TURN_RAD / rate)


def turn_s(before: Offer, end_s: FloatArray, after: Offer, start_s: FloatArray) -> FloatArray:
    """Seconds (n,) that an antenna needs from where `before` is left at `end_s` to where `after` is
    taken up at `start_s`, (n,) or one for all: the longer of set-up and turn; nothing between parts
    of one satellite.

    Between the samples of a link the farther one counts, so a turn is never told too short.
    """
    end_s, start_s = np.broadcast_arrays(end_s, start_s)
    if before.satellite == after.satellite:
        return np.zeros(start_s.shape)
    station = before.station
    if station.antenna_rate_rad_s is None:
        return np.full(start_s.shape, station.setup_s)
    left, taken = _around(before.link, end_s), _around(after.link, start_s)
    pairs = [(a, b) for a in left for b in taken]
    climb = np.max([np.abs(b.elevation_rad - a.elevation_rad) for a, b in pairs], axis=0)
    swing = np.array([b.azimuth_rad - a.azimuth_rad for a, b in pairs])
    turned = np.maximum(climb, _widest(swing.min(axis=0), swing.max(axis=0)))
    return np.asarray(np.maximum(station.setup_s, turned / station.antenna_rate_rad_s))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Directions:
    azimuth_rad: FloatArray
    elevation_rad: FloatArray


def _around(link: Link, t_s: FloatArray) -> tuple[_Directions, _Directions]:
    """Directions at the samples (n,) before and after times (n,); twice the same right at one."""
    after = np.clip(np.searchsorted(link.t_s, t_s - _EDGE_S), 0, len(link.t_s) - 1)
    on_it = np.abs(link.t_s[after] - t_s) <= _EDGE_S
    before = np.where(on_it, after, np.maximum(after - 1, 0))
    first, last = (
        _Directions(azimuth_rad=link.azimuth_rad[i], elevation_rad=link.elevation_rad[i])
        for i in (before, after)
    )
    return first, last


def _widest(low: FloatArray, high: FloatArray) -> FloatArray:
    """The largest turn the shorter way round (rad) of those between two unwrapped ones."""
    turns = [np.abs(np.mod(angle + np.pi, 2 * np.pi) - np.pi) for angle in (low, high)]
    opposite = np.floor((high - np.pi) / (2 * np.pi)) > np.floor((low - np.pi) / (2 * np.pi))
    return np.where(opposite, np.pi, np.maximum(*turns))


# The network -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Arc:
    """A step of an antenna from one node to another. `offer` is what it rides on from `start_s` to
    `end_s`, if any; `begins` marks the first ride of a pass."""

    tail: int
    head: int
    offer: int = _NOBODY
    start_s: float = 0.0
    end_s: float = 0.0
    begins: bool = False

    @property
    def rides(self) -> bool:
        return self.offer != _NOBODY


@dataclass(kw_only=True, eq=False)
class Network:
    """Nodes and arcs of one antenna, from `source` to `sink`; the first arcs are those between the
    nodes from one to the other, on which it is idle."""

    source: int
    sink: int
    nodes: int
    arcs: list[Arc] = field(default_factory=list)


def network_of(
    offers: Sequence[Offer], numbers: Sequence[int], first_node: int, midnights_s: FloatArray
) -> Network:
    """The network of one antenna over its offers, the `numbers`; nodes count from `first_node`.

    Passes may always begin and end at `midnights_s`: another day's passes are counted from there.
    """
    fine = len(numbers) <= FINE_OFFERS
    times = {i: _times(offers, i, numbers, midnights_s, fine=fine) for i in numbers}
    begins = {i: t[t <= t[-1] - SHORTEST_PASS_S + _EDGE_S] for i, t in times.items()}
    idle_s = np.unique(np.concatenate(list(begins.values())))
    ride_node, node = {}, first_node + len(idle_s) + 1
    for i in numbers:
        ride_node[i] = node
        node += len(times[i])
    net = Network(source=first_node, sink=first_node + len(idle_s), nodes=node - first_node)
    net.arcs += [Arc(tail=first_node + k, head=first_node + k + 1) for k in range(len(idle_s))]
    for i in numbers:
        idle_node = first_node + np.searchsorted(idle_s, begins[i])
        net.arcs += _rides(i, times[i], begins[i], idle_node, ride_node[i])
        free_s = times[i] + longest_turn_s(offers[i].station) - _EDGE_S
        to_idle = first_node + np.searchsorted(idle_s, free_s)
        net.arcs += [Arc(tail=ride_node[i] + k, head=int(head)) for k, head in enumerate(to_idle)]
    _add_turns(net, offers, numbers, times, begins, ride_node, first_node)
    return net


def _rides(
    i: int, t_s: FloatArray, begin_s: FloatArray, from_node: Iterable[int], ride_node: int
) -> list[Arc]:
    """Getting on at `begin_s` from the nodes beside it, for the shortest pass at least, and on."""
    on = np.searchsorted(t_s, begin_s + SHORTEST_PASS_S - _EDGE_S)
    arcs = [
        Arc(tail=int(tail), head=ride_node + int(k), offer=i, start_s=float(start),
            end_s=float(t_s[k]), begins=True)
        for tail, k, start in zip(from_node, on, begin_s, strict=True)
    ]  # fmt: skip
    return arcs + [
        Arc(tail=ride_node + k, head=ride_node + k + 1, offer=i, start_s=float(t_s[k]),
            end_s=float(t_s[k + 1]))
        for k in range(len(t_s) - 1)
    ]  # fmt: skip


def _add_turns(
    net: Network,
    offers: Sequence[Offer],
    numbers: Sequence[int],
    times: dict[int, FloatArray],
    begins: dict[int, FloatArray],
    ride_node: dict[int, int],
    first_node: int,
) -> None:
    """Turns that are shorter than the longest: straight to where the antenna waits for an offer."""
    for j in numbers:
        turns = []
        for i in numbers:
            if i != j and _quicker(offers[i], offers[j]):
                turns += _turns(offers[i], times[i], ride_node[i], offers[j], begins[j])
        if not turns:
            continue
        wait = first_node + net.nodes
        net.nodes += len(begins[j])
        net.arcs += [Arc(tail=tail, head=wait + k) for tail, k in turns]
        net.arcs += [Arc(tail=wait + k, head=wait + k + 1) for k in range(len(begins[j]) - 1)]
        on = _rides(j, times[j], begins[j], range(wait, wait + len(begins[j])), ride_node[j])
        net.arcs += [arc for arc in on if arc.begins]


def _quicker(before: Offer, after: Offer) -> bool:
    """Whether a turn between two offers may be worth an arc of its own."""
    longest_s = longest_turn_s(before.station)
    near = before.start_s < after.end_s and after.start_s < before.end_s + longest_s
    same = before.satellite == after.satellite
    return near and longest_s > (0.0 if same else before.station.setup_s)


def _turns(
    before: Offer, end_s: FloatArray, ride_node: int, after: Offer, begin_s: FloatArray
) -> list[tuple[int, int]]:
    """From which node of a ride to which beginning of another an antenna can turn in time.

    That is the first from which on every later one is in time, too.
    """
    longest_s, found = longest_turn_s(before.station), []
    for k, leave_s in enumerate(end_s):
        low = int(np.searchsorted(begin_s, leave_s - _EDGE_S))
        high = int(np.searchsorted(begin_s, leave_s + longest_s - _EDGE_S))
        if high == low:
            continue
        start_s = begin_s[low:high]
        late = np.flatnonzero(leave_s + turn_s(before, leave_s, after, start_s) > start_s + _EDGE_S)
        first = low if not len(late) else low + int(late[-1]) + 1
        if first < high:
            found.append((ride_node + k, first))
    return found


def _times(
    offers: Sequence[Offer],
    i: int,
    numbers: Sequence[int],
    midnights_s: FloatArray,
    *,
    fine: bool,
) -> FloatArray:
    """Times (k,) at which a ride on an offer may begin or end: its own, where its rate changes,
    where others begin and end (and, if fine, change their rates), a turn before or after, and every
    step.
    """
    own, near_s = offers[i], longest_turn_s(offers[i].station)
    step_s = STEP_S if fine else COARSE_STEP_S
    shortest = [own.start_s + SHORTEST_PASS_S, own.end_s - SHORTEST_PASS_S, own.end_s]
    parts = [np.arange(own.start_s, own.end_s, step_s), np.array(shortest), own.link.edges_s]
    parts.append(midnights_s)
    for j in numbers:
        other = offers[j]
        apart_s = max(other.start_s - own.end_s, own.start_s - other.end_s)
        if j != i and apart_s < near_s:
            inner = other.link.edges_s[1:-1] if fine else np.empty(0)
            parts.append(_first_after(other, np.append(inner, other.end_s), own))
            parts.append(_last_before(own, other, np.append(inner, other.start_s)))
    every = np.unique(np.concatenate(parts))
    return np.asarray(every[(every >= own.start_s) & (every <= own.end_s)])


def _first_after(before: Offer, leave_s: FloatArray, after: Offer) -> FloatArray:
    """When an offer can be taken up (n,) if the one before is left at `leave_s` (n,).

    A turn depends on where it ends, so this is sought among the samples of the link.
    """
    if before.station.antenna_rate_rad_s is None:
        return leave_s + before.station.setup_s
    samples, found = after.link.t_s, []
    for end_s in leave_s:
        start_s = np.append(samples[samples > end_s], end_s + longest_turn_s(before.station))
        late = np.flatnonzero(end_s + turn_s(before, end_s, after, start_s) > start_s + _EDGE_S)
        found.append(start_s[min(late[-1] + 1, len(start_s) - 1)] if len(late) else end_s)
    return np.array(found, dtype=np.float64)


def _last_before(before: Offer, after: Offer, take_s: FloatArray) -> FloatArray:
    """When an offer has to be left (n,) if the one after is taken up at `take_s` (n,)."""
    if before.station.antenna_rate_rad_s is None:
        return take_s - before.station.setup_s
    samples, found = before.link.t_s, []
    for start_s in take_s:
        end_s = np.append(start_s - longest_turn_s(before.station), samples[samples < start_s])
        fits = end_s + turn_s(before, end_s, after, start_s) <= start_s + _EDGE_S
        found.append(end_s[np.flatnonzero(fits)[-1]] if np.any(fits) else end_s[0])
    return np.array(found, dtype=np.float64)
