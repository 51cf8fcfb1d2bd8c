"""The mapping of stereo imaging cases: what it allows holds by the rules and is worth the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.peers.astro_reason import verify
from benchmarks.stereo import even_disc, problem, shares, write
from benchmarks.stereo_case import Case, read
from benchmarks.stereo_looks import WIDTH_MARGIN_M, Looks, all_looks, inside
from benchmarks.stereo_rules import Look, image, slew_s, worth

from humay.arrays import norm
from humay.schedule.core import Problem, Solution, Turn, value, violations
from humay.schedule.core.judge import turn_seconds

FAMILY = "stereo_imaging"
Entry = dict[str, Any]


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return data_dir / "scheduling" / "astro_reason" / FAMILY / "case_0001"


@pytest.fixture(scope="module")
def case(folder: Path) -> Case:
    """Some of the satellites and targets, half a day."""
    whole = read(folder)
    return replace(
        whole, satellites=whole.satellites[:6], targets=whole.targets[:30], horizon_s=43_200.0
    )


@pytest.fixture(scope="module")
def mapped(case: Case) -> Problem:
    return problem(case)


@pytest.fixture(scope="module")
def looks(case: Case) -> Looks:
    return all_looks(case)


def at_random(problem: Problem, seed: int) -> Solution:
    """Products in any order, one a target, where the neighbours of their looks leave room."""
    lanes: list[list[tuple[float, int]]] = [[] for _ in problem.lanes]
    served: set[int] = set()
    for b in np.random.default_rng(seed).permutation(len(problem.bundles.members)).tolist():
        target, tried = int(problem.bundles.serves[b][0]), [list(lane) for lane in lanes]
        for i in problem.bundles.members[b].tolist():
            tried[problem.lane[i]].append((float(problem.low_s[i]), i))
        tried = [sorted(lane) for lane in tried]
        if target not in served and all(_room(problem, *x) for t in tried for x in pairwise(t)):
            lanes = tried
            served.add(target)
    acts = [act for lane in lanes for act in lane]
    return Solution(
        candidates=np.array([i for _, i in acts]), start_s=np.array([start for start, _ in acts])
    )


def _room(problem: Problem, before: tuple[float, int], after: tuple[float, int]) -> bool:
    free_s = after[0] - before[0] - float(problem.duration_s[before[1]])
    return free_s >= 0 and free_s >= turn_seconds(problem, before[1], before[0], *after[::-1])


def by_the_rules(case: Case, looks: Looks, i: int) -> Look:
    start = case.start + timedelta(seconds=float(looks.start_s[i]))
    return Look(
        satellite=case.satellites[looks.satellite[i]],
        target=case.targets[looks.target[i]],
        start=start,
        end=start + timedelta(seconds=float(looks.duration_s[i])),
        along_deg=math.degrees(math.atan(looks.along[i])),
        across_deg=math.degrees(math.atan(looks.across[i])),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_problem_allows_holds_by_the_rules_and_is_worth_no_less(
    case: Case, mapped: Problem, tmp_path: Path, seed: int
) -> None:
    """Strips are 20 m narrower in the problem, and so an overlap may be a few points less."""
    solution, path = at_random(mapped, seed), tmp_path / "solution.json"
    assert violations(mapped, solution) == []
    write(case, mapped, solution, path)
    covered, quality = worth(case, path)
    assert covered == int(value(mapped, solution)) > 5
    assert -1e-9 < covered + quality - value(mapped, solution) < 0.002
    told = shares(case, covered + quality)
    assert told["coverage"] == round(covered / 30, 6)
    assert told["quality"] == round(quality, 6)


def test_strips_lie_within_their_margin_of_where_the_rules_have_them(
    case: Case, looks: Looks
) -> None:
    """Across the track, that is; and pixels are as large to 1 in 10,000."""
    chosen = np.random.default_rng(4).choice(len(looks), 40, replace=False).tolist()
    for i in chosen:
        seen = image(by_the_rules(case, looks, i))
        line = looks.ends[i, 1] - looks.ends[i, 0]
        off = seen.line_m - looks.ends[i]
        across = np.abs(off[:, 0] * line[1] - off[:, 1] * line[0]) / norm(line)
        narrower = seen.half_width_m - looks.half_width_m[i]
        assert np.max(across) < WIDTH_MARGIN_M - 2
        assert abs(narrower - WIDTH_MARGIN_M) < 2
        assert abs(seen.pixel_m / looks.pixel_m[i] - 1) < 1e-4
        assert abs(seen.tilt_deg - looks.tilt_deg[i]) < 1e-2


def test_slews_take_as_long_as_by_the_rules(case: Case, looks: Looks) -> None:
    """To 0.2 ms, a fifth of what is added to settling; small angles and large."""
    rng = np.random.default_rng(5)
    for i in rng.choice(len(looks), 30).tolist():
        satellite = case.satellites[looks.satellite[i]]
        turn = Turn(
            measure="direction",
            rate=math.radians(satellite.rate_deg_s),
            acceleration=math.radians(satellite.acceleration_deg_s2),
            settle_s=satellite.settle_s,
        )
        own = np.flatnonzero(looks.satellite == looks.satellite[i])
        for j in (int(rng.choice(own)), int(own[np.searchsorted(own, i) - 1])):
            gap = norm(looks.leave[i] - looks.arrive[j])
            ours_s = float(turn.seconds(2 * np.arcsin(0.5 * gap)))
            theirs_s = slew_s(by_the_rules(case, looks, i), by_the_rules(case, looks, j))
            assert abs(ours_s - theirs_s) < 2e-4


def test_pairs_are_worth_what_the_formula_of_the_rules_gives(case: Case) -> None:
    """By hand: 0.5 geometry, 0.35 overlap, 0.15 resolution; bands and limits as in the README."""
    scenes = [  # scene, convergence, overlap, ratio, quality
        ("urban_structured", 8.0, 0.95, 1.0, 1.0),
        ("urban_structured", 20.0, 0.95, 1.0, 0.5 * 0.8 + 0.5),
        ("vegetated", 6.0, 0.855, 1.1, 0.5 * 0.8 + 0.35 * 0.9 + 0.15 * 0.8),
        ("rugged", 31.0, 1.0, 1.25, 0.35 + 0.15 * 0.5),
        ("open", 4.9, 1.0, 1.0, 0.0),
        ("open", 45.1, 1.0, 1.0, 0.0),
        ("open", 20.0, 0.79, 1.0, 0.0),
        ("open", 20.0, 1.0, 1.51, 0.0),
    ]
    for scene, *numbers, expected in scenes:
        quality = case.pair_quality(scene, *(np.array(x) for x in numbers))
        assert abs(float(quality) - expected) < 1e-12


def test_three_looks_add_their_bonus_to_the_best_pair(case: Case) -> None:
    """Urban scenes: 0.12, where two pairs are valid and one look is near nadir."""
    assert case.triple_quality("urban_structured", [0.7, 0.6, 0.0], 0.8, 10.0) == 0.7 + 0.12
    assert case.triple_quality("urban_structured", [0.95, 0.6, 0.7], 0.9, 1.0) == 1.0
    for pairs, overlap, tilt_deg in (
        ([0.7, 0.0, 0.0], 0.9, 1.0),
        ([0.7, 0.6, 0.0], 0.79, 1.0),
        ([0.7, 0.6, 0.6], 0.9, 10.1),
    ):
        assert case.triple_quality("urban_structured", pairs, overlap, tilt_deg) == 0.0


def test_even_points_find_the_area_of_a_strip_across_a_disc() -> None:
    """A strip as wide as the disc's radius holds 2/pi (asin 1/2 + sqrt(3)/4) of it."""
    ends = np.array([[[-3.0, 0.0], [3.0, 0.0]]])
    share = float(np.mean(inside(even_disc(1000)[None], ends, np.array([0.5]))))
    assert abs(share - 2 / math.pi * (math.asin(0.5) + math.sqrt(3) / 4)) < 0.005


def test_a_strip_ends_in_half_discs() -> None:
    points = np.array([[[1.4, 0.0], [1.6, 0.0], [1.3, 0.3], [1.4, 0.4], [0.0, 0.49]]])
    held = inside(points, np.array([[[-1.0, 0.0], [1.0, 0.0]]]), np.array([0.5]))
    assert held.tolist() == [[True, False, True, False, True]]


def _moved(entry: Entry, seconds: float) -> Entry:
    return entry | {name: _later(entry[name], seconds) for name in ("start_time", "end_time")}


def _later(moment: str, seconds: float) -> str:
    return (datetime.fromisoformat(moment) + timedelta(seconds=seconds)).isoformat()


Edit = Callable[[Entry], list[Entry]]
FAULTS: dict[str, Edit] = {
    "expected an observation": lambda e: [e | {"type": "downlink"}],
    "is not known": lambda e: [e | {"target_id": "none"}],
    "beyond the horizon": lambda e: [_moved(e, -86_400)],
    "takes 61.0 s": lambda e: [e | {"end_time": _later(e["start_time"], 61)}],
    "takes 1.5 s": lambda e: [e | {"end_time": _later(e["start_time"], 1.5)}],
    "deg off nadir": lambda e: [e | {"off_nadir_along_deg": 36.0}],
    "out of reach": lambda e: [_moved(e, 600)],
    "its slew takes": lambda e: [e, _moved(e, 3)],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_written_schedule_is_told(
    case: Case, mapped: Problem, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "solution.json"
    write(case, mapped, at_random(mapped, 6), path)
    first = json.loads(path.read_text())["actions"][0]
    path.write_text(json.dumps({"actions": FAULTS[fault](first)}))
    with pytest.raises(ValueError, match=fault):
        worth(case, path)


@pytest.mark.slow
def test_the_authors_verifier_agrees(authors: Path, folder: Path, tmp_path: Path) -> None:
    case, path = read(folder), tmp_path / "solution.json"
    mapped = problem(case)
    write(case, mapped, at_random(mapped, 7), path)
    told = verify(authors, FAMILY, folder, path)
    covered, quality = worth(case, path)
    assert told["valid"]
    assert told["metrics"]["coverage_ratio"] * len(case.targets) == pytest.approx(covered)
    assert told["metrics"]["normalized_quality"] == pytest.approx(quality, abs=1e-9)
