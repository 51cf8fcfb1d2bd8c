"""From the start of one candidate to the start of another: never more than it can be.

A turn depends on both of its ends in time. Starts of the first candidate are cut into slots; a
table holds, for each slot, a length of time which no start in it and no start of the second can
undercut. Inside a slot both poses are taken to move along as fast as their tables allow, relative
to each other, so that what is lost is small: at slots of 1 s, 0.03 s of 17 s on agile imaging.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.compiled import inner, kernel
from humay.schedule.core.problem import Measure, Problem, Turn

MEASURES: tuple[Measure, ...] = ("direction", "attitude", "plane", "axes")
DIRECTION, ATTITUDE, PLANE, AXES = range(4)
ARRIVE, LEAVE = 0, 1
Gaps: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float32]]
TOLERANCE_S = 5e-6
"""The judge lets each of two starts be 1e-6 s off and a turn be 1e-6 s late."""
SINGLE_S = 3e-5
"""What gaps lose when they are stored in single precision."""
_SURE_S = 1e-3
"""Steps of the march to a gap end here."""


class Sweeps(NamedTuple):
    """Candidates (n) and their poses' rows (m), arriving and leaving: a row's velocity is that to
    the next row, its error how far the velocity of the normalised pose may be from it."""

    first: IntArray
    from_s: FloatArray
    step_s: FloatArray
    low_s: FloatArray
    high_s: FloatArray
    duration_s: FloatArray
    pose: FloatArray  # (2, m, 4)
    extra_s: FloatArray  # (2, m)
    velocity: FloatArray  # (2, m, 4), a second
    error: FloatArray  # (2, m)
    fastest: FloatArray  # (2, n)
    idle: BoolArray  # (n,): moves no faster than its lane turns


class Law(NamedTuple):
    """How a lane turns, in numbers; the grid of starts, or 0; the widths of slots."""

    measure: int
    rate: float
    acceleration: float
    settle_s: float
    grid_s: float
    slot_s: float


class Arcs(NamedTuple):
    """Ordered pairs of candidates. The gaps of arc z stand from `row[z]` on in a table: one for
    each of `slots` slots of the first candidate from number `slot` on, or one for all."""

    before: IntArray
    after: IntArray
    row: IntArray
    slot: IntArray
    slots: IntArray


def law_of(turn: Turn, grid_s: float, slot_s: float) -> Law:
    return Law(
        MEASURES.index(turn.measure), turn.rate, turn.acceleration, turn.settle_s, grid_s, slot_s
    )


def sweeps_of(problem: Problem) -> Sweeps:
    poses = problem.poses
    curved = np.array([turn.measure in ("direction", "attitude") for turn in problem.lanes] + [0])
    of_row = np.repeat(curved[problem.lane], np.diff(poses.first)) == 1
    sides = (poses.arrive, poses.leave)
    motion = [_motion(poses.first, poses.step_s, pose, of_row) for pose in sides]
    speed = np.stack([np.linalg.norm(velocity, axis=1) + error for velocity, error in motion])
    return Sweeps(
        first=poses.first,
        from_s=poses.from_s,
        step_s=poses.step_s,
        low_s=problem.low_s,
        high_s=problem.high_s,
        duration_s=problem.duration_s,
        pose=np.stack(sides),
        extra_s=np.stack([poses.arrive_s, poses.leave_s]),
        velocity=np.stack([velocity for velocity, _ in motion]),
        error=np.stack([error for _, error in motion]),
        fastest=np.maximum.reduceat(speed, poses.first[:-1], axis=1),
        idle=_idle(problem),
    )


def _motion(
    first: IntArray, step_s: FloatArray, pose: FloatArray, curved: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """Velocities (m, 4) of the interpolated poses, and how much normalising may change them.

    Along a chord of length h whose points are at least `near` from the origin, the normalised pose
    moves across at 1/|p| of what the chord does across, and the chord's part along p is at most
    h / near of the whole.
    """
    chord = np.zeros_like(pose)
    chord[:-1] = pose[1:] - pose[:-1]
    chord[first[1:] - 1] = 0.0
    length = np.linalg.norm(chord, axis=1)
    foot = np.clip(-np.sum(pose * chord, axis=1) / np.maximum(length**2, 1e-300), 0.0, 1.0)
    near = np.maximum(np.linalg.norm(pose + foot[:, None] * chord, axis=1), 1e-12)
    far = np.maximum(np.linalg.norm(pose, axis=1), np.linalg.norm(pose + chord, axis=1))
    stretch = np.maximum(np.abs(1 / near - 1), np.abs(1 / np.maximum(far, 1e-12) - 1))
    velocity = chord / np.repeat(step_s, np.diff(first))[:, None]
    speed = np.linalg.norm(velocity, axis=1)
    return velocity, np.where(curved, speed * (length / near + stretch), 0.0)


def _idle(problem: Problem) -> BoolArray:
    """Whether a turn from the arriving to the leaving pose would fit into a candidate and its
    settling: a sequence goes on as soon without it. Between two rows, poses are nowhere further
    apart than at one of them, but for normalising."""
    poses, idle = problem.poses, np.ones(len(problem), dtype=bool)
    minus = np.linalg.norm(poses.arrive - poses.leave, axis=1)
    plus = np.linalg.norm(poses.arrive + poses.leave, axis=1)
    largest = np.max(np.abs(poses.arrive - poses.leave), axis=1, initial=0.0)
    for lane, turn in enumerate(problem.lanes):
        apart = {
            "direction": 2 * np.arcsin(np.minimum(0.5 * minus, 1.0)),
            "attitude": 4 * np.arcsin(np.minimum(0.5 * np.minimum(minus, plus), 1.0)),
            "plane": 2 * np.arctan(0.5 * minus),
            "axes": largest,
        }[turn.measure]
        farthest = np.maximum.reduceat(1.01 * apart, poses.first[:-1])
        fits = turn.seconds(farthest) - turn.settle_s <= problem.duration_s + turn.settle_s
        idle &= fits | (problem.lane != lane)
    return np.asarray(idle)


def longest_turn_s(problem: Problem, turn: Turn, own: IntArray) -> float:
    """No turn between candidates `own` of one lane takes longer: poses lie in a ball."""
    poses = problem.poses
    rows = np.concatenate([np.arange(poses.first[i], poses.first[i + 1]) for i in own])
    pose = np.concatenate([poses.arrive[rows], poses.leave[rows]])
    if turn.measure == "axes":
        across = float(np.max(pose.max(axis=0) - pose.min(axis=0)))
    elif turn.measure == "plane":
        across = 2 * math.atan(float(np.max(np.linalg.norm(pose - pose.mean(axis=0), axis=1))))
    else:
        across = _widest_angle(pose, turn.measure)
    extra = float(np.max(poses.arrive_s[rows]) + np.max(poses.leave_s[rows]))
    return float(turn.seconds(np.array(across))) + extra


def _widest_angle(pose: FloatArray, measure: Measure) -> float:
    """Twice the largest angle from the first pose, at most half a circle."""
    pose = pose / np.linalg.norm(pose, axis=1)[:, None]
    cosine = pose @ pose[0]
    if measure == "attitude":
        return min(4 * float(np.arccos(np.clip(np.min(np.abs(cosine)), 0, 1))), math.pi)
    return min(2 * float(np.arccos(np.clip(np.min(cosine), -1, 1))), math.pi)


@inner
def _point(s: Sweeps, law: Law, side: int, i: int, t_s: float, out: FloatArray, row: int) -> None:
    """Write the pose of candidate i, begun at `t_s`, into a row of `out` (2, 4)."""
    first, last = s.first[i], s.first[i + 1] - 1
    low, share = first, 0.0
    if last > first:
        at = (t_s - s.from_s[i]) / s.step_s[i]
        low = first + min(max(math.floor(at), 0), last - first - 1)
        share = min(max(at - (low - first), 0.0), 1.0)
    high, size = min(low + 1, last), 0.0
    for k in range(4):
        out[row, k] = (1.0 - share) * s.pose[side, low, k] + share * s.pose[side, high, k]
        size += out[row, k] * out[row, k]
    if law.measure == DIRECTION or law.measure == ATTITUDE:
        size = math.sqrt(size)
        for k in range(4):
            out[row, k] /= size


@inner
def _chord(measure: int, pose: FloatArray) -> float:
    """How far apart the two rows of `pose` are in the space they are written in."""
    minus, plus, largest = 0.0, 0.0, 0.0
    for k in range(4):
        minus += (pose[0, k] - pose[1, k]) ** 2
        plus += (pose[0, k] + pose[1, k]) ** 2
        largest = max(largest, abs(pose[0, k] - pose[1, k]))
    if measure == AXES:
        return largest
    return math.sqrt(min(minus, plus) if measure == ATTITUDE else minus)


@inner
def _turn_s(law: Law, chord: float) -> float:
    """`Turn.seconds` of what lies a chord apart, without settling."""
    if chord <= 0.0:
        return 0.0
    if law.measure == DIRECTION:
        apart = 2.0 * math.asin(min(0.5 * chord, 1.0))
    elif law.measure == ATTITUDE:
        apart = 4.0 * math.asin(min(0.5 * chord, 1.0))
    elif law.measure == PLANE:
        apart = 2.0 * math.atan(0.5 * chord)
    else:
        apart = chord
    if math.isinf(law.acceleration):
        return apart / law.rate
    if apart * law.acceleration > law.rate * law.rate:
        return apart / law.rate + law.rate / law.acceleration
    return 2.0 * math.sqrt(apart / law.acceleration)


@inner
def _cell(s: Sweeps, i: int, t_s: float) -> int:
    """Between which rows of candidate i an instant lies: -1 before, the last row after them."""
    last = s.first[i + 1] - 1 - s.first[i]
    return int(min(max(math.floor((t_s - s.from_s[i]) / s.step_s[i]), -1), last))


@inner
def _last_cell(s: Sweeps, i: int, t_s: float) -> int:
    """As `_cell`, of the time just before an instant."""
    last = s.first[i + 1] - 1 - s.first[i]
    return int(min(max(math.ceil((t_s - s.from_s[i]) / s.step_s[i]) - 1, -1), last))


@inner
def _speed(s: Sweeps, measure: int, i: int, p: int, j: int, q: int) -> float:
    """How fast the leaving pose of i in its cell p and the arriving one of j in q part."""
    a, b = s.first[i] + p, s.first[j] + q
    one, two, apart, largest, error = 0.0, 0.0, 0.0, 0.0, 0.0
    if p >= 0:
        error += s.error[LEAVE, a]
    if q >= 0:
        error += s.error[ARRIVE, b]
    for k in range(4):
        u = s.velocity[LEAVE, a, k] if p >= 0 else 0.0
        v = s.velocity[ARRIVE, b, k] if q >= 0 else 0.0
        one += u * u
        two += v * v
        apart += (u - v) * (u - v)
        largest = max(largest, abs(u - v))
    if measure == AXES:
        return largest + error
    if measure == ATTITUDE:  # either sign of a quaternion may be the nearer one
        return math.sqrt(one) + math.sqrt(two) + error
    return math.sqrt(apart) + error


@inner
def _least_extra_s(s: Sweeps, side: int, i: int, low_s: float, high_s: float) -> float:
    """The least extra seconds of i for starts between two instants."""
    last = s.first[i + 1] - 1 - s.first[i]
    low, high = max(_cell(s, i, low_s), 0), min(_cell(s, i, high_s) + 1, last)
    least = np.inf
    for row in range(s.first[i] + low, s.first[i] + high + 1):
        least = min(least, s.extra_s[side, row])
    return least


class Pair(NamedTuple):
    """Two candidates, one after the other, of which the first begins in [`low_s`, `high_s`];
    `pose` (2, 4) is scratch."""

    i: int
    j: int
    low_s: float
    high_s: float
    pose: FloatArray


@inner
def _fastest(s: Sweeps, law: Law, p: Pair, begin_s: float, end_s: float) -> float:
    """How fast the two poses part at most, while the second begins in [begin, end]."""
    fastest = 0.0
    if p.high_s > p.low_s:
        for k in range(_cell(s, p.i, p.low_s), _last_cell(s, p.i, p.high_s) + 1):
            for h in range(_cell(s, p.j, begin_s), _last_cell(s, p.j, end_s) + 1):
                fastest = max(fastest, _speed(s, law.measure, p.i, k, p.j, h))
    return fastest


@inner
def _need_s(s: Sweeps, law: Law, p: Pair, gap_s: float, more_s: float) -> float:
    """What lies between starts of the first and starts of the second that are at least `gap_s`, at
    most `more_s` longer, after them: at least this."""
    middle_s, half_s = 0.5 * (p.low_s + p.high_s), 0.5 * (p.high_s - p.low_s)
    begin_s, end_s = middle_s + gap_s - half_s, middle_s + gap_s + more_s + half_s
    _point(s, law, LEAVE, p.i, middle_s, p.pose, 0)
    _point(s, law, ARRIVE, p.j, middle_s + gap_s, p.pose, 1)
    leaves, arrives = s.fastest[LEAVE, p.i], s.fastest[ARRIVE, p.j]
    moved = half_s * _fastest(s, law, p, begin_s, end_s) + more_s * arrives
    chord = _chord(law.measure, p.pose) - moved - TOLERANCE_S * (leaves + arrives)
    extra_s = _least_extra_s(s, LEAVE, p.i, p.low_s, p.high_s)
    extra_s += _least_extra_s(s, ARRIVE, p.j, begin_s, end_s)
    turn_s = law.settle_s + extra_s + _turn_s(law, chord)
    return float(s.duration_s[p.i] + turn_s - TOLERANCE_S)


@inner
def _step_s(s: Sweeps, law: Law, p: Pair, gap_s: float, need_s: float) -> float:
    """How much longer a gap has to be at least, when it needs `need_s`: 0 if that is not sure."""
    more_s = need_s - gap_s
    while more_s >= _SURE_S:
        least_s = _need_s(s, law, p, gap_s, more_s) - gap_s
        if least_s >= 0.25 * more_s:
            return min(more_s, least_s)
        more_s *= 0.5
    return 0.0


@inner
def _gap_s(s: Sweeps, law: Law, p: Pair) -> float:
    """The least time from starts of the first to a start of the second; infinite where there is
    none. Marched from below, never past a gap that might do."""
    middle_s, half_s = 0.5 * (p.low_s + p.high_s), 0.5 * (p.high_s - p.low_s)
    gap_s = max(s.duration_s[p.i] + law.settle_s, s.low_s[p.j] - p.high_s) - TOLERANCE_S
    if law.grid_s > 0.0:
        gap_s = math.ceil((middle_s + gap_s) / law.grid_s) * law.grid_s - middle_s
    while middle_s + gap_s - half_s <= s.high_s[p.j] + TOLERANCE_S:
        need_s = _need_s(s, law, p, gap_s, 0.0)
        if need_s <= gap_s:
            return float(gap_s)
        step_s = law.grid_s if law.grid_s > 0.0 else _step_s(s, law, p, gap_s, need_s)
        if step_s == 0.0:
            return float(gap_s)
        gap_s += step_s
    return np.inf


@inner
def _fill(s: Sweeps, law: Law, arcs: Arcs, z: int, table: Gaps, pose: FloatArray) -> None:
    """One row of the table, backwards: a later start of the first is open to an earlier one."""
    i, j, later_s = arcs.before[z], arcs.after[z], np.inf
    for k in range(arcs.slots[z] - 1, -1, -1):
        low_s = (arcs.slot[z] + k) * law.slot_s
        high_s = low_s
        if law.grid_s == 0.0:
            high_s = min(high_s + law.slot_s, s.high_s[i])
            low_s = min(max(low_s, s.low_s[i]), high_s)
        later_s = min(_gap_s(s, law, Pair(i, j, low_s, high_s, pose)), law.slot_s + later_s)
        table[arcs.row[z] + k] = later_s - SINGLE_S


@kernel
def fill_gaps(s: Sweeps, law: Law, arcs: Arcs, table: Gaps, pose: FloatArray) -> None:
    """Fill the rows of all arcs of a table; `pose` (2, 4) is scratch. Between poses that do not
    move, the gap is what the turn takes."""
    for z in range(len(arcs.row)):
        if arcs.slots[z] == 0:
            t_s = s.low_s[arcs.before[z]]
            pair = Pair(arcs.before[z], arcs.after[z], t_s, t_s, pose)
            table[arcs.row[z]] = _need_s(s, law, pair, 0.0, 0.0) - SINGLE_S
        else:
            _fill(s, law, arcs, z, table, pose)
