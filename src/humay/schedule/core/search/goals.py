"""Moves of whole goals: for goals that pay late, of which no single step is worth its place.

A goal that is not done is done with all its parts, whatever stands in the way. What is displaced
takes the rest of its own goals with it where they are worth nothing without it, and is tried again
elsewhere, as a whole, before other goals.
"""

from __future__ import annotations

import math

from humay.compiled import inner, kernel
from humay.schedule.core.search.books import allowed, curve_at, keep_best
from humay.schedule.core.search.chance import below, draw
from humay.schedule.core.search.lanes import insert, remove, settle
from humay.schedule.core.search.moves import (
    Start,
    begin,
    begin_move,
    judge,
    recount,
    undo,
)
from humay.schedule.core.search.recreate import put_in
from humay.schedule.core.search.stores import place_of
from humay.schedule.core.search.tables import GOALS, LOG, STAMP, Books, Tables

_OTHERS = 10
"""Goals tried in a move besides those it displaced; how many it may displace."""
_DISPLACED = 8
_WAYS, _PUSHES = 3, 6
"""Ways drawn to serve a part by force, and neighbours that may go for it."""
_NOTHING = 1e-9
_NEVER = 1e300


@kernel
def run_goals(t: Tables, b: Books, start: Start, moves: int, hot: float, cooling: float) -> int:
    """As `moves.run`; `start.order` names goals. A kernel of its own: who has no such goals need
    not compile it."""
    misfit = begin(t, b, start)
    for k in range(len(start.order)):
        begin_move(b)
        complete(t, b, start.order[k])
        if not settle(t, b):
            undo(t, b)
    recount(t, b)
    if len(start.order) > 0:
        keep_best(t, b)
    for k in range(moves):
        heat = hot * math.pow(cooling, k)
        begin_move(b)
        done = exchange(t, b)
        judge(t, b, settle(t, b) and done, heat, 0.0)
    return misfit


@inner
def exchange(t: Tables, b: Books) -> bool:
    """Do a goal that is not done, and what fits beside it of what that displaced and of others.

    Returns whether the goal could be done.
    """
    goal = _target(t, b)
    before, reach = b.worth[goal], t.goal_most[goal]
    for k in range(t.goal_part_first[goal], t.goal_part_first[goal + 1]):
        part = t.goal_part[k]
        if b.served[part] <= 0.0 and not _serve(t, b, part) and not _force(t, b, part, goal):
            reach -= t.part_share[part]
            if not _worth(t, goal, reach) > before or b.counters[GOALS] > _DISPLACED:
                return False
    if not settle(t, b):
        return False
    for _ in range(_OTHERS):
        other = t.late[below(b, len(t.late))]
        if other != goal:
            _list_goal(b, other)
    _recreate(t, b)
    return True


@inner
def _worth(t: Tables, goal: int, level: float) -> float:
    return float(t.goal_weight[goal] * curve_at(t, t.goal_curve[goal], level))


@inner
def _left(t: Tables, b: Books, goal: int) -> float:
    """What a goal could still gain."""
    return float(_worth(t, goal, t.goal_most[goal]) - b.worth[goal])


@inner
def _target(t: Tables, b: Books) -> int:
    """A goal that pays late and is not done, by lot."""
    goal = t.late[below(b, len(t.late))]
    for _ in range(20):
        if _left(t, b, goal) > _NOTHING:
            break
        goal = t.late[below(b, len(t.late))]
    return int(goal)


@inner
def _serve(t: Tables, b: Books, part: int) -> bool:
    """Serve a part without displacing anything: by the first that fits, from one drawn on."""
    first, count = t.server_first[part], t.server_first[part + 1] - t.server_first[part]
    skip = below(b, count)
    k = 0
    while k < count and not _crowded(b):
        if put_in(t, b, t.server[first + (skip + k) % count], 1.0):
            return True
        k += 1
    return False


@inner
def _crowded(b: Books) -> bool:
    """Whether the move has noted so much that it must come to an end: the rest is for undoing."""
    return bool(2 * b.counters[LOG] > len(b.log))


# Displacing --------------------------------------------------------------------------------------


@inner
def _force(t: Tables, b: Books, part: int, goal: int) -> bool:
    """Serve a part by the cheapest of a few ways drawn, displacing what is in its way."""
    first, count = t.server_first[part], t.server_first[part + 1] - t.server_first[part]
    best, least, at = t.server[first], math.inf, 0.0
    for _ in range(min(count, _WAYS)):
        bundle, instant = t.server[first + below(b, count)], draw(b)
        cost = (0.5 + draw(b)) * _stakes_near(t, b, bundle, instant, goal)
        if cost < least:
            best, least, at = bundle, cost, instant
    for k in range(t.member_first[best], t.member_first[best + 1]):
        i = t.member[k]
        if not b.done[i] and not _force_in(t, b, i, at, goal):
            return False
    return True


@inner
def _instant(t: Tables, i: int, share: float) -> float:
    return float(t.low_s[i] + share * (t.high_s[i] - t.low_s[i]))


@inner
def _stakes_near(t: Tables, b: Books, bundle: int, share: float, goal: int) -> float:
    """What stands beside the members of a bundle, each at a share of its window, is worth."""
    total = 0.0
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        i = t.member[k]
        lane = t.lane[i]
        if b.done[i] or lane < 0:
            continue
        first, place = t.lane_first[lane], place_of(t, b, lane, _instant(t, i, share))
        for at in range(max(place - 1, 0), min(place + 1, b.acts[lane])):
            total += _stake(t, b, b.seq[first + at], goal)
    return total


@inner
def _stake(t: Tables, b: Books, i: int, goal: int) -> float:
    """The part of its goals' worth that hangs on a candidate; a lot for what must stay."""
    if t.fixed[i]:
        return _NEVER
    total = t.bonus[i]
    for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
        bundle = t.bundle_of[k]
        if b.lacking[bundle] > 0:
            continue
        for s in range(t.serve_first[bundle], t.serve_first[bundle + 1]):
            part = t.serve[s]
            own = t.part_goal[part]
            if own == goal:
                return _NEVER
            if b.level[own] > _NOTHING:
                total += b.worth[own] * t.part_share[part] * b.served[part] / b.level[own]
    return float(total)


@inner
def _force_in(t: Tables, b: Books, i: int, share: float, goal: int) -> bool:
    """Put a candidate in, displacing its rivals and then its neighbours one by one."""
    for k in range(t.pair_first[i], t.pair_first[i + 1]):
        if b.done[t.pair[k]] and not _displace(t, b, t.pair[k], goal):
            return False
    lane = t.lane[i]
    for _ in range(_PUSHES):
        if not allowed(t, b, i) or _crowded(b):
            return False
        if insert(t, b, i, True):
            return True
        if lane < 0 or b.acts[lane] == 0:
            return False
        place = place_of(t, b, lane, _instant(t, i, share)) - below(b, 2)
        place = min(max(place, 0), b.acts[lane] - 1)
        _displace(t, b, b.seq[t.lane_first[lane] + place], goal)
    return False


@inner
def _displace(t: Tables, b: Books, i: int, goal: int) -> bool:
    """Take a candidate out, with what is worth nothing without it; its goals are listed."""
    if _stake(t, b, i, goal) >= 1e300 or b.counters[GOALS] > _DISPLACED:
        return False
    remove(t, b, i)
    for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
        bundle = t.bundle_of[k]
        for s in range(t.serve_first[bundle], t.serve_first[bundle + 1]):
            own = t.part_goal[t.serve[s]]
            if own != goal and b.goal_stamp[own] != b.counters[STAMP]:
                _list_goal(b, own)
                _drop_idle(t, b, own, goal)
    return True


@inner
def _list_goal(b: Books, goal: int) -> None:
    if b.goal_stamp[goal] != b.counters[STAMP]:
        b.goal_stamp[goal] = b.counters[STAMP]
        b.list_goal[b.counters[GOALS]] = goal
        b.counters[GOALS] += 1


@inner
def _drop_idle(t: Tables, b: Books, own: int, goal: int) -> None:
    """Take out what serves a goal and earns nothing."""
    for p in range(t.goal_part_first[own], t.goal_part_first[own + 1]):
        part = t.goal_part[p]
        for k in range(t.server_first[part], t.server_first[part + 1]):
            bundle = t.server[k]
            for m in range(t.member_first[bundle], t.member_first[bundle + 1]):
                i = t.member[m]
                if b.done[i] and not t.fixed[i] and not _earns(t, b, i, goal):
                    remove(t, b, i)


@inner
def _earns(t: Tables, b: Books, i: int, goal: int) -> bool:
    """Whether a candidate is done for something: a bonus, `goal`, or a goal that is worth more than
    it would be without anything."""
    if t.bonus[i] > 0.0:
        return True
    for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
        bundle = t.bundle_of[k]
        for s in range(t.serve_first[bundle], t.serve_first[bundle + 1]):
            own = t.part_goal[t.serve[s]]
            if own == goal or (b.lacking[bundle] == 0 and b.worth[own] > t.goal_floor[own]):
                return True
    return False


# Recreate ----------------------------------------------------------------------------------------


@inner
def _recreate(t: Tables, b: Books) -> None:
    """Do the listed goals as far as they fit, those first that promise most for each part."""
    for k in range(b.counters[GOALS]):
        goal = b.list_goal[k]
        lacking = 1.0
        for p in range(t.goal_part_first[goal], t.goal_part_first[goal + 1]):
            lacking += b.served[t.goal_part[p]] <= 0.0
        score, m = -_left(t, b, goal) / lacking * (0.7 + 0.6 * draw(b)), k
        while m > 0 and b.goal_score[m - 1] > score:
            b.goal_score[m], b.list_goal[m] = b.goal_score[m - 1], b.list_goal[m - 1]
            m -= 1
        b.goal_score[m], b.list_goal[m] = score, goal
    for k in range(b.counters[GOALS]):
        complete(t, b, b.list_goal[k])


@inner
def complete(t: Tables, b: Books, goal: int) -> bool:
    """Do what is lacking of a goal without displacing anything; nothing of it where that does not
    pay."""
    if not _left(t, b, goal) > _NOTHING:
        return False
    mark, before, reach = b.counters[LOG], b.total[0], t.goal_most[goal]
    for k in range(t.goal_part_first[goal], t.goal_part_first[goal + 1]):
        part = t.goal_part[k]
        if b.served[part] <= 0.0 and not _serve(t, b, part):
            reach -= t.part_share[part]
            if not _worth(t, goal, reach) > b.worth[goal]:
                break
    if b.total[0] > before:
        return True
    for k in range(b.counters[LOG] - 1, mark - 1, -1):
        entry = b.log[k]
        if entry > 0 and b.done[entry - 1]:
            remove(t, b, entry - 1)
    return False
