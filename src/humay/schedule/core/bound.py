"""An upper bound on the value of every solution, in continuous time.

Lanes are cut into pieces between which no turn binds. A solution does one sequence of each piece;
the best mixture of sequences (column generation: Gilmore and Gomory, Oper. Res. 9, 1961) is worth
at least as much. Prices of goals and resources make each piece a problem of its own, and any prices
prove a bound (Lagrange), so that the best so far can be handed out at any time.

What is kept: windows, durations, the grid, turns between neighbours (by lengths of time that none
can undercut, see `bound_gaps`), goals (their curves by the least concave ones above them), budgets,
pairs, triples, what is fixed. Relaxed: sliding limits and stores, to what candidates use at least
between two instants; what turns draw from a store; a grid finer than a fifth of the shortest
candidate; whole candidates, which mixtures take in part; chances, to their sum; sequences that come
back to a candidate, as far as they have not been cut off. Candidates with neighbours that may begin
at the same time stand beside all lanes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from humay.schedule.core.bound_generation import Generation
from humay.schedule.core.choice import choice_bound
from humay.schedule.core.choice_program import Stop
from humay.schedule.core.judge import value
from humay.schedule.core.problem import NO_LANE, Problem, Solution


def upper_bound(problem: Problem, *, stop: Stop | None = None, rounds: int | None = None) -> float:
    """What no solution is worth more than.

    It gets less until nothing makes it less; until `stop` says so; or, the same each time, until
    `rounds` sets of prices were tried, where the problem has lanes. Only what is fixed may make a
    problem impossible; its bound is then of no use.
    """
    if np.all(problem.lane == NO_LANE):
        found = choice_bound(problem, stop=stop)
    else:
        found = Generation(problem, stop, rounds).run()
    return min(found, everything(problem))


def everything(problem: Problem) -> float:
    """What it would be worth to do all that gains, if all went together."""
    n = len(problem)
    free = replace(problem, bonus=np.zeros(n))
    gained = problem.bonus[(problem.bonus > 0) | problem.fixed]
    done = Solution(candidates=np.arange(n), start_s=np.zeros(n))
    return value(free, done) + float(np.sum(gained))
