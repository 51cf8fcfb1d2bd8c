"""Putting acts into a lane's sequence and taking them out, every start tried as it will stand.

Turns of small angles are not first in, first out: an act begun earlier can make the next one
impossible. So nothing is inferred from slack; what is pushed or pulled is worked out turn by turn.
"""

from __future__ import annotations

import math

from humay.compiled import inner
from humay.schedule.core.search.books import enter, leave, note_lane
from humay.schedule.core.search.stores import lane_holds, place_of, renew, touch
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
def save(t: Tables, b: Books, lane: int) -> None:
    """Keep a lane as it stands before the move first touches it."""
    if b.saved_lane[lane] == b.counters[STAMP]:
        return
    b.saved_lane[lane] = b.counters[STAMP]
    note_lane(b, lane)
    b.moved_s[lane, 0], b.moved_s[lane, 1] = math.inf, -math.inf
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
    renew(t, b, lane)


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
def _touch_pushed(b: Books, lane: int) -> None:
    """Note where the acts last moved stood, and where they stand."""
    moved = int(b.scratch[1, 0])
    for k in range(min(moved, 1)):
        for at in (k, moved - 1):
            touch(b, lane, b.pushed_s[at])
            touch(b, lane, b.at_s[b.pushed[at]])


@inner
def _try_place(t: Tables, b: Books, i: int, place: int, most_s: float) -> float:
    """Put candidate i at a place as early as it goes, pushing what follows; as `_push`."""
    lane = t.lane[i]
    first = t.lane_first[lane]
    b.scratch[1, 0] = 0
    if _is_crowded(t, b, i, place, most_s):
        return math.inf
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
def _is_crowded(t: Tables, b: Books, i: int, place: int, most_s: float) -> bool:
    """Whether candidate i has no place there even if the turns to it and from it are of no angle:
    saves working them out."""
    lane = t.lane[i]
    first, start_s = t.lane_first[lane], t.low_s[i]
    if place > 0:
        before = b.seq[first + place - 1]
        free_s = b.at_s[before] + t.duration_s[before] + t.settle_s[lane]
        start_s = max(start_s, free_s + t.least_s[before, 1] + t.least_s[i, 0])
    if start_s > t.high_s[i] + FITS_S or place == b.acts[lane]:
        return bool(start_s > t.high_s[i] + FITS_S)
    after = b.seq[first + place]
    next_s = start_s + t.duration_s[i] + t.settle_s[lane] + t.least_s[i, 1] + t.least_s[after, 0]
    last_s = max(b.latest_s[after] + t.vague_s[lane], b.at_s[after])
    return bool(next_s > min(last_s, b.at_s[after] + most_s) + FITS_S)


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
def detour_s(t: Tables, b: Books, lane: int, place: int) -> float:
    """By how many seconds the act at a place makes the turns of its lane longer."""
    row = t.lane_first[lane] + place
    act, total = b.seq[row], 0.0
    if place > 0:
        total += turn_s(t, lane, b.now, b.seq[row - 1], b.now, act)
    if place + 1 < b.acts[lane]:
        total += turn_s(t, lane, b.now, act, b.now, b.seq[row + 1])
        if place > 0:
            total -= turn_s(t, lane, b.now, b.seq[row - 1], b.now, b.seq[row + 1])
    return total


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
    save(t, b, lane)
    _try_place(t, b, i, best, math.inf)
    first = t.lane_first[lane]
    for k in range(first + b.acts[lane], first + best, -1):
        b.seq[k] = b.seq[k - 1]
    b.seq[first + best] = i
    b.acts[lane] += 1
    touch(b, lane, b.at_s[i])
    _touch_pushed(b, lane)
    b.total[1] += detour_s(t, b, lane, best)
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
    touch(b, lane, b.at_s[i])
    first = t.lane_first[lane]
    place = place_of(t, b, lane, b.at_s[i])
    while b.seq[first + place] != i:
        place += 1
    b.total[1] -= detour_s(t, b, lane, place)
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
            _touch_pushed(b, lane)
            if not lane_holds(t, b, lane):
                _push_back(t, b)
    for lane in range(len(b.acts)):
        if b.saved_lane[lane] == b.counters[STAMP]:
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
