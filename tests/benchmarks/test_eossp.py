"""What the benchmark of revisits makes of its files, by windows small enough to count."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.eossp import TIME, Instance, greedy, images, judge, problem, read, write
from hypothesis import assume, given
from hypothesis import strategies as st

from humay.schedule.core import Solution, value, violations

MIDNIGHT = datetime(2023, 1, 1)


def moment(t_s: float) -> str:
    return (MIDNIGHT + timedelta(seconds=t_s)).strftime(TIME)


def folder(
    path: Path,
    *,
    windows: Sequence[tuple[str, int, int]],
    downlinks: Sequence[tuple[int, int]] = (),
    storage_s: int = 100,
) -> Path:
    """One satellite with windows of task, start and end. Tasks a and b are wanted once each, at
    1000 s within 500 s, and c at 1000 and 2000 s."""
    once, again = "1000000%500000%0.4%0.2", "2000000%500000%0.8%0.4"
    tables = {
        "Satellites.txt": [f"7,{storage_s * 1000},60000"],
        "Tasks.txt": [f"a,0,0,1,{once}", f"b,0,0,1,{once}", f"c,0,0,2,{once}|{again}"],
        "TaskTimeWins.txt": [f"7,{task},{moment(a)},{moment(b)}" for task, a, b in windows],
        "DownloadTimeWins.txt": [f"7,0,x,{moment(a)},{moment(b)}" for a, b in downlinks],
    }
    for name, rows in tables.items():
        (path / name).write_text("\n".join([f"the number of rows:{len(rows)}", *rows]))
    return path


def plan(path: Path, rows: Sequence[tuple[str, int, int, int]]) -> Path:
    """A solution with rows of task, revisit, start and end."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("satellite", "task", "revisit", "start", "end"))
        table.writerows((7, task, k, moment(a), moment(b)) for task, k, a, b in rows)
    return path


def as_solution(instance: Instance, path: Path) -> Solution:
    with path.open(newline="") as file:
        rows = {tuple(row.values()) for row in csv.DictReader(file)}
    done = [
        (i, look.window[0])
        for i, (look, k) in enumerate(images(instance))
        if (look.satellite, look.task, str(k), *map(moment, look.window)) in rows
    ]
    return Solution(
        candidates=np.array([i for i, _ in done], np.int64),
        start_s=np.array([start_s for _, start_s in done]),
    )


# ---------------------------------------------------------------- profits


@pytest.mark.parametrize(
    ("start_s", "profit"), [(1000, 0.6), (1250, 0.5), (750, 0.5), (1500, 0.4), (500, 0.4)]
)
def test_profit_falls_from_both_to_the_fixed_one_at_the_tolerance(
    tmp_path: Path, start_s: Any, profit: Any
) -> None:
    instance = read(folder(tmp_path, windows=[("a", start_s, start_s + 40)]))
    path = plan(tmp_path / "plan", [("a", 0, start_s, start_s + 40)])
    assert judge(instance, path) == pytest.approx(profit)
    assert value(problem(instance), as_solution(instance, path)) == pytest.approx(profit)


def test_windows_beyond_the_tolerance_or_without_length_or_too_long_are_no_candidates(
    tmp_path: Path,
) -> None:
    windows = [("a", 499, 539), ("a", 1501, 1541), ("a", 900, 900), ("a", 900, 1001)]
    instance = read(folder(tmp_path, windows=windows))
    assert images(instance) == []
    for task, a, b in windows:
        with pytest.raises(ValueError, match=r"no window|storage"):
            judge(instance, plan(tmp_path / "plan", [(task, 0, a, b)]))


def test_a_window_between_two_revisits_serves_one_of_them(tmp_path: Path) -> None:
    """1500 s is the edge of both revisits of c: 0.4 or 0.8, not 1.2."""
    instance = read(folder(tmp_path, windows=[("c", 1500, 1540)]))
    assert [k for _, k in images(instance)] == [0, 1]
    assert judge(instance, plan(tmp_path / "one", [("c", 1, 1500, 1540)])) == pytest.approx(0.8)
    both = plan(tmp_path / "both", [("c", 0, 1500, 1540), ("c", 1, 1500, 1540)])
    with pytest.raises(ValueError, match="between two images"):
        judge(instance, both)
    assert violations(problem(instance), as_solution(instance, both)) != []


# ---------------------------------------------------------------- what a satellite can do


def test_images_stand_a_transition_apart(tmp_path: Path) -> None:
    windows = [("a", 900, 940), ("b", 1000, 1040), ("b", 999, 1039)]
    instance = read(folder(tmp_path, windows=windows))
    apart = plan(tmp_path / "apart", [("a", 0, 900, 940), ("b", 0, 1000, 1040)])
    near = plan(tmp_path / "near", [("a", 0, 900, 940), ("b", 0, 999, 1039)])
    assert judge(instance, apart) > 0
    assert violations(problem(instance), as_solution(instance, apart)) == []
    with pytest.raises(ValueError, match=r"59\.0 s between two images"):
        judge(instance, near)
    assert len(violations(problem(instance), as_solution(instance, near))) == 1


@pytest.mark.parametrize(
    ("downlinks", "fits"),
    [([(980, 1000)], True), ([(980, 1000), (985, 990)], True), ([(980, 999), (985, 990)], False)],
)
def test_a_downlink_frees_what_an_image_of_its_length_fills(
    tmp_path: Path, downlinks: Any, fits: Any
) -> None:
    """100 s of storage, less 60, and 20 more, less 60: nothing is left. Two stations at once are
    no better than one."""
    windows = [("a", 900, 960), ("b", 1100, 1160)]
    instance = read(folder(tmp_path, windows=windows, downlinks=downlinks))
    path = plan(tmp_path / "plan", [("a", 0, 900, 960), ("b", 0, 1100, 1160)])
    assert (violations(problem(instance), as_solution(instance, path)) == []) == fits
    if fits:
        assert judge(instance, path) > 0
    else:
        with pytest.raises(ValueError, match=r"1\.0 s more than its storage"):
            judge(instance, path)


def test_nothing_is_freed_during_an_image_or_before_anything_is_stored(tmp_path: Path) -> None:
    """Downlinks before the first image, and of 30 s during it, leave 40 s for the second."""
    windows = [("a", 900, 960), ("b", 1100, 1141)]
    instance = read(folder(tmp_path, windows=windows, downlinks=[(800, 890), (920, 950)]))
    path = plan(tmp_path / "plan", [("a", 0, 900, 960), ("b", 0, 1100, 1141)])
    with pytest.raises(ValueError, match=r"1\.0 s more than its storage"):
        judge(instance, path)
    assert violations(problem(instance), as_solution(instance, path)) != []


INTERVALS = st.lists(st.tuples(st.integers(500, 1500), st.integers(1, 60)), max_size=5)


@given(looks=INTERVALS, downlinks=INTERVALS, storage_s=st.integers(60, 120))
def test_problem_and_judge_allow_the_same_plans(
    tmp_path_factory: pytest.TempPathFactory, looks: Any, downlinks: Any, storage_s: Any
) -> None:
    assume(looks)
    here = tmp_path_factory.mktemp("random")
    windows = [("a", start, start + length) for start, length in sorted(looks)]
    instance = read(
        folder(
            here,
            windows=windows,
            downlinks=[(start, start + length) for start, length in downlinks],
            storage_s=storage_s,
        )
    )
    # A task of its own for each window, so that only the satellite can be at fault.
    tasks = {f"a{i}": instance.tasks["a"] for i in range(len(windows))}
    looks_apart = tuple(
        type(look)(satellite=look.satellite, task=f"a{i}", window=look.window)
        for i, look in enumerate(instance.looks)
    )
    instance = Instance(
        epoch=instance.epoch, satellites=instance.satellites, tasks=tasks, looks=looks_apart
    )
    path = plan(here / "plan", [(f"a{i}", 0, a, b) for i, (_, a, b) in enumerate(windows)])
    solution, mapped = as_solution(instance, path), problem(instance)
    assert len(solution.candidates) == len(windows)
    try:
        worth = judge(instance, path)
    except ValueError:
        assert violations(mapped, solution) != []
    else:
        assert violations(mapped, solution) == []
        assert value(mapped, solution) == pytest.approx(worth)


def test_the_best_of_two_images_for_a_revisit_is_written(tmp_path: Path) -> None:
    windows = [("a", 700, 740), ("a", 1100, 1140)]
    instance = read(folder(tmp_path, windows=windows))
    solution = Solution(candidates=np.array([0, 1]), start_s=np.array([700.0, 1100.0]))
    write(instance, problem(instance), solution, tmp_path / "written")
    assert judge(instance, tmp_path / "written") == pytest.approx(0.4 + 0.2 * 0.8)
    with pytest.raises(ValueError, match="two images of revisit"):
        judge(instance, plan(tmp_path / "plan", [("a", 0, 700, 740), ("a", 0, 1100, 1140)]))


# ---------------------------------------------------------------- files


def test_a_table_of_another_length_than_it_says_is_refused(tmp_path: Path) -> None:
    folder(tmp_path, windows=[("a", 900, 960)])
    with (tmp_path / "TaskTimeWins.txt").open("a") as file:
        file.write(f"\n7,a,{moment(1000)},{moment(1010)}")
    with pytest.raises(ValueError, match="2 rows, expected 1"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["S1", "U9"])
def test_greedy_on_a_published_instance_is_worth_the_same_to_problem_and_judge(
    data_dir: Path, tmp_path: Path, name: Any
) -> None:
    instance = read(data_dir / "scheduling" / "eossp_mrt" / name)
    greedy(instance, tmp_path / "plan")
    solution, mapped = as_solution(instance, tmp_path / "plan"), problem(instance)
    worth = judge(instance, tmp_path / "plan")
    assert violations(mapped, solution) == []
    assert value(mapped, solution) == pytest.approx(worth)
    assert 0.5 * mapped.goals.weight.sum() < worth < mapped.goals.weight.sum()


def test_windows_that_end_in_2070_are_read_and_left(data_dir: Path) -> None:
    instance = read(data_dir / "scheduling" / "eossp_mrt" / "S3")
    assert instance.epoch == MIDNIGHT
    late = [look for look in instance.looks if look.window[1] > 3 * 86_400]
    assert len(late) == 1
    assert not any(look == late[0] for look, _ in images(instance))
