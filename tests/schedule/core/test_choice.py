"""Choices beside all lanes: against enumeration, against themselves, and against SPOT 5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from benchmarks.spot5 import judge, problem, read, write
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.arrays import BoolArray, IntArray
from humay.errors import PlanError
from humay.schedule.core import (
    LINEAR,
    NO_LANE,
    WHOLE,
    Budget,
    Bundles,
    Curve,
    Goals,
    Poses,
    Problem,
    Ragged,
    Solution,
    no_conflicts,
    value,
    violations,
)
from humay.schedule.core.choice import choice_bound, choose
from humay.schedule.core.choice_cuts import Conflicts, Grower, Row, broken, covering
from humay.schedule.core.choice_model import Served, model_of, service
from humay.schedule.core.choice_slices import SEEDS, Slices
from humay.schedule.core.problem import Combine
from tests.schedule.core.drawn_problems import drawn_problem

CURVES = (
    LINEAR,
    WHOLE,
    Curve(level=np.array([0.0, 0.4, 0.7, 1.0]), worth=np.array([0.0, 0.1, 0.4, 1.0])),
    Curve(level=np.array([0.0, 0.3, 1.0]), worth=np.array([0.0, 0.7, 1.0])),
    Curve(level=np.array([0.0, 0.5, 0.5, 1.0]), worth=np.array([0.0, 0.2, 0.6, 0.8])),
    Curve(level=np.array([0.2, 0.6]), worth=np.array([0.1, 1.0])),
    Curve(level=np.array([0.0, 0.0, 0.5]), worth=np.array([0.0, 0.3, 1.0])),
    Curve(level=np.array([0.3, 0.3, 0.3, 0.9]), worth=np.array([0.0, 0.1, 0.5, 0.5])),
)
"""Straight, with a jump at the end, at the start, within, rising more and more, less and less."""


def problem_of(
    goals: Goals,
    bundles: Bundles,
    *,
    pairs: IntArray | None = None,
    triples: IntArray | None = None,
    budgets: tuple[Budget, ...] = (),
) -> Problem:
    n = int(bundles.members.of.max()) + 1 if len(bundles.members) else 0
    return Problem(
        lanes=(),
        lane=np.full(n, NO_LANE),
        low_s=np.zeros(n),
        high_s=np.zeros(n),
        duration_s=np.zeros(n),
        poses=Poses.at_rest(np.zeros((n, 4)), np.zeros((n, 4))),
        bundles=bundles,
        goals=goals,
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2) if pairs is None else pairs,
        triples=no_conflicts(3) if triples is None else triples,
        budgets=budgets,
    )


def drawn_choice(seed: int, n: int) -> Problem:
    """Something of everything: bundles, parts served by several, curves, conflicts, budgets."""
    rng = np.random.default_rng(seed)
    members = [[i] for i in range(n)] + _drawn_rows(rng, n, int(rng.integers(0, 4)), 2)
    parts = int(rng.integers(1, n + 2))
    serves = [_some(rng, parts, int(rng.integers(0, 3))) for _ in members]
    count = sum(len(row) for row in serves)
    bundles = Bundles(
        members=Ragged.from_rows(members),
        serves=Ragged.from_rows(serves),
        quality=np.where(rng.random(count) < 0.5, 1.0, rng.uniform(0.0, 1.0, count)),
    )
    budgets = [
        Budget(
            candidates=np.arange(n), use=rng.uniform(0.0, 3.0, n), most=float(rng.uniform(0.5, n))
        )
        for _ in range(int(rng.integers(0, 3)))
    ]
    problem = problem_of(
        _drawn_goals(rng, parts),
        bundles,
        pairs=_conflicts(rng, n, 2),
        triples=_conflicts(rng, n, 3),
        budgets=tuple(budgets),
    )
    return replace(problem, bonus=np.where(rng.random(n) < 0.3, rng.uniform(-1.0, 1.0, n), 0.0))


def _drawn_goals(rng: np.random.Generator, parts: int) -> Goals:
    goals = int(rng.integers(1, parts + 1))
    owner = rng.integers(0, goals, parts)
    share = rng.uniform(0.1, 1.0, parts)
    whole = np.bincount(owner, weights=share, minlength=goals)[owner]
    return Goals(
        weight=rng.integers(0, 12, goals).astype(float),
        curve=rng.integers(0, len(CURVES), goals),
        part_goal=owner,
        part_share=share if rng.random() < 0.3 else share / whole,
        curves=CURVES,
        combine="any" if rng.random() < 0.5 else "best",
    )


def _some(rng: np.random.Generator, n: int, size: int) -> list[int]:
    return [int(i) for i in rng.choice(n, size=min(size, n), replace=False)]


def _drawn_rows(rng: np.random.Generator, n: int, count: int, width: int) -> list[list[int]]:
    return [sorted(_some(rng, n, width)) for _ in range(count)]


def _conflicts(rng: np.random.Generator, n: int, width: int) -> IntArray:
    rows = _drawn_rows(rng, n, int(rng.integers(0, n)), width)
    return np.array(rows, dtype=np.int64).reshape(-1, width)


def subsets(n: int) -> Iterator[Solution]:
    for size in range(n + 1):
        for chosen in combinations(range(n), size):
            yield Solution(candidates=np.array(chosen, dtype=np.int64), start_s=np.zeros(size))


def best_value(problem: Problem) -> float:
    """By enumeration; minus infinity where what is fixed does not go together."""
    valid = (s for s in subsets(len(problem)) if not violations(problem, s))
    return max((value(problem, s) for s in valid), default=-np.inf)


def never() -> bool:
    return False


def tolerance(problem: Problem) -> float:
    """Bounds are above by the solver's tolerance: 1e-6 of the largest cost, here of a slope."""
    return 1e-4 * float(np.max(problem.goals.weight, initial=1.0))


# Values and bounds -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_small_problems_are_solved_and_proved_as_enumerated(seed: int) -> None:
    problem = drawn_choice(seed, 6)
    best = best_value(problem)
    found, bound = choose(problem, seed=seed, iterations=20), choice_bound(problem, stop=never)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert violations(problem, found.solution) == []
    assert value(problem, found.solution) == found.value
    for upper in (found.bound, bound):
        assert upper is not None
        assert best - 1e-9 <= upper <= best + tolerance(problem)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_more_small_problems_are_solved_and_proved_as_enumerated(seed: int) -> None:
    problem = drawn_choice(seed, 8)
    best = best_value(problem)
    found, bound = choose(problem, seed=seed, iterations=20), choice_bound(problem, stop=never)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert best - 1e-9 <= bound <= best + tolerance(problem)


@pytest.mark.parametrize("seed", range(12))
def test_the_problems_of_the_search_go_here_too_where_they_have_no_lanes(seed: int) -> None:
    problem = drawn_problem(seed, n=7, lanes=0)
    assert choose(problem, seed=1, iterations=9).value == pytest.approx(best_value(problem))


@pytest.mark.parametrize("seed", range(200, 208))
def test_a_bound_never_rises_when_a_goal_is_removed(seed: int) -> None:
    problem = drawn_choice(seed, 8)
    before = choice_bound(problem, stop=never)
    for g in range(len(problem.goals.weight)):
        weight = problem.goals.weight.copy()
        worth_of_nothing = weight[g] * CURVES[problem.goals.curve[g]].at(0.0)
        weight[g] = 0.0
        without = replace(problem, goals=replace(problem.goals, weight=weight))
        after = choice_bound(without, stop=never)
        assert after <= before - worth_of_nothing + tolerance(problem)


@pytest.mark.parametrize("seed", range(300, 320))
def test_a_bound_that_is_stopped_at_once_holds(seed: int) -> None:
    problem = drawn_choice(seed, 7)
    assert choice_bound(problem, stop=lambda: True) >= best_value(problem) - 1e-9


def test_a_bound_ends_where_it_meets_the_value() -> None:
    problem = tangle(60, 5)
    best = choose(problem, seed=1, iterations=50)
    assert best.bound == best.value
    assert choice_bound(problem, stop=never, value=best.value) == best.value


def times(problem: Problem, factor: float) -> Problem:
    goals = replace(problem.goals, weight=problem.goals.weight * factor)
    return replace(problem, goals=goals, bonus=problem.bonus * factor)


@given(st.integers(0, 2**32), st.sampled_from([1e-7, 1e11]))
@settings(max_examples=10)
def test_weights_may_be_of_any_size(seed: int, factor: float) -> None:
    problem = times(drawn_choice(seed, 5), 0.7)
    large = times(problem, factor)
    best = best_value(large)
    assert choose(large, seed=1, iterations=20).value == pytest.approx(best, rel=1e-9)
    assert choice_bound(large, stop=never) >= best
    relaxed = [choose(p, seed=1, iterations=0).bound for p in (problem, large)]
    assert relaxed[0] is not None
    assert relaxed[1] == pytest.approx(relaxed[0] * factor, rel=1e-6, abs=1e-6 * factor)


# The search --------------------------------------------------------------------------------------


@lru_cache
def tangle(n: int, degree: float) -> Problem:
    """Weights 1 to 10, pairs at random: of some hundreds no tree sees the end."""
    rng = np.random.default_rng(n)
    i, j = np.triu_indices(n, 1)
    drawn = rng.random(len(i)) < degree / n
    return problem_of(
        Goals.singles(rng.integers(1, 11, n).astype(float)),
        Bundles.singles(np.arange(n)),
        pairs=np.column_stack([i, j])[drawn],
    )


def test_more_programs_are_never_worse_and_threads_change_nothing() -> None:
    problem = tangle(240, 12.0)
    found = [choose(problem, seed=3, iterations=n) for n in (0, 1, 2, 3, 4, 6)]
    values = [f.value for f in found]
    assert values == sorted(values)
    assert values[0] < values[-1]
    again = choose(problem, seed=3, iterations=6, threads=2)
    assert np.array_equal(again.solution.candidates, found[-1].solution.candidates)
    assert again.bound == found[-1].bound


def test_a_search_can_start_from_a_solution_and_loses_nothing_of_it() -> None:
    problem = tangle(240, 12.0)
    before = choose(problem, seed=1, iterations=4)
    after = choose(problem, seed=2, iterations=0, start=before.solution)
    assert np.array_equal(after.solution.candidates, before.solution.candidates)


def test_a_search_that_is_stopped_at_once_has_a_solution() -> None:
    problem = tangle(240, 12.0)
    found = choose(problem, seed=1, stop=lambda: True)
    assert violations(problem, found.solution) == []
    assert found.iterations == 0


@pytest.mark.parametrize("seed", range(400, 420))
def test_what_is_fixed_is_done_or_refused(seed: int) -> None:
    problem = drawn_choice(seed, 6)
    fixed = np.random.default_rng(seed).random(6) < 0.3
    problem = replace(problem, fixed=fixed)
    best = best_value(problem)
    if best == -np.inf:
        with pytest.raises(PlanError, match="fixed does not go together"):
            choose(problem, seed=1, iterations=20)
    else:
        assert choose(problem, seed=1, iterations=20).value == pytest.approx(best, abs=1e-9)


def test_candidates_on_lanes_are_refused() -> None:
    with pytest.raises(PlanError, match=r"candidate \d is on lane \d, expected all beside lanes"):
        choose(drawn_problem(5, n=8, lanes=2), seed=1, iterations=1)


def test_iterations_or_a_stop_are_asked_for() -> None:
    with pytest.raises(ValueError, match="either iterations or stop"):
        choose(tangle(60, 5), seed=1)


def test_nothing_to_choose_is_worth_nothing() -> None:
    nothing = problem_of(Goals.singles(np.zeros(0)), Bundles.singles(np.zeros(0, np.int64)))
    found = choose(nothing, seed=1, iterations=1)
    assert (found.value, len(found.solution.candidates)) == (0.0, 0)


def test_parts_that_several_serve_count_as_served_by_what_is_done() -> None:
    """Drawn such that the relaxation meets no row that tells how little two add up to."""
    rng = np.random.default_rng(265)
    n, parts = int(rng.integers(3, 8)), int(rng.integers(1, 4))
    serves = [_some(rng, parts, int(rng.integers(1, parts + 1))) for _ in range(n)]
    goals = Goals.singles(rng.integers(1, 10, parts).astype(float))
    quality = np.round(rng.uniform(0.1, 1.0, sum(map(len, serves))), 1)
    use, most = rng.integers(1, 9, n).astype(float), float(rng.integers(5, 12))
    problem = problem_of(
        goals,
        Bundles(
            members=Ragged.singles(np.arange(n)),
            serves=Ragged.from_rows(serves),
            quality=quality,
        ),
        budgets=(Budget(candidates=np.arange(n), use=use, most=most),),
    )
    assert choose(problem, seed=1, iterations=5).value == pytest.approx(best_value(problem))


def test_a_budget_is_kept_to_the_last_bit() -> None:
    """The solver's own tolerance, 1e-6, would let both in."""
    budget = Budget(candidates=np.arange(2), use=np.array([0.5, 0.5 + 2e-8]), most=1.0)
    goals, bundles = Goals.singles(np.ones(2)), Bundles.singles(np.arange(2))
    problem = problem_of(goals, bundles, budgets=(budget,))
    assert choose(problem, seed=1, iterations=5).value == 1.0
    assert choice_bound(problem, stop=never) >= 1.0


@pytest.mark.parametrize("size", [1, 7, 20, 50])
def test_slices_are_of_their_size_and_of_candidates_that_are_linked(size: int) -> None:
    """Ten groups of five that exclude each other: four starts reach few of them."""
    pairs = np.array(
        [(5 * g + i, 5 * g + j) for g in range(10) for i, j in combinations(range(5), 2)]
    )
    problem = problem_of(Goals.singles(np.ones(50)), Bundles.singles(np.arange(50)), pairs=pairs)
    slices = Slices(problem, np.full(50, 0.2))
    for seed in range(20):
        free = slices.draw(np.random.default_rng(seed), np.zeros(50, dtype=bool), size)
        assert len(np.unique(free)) == len(free) == size
        assert len(np.unique(free // 5)) <= size / 5 + 2 * SEEDS


# Rows --------------------------------------------------------------------------------------------


def drawn_conflicts(seed: int, n: int) -> Conflicts:
    rng = np.random.default_rng(seed)
    i, j = np.triu_indices(n, 1)
    pairs = np.column_stack([i, j])[rng.random(len(i)) < rng.uniform(0.1, 0.5)]
    triples = np.array([t for t in combinations(range(n), 3) if rng.random() < 0.4])
    return Conflicts.of(n, pairs, triples.reshape(-1, 3))


def choices(conflicts: Conflicts) -> tuple[list[BoolArray], list[BoolArray]]:
    """All sets (n,) of candidates: those that break no conflict, and the others."""
    n = len(conflicts)
    pairs = [(i, int(j)) for i in range(n) for j in conflicts.neighbours(i)]
    held: list[BoolArray] = []
    lost: list[BoolArray] = []
    for k in range(2**n):
        done = np.array([bool(k >> i & 1) for i in range(n)])
        breaks = any(done[i] and done[j] for i, j in pairs)
        breaks = breaks or bool(np.any(np.all(done[conflicts.triples], axis=1)))
        (lost if breaks else held).append(done)
    return held, lost


def keeps(row: Row, done: BoolArray) -> bool:
    return bool(row.weight @ done[row.which] <= row.most)


@pytest.mark.parametrize("seed", range(15))
def test_covering_rows_say_what_the_conflicts_say(seed: int) -> None:
    conflicts = drawn_conflicts(seed, 9)
    rows = list(covering(conflicts))
    held, lost = choices(conflicts)
    assert all(keeps(row, done) for row in rows for done in held)
    assert all(any(not keeps(row, done) for row in rows) for done in lost)


@pytest.mark.parametrize("seed", range(30))
def test_rows_that_a_part_of_all_breaks_are_kept_by_every_choice(seed: int) -> None:
    conflicts = drawn_conflicts(seed, 9)
    x = np.random.default_rng(seed).uniform(0.3, 0.7, 9)
    rows = broken(Grower(conflicts), x)
    held, _ = choices(conflicts)
    assert rows
    assert all(row.weight @ x[row.which] > row.most for row in rows)
    assert all(keeps(row, done) for row in rows for done in held)


@given(st.integers(0, 2**32))
@settings(max_examples=50)
def test_sets_grow_as_by_trial_of_each_in_turn(seed: int) -> None:
    """What enters is what a plain look at all pairs or triples lets in."""
    conflicts, queue = drawn_conflicts(seed, 12), np.random.default_rng(seed).permutation(12)
    grower = Grower(conflicts)
    seeds = [np.array([i]) for i in range(12)]
    for clique in seeds:
        assert set(grower.clique(clique, queue)) == _plain(conflicts, clique, queue, 2)
    for triple in conflicts.triples[:10]:
        members, weight = grower.double(triple, queue)
        assert set(members) == _plain(conflicts, triple, queue, 3)
        for i, w in zip(members, weight, strict=True):
            alone = all(conflicts.exclude(int(i), int(j)) for j in members if j != i)
            assert w == (2.0 if alone else 1.0)


def _plain(conflicts: Conflicts, start: IntArray, queue: IntArray, width: int) -> set[int]:
    """Grow a set of which no `width` go together."""
    triples = {tuple(t) for t in conflicts.triples.tolist()}

    def together(some: tuple[int, ...]) -> bool:
        apart = any(conflicts.exclude(i, j) for i, j in combinations(some, 2))
        return not apart and tuple(sorted(some)) not in triples

    grown = set(start.tolist())
    for v in queue.tolist():
        others = combinations(sorted(grown - {v}), width - 1)
        if not any(together((*some, v)) for some in others):
            grown.add(v)
    return grown


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=5), st.sampled_from(["any", "best"]))
def test_rows_of_service_meet_it_and_never_cut_below(
    quality: list[float], combine: Combine
) -> None:
    k = len(quality)
    served = Served(level=k, by=tuple(range(k)), quality=tuple(quality), combine=combine)
    sets = [list(s) for size in range(k + 1) for s in combinations(range(k), size)]
    for done in sets:
        x = np.zeros(k + 1)
        x[done] = 1.0
        x[k] = service([quality[i] for i in done], combine)
        rows = [served.row(s) for s in sets]
        assert all(row.weight @ x[row.which] <= row.most + 1e-9 for row in rows)
        assert min(row.most - row.weight @ x[row.which] for row in rows) == pytest.approx(0.0)


def test_values_are_known_to_be_multiples_where_all_weights_are() -> None:
    goals, bundles = Goals.singles(np.array([6.0, 9.0])), Bundles.singles(np.arange(2))
    problem = problem_of(goals, bundles)
    assert model_of(problem).step == 3.0
    assert model_of(replace(problem, bonus=np.array([0.5, 0.0]))).step == 0.0


# SPOT 5 ------------------------------------------------------------------------------------------

PROVED = {"8": 10, "29": 12032, "54": 70, "28": 56053, "404": 49, "503": 9096, "1502": 61158}
"""Bensana, Lemaitre, Verfaillie, Constraints 4(3), 1999, table 1."""
OPEN_IN_1999 = {"1401": 176056, "1506": 168247}
"""The best they had found."""


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return data_dir / "scheduling" / "spot5"


def judged(folder: Path, name: str, seed: int, path: Path) -> tuple[float, float | None]:
    instance = read(folder / f"{name}.spot")
    found = choose(problem(instance), seed=seed, iterations=40)
    write(instance, problem(instance), found.solution, path)
    return judge(instance, path), found.bound


@pytest.mark.parametrize("name", PROVED)
def test_spot5_is_solved_and_proved(name: str, folder: Path, tmp_path: Path) -> None:
    worth, bound = judged(folder, name, 1, tmp_path / name)
    assert worth == bound == PROVED[name]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", OPEN_IN_1999)
def test_spot5_with_memory_is_proved_now(
    name: str, seed: int, folder: Path, tmp_path: Path
) -> None:
    worth, bound = judged(folder, name, seed, tmp_path / name)
    assert worth == bound == OPEN_IN_1999[name]


def test_spot5_plans_that_break_a_rule_are_refused(folder: Path, tmp_path: Path) -> None:
    instance = read(folder / "8.spot")
    pair = instance.constraints[0]
    lines = [f"{i} {v}\n" for i, v in zip(pair.photographs, pair.forbidden[0], strict=True)]
    for text, reason in (("".join(lines), "of"), (lines[0] * 2, "photograph"), ("0 9\n", "with")):
        (tmp_path / "plan").write_text(text, encoding="ascii")
        with pytest.raises(ValueError, match=reason):
            judge(instance, tmp_path / "plan")
