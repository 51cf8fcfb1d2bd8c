"""Small random missions, planned, checked and bounded: `benchmarks/random_problems.py
[--problems N] [--seed S]`.

The missions are those of the tests (`tests/schedule/random_problems.py`): agility, memory, power,
stations, limits and requests are all drawn so that each may bind. Every second problem is searched
with 2,000 moves, the others are planned greedily; the independent checker reads every plan, and no
plan may be worth more than its bound. Problem n of a run is the one of seed S + n, so that what is
found wrong can be drawn again.

The last line is one JSON object: `problems` drawn, `refused` (the battery cannot last even without
imaging), `plans`, `acquisitions`, `limits` (how often each thing is named as what left a request
out, so that it is seen what binds), `violations` and `breaches` of the bound as lists of seeds, and
the CPU `seconds`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.schedule.random_problems import GREEDY, plan_of, random_problem

from humay.check import check_plan, verdict
from humay.errors import PlanError
from humay.schedule import Effort, plan_document

SEARCHED = Effort(iterations=2_000)
ROUNDING = 1e-9


@dataclass
class Tally:
    """What has been seen so far."""

    problems: int = 0
    refused: int = 0
    plans: int = 0
    acquisitions: int = 0
    limits: Counter[str] = field(default_factory=Counter)
    violations: list[int] = field(default_factory=list)
    breaches: list[int] = field(default_factory=list)


def judge(seed: int, folder: Path, tally: Tally) -> None:
    """Plan one problem and add what comes of it."""
    problem = random_problem(seed, folder)
    tally.problems += 1
    try:
        plan = plan_of(problem, effort=SEARCHED if seed % 2 else GREEDY)
    except PlanError as error:
        if "even without imaging" not in str(error):
            raise
        tally.refused += 1
        return
    document = plan_document(plan)
    tally.plans += 1
    tally.acquisitions += len(document["acquisitions"])
    for entry in document["requests"]:
        if entry["reason"] is not None:
            tally.limits[entry["reason"]["code"]] += 1
    wrong = check_plan(problem.mission, problem.requests, document)
    if wrong:
        tally.violations.append(seed)
        print(f"seed {seed}: {verdict(wrong)}", flush=True)
    if plan.value > plan.bound + ROUNDING:
        tally.breaches.append(seed)
        print(f"seed {seed}: worth {plan.value}, bound {plan.bound}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="small random missions, planned and checked")
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem")
    given = parser.parse_args()
    tally, began = Tally(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seed, given.seed + given.problems):
            judge(seed, Path(folder), tally)
    print(json.dumps(vars(tally) | {"seconds": round(time.process_time() - began, 1)}))


if __name__ == "__main__":
    main()
