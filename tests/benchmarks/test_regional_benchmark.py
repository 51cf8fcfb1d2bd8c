"""The mapping of regional coverage cases: what it allows holds by their rules, worth the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.brahe_sky import shadow_margin_m, states_itrf, sun_itrf
from benchmarks.peers.astro_reason import verify
from benchmarks.regional import most_first, problem, write
from benchmarks.regional_rules import Case, Strip, coverage, quadrilaterals, read
from benchmarks.regional_strips import pieces

from humay.earth import sun_itrf as exact_sun_itrf
from humay.schedule.core import Problem, Solution, value, violations
from humay.time import Epoch

FAMILY = "regional_coverage"
Entry = dict[str, Any]


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return data_dir / "scheduling" / "astro_reason" / FAMILY / "case_0001"


@pytest.fixture(scope="module")
def case(folder: Path) -> Case:
    """Four of the satellites, two of the regions, two days."""
    whole = read(folder)
    return replace(
        whole, satellites=whole.satellites[:4], regions=whole.regions[1:], horizon_s=172_800
    )


@pytest.fixture(scope="module")
def mapped(case: Case) -> Problem:
    return problem(case)


def at_random(problem: Problem, seed: int) -> Solution:
    """Candidates in any order that break no rule beside the others, a dozen at most."""
    chosen: list[int] = []
    for i in np.random.default_rng(seed).permutation(len(problem)).tolist():
        if len(chosen) < 12 and not violations(problem, _at_starts(problem, [*chosen, i])):
            chosen.append(i)
    return _at_starts(problem, chosen)


def _at_starts(problem: Problem, chosen: list[int]) -> Solution:
    candidates = np.array(chosen, dtype=np.int64)
    return Solution(candidates=candidates, start_s=problem.low_s[candidates])


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_problem_allows_holds_by_the_rules_and_is_worth_the_same(
    case: Case, mapped: Problem, tmp_path: Path, seed: int
) -> None:
    """But for cells within 1e-9 of an edge, which none of the case is."""
    solution, path = at_random(mapped, seed), tmp_path / "solution.json"
    write(case, mapped, solution, path)
    assert coverage(case, path) == pytest.approx(value(mapped, solution), abs=1e-9)
    assert value(mapped, solution) > 0.1


def test_the_greedy_one_begins_with_the_best_and_breaks_no_rule(
    case: Case, mapped: Problem, tmp_path: Path
) -> None:
    solution, path = most_first(mapped), tmp_path / "solution.json"
    write(case, mapped, solution, path)
    assert coverage(case, path) > value(mapped, at_random(mapped, 3))
    alone = [value(mapped, _at_starts(mapped, [i])) for i in range(0, len(mapped), 20)]
    assert value(mapped, _at_starts(mapped, solution.candidates[:1].tolist())) >= max(alone)


def test_candidates_cover_what_their_quadrilaterals_do(case: Case) -> None:
    """All of them but those that a strip that is too short is lengthened by."""
    found = pieces(case)
    first = np.cumsum([0, *(len(region.share) for region in case.regions)])
    for k in np.random.default_rng(4).choice(len(found), 20, replace=False).tolist():
        strip, cells = found[k].strip, found[k].cells
        region = int(np.searchsorted(first, cells[0], side="right")) - 1
        inside = _winding(case, strip, case.regions[region].cells_deg)
        assert set((cells - first[region]).tolist()) == set(np.flatnonzero(inside).tolist())


def _winding(case: Case, strip: Strip, points: Any) -> Any:
    """Whether points lie in a piece: the angles at which its sides are seen add up to a turn."""
    inside = np.zeros(len(points), dtype=bool)
    for piece in quadrilaterals(case, strip):
        off = np.array(piece.exterior.coords)[None] - points[:, None]
        angle = np.arctan2(off[..., 1], off[..., 0])
        turned = np.mod(np.diff(angle, axis=1) + math.pi, 2 * math.pi) - math.pi
        inside |= np.abs(np.sum(turned, axis=1)) > math.pi
    return inside


def test_the_battery_is_the_one_of_the_rules(case: Case, mapped: Problem, tmp_path: Path) -> None:
    """Begun with as little as the problem allows, a schedule is valid; with 2 Wh less, not."""
    path, store = tmp_path / "solution.json", mapped.stores[0]
    solution = at_random(mapped, 5)
    write(case, mapped, solution, path)
    low, high = 0.0, store.initial
    while high - low > 0.01:
        middle = 0.5 * (low + high)
        stores = (replace(store, initial=middle), *mapped.stores[1:])
        broken = violations(replace(mapped, stores=stores), solution)
        low, high = (middle, high) if broken else (low, middle)
    assert 10 < high < store.initial
    coverage(_starting_with(case, high + 0.01), path)
    with pytest.raises(ValueError, match="battery"):
        coverage(_starting_with(case, high - 2.0), path)


def _starting_with(case: Case, energy_wh: float) -> Case:
    first, *others = case.satellites
    return replace(case, satellites=(replace(first, initial_wh=energy_wh), *others))


def test_the_sun_is_where_it_is() -> None:
    """Its formula leaves out that the perihelion moves, 11.6 arcseconds a year from 2000 on, and
    the aberration, 20 arcseconds: 5.3 minutes of arc."""
    start = datetime(2025, 7, 17, tzinfo=UTC)
    t_s = np.arange(0.0, 3 * 86_400, 7_000)
    exact = exact_sun_itrf(Epoch(start), t_s)
    exact /= np.linalg.norm(exact, axis=1)[:, None]
    off = np.degrees(np.linalg.norm(sun_itrf(start, t_s) - exact, axis=1))
    assert np.max(off) < 5.3 / 60


def test_a_satellite_is_in_the_shadow_a_third_of_its_orbit_at_most(case: Case) -> None:
    """At 500 to 600 km the shadow is asin(R / r) = 66 to 68 deg to each side."""
    t_s = np.arange(0.0, 86_400, 20.0)
    shares = []
    for satellite in case.satellites:
        r, v = states_itrf(satellite.lines, case.start, t_s)
        assert np.allclose((r[2:] - r[:-2]) / 40, v[1:-1], rtol=0, atol=1.0)  # 20 s are long
        shares.append(float(np.mean(shadow_margin_m(case.start, t_s, r) < 0)))
    assert 0.25 < max(shares) < 68 / 180


def _moved(entry: Entry, seconds: float) -> Entry:
    later = datetime.fromisoformat(entry["start_time"]) + timedelta(seconds=seconds)
    return entry | {"start_time": later.isoformat()}


Edit = Callable[[Entry], list[Entry]]
FAULTS: dict[str, Edit] = {
    "expected a strip": lambda e: [e | {"type": "observation"}],
    "is not known": lambda e: [e | {"satellite_id": "none"}],
    "deg off nadir": lambda e: [e | {"roll_deg": 19.0}],
    "edges 31.6": lambda e: [e | {"roll_deg": -33.0}],
    "takes 130.0 s": lambda e: [e | {"duration_s": 130}],
    "takes 10.0 s": lambda e: [e | {"duration_s": 10}],
    "beyond the horizon": lambda e: [_moved(e, 3 * 86_400)],
    "off the grid": lambda e: [_moved(e, 5)],
    "its slew takes": lambda e: [e, _moved(e, e["duration_s"])],
    "at most 64": lambda e: 65 * [e],
    "s in an orbit": lambda e: [_moved(e | {"duration_s": 120}, 130 * k) for k in range(9)],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_written_strips_is_told(
    case: Case, mapped: Problem, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "solution.json"
    write(case, mapped, at_random(mapped, 6), path)
    middle = json.loads(path.read_text())["actions"][2]
    path.write_text(json.dumps({"actions": FAULTS[fault](middle)}))
    with pytest.raises(ValueError, match=fault):
        coverage(case, path)


def test_a_coverage_that_is_required_is_asked_for(
    case: Case, mapped: Problem, tmp_path: Path
) -> None:
    path = tmp_path / "solution.json"
    write(case, mapped, at_random(mapped, 7), path)
    first, *others = case.regions
    hard = replace(case, regions=(replace(first, required=0.99), *others))
    with pytest.raises(ValueError, match="required"):
        coverage(hard, path)
    with pytest.raises(ValueError, match="cannot be mapped"):
        problem(hard)


@pytest.mark.slow
def test_the_authors_verifier_agrees(authors: Path, folder: Path, tmp_path: Path) -> None:
    case, path = read(folder), tmp_path / "solution.json"
    mapped = problem(case)
    solution = at_random(mapped, 8)
    write(case, mapped, solution, path)
    told = verify(authors, FAMILY, folder, path)
    assert told["valid"]
    assert told["metrics"]["coverage_ratio"] == pytest.approx(value(mapped, solution), abs=1e-4)
    assert told["metrics"]["coverage_ratio"] == pytest.approx(coverage(case, path), abs=1e-4)
