"""Agile point imaging over a day: `benchmarks/agile.py [FILE.npz ...]`, options as in `solving`.

The instances are NumPy archives; their rules stand in the README beside them. A window is a
candidate, a satellite a lane, a request a goal of one part. Solutions are written as CSV with the
columns task, satellite and start_s, by satellite and time.
"""

from __future__ import annotations

import csv
import math
import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.solving import Adapter, main

from humay.arrays import FloatArray, IntArray
from humay.schedule.core import Budget, Bundles, Goals, Poses, Problem, Solution, Turn, no_conflicts

SETTLE_S, RATE_DEG_S, ACCELERATION_DEG_S2 = 5.0, 3.5, 0.5
IMAGING_S_PER_ORBIT = 220.0
SLACK_S = 1e-6
FILES = ("sat2_req1000_seed7.npz", "sat2_req1000_seed11.npz")


@dataclass(frozen=True, kw_only=True, eq=False)
class Instance:
    """Requests (r) and windows (w) as in the archive: window i has the rows `off[i]` to
    `off[i + 1]` of pointing vectors `att` (m, 3), one for each whole second from `t0[i]`."""

    weight: FloatArray
    dur: FloatArray
    task: IntArray
    sat: IntArray
    t0: FloatArray
    t1: FloatArray
    orb: IntArray
    off: IntArray
    att: FloatArray


def read(path: Path) -> Instance:
    """An instance; durations and edges of windows must be whole seconds, as its tables are."""
    with np.load(path) as archive:
        instance = Instance(**{name: archive[name] for name in archive.files})
    for name in ("dur", "t0", "t1"):
        given = getattr(instance, name)
        if np.any(given != np.round(given)):
            raise ValueError(f"{path}: {name} is not in whole seconds")
    if np.any(np.diff(instance.off) != instance.t1 - instance.t0 + 1):
        raise ValueError(f"{path}: a window has not one pointing vector for each second")
    return instance


def problem(instance: Instance) -> Problem:
    """The abstract problem: starts are continuous, poses tabulated at whole seconds."""
    n, duration = len(instance.task), instance.dur[instance.task]
    turn = Turn(
        measure="direction", rate=math.radians(RATE_DEG_S),
        acceleration=math.radians(ACCELERATION_DEG_S2), settle_s=SETTLE_S,
    )  # fmt: skip
    return Problem(
        lanes=(turn,) * (int(instance.sat.max()) + 1),
        lane=instance.sat,
        low_s=instance.t0,
        high_s=instance.t1 - duration,
        duration_s=duration,
        poses=_poses(instance, duration),
        bundles=Bundles.singles(instance.task),
        goals=Goals.singles(instance.weight),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
        budgets=_budgets(instance, duration),
    )


def _poses(instance: Instance, duration: FloatArray) -> Poses:
    """Rows for starts at whole seconds, as far as the image still ends inside its window."""
    whole = duration.astype(np.int64)
    rows = np.diff(instance.off) - whole
    first = np.concatenate([[0], np.cumsum(rows)])
    arrive = np.repeat(instance.off[:-1] - first[:-1], rows) + np.arange(first[-1])
    pose = np.pad(instance.att, ((0, 0), (0, 1)))
    none = np.zeros(first[-1])
    return Poses(
        first=first, from_s=instance.t0, step_s=np.ones(len(rows)), arrive=pose[arrive],
        leave=pose[arrive + np.repeat(whole, rows)], arrive_s=none, leave_s=none,
    )  # fmt: skip


def _budgets(instance: Instance, duration: FloatArray) -> tuple[Budget, ...]:
    """A satellite's imaging on each orbit."""
    own = np.stack([instance.sat, instance.orb], axis=1)
    orbits, which = np.unique(own, axis=0, return_inverse=True)
    members = [np.flatnonzero(which == k) for k in range(len(orbits))]
    return tuple(Budget(candidates=m, use=duration[m], most=IMAGING_S_PER_ORBIT) for m in members)


def write(instance: Instance, problem: Problem, solution: Solution, path: Path) -> None:
    """One line for each image; starts in full digits."""
    lane = problem.lane[solution.candidates]
    order = np.lexsort((solution.start_s, lane))
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("task", "satellite", "start_s"))
        for i, start_s in zip(solution.candidates[order], solution.start_s[order], strict=True):
            table.writerow((instance.task[i], instance.sat[i], repr(float(start_s))))


def judge(instance: Instance, path: Path) -> float:
    """The sum of weights of a written solution, by plain code that reads the archive alone."""
    with path.open(newline="") as file:
        images = sorted(
            (int(row["satellite"]), float(row["start_s"]), int(row["task"]))
            for row in csv.DictReader(file)
        )
    tasks = [task for _, _, task in images]
    if len(set(tasks)) != len(tasks):
        raise ValueError(f"{path}: a request is imaged twice")
    windows = [_window(instance, *image) for image in images]
    used: dict[tuple[int, int], float] = {}
    for (satellite, _, task), window in zip(images, windows, strict=True):
        orbit = (satellite, int(instance.orb[window]))
        used[orbit] = used.get(orbit, 0.0) + float(instance.dur[task])
        if used[orbit] > IMAGING_S_PER_ORBIT + SLACK_S:
            raise ValueError(f"{path}: {used[orbit]} s of imaging on satellite and orbit {orbit}")
    acts = list(zip(images, windows, strict=True))
    for ((before, start_s, task), i), ((after, next_s, _), j) in pairwise(acts):
        end_s = start_s + float(instance.dur[task])
        slew_s = _slew_s(_pointing(instance, i, end_s), _pointing(instance, j, next_s))
        if before == after and next_s - end_s < slew_s - SLACK_S:
            raise ValueError(f"{path}: {next_s - end_s} s after task {task}, a slew of {slew_s} s")
    return math.fsum(float(instance.weight[task]) for task in tasks)


def _window(instance: Instance, satellite: int, start_s: float, task: int) -> int:
    """The window which an image lies in."""
    for w in np.flatnonzero((instance.task == task) & (instance.sat == satellite)):
        late = instance.t1[w] - instance.dur[task]
        if instance.t0[w] - SLACK_S <= start_s <= late + SLACK_S:
            return int(w)
    raise ValueError(f"task {task} of satellite {satellite} at {start_s} s lies in no window")


def _pointing(instance: Instance, window: int, t_s: float) -> list[float]:
    rows = instance.att[instance.off[window] : instance.off[window + 1]]
    at = min(max(t_s - float(instance.t0[window]), 0.0), len(rows) - 1.0)
    k = min(int(at), len(rows) - 2)
    low, high = rows[k].tolist(), rows[k + 1].tolist()
    mixed = [(1 - at + k) * a + (at - k) * b for a, b in zip(low, high, strict=True)]
    return [x / math.hypot(*mixed) for x in mixed]


def _slew_s(a: list[float], b: list[float]) -> float:
    """From rest to rest, and settling: bang, coast, bang over the angle between directions."""
    cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    angle = math.degrees(math.atan2(math.hypot(*cross), dot))
    if angle < RATE_DEG_S**2 / ACCELERATION_DEG_S2:
        return SETTLE_S + 2 * math.sqrt(angle / ACCELERATION_DEG_S2)
    return SETTLE_S + angle / RATE_DEG_S + RATE_DEG_S / ACCELERATION_DEG_S2


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "agile"
    main(
        Adapter(family="agile imaging", read=read, problem=problem, write=write, judge=judge),
        [str(data / name) for name in FILES],
    )
