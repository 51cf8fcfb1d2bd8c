"""Requests of four kinds to a constellation over a day: `benchmarks/squillaci.py [FILE ...]`,
options as in `solving`.

Instances: ssquilla/Earth_Observing_Satellites_benchmarks, README.md at 9a5f281 (one-shot, stereo,
periodic and video requests; video is LONG_MONO in the files). Rules: the planner of the same author
with its options as they stand, ssquilla/EOSSP at 18819a0, EOSSP/model/constellation.py and
transitionModel.py; it belongs to S. Squillaci, S. Roussel, C. Pralet, "Scheduling Complex
Observation Requests for a Constellation of Satellites", CPAIOR 2023:

* An observation is worth the class of its weather score: `CLASSES`.
* One-shot and video: one observation, a video's worth four times as much. Stereo: both observations
  of one pair, the sum. Periodic: at most one observation in each slot, at least one in all; the
  sum, and half of the number of slots less the longest run of slots missed before one that is
  served (those missed after the last one served do not count).
* A satellite does one thing at a time. From one target to the next it takes as many seconds as
  there are degrees between them, in the plane of longitude and latitude, and at most 90 (the
  transition model "mean"; the planner rounds it to milliseconds, which we do not).
* Every download opportunity is used: 180 s of it, or 95 % where that is less, with the satellite
  turned to the station. Neither memory nor stations limit anything besides.

A request is a goal, each way of doing it a bundle of candidates, of which the best counts.
Solutions are CSV with the columns id (of an observation or a download), satellite and start_s.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.solving import Adapter, main

from humay.schedule.core import (
    Bundles,
    Goals,
    Poses,
    Problem,
    Ragged,
    Solution,
    Turn,
    no_conflicts,
)

CLASSES = ((0.5, 0.05), (0.6, 0.1), (0.7, 0.4), (0.8, 0.7), (0.9, 0.95), (1.0, 1.0))
"""Scores up to the first are worth the second."""
KINDS = ("ONE_SHOT_MONO", "LONG_MONO", "ONE_SHOT_STEREO", "PERIODIC")
VIDEO_FACTOR, REGULARITY = 4.0, 0.5
DOWNLOAD_S, DOWNLOAD_SHARE = 180.0, 0.95
LONGEST_TURN_S = 90.0
NEAR = 1e-6
"""Radians to a degree. The core's plane is seen from one unit above it: so near to its foot the
angle between points is their distance, to 1 in 10^9 of it."""
SLACK_S = 1e-6
FILES = ("concentrated/0-0-0-500.pb.gz", "spread/0-0-0-250.pb.gz", "spread/120-150-270-30.pb.gz")


@dataclass(frozen=True, kw_only=True)
class Act:
    """An observation or a download. `slot` numbers the pair or the slot of a period it is in."""

    id: int
    satellite: int
    low_s: float
    high_s: float
    duration_s: float
    place_deg: tuple[float, float]
    slot: int = 0
    worth: float = 0.0

    @property
    def last_s(self) -> float:
        """The last moment to begin it."""
        return self.high_s - self.duration_s


Plan: TypeAlias = list[tuple[float, Act]]
"""What a satellite does, and when it begins (s), in order."""


@dataclass(frozen=True, kw_only=True)
class Request:
    id: int
    kind: str
    observations: tuple[Act, ...]


@dataclass(frozen=True, kw_only=True)
class Instance:
    requests: tuple[Request, ...]
    downloads: tuple[Act, ...]

    @property
    def acts(self) -> list[Act]:
        """The candidates in order."""
        wanted = [act for request in self.requests for act in request.observations]
        return [*self.downloads, *wanted]


def read(path: Path) -> Instance:
    """A file as it is published, or compressed by gzip."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = iter([line.split(",") for line in text.splitlines() if line.strip()])
    requests = tuple(_request(rows, path) for _ in range(int(next(rows)[0])))
    downloads = tuple(_download(next(rows)) for _ in range(int(next(rows)[0])))
    if list(rows):
        raise ValueError(f"{path}: lines are left after the downloads")
    instance = Instance(requests=requests, downloads=downloads)
    if len({act.id for act in instance.acts}) != len(instance.acts):
        raise ValueError(f"{path}: two observations or downloads have one number")
    return instance


def _request(rows: Iterator[list[str]], path: Path) -> Request:
    number, count, kind = next(rows)
    if kind not in KINDS:
        raise ValueError(f"{path}: request {number} is of the kind {kind!r}")
    slotted = kind in ("ONE_SHOT_STEREO", "PERIODIC")
    observations = []
    for _ in range(int(count)):
        slot, *row = next(rows) if slotted else ["0", *next(rows)]
        low_s, high_s, duration_s, lat, lon, _, score = (float(x) for x in row[2:])
        observations.append(
            Act(
                id=int(row[0]), satellite=int(row[1]), low_s=low_s, high_s=high_s,
                duration_s=duration_s, place_deg=(lon, lat), slot=int(slot), worth=_class(score),
            )
        )  # fmt: skip
    return Request(id=int(number), kind=kind, observations=tuple(observations))


def _class(score: float) -> float:
    for most, worth in CLASSES:
        if score <= most:
            return worth
    raise ValueError(f"a weather score is {score}, expected at most 1")


def _download(row: list[str]) -> Act:
    low_s, high_s, lat, lon, _ = (float(x) for x in row[2:])
    return Act(
        id=int(row[0]), satellite=int(row[1]), low_s=low_s, high_s=high_s,
        duration_s=min(DOWNLOAD_S, DOWNLOAD_SHARE * (high_s - low_s)), place_deg=(lon, lat),
    )  # fmt: skip


def worth(request: Request, done: tuple[Act, ...]) -> float:
    """What observations of a request are worth together; ValueError if it does not allow them."""
    total = math.fsum(act.worth for act in done)
    slots = [act.slot for act in done]
    match request.kind, slots:
        case "ONE_SHOT_MONO", [_]:
            return total
        case "LONG_MONO", [_]:
            return VIDEO_FACTOR * total
        case "ONE_SHOT_STEREO", [first, second] if first == second:
            return total
        case "PERIODIC", [_, *_] if len(set(slots)) == len(slots):
            offered = sorted({act.slot for act in request.observations})
            return total + REGULARITY * (len(offered) - _longest_miss(offered, slots))
    raise ValueError(f"request {request.id}, {request.kind}, cannot be served by slots {slots}")


def _longest_miss(offered: list[int], served: list[int]) -> int:
    """The longest run of slots missed before one that is served."""
    longest = missed = 0
    for slot in offered:
        if slot in served:
            longest, missed = max(longest, missed), 0
        else:
            missed += 1
    return longest


def ways(request: Request) -> list[tuple[float, tuple[Act, ...]]]:
    """Every set of observations that serves a request, and its worth."""
    slots: dict[int, list[Act]] = {}
    for act in request.observations:
        slots.setdefault(act.slot, []).append(act)
    if request.kind == "PERIODIC":
        choices = itertools.product(*([None, *acts] for acts in slots.values()))
        sets = [tuple(act for act in choice if act is not None) for choice in choices][1:]
    elif request.kind == "ONE_SHOT_STEREO":
        sets = [tuple(acts) for acts in slots.values()]
    else:
        sets = [(act,) for act in request.observations]
    return [(worth(request, done), done) for done in sets]


def problem(instance: Instance) -> Problem:
    """A lane for each satellite, whose targets must lie near enough for the core's turns."""
    acts = instance.acts
    satellites = sorted({act.satellite for act in acts})
    place = np.array([act.place_deg for act in acts])
    if np.hypot(*np.ptp(place, axis=0)) > LONGEST_TURN_S:
        raise ValueError("targets lie too far apart for turns that no limit cuts")
    goals, bundles = _wanted(instance, {act.id: k for k, act in enumerate(acts)})
    return Problem(
        lanes=(Turn(measure="plane", rate=NEAR),) * len(satellites),
        lane=np.array([satellites.index(act.satellite) for act in acts]),
        low_s=np.array([act.low_s for act in acts]),
        high_s=np.array([act.last_s for act in acts]),
        duration_s=np.array([act.duration_s for act in acts]),
        poses=Poses.at_rest(place * NEAR, place * NEAR),
        bundles=bundles,
        goals=goals,
        bonus=np.zeros(len(acts)),
        fixed=np.arange(len(acts)) < len(instance.downloads),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
    )


def _wanted(instance: Instance, candidate: dict[int, int]) -> tuple[Goals, Bundles]:
    """A goal of one part for each request, worth its best way."""
    every = [ways(request) for request in instance.requests]
    best = [max(value for value, _ in own) for own in every]
    n = len(best)
    goals = Goals(
        weight=np.array(best),
        curve=np.zeros(n, np.int64),
        part_goal=np.arange(n),
        part_share=np.ones(n),
        combine="best",
    )
    members = [[candidate[act.id] for act in done] for own in every for _, done in own]
    bundles = Bundles(
        members=Ragged.from_rows(members),
        serves=Ragged.singles(np.repeat(np.arange(n), [len(own) for own in every])),
        quality=np.array([v / most for own, most in zip(every, best, strict=True) for v, _ in own]),
    )
    return goals, bundles


def write(instance: Instance, _: Problem, solution: Solution, path: Path) -> None:
    """Of each request the best way among what is done; the rest of it is left out."""
    acts = instance.acts
    starts = {
        acts[i].id: t
        for i, t in zip(solution.candidates.tolist(), solution.start_s.tolist(), strict=True)
    }
    plan = [(starts[act.id], act) for act in instance.downloads]
    for request in instance.requests:
        able = [way for way in ways(request) if all(act.id in starts for act in way[1])]
        if able:
            best = max(able, key=lambda way: way[0])
            plan += [(starts[act.id], act) for act in best[1]]
    _write(plan, path)


def _write(plan: Plan, path: Path) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "satellite", "start_s"))
        for start_s, act in sorted(plan, key=lambda row: (row[1].satellite, row[0])):
            table.writerow((act.id, act.satellite, repr(start_s)))


def greedy(instance: Instance, path: Path) -> None:
    """The baseline: requests by their best way, each in the best way for which room is found.

    Nothing is taken out again, but what is planned may be put off within its window.
    """
    plans = _with({act.satellite: [] for act in instance.acts}, instance.downloads)
    if plans is None:
        raise ValueError("the downloads hinder each other")
    offers = [sorted(ways(request), key=lambda way: -way[0]) for request in instance.requests]
    for offer in sorted(offers, key=lambda offer: -offer[0][0]):
        tried = (_with(plans, done) for _, done in offer)
        plans = next((trial for trial in tried if trial is not None), plans)
    _write([row for plan in plans.values() for row in plan], path)


def _with(plans: dict[int, Plan], acts: tuple[Act, ...]) -> dict[int, Plan] | None:
    """The satellites' plans with acts besides, each where it takes the least turning of the places
    that there is room in, or None if there is none for one of them."""
    plans = dict(plans)
    for act in acts:
        plan = plans[act.satellite]
        places = [k for k in range(len(plan) + 1) if _near(plan, k, act)]
        places.sort(key=lambda k: _detour_s(plan, k, act))
        tried = (_pushed(plan, k, act) for k in places)
        trial = next((trial for trial in tried if trial is not None), None)
        if trial is None:
            return None
        plans[act.satellite] = trial
    return plans


def _near(plan: Plan, k: int, act: Act) -> bool:
    """Whether the windows allow an act before the k-th of a plan."""
    late = k > 0 and plan[k - 1][0] > act.last_s
    return not late and (k == len(plan) or plan[k][1].last_s >= act.low_s)


def _detour_s(plan: Plan, k: int, act: Act) -> float:
    """The turning that an act before the k-th of a plan adds (s)."""
    sides = [own for _, own in plan[max(k - 1, 0) : k + 1]]
    through = turn_s(*sides) if 0 < k < len(plan) else 0.0
    return sum(turn_s(own, act) for own in sides) - through


def _pushed(plan: Plan, k: int, act: Act) -> Plan | None:
    """A plan with an act before its k-th and what follows put off as far as it must be; None where
    that would be too late."""
    before = plan[k - 1] if k else None
    moved: Plan = []
    for known_s, own in [(-math.inf, act), *plan[k:]]:
        start_s = own.low_s
        if before:
            start_s = max(start_s, before[0] + before[1].duration_s + turn_s(before[1], own))
        if start_s > own.last_s:
            return None
        if start_s <= known_s:
            break
        before = (start_s, own)
        moved.append(before)
    return plan[:k] + moved + plan[k + len(moved) - 1 :]


def turn_s(before: Act, after: Act) -> float:
    """From one target to the next (s)."""
    return min(math.dist(before.place_deg, after.place_deg), LONGEST_TURN_S)


def judge(instance: Instance, path: Path) -> float:
    """The worth of a written solution, by plain code that reads the instance alone."""
    plans = _written(instance, path)
    done = [act.id for plan in plans.values() for _, act in plan]
    missed = {act.id for act in instance.downloads} - set(done)
    if missed or len(set(done)) != len(done):
        raise ValueError(f"{path}: downloads {missed} are missed, or an act is done twice")
    for plan in plans.values():
        for (start_s, before), (next_s, after) in itertools.pairwise(plan):
            free_s = next_s - start_s - before.duration_s
            if free_s < turn_s(before, after) - SLACK_S:
                raise ValueError(f"{path}: {free_s} s from {before.id} to {after.id}, too short")
    chosen = set(done)
    served = (
        (request, tuple(act for act in request.observations if act.id in chosen))
        for request in instance.requests
    )
    return math.fsum(worth(request, own) for request, own in served if own)


def _written(instance: Instance, path: Path) -> dict[int, Plan]:
    """The satellites' plans in a solution, in order of time."""
    acts = {act.id: act for act in instance.acts}
    plans: dict[int, Plan] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            act, start_s = acts.get(int(row["id"])), float(row["start_s"])
            if act is None or act.satellite != int(row["satellite"]):
                raise ValueError(f"{path}: satellite {row['satellite']} has no act {row['id']}")
            if not act.low_s - SLACK_S <= start_s <= act.last_s + SLACK_S:
                raise ValueError(f"{path}: {act.id} begins at {start_s} s, outside its window")
            plans.setdefault(act.satellite, []).append((start_s, act))
    return {satellite: sorted(plan, key=lambda row: row[0]) for satellite, plan in plans.items()}


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "squillaci"
    main(
        Adapter(
            family="complex requests", read=read, problem=problem, write=write, judge=judge,
            greedy=greedy,
        ),
        [str(data / name) for name in FILES],
    )  # fmt: skip
