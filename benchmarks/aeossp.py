"""AEOSSP standard cases: `benchmarks/aeossp.py [FOLDER ...]`, options as in `solving`.

From the benchmark of https://github.com/Mtrya/astro-reason (MIT): 20 to 40 satellites with element
sets, 12 h, thousands of point tasks with windows and kinds of sensor, bang-coast-bang slews, a
battery. A pass in which a satellite can do a task is a candidate, a satellite a lane, a task a goal
of one part; starts lie on the grid of actions. Solutions are JSON as the benchmark wants it.

Judged by a plain reading of its rules (`aeossp_rules`), and, where HUMAY_ASTRO_REASON names a
checkout or git directory of that repository, by its authors' own verifier besides. `value` is the
weight of the tasks done, `wcr` its share of all weight. What others have of that on the five cases
of `test`:

    independent sets  0.7057  0.7763  0.7837  0.7395  0.7858  mean 0.7582
    upper bound       0.7121  0.7889  0.7953  0.7453  0.7981  mean 0.7679

(the authors' solver run with its published profile, judged by their verifier; column generation
over the sequences of each satellite).

Passes are as long as the verifier allows, but for what its arithmetic leaves open (brahe's SGP4
differs by 1 cm): 2e-6 deg off nadir, 1e-4 s of settling, 50 m of shadow. What the abstract problem
does not have is kept on the safe side: every start leaves time for a slew from nadir since the
horizon's start, as if it were its satellite's first; the battery keeps back what the longest such
slew draws, and gets nothing in a cell of the resource grid that has any shadow in it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.aeossp_case import (
    Case,
    Satellite,
    gcrf_from_itrf,
    positions_itrf,
    read,
)
from benchmarks.aeossp_rules import moment, weight_done
from benchmarks.brahe_sky import shadow_margin_m
from benchmarks.peers.astro_reason import VARIABLE, check
from benchmarks.solving import Adapter, main

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.core import (
    Bundles,
    Goals,
    Poses,
    Problem,
    Solution,
    Store,
    Turn,
    no_conflicts,
)

CASES = ("test/case_0001", "test/case_0003")
COARSE_S = 60
GRAVITY_M_S2 = 9.9  # nowhere more, outside of the Earth
ANGLE_MARGIN_DEG, SETTLE_MARGIN_S, SHADOW_MARGIN_M, ENERGY_MARGIN_WH = 2e-6, 1e-4, 50.0, 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Passes:
    """Runs of starts (p,) on the grid of actions: satellite, task, first start, how many; and for
    all starts in turn the unit vectors (m, 4) to the target, GCRF, when it begins and ends."""

    satellite: IntArray
    task: IntArray
    start_s: IntArray
    starts: IntArray
    arrive: FloatArray
    leave: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Tasks:
    """Columns (n,) of a case's tasks; places (n, 3) in ITRF."""

    r_itrf: FloatArray
    release_s: IntArray
    due_s: IntArray
    duration_s: IntArray
    weight: FloatArray
    sensor: tuple[str, ...]

    @classmethod
    def of(cls, case: Case) -> Tasks:
        names = ("r_itrf", "release_s", "due_s", "duration_s", "weight")
        columns = {name: np.array([getattr(t, name) for t in case.tasks]) for name in names}
        return cls(sensor=tuple(t.sensor for t in case.tasks), **columns)


def problem(case: Case) -> Problem:
    """The abstract problem: passes as candidates, poses at each start of the grid."""
    tasks = Tasks.of(case)
    t_s = np.arange(0.0, case.horizon_s + 1, case.geometry_s)
    turned = gcrf_from_itrf(case, t_s)
    own = [
        _passes(case, k, tasks, positions_itrf(case, satellite, t_s), turned)
        for k, satellite in enumerate(case.satellites)
    ]
    passes = Passes(**{
        name: np.concatenate([getattr(each, name) for each in own])
        for name in Passes.__dataclass_fields__
    })  # fmt: skip
    n, low_s = len(passes.task), passes.start_s.astype(np.float64)
    none = np.zeros(len(passes.arrive))
    return Problem(
        lanes=tuple(map(_turn, case.satellites)),
        lane=passes.satellite,
        low_s=low_s,
        high_s=low_s + (passes.starts - 1) * case.action_s,
        duration_s=tasks.duration_s[passes.task].astype(np.float64),
        poses=Poses(
            first=np.concatenate([[0], np.cumsum(passes.starts)]), from_s=low_s,
            step_s=np.full(n, case.action_s), arrive=passes.arrive, leave=passes.leave,
            arrive_s=none, leave_s=none,
        ),
        bundles=Bundles.singles(passes.task),
        goals=Goals.singles(tasks.weight),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
        stores=tuple(_battery(case, k, n) for k in range(len(case.satellites))),
        grid_s=float(case.action_s),
    )  # fmt: skip


def _turn(satellite: Satellite) -> Turn:
    return Turn(
        measure="direction",
        rate=math.radians(satellite.rate_deg_s),
        acceleration=math.radians(satellite.acceleration_deg_s2),
        settle_s=satellite.settle_s + SETTLE_MARGIN_S,
    )


def _passes(case: Case, k: int, tasks: Tasks, r_itrf: FloatArray, turned: FloatArray) -> Passes:
    """Of satellite k, whose positions (n, 3) stand on the grid of the geometry."""
    satellite, step = case.satellites[k], case.geometry_s
    task, at = _samples_near(r_itrf, tasks.r_itrf, satellite, step)
    wanted = (at * step >= tasks.release_s[task]) & (at * step <= tasks.due_s[task])
    wanted &= (np.array(tasks.sensor) == satellite.sensor)[task]
    task, at = task[wanted], at[wanted]
    tilt = _off_nadir(r_itrf[at], tasks.r_itrf[task])
    seen = tilt <= math.radians(satellite.off_nadir_deg - ANGLE_MARGIN_DEG)
    ready = at * step >= _turn(satellite).seconds(tilt)
    task, low, high = _runs(task[seen & ready], at[seen & ready])
    first = -(-low * step // case.action_s)
    last = (high * step - tasks.duration_s[task]) // case.action_s
    task, first, last = (x[last >= first] for x in (task, first, last))
    starts = last - first + 1
    which = np.repeat(np.arange(len(task)), starts)
    start = first[which] + np.arange(len(which)) - np.repeat(np.cumsum(starts) - starts, starts)
    start = start * (case.action_s // step)
    end = start + tasks.duration_s[task[which]] // step
    place = tasks.r_itrf[task[which]]
    return Passes(
        satellite=np.full(len(task), k),
        task=task,
        start_s=first * case.action_s,
        starts=starts,
        arrive=_sight(place, r_itrf, turned, start),
        leave=_sight(place, r_itrf, turned, end),
    )


def _samples_near(
    r_itrf: FloatArray, places: FloatArray, satellite: Satellite, step_s: int
) -> tuple[IntArray, IntArray]:
    """Places and samples (both (q,)) that might be in reach: whole minutes in whose middle the
    place is no further from the satellite's foot than the limit and half a minute allow."""
    half = max(COARSE_S // step_s // 2, 1)
    middle = np.arange(0, len(r_itrf) + half, 2 * half)
    track = r_itrf[np.minimum(middle, len(r_itrf) - 1)]
    radius, foot = np.linalg.norm(r_itrf, axis=1), np.linalg.norm(places, axis=1)
    limit = math.radians(satellite.off_nadir_deg)
    sine = radius.max() / foot.min() * math.sin(limit)
    central = math.asin(sine) - limit if sine < 1 else math.acos(foot.min() / radius.max())
    moved = np.linalg.norm(np.diff(r_itrf, axis=0), axis=1).max() / radius.min() * half
    cosine = (track / np.linalg.norm(track, axis=1)[:, None]) @ (places / foot[:, None]).T
    minute, place = np.nonzero(cosine >= math.cos(min(central + 1.01 * moved, math.pi)))
    at = middle[minute][:, None] + np.arange(-half, half)
    place = np.repeat(place, 2 * half)
    inside = (at.ravel() >= 0) & (at.ravel() < len(r_itrf))
    return place[inside], at.ravel()[inside]


def _off_nadir(r_itrf: FloatArray, places: FloatArray) -> FloatArray:
    """Angles (n,) at which satellites see targets, both (n, 3); infinite below the horizon, which
    is that of a sphere through the target."""
    sight = places - r_itrf
    down = -np.sum(sight * r_itrf, axis=1)
    across = np.linalg.norm(np.cross(sight, r_itrf), axis=1)
    above = np.sum(sight * places, axis=1) < 0
    return np.where(above, np.arctan2(across, down), np.inf)


def _runs(task: IntArray, at: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Runs of neighbouring samples of one task: task, first and last sample."""
    order = np.lexsort((at, task))
    task, at = task[order], at[order]
    breaks = np.flatnonzero((np.diff(task) != 0) | (np.diff(at) != 1)) + 1
    edges = np.concatenate([[0], breaks, [len(at)]]) if len(at) else np.zeros(1, np.int64)
    return task[edges[:-1]], at[edges[:-1]], at[edges[1:] - 1]


def _sight(place: FloatArray, r_itrf: FloatArray, turned: FloatArray, at: IntArray) -> FloatArray:
    """Unit vectors (n, 4) GCRF from a satellite to places, at samples of its track."""
    sight = np.einsum("nij,nj->ni", turned[at], place - r_itrf[at])
    return np.pad(sight / np.linalg.norm(sight, axis=1)[:, None], ((0, 0), (0, 1)))


def _lit_cells(case: Case, satellite: Satellite) -> BoolArray:
    """Whether each cell of the resource grid lies in the Sun as a whole: at both ends and in the
    middle, by as much as the path can bend towards the shadow between them."""
    t_s = np.arange(0.0, case.horizon_s + 0.5, case.resource_s / 2)
    bend_m = 0.5 * GRAVITY_M_S2 * (case.resource_s / 4) ** 2
    margin_m = shadow_margin_m(case.start, t_s, positions_itrf(case, satellite, t_s))
    lit = margin_m > SHADOW_MARGIN_M + bend_m
    return np.asarray(lit[:-1:2] & lit[1::2] & lit[2::2])


def _battery(case: Case, k: int, candidates: int) -> Store:
    """In watt-hours, flows by the second; only times at which the income changes."""
    satellite = case.satellites[k]
    first_turn_s = _turn(satellite).seconds(np.radians(satellite.off_nadir_deg))
    kept = float(first_turn_s) * satellite.slew_w / 3600 + ENERGY_MARGIN_WH
    edges = np.arange(0.0, case.horizon_s + 1, case.resource_s)
    income = (
        np.where(_lit_cells(case, satellite), satellite.charge_w, 0.0) - satellite.idle_w
    ) / 3600
    changes = np.flatnonzero(np.diff(income)) + 1
    return Store(
        lane=k,
        t_s=edges[np.concatenate([[0], changes, [len(edges) - 1]])],
        income=income[np.concatenate([[0], changes])],
        initial=satellite.initial_wh - kept,
        capacity=satellite.capacity_wh - kept,
        use=np.full(candidates, satellite.imaging_w / 3600),
        turn_use=satellite.slew_w / 3600,
    )


def write(case: Case, problem: Problem, solution: Solution, path: Path) -> None:
    """One action for each task done."""
    actions = []
    for i, start_s in zip(solution.candidates.tolist(), solution.start_s.tolist(), strict=True):
        task = case.tasks[int(problem.bundles.serves[i][0])]
        actions.append(
            {
                "type": "observation",
                "satellite_id": case.satellites[int(problem.lane[i])].name,
                "task_id": task.name,
                "start_time": moment(case, round(start_s)),
                "end_time": moment(case, round(start_s) + task.duration_s),
            }
        )
    path.write_text(json.dumps({"actions": actions}, indent=1) + "\n")


def judge(case: Case, path: Path) -> float:
    """The weight done, by the plain rules and, where it is at hand, the authors' verifier."""
    weight = weight_done(case, path)
    clone = os.environ.get(VARIABLE)
    if clone:
        share = check(Path(clone), "aeossp_standard", case.folder, path)["WCR"]
        if not math.isclose(share * case.total_weight, weight, rel_tol=1e-9):
            raise ValueError(f"{path}: a WCR of {share} by its authors, a weight of {weight} here")
    return weight


def shares(case: Case, weight: float) -> dict[str, object]:
    """What the line of JSON tells besides."""
    return {
        "wcr": round(weight / case.total_weight, 6),
        "judge": "authors" if os.environ.get(VARIABLE) else "plain",
    }


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "astro_reason"
    main(
        Adapter(
            family="AEOSSP standard", read=read, problem=problem, write=write, judge=judge,
            tell=shares,
        ),
        [str(data / "aeossp_standard" / name) for name in CASES],
    )  # fmt: skip
