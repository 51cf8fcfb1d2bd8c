"""Ruin and recreate: take a stretch out of the plan, put in what is worth most, keep or undo.

After Christiaens and Vanden Berghe, Slack induction by string removals (Transportation Science 54,
2020), carried over to choosing: what is put back competes with all that was left out nearby.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.compiled import inner, kernel
from humay.schedule.core.search.books import (
    allowed,
    curve_at,
    enter,
    gain,
    leave,
    service,
    wanted,
)
from humay.schedule.core.search.lanes import insert, place_of, refresh, remove, restore, settle
from humay.schedule.core.search.tables import ITERATION, LIST, LOG, LOOSE, STAMP, Books, Tables
from humay.schedule.core.search.turns import start_at

_MOST_LISTED = 600
_BLINK = 0.02


class Way(NamedTuple):
    """How the search goes about it: the largest share of a straight line in the goals' curves, the
    most acts taken out of a lane at once, how many bundles are tried in a lane, and how often what
    the move is about is put in before all else."""

    ease: float
    most: int
    listed: float
    force: float


class Start(NamedTuple):
    """Where the search begins: another solution (n,), (n,) and the bundles to be tried in order.
    All are empty where it only goes on."""

    done: BoolArray
    at_s: FloatArray
    order: IntArray


@inner
def draw(b: Books) -> float:
    """A random number in [0, 1): splitmix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    b.rng[0] += np.uint64(0x9E3779B97F4A7C15)
    z = b.rng[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inner
def below(b: Books, n: int) -> int:
    """A random whole number from 0 to n - 1."""
    return min(int(draw(b) * n), n - 1)


# Ruin --------------------------------------------------------------------------------------------


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
    if b.stamp[bundle] != b.counters[STAMP] and b.counters[LIST] < _MOST_LISTED:
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


# Recreate ----------------------------------------------------------------------------------------


@inner
def recreate(t: Tables, b: Books, ease: float) -> None:
    """Put in listed bundles, those that promise most first, as far as they fit."""
    power = 0.5 * below(b, 3)
    noise = draw(b)
    noise *= noise
    for k in range(b.counters[LIST]):
        b.list_score[k] = -_promise(t, b, b.list_bundle[k], ease, power) * (
            1.0 + noise * (draw(b) - 0.5) * 2.0
        )
    _sort(b)
    for k in range(b.counters[LIST]):
        if b.list_score[k] < 0.0 and draw(b) >= _BLINK:
            put_in(t, b, b.list_bundle[k], ease)


@inner
def _promise(t: Tables, b: Books, bundle: int, ease: float, power: float) -> float:
    """Gain of a bundle, over a power of the seconds it takes."""
    seconds = 0.0
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        i = t.member[k]
        if not b.done[i] and t.lane[i] >= 0:
            seconds += t.duration_s[i] + t.settle_s[t.lane[i]]
    worth = gain(t, b, bundle, ease)
    if power > 0.0 and seconds > 0.0:
        worth /= seconds if power == 1.0 else math.sqrt(seconds)
    return worth


@inner
def _sort(b: Books) -> None:
    """The list by score, lowest first: Shell's sort."""
    n = b.counters[LIST]
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, n):
            score, bundle, m = b.list_score[k], b.list_bundle[k], k
            while m >= gap and b.list_score[m - gap] > score:
                b.list_score[m], b.list_bundle[m] = b.list_score[m - gap], b.list_bundle[m - gap]
                m -= gap
            b.list_score[m], b.list_bundle[m] = score, bundle
        gap //= 3


@inner
def put_in(t: Tables, b: Books, bundle: int, ease: float) -> bool:
    """Do what is lacking of a bundle, all or nothing, if there is a gain in it."""
    if b.lacking[bundle] == 0 or not gain(t, b, bundle, ease) > 0.0:
        return False
    several = b.lacking[bundle] > 1
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        i = t.member[k]
        if b.done[i]:
            continue
        if not allowed(t, b, i) or not insert(t, b, i, several):
            for m in range(t.member_first[bundle], k):
                if b.done[t.member[m]] and not wanted(t, b, t.member[m]):
                    remove(t, b, t.member[m])
            return False
    return True


# One move after the other ------------------------------------------------------------------------


@inner
def begin_move(b: Books) -> None:
    b.counters[STAMP] += 1
    b.counters[LOG] = b.counters[LIST] = b.counters[LOOSE] = 0


@inner
def undo(t: Tables, b: Books) -> None:
    """Put everything back to where the move began."""
    for k in range(b.counters[LOG] - 1, -1, -1):
        entry = b.log[k]
        b.counters[LOG] = k
        if entry > 0:
            leave(t, b, entry - 1)
        else:
            enter(t, b, -entry - 1)
    for lane in range(len(b.acts)):
        if b.saved_lane[lane] == b.counters[STAMP]:
            restore(t, b, lane)


@inner
def keep_best(b: Books) -> None:
    b.best_total[0] = b.total[0]
    for i in range(len(b.done)):
        b.best_done[i] = b.done[i]
        b.best_s[i] = b.at_s[i]


@inner
def recount(t: Tables, b: Books) -> None:
    """Work the sums out anew: additions and subtractions leave rounding behind."""
    for k in range(len(b.used)):
        b.used[k] = 0.0
    for goal in range(len(b.level)):
        b.level[goal] = 0.0
    b.total[0] = 0.0
    for i in range(len(b.done)):
        if b.done[i]:
            b.total[0] += t.bonus[i]
            for k in range(t.budget_first[i], t.budget_first[i + 1]):
                b.used[t.budget[k]] += t.budget_use[k]
    for part in range(len(b.served)):
        b.served[part] = service(t, b, part)
        b.level[t.part_goal[part]] += t.part_share[part] * b.served[part]
    for goal in range(len(b.level)):
        b.worth[goal] = t.goal_weight[goal] * curve_at(t, t.goal_curve[goal], b.level[goal])
        b.total[0] += b.worth[goal]


@kernel
def run(t: Tables, b: Books, start: Start, way: Way, moves: int, hot: float, cold: float) -> int:
    """Moves under an even cooling, from a temperature to a lower one (units of value).

    Returns the first fixed candidate that does not fit, or -1. One kernel does all of it: the parts
    it shares are compiled once.
    """
    take_over(t, b, start)
    misfit = fill(t, b, start)
    recount(t, b)
    if len(start.order) > 0:
        keep_best(b)
    for k in range(moves):
        heat = hot * math.pow(cold / hot, k / moves)
        before = b.total[0]
        begin_move(b)
        wish = ruin(t, b, way)
        if draw(b) < way.force:
            put_in(t, b, wish, 1.0)
        recreate(t, b, way.ease)
        holds = settle(t, b)
        b.counters[ITERATION] += 1
        if holds and b.total[0] > b.best_total[0] + 1e-9:
            keep_best(b)
        if not holds or b.total[0] < before + heat * math.log(max(draw(b), 1e-300)):
            undo(t, b)
    return misfit


@inner
def fill(t: Tables, b: Books, start: Start) -> int:
    """Do what is fixed, then every bundle in order that fits."""
    if len(start.order) == 0:
        return -1
    begin_move(b)
    for i in range(len(b.done)):
        if t.fixed[i] and not b.done[i] and not (allowed(t, b, i) and insert(t, b, i, True)):
            return i
    for k in range(len(start.order)):
        begin_move(b)
        put_in(t, b, start.order[k], 0.0)
        if not settle(t, b):
            undo(t, b)
    return -1


@inner
def take_over(t: Tables, b: Books, start: Start) -> None:
    """Hold another solution of the same problem."""
    begin_move(b)
    for i in range(len(start.done)):
        b.counters[LOG] = 0
        if start.done[i]:
            enter(t, b, i)
            if t.lane[i] >= 0:
                _append(t, b, i, start.at_s[i])


@inner
def _append(t: Tables, b: Books, i: int, start_s: float) -> None:
    lane = t.lane[i]
    place = place_of(t, b, lane, start_s)
    first = t.lane_first[lane]
    for k in range(first + b.acts[lane], first + place, -1):
        b.seq[k] = b.seq[k - 1]
    b.seq[first + place] = i
    b.acts[lane] += 1
    start_at(t, b, i, start_s)
    refresh(t, b, lane, b.acts[lane] - 1)
