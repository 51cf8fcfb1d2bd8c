"""From the greedy plan to a better one: what the search finds, put together exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from humay.access import Opportunities, Pointing
from humay.schedule.core import Solution
from humay.schedule.core.search import search
from humay.schedule.filling import drop_idle, fill
from humay.schedule.freshness import as_delivered
from humay.schedule.held import NOTHING, Held
from humay.schedule.mapping import GRID_S, Mapped, problem_of
from humay.schedule.planner import Lane, Refusal
from humay.schedule.sequence import Act
from humay.schedule.worth import Worth

ITERATIONS, ITERATIONS_EACH = 40_000, 10
"""Moves of the search where nobody says how many: at least so many, and so many an opportunity."""
FIRST_ROUND, FIRST_ROUND_EACH, GROWTH = 2_000, 4, 1.5


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long the search goes on: for so many moves at most (None: as many as is usual), or until
    `stop` says so; on how many threads, which changes nothing but the time. A round that is not
    finished does not count, unless it is the first."""

    iterations: int | None = None
    stop: Callable[[], bool] | None = None
    threads: int = 1

    def moves(self, wished: int, made: int, opportunities: int) -> int:
        """How many moves the next round makes after those `made`; none at the end."""
        if self.stop is not None:
            return 0 if self.stop() else wished
        usual = max(ITERATIONS, ITERATIONS_EACH * opportunities)
        left = (usual if self.iterations is None else self.iterations) - made
        if left >= wished:
            return wished
        return 0 if made else 2 * (left // 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Improved:
    """The better of two plans, why strips were left out, and how many moves were made."""

    lanes: Mapping[str, Lane]
    refusals: Mapping[str, Refusal]
    iterations: int
    searched: bool


def improved(
    make: Callable[[], dict[str, Lane]],
    worth: Worth,
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    *,
    seed: int,
    effort: Effort,
    held: Held = NOTHING,
) -> Improved:
    """The greedy plan, or what the search made of it where that is worth more.

    `make` gives lanes with nothing but what stays of a previous plan; to keep what else that
    promised counts more. The search goes in rounds, each longer than the one before it, the first
    by how many opportunities there are: putting a plan together takes its time too. What a round
    found and does not hold exactly is dropped, what then fits beside the rest is added as the
    greedy method would, and the next round knows what that does to the batteries.
    """
    lanes = make()
    refusals = fill(lanes, worth, opportunities, pointing)
    best = Improved(lanes=lanes, refusals=refusals, iterations=0, searched=False)
    if held.previous is not None:
        lanes = make()
        _keep(lanes, held, opportunities, pointing, worth)
        refusals = fill(lanes, worth, opportunities, pointing)
        if _wished(lanes, worth, held) >= _wished(best.lanes, worth, held):
            best = replace(best, lanes=lanes, refusals=refusals)
    seen = sum(1 for samples in pointing if samples is not None)
    made, wished = 0, max(FIRST_ROUND, FIRST_ROUND_EACH * seen)
    mapped = None
    while (moves := effort.moves(wished, made, seen)) > 0:
        mapped = mapped or problem_of(lanes, worth, opportunities, pointing, held)
        if not len(mapped.rows):
            return best
        problem = mapped.under(lanes).problem
        found = search(
            problem, seed=seed, iterations=moves, stop=effort.stop, threads=effort.threads
        )
        if found.iterations < (moves if made else 1):
            break
        lanes = make()
        _adopt(lanes, mapped, found.solution, opportunities, pointing, worth)
        _keep(lanes, held, opportunities, pointing, worth)
        refusals = fill(lanes, worth, opportunities, pointing)
        made, wished = made + found.iterations, even(GROWTH * wished)
        if _wished(lanes, worth, held) > _wished(best.lanes, worth, held):
            best = Improved(lanes=lanes, refusals=refusals, iterations=made, searched=True)
    return replace(best, iterations=made)


def even(moves: float) -> int:
    """A whole number of moves that both islands can share."""
    return 2 * round(0.5 * moves)


def value(lanes: Mapping[str, Lane], worth: Worth) -> float:
    """What the acts of all lanes are worth."""
    rows = [act.row for lane in lanes.values() for act in lane.acts]
    return as_delivered(worth, lanes.values()).value(rows)


def _wished(lanes: Mapping[str, Lane], worth: Worth, held: Held) -> float:
    """The value, and what it is worth to keep promises."""
    return value(lanes, worth) + held.kept(lanes, worth)


def _keep(
    lanes: Mapping[str, Lane],
    held: Held,
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    worth: Worth,
) -> None:
    """What was promised and is not imaged otherwise stays where it fits; what is worth nothing
    goes, but for what cannot be changed."""
    for name, wished in held.wishes(lanes, opportunities, pointing, worth).items():
        if wished:
            lanes[name].adopt(wished)
    drop_idle(lanes, worth, held.stays)


def _adopt(
    lanes: Mapping[str, Lane],
    mapped: Mapped,
    solution: Solution,
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    worth: Worth,
) -> None:
    """Give every lane the acts found for it, those that are worth most first."""
    acts: dict[str, list[Act]] = {name: [] for name in lanes}
    stays = {act.row for lane in lanes.values() for act in lane.acts}
    for i, start_s in zip(solution.candidates, solution.start_s, strict=True):
        row = int(mapped.rows[i])
        if row in stays:
            continue
        name, samples = str(opportunities.satellite[row]), pointing[row]
        if samples is None:
            raise AssertionError(f"opportunity {row} was planned without pointing samples")
        whole_s = round(float(start_s) / GRID_S) * GRID_S
        acts[name].append(lanes[name].act(row, opportunities, samples, whole_s))
    values = worth.alone
    for name, found in acts.items():
        found.sort(key=lambda act: (-values[act.row], act.start_s))
        lanes[name].adopt(found)
