"""What the search remembers of stores from move to move, against the plain judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from humay.schedule.core import (
    Bundles,
    Goals,
    Poses,
    Problem,
    Solution,
    Store,
    Turn,
    no_conflicts,
    violations,
)
from humay.schedule.core.judge import on_lane, store_levels, turn_seconds
from humay.schedule.core.search import search
from humay.schedule.core.search.moves import Start, run
from humay.schedule.core.search.tables import LEVEL, NEED, Books, Way, books_of, tables_of
from tests.schedule.core.drawn_problems import drawn_problem

WAY = Way(ease=0.0, most=6, listed=60.0, force=0.2, whole=0.0, hurry=0.0)


def _moved(problem: Problem, moves: int) -> Books:
    """The books after some moves at a heat at which half of them are kept."""
    tables = tables_of(problem)
    books = books_of(problem, tables, 1)
    order = np.arange(len(problem.bundles.members))
    start = Start(done=np.zeros(0, dtype=bool), at_s=np.zeros(0), order=order)
    assert run(tables, books, start, WAY, moves, 2.0, 1.0) == -1
    return books


def _turns(problem: Problem, acts: list[int], starts: list[float]) -> np.ndarray:
    own = [
        turn_seconds(problem, acts[k - 1], starts[k - 1], acts[k], starts[k])
        for k in range(1, len(acts))
    ]
    return np.array([0.0, *own])


@pytest.mark.parametrize("seed", range(200, 230))
def test_levels_and_needs_are_those_that_the_judge_finds(seed: int) -> None:
    """The need at an act's end, going back from the end of all: what is needed after a stretch
    less what comes in, never below nothing."""
    problem = drawn_problem(seed, n=60, lanes=2, moving=True, stores=True)
    books, compared = _moved(problem, 300), 0
    done = np.flatnonzero(books.done)
    held = Solution(candidates=done, start_s=books.at_s[done])
    assert violations(problem, held) == []
    for store in problem.stores:
        acts, starts = on_lane(problem, held, store.lane)
        begin, finish = np.array(starts), np.array(starts) + problem.duration_s[acts]
        drawn = acts, begin, finish, _turns(problem, acts, starts)
        t_s, level = store_levels(store, *drawn)
        free = store_levels(replace(store, capacity=1e6, initial=1e5), *drawn)[1]
        need = np.zeros(len(t_s))
        for k in range(len(t_s) - 2, -1, -1):
            need[k] = max(need[k + 1] - (free[k + 1] - free[k]), 0.0)
        assert books.flow[acts, 0, LEVEL] == pytest.approx(np.interp(finish, t_s, level), abs=1e-6)
        assert books.flow[acts, 0, NEED] == pytest.approx(np.interp(finish, t_s, need), abs=1e-6)
        compared += len(acts)
    assert compared > 3


@pytest.mark.parametrize(("use", "done"), [(1.5, 2), (1.500001, 0)])
def test_an_act_for_which_a_store_lasts_to_the_last_drop_is_done(use: float, done: int) -> None:
    """Two acts of 10 s; 1 a second comes in and 5 is all that the store holds: at 1.5 a second each
    empties it, and it is full again before the second begins."""
    still = np.zeros((2, 1))
    problem = Problem(
        lanes=(Turn(measure="axes", rate=1.0, acceleration=np.inf, settle_s=0.0),),
        lane=np.zeros(2, np.int64), low_s=np.array([20.0, 60.0]), high_s=np.array([20.0, 60.0]),
        duration_s=np.full(2, 10.0), poses=Poses.at_rest(still, still), bonus=np.zeros(2),
        bundles=Bundles.singles(np.arange(2)), goals=Goals.singles(np.ones(2)),
        fixed=np.zeros(2, dtype=bool), pairs=no_conflicts(2), triples=no_conflicts(3), budgets=(),
        stores=(
            Store(
                lane=0, t_s=np.array([0.0, 400.0]), income=np.ones(1), initial=5.0, capacity=5.0,
                use=np.full(2, use),
            ),
        ),
        limits=(), grid_s=0.0,
    )  # fmt: skip
    assert len(search(problem, seed=1, iterations=200).solution.candidates) == done
