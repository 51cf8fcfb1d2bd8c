"""Small random missions, planned, checked and bounded: `benchmarks/random_problems.py
[--problems N] [--seed S] [--seconds T]`.

The missions are those of the tests (`tests/schedule/varied_problems.py`): every feature of
satellites, stations, limits, requests and of what counts is in some of them, so that each may bind.
Every second problem is searched with 1,000 moves, the others are planned greedily; every tenth plan
is followed by another that takes over from it with images missed and passes lost. The independent
checker reads every plan: what is planned, its worth, and that the bound is not below it. Problem n
of a run is the one of seed S + n, so that what is found wrong can be drawn again. After T seconds
of CPU no more is drawn.

The last line is one JSON object: `problems` drawn, `refused` (the mission cannot even fly with
nothing to do), `plans`, `following` of them after another, `acquisitions`, `features` (how often
each is drawn), `limits` (how often each thing is named as what left a request out, so that it is
seen what binds), `failures` as a list of seeds, and the CPU `seconds`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.schedule.random_problems import GREEDY
from tests.schedule.varied_problems import REFUSALS, Varied, first_plan, next_plan, varied_problem

from humay.errors import HumayError
from humay.schedule import Effort

SEARCHED = Effort(iterations=1_000)
ONE_IN = 10
"""Plans are followed by another."""
FAULTS = (HumayError, AssertionError, ArithmeticError, LookupError, TypeError, ValueError)
"""What is told with its seed, and the run goes on."""


@dataclass
class Tally:
    """What has been seen so far."""

    problems: int = 0
    refused: int = 0
    plans: int = 0
    following: int = 0
    acquisitions: int = 0
    features: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    failures: list[int] = field(default_factory=list)

    def add(self, document: dict[str, Any]) -> None:
        self.plans += 1
        self.acquisitions += len(document["acquisitions"])
        entries = [*document["requests"], *document.get("calibrations", ())]
        reasons = [entry.get("reason") for entry in entries]
        self.limits.update(reason["code"] for reason in reasons if reason is not None)


def judge(seed: int, folder: Path, tally: Tally) -> None:
    """Plan one problem and add what comes of it."""
    varied = varied_problem(seed, folder)
    tally.problems += 1
    tally.features.update(varied.features)
    try:
        _plan(varied, tally)
    except FAULTS as error:
        if any(reason in str(error) for reason in REFUSALS):
            tally.refused += 1
            return
        tally.failures.append(seed)
        print(f"seed {seed}, {', '.join(varied.features)}: {error!r}", flush=True)


def _plan(varied: Varied, tally: Tally) -> None:
    effort = SEARCHED if varied.seed % 2 else GREEDY
    old = first_plan(varied, effort)
    tally.add(old)
    if varied.seed % ONE_IN == 0:
        new = next_plan(varied, old, SEARCHED)
        if new is not None:
            tally.add(new)
            tally.following += 1


def main() -> None:
    parser = argparse.ArgumentParser(description="small random missions, planned and checked")
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem")
    parser.add_argument("--seconds", type=float, default=math.inf, help="CPU time to begin in")
    given = parser.parse_args()
    tally, began = Tally(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.seed, given.seed + given.problems):
            if time.process_time() - began > given.seconds:
                break
            judge(seed, Path(folder), tally)
            if tally.problems % 100 == 0:
                print(f"{tally.problems} problems, {tally.failures} failed", flush=True)
    print(json.dumps(vars(tally) | {"seconds": round(time.process_time() - began, 1)}))


if __name__ == "__main__":
    main()
