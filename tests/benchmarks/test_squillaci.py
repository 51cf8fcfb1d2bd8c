"""What the benchmark of complex requests makes of its files, by requests small enough to count."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.squillaci import (
    Act,
    Instance,
    Request,
    greedy,
    judge,
    problem,
    read,
    turn_s,
    worth,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from humay.schedule.core import Solution, value, violations
from humay.schedule.core.judge import turn_seconds

# Two satellites; the columns of the repository's README. Satellite 0 sees the one-shot request, the
# pair and a slot one after the other, all at one longitude.
FILE = """\
4
0,2,ONE_SHOT_MONO
10,0,0,100,10,40.0,5.0,0.0,0.65
11,1,0,100,10,40.0,5.0,0.0,0.2
1,1,LONG_MONO
12,1,0,400,50,45.0,5.0,0.0,0.95
2,2,ONE_SHOT_STEREO
1,13,0,0,200,10,50.0,5.0,0.0,0.55
1,14,0,100,300,10,50.0,5.0,0.0,0.85
3,4,PERIODIC
1,15,0,0,400,10,55.0,5.0,0.0,0.0
2,16,1,0,400,10,55.0,5.0,0.0,0.75
3,17,1,0,400,10,55.0,5.0,0.0,1.0
4,18,1,0,400,10,55.0,5.0,0.0,0.3
2
1,0,500,1000,43.6,1.4,0.0
2,1,500,600,43.6,1.4,0.0
"""


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    path = tmp_path / "small.pb"
    path.write_text(FILE)
    return read(path)


def plan(path: Path, rows: Iterable[tuple[int, int, float]]) -> Path:
    """A solution with rows of id, satellite and start."""
    downloads = [(1, 0, 500.0), (2, 1, 500.0)]
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerows([("id", "satellite", "start_s"), *rows, *downloads])
    return path


def as_solution(instance: Instance, path: Path) -> Solution:
    index = {act.id: k for k, act in enumerate(instance.acts)}
    with path.open(newline="") as file:
        rows = [(index[int(row["id"])], float(row["start_s"])) for row in csv.DictReader(file)]
    return Solution(
        candidates=np.array([i for i, _ in rows]), start_s=np.array([t for _, t in rows])
    )


# ---------------------------------------------------------------- what a request is worth


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.0, 0.05), (0.5, 0.05), (0.51, 0.1), (0.7, 0.4), (0.71, 0.7), (0.9, 0.95), (0.91, 1.0)],
)
def test_scores_fall_into_the_planners_classes(tmp_path: Path, score: Any, expected: Any) -> None:
    """`scoringObs` of the planner: worth the value of the first bound not below it."""
    path = tmp_path / "one.pb"
    path.write_text(f"1\n0,1,ONE_SHOT_MONO\n3,0,0,100,10,40.0,5.0,0.0,{score}\n0\n")
    assert read(path).requests[0].observations[0].worth == expected


def test_each_kind_is_worth_what_it_sums_to_by_hand(instance: Instance) -> None:
    one_shot, video, stereo, periodic = instance.requests
    assert worth(one_shot, one_shot.observations[:1]) == 0.4
    assert worth(video, video.observations) == 4.0  # four times the class of 0.95
    assert worth(stereo, stereo.observations) == pytest.approx(0.1 + 0.95)
    series = periodic.observations  # 0.05, 0.7, 1.0 and 0.05, and half of 4 less the longest miss
    assert worth(periodic, series) == pytest.approx(1.8 + 2.0)
    assert worth(periodic, series[:1]) == pytest.approx(0.05 + 2.0)  # none is missed before it
    assert worth(periodic, (series[0], series[3])) == pytest.approx(0.1 + 1.0)
    assert worth(periodic, series[3:]) == pytest.approx(0.05 + 0.5)
    assert worth(periodic, series[1::2]) == pytest.approx(0.75 + 1.5)  # one missed, and one again


def test_what_a_request_does_not_allow_is_refused(instance: Instance) -> None:
    one_shot, _, stereo, periodic = instance.requests
    for request, done in (
        (one_shot, one_shot.observations),
        (stereo, stereo.observations[:1]),
        (periodic, (periodic.observations[0],) * 2),
        (periodic, ()),
    ):
        with pytest.raises(ValueError, match="cannot be served"):
            worth(request, done)


# ---------------------------------------------------------------- the problem


ACTS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0.05, 0.1, 0.4, 0.7, 0.95, 1.0])),
    min_size=1,
    max_size=5,
)


@given(
    kind=st.sampled_from(["ONE_SHOT_MONO", "LONG_MONO", "ONE_SHOT_STEREO", "PERIODIC"]),
    rows=ACTS,
    chosen=st.sets(st.integers(0, 9)),
)
def test_the_problem_is_worth_the_best_the_request_allows_of_what_is_done(
    kind: Any, rows: Any, chosen: Any
) -> None:
    if kind == "ONE_SHOT_STEREO":
        rows = [(slot, x) for slot, (_, x) in enumerate(rows) for _ in range(2)]
    acts = tuple(
        Act(
            id=k, satellite=0, low_s=1000.0 * k, high_s=1000.0 * k + 9, duration_s=1.0,
            place_deg=(0.0, 0.0), slot=slot, worth=score,
        )
        for k, (slot, score) in enumerate(rows)
    )  # fmt: skip
    request = Request(id=0, kind=kind, observations=acts)
    done = [k for k in sorted(chosen) if k < len(acts)]
    best = 0.0
    for size in range(1, len(done) + 1):
        for subset in itertools.combinations(done, size):
            try:
                best = max(best, worth(request, tuple(acts[k] for k in subset)))
            except ValueError:
                continue
    mapped = problem(Instance(requests=(request,), downloads=()))
    solution = Solution(
        candidates=np.array(done, np.int64), start_s=np.array([1000.0 * k for k in done])
    )
    assert violations(mapped, solution) == []
    assert value(mapped, solution) == pytest.approx(best)


@given(
    a=st.tuples(st.floats(-20, 40), st.floats(30, 60)),
    b=st.tuples(st.floats(-20, 40), st.floats(30, 60)),
)
def test_turns_of_the_problem_take_a_second_for_each_degree(a: Any, b: Any) -> None:
    acts = tuple(
        Act(id=k, satellite=0, low_s=0, high_s=100, duration_s=1, place_deg=place)
        for k, place in enumerate((a, b))
    )
    mapped = problem(Instance(requests=(), downloads=acts))
    assert turn_s(*acts) == math.hypot(a[0] - b[0], a[1] - b[1])
    assert abs(turn_seconds(mapped, 0, 0.0, 1, 50.0) - turn_s(*acts)) < 1e-6


def test_targets_more_than_the_longest_turn_apart_are_refused() -> None:
    acts = tuple(
        Act(id=k, satellite=0, low_s=0, high_s=100, duration_s=1, place_deg=(lon, 0.0))
        for k, lon in enumerate((-50.0, 50.0))
    )
    with pytest.raises(ValueError, match="too far apart"):
        problem(Instance(requests=(), downloads=acts))


def test_the_problem_holds_to_windows_and_downloads(instance: Instance) -> None:
    mapped = problem(instance)
    downloads = Solution(candidates=np.array([0, 1]), start_s=np.array([820.0, 505.0]))
    assert violations(mapped, downloads) == []
    late = Solution(candidates=np.array([0, 1]), start_s=np.array([821.0, 505.0]))
    assert violations(mapped, late) == ["candidate 0 starts at 821.0, expected 500.0 to 820.0"]
    one = Solution(candidates=np.array([0]), start_s=np.array([820.0]))
    assert violations(mapped, one) == ["candidate 1 is fixed and not done"]


# ---------------------------------------------------------------- the judge

GOOD = [(10, 0, 0.0), (13, 0, 20.0), (14, 0, 100.0), (15, 0, 115.0), (12, 1, 0.0), (17, 1, 60.0)]


def test_a_plan_is_worth_the_sum_of_its_requests(instance: Instance, tmp_path: Path) -> None:
    """Turns of 10, 0 and 5 s; periodic slots 1 and 3 with one missed between: 1.05 + 0.5 x 3."""
    assert judge(instance, plan(tmp_path / "plan", GOOD)) == pytest.approx(
        0.4 + 4.0 + 1.05 + 1.05 + 1.5
    )


@pytest.mark.parametrize(
    ("instead", "fault"),
    [
        ((13, 0, 19.9), "too short"),  # 9.9 s for 10 degrees
        ((15, 0, 395.0), "outside its window"),
        ((15, 1, 115.0), "has no act"),
        ((99, 1, 115.0), "has no act"),
        ((1, 0, 510.0), "done twice"),
        ((11, 1, 70.0), "too short"),
        ((18, 1, 60.0), "too short"),
    ],
)
def test_each_fault_of_a_plan_is_refused(
    instance: Instance, tmp_path: Path, instead: Any, fault: Any
) -> None:
    rows = [row for row in GOOD if row[0] != instead[0]] + [instead]
    with pytest.raises(ValueError, match=fault):
        judge(instance, plan(tmp_path / "plan", rows))


def test_a_pair_in_half_and_a_request_done_twice_are_refused(
    instance: Instance, tmp_path: Path
) -> None:
    for rows in ([GOOD[1]], [GOOD[0], (11, 1, 0.0)]):
        with pytest.raises(ValueError, match="cannot be served"):
            judge(instance, plan(tmp_path / "plan", rows))


def test_a_missed_download_is_refused(instance: Instance, tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_text("id,satellite,start_s\n1,0,500.0\n")
    with pytest.raises(ValueError, match="missed"):
        judge(instance, path)


def test_a_download_takes_three_minutes_or_nearly_all_of_its_window(instance: Instance) -> None:
    assert [act.duration_s for act in instance.downloads] == [180.0, 95.0]


def test_greedy_takes_all_there_is_where_there_is_room(instance: Instance, tmp_path: Path) -> None:
    greedy(instance, tmp_path / "plan")
    best = 0.4 + 4.0 + 1.05 + 3.8
    assert judge(instance, tmp_path / "plan") == pytest.approx(best)
    solution = as_solution(instance, tmp_path / "plan")
    assert violations(problem(instance), solution) == []
    assert value(problem(instance), solution) == pytest.approx(best)


def test_the_written_plan_leaves_out_what_spoils_a_request(
    instance: Instance, tmp_path: Path
) -> None:
    """A series of slots 1 and 4 is worth less (1.1) than slot 1 alone (2.05)."""
    rows = [(15, 0, 115.0), (18, 1, 60.0)]
    solution = as_solution(instance, plan(tmp_path / "plan", rows))
    write(instance, problem(instance), solution, tmp_path / "written")
    assert judge(instance, tmp_path / "written") == pytest.approx(2.05)
    assert value(problem(instance), solution) == pytest.approx(2.05)


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("line", "instead", "fault"),
    [
        ("0,2,ONE_SHOT_MONO", "0,2,SYSTEMATIC", "SYSTEMATIC"),
        ("11,1,0,", "10,1,0,", "one number"),
        ("0.65", "1.65", "at most 1"),
        ("2\n1,0,500", "1\n1,0,500", "lines are left"),
    ],
)
def test_files_that_make_no_sense_are_refused(
    tmp_path: Path, line: Any, instead: Any, fault: Any
) -> None:
    path = tmp_path / "bad.pb"
    path.write_text(FILE.replace(line, instead))
    with pytest.raises(ValueError, match=fault):
        read(path)


def test_a_published_file_holds_what_its_name_says(data_dir: Path, tmp_path: Path) -> None:
    """12 one-shot, 15 video, 27 stereo and 3 periodic requests for 16 satellites."""
    source = data_dir / "scheduling" / "squillaci" / "concentrated" / "12-15-27-3.pb.gz"
    plain = tmp_path / "plain.pb"
    plain.write_bytes(gzip.decompress(source.read_bytes()))
    instance = read(source)
    kinds = [request.kind for request in instance.requests]
    assert [kinds.count(kind) for kind in dict.fromkeys(kinds)] == [12, 15, 27, 3]
    assert {act.satellite for act in instance.acts} == set(range(16))
    assert read(plain) == instance


def test_greedy_on_a_published_file_is_worth_the_same_to_problem_and_judge(
    data_dir: Path, tmp_path: Path
) -> None:
    folder = data_dir / "scheduling" / "squillaci" / "spread"
    instance = read(folder / "120-150-270-30.pb.gz")
    greedy(instance, tmp_path / "plan")
    solution, mapped = as_solution(instance, tmp_path / "plan"), problem(instance)
    worth = judge(instance, tmp_path / "plan")
    assert violations(mapped, solution) == []
    assert value(mapped, solution) == pytest.approx(worth)
    assert 0.9 * mapped.goals.weight.sum() < worth < mapped.goals.weight.sum()
