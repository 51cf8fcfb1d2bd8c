"""What the scheduling benchmarks share: read, solve, write, judge, and one line of JSON.

An adapter maps instances of one family onto `humay.schedule.core.Problem`. It judges what was
written by its own reading of the family's rules, from the file alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from humay.schedule.core import Problem, Solution, upper_bound, violations
from humay.schedule.core.found import Found
from humay.schedule.core.search import search

Instance = TypeVar("Instance")


@dataclass(frozen=True, kw_only=True)
class Adapter(Generic[Instance]):
    """How one family of instances is read, mapped, written and judged.

    `judge` returns the value of a solution file, and raises ValueError where it breaks a rule.
    `tell` turns that value into what else the line of JSON shall say.
    `greedy` writes a plain solution to compare with.
    `search` and `bound` are called as those of the core, which they are where nothing is said.
    """

    family: str
    read: Callable[[Path], Instance]
    problem: Callable[[Instance], Problem]
    write: Callable[[Instance, Problem, Solution, Path], None]
    judge: Callable[[Instance, Path], float]
    tell: Callable[[Instance, float], dict[str, object]] = lambda _instance, _value: {}
    greedy: Callable[[Instance, Path], None] | None = None
    search: Callable[..., Found] = search
    bound: Callable[..., float] = upper_bound


def main(adapter: Adapter[Any], default: Sequence[str]) -> None:
    """`NAME.py [FILE ...] [--seconds S | --iterations N] [--seed N] [--solution FILE]`."""
    parser = argparse.ArgumentParser(description=f"solve instances of {adapter.family}")
    parser.add_argument("file", nargs="*", default=list(default))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--bound-seconds", type=float, default=60.0, help="0: no bound")
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--solution", type=Path, help="of one FILE: where to write it")
    asked = parser.parse_args()
    if asked.solution and len(asked.file) != 1:
        parser.error("--solution goes with one FILE")
    results = [_solve(adapter, Path(file), asked) for file in asked.file]
    value, bound = sum(r["value"] for r in results), [r["bound"] for r in results]
    print(
        json.dumps(
            {
                "value": value,
                "bound": None if None in bound else sum(bound),
                "seconds": round(sum(r["seconds"] for r in results), 3),
                "instances": results,
            }
        )
    )


def _solve(adapter: Adapter[Any], file: Path, asked: argparse.Namespace) -> dict[str, Any]:
    instance = adapter.read(file)
    began = time.perf_counter()
    problem = adapter.problem(instance)
    mapped = time.perf_counter()
    stop = None if asked.iterations else _after(mapped + asked.seconds)
    found = adapter.search(
        problem, seed=asked.seed, iterations=asked.iterations, stop=stop, threads=asked.threads
    )
    searched = time.perf_counter()
    broken = violations(problem, found.solution)
    if broken:
        raise AssertionError(f"{file.name}: {broken[0]}")
    with tempfile.TemporaryDirectory() as folder:
        path = asked.solution or Path(folder) / "solution"
        adapter.write(instance, problem, found.solution, path)
        value = adapter.judge(instance, path)
    bound = None
    if asked.bound_seconds > 0:
        bound = adapter.bound(problem, stop=_after(searched + asked.bound_seconds))
    result = {
        "instance": file.name,
        "value": value,
        **adapter.tell(instance, value),
        "bound": bound,
        "gap": None if not bound else round((bound - value) / bound, 5),
        "seconds": round(searched - began, 3),
        "mapping_seconds": round(mapped - began, 3),
        "bound_seconds": round(time.perf_counter() - searched, 3),
        "iterations": found.iterations,
        "seed": asked.seed,
        "greedy": _greedy(adapter, instance),
    }
    print(json.dumps(result))
    return result


def _greedy(adapter: Adapter[Any], instance: Any) -> float | None:
    if adapter.greedy is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "greedy"
        adapter.greedy(instance, path)
        return adapter.judge(instance, path)


def _after(moment: float) -> Callable[[], bool]:
    return lambda: time.perf_counter() >= moment
