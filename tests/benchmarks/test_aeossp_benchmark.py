"""The mapping of AEOSSP standard cases: what it allows, and nothing more, holds by their rules."""

from __future__ import annotations

import bisect
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.aeossp import problem, write
from benchmarks.aeossp_case import Case, read
from benchmarks.aeossp_rules import Action, check_alone, weight_done
from benchmarks.peers.astro_reason import verify

from humay.schedule.core import Problem, Solution, value, violations
from humay.schedule.core.judge import turn_seconds

FAMILY = "aeossp_standard"
STAGES_ALONE = ("structure", "geometry")
Entry = dict[str, Any]


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return data_dir / "scheduling" / "astro_reason" / FAMILY / "test" / "case_0001"


@pytest.fixture(scope="module")
def case(folder: Path) -> Case:
    """One satellite of each kind, and every task."""
    whole = read(folder)
    kinds = {satellite.sensor: satellite for satellite in whole.satellites}
    assert len(kinds) == 2
    return replace(whole, satellites=tuple(kinds.values()))


@pytest.fixture(scope="module")
def mapped(case: Case) -> Problem:
    return problem(case)


def at_random(problem: Problem, seed: int) -> Solution:
    """Candidates in any order, each at any start of the grid, where its neighbours leave room."""
    rng = np.random.default_rng(seed)
    lanes: list[list[tuple[float, int]]] = [[] for _ in problem.lanes]
    done: set[int] = set()
    for i in rng.permutation(len(problem)).tolist():
        goal, lane = int(problem.bundles.serves[i][0]), lanes[problem.lane[i]]
        act = (float(rng.choice(np.arange(problem.low_s[i], problem.high_s[i] + 1, 5.0))), i)
        at = bisect.bisect(lane, act)
        around = [*lane[max(at - 1, 0) : at], act, *lane[at : at + 1]]
        if goal not in done and all(_room(problem, *two) for two in pairwise(around)):
            lane.insert(at, act)
            done.add(goal)
    acts = [act for lane in lanes for act in lane]
    return Solution(
        candidates=np.array([i for _, i in acts]),
        start_s=np.array([start_s for start_s, _ in acts]),
    )


def _room(problem: Problem, before: tuple[float, int], after: tuple[float, int]) -> bool:
    free_s = after[0] - before[0] - float(problem.duration_s[before[1]])
    return free_s >= 0 and free_s >= turn_seconds(problem, before[1], before[0], *after[::-1])


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_problem_allows_holds_by_the_rules_and_is_worth_the_same(
    case: Case, mapped: Problem, tmp_path: Path, seed: int
) -> None:
    solution = at_random(mapped, seed)
    assert violations(mapped, solution) == []
    write(case, mapped, solution, tmp_path / "solution.json")
    assert weight_done(case, tmp_path / "solution.json") == value(mapped, solution) > 100


def test_starts_beside_those_of_the_problem_break_a_rule(case: Case, mapped: Problem) -> None:
    """No start that the rules allow is missing, but in the minute after the horizon's start."""
    step = case.action_s
    sides = [(mapped.low_s - step, 60), (mapped.high_s + step, 0)]
    for starts, least_s in sides:
        beyond = np.flatnonzero(starts >= least_s)[::10].tolist()
        assert len(beyond) > 20
        for i in beyond:
            with pytest.raises(ValueError, match=r"off nadir|horizon|outside"):
                check_alone(case, _action(case, mapped, i, int(starts[i])))


def test_first_and_last_starts_of_the_problem_break_no_rule(case: Case, mapped: Problem) -> None:
    for starts in (mapped.low_s, mapped.high_s):
        for i in range(0, len(mapped), 10):
            check_alone(case, _action(case, mapped, i, int(starts[i])))


def _action(case: Case, mapped: Problem, i: int, start_s: int) -> Action:
    task = case.tasks[int(mapped.bundles.serves[i][0])]
    satellite = case.satellites[int(mapped.lane[i])]
    return Action(satellite=satellite, task=task, start_s=start_s, end_s=start_s + task.duration_s)


def test_the_battery_is_the_one_of_the_rules_and_keeps_back_little(
    case: Case, mapped: Problem, tmp_path: Path
) -> None:
    """Begun with as little as the problem allows, a schedule is valid; with 12 Wh less, not."""
    path, satellite, store = tmp_path / "solution.json", case.satellites[0], mapped.stores[0]
    solution = at_random(mapped, 3)
    write(case, mapped, solution, path)
    low, high = 0.0, store.initial
    while high - low > 0.01:
        middle = 0.5 * (low + high)
        stores = (replace(store, initial=middle), *mapped.stores[1:])
        broken = violations(replace(mapped, stores=stores), solution)
        low, high = (middle, high) if broken else (low, middle)
    least = high + satellite.initial_wh - store.initial
    assert 50 < least < satellite.initial_wh - 50
    weight_done(_starting_with(case, least), path)
    with pytest.raises(ValueError, match="battery"):
        weight_done(_starting_with(case, least - 12.0), path)


def _starting_with(case: Case, energy_wh: float) -> Case:
    first, *others = case.satellites
    return replace(case, satellites=(replace(first, initial_wh=energy_wh), *others))


def _at(entry: Entry, start: datetime, seconds: int) -> Entry:
    """The same observation at another time."""
    end = start + timedelta(seconds=seconds)
    return entry | {"start_time": start.isoformat(), "end_time": end.isoformat()}


def _lasts(entry: Entry, more_s: int) -> Entry:
    return entry | {
        "end_time": (_moment(entry["end_time"]) + timedelta(seconds=more_s)).isoformat()
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


Edit = Callable[[Case, Entry], list[Entry]]
FAULTS: dict[str, Edit] = {
    "expected an observation": lambda _, e: [e | {"type": "downlink"}],
    "is not known": lambda _, e: [e | {"task_id": "none"}],
    "off the grid": lambda _, e: [_at(e, _moment(e["start_time"]) + timedelta(seconds=2), 20)],
    "beyond the horizon": lambda case, e: [_at(e, case.start - timedelta(seconds=10), 20)],
    "outside of": lambda _, e: [_at(e, _moment(e["start_time"]) + timedelta(hours=9), 20)],
    "until": lambda _, e: [_lasts(e, -5)],
    "expected infrared|expected visible": lambda case, e: [
        e | {"satellite_id": s.name} for s in case.satellites if s.name != e["satellite_id"]
    ],
    "its slew takes": lambda _, e: [e, e],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_written_schedule_is_told(
    case: Case, mapped: Problem, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "solution.json"
    write(case, mapped, at_random(mapped, 4), path)
    first = json.loads(path.read_text())["actions"][0]
    path.write_text(json.dumps({"actions": FAULTS[fault](case, first)}))
    with pytest.raises(ValueError, match=fault):
        weight_done(case, path)


@pytest.mark.slow
def test_the_authors_verifier_agrees(authors: Path, folder: Path, tmp_path: Path) -> None:
    """On what is valid and its worth, and on observations put elsewhere at random."""
    case, path = read(folder), tmp_path / "solution.json"
    mapped = problem(case)
    solution = at_random(mapped, 5)
    write(case, mapped, solution, path)
    told = verify(authors, FAMILY, folder, path)
    assert told["valid"]
    assert told["metrics"]["WCR"] * case.total_weight == pytest.approx(value(mapped, solution))
    rng, entries = np.random.default_rng(6), json.loads(path.read_text())["actions"]
    moved = [
        _at(e, _moment(e["start_time"]) + timedelta(seconds=5 * int(rng.integers(-20, 20))),
            round((_moment(e["end_time"]) - _moment(e["start_time"])).total_seconds()))
        for e in entries
    ]  # fmt: skip
    path.write_text(json.dumps({"actions": moved}))
    failures = verify(authors, FAMILY, folder, path)["diagnostics"]["action_failures"]
    refused = {each["action_index"] for each in failures if each["stage"] in STAGES_ALONE}
    assert 100 < len(refused) < len(moved) - 100
    assert refused == {k for k, entry in enumerate(moved) if not _stands_alone(case, entry)}


def _stands_alone(case: Case, entry: Entry) -> bool:
    start_s, end_s = (
        round((_moment(entry[name]) - case.start).total_seconds())
        for name in ("start_time", "end_time")
    )
    satellite = next(s for s in case.satellites if s.name == entry["satellite_id"])
    task = next(t for t in case.tasks if t.name == entry["task_id"])
    try:
        check_alone(case, Action(satellite=satellite, task=task, start_s=start_s, end_s=end_s))
    except ValueError:
        return False
    return True
