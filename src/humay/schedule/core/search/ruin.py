"""Ruin: take neighbours out of the plan, and list what could stand there instead."""

from __future__ import annotations

import math

from humay.compiled import inner
from humay.schedule.core.search.books import wanted
from humay.schedule.core.search.chance import below, draw
from humay.schedule.core.search.lanes import remove
from humay.schedule.core.search.stores import place_of
from humay.schedule.core.search.tables import LIST, MOST_LISTED, STAMP, Books, Tables, Way


@inner
def take_out(t: Tables, b: Books, i: int) -> None:
    """Take a candidate out with what is of no use without it; list its bundles to be tried."""
    if not b.done[i] or t.fixed[i]:
        return
    remove(t, b, i)
    for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
        bundle = t.bundle_of[k]
        list_rivals(t, b, bundle)
        for m in range(t.member_first[bundle], t.member_first[bundle + 1]):
            other = t.member[m]
            if b.done[other] and not wanted(t, b, other):
                remove(t, b, other)
                for n in range(t.bundle_of_first[other], t.bundle_of_first[other + 1]):
                    list_bundle(b, t.bundle_of[n])


@inner
def list_bundle(b: Books, bundle: int) -> None:
    """List a bundle to be tried in this move."""
    if b.stamp[bundle] != b.counters[STAMP] and b.counters[LIST] < MOST_LISTED:
        b.stamp[bundle] = b.counters[STAMP]
        b.list_bundle[b.counters[LIST]] = bundle
        b.counters[LIST] += 1


@inner
def list_rivals(t: Tables, b: Books, bundle: int) -> None:
    """List all bundles that serve a part which this one serves."""
    list_bundle(b, bundle)
    for k in range(t.serve_first[bundle], t.serve_first[bundle + 1]):
        part = t.serve[k]
        count = t.server_first[part + 1] - t.server_first[part]
        skip = below(b, count) if count > 8 else 0
        for n in range(min(count, 8)):
            list_bundle(b, t.server[t.server_first[part] + (skip + n) % count])


@inner
def list_near(t: Tables, b: Books, lane: int, from_s: float, to_s: float, listed: float) -> None:
    """List bundles with a candidate of a lane that can be done between two instants; where they are
    many, about `listed` of them."""
    first, end = t.lane_cand_first[lane], t.lane_cand_first[lane + 1]
    low, high = first, end
    while low < high:
        middle = (low + high) // 2
        if t.low_s[t.lane_cand[middle]] < from_s - t.widest_s[lane]:
            low = middle + 1
        else:
            high = middle
    begin, high = low, end
    while begin < high:
        middle = (begin + high) // 2
        if t.low_s[t.lane_cand[middle]] <= to_s:
            begin = middle + 1
        else:
            high = middle
    share = listed / max(begin - low, 1)
    while low < begin:
        i = t.lane_cand[low]
        keep = share >= 1.0 or draw(b) < share
        if keep and not b.done[i] and t.high_s[i] + t.duration_s[i] >= from_s:
            for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
                list_bundle(b, t.bundle_of[k])
        low += 1


@inner
def ruin_string(t: Tables, b: Books, lane: int, at_s: float, way: Way) -> None:
    """Take some neighbours out of a lane around an instant, and list what could stand there."""
    first, count = t.lane_first[lane], b.acts[lane]
    length = min(1 + below(b, way.most), count)
    begin = place_of(t, b, lane, at_s) - below(b, length + 1)
    begin = max(min(begin, count - length), 0)
    from_s, to_s = -math.inf, math.inf
    if begin > 0:
        before = b.seq[first + begin - 1]
        from_s = b.at_s[before] + t.duration_s[before]
    if begin + length < count:
        to_s = b.at_s[b.seq[first + begin + length]]
    for _ in range(length):
        if begin < b.acts[lane]:
            act = b.seq[first + begin]
            take_out(t, b, act)
            if b.done[act]:
                begin += 1
    _make_room(b, lane, from_s, to_s)
    from_s = max(from_s, at_s - t.widest_s[lane])
    list_near(t, b, lane, from_s, min(to_s, at_s + t.widest_s[lane]), way.listed)


@inner
def _make_room(b: Books, lane: int, from_s: float, to_s: float) -> None:
    """A lane has new room in a stretch; more than one in a move are joined."""
    if b.saved_lane[lane] != b.counters[STAMP]:
        return
    if math.isinf(b.hole_s[lane, 0]) and math.isinf(b.hole_s[lane, 1]):
        b.hole_s[lane, 0], b.hole_s[lane, 1] = from_s, to_s
    else:
        b.hole_s[lane, 0] = min(b.hole_s[lane, 0], from_s)
        b.hole_s[lane, 1] = max(b.hole_s[lane, 1], to_s)


@inner
def ruin_rivals(t: Tables, b: Books, i: int) -> None:
    """Take out what excludes a candidate, and list what that sets free."""
    for k in range(t.pair_first[i], t.pair_first[i + 1]):
        take_out(t, b, t.pair[k])
    for k in range(t.triple_first[i], t.triple_first[i + 1]):
        if b.done[t.triple[k, 0]] and b.done[t.triple[k, 1]]:
            take_out(t, b, t.triple[k, below(b, 2)])


@inner
def ruin(t: Tables, b: Books, way: Way) -> int:
    """Somewhere: around a candidate that is not done, in its lane or among its rivals. Returns a
    bundle of it."""
    bundles = len(b.stamp)
    bundle = below(b, bundles)
    for _ in range(20):
        if b.lacking[bundle] > 0:
            break
        bundle = below(b, bundles)
    list_bundle(b, bundle)
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        i = t.member[k]
        if b.done[i]:
            continue
        ruin_rivals(t, b, i)
        if t.lane[i] >= 0:
            at_s = t.low_s[i] + draw(b) * (t.high_s[i] - t.low_s[i])
            ruin_string(t, b, t.lane[i], at_s, way)
        else:
            for _ in range(below(b, way.most)):
                _ruin_near(t, b, i)
    return bundle


@inner
def _ruin_near(t: Tables, b: Books, i: int) -> None:
    """Beside the lanes: take out a rival of a rival."""
    count = t.pair_first[i + 1] - t.pair_first[i]
    if count == 0:
        take_out(t, b, below(b, len(b.done)))
        return
    rival = t.pair[t.pair_first[i] + below(b, count)]
    count = t.pair_first[rival + 1] - t.pair_first[rival]
    take_out(t, b, t.pair[t.pair_first[rival] + below(b, count)])
