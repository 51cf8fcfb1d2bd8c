"""Regional coverage cases: `benchmarks/regional.py [FOLDER ...]`, options as in `solving`.

From the benchmark of https://github.com/Mtrya/astro-reason (MIT): 6 to 12 radar satellites with
element sets, 72 h, regions of 100,000 km2, at most 64 strips that are to cover as much of them as
they can. A strip at one roll over one region in one pass (`regional_strips`) is a candidate, a
satellite a lane with a battery and a duty limit, the cells of the benchmark's grid are parts of
goals. Solutions are JSON as the benchmark wants it.

Judged by a plain reading of the rules (`regional_rules`), and, where HUMAY_ASTRO_REASON names a
clone of that repository, by its authors' own verifier besides. `value` is the coverage ratio, 1 at
most. No result is published.
"""

from __future__ import annotations

import json
import math
import os
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.brahe_sky import shadow_margin_m, states_itrf
from benchmarks.peers.astro_reason import VARIABLE, check
from benchmarks.regional_rules import Case, Region, Satellite, coverage, read
from benchmarks.regional_strips import Piece, pieces
from benchmarks.solving import Adapter, main

from humay.arrays import FloatArray
from humay.schedule.core import (
    Budget,
    Bundles,
    Goals,
    Poses,
    Problem,
    Ragged,
    SlidingLimit,
    Solution,
    Store,
    Turn,
    no_conflicts,
    violations,
)

CASES = ("case_0001", "case_0002")
SQUARE_DEG = 0.35
SETTLE_MARGIN_S, SHADOW_MARGIN_M, ENERGY_MARGIN_WH = 1e-4, 100.0, 1e-3


def problem(case: Case) -> Problem:
    """The abstract problem: strips as candidates, each at one start and one roll."""
    for region in case.regions:
        if region.required is not None:
            raise ValueError(f"{region.name}: a coverage that is required cannot be mapped")
    return _mapped(case, pieces(case))


def _mapped(case: Case, found: list[Piece]) -> Problem:
    n = len(found)
    roll = np.array([[piece.strip.roll_deg] for piece in found]).reshape(n, 1)
    start_s = np.array([piece.strip.start_s for piece in found])
    serves = Ragged(
        first=np.cumsum([0, *(len(piece.cells) for piece in found)]),
        of=np.concatenate([piece.cells for piece in found]),
    )
    lanes = {satellite: k for k, satellite in enumerate(case.satellites)}
    return Problem(
        lanes=tuple(map(_turn, case.satellites)),
        lane=np.array([lanes[piece.strip.satellite] for piece in found], np.int64),
        low_s=start_s,
        high_s=start_s,
        duration_s=np.array([piece.strip.duration_s for piece in found]),
        poses=Poses.at_rest(roll, roll),
        bundles=Bundles(
            members=Ragged.singles(np.arange(n)), serves=serves, quality=np.ones(len(serves.of))
        ),
        goals=_goals(case.regions),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
        budgets=_most(case, n),
        stores=tuple(_battery(case, k, n) for k in range(len(case.satellites))),
        limits=tuple(
            (k, SlidingLimit(seconds=satellite.duty_s, per_s=satellite.orbit_s))
            for k, satellite in enumerate(case.satellites)
            if satellite.duty_s is not None
        ),
        grid_s=float(case.action_s),
    )


def _turn(satellite: Satellite) -> Turn:
    """Over the roll, in degrees."""
    return Turn(
        measure="axes",
        rate=satellite.rate_deg_s,
        acceleration=satellite.acceleration_deg_s2,
        settle_s=satellite.settle_s + SETTLE_MARGIN_S,
    )


def _goals(regions: tuple[Region, ...]) -> Goals:
    """Squares of longitude and latitude about as wide as a strip, their cells as parts.

    However cells are grouped, a solution is worth the same; but the search takes the mean goal for
    the measure of what it may lose on its way.
    """
    number = np.repeat(np.arange(len(regions)), [len(region.share) for region in regions])
    square = np.floor(np.concatenate([region.cells_deg for region in regions]) / SQUARE_DEG)
    goal = np.unique(np.column_stack([number, square]), axis=0, return_inverse=True)[1].ravel()
    total = math.fsum(region.weight for region in regions)
    worth = np.concatenate([region.weight / total * region.share for region in regions])
    weight: FloatArray = np.bincount(goal, weights=worth).astype(np.float64)
    return Goals(
        weight=weight,
        curve=np.zeros(len(weight), np.int64),
        part_goal=goal,
        part_share=worth / weight[goal],
    )


def _most(case: Case, candidates: int) -> tuple[Budget, ...]:
    if case.most_actions is None:
        return ()
    every = np.arange(candidates)
    return (Budget(candidates=every, use=np.ones(candidates), most=case.most_actions),)


def _battery(case: Case, k: int, candidates: int) -> Store:
    """In watt-hours, flows by the second. A cell of the grid with any shadow in it charges nothing;
    only times at which the income changes are kept."""
    satellite = case.satellites[k]
    t_s = np.array([*range(0, case.horizon_s, case.sample_s), case.horizon_s], dtype=np.float64)
    margin_m = shadow_margin_m(
        case.start, t_s, states_itrf(satellite.lines, case.start, t_s)[0]
    )  # no shadow is shorter than a cell
    lit = np.minimum(margin_m[1:], margin_m[:-1]) > SHADOW_MARGIN_M
    income = (np.where(lit, satellite.charge_w, 0.0) - satellite.idle_w) / 3600
    changes = np.concatenate([[0], np.flatnonzero(np.diff(income)) + 1])
    return Store(
        lane=k,
        t_s=t_s[[*changes, -1]],
        income=income[changes],
        initial=satellite.initial_wh - ENERGY_MARGIN_WH,
        capacity=satellite.capacity_wh - ENERGY_MARGIN_WH,
        use=np.full(candidates, satellite.imaging_w / 3600),
        turn_use=satellite.slew_w / 3600,
    )


def write(case: Case, problem: Problem, solution: Solution, path: Path) -> None:
    actions = [
        {
            "type": "strip_observation",
            "satellite_id": case.satellites[int(problem.lane[i])].name,
            "start_time": f"{case.start + timedelta(seconds=start_s):%Y-%m-%dT%H:%M:%SZ}",
            "duration_s": float(problem.duration_s[i]),
            "roll_deg": float(problem.poses.arrive[i, 0]),
        }
        for i, start_s in zip(solution.candidates.tolist(), solution.start_s.tolist(), strict=True)
    ]
    path.write_text(json.dumps({"actions": actions}, indent=1) + "\n")


def greedy(case: Case, path: Path) -> None:
    """Again and again the strip that adds most, of those that break no rule beside the others."""
    whole = problem(case)
    write(case, whole, most_first(whole), path)


def most_first(problem: Problem) -> Solution:
    goals, cells = problem.goals, problem.bundles.serves
    worth = goals.weight[goals.part_goal] * goals.part_share
    left = np.array([float(np.sum(worth[cells[i]])) for i in range(len(problem))])
    most = problem.budgets[0].most if problem.budgets else len(problem)
    chosen: list[int] = []
    while np.max(left) > 0 and len(chosen) < most:
        best = int(np.argmax(left))
        fresh = float(np.sum(worth[cells[best]]))
        tried = _at_their_starts(problem, [*chosen, best])
        if fresh < left[best]:  # what was chosen since has covered part of it
            left[best] = fresh
        elif violations(problem, tried):
            left[best] = 0.0
        else:
            chosen.append(best)
            worth[cells[best]] = 0.0
    return _at_their_starts(problem, chosen)


def _at_their_starts(problem: Problem, chosen: list[int]) -> Solution:
    candidates = np.array(chosen, dtype=np.int64)
    return Solution(candidates=candidates, start_s=problem.low_s[candidates])


def judge(case: Case, path: Path) -> float:
    """The coverage ratio by the plain rules and, where it is at hand, the authors' verifier."""
    ratio = coverage(case, path)
    clone = os.environ.get(VARIABLE)
    if clone:
        theirs = check(Path(clone), "regional_coverage", case.folder, path)["coverage_ratio"]
        if not math.isclose(theirs, ratio, rel_tol=0, abs_tol=1e-3):
            raise ValueError(f"{path}: a coverage of {theirs} by its authors, of {ratio} here")
        return theirs  # which may differ by a cell, 1 cm off an edge
    return ratio


def told(_case: Case, _value: float) -> dict[str, object]:
    """What the line of JSON tells besides."""
    return {"judge": "authors" if os.environ.get(VARIABLE) else "plain"}


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "astro_reason"
    main(
        Adapter(
            family="regional coverage", read=read, problem=problem, write=write, judge=judge,
            tell=told, greedy=greedy,
        ),
        [str(data / "regional_coverage" / name) for name in CASES],
    )  # fmt: skip
