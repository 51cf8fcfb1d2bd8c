"""The mission's plan as an abstract problem, and what the search found as acts to be tried.

The abstract problem leaves out what only the whole plan tells: the way through the idle attitude,
the antenna's holds, which data goes down when. It stands near enough that what is found holds
nearly always; what does not is dropped when the plan is put together exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, product

import numpy as np

from humay.access import Opportunities, Pointing
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.core import (
    Budget,
    Bundles,
    Poses,
    Problem,
    Ragged,
    SlidingLimit,
    Solution,
    Store,
    Turn,
    no_conflicts,
    store_draws,
    violations,
)
from humay.schedule.duty import orbit_budgets, warmth_store
from humay.schedule.held import NOTHING, Held
from humay.schedule.planner import Lane
from humay.schedule.resources import BATTERY_MARGIN, Battery
from humay.schedule.sequence import SHORTEST_IDLE_S, Act, panel_watt
from humay.schedule.slews import Agility, State, resting_after, resting_before, slew_time
from humay.schedule.starts import lone_starts
from humay.schedule.unacknowledged import waiting_budgets, waiting_store
from humay.schedule.worth import Worth

GRID_S = 1e-3
"""Starts are whole milliseconds, as in plan.json."""
SPARE_S = 2e-3
"""Of every slew, for what interpolating its ends leaves open."""
_INCOME_STEP_S = 120.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Mapped:
    """A problem, the opportunity (k,) that each of its candidates is, and which of its stores are
    batteries."""

    problem: Problem
    rows: IntArray
    batteries: frozenset[int] = frozenset()

    def under(self, lanes: Mapping[str, Lane]) -> Mapped:
        """The same with what the acts of lanes leave the batteries, exactly: the nearer a solution
        is to them, the nearer it is to the truth."""
        owners, stores = list(lanes.values()), list(self.problem.stores)
        for k in self.batteries:
            lane = stores[k].lane
            own = np.flatnonzero(self.problem.lane == lane).tolist()
            candidate = {int(self.rows[i]): i for i in own}
            income = _true_income(owners[lane], stores[k], candidate)
            stores[k] = replace(stores[k], income=income)
        return replace(self, problem=replace(self.problem, stores=tuple(stores)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Choice:
    """An opportunity in one stretch of start times."""

    row: int
    lane: int
    low_s: float
    high_s: float


def problem_of(
    lanes: Mapping[str, Lane],
    worth: Worth,
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    held: Held = NOTHING,
) -> Mapped:
    """Candidates for every start that lanes, commands, outages and a previous plan allow, whatever
    the lanes hold."""
    names = list(lanes)
    choices = _choices(lanes, opportunities, pointing, held.others(worth), held.stays)
    choices += [
        _Choice(row=row, lane=names.index(promise.satellite), low_s=start_s, high_s=start_s)
        for promise, row in held.frozen
        for start_s in [round(promise.start_s / GRID_S) * GRID_S]
    ]
    rows = np.array([choice.row for choice in choices], dtype=np.int64)
    lane = np.array([choice.lane for choice in choices], dtype=np.int64)
    duration_s = np.round(opportunities.scan_s[rows], 6)
    samples = [_samples(pointing[row]) for row in rows]
    poses = poses_of(list(lanes.values()), lane, samples)
    stores = [
        store
        for k, each in enumerate(lanes.values())
        for store in _stores(each, k, lane == k, duration_s, samples)
    ]
    low_s = np.array([choice.low_s for choice in choices], dtype=np.float64)
    high_s = np.array([choice.high_s for choice in choices], dtype=np.float64)
    batteries = [k for k, store in enumerate(stores) if store.apart_s < math.inf]
    return Mapped(
        problem=_held_fast(
            Problem(
                lanes=tuple(turn_of(each) for each in lanes.values()),
                lane=lane,
                low_s=low_s,
                high_s=high_s,
                duration_s=duration_s,
                poses=poses,
                bundles=bundles_of(worth, rows),
                goals=worth.guiding,
                bonus=held.bonus(rows, worth),
                fixed=np.isin(rows, list(held.stays)),
                pairs=np.concatenate([_apart(worth, rows), held.rivals(rows, worth)]),
                triples=no_conflicts(3),
                budgets=_most_looks(worth, rows)
                + _most_in_orbits(lanes, lane, low_s, high_s, duration_s)
                + _most_waiting(lanes, lane, low_s + duration_s, high_s + duration_s, samples),
                stores=tuple(stores),
                limits=tuple(
                    (k, SlidingLimit(seconds=limit.seconds, per_s=limit.per_s))
                    for k, each in enumerate(lanes.values())
                    for limit in each.satellite.imaging_limits
                ),
                grid_s=GRID_S,
            )
        ),
        rows=rows,
        batteries=frozenset(batteries),
    )


def _most_in_orbits(
    lanes: Mapping[str, Lane],
    lane: IntArray,
    low_s: FloatArray,
    high_s: FloatArray,
    duration_s: FloatArray,
) -> tuple[Budget, ...]:
    """What may be done in an orbit."""
    budgets: list[Budget] = []
    for k, each in enumerate(lanes.values()):
        limit, timeline = each.satellite.orbit_limit, each.choreography.guard.timeline
        own = np.flatnonzero(lane == k)
        if limit is not None:
            budgets += orbit_budgets(limit, timeline, own, low_s[own], high_s[own], duration_s[own])
    return tuple(budgets)


def _most_waiting(
    lanes: Mapping[str, Lane],
    lane: IntArray,
    first_end_s: FloatArray,
    last_end_s: FloatArray,
    samples: Sequence[Pointing],
) -> tuple[Budget, ...]:
    """What memory that waits for acknowledgement holds."""
    bits = _most_bits(samples)
    return tuple(
        budget
        for k, each in enumerate(lanes.values())
        if each.acknowledges
        for own in [np.flatnonzero(lane == k)]
        for budget in waiting_budgets(each, own, first_end_s[own], last_end_s[own], bits[own])
    )


def _most_bits(samples: Sequence[Pointing]) -> FloatArray:
    """What each candidate records at most."""
    return np.array([float(np.max(each.data_bit)) for each in samples], dtype=np.float64)


def _held_fast(problem: Problem) -> Problem:
    """What stays of a previous plan holds exactly; it needs no spare to be slewn to. Where it does
    not hold in the abstract, it is worth more than all else together instead of being fixed."""
    fixed = np.flatnonzero(problem.fixed)
    if not len(fixed):
        return problem
    arrive_s = np.array(problem.poses.arrive_s)
    for i in fixed:
        own = slice(problem.poses.first[i], problem.poses.first[i + 1])
        arrive_s[own] = np.maximum(arrive_s[own] - 2 * SPARE_S, 0.0)
    problem = replace(problem, poses=replace(problem.poses, arrive_s=arrive_s))
    order = fixed[np.lexsort((problem.low_s[fixed], problem.lane[fixed]))]
    if not violations(problem, Solution(candidates=order, start_s=problem.low_s[order])):
        return problem
    most = float(np.sum(problem.goals.weight)) + float(np.sum(problem.bonus))
    return replace(
        problem,
        bonus=problem.bonus + np.where(problem.fixed, most, 0.0),
        fixed=np.zeros(len(problem), dtype=bool),
    )


def _samples(pointing: Pointing | None) -> Pointing:
    if pointing is None:
        raise AssertionError("a candidate without pointing samples")
    return pointing


def turn_of(lane: Lane) -> Turn:
    rate, acceleration = lane.choreography.agility.at_best()
    return Turn(
        measure="attitude",
        rate=rate,
        acceleration=acceleration,
        settle_s=SPARE_S,
    )


def _choices(
    lanes: Mapping[str, Lane],
    o: Opportunities,
    pointing: Sequence[Pointing | None],
    again: BoolArray,
    stays: AbstractSet[int],
) -> list[_Choice]:
    """The stretches of whole milliseconds in which opportunities can begin, but for those that
    image `again` what `stays`."""
    of_lane: dict[str, list[tuple[int, Pointing]]] = {name: [] for name in lanes}
    for row, (name, samples) in enumerate(zip(o.satellite.tolist(), pointing, strict=True)):
        if samples is not None and row not in stays and not again[row]:
            of_lane[str(name)].append((row, samples))
    found = []
    for number, (name, own) in enumerate(of_lane.items()):
        rows, samples_of = [row for row, _ in own], [samples for _, samples in own]
        for row, low, high in lone_starts(lanes[name], rows, o, samples_of):
            first = math.ceil(low / GRID_S - 1e-6) * GRID_S
            last = math.floor(high / GRID_S + 1e-6) * GRID_S
            if first <= last:
                found.append(_Choice(row=row, lane=number, low_s=first, high_s=last))
    return sorted(found, key=lambda choice: (choice.row, choice.low_s))


def poses_of(lanes: Sequence[Lane], lane: IntArray, samples: Sequence[Pointing]) -> Poses:
    """At rest before settling, and at rest again after the last line."""
    counts = np.array([len(each.start_s) for each in samples], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(counts)])
    arrive, leave = np.zeros((first[-1], 4)), np.zeros((first[-1], 4))
    arrive_s, leave_s = np.zeros(first[-1]), np.zeros(first[-1])
    for k, owner in enumerate(lanes):
        own = np.flatnonzero(lane == k).tolist()
        if not own:
            continue
        at = np.concatenate([np.arange(first[i], first[i + 1]) for i in own])
        settling = _joined([samples[i].settle_attitude for i in own])
        rate = _joined([samples[i].settle_rate_rad_s for i in own])
        agility, settle_s = owner.choreography.agility, owner.satellite.settle_s
        arrive[at], go_s = resting_before(State(attitude=settling, rate_rad_s=rate), agility)
        last = _joined([samples[i].last_attitude for i in own])
        rate = _joined([samples[i].last_rate_rad_s for i in own])
        leave[at], leave_s[at] = resting_after(State(attitude=last, rate_rad_s=rate), agility)
        arrive_s[at] = go_s + settle_s
    inner = np.ones(first[-1], dtype=bool)
    inner[first[:-1]] = False
    for quaternions in (arrive, leave):
        _into_one_hemisphere(quaternions, inner)
    for values in (arrive, leave, arrive_s, leave_s):
        values.setflags(write=False)
    return Poses(
        first=first,
        from_s=np.array([each.start_s[0] for each in samples], dtype=np.float64),
        step_s=np.array([each.start_s[1] - each.start_s[0] for each in samples], dtype=np.float64),
        arrive=arrive,
        leave=leave,
        arrive_s=arrive_s,
        leave_s=leave_s,
    )


def _joined(arrays: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate(arrays)


def _into_one_hemisphere(quaternions: FloatArray, inner: BoolArray) -> None:
    """Give attitudes (m, 4) the sign of the one before them, where they are `inner` (m,)."""
    apart = np.einsum("mi,mi->m", quaternions[1:], quaternions[:-1]) < 0
    sign = np.ones(len(quaternions))
    sign[1:][apart & inner[1:]] = -1.0
    quaternions *= np.cumprod(sign)[:, None]


def _candidates(rows: IntArray) -> dict[int, list[int]]:
    """The candidates of each opportunity."""
    found: dict[int, list[int]] = {}
    for i, row in enumerate(rows.tolist()):
        found.setdefault(row, []).append(i)
    return found


def _apart(worth: Worth, rows: IntArray) -> IntArray:
    """Pairs (k, 2) of candidates whose opportunities are never done together."""
    candidates = _candidates(rows)
    pairs = [
        pair
        for i, j in worth.apart.tolist()
        for pair in product(candidates.get(i, []), candidates.get(j, []))
    ]
    if worth.counts_clouds:  # of one window, two attempts see the same clouds
        pairs += [pair for own in candidates.values() for pair in combinations(own, 2)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _most_looks(worth: Worth, rows: IntArray) -> tuple[Budget, ...]:
    """Opportunities of which only so many are done."""
    candidates = _candidates(rows)
    found = []
    for cap in worth.most:
        own = [i for row in cap.candidates.tolist() for i in candidates.get(row, [])]
        found.append(
            Budget(candidates=np.array(own, np.int64), use=np.ones(len(own)), most=cap.most)
        )
    return tuple(found)


def bundles_of(worth: Worth, rows: IntArray) -> Bundles:
    """The bundles of opportunities in every choice of the candidates (n,) that these are."""
    candidates = _candidates(rows)
    of, members, parts = worth.bundles, [], []
    quality: list[float] = []
    for b, part in enumerate(of.serves.of.tolist()):
        for choice in product(*(candidates.get(row, []) for row in of.members[b].tolist())):
            members.append(choice)
            parts.append(part)
            quality.append(float(of.quality[b]))
    return Bundles(
        members=Ragged.from_rows(members),
        serves=Ragged.singles(np.array(parts, dtype=np.int64)),
        quality=np.array(quality, dtype=np.float64),
    )


# Stores ------------------------------------------------------------------------------------------


def _stores(
    lane: Lane,
    number: int,
    own: np.ndarray[tuple[int], np.dtype[np.bool_]],
    duration_s: FloatArray,
    samples: Sequence[Pointing],
) -> list[Store]:
    stores = []
    if np.isfinite(lane.satellite.memory_bit):
        bit_s = np.zeros(len(duration_s))
        for i in np.flatnonzero(own).tolist():
            bit_s[i] = float(np.max(samples[i].data_bit)) / max(duration_s[i], 1e-6)
        stores.append(_memory(lane, number, bit_s))
    if lane.satellite.thermal is not None:
        stores.append(warmth_store(lane.satellite.thermal, number, lane.span, own))
    if lane.battery is not None:
        stores.append(_battery(lane, number, np.flatnonzero(own), duration_s, samples))
    return stores


def _memory(lane: Lane, number: int, use_bit_s: FloatArray) -> Store:
    """Free memory: passes make room as fast as they could take data, or when that is told."""
    if lane.acknowledges:
        return waiting_store(lane, number, use_bit_s)
    low, high = lane.span
    stretches = [stretch for p in lane.passes for stretch in p.stretches]
    t_s = np.unique(np.concatenate([[low], _sending(lane).ravel(), [high]]))
    middle = 0.5 * (t_s[1:] + t_s[:-1])
    income = np.zeros(len(middle))
    for s in stretches:
        inside = (middle > s.start_s) & (middle < s.end_s)
        income[inside] = np.maximum(income[inside], s.bit_s)
    memory = lane.satellite.memory_bit
    return Store(
        lane=number,
        t_s=t_s,
        income=income,
        initial=memory - lane.satellite.memory_used_bit,
        capacity=memory,
        use=use_bit_s,
    )


def _sending(lane: Lane) -> FloatArray:
    """Stretches (k, 2) of passes in which data can go down."""
    stretches = [(s.start_s, s.end_s) for p in lane.passes for s in p.stretches]
    return np.clip(np.array(stretches, dtype=np.float64).reshape(-1, 2), *lane.span)


def _battery(
    lane: Lane,
    number: int,
    own: IntArray,
    duration_s: FloatArray,
    samples: Sequence[Pointing],
) -> Store:
    """Charge above the floor and its margin, with the panels in the idle attitude.

    Between acts with a minute to spare the satellite goes back to idle, else straight on. For what
    all this leaves out see `Mapped.under`.
    """
    battery = lane.battery
    if battery is None:
        raise AssertionError("a store of a battery that is not there")
    power = battery.power
    low, high = lane.span
    sending = _sending(lane)
    t_s = np.unique(np.concatenate([np.arange(low, high, _INCOME_STEP_S), sending.ravel(), [high]]))
    middle = 0.5 * (t_s[1:] + t_s[:-1])
    harvest = np.interp(middle, battery.timeline.t_s, battery.idle_watt)
    floor = battery.floor_j + BATTERY_MARGIN * power.battery_j
    use, come, back = np.zeros((3, len(duration_s)))
    if len(own):
        spent = _spent(lane, battery, duration_s[own], [samples[i] for i in own.tolist()])
        use[own], come[own], back[own] = spent.act_j / duration_s[own], spent.come_j, spent.back_j
    return Store(
        lane=number,
        t_s=t_s,
        income=harvest - power.platform_w,
        initial=max(power.initial_charge * power.battery_j - floor, 0.0),
        capacity=power.battery_j - floor,
        use=use,
        turn_use=power.slew_w + (float(np.mean(spent.missed_w)) if len(own) else 0.0),
        apart_s=SHORTEST_IDLE_S + (float(np.median(spent.slews_s)) if len(own) else 0.0),
        come=come,
        back=back,
    )


def _true_income(lane: Lane, store: Store, candidate: Mapping[int, int]) -> FloatArray:
    """The income with which the store runs as the battery does under the acts of its lane.

    `candidate` numbers opportunities.
    """
    acts = [act for act in lane.acts if act.row in candidate]
    agility, settle_s = lane.choreography.agility, lane.satellite.settle_s
    draws = store_draws(
        store,
        [candidate[act.row] for act in acts],
        np.array([act.start_s for act in acts]),
        np.array([act.end_s for act in acts]),
        np.array([0.0] + [_turn_s(a, b, agility) + settle_s for a, b in pairwise(acts)]),
    )
    begin_s, end_s, use = draws.T
    drawn = np.sum(use * (np.clip(store.t_s[:, None], begin_s, end_s) - begin_s), axis=1)
    segments = lane.segments(lane.acts)
    if segments is None:
        raise AssertionError(f"the acts of {lane.satellite.name!r} do not join up")
    t_s, free_j = lane.balance(segments, lane.downlinks(lane.acts, segments))
    level_j = np.interp(store.t_s, t_s, free_j) + drawn
    return np.asarray(np.diff(level_j) / np.diff(store.t_s))


def _turn_s(before: Act, after: Act, agility: Agility) -> float:
    return float(slew_time(before.last, after.settle, agility))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Spent:
    """What acts (k,) cost: loads, and what the panels do not give while they look elsewhere."""

    act_j: FloatArray
    come_j: FloatArray
    back_j: FloatArray
    missed_w: FloatArray
    slews_s: FloatArray


def _spent(
    lane: Lane, battery: Battery, duration_s: FloatArray, samples: Sequence[Pointing]
) -> _Spent:
    """At the middle of their starts; in a slew the panels give the mean of its two ends."""
    power, timeline, choreography = battery.power, battery.timeline, lane.choreography
    middle = [len(each.start_s) // 2 for each in samples]
    start_s = np.array([each.start_s[m] for each, m in zip(samples, middle, strict=True)])

    def state(kind: str) -> State:
        attitude = [getattr(e, f"{kind}_attitude")[m] for e, m in zip(samples, middle, strict=True)]
        rate = [getattr(e, f"{kind}_rate_rad_s")[m] for e, m in zip(samples, middle, strict=True)]
        return State(attitude=np.array(attitude), rate_rad_s=np.array(rate))

    settle, last = state("settle"), state("last")
    agility = choreography.agility
    there_s = slew_time(choreography.idle.state(start_s), settle, agility)
    back_s = slew_time(last, choreography.idle.state(start_s + duration_s), agility)
    settle_s = lane.satellite.settle_s
    given = panel_watt(power, timeline, start_s, settle.attitude)
    missed_w = np.interp(start_s, timeline.t_s, battery.idle_watt) - given
    slewing_w = power.slew_w + 0.5 * missed_w
    return _Spent(
        act_j=power.imaging_w * duration_s
        + power.slew_w * settle_s
        + missed_w * (duration_s + settle_s),
        come_j=slewing_w * there_s,
        back_j=slewing_w * back_s,
        missed_w=missed_w,
        slews_s=there_s + back_s,
    )
