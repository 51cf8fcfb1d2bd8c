"""Ruin and recreate: take a stretch out of the plan, put in what is worth most, keep or undo.

After Christiaens and Vanden Berghe, Slack induction by string removals (Transportation Science 54,
2020), carried over to choosing: what is put back competes with all that was left out nearby.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.compiled import inner, kernel
from humay.schedule.core.search.books import allowed, curve_at, enter, keep_best, leave, service
from humay.schedule.core.search.chance import draw
from humay.schedule.core.search.lanes import insert, refresh, restore, settle
from humay.schedule.core.search.recreate import put_in, recreate
from humay.schedule.core.search.ruin import ruin
from humay.schedule.core.search.stores import lane_holds, place_of, touch
from humay.schedule.core.search.tables import (
    GOALS,
    ITERATION,
    LIST,
    LOG,
    LOOSE,
    STAMP,
    Books,
    Tables,
    Way,
)
from humay.schedule.core.search.turns import start_at, turn_s


class Start(NamedTuple):
    """Where the search begins: another solution (n,), (n,) and the bundles or goals to be tried in
    order. All are empty where it only goes on."""

    done: BoolArray
    at_s: FloatArray
    order: IntArray


@inner
def begin_move(b: Books) -> None:
    b.counters[STAMP] += 1
    b.counters[LOG] = b.counters[LIST] = b.counters[LOOSE] = b.counters[GOALS] = 0
    b.total[2], b.total[3] = b.total[0], b.total[1]


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
    b.total[1] = b.total[3]


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
    b.total[1] = 0.0
    for lane in range(len(b.acts)):
        first = t.lane_first[lane]
        for k in range(first + 1, first + b.acts[lane]):
            b.total[1] += turn_s(t, lane, b.now, b.seq[k - 1], b.now, b.seq[k])


@inner
def price_of_second(t: Tables, b: Books) -> float:
    """What the lanes bring in, over the seconds in which they act or turn."""
    busy_s = b.total[1]
    for i in range(len(b.done)):
        if b.done[i] and t.lane[i] >= 0:
            busy_s += t.duration_s[i]
    return b.total[0] / busy_s if busy_s > 0.0 else 0.0


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
    for lane in range(len(b.acts)):
        lane_holds(t, b, lane)


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
    touch(b, lane, start_s)
    refresh(t, b, lane, b.acts[lane] - 1)


@inner
def begin(t: Tables, b: Books, start: Start) -> int:
    """Hold what the search starts from and what is fixed; the first fixed candidate that does not
    fit, or -1."""
    take_over(t, b, start)
    begin_move(b)
    if len(start.order) > 0:
        for i in range(len(b.done)):
            if t.fixed[i] and not b.done[i] and not (allowed(t, b, i) and insert(t, b, i, True)):
                return i
    return -1


@inner
def judge(t: Tables, b: Books, holds: bool, heat: float, price: float) -> None:
    """Keep a move, or put everything back. A second of turning has its price: among plans of one
    value that with more time left is nearer to a better one."""
    b.counters[ITERATION] += 1
    if holds and b.total[0] > b.best_total[0] + 1e-9:
        keep_best(t, b)
    gain = b.total[0] - b.total[2] - price * (b.total[1] - b.total[3])
    if not holds or gain < heat * math.log(max(draw(b), 1e-300)):
        undo(t, b)


@kernel
def run(t: Tables, b: Books, start: Start, way: Way, moves: int, hot: float, cooling: float) -> int:
    """Moves from a temperature (units of value) on, which falls to a share of it with each.

    Returns the first fixed candidate that does not fit, or -1. One kernel does all of it: the parts
    it shares are compiled once.
    """
    misfit = begin(t, b, start)
    for k in range(len(start.order)):
        begin_move(b)
        put_in(t, b, start.order[k], 0.0)
        if not settle(t, b):
            undo(t, b)
    recount(t, b)
    if len(start.order) > 0:
        keep_best(t, b)
    price = way.hurry * price_of_second(t, b)
    for k in range(moves):
        heat = hot * math.pow(cooling, k)
        begin_move(b)
        wish = ruin(t, b, way)
        if draw(b) < way.force:
            put_in(t, b, wish, 1.0)
        recreate(t, b, way.ease)
        judge(t, b, settle(t, b), heat, price)
    return misfit
