"""The abstract scheduling problem: what can be done, when, beside what, and what it is worth.

It knows nothing of satellites. *Candidates* can be done once each, at a start time of their own,
on a *lane* that does one thing at a time and has to turn between two, or beside all lanes. A
*bundle* of candidates, done together, serves *parts* of *goals*; a goal is worth a curve of the
share of it that is done. The mission and every benchmark are mapped onto this one problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray, frozen
from humay.errors import PlanError

Measure: TypeAlias = Literal["direction", "attitude", "plane", "axes"]
"""How far apart two poses are: the angle between unit vectors (3); the angle of the turn between
quaternions (4); the angle 2 atan(d / 2) between points of a plane seen from one unit above it; the
largest difference of a coordinate."""

Combine: TypeAlias = Literal["any", "best"]
"""How bundles that serve one part add up: as independent chances, 1 - product of (1 - quality), or
by the best quality alone. With qualities of 1 the two are the same."""

NO_LANE = -1


def _freeze(record: object) -> None:
    """Arrays of a record are its own and read-only: integers as int64, numbers as float64.

    One that is so already, and nobody's view, is taken as it is: poses may fill half a gigabyte.
    """
    for each in fields(record):  # type: ignore[arg-type]  # every caller is a dataclass
        value = getattr(record, each.name)
        if isinstance(value, np.ndarray):
            kind = {"i": np.int64, "u": np.int64, "b": np.bool_}.get(value.dtype.kind, np.float64)
            if value.flags.writeable or value.base is not None or value.dtype != kind:
                object.__setattr__(record, each.name, frozen(value, kind))


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The time a lane takes between two poses that are a distance apart: rest to rest under a rate
    and an acceleration limit, and settling after it. Infinite limits take no time."""

    measure: Measure
    rate: float
    acceleration: float = np.inf
    settle_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rate", "acceleration"):
            if not getattr(self, name) > 0:
                raise PlanError(f"turn: {name} is {getattr(self, name)}, expected > 0")
        if not 0 <= self.settle_s < np.inf:
            raise PlanError(f"turn: settle_s is {self.settle_s}, expected >= 0 and finite")

    def seconds(self, distance: FloatArray) -> FloatArray:
        """The shortest time (s) over distances (...), settling included: bang, coast, bang."""
        rate, a = self.rate, self.acceleration
        if np.isinf(a):
            return np.asarray(distance / rate + self.settle_s)
        coasting = distance / rate + rate / a if rate < np.inf else np.inf
        bang = 2 * np.sqrt(distance / a)
        return np.asarray(np.where(distance * a > rate**2, coasting, bang) + self.settle_s)


@dataclass(frozen=True, kw_only=True)
class SlidingLimit:
    """At most `seconds` of doing in any stretch of `per_s`."""

    seconds: float
    per_s: float

    def __post_init__(self) -> None:
        if not (self.seconds >= 0 and self.per_s > 0):
            raise PlanError(f"sliding limit {self.seconds} s in {self.per_s} s, expected >= 0, > 0")


@dataclass(frozen=True, kw_only=True, eq=False)
class Store:
    """What a lane draws on while it works: a battery, or its free memory.

    `income` (k - 1,) a second flows in between the times `t_s` (k,), which span the whole problem;
    it may be negative. The level begins at `initial`, is cut at `capacity` and must never fall
    below zero. A candidate draws `use` (n,) a second while it is done, and the turn before it
    `turn_use` a second, in the seconds just before its start. Where more than `apart_s` lie between
    two, or none comes before or after, the lane rests in between: instead of its turn, a candidate
    then draws what it takes to `come` (n,) to it and to go `back` (n,), evenly while it is done.
    """

    lane: int
    t_s: FloatArray
    income: FloatArray
    initial: float
    capacity: float
    use: FloatArray
    turn_use: float = 0.0
    apart_s: float = np.inf
    come: FloatArray = field(default_factory=lambda: np.zeros(0))
    back: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        _freeze(self)
        rests = self.come.shape == self.back.shape == self.use.shape
        if np.isfinite(self.apart_s) and not rests:
            raise PlanError(
                f"store of lane {self.lane}: {len(self.come)} ways there and {len(self.back)} back,"
                f" expected {len(self.use)}"
            )
        if self.t_s.ndim != 1 or len(self.t_s) < 2 or not np.all(np.diff(self.t_s) > 0):
            raise PlanError(f"store of lane {self.lane}: times are not at least two and rising")
        if self.income.shape != (len(self.t_s) - 1,):
            raise PlanError(
                f"store of lane {self.lane}: {len(self.income)} incomes, expected"
                f" {len(self.t_s) - 1}"
            )
        if not 0 <= self.initial <= self.capacity:
            raise PlanError(
                f"store of lane {self.lane}: begins at {self.initial}, expected 0 to"
                f" {self.capacity}"
            )
        if not (np.all(np.isfinite(self.use)) and np.all(np.isfinite(self.income))):
            raise PlanError(f"store of lane {self.lane}: uses and incomes must be finite")


@dataclass(frozen=True, kw_only=True, eq=False)
class Budget:
    """Candidates that together may use `most`: `use` (k,) of each of `candidates` (k,)."""

    candidates: IntArray
    use: FloatArray
    most: float

    def __post_init__(self) -> None:
        _freeze(self)
        if self.candidates.shape != self.use.shape or self.use.ndim != 1:
            raise PlanError(f"budget: {self.candidates.shape} candidates and {self.use.shape} uses")
        if not (np.all(self.use >= 0) and self.most >= 0):
            raise PlanError("budget: uses and what they may add up to must not be negative")


@dataclass(frozen=True, kw_only=True, eq=False)
class Poses:
    """Where a lane points when a candidate is begun and left, tabulated over its start time.

    Candidate i has the rows `first[i]` to `first[i + 1]`, for starts at `from_s[i]` and every
    `step_s[i]` on; between rows the poses are interpolated linearly (directions and attitudes are
    normalised; quaternions of neighbouring rows lie in one hemisphere). `arrive` and `leave`
    (m, 4): unused columns are zero. `arrive_s` and `leave_s` (m,) are seconds which the turn takes
    besides, before it ends and after it begins.
    """

    first: IntArray
    from_s: FloatArray
    step_s: FloatArray
    arrive: FloatArray
    leave: FloatArray
    arrive_s: FloatArray
    leave_s: FloatArray

    def __post_init__(self) -> None:
        _freeze(self)
        n, m = len(self.from_s), int(self.first[-1])
        shapes = {"first": (n + 1,), "step_s": (n,), "arrive": (m, 4), "leave": (m, 4),
                  "arrive_s": (m,), "leave_s": (m,)}  # fmt: skip
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise PlanError(f"poses: {name} is {getattr(self, name).shape}, expected {shape}")
        if self.first[0] != 0 or np.any(np.diff(self.first) < 1):
            raise PlanError("poses: every candidate needs a row")
        if np.any(self.arrive_s < 0) or np.any(self.leave_s < 0):
            raise PlanError("poses: turning takes no time below zero")

    @classmethod
    def at_rest(cls, arrive: FloatArray, leave: FloatArray) -> Poses:
        """Poses (n, up to 4) that do not depend on the start time."""
        n = len(arrive)
        return cls(
            first=np.arange(n + 1), from_s=np.zeros(n), step_s=np.ones(n),
            arrive=_four(arrive), leave=_four(leave), arrive_s=np.zeros(n), leave_s=np.zeros(n),
        )  # fmt: skip


def _four(pose: FloatArray) -> FloatArray:
    return np.pad(np.asarray(pose, dtype=np.float64), ((0, 0), (0, 4 - pose.shape[1])))


@dataclass(frozen=True, kw_only=True, eq=False)
class Ragged:
    """Rows of different length: row i is `of[first[i]:first[i + 1]]`."""

    first: IntArray
    of: IntArray

    def __post_init__(self) -> None:
        _freeze(self)
        if self.first[0] != 0 or self.first[-1] != len(self.of) or np.any(np.diff(self.first) < 0):
            raise PlanError(f"rows run to {self.first[-1]}, expected {len(self.of)} and none back")

    def __len__(self) -> int:
        return len(self.first) - 1

    def __getitem__(self, i: int) -> IntArray:
        return self.of[self.first[i] : self.first[i + 1]]

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[int]]) -> Ragged:
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        flat = [int(i) for row in rows for i in row]
        return cls(first=np.concatenate([[0], np.cumsum(lengths)]), of=np.array(flat, np.int64))

    @classmethod
    def singles(cls, of: IntArray) -> Ragged:
        """One entry in every row."""
        return cls(first=np.arange(len(of) + 1), of=of)


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """What a goal is worth, as a share of its weight, at each level: straight between the nodes,
    flat outside. Two nodes at one level are a jump: at it, the second counts."""

    level: FloatArray
    worth: FloatArray

    def __post_init__(self) -> None:
        _freeze(self)
        if len(self.level) != len(self.worth) or not len(self.level):
            raise PlanError(f"curve: {len(self.level)} levels and {len(self.worth)} worths")
        if np.any(np.diff(self.level) < 0) or np.any(np.diff(self.worth) < 0):
            raise PlanError("curve: levels and worths must not fall")

    def at(self, level: float) -> float:
        """The worth at a level; a jump counts from 1e-9 below it on, for sums of shares."""
        right = int(np.searchsorted(self.level, level + 1e-9, side="right"))
        if right == 0:
            return float(self.worth[0])
        if right == len(self.level):
            return float(self.worth[-1])
        low, high = self.level[right - 1], self.level[right]
        share = min(max((level - low) / (high - low), 0.0), 1.0)
        return float(self.worth[right - 1] + share * (self.worth[right] - self.worth[right - 1]))


LINEAR = Curve(level=np.array([0.0, 1.0]), worth=np.array([0.0, 1.0]))
WHOLE = Curve(level=np.array([0.0, 1.0, 1.0]), worth=np.array([0.0, 0.0, 1.0]))
"""Nothing before all of it is done."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Goals:
    """What is wanted. Goal g is worth `weight[g]` x `curves[curve[g]]` of the sum, over its parts,
    of `share` x how well the part is served."""

    weight: FloatArray
    curve: IntArray
    part_goal: IntArray
    part_share: FloatArray
    curves: tuple[Curve, ...] = (LINEAR,)
    combine: Combine = "any"

    def __post_init__(self) -> None:
        _freeze(self)
        if self.weight.shape != self.curve.shape or self.part_goal.shape != self.part_share.shape:
            raise PlanError("goals: a weight and a curve for each, a goal and a share a part")
        if not (np.all(self.weight >= 0) and np.all(np.isfinite(self.weight))):
            raise PlanError("goals: weights must be finite and not negative")
        if len(self.curve) and not 0 <= self.curve.min() <= self.curve.max() < len(self.curves):
            raise PlanError(f"goals: curves are numbered to {len(self.curves) - 1}")
        if len(self.part_goal) and not (
            0 <= self.part_goal.min() <= self.part_goal.max() < len(self.weight)
        ):
            raise PlanError(f"goals: parts of {len(self.weight)} goals name others")
        if not np.all(self.part_share >= 0):
            raise PlanError("goals: shares must not be negative")

    @classmethod
    def singles(cls, weight: FloatArray) -> Goals:
        """Each goal has one part."""
        n = len(weight)
        return cls(
            weight=weight, curve=np.zeros(n, np.int64), part_goal=np.arange(n),
            part_share=np.ones(n),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Bundles:
    """Bundle b is done when all its `members` are; it then serves the parts `serves[b]` with the
    qualities (0 to 1) beside them in `quality`."""

    members: Ragged
    serves: Ragged
    quality: FloatArray

    def __post_init__(self) -> None:
        _freeze(self)
        if len(self.members) != len(self.serves) or len(self.quality) != len(self.serves.of):
            raise PlanError("bundles: members and parts for each, a quality for each part served")
        if np.any(np.diff(self.members.first) < 1):
            raise PlanError("bundles: a bundle without members")
        if not np.all((self.quality >= 0) & (self.quality <= 1)):
            raise PlanError("bundles: qualities must lie between 0 and 1")

    def whole(self, done: BoolArray) -> BoolArray:
        """Which bundles (b,) are done, where `done` (n,) says which candidates are."""
        if not len(self.members):
            return np.zeros(0, dtype=bool)
        return np.logical_and.reduceat(done[self.members.of], self.members.first[:-1])

    @classmethod
    def singles(cls, part: IntArray) -> Bundles:
        """Candidate i alone serves part[i] whole."""
        n = len(part)
        return cls(
            members=Ragged.singles(np.arange(n)), serves=Ragged.singles(part), quality=np.ones(n)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Candidates (n) and all they stand under.

    `lane` is `NO_LANE` for what is done beside all lanes; it has no time. Starts lie in
    [`low_s`, `high_s`], on multiples of `grid_s` where that is not zero. `bonus` is added to the
    value for each candidate done, and may be negative: the price of a change, for instance. What
    is `fixed` is done in every solution. `pairs` (k, 2) and `triples` (k, 3) never go together.
    """

    lanes: tuple[Turn, ...]
    lane: IntArray
    low_s: FloatArray
    high_s: FloatArray
    duration_s: FloatArray
    poses: Poses
    bundles: Bundles
    goals: Goals
    bonus: FloatArray
    fixed: np.ndarray[tuple[int], np.dtype[np.bool_]]
    pairs: IntArray
    triples: IntArray
    budgets: tuple[Budget, ...] = ()
    stores: tuple[Store, ...] = ()
    limits: tuple[tuple[int, SlidingLimit], ...] = ()
    grid_s: float = 0.0

    def __post_init__(self) -> None:
        _freeze(self)
        n = len(self.lane)
        for name in ("low_s", "high_s", "duration_s", "bonus", "fixed"):
            if getattr(self, name).shape != (n,):
                raise PlanError(f"problem: {name} is {getattr(self, name).shape}, expected {(n,)}")
        if len(self.poses.from_s) != n:
            raise PlanError(f"problem: poses of {len(self.poses.from_s)} candidates, expected {n}")
        if n and not NO_LANE <= self.lane.min() <= self.lane.max() < len(self.lanes):
            raise PlanError(f"problem: lanes are numbered to {len(self.lanes) - 1}")
        timed = self.lane != NO_LANE
        bad = np.flatnonzero(timed & ~(self.low_s <= self.high_s))
        if len(bad):
            i = bad[0]
            raise PlanError(
                f"candidate {i} starts from {self.low_s[i]} to {self.high_s[i]} s, expected a start"
            )
        if np.any(self.duration_s < 0) or not np.all(np.isfinite(self.bonus)):
            raise PlanError("problem: durations must not be negative and bonuses must be finite")
        for name, width in (("pairs", 2), ("triples", 3)):
            self._check_conflicts(name, getattr(self, name), width)
        self._check_references()

    def _check_conflicts(self, name: str, rows: IntArray, width: int) -> None:
        n = len(self.lane)
        if rows.ndim != 2 or rows.shape[1] != width:
            raise PlanError(f"problem: {name} are {rows.shape}, expected (k, {width})")
        if len(rows) and not 0 <= rows.min() <= rows.max() < n:
            raise PlanError(f"problem: {name} name candidates beyond {n - 1}")
        ordered = np.sort(rows, axis=1)
        if np.any(ordered[:, 1:] == ordered[:, :-1]):
            raise PlanError(f"problem: {name} name one candidate twice")

    def _check_references(self) -> None:
        n, parts = len(self.lane), len(self.goals.part_goal)
        for what, rows, count in (
            ("bundles: members", self.bundles.members.of, n),
            ("bundles: parts", self.bundles.serves.of, parts),
            *(("budget: candidates", budget.candidates, n) for budget in self.budgets),
        ):
            if len(rows) and not 0 <= rows.min() <= rows.max() < count:
                raise PlanError(f"{what} are numbered to {count - 1}")
        for lane in [s.lane for s in self.stores] + [lane for lane, _ in self.limits]:
            if not 0 <= lane < len(self.lanes):
                raise PlanError(f"a store or limit of lane {lane}, of {len(self.lanes)}")
        for store in self.stores:
            if store.use.shape != (n,):
                raise PlanError(f"store: {store.use.shape} uses, expected {(n,)}")

    def __len__(self) -> int:
        return len(self.lane)


def no_conflicts(width: int) -> IntArray:
    """An empty list of pairs or triples."""
    return np.zeros((0, width), dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """What is done: candidates (k,) by lane and time, and when each starts (k,) s (0 beside all
    lanes)."""

    candidates: IntArray
    start_s: FloatArray

    def __post_init__(self) -> None:
        _freeze(self)
        if self.candidates.shape != self.start_s.shape:
            raise PlanError(
                f"solution: {len(self.candidates)} candidates and {len(self.start_s)} starts"
            )
