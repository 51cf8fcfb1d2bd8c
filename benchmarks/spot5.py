"""Daily photograph scheduling of SPOT 5: `benchmarks/spot5.py [FILE ...]`, options as in `solving`.

A photograph with a camera, or with two for stereo, is a candidate; the photograph is a goal.
Nothing has a time: what cannot be taken together is listed by two and by three. Format and rules:
Bensana, Lemaitre, Verfaillie, Earth observation satellite management, Constraints 4(3), 1999.
Memory counts in units of 451, rounded, of which there are 200: so the published values come out. A
solution has a line `photograph value` for each photograph taken; values 1, 2 and 3 are the cameras,
13 is stereo.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.solving import Adapter, main

from humay.schedule.core import (
    NO_LANE,
    Budget,
    Bundles,
    Goals,
    Poses,
    Problem,
    Solution,
)
from humay.schedule.core.choice import choice_bound, choose

FILES = ("8", "29", "54", "28", "404", "412", "503", "507", "1401", "1502", "1506")
UNIT, UNITS = 451.0, 200

BEST_KNOWN = {
    "8": 10, "29": 12032, "54": 70, "42": 108067, "28": 56053, "5": 115, "404": 49, "408": 3082,
    "412": 16102, "11": 22120, "503": 9096, "505": 13100, "507": 15137, "509": 19125,
    "1401": 176056, "1403": 176140, "1405": 176179, "1021": 176246, "1502": 61158, "1504": 124243,
    "1506": 168247,
}  # fmt: skip
"""Bensana et al. 1999, table 1, but for 1403: there 176137, in later work 176140."""


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """Values that these photographs may not have together."""

    photographs: tuple[int, ...]
    forbidden: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Weights of photographs; of each its values, with the units of memory that each takes."""

    name: str
    weight: tuple[int, ...]
    values: tuple[dict[int, int], ...]
    constraints: tuple[Constraint, ...]

    @property
    def candidates(self) -> list[tuple[int, int]]:
        """(photograph, value), in the order of the file."""
        return [(i, value) for i, values in enumerate(self.values) for value in values]


def read(file: Path) -> Instance:
    """Lines, since some photographs are followed by two numbers that mean nothing here."""
    lines = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    lines = [line for line in lines if line]
    n = int(lines[0][0])
    photographs = lines[1 : n + 1]
    if [int(line[0]) for line in photographs] != list(range(n)):
        raise ValueError(f"{file}: photographs are not numbered from 0 to {n - 1}")
    # A single number at the end is not a constraint, even where it is counted as one.
    constraints = [line for line in lines[n + 2 :] if len(line) > 1]
    return Instance(
        name=file.stem,
        weight=tuple(int(line[1]) for line in photographs),
        values=tuple(_values(line[3 : 3 + 2 * int(line[2])]) for line in photographs),
        constraints=tuple(_constraint([int(token) for token in line]) for line in constraints),
    )


def _values(tokens: list[str]) -> dict[int, int]:
    return {
        int(value): round(float(memory) / UNIT)
        for value, memory in zip(tokens[::2], tokens[1::2], strict=True)
    }


def _constraint(line: list[int]) -> Constraint:
    arity = line[0]
    if arity not in (2, 3) or (len(line) - 1) % arity:
        raise ValueError(f"a constraint of {arity} photographs in {len(line)} numbers: {line}")
    tuples = zip(*(line[k::arity] for k in range(1 + arity, 1 + 2 * arity)), strict=True)
    return Constraint(photographs=tuple(line[1 : 1 + arity]), forbidden=tuple(tuples))


def problem(instance: Instance) -> Problem:
    candidates = instance.candidates
    number = {candidate: k for k, candidate in enumerate(candidates)}
    conflicts: dict[int, list[list[int]]] = {2: [], 3: []}
    for i, values in enumerate(instance.values):
        conflicts[2] += [[number[i, a], number[i, b]] for a, b in combinations(values, 2)]
    for constraint in instance.constraints:
        for forbidden in constraint.forbidden:
            chosen = list(zip(constraint.photographs, forbidden, strict=True))
            if all(candidate in number for candidate in chosen):
                conflicts[len(chosen)].append([number[candidate] for candidate in chosen])
    n = len(candidates)
    memory = [float(instance.values[i][value]) for i, value in candidates]
    return Problem(
        lanes=(),
        lane=np.full(n, NO_LANE),
        low_s=np.zeros(n),
        high_s=np.zeros(n),
        duration_s=np.zeros(n),
        poses=Poses.at_rest(np.zeros((n, 4)), np.zeros((n, 4))),
        bundles=Bundles.singles(np.array([i for i, _ in candidates], dtype=np.int64)),
        goals=Goals.singles(np.array(instance.weight, dtype=np.float64)),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=np.array(conflicts[2], dtype=np.int64).reshape(-1, 2),
        triples=np.array(conflicts[3], dtype=np.int64).reshape(-1, 3),
        budgets=(Budget(candidates=np.arange(n), use=np.array(memory), most=float(UNITS)),),
    )


def write(instance: Instance, _problem: Problem, solution: Solution, path: Path) -> None:
    taken = sorted(instance.candidates[k] for k in solution.candidates)
    path.write_text("".join(f"{i} {value}\n" for i, value in taken), encoding="ascii")


def judge(instance: Instance, path: Path) -> float:
    """The weight of what is taken; ValueError where a rule is broken."""
    taken: dict[int, int] = {}
    for line in path.read_text(encoding="ascii").splitlines():
        i, value = (int(token) for token in line.split())
        if i in taken or not 0 <= i < len(instance.weight) or value not in instance.values[i]:
            raise ValueError(f"{path}: photograph {i} with value {value}")
        taken[i] = value
    for constraint in instance.constraints:
        given = tuple(taken.get(i, 0) for i in constraint.photographs)
        if given in constraint.forbidden:
            raise ValueError(f"{path}: {given} of {constraint.photographs}")
    units = sum(instance.values[i][value] for i, value in taken.items())
    if units > UNITS:
        raise ValueError(f"{path}: {units} units of memory, at most {UNITS}")
    return float(sum(instance.weight[i] for i in taken))


def tell(instance: Instance, value: float) -> dict[str, object]:
    best = BEST_KNOWN.get(instance.name)
    return {} if best is None else {"best_known": best, "of_best": round(value / best, 6)}


def greedy(instance: Instance, path: Path) -> None:
    """By weight, the first value that goes."""
    about: list[list[Constraint]] = [[] for _ in instance.weight]
    for constraint in instance.constraints:
        for i in constraint.photographs:
            about[i].append(constraint)
    taken: dict[int, int] = {}
    units = 0
    for i in sorted(range(len(instance.weight)), key=lambda i: -instance.weight[i]):
        for value, memory in instance.values[i].items():
            with_it = {**taken, i: value}
            if units + memory <= UNITS and not any(
                tuple(with_it.get(j, 0) for j in c.photographs) in c.forbidden for c in about[i]
            ):
                taken, units = with_it, units + memory
                break
    path.write_text("".join(f"{i} {v}\n" for i, v in sorted(taken.items())), encoding="ascii")


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "spot5"
    main(
        Adapter(
            family="SPOT 5", read=read, problem=problem, write=write, judge=judge, tell=tell,
            greedy=greedy, search=choose, bound=choice_bound,
        ),
        [str(data / f"{name}.spot") for name in FILES],
    )  # fmt: skip
