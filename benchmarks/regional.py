"""Regional coverage cases: `benchmarks/regional.py [FOLDER ...]`, options as in `solving`.

From the benchmark of https://github.com/Mtrya/astro-reason (MIT): 6 to 12 radar satellites with
element sets, 72 h, regions of 100,000 km2, at most 64 strips that are to cover as much of them as
they can. A strip at one roll over one region in one pass is a candidate, a satellite a lane with a
battery and a duty limit, the cells of the benchmark's grid are parts of goals.
Solutions are JSON as the benchmark wants it.

Rolls lie a quarter of a strip's width apart; besides strips across the whole region there are
those that leave time for another roll in the same pass, at rolls a width apart.

Judged by a plain reading of the rules (`regional_rules`), and, where HUMAY_ASTRO_REASON names a
clone of that repository, by its authors' own verifier besides. `value` is the coverage ratio. No
result is published.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.brahe_sky import shadow_margin_m, states_itrf
from benchmarks.peers.astro_reason import VARIABLE, check
from benchmarks.regional_rules import Case, Region, Satellite, Strip, coverage, edge_deg, read
from benchmarks.solving import Adapter, main

from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, unit
from humay.earth import itrf_from_geodetic
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
ROLLS, CUT_ROLLS = 4, 1  # to the width of a strip
SQUARE_DEG = 0.35
LEAST_SHARE = 1e-3  # of a region: strips that cover less are left out
SETTLE_MARGIN_S, SHADOW_MARGIN_M, ENERGY_MARGIN_WH, ROLL_MARGIN_DEG = 1e-4, 100.0, 1e-3, 0.05
EARTH_M = 6_371_000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """Satellite k beside region g: the samples of time `t_s` (n,), and for the cells (m,) that it
    passes the sample before it is abreast of them and the roll to them then."""

    satellite: int
    region: int
    t_s: FloatArray
    cell: IntArray
    sample: IntArray
    roll_deg: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """The cells (m,) that a pass covers at one roll, and the end (s) of the piece each is in."""

    over: Pass
    roll_deg: float
    cell: IntArray
    end_s: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A candidate and the cells that it covers, numbered over all regions."""

    strip: Strip
    cells: IntArray


def problem(case: Case) -> Problem:
    """The abstract problem: strips as candidates, each at one start and one roll."""
    for region in case.regions:
        if region.required is not None:
            raise ValueError(f"{region.name}: a coverage that is required cannot be mapped")
    return _mapped(case, pieces(case))


def pieces(case: Case) -> list[Piece]:
    """The candidates, by satellite, region and time."""
    first = np.cumsum([0, *(len(region.share) for region in case.regions)])
    return [
        Piece(strip=strip, cells=first[over.region] + cells)
        for over in passes(case)
        for strip, cells in _strips(case, over)
    ]


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


# ---------------------------------------------------------------- passes


def passes(case: Case) -> Iterator[Pass]:
    """Every pass in which cells of a region come abreast of a satellite where it may look."""
    t_s = np.arange(0.0, case.horizon_s + 1, case.sample_s)
    places = [_places(region) for region in case.regions]
    for k, satellite in enumerate(case.satellites):
        r, v = states_itrf(satellite.lines, case.start, t_s)
        for g, cells in enumerate(places):
            for run in _near(satellite, r, cells):
                over = _abreast(satellite, cells, r[run], v[run])
                if len(over[0]):
                    cell, sample, roll_deg = over
                    yield Pass(
                        satellite=k, region=g, t_s=t_s[run], cell=cell, sample=sample,
                        roll_deg=roll_deg,
                    )  # fmt: skip


def _places(region: Region) -> FloatArray:
    """Its cells (n, 3) in ITRF."""
    lon_rad, lat_rad = np.radians(region.cells_deg.T)
    return itrf_from_geodetic(lon_rad, lat_rad, np.zeros(len(lon_rad)))


def _near(satellite: Satellite, r: FloatArray, cells: FloatArray) -> list[IntArray]:
    """Runs of samples from which some cell might be seen."""
    middle = unit(np.mean(cells, axis=0))
    spread = np.max(np.arccos(np.clip(unit(cells) @ middle, -1, 1)))
    tilt = math.radians(satellite.farthest_deg)
    height = np.max(np.linalg.norm(r, axis=1)) / EARTH_M
    reach = math.asin(min(height * math.sin(tilt), 1.0)) - tilt + 0.02
    near = np.flatnonzero(unit(r) @ middle > math.cos(min(spread + reach, math.pi)))
    runs = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)
    return [run for run in runs if len(run) > 1]


def _abreast(
    satellite: Satellite, cells: FloatArray, r: FloatArray, v: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Cells that are passed within the limits of the roll, the sample before, and the roll."""
    nadir = -unit(r)
    along = unit(v - dot(v, nadir)[:, None] * nadir)
    ahead = along @ cells.T - dot(along, r)[:, None]
    passed = (ahead[:-1] >= 0) & (ahead[1:] < 0)
    cell = np.flatnonzero(np.any(passed, axis=0))
    sample = np.argmax(passed[:, cell], axis=0)
    sight = cells[cell] - r[sample]
    roll_deg = np.degrees(
        np.arctan2(dot(sight, cross(along, nadir)[sample]), dot(sight, nadir[sample]))
    )
    tilt = np.abs(roll_deg)
    seen = (tilt > satellite.nearest_deg - 1) & (tilt < satellite.farthest_deg + 1)
    return cell[seen], sample[seen], roll_deg[seen]


# ---------------------------------------------------------------- strips


def _strips(case: Case, over: Pass) -> Iterator[tuple[Strip, IntArray]]:
    """Strips of one pass, and the cells of the region that each covers."""
    satellite = case.satellites[over.satellite]
    share = case.regions[over.region].share
    for number, roll_deg in _rolls(satellite, over):
        sweep = _sweep(case, over, roll_deg)
        spans = _spans(case, satellite, sweep, cut=number % max(ROLLS // CUT_ROLLS, 1) == 0)
        for start_s, end_s in spans:
            cells = sweep.cell[(sweep.end_s > start_s) & (sweep.end_s <= end_s)]
            if np.sum(share[cells]) >= LEAST_SHARE:
                yield (
                    Strip(
                        satellite=satellite, start_s=start_s, duration_s=end_s - start_s,
                        roll_deg=roll_deg,
                    ),
                    np.sort(cells),
                )  # fmt: skip


def _rolls(satellite: Satellite, over: Pass) -> Iterator[tuple[int, float]]:
    """Numbered rolls to either side at which there are cells, the limits among them."""
    half = 0.5 * satellite.field_deg
    low, high = satellite.nearest_deg + half, satellite.farthest_deg - half
    count = max(math.ceil((high - low) / satellite.field_deg * ROLLS), 1)
    for side in (-1.0, 1.0):
        for number, tilt_deg in enumerate(np.linspace(low, high, count + 1).tolist()):
            if np.any(np.abs(over.roll_deg - side * tilt_deg) < half):
                yield number, side * tilt_deg


def _sweep(case: Case, over: Pass, roll_deg: float) -> Sweep:
    """Which cells lie in the quadrilaterals that the pass makes at a roll."""
    satellite = case.satellites[over.satellite]
    half = 0.5 * satellite.field_deg
    near = np.flatnonzero(np.abs(over.roll_deg - roll_deg) < half + ROLL_MARGIN_DEG)
    low = max(int(np.min(over.sample[near])) - 1, 0)
    high = int(np.max(over.sample[near])) + 3
    t_s = over.t_s[low:high]
    corners = [
        edge_deg(case, satellite, t_s, math.copysign(tilt, roll_deg))
        for tilt in (abs(roll_deg) - half, abs(roll_deg) + half)
    ]
    quads = np.stack([corners[0][:-1], corners[1][:-1], corners[1][1:], corners[0][1:]], axis=1)
    cells = case.regions[over.region].cells_deg[over.cell[near]]
    piece = np.full(len(near), -1)
    for step in (1, -1, 0):
        k = np.clip(over.sample[near] - low + step, 0, len(quads) - 1)
        piece = np.where(_in_quads(cells, quads[k]), k, piece)
    held = piece >= 0
    return Sweep(
        over=over, roll_deg=roll_deg, cell=over.cell[near[held]], end_s=t_s[piece[held] + 1]
    )


def _in_quads(points: FloatArray, quads: FloatArray) -> BoolArray:
    """Whether each point (n, 2) lies in its convex quadrilateral (n, 4, 2)."""
    side = np.roll(quads, -1, axis=1) - quads
    off = points[:, None] - quads
    turn = side[..., 0] * off[..., 1] - side[..., 1] * off[..., 0]
    return np.asarray(np.all(turn >= 0, axis=1) | np.all(turn <= 0, axis=1))


def _spans(
    case: Case, satellite: Satellite, sweep: Sweep, *, cut: bool
) -> list[tuple[float, float]]:
    """When to begin and end a strip: so as to cover all of the region, and, where `cut`, its first
    or its last part."""
    if not len(sweep.cell):
        return []
    step = case.action_s
    first = math.floor((np.min(sweep.end_s) - case.sample_s) / step) * step
    last = math.ceil(np.max(sweep.end_s) / step) * step
    shortest = math.ceil(satellite.shortest_s / step) * step
    longest = math.floor(satellite.longest_s / step) * step
    shifts = range(first, max(last - longest, first) + 1, step)
    spans = [(at, min(at + longest, last)) for at in shifts]
    if cut:
        cuts = range(first + shortest, last - shortest + 1, step)
        spans += [span for at in cuts for span in ((first, at), (at, last))]
    grown = {(start, max(end, start + shortest)) for start, end in spans}
    return sorted(
        (float(start), float(end))
        for start, end in grown
        if start >= 0 and end <= case.horizon_s and end - start <= longest
    )


# ---------------------------------------------------------------- solutions


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
