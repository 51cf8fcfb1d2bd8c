"""One track of an agile satellite, ROADEF 2003: `benchmarks/roadef.py [FILE ...]`, options as in
`solving`.

A strip in one of its two directions is a candidate; a request is a goal whose parts are its strips,
or its pairs of strips where it asks for stereo. Rules: the challenge's description (Verfaillie,
Lemaitre, Bataille, Lachiver, "Management of the mission of Earth observation satellites", 2002).
Solutions are written in the challenge's own format.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.solving import Adapter, main

from humay.arrays import IntArray
from humay.schedule.core import (
    Bundles,
    Curve,
    Goals,
    Poses,
    Problem,
    Ragged,
    Solution,
    Turn,
    no_conflicts,
)

ALTITUDE_M, RATE_RAD_S, SETTLE_S = 633_000.0, 0.05, 2.5  # the challenge's file `constants`
LEVEL, WORTH = (0.0, 0.4, 0.7, 1.0), (0.0, 0.1, 0.4, 1.0)  # of a request that is done in part
SLACK_S = 1e-6
FILES = ("instance_2_13_111", "instance_2_15_170", "instance_2_26_96")

Act: TypeAlias = tuple[int, int]
"""A strip's number and its direction: 0 enters at its first end, 1 at its second."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is wanted: the surface counts once for each of the two images of a stereo pair."""

    gain_per_km2: float
    surface_km2: float
    polygon: bool
    stereo: bool

    @property
    def full_km2(self) -> float:
        return self.surface_km2 * (2 if self.stereo else 1)


@dataclass(frozen=True, kw_only=True)
class Strip:
    """`twin` is the number of the strip it makes a stereo pair with, or 0. Each end has a place
    (m) and an interval (s) in which it may be seen."""

    request: int
    twin: int
    useful_km2: float
    duration_s: float
    place_m: tuple[tuple[float, float], tuple[float, float]]
    seen_s: tuple[tuple[float, float], tuple[float, float]]

    def starts(self, direction: int) -> tuple[float, float]:
        """The first and the last moment (s) to begin it in a direction."""
        (enter, enter_last), (leave, leave_last) = (
            self.seen_s[direction],
            self.seen_s[1 - direction],
        )
        return max(enter, leave - self.duration_s), min(enter_last, leave_last - self.duration_s)


@dataclass(frozen=True, kw_only=True)
class Instance:
    """`name` is the data set, the grid and the track."""

    name: tuple[str, ...]
    requests: dict[int, Request]
    strips: dict[int, Strip]


def read(path: Path) -> Instance:
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    wanted, offered = (int(x) for x in lines[1][:2])
    rows = lines[3 + wanted :]
    if len(rows) != 5 * offered:
        raise ValueError(f"{path}: {len(rows)} lines of strips, expected 5 for each of {offered}")
    return Instance(
        name=tuple(lines[0][:3]),
        requests={int(row[0]): _request(row) for row in lines[3 : 3 + wanted]},
        strips={int(rows[k][0]): _strip(rows[k : k + 5]) for k in range(0, len(rows), 5)},
    )


def _request(row: list[str]) -> Request:
    return Request(
        gain_per_km2=float(row[1]), surface_km2=float(row[2]), polygon=row[3] == "2",
        stereo=row[4] == "1",
    )  # fmt: skip


def _strip(rows: list[list[str]]) -> Strip:
    first, second = ([float(x) for x in row[:4]] for row in rows[3:])
    return Strip(
        request=int(rows[0][1]),
        twin=int(rows[0][3]),
        useful_km2=float(rows[2][0]),
        duration_s=float(rows[2][1]),
        place_m=((first[0], first[1]), (second[0], second[1])),
        seen_s=((first[2], first[3]), (second[2], second[3])),
    )


def acts(instance: Instance) -> list[Act]:
    """The candidates in order: strips in the directions in which there is time for them."""
    found = []
    for number, strip in instance.strips.items():
        for direction in (0, 1):
            low, high = strip.starts(direction)
            if low <= high:
                found.append((number, direction))
    return found


def problem(instance: Instance) -> Problem:
    """One lane; places are seen from one altitude above the plane they lie in."""
    done = acts(instance)
    strips = [instance.strips[number] for number, _ in done]
    starts = [strip.starts(d) for strip, (_, d) in zip(strips, done, strict=True)]
    enter = [strip.place_m[d] for strip, (_, d) in zip(strips, done, strict=True)]
    leave = [strip.place_m[1 - d] for strip, (_, d) in zip(strips, done, strict=True)]
    goals, bundles = _wanted(instance, done)
    return Problem(
        lanes=(Turn(measure="plane", rate=RATE_RAD_S, settle_s=SETTLE_S),),
        lane=np.zeros(len(done), np.int64),
        low_s=np.array([low for low, _ in starts]),
        high_s=np.array([high for _, high in starts]),
        duration_s=np.array([strip.duration_s for strip in strips]),
        poses=Poses.at_rest(np.array(enter) / ALTITUDE_M, np.array(leave) / ALTITUDE_M),
        bundles=bundles,
        goals=goals,
        bonus=np.zeros(len(done)),
        fixed=np.zeros(len(done), dtype=bool),
        pairs=_apart(instance, done),
        triples=no_conflicts(3),
    )


def _wanted(instance: Instance, done: list[Act]) -> tuple[Goals, Bundles]:
    """A part for each strip, or pair of strips; each of its directions is a bundle.

    A strip that fits in no direction has a part that nothing serves.
    """
    place = {act: k for k, act in enumerate(done)}
    goal = {number: g for g, number in enumerate(instance.requests)}
    part_goal: list[int] = []
    share: list[float] = []
    members: list[list[int]] = []
    serves: list[int] = []
    for number, strip in instance.strips.items():
        if strip.twin and strip.twin < number:
            continue
        images = [number, strip.twin] if strip.twin else [number]
        for direction in (0, 1):
            bundle = [place[i, direction] for i in images if (i, direction) in place]
            if len(bundle) == len(images):
                members.append(bundle)
                serves.append(len(part_goal))
        request = instance.requests[strip.request]
        useful = sum(instance.strips[i].useful_km2 for i in images)
        part_goal.append(goal[strip.request])
        share.append(useful / request.full_km2 if request.polygon else 1.0)
    bundles = Bundles(
        members=Ragged.from_rows(members),
        serves=Ragged.singles(np.array(serves, np.int64)),
        quality=np.ones(len(serves)),
    )
    return _goals(instance, part_goal, share), bundles


def _goals(instance: Instance, part_goal: list[int], share: list[float]) -> Goals:
    """The gain is not cut where rounded surfaces add up to a little more than the whole."""
    requests = list(instance.requests.values())
    most = max([1.0, *np.bincount(part_goal, weights=share)])
    end = WORTH[-1] + (WORTH[-1] - WORTH[-2]) / (LEVEL[-1] - LEVEL[-2]) * (most - LEVEL[-1])
    in_part = Curve(level=np.array([*LEVEL, most]), worth=np.array([*WORTH, end]))
    whole = Curve(level=np.array([0.0, 1.0]), worth=np.array([0.0, 1.0]))
    return Goals(
        weight=np.array([request.gain_per_km2 * request.full_km2 for request in requests]),
        curve=np.array([int(request.polygon) for request in requests]),
        part_goal=np.array(part_goal),
        part_share=np.array(share),
        curves=(whole, in_part),
    )


def _apart(instance: Instance, done: list[Act]) -> IntArray:
    """A strip is taken once, and twins in one direction."""
    place = {act: k for k, act in enumerate(done)}
    pairs = []
    for number, direction in done:
        strip = instance.strips[number]
        for other in (number, strip.twin):
            against = place.get((other, 1 - direction))
            if against is not None and place[number, direction] < against:
                pairs.append((place[number, direction], against))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def write(instance: Instance, problem: Problem, solution: Solution, path: Path) -> None:
    """In order of time. What serves nothing, such as a strip without its twin, is left out."""
    taken = set(solution.candidates.tolist())
    members = [problem.bundles.members[b].tolist() for b in range(len(problem.bundles.members))]
    useful = {i for bundle in members if taken.issuperset(bundle) for i in bundle}
    in_time = solution.candidates[np.argsort(solution.start_s, kind="stable")].tolist()
    all_acts = acts(instance)
    rows = ["{} {}".format(*all_acts[i]) for i in in_time if i in useful]
    path.write_text("\n".join([" ".join(instance.name), str(len(rows)), *rows]) + "\n")


def judge(instance: Instance, path: Path) -> float:
    """The gain of a solution file: each strip begins as early as those before it allow."""
    done = _written(instance, path)
    directions = dict(done)
    if len(directions) != len(done):
        raise ValueError(f"{path}: a strip is acquired twice")
    free_s = -math.inf
    for k, (number, direction) in enumerate(done):
        strip = instance.strips[number]
        if strip.twin and directions.get(strip.twin) != direction:
            raise ValueError(f"{path}: strip {number} without its twin {strip.twin} beside it")
        if k:
            before, before_direction = done[k - 1]
            free_s += _turn_s(
                instance.strips[before].place_m[1 - before_direction], strip.place_m[direction]
            )
        first, last = strip.starts(direction)
        begin_s = max(first, free_s)
        if begin_s > last + SLACK_S:
            raise ValueError(f"{path}: strip {number} begins at {begin_s} s, expected by {last}")
        free_s = begin_s + strip.duration_s
    return _gain(instance, set(directions))


def _written(instance: Instance, path: Path) -> list[Act]:
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    rows = [(int(row[0]), int(row[1])) for row in lines[2:]]
    if tuple(lines[0][:3]) != instance.name:
        raise ValueError(f"{path}: a solution of {lines[0]}, expected {instance.name}")
    if int(lines[1][0]) != len(rows):
        raise ValueError(f"{path}: {len(rows)} acquisitions, expected {lines[1][0]}")
    for number, direction in rows:
        if number not in instance.strips or direction not in (0, 1):
            raise ValueError(f"{path}: there is no strip {number} in direction {direction}")
    return rows


def _turn_s(leave_m: tuple[float, float], enter_m: tuple[float, float]) -> float:
    return SETTLE_S + 2 * math.atan(math.dist(leave_m, enter_m) / (2 * ALTITUDE_M)) / RATE_RAD_S


def _gain(instance: Instance, taken: set[int]) -> float:
    useful_km2 = dict.fromkeys(instance.requests, 0.0)
    for number in taken:
        useful_km2[instance.strips[number].request] += instance.strips[number].useful_km2
    total = 0.0
    for index, request in instance.requests.items():
        level = useful_km2[index] / request.full_km2
        worth = _worth(level) if request.polygon else float(level > 0)
        total += request.gain_per_km2 * request.full_km2 * worth
    return total


def _worth(level: float) -> float:
    """Straight between the nodes, and on beyond the last."""
    pieces = list(pairwise(zip(LEVEL, WORTH, strict=True)))
    for (low, low_worth), (high, high_worth) in pieces:
        if level <= high or high == LEVEL[-1]:
            return low_worth + (level - low) * (high_worth - low_worth) / (high - low)
    raise AssertionError("the last piece has no end")


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "roadef2003"
    main(
        Adapter(family="ROADEF 2003", read=read, problem=problem, write=write, judge=judge),
        [str(data / name) for name in FILES],
    )
