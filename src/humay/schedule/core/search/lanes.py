"""Putting acts into a lane's sequence and taking them out, every start tried as it will stand.

Turns of small angles are not first in, first out: an act begun earlier can make the next one
impossible. So nothing is inferred from slack; what is pushed or pulled is worked out turn by turn.
"""

from __future__ import annotations

import math

from humay.compiled import inner
from humay.schedule.core.search.books import enter, leave
from humay.schedule.core.search.tables import LOOSE, STAMP, Books, Tables
from humay.schedule.core.search.turns import (
    FITS_S,
    earliest_s,
    fits,
    latest_s,
    on_grid,
    start_at,
    turn_s,
)


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
def save(t: Tables, b: Books, lane: int) -> None:
    """Keep a lane as it stands before the move first touches it."""
    if b.saved_lane[lane] == b.counters[STAMP]:
        return
    b.saved_lane[lane] = b.counters[STAMP]
    b.hole_s[lane, 0], b.hole_s[lane, 1] = -math.inf, math.inf
    b.saved_count[lane] = b.acts[lane]
    for k in range(t.lane_first[lane], t.lane_first[lane] + b.acts[lane]):
        b.saved_seq[k] = b.seq[k]
        b.saved_s[k] = b.at_s[b.seq[k]]
        b.saved_latest_s[k] = b.latest_s[b.seq[k]]


@inner
def restore(t: Tables, b: Books, lane: int) -> None:
    """Put a lane that the move touched back."""
    b.acts[lane] = b.saved_count[lane]
    for k in range(t.lane_first[lane], t.lane_first[lane] + b.acts[lane]):
        act = b.saved_seq[k]
        b.seq[k] = act
        b.latest_s[act] = b.saved_latest_s[k]
        if b.at_s[act] != b.saved_s[k]:
            start_at(t, b, act, b.saved_s[k])


@inner
def refresh(t: Tables, b: Books, lane: int, place: int) -> None:
    """Bring `latest_s` up to date for a place and as far before it as it changes."""
    first, changed = t.lane_first[lane], place
    while place >= 0:
        act = b.seq[first + place]
        latest_s = b.at_s[act] if t.fixed[act] else t.high_s[act]
        if place + 1 < b.acts[lane]:
            after = b.seq[first + place + 1]
            turn = turn_s(t, lane, b.now, act, b.now, after)
            latest_s = min(latest_s, b.latest_s[after] - turn - t.duration_s[act])
        if place < changed and abs(latest_s - b.latest_s[act]) < FITS_S:
            return
        b.latest_s[act] = latest_s
        place -= 1


@inner
def _push(t: Tables, b: Books, lane: int, place: int, before: int, most_s: float) -> float:
    """Move the acts from a place on as far as `before`, which comes first, asks.

    Returns by how many seconds in all, infinite where it does not work or takes more than `most_s`;
    what was moved stands in `pushed`, the number of it in `scratch[1, 0]`.
    """
    moved, total = 0, 0.0
    first = t.lane_first[lane]
    while place < b.acts[lane]:
        act = b.seq[first + place]
        turn = turn_s(t, lane, b.now, before, b.now, act)
        start_s = b.at_s[before] + t.duration_s[before] + turn
        if start_s <= b.at_s[act] + FITS_S:
            break
        if start_s > b.latest_s[act] + t.vague_s[lane] or t.fixed[act]:
            total = math.inf
            break
        start_s = earliest_s(t, b, before, act)
        total += start_s - b.at_s[act]
        if not total < most_s:
            total = math.inf
            break
        b.pushed[moved], b.pushed_s[moved] = act, b.at_s[act]
        moved += 1
        start_at(t, b, act, start_s)
        before = act
        place += 1
    b.scratch[1, 0] = moved
    return total


@inner
def _push_back(t: Tables, b: Books) -> None:
    """Undo the last `_push`."""
    for k in range(int(b.scratch[1, 0])):
        start_at(t, b, b.pushed[k], b.pushed_s[k])


@inner
def _try_place(t: Tables, b: Books, i: int, place: int, most_s: float) -> float:
    """Put candidate i at a place as early as it goes, pushing what follows; as `_push`."""
    lane = t.lane[i]
    first = t.lane_first[lane]
    b.scratch[1, 0] = 0
    start_s = on_grid(t, t.low_s[i])
    if place > 0:
        start_s = earliest_s(t, b, b.seq[first + place - 1], i)
    if start_s > t.high_s[i] + FITS_S:
        return math.inf
    start_at(t, b, i, start_s)
    if place < b.acts[lane] and t.vague_s[lane] > 0.0 and _later(t, b, i, place):
        return 0.0
    return _push(t, b, lane, place, i, most_s)


@inner
def _later(t: Tables, b: Books, i: int, place: int) -> bool:
    """Whether candidate i, which leaves what follows no time, does so if begun as late as it goes:
    poses move, and the turn from a later one can be shorter. It then stands there."""
    row, start_s = t.lane_first[t.lane[i]] + place, b.at_s[i]
    if fits(t, b, i, b.seq[row]):
        return False
    late_s = latest_s(t, b, i, b.seq[row])
    if late_s <= start_s:
        return False
    start_at(t, b, i, late_s)
    if place == 0 or fits(t, b, b.seq[row - 1], i):
        return True
    start_at(t, b, i, start_s)
    return False


@inner
def insert(t: Tables, b: Books, i: int, anywhere: bool) -> bool:
    """Put candidate i where it moves the others least, if it fits; the books are kept.

    In a lane where the move has made room it is tried there alone, unless `anywhere`. Stores and
    sliding limits are looked at once it stands; where one breaks, it is taken out.
    """
    lane = t.lane[i]
    if lane < 0:
        enter(t, b, i)
        return True
    low_s, high_s = t.low_s[i], t.high_s[i]
    if not anywhere and b.saved_lane[lane] == b.counters[STAMP]:
        low_s, high_s = max(low_s, b.hole_s[lane, 0]), min(high_s, b.hole_s[lane, 1])
        if low_s > high_s:
            return False
    low, high = place_of(t, b, lane, low_s), place_of(t, b, lane, high_s)
    save(t, b, lane)
    best, least = -1, math.inf
    for place in range(low, high + 1):
        pushed_s = _try_place(t, b, i, place, least)
        _push_back(t, b)
        if pushed_s < least:
            best, least = place, pushed_s
            if pushed_s == 0.0:
                break
    if best < 0:
        return False
    _try_place(t, b, i, best, math.inf)
    first = t.lane_first[lane]
    for k in range(first + b.acts[lane], first + best, -1):
        b.seq[k] = b.seq[k - 1]
    b.seq[first + best] = i
    b.acts[lane] += 1
    refresh(t, b, lane, best)
    enter(t, b, i)
    if lane_holds(t, b, lane):
        return True
    remove(t, b, i)
    return False


@inner
def remove(t: Tables, b: Books, i: int) -> None:
    """Take a done candidate out; what follows stays where it is."""
    lane = t.lane[i]
    leave(t, b, i)
    if lane < 0:
        return
    save(t, b, lane)
    first = t.lane_first[lane]
    place = place_of(t, b, lane, b.at_s[i])
    while b.seq[first + place] != i:
        place += 1
    for k in range(first + place, first + b.acts[lane] - 1):
        b.seq[k] = b.seq[k + 1]
    b.acts[lane] -= 1
    refresh(t, b, lane, min(place, b.acts[lane] - 1))
    if place < b.acts[lane]:
        b.loose[b.counters[LOOSE]] = b.seq[first + place]
        b.counters[LOOSE] += 1


@inner
def settle(t: Tables, b: Books) -> bool:
    """Let what followed the acts that were taken out begin as early as it can and may.

    Returns whether every store and sliding limit still holds: a turn that leaves an act out can
    take longer than the two it replaces.
    """
    holds = True
    for k in range(b.counters[LOOSE]):
        act = b.loose[k]
        lane = t.lane[act]
        if b.done[act]:
            _pull(t, b, lane, place_of(t, b, lane, b.at_s[act]))
            if not lane_holds(t, b, lane):
                _push_back(t, b)
        holds = holds and lane_holds(t, b, lane)
    b.counters[LOOSE] = 0
    return holds


@inner
def _pull(t: Tables, b: Books, lane: int, place: int) -> None:
    """Let the acts from a place on begin earlier, as far as the one after each still fits; what was
    moved stands as in `_push`."""
    first, moved = t.lane_first[lane], 0
    while place < b.acts[lane]:
        act = b.seq[first + place]
        old_s = b.at_s[act]
        start_s = on_grid(t, t.low_s[act])
        if place > 0:
            start_s = earliest_s(t, b, b.seq[first + place - 1], act)
        if t.fixed[act] or not start_s < old_s - FITS_S:
            break
        start_at(t, b, act, start_s)
        if place + 1 < b.acts[lane] and not fits(t, b, act, b.seq[first + place + 1]):
            start_at(t, b, act, old_s)
            break
        b.pushed[moved], b.pushed_s[moved] = act, old_s
        moved += 1
        place += 1
    b.scratch[1, 0] = moved


@inner
def lane_holds(t: Tables, b: Books, lane: int) -> bool:
    """Whether the stores and the sliding limits of a lane hold."""
    if t.store_first[lane] < t.store_first[lane + 1] and not stores_hold(t, b, lane):
        return False
    return t.limit_first[lane] == t.limit_first[lane + 1] or limits_hold(t, b, lane)


@inner
def limits_hold(t: Tables, b: Books, lane: int) -> bool:
    """Whether no sliding limit of a lane is broken: `judge.longest_inside`.

    The most is met by a stretch that begins with an act or by one that ends with an act.
    """
    first, count = t.lane_first[lane], b.acts[lane]
    for k in range(t.limit_first[lane], t.limit_first[lane + 1]):
        most = t.limit_s[k] + FITS_S
        for act in range(first, first + count):
            if _after(t, b, act, first + count, t.limit_per_s[k]) > most:
                return False
            if _before(t, b, first, act, t.limit_per_s[k]) > most:
                return False
    return True


@inner
def _after(t: Tables, b: Books, row: int, end: int, per_s: float) -> float:
    """Seconds of acts, from the one at a row on, inside the stretch that begins with it."""
    to_s, total = b.at_s[b.seq[row]] + per_s, 0.0
    while row < end and b.at_s[b.seq[row]] < to_s:
        start_s = b.at_s[b.seq[row]]
        total += min(start_s + t.duration_s[b.seq[row]], to_s) - start_s
        row += 1
    return total


@inner
def _before(t: Tables, b: Books, first: int, row: int, per_s: float) -> float:
    """Seconds of acts, up to the one at a row, inside the stretch that ends with it."""
    end_s = b.at_s[b.seq[row]] + t.duration_s[b.seq[row]]
    from_s, total = end_s - per_s, 0.0
    while row >= first and end_s > from_s:
        total += end_s - max(b.at_s[b.seq[row]], from_s)
        row -= 1
        if row >= first:
            end_s = b.at_s[b.seq[row]] + t.duration_s[b.seq[row]]
    return total


@inner
def stores_hold(t: Tables, b: Books, lane: int) -> bool:
    """Whether no store of a lane falls below zero: `judge.store_levels`."""
    for store in range(t.store_first[lane], t.store_first[lane + 1]):
        if not _store_holds(t, b, lane, store):
            return False
    return True


@inner
def _store_holds(t: Tables, b: Books, lane: int, store: int) -> bool:
    first, node = t.lane_first[lane], t.store_node_first[store]
    lowest = -1e-9 * t.store_capacity[store]
    b.scratch[2, 0] = b.scratch[2, 3] = t.store_initial[store]
    b.scratch[2, 1] = t.store_node_s[node]
    b.scratch[2, 2] = node
    apart_s, rests = t.store_apart_s[store], t.store_apart_s[store] < math.inf
    for k in range(b.acts[lane]):
        act = b.seq[first + k]
        begin_s = b.at_s[act]
        use = t.store_use[store, act]
        if rests:
            use += t.store_ways[store, act, 0]
        elif t.store_turn_use[store] != 0.0 and k > 0:
            turning_s = turn_s(t, lane, b.now, b.seq[first + k - 1], b.now, act)
            _flow(t, b, store, begin_s - turning_s, 0.0)
            _flow(t, b, store, begin_s, t.store_turn_use[store])
        end_s = begin_s + t.duration_s[act]
        rests = apart_s < math.inf
        if rests and k + 1 < b.acts[lane]:
            rests = b.at_s[b.seq[first + k + 1]] - end_s > apart_s
        if rests:
            use += t.store_ways[store, act, 1]
        _flow(t, b, store, begin_s, 0.0)
        _flow(t, b, store, end_s, use)
        if b.scratch[2, 3] < lowest:
            return False
    last = t.store_node_first[store + 1] - 1
    _flow(t, b, store, t.store_node_s[last], 0.0)
    return bool(b.scratch[2, 3] >= lowest)


@inner
def _flow(t: Tables, b: Books, store: int, to_s: float, use: float) -> None:
    """Let a store run on to an instant under a use; level, instant, node and the least level met
    stand in `scratch[2]`."""
    level, now_s, node = b.scratch[2, 0], b.scratch[2, 1], int(b.scratch[2, 2])
    last = t.store_node_first[store + 1] - 2
    least = b.scratch[2, 3]
    while now_s < to_s:
        end_s = to_s
        if node < last:
            end_s = min(to_s, t.store_node_s[node + 1])
        level += (t.store_income[node] - use) * (end_s - now_s)
        level = min(level, t.store_capacity[store])
        least = min(least, level)
        now_s = end_s
        if node < last and now_s >= t.store_node_s[node + 1]:
            node += 1
    b.scratch[2, 0], b.scratch[2, 1], b.scratch[2, 2] = level, now_s, node
    b.scratch[2, 3] = least
