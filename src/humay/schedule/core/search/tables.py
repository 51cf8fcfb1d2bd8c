"""The problem as flat tables for the compiled search, and the search's own books."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.core.problem import Curve, Problem, Ragged, Store
from humay.schedule.core.search.late import lateness, served_parts

MEASURES = ("direction", "attitude", "plane", "axes")
DIRECTION, ATTITUDE, PLANE, AXES = range(4)
SIDE = 5
"""Columns of one side of a pose: four coordinates and the seconds of its own."""

MOST_LISTED = 600
"""Bundles that a move tries at most."""
LATE = 0.5
"""Goals whose lateness is at least this are moved as a whole, too."""
VAGUE_S = 1.0
"""Turning times between moving poses are known to about this before they are worked out."""


class Way(NamedTuple):
    """How the search goes about it: the largest share of a straight line in the goals' curves, the
    most acts taken out of a lane at once, how many bundles are tried in a lane, how often what the
    move is about is put in before all else, how often a goal is moved as a whole, and what a second
    of turning costs, in what a busy second is worth on average."""

    ease: float
    most: int
    listed: float
    force: float
    whole: float
    hurry: float


class Tables(NamedTuple):
    """What does not change. Rows that belong to an entry i of something stand at
    `x_first[i]` to `x_first[i + 1]`."""

    lane: IntArray
    low_s: FloatArray
    high_s: FloatArray
    duration_s: FloatArray
    bonus: FloatArray
    fixed: BoolArray
    grid_s: float
    pose_first: IntArray
    pose_from_s: FloatArray
    pose_step_s: FloatArray
    poses: FloatArray  # (m, 2 SIDE): arriving, leaving
    least_s: FloatArray  # (n, 2): the least seconds of a pose's own, arriving and leaving
    lane_first: IntArray  # where a lane's sequence stands
    vague_s: FloatArray  # of a lane: by how much `latest_s` may be wrong
    measure: IntArray
    rate: FloatArray
    acceleration: FloatArray
    settle_s: FloatArray
    lane_cand_first: IntArray  # candidates of a lane by `low_s`
    lane_cand: IntArray
    widest_s: FloatArray  # of a lane: the longest from `low_s` to the end of an act
    pair_first: IntArray
    pair: IntArray
    triple_first: IntArray
    triple: IntArray  # (k, 2): the other two
    budget_first: IntArray
    budget: IntArray
    budget_use: FloatArray
    budget_most: FloatArray
    store_first: IntArray  # stores of a lane
    store_node_first: IntArray
    store_node_s: FloatArray
    store_income: FloatArray
    store_initial: FloatArray
    store_capacity: FloatArray
    store_use: FloatArray  # (k, candidate): of the k-th store of its lane
    store_turn_use: FloatArray
    store_apart_s: FloatArray
    store_ways: FloatArray  # (k, candidate, 2): a second of the act: to come, to go back
    limit_first: IntArray  # sliding limits of a lane
    limit_s: FloatArray
    limit_per_s: FloatArray
    member_first: IntArray
    member: IntArray
    bundle_of_first: IntArray  # bundles of a candidate
    bundle_of: IntArray
    serve_first: IntArray
    serve: IntArray
    quality: FloatArray
    server_first: IntArray  # bundles that serve a part
    server: IntArray
    server_quality: FloatArray
    part_plain: BoolArray  # whether all that serves a part serves it whole
    part_goal: IntArray
    part_share: FloatArray
    goal_weight: FloatArray
    goal_curve: IntArray
    goal_part_first: IntArray  # parts of a goal that anything serves
    goal_part: IntArray
    goal_floor: FloatArray  # what a goal is worth while nothing of it is done
    goal_most: FloatArray  # how far a goal can be done
    late: IntArray  # goals that pay late
    curve_first: IntArray
    curve_level: FloatArray
    curve_worth: FloatArray
    best_only: bool


def tables_of(problem: Problem) -> Tables:
    """Flatten a problem; the rows of what belongs to a candidate or lane are grouped."""
    n, lanes = len(problem), len(problem.lanes)
    turns, poses, goals, bundles = problem.lanes, problem.poses, problem.goals, problem.bundles
    pair, triple = _neighbours(problem.pairs, n), _neighbours(problem.triples, n)
    budgets = problem.budgets
    budget_of = [
        (c, k, u)
        for k, budget in enumerate(budgets)
        for c, u in zip(budget.candidates, budget.use, strict=True)
    ]
    budget_of.sort(key=lambda entry: (entry[0], entry[1]))
    stores = sorted(problem.stores, key=lambda store: store.lane)
    limits = sorted(problem.limits, key=lambda entry: entry[0])
    by_low = np.lexsort((problem.low_s, problem.lane))
    by_low = by_low[problem.lane[by_low] >= 0]
    member_of = _inverse(bundles.members, n)
    servers = _inverse(bundles.serves, len(goals.part_goal))
    length = problem.high_s + problem.duration_s - problem.low_s
    parts = served_parts(problem)
    return Tables(
        lane=problem.lane,
        low_s=problem.low_s,
        high_s=problem.high_s,
        duration_s=problem.duration_s,
        bonus=problem.bonus,
        fixed=problem.fixed,
        grid_s=float(problem.grid_s),
        pose_first=poses.first,
        pose_from_s=poses.from_s,
        pose_step_s=poses.step_s,
        poses=np.column_stack([poses.arrive, poses.arrive_s, poses.leave, poses.leave_s]),
        least_s=np.stack(
            [np.minimum.reduceat(s, poses.first[:-1]) for s in (poses.arrive_s, poses.leave_s)],
            axis=-1,
        )
        if n
        else np.zeros((0, 2)),
        lane_first=_firsts(problem.lane[problem.lane >= 0], lanes),
        vague_s=np.where(_moving(problem), VAGUE_S, 0.0),
        measure=np.array([MEASURES.index(turn.measure) for turn in turns], dtype=np.int64),
        rate=_floats([turn.rate for turn in turns]),
        acceleration=_floats([turn.acceleration for turn in turns]),
        settle_s=_floats([turn.settle_s for turn in turns]),
        lane_cand_first=_firsts(problem.lane[problem.lane >= 0], lanes),
        lane_cand=by_low,
        widest_s=_floats([np.max(length[problem.lane == k], initial=0.0) for k in range(lanes)]),
        pair_first=pair[0],
        pair=pair[1].reshape(-1),
        triple_first=triple[0],
        triple=triple[1],
        budget_first=_firsts(np.array([c for c, _, _ in budget_of], dtype=np.int64), n),
        budget=np.array([k for _, k, _ in budget_of], dtype=np.int64),
        budget_use=_floats([u for _, _, u in budget_of]),
        budget_most=_floats([budget.most for budget in budgets]),
        store_first=_firsts(np.array([s.lane for s in stores], dtype=np.int64), lanes),
        store_node_first=_offsets([len(s.t_s) for s in stores]),
        store_node_s=_joined([s.t_s for s in stores]),
        store_income=_joined([np.append(s.income, 0.0) for s in stores]),
        store_initial=_floats([s.initial for s in stores]),
        store_capacity=_floats([s.capacity for s in stores]),
        store_use=_of_lane(problem, stores, [s.use for s in stores]),
        store_turn_use=_floats([s.turn_use for s in stores]),
        store_apart_s=_floats([s.apart_s for s in stores]),
        store_ways=np.stack(
            [
                _of_lane(problem, stores, [_a_second(s, s.come, problem) for s in stores]),
                _of_lane(problem, stores, [_a_second(s, s.back, problem) for s in stores]),
            ],
            axis=-1,
        ),
        limit_first=_firsts(np.array([lane for lane, _ in limits], dtype=np.int64), lanes),
        limit_s=_floats([limit.seconds for _, limit in limits]),
        limit_per_s=_floats([limit.per_s for _, limit in limits]),
        member_first=bundles.members.first,
        member=bundles.members.of,
        bundle_of_first=member_of[0],
        bundle_of=member_of[1],
        serve_first=bundles.serves.first,
        serve=bundles.serves.of,
        quality=bundles.quality,
        server_first=servers[0],
        server=servers[1],
        server_quality=bundles.quality[servers[2]],
        part_plain=np.bincount(
            bundles.serves.of, weights=bundles.quality < 1.0, minlength=len(goals.part_goal)
        )
        == 0,
        part_goal=goals.part_goal,
        part_share=goals.part_share,
        goal_weight=goals.weight,
        goal_curve=goals.curve,
        goal_part_first=parts.first,
        goal_part=parts.part,
        goal_floor=_floats(
            [w * goals.curves[c].at(0.0) for w, c in zip(goals.weight, goals.curve, strict=True)]
        ),
        goal_most=parts.most,
        late=np.flatnonzero(lateness(problem) >= LATE),
        curve_first=_offsets([len(curve.level) for curve in goals.curves]),
        curve_level=_joined([curve.level for curve in goals.curves]),
        curve_worth=_joined([curve.worth for curve in goals.curves]),
        best_only=goals.combine == "best",
    )


def _of_lane(problem: Problem, stores: Sequence[Store], values: Sequence[FloatArray]) -> FloatArray:
    """(k, n) of the values (n,) of every store, stores by lane, those of the k-th store of each
    candidate's own lane; zero where there is none."""
    lanes = [store.lane for store in stores]
    places = [lanes[:s].count(lane) for s, lane in enumerate(lanes)]
    found = np.zeros((max(places, default=-1) + 1, len(problem)))
    for lane, place, value in zip(lanes, places, values, strict=True):
        own = problem.lane == lane
        found[place, own] = value[own]
    return found


def _a_second(store: Store, way: FloatArray, problem: Problem) -> FloatArray:
    """(n,) what coming or going back draws in each second of an act."""
    if np.isinf(store.apart_s):
        return np.zeros(len(problem))
    return way / np.where(problem.duration_s > 0, problem.duration_s, np.inf)


def _moving(problem: Problem) -> BoolArray:
    """Lanes on which a pose depends on the start time."""
    several = problem.lane[np.diff(problem.poses.first) > 1]
    return np.bincount(several[several >= 0], minlength=len(problem.lanes)) > 0


def _floats(values: list[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _joined(arrays: list[FloatArray]) -> FloatArray:
    return np.concatenate([np.zeros(0), *arrays])


def _offsets(lengths: list[int]) -> IntArray:
    return np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))]).astype(np.int64)


def _firsts(owner: IntArray, count: int) -> IntArray:
    """Where the rows of each of `count` owners begin, rows sorted by owner."""
    return _offsets(np.bincount(owner, minlength=count).tolist())


def _inverse(rows: Ragged, count: int) -> tuple[IntArray, IntArray, IntArray]:
    """Firsts, the rows in which each of `count` entries stands, and where."""
    row = np.repeat(np.arange(len(rows)), np.diff(rows.first))
    order = np.argsort(rows.of, kind="stable")
    return _firsts(rows.of, count), row[order], order


def _neighbours(conflicts: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Of each candidate, the others (k, width - 1) in each of its conflicts."""
    width = conflicts.shape[1]
    owner = conflicts.reshape(-1)
    others = np.stack([np.delete(conflicts, k, axis=1) for k in range(width)], axis=1)
    order = np.argsort(owner, kind="stable")
    return _firsts(owner, n), np.ascontiguousarray(others.reshape(-1, width - 1)[order])


class Books(NamedTuple):
    """What the search knows of the solution it holds, and scratch."""

    done: BoolArray
    at_s: FloatArray  # start of what is done
    latest_s: FloatArray  # about the latest start of what is done that leaves the others room
    now: FloatArray  # (n, 2 SIDE): poses at `at_s`
    acts: IntArray  # how many a lane does
    seq: IntArray  # acts of a lane in order of time, at `lane_first`
    blocked: IntArray  # done candidates that exclude this one, by pairs
    used: FloatArray  # of each budget
    lacking: IntArray  # members of a bundle not done
    served: FloatArray  # of a part, 0 to 1
    wholly: IntArray  # bundles that are done and serve a part whole
    level: FloatArray  # of a goal
    worth: FloatArray  # of a goal
    total: FloatArray  # (4,): worth and bonus of all, seconds of turning; both before the move
    rng: np.ndarray[tuple[int], np.dtype[np.uint64]]
    scratch: FloatArray  # (4, 2 SIDE)
    pushed: IntArray  # acts moved by an insertion, and from where
    pushed_s: FloatArray
    saved_lane: IntArray  # lanes as they were before the move; stamp, count
    saved_count: IntArray
    saved_seq: IntArray
    saved_s: FloatArray
    saved_latest_s: FloatArray
    log: IntArray  # candidates put in (c + 1) and taken out (-c - 1) by the move
    hole_s: FloatArray  # (lanes, 2): where the move has made room, in lanes it touched
    loose: IntArray  # acts that followed what the move took out
    flow: FloatArray  # (n, k, 6): of what is done and the k-th store of its lane, see FLOW
    tail: FloatArray  # (stores, 4): the same after the last act
    stale_s: FloatArray  # (lanes, 2): where a lane has changed since `flow` was brought up to date
    moved_s: FloatArray  # (lanes, 2): where the move has changed it, in lanes it touched
    stamp: IntArray  # bundles listed by the move
    list_bundle: IntArray
    list_score: FloatArray
    goal_stamp: IntArray  # goals listed by the move
    list_goal: IntArray
    goal_score: FloatArray
    counters: IntArray  # see COUNTERS
    best_done: BoolArray
    best_s: FloatArray
    best_total: FloatArray  # (1,)
    fresh: IntArray  # candidates put in or taken out since the best was kept
    is_fresh: BoolArray
    fresh_lane: IntArray  # lanes changed since
    is_fresh_lane: BoolArray


ITERATION, LOG, LIST, STAMP, LOOSE, GOALS, FRESH, FRESH_LANES = range(8)
COUNTERS = 8
CHANGE, TOP, DIP, SILL, LEVEL, NEED = range(6)
"""Columns of `flow`. From the end of the act before, a level x comes to min(x + CHANGE, TOP) and
falls to min(x + DIP, SILL); the level at the act's end, and the least that all after it need."""


def books_of(problem: Problem, tables: Tables, seed: int) -> Books:
    """Empty books: nothing done yet."""
    n, bundles = len(problem), len(problem.bundles.members)
    goals, lanes = problem.goals, len(problem.lanes)
    laned = len(tables.lane_cand)
    widest = int(np.max(np.diff(problem.bundles.members.first), initial=0))
    # a move takes each candidate out once at most, and tries each listed bundle once or twice
    room = 4 * n + 4 * min(len(problem.bundles.members.of), MOST_LISTED * widest) + 64
    curves = [goals.curves[curve] for curve in goals.curve]
    worth = goals.weight * np.array([_at_zero(curve) for curve in curves], dtype=np.float64)
    total = float(np.sum(worth))
    return Books(
        done=np.zeros(n, dtype=bool),
        at_s=np.zeros(n),
        latest_s=np.zeros(n),
        now=np.zeros((n, 2 * SIDE)),
        acts=np.zeros(lanes, np.int64),
        seq=np.zeros(laned, np.int64),
        blocked=np.zeros(n, np.int64),
        used=np.zeros(len(problem.budgets)),
        lacking=np.diff(problem.bundles.members.first).astype(np.int64),
        served=np.zeros(len(goals.part_goal)),
        wholly=np.zeros(len(goals.part_goal), np.int64),
        level=np.zeros(len(goals.weight)),
        worth=worth,
        total=np.array([total, 0.0, total, 0.0]),
        rng=np.array([seed * 2 + 1], dtype=np.uint64),
        scratch=np.zeros((4, 2 * SIDE)),
        pushed=np.zeros(laned + 1, np.int64),
        pushed_s=np.zeros(laned + 1),
        saved_lane=np.zeros(lanes, np.int64),
        saved_count=np.zeros(lanes, np.int64),
        saved_seq=np.zeros(laned, np.int64),
        saved_s=np.zeros(laned),
        saved_latest_s=np.zeros(laned),
        log=np.zeros(room, np.int64),
        hole_s=np.zeros((lanes, 2)),
        loose=np.zeros(room, np.int64),
        flow=np.zeros((n, len(tables.store_use), 6)),
        tail=np.zeros((len(problem.stores), 4)),
        stale_s=np.tile([np.inf, -np.inf], (lanes, 1)),
        moved_s=np.tile([np.inf, -np.inf], (lanes, 1)),
        stamp=np.zeros(bundles, np.int64),
        list_bundle=np.zeros(bundles, np.int64),
        list_score=np.zeros(bundles),
        goal_stamp=np.zeros(len(goals.weight), np.int64),
        list_goal=np.zeros(len(goals.weight), np.int64),
        goal_score=np.zeros(len(goals.weight)),
        counters=np.zeros(COUNTERS, np.int64),
        best_done=np.zeros(n, dtype=bool),
        best_s=np.zeros(n),
        best_total=np.array([-np.inf]),
        fresh=np.zeros(n, np.int64),
        is_fresh=np.zeros(n, dtype=bool),
        fresh_lane=np.zeros(lanes, np.int64),
        is_fresh_lane=np.zeros(lanes, dtype=bool),
    )


def _at_zero(curve: Curve) -> float:
    return curve.at(0.0)
