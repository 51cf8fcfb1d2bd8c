"""Whether the stores and the sliding limits of a lane still hold, looked at where it has changed.

Between the ends of two acts a store of level x comes to min(x + change, top), and its least level
on the way is min(x + dip, sill): four numbers for each act, from which the level at the end of each
act, and the level that all after it need, follow from the neighbour's. Where a lane has changed
between two instants, the numbers there are worked out anew; the level they lead to is compared with
what the rest needs. That it suffices is remembered as far as it differs from before.
"""

from __future__ import annotations

import math

from humay.compiled import inner
from humay.schedule.core.search.tables import (
    CHANGE,
    DIP,
    LEVEL,
    NEED,
    SILL,
    TOP,
    Books,
    Tables,
)
from humay.schedule.core.search.turns import FITS_S, turn_s

_EMPTY = 0.99e-9
"""Of the capacity: so little below nothing is rounding. `judge.violations` allows a little more."""


@inner
def place_of(t: Tables, b: Books, lane: int, start_s: float) -> int:
    """How many acts of a lane start before an instant."""
    low, high = 0, b.acts[lane]
    while low < high:
        middle = (low + high) // 2
        if b.at_s[b.seq[t.lane_first[lane] + middle]] < start_s:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def touch(b: Books, lane: int, at_s: float) -> None:
    """An act of a lane comes to, goes from or leaves an instant."""
    b.stale_s[lane, 0] = min(b.stale_s[lane, 0], at_s)
    b.stale_s[lane, 1] = max(b.stale_s[lane, 1], at_s)
    b.moved_s[lane, 0] = min(b.moved_s[lane, 0], at_s)
    b.moved_s[lane, 1] = max(b.moved_s[lane, 1], at_s)


@inner
def lane_holds(t: Tables, b: Books, lane: int) -> bool:
    """Whether the stores and the sliding limits of a lane hold, which they did before it changed
    where it is stale."""
    if b.stale_s[lane, 0] > b.stale_s[lane, 1]:
        return True
    begin = place_of(t, b, lane, b.stale_s[lane, 0])
    end = place_of(t, b, lane, b.stale_s[lane, 1] + FITS_S)
    if not _limits_hold(t, b, lane, begin, end):
        return False
    for store in range(t.store_first[lane], t.store_first[lane + 1]):
        _work_out(t, b, lane, store, begin - 1, end + 1)
        if not _suffices(t, b, lane, store, begin - 1, end + 1):
            return False
    _remember(t, b, lane, begin, end)
    return True


@inner
def renew(t: Tables, b: Books, lane: int) -> None:
    """Bring the stores of a lane up to date that stands again as it did before the move."""
    b.stale_s[lane, 0] = min(b.stale_s[lane, 0], b.moved_s[lane, 0])
    b.stale_s[lane, 1] = max(b.stale_s[lane, 1], b.moved_s[lane, 1])
    if b.stale_s[lane, 0] > b.stale_s[lane, 1]:
        return
    begin = place_of(t, b, lane, b.stale_s[lane, 0])
    end = place_of(t, b, lane, b.stale_s[lane, 1] + FITS_S)
    for store in range(t.store_first[lane], t.store_first[lane + 1]):
        _work_out(t, b, lane, store, begin - 1, end + 1)
    _remember(t, b, lane, begin, end)


# Sliding limits ----------------------------------------------------------------------------------


@inner
def _limits_hold(t: Tables, b: Books, lane: int, begin: int, end: int) -> bool:
    """Whether no sliding limit is broken by what changed, places `begin` to `end`:
    `judge.longest_inside`.

    The most is met by a stretch that begins with an act or by one that ends with an act.
    """
    if begin >= end:
        return True
    first = t.lane_first[lane]
    from_s, last = b.at_s[b.seq[first + begin]], b.seq[first + end - 1]
    to_s = b.at_s[last] + t.duration_s[last]
    for k in range(t.limit_first[lane], t.limit_first[lane + 1]):
        most, per_s = t.limit_s[k] + FITS_S, t.limit_per_s[k]
        low = place_of(t, b, lane, from_s - per_s)
        high = place_of(t, b, lane, to_s + per_s)
        if not _after_holds(t, b, lane, low, end, per_s, most):
            return False
        if not _before_holds(t, b, lane, begin, high, per_s, most):
            return False
    return True


@inner
def _after_holds(
    t: Tables, b: Books, lane: int, begin: int, end: int, per_s: float, most: float
) -> bool:
    """Whether no stretch that begins with an act, of those from one place to another, holds too
    much: acts enter at its end and leave at its beginning."""
    first, count = t.lane_first[lane], b.acts[lane]
    total, behind = 0.0, begin
    for place in range(begin, end):
        act = b.seq[first + place]
        to_s = b.at_s[act] + per_s
        while behind < count and b.at_s[b.seq[first + behind]] < to_s:
            total += t.duration_s[b.seq[first + behind]]
            behind += 1
        cut = b.seq[first + behind - 1]
        if total - max(b.at_s[cut] + t.duration_s[cut] - to_s, 0.0) > most:
            return False
        total -= t.duration_s[act]
    return True


@inner
def _before_holds(
    t: Tables, b: Books, lane: int, begin: int, end: int, per_s: float, most: float
) -> bool:
    """The same for stretches that end with an act."""
    first = t.lane_first[lane]
    total, ahead = 0.0, end - 1
    for place in range(end - 1, begin - 1, -1):
        act = b.seq[first + place]
        from_s = b.at_s[act] + t.duration_s[act] - per_s
        while ahead >= 0 and _ends_s(t, b, first + ahead) > from_s:
            total += t.duration_s[b.seq[first + ahead]]
            ahead -= 1
        if total - max(from_s - b.at_s[b.seq[first + ahead + 1]], 0.0) > most:
            return False
        total -= t.duration_s[act]
    return True


@inner
def _ends_s(t: Tables, b: Books, row: int) -> float:
    return float(b.at_s[b.seq[row]] + t.duration_s[b.seq[row]])


# Stores ------------------------------------------------------------------------------------------


@inner
def _suffices(t: Tables, b: Books, lane: int, store: int, begin: int, end: int) -> bool:
    """Whether a store does not run empty in acts from one place to another, nor after them."""
    first, slot, count = t.lane_first[lane], store - t.store_first[lane], b.acts[lane]
    least = -_EMPTY * t.store_capacity[store]
    level = t.store_initial[store]
    if begin > 0:
        level = b.flow[b.seq[first + begin - 1], slot, LEVEL]
    for place in range(max(begin, 0), min(end, count)):
        act = b.seq[first + place]
        if min(level + b.flow[act, slot, DIP], b.flow[act, slot, SILL]) < least:
            return False
        level = min(level + b.flow[act, slot, CHANGE], b.flow[act, slot, TOP])
    if end > count or count == 0:
        return bool(min(level + b.tail[store, DIP], b.tail[store, SILL]) >= least)
    return bool(level >= b.flow[b.seq[first + end - 1], slot, NEED])


@inner
def _remember(t: Tables, b: Books, lane: int, begin: int, end: int) -> None:
    """Levels from `begin` on and needs up to `end`, as far as they change; nothing is stale."""
    for store in range(t.store_first[lane], t.store_first[lane + 1]):
        _levels(t, b, lane, store, begin - 1, end + 1)
        _needs(t, b, lane, store, begin - 1, end + 1)
    b.stale_s[lane, 0], b.stale_s[lane, 1] = math.inf, -math.inf


@inner
def _levels(t: Tables, b: Books, lane: int, store: int, begin: int, end: int) -> None:
    first, slot = t.lane_first[lane], store - t.store_first[lane]
    level = t.store_initial[store]
    if begin > 0:
        level = b.flow[b.seq[first + begin - 1], slot, LEVEL]
    for place in range(max(begin, 0), b.acts[lane]):
        act = b.seq[first + place]
        level = min(level + b.flow[act, slot, CHANGE], b.flow[act, slot, TOP])
        if place >= end - 1 and level == b.flow[act, slot, LEVEL]:
            return
        b.flow[act, slot, LEVEL] = level


@inner
def _needs(t: Tables, b: Books, lane: int, store: int, begin: int, end: int) -> None:
    """What is needed at the end of each act, so that the store lasts."""
    first, slot, count = t.lane_first[lane], store - t.store_first[lane], b.acts[lane]
    least = -_EMPTY * t.store_capacity[store]
    if count == 0:
        return
    if end > count:
        need = -b.tail[store, DIP] + least if b.tail[store, SILL] >= least else math.inf
        b.flow[b.seq[first + count - 1], slot, NEED] = need
    place = min(end, count) - 1
    need = b.flow[b.seq[first + place], slot, NEED]
    while place > 0:
        after, act = b.seq[first + place], b.seq[first + place - 1]
        if b.flow[after, slot, TOP] < need or b.flow[after, slot, SILL] < least:
            need = math.inf
        else:
            need = max(need - b.flow[after, slot, CHANGE], least - b.flow[after, slot, DIP])
        if place <= begin and need == b.flow[act, slot, NEED]:
            return
        b.flow[act, slot, NEED] = need
        place -= 1


@inner
def _work_out(t: Tables, b: Books, lane: int, store: int, begin: int, end: int) -> None:
    """What a store does up to the end of each of the acts from one place to another, and after the
    last: `judge.store_levels`."""
    first, count = t.lane_first[lane], b.acts[lane]
    place = max(begin, 0)
    b.scratch[2, 0], b.scratch[2, 1] = t.store_node_s[t.store_node_first[store]], -1.0
    if place > 0:
        before = b.seq[first + place - 1]
        b.scratch[2, 0] = b.at_s[before] + t.duration_s[before]
    _find_node(t, b, store)
    while place < min(end, count):
        _work_out_act(t, b, lane, store, place)
        place += 1
    if place == count:
        _start_flow(b)
        _flow(t, b, store, t.store_node_s[t.store_node_first[store + 1] - 1], 0.0)
        for k in range(4):
            b.tail[store, k] = b.scratch[3, k]


@inner
def _work_out_act(t: Tables, b: Books, lane: int, store: int, place: int) -> None:
    first, slot = t.lane_first[lane], store - t.store_first[lane]
    act, apart_s = b.seq[first + place], t.store_apart_s[store]
    begin_s, end_s = b.at_s[act], b.at_s[act] + t.duration_s[act]
    use = t.store_use[slot, act]
    _start_flow(b)
    if apart_s < math.inf and (place == 0 or begin_s - b.scratch[2, 0] > apart_s):
        use += t.store_ways[slot, act, 0]
    elif t.store_turn_use[store] != 0.0 and place > 0:
        turning_s = turn_s(t, lane, b.now, b.seq[first + place - 1], b.now, act)
        _flow(t, b, store, begin_s - turning_s, 0.0)
        _flow(t, b, store, begin_s, t.store_turn_use[store])
    if apart_s < math.inf:
        last = place + 1 == b.acts[lane]
        if last or b.at_s[b.seq[first + place + 1]] - end_s > apart_s:
            use += t.store_ways[slot, act, 1]
    _flow(t, b, store, begin_s, 0.0)
    _flow(t, b, store, end_s, use)
    for k in range(4):
        b.flow[act, slot, k] = b.scratch[3, k]


@inner
def _find_node(t: Tables, b: Books, store: int) -> None:
    """The node whose income holds from the instant in `scratch[2]` on."""
    low, high = t.store_node_first[store], t.store_node_first[store + 1] - 2
    while low < high:
        middle = (low + high + 1) // 2
        if t.store_node_s[middle] <= b.scratch[2, 0]:
            low = middle
        else:
            high = middle - 1
    b.scratch[2, 1] = low


@inner
def _start_flow(b: Books) -> None:
    b.scratch[3, CHANGE] = b.scratch[3, DIP] = 0.0
    b.scratch[3, TOP] = b.scratch[3, SILL] = math.inf


@inner
def _flow(t: Tables, b: Books, store: int, to_s: float, use: float) -> None:
    """Let a store run on to an instant under a use; instant and node stand in `scratch[2]`, what
    becomes of a level since the flow was started in `scratch[3]`."""
    now_s, node = b.scratch[2, 0], int(b.scratch[2, 1])
    last, capacity = t.store_node_first[store + 1] - 2, t.store_capacity[store]
    change, top = b.scratch[3, CHANGE], b.scratch[3, TOP]
    dip, sill = b.scratch[3, DIP], b.scratch[3, SILL]
    while now_s < to_s:
        end_s = to_s
        if node < last:
            end_s = min(to_s, t.store_node_s[node + 1])
        step = (t.store_income[node] - use) * (end_s - now_s)
        change, top = change + step, min(top + step, capacity)
        dip, sill = min(dip, change), min(sill, top)
        now_s = end_s
        if node < last and now_s >= t.store_node_s[node + 1]:
            node += 1
    b.scratch[2, 0], b.scratch[2, 1] = now_s, node
    b.scratch[3, CHANGE], b.scratch[3, TOP] = change, top
    b.scratch[3, DIP], b.scratch[3, SILL] = dip, sill
