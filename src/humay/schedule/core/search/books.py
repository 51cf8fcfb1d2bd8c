"""Keeping the books: what a candidate done or undone changes of goals, budgets and conflicts."""

from __future__ import annotations

from humay.compiled import inner
from humay.schedule.core.search.tables import FRESH, FRESH_LANES, LOG, Books, Tables

_REACHED = 1e-9  # a jump of a curve counts from this much below it, as in `Curve.at`


@inner
def curve_at(t: Tables, curve: int, level: float) -> float:
    """`Curve.at`."""
    first, last = t.curve_first[curve], t.curve_first[curve + 1] - 1
    right = first
    while right <= last and t.curve_level[right] <= level + _REACHED:
        right += 1
    if right == first:
        return float(t.curve_worth[first])
    if right > last:
        return float(t.curve_worth[last])
    low, high = t.curve_level[right - 1], t.curve_level[right]
    share = min(max((level - low) / (high - low), 0.0), 1.0)
    rise = t.curve_worth[right] - t.curve_worth[right - 1]
    return float(t.curve_worth[right - 1] + share * rise)


@inner
def service(t: Tables, b: Books, part: int) -> float:
    """How well a part is served by the bundles that are done."""
    missing = 1.0
    for k in range(t.server_first[part], t.server_first[part + 1]):
        if b.lacking[t.server[k]] == 0:
            left = 1.0 - t.server_quality[k]
            missing = min(missing, left) if t.best_only else missing * left
    return 1.0 - missing


@inner
def serve_again(t: Tables, b: Books, bundle: int, step: int) -> None:
    """Bring parts and goals up to date: a bundle is done from now on (step 1) or not (-1)."""
    for k in range(t.serve_first[bundle], t.serve_first[bundle + 1]):
        part = t.serve[k]
        if t.quality[k] >= 1.0:
            b.wholly[part] += step
        if b.wholly[part] > 0:
            now = 1.0
        elif t.part_plain[part]:
            now = 0.0
        else:
            now = service(t, b, part)
        if now == b.served[part]:
            continue
        goal = t.part_goal[part]
        b.level[goal] += t.part_share[part] * (now - b.served[part])
        b.served[part] = now
        worth = t.goal_weight[goal] * curve_at(t, t.goal_curve[goal], b.level[goal])
        b.total[0] += worth - b.worth[goal]
        b.worth[goal] = worth


@inner
def note(b: Books, i: int) -> None:
    """Candidate i is put in or taken out."""
    if not b.is_fresh[i]:
        b.is_fresh[i] = True
        b.fresh[b.counters[FRESH]] = i
        b.counters[FRESH] += 1


@inner
def note_lane(b: Books, lane: int) -> None:
    """A lane is about to change."""
    if not b.is_fresh_lane[lane]:
        b.is_fresh_lane[lane] = True
        b.fresh_lane[b.counters[FRESH_LANES]] = lane
        b.counters[FRESH_LANES] += 1


@inner
def keep_best(t: Tables, b: Books) -> None:
    """Note what is done as the best, where it differs from the last."""
    b.best_total[0] = b.total[0]
    for k in range(b.counters[FRESH]):
        i = b.fresh[k]
        b.best_done[i], b.best_s[i], b.is_fresh[i] = b.done[i], b.at_s[i], False
    for k in range(b.counters[FRESH_LANES]):
        lane = b.fresh_lane[k]
        b.is_fresh_lane[lane] = False
        for row in range(t.lane_first[lane], t.lane_first[lane] + b.acts[lane]):
            b.best_s[b.seq[row]] = b.at_s[b.seq[row]]
    b.counters[FRESH] = b.counters[FRESH_LANES] = 0


@inner
def enter(t: Tables, b: Books, i: int) -> None:
    """Candidate i is done from now on."""
    b.done[i] = True
    note(b, i)
    b.log[b.counters[LOG]] = i + 1
    b.counters[LOG] += 1
    b.total[0] += t.bonus[i]
    for k in range(t.pair_first[i], t.pair_first[i + 1]):
        b.blocked[t.pair[k]] += 1
    for k in range(t.budget_first[i], t.budget_first[i + 1]):
        b.used[t.budget[k]] += t.budget_use[k]
    for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
        bundle = t.bundle_of[k]
        b.lacking[bundle] -= 1
        if b.lacking[bundle] == 0:
            serve_again(t, b, bundle, 1)


@inner
def leave(t: Tables, b: Books, i: int) -> None:
    """Candidate i is no longer done."""
    b.done[i] = False
    note(b, i)
    b.log[b.counters[LOG]] = -i - 1
    b.counters[LOG] += 1
    b.total[0] -= t.bonus[i]
    for k in range(t.pair_first[i], t.pair_first[i + 1]):
        b.blocked[t.pair[k]] -= 1
    for k in range(t.budget_first[i], t.budget_first[i + 1]):
        b.used[t.budget[k]] -= t.budget_use[k]
    for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
        bundle = t.bundle_of[k]
        b.lacking[bundle] += 1
        if b.lacking[bundle] == 1:
            serve_again(t, b, bundle, -1)


@inner
def allowed(t: Tables, b: Books, i: int) -> bool:
    """Whether pairs, triples and budgets let candidate i in."""
    if b.done[i] or b.blocked[i] > 0:
        return False
    for k in range(t.triple_first[i], t.triple_first[i + 1]):
        if b.done[t.triple[k, 0]] and b.done[t.triple[k, 1]]:
            return False
    for k in range(t.budget_first[i], t.budget_first[i + 1]):
        most = t.budget_most[t.budget[k]]
        if b.used[t.budget[k]] + t.budget_use[k] > most * (1.0 + 1e-12) + 1e-9:
            return False
    return True


@inner
def wanted(t: Tables, b: Books, i: int) -> bool:
    """Whether a done candidate serves a bundle that is done."""
    if t.fixed[i] or t.bonus[i] > 0.0:
        return True
    for k in range(t.bundle_of_first[i], t.bundle_of_first[i + 1]):
        if b.lacking[t.bundle_of[k]] == 0:
            return True
    return False


@inner
def gain(t: Tables, b: Books, bundle: int, ease: float) -> float:
    """What doing the rest of a bundle would add to the value.

    `ease` (0 to 1) mixes the goal's curve with a straight line, so that the first steps towards a
    goal that pays at its end count, too.
    """
    total, goal, more = 0.0, -1, 0.0
    for k in range(t.serve_first[bundle], t.serve_first[bundle + 1]):
        part = t.serve[k]
        if t.part_goal[part] != goal:
            total += _goal_gain(t, b, goal, more, ease)
            goal, more = t.part_goal[part], 0.0
        left = 1.0 - b.served[part]
        better = t.quality[k] - b.served[part] if t.best_only else t.quality[k] * left
        more += t.part_share[part] * max(better, 0.0)
    total += _goal_gain(t, b, goal, more, ease)
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        if not b.done[t.member[k]]:
            total += t.bonus[t.member[k]]
    return total


@inner
def _goal_gain(t: Tables, b: Books, goal: int, more: float, ease: float) -> float:
    if goal < 0 or more <= 0.0:
        return 0.0
    curve = t.goal_curve[goal]
    exact = t.goal_weight[goal] * curve_at(t, curve, b.level[goal] + more) - b.worth[goal]
    return float((1.0 - ease) * exact + ease * t.goal_weight[goal] * more)
