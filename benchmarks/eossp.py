"""Revisits of many places by satellites that cannot turn, EOSSP-MRT: `benchmarks/eossp.py
[FOLDER ...]`, options as in `solving`.

Instances and the columns of their files: Gavin-HFUT/EOSSP-MRT-Instances, README.md at a04db3c. The
paper behind them ("Earth Observation Satellite Scheduling Problem for Multitemporal Revisit Tasks:
A Variable Neighborhood Search Algorithm") was not yet out, so that the files name the quantities
and these readings of them are ours:

* No task has a duration: an image takes its whole window, from its start to its end. A window of
  no length shows nothing.
* Times of revisits count from the midnight before the first window. An image serves one revisit of
  its task, and gains its fixed profit and, of its variable profit, what is left of the tolerance at
  the image's start: 1 at the ideal time, 0 at the tolerance, and nothing at all beyond it.
  Revisits gain apart from each other.
* From the end of an image to the start of the next, a satellite needs its transition time.
* Storage is counted in seconds of imaging, since no rates are given. It begins empty. A downlink
  frees it as fast as an image fills it, in every downlink window and with one transmitter, but not
  while the satellite takes an image. A station hears several satellites at once.

The downlink windows lie eight hours before those of the authors' own workbook, DataSummary.xlsx,
and some windows at the end of the second day end in 2070. Both are taken as they stand; the latter
never fit into the storage.

A revisit is a goal, a window that can serve it a candidate. Solutions are CSV with the columns
satellite, task, revisit (from 0), start and end, the times as in the instance.
"""

from __future__ import annotations

import csv
import math
import os
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
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
    Store,
    Turn,
    no_conflicts,
)

TIME = "%Y/%m/%d %H:%M:%S"
COLUMNS = ("satellite", "task", "revisit", "start", "end")
SLACK_S = 1e-6
FOLDERS = ("S9", "S17", "U17")

Interval: TypeAlias = tuple[float, float]
"""Start and end, seconds after the instance's `epoch`."""


@dataclass(frozen=True, kw_only=True)
class Satellite:
    """Storage in seconds of imaging. `downlinks` are in order and apart."""

    storage_s: float
    transition_s: float
    downlinks: tuple[Interval, ...]


@dataclass(frozen=True, kw_only=True)
class Revisit:
    """One of the times at which a place is wanted."""

    ideal_s: float
    tolerance_s: float
    fixed: float
    variable: float

    def gain(self, start_s: float) -> float:
        """What an image that starts then gains."""
        left = 1.0 - abs(start_s - self.ideal_s) / self.tolerance_s
        return self.fixed + self.variable * left if left >= 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Look:
    """A window in which a satellite may take an image of a task."""

    satellite: str
    task: str
    window: Interval


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Satellites and the revisits of each task by their names in the files."""

    epoch: datetime
    satellites: dict[str, Satellite]
    tasks: dict[str, tuple[Revisit, ...]]
    looks: tuple[Look, ...]


Image: TypeAlias = tuple[Look, int]
"""A look and the revisit of its task that it serves."""


def read(folder: Path) -> Instance:
    """The four files of an instance, which lie in one folder."""
    windows = _rows(folder / "TaskTimeWins.txt", 4)
    first = min(datetime.strptime(row[2], TIME) for row in windows)
    epoch = datetime(first.year, first.month, first.day)
    passes: dict[str, list[Interval]] = {}
    for satellite, _, _, *window in _rows(folder / "DownloadTimeWins.txt", 5):
        passes.setdefault(satellite, []).append(_interval(epoch, *window))
    return Instance(
        epoch=epoch,
        satellites={
            name: Satellite(
                storage_s=float(storage) / 1e3,
                transition_s=float(transition) / 1e3,
                downlinks=_merged(passes.get(name, [])),
            )
            for name, storage, transition in _rows(folder / "Satellites.txt", 3)
        },
        tasks={row[0]: _revisits(row) for row in _rows(folder / "Tasks.txt", 5)},
        looks=tuple(
            Look(satellite=row[0], task=row[1], window=_interval(epoch, *row[2:]))
            for row in windows
        ),
    )


def _rows(path: Path, columns: int) -> list[list[str]]:
    """The table below a first line that ends in the number of its rows."""
    head, *lines = path.read_text().strip().splitlines()
    rows = [line.strip().split(",") for line in lines]
    if len(rows) != int(head.split(":")[1]):
        raise ValueError(f"{path}: {len(rows)} rows, expected {head.split(':')[1]}")
    for number, row in enumerate(rows, start=2):
        if len(row) != columns:
            raise ValueError(f"{path}:{number}: {len(row)} columns, expected {columns}")
    return rows


def _interval(epoch: datetime, start: str, end: str) -> Interval:
    low, high = ((datetime.strptime(t, TIME) - epoch).total_seconds() for t in (start, end))
    return low, high


def _merged(intervals: list[Interval]) -> tuple[Interval, ...]:
    """The times in any of the intervals."""
    merged: list[Interval] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _revisits(row: list[str]) -> tuple[Revisit, ...]:
    """`ideal%tolerance%fixed%variable|...`, in milliseconds."""
    wanted = [[float(x) for x in text.split("%")] for text in row[4].split("|")]
    if len(wanted) != int(row[3]):
        raise ValueError(f"task {row[0]}: {len(wanted)} revisits, expected {row[3]}")
    return tuple(
        Revisit(ideal_s=ideal / 1e3, tolerance_s=tolerance / 1e3, fixed=fixed, variable=variable)
        for ideal, tolerance, fixed, variable in wanted
    )


def images(instance: Instance) -> list[Image]:
    """The candidates in order: looks that can be taken and gain something, for each revisit."""
    return [
        (look, k)
        for look in instance.looks
        if 0 < look.window[1] - look.window[0] <= instance.satellites[look.satellite].storage_s
        for k, revisit in enumerate(instance.tasks[look.task])
        if revisit.gain(look.window[0]) > 0
    ]


def problem(instance: Instance) -> Problem:
    """A lane for each satellite, with its free storage beside it; starts are fixed by the window.

    An image that could serve two revisits is two candidates, at the same time on the same lane.
    """
    done = images(instance)
    n = len(done)
    start_s = np.array([look.window[0] for look, _ in done])
    goals, bundles = _wanted(instance, done)
    lanes = {name: k for k, name in enumerate(instance.satellites)}
    return Problem(
        lanes=tuple(
            Turn(measure="axes", rate=np.inf, settle_s=satellite.transition_s)
            for satellite in instance.satellites.values()
        ),
        lane=np.array([lanes[look.satellite] for look, _ in done], np.int64),
        low_s=start_s,
        high_s=start_s,
        duration_s=np.array([look.window[1] - look.window[0] for look, _ in done]),
        poses=Poses.at_rest(np.zeros((n, 1)), np.zeros((n, 1))),
        bundles=bundles,
        goals=goals,
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
        stores=tuple(_free_storage(instance, done, name, lanes[name]) for name in lanes),
    )


def _wanted(instance: Instance, done: list[Image]) -> tuple[Goals, Bundles]:
    """A goal for each revisit, worth what it gains at its ideal time."""
    names = [(task, k) for task, revisits in instance.tasks.items() for k in range(len(revisits))]
    part = {name: g for g, name in enumerate(names)}
    full = [instance.tasks[task][k].fixed + instance.tasks[task][k].variable for task, k in names]
    serves = [part[look.task, k] for look, k in done]
    gains = [instance.tasks[look.task][k].gain(look.window[0]) for look, k in done]
    goals = Goals(
        weight=np.array(full),
        curve=np.zeros(len(full), np.int64),
        part_goal=np.arange(len(full)),
        part_share=np.ones(len(full)),
        combine="best",
    )
    bundles = Bundles(
        members=Ragged.singles(np.arange(len(done))),
        serves=Ragged.singles(np.array(serves, np.int64)),
        quality=np.array([gain / full[g] for gain, g in zip(gains, serves, strict=True)]),
    )
    return goals, bundles


def _free_storage(instance: Instance, done: list[Image], name: str, lane: int) -> Store:
    """What a satellite can still take. The income runs on during images, so that they draw besides
    what a downlink frees meanwhile: what remains falls all through them, as it does without."""
    satellite = instance.satellites[name]
    times = [t for look, _ in done for t in look.window] + [0.0, 1.0]
    t_s = np.unique(times + [t for window in satellite.downlinks for t in window])
    middle = 0.5 * (t_s[1:] + t_s[:-1])
    income = np.zeros(len(middle))
    for low, high in satellite.downlinks:
        income[(middle > low) & (middle < high)] = 1.0
    return Store(
        lane=lane,
        t_s=t_s,
        income=income,
        initial=satellite.storage_s,
        capacity=satellite.storage_s,
        use=np.array(
            [
                1.0 + _shared(look.window, satellite.downlinks) if look.satellite == name else 0.0
                for look, _ in done
            ]
        ),
    )


def _shared(window: Interval, others: tuple[Interval, ...]) -> float:
    """The share of a window that lies in others, which are apart."""
    low, high = window
    return sum(max(min(high, b) - max(low, a), 0.0) for a, b in others) / (high - low)


def write(instance: Instance, _: Problem, solution: Solution, path: Path) -> None:
    """Of several images for one revisit, the one that gains most."""
    done = images(instance)
    best: dict[tuple[str, int], Look] = {}
    for i in solution.candidates.tolist():
        look, k = done[i]
        revisit, known = instance.tasks[look.task][k], best.get((look.task, k))
        if known is None or revisit.gain(look.window[0]) > revisit.gain(known.window[0]):
            best[look.task, k] = look
    _write(instance, [(look, k) for (_, k), look in best.items()], path)


def greedy(instance: Instance, path: Path) -> None:
    """The baseline: images in falling gain, each taken where it still fits."""
    gains = {
        image: instance.tasks[image[0].task][image[1]].gain(image[0].window[0])
        for image in images(instance)
    }
    taken: dict[tuple[str, int], Image] = {}
    own: dict[str, list[Interval]] = {name: [] for name in instance.satellites}
    for look, k in sorted(gains, key=lambda image: -gains[image]):
        trial = sorted([*own[look.satellite], look.window])
        if (look.task, k) not in taken and not _broken(instance.satellites[look.satellite], trial):
            taken[look.task, k], own[look.satellite] = (look, k), trial
    _write(instance, list(taken.values()), path)


def _write(instance: Instance, taken: list[Image], path: Path) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for look, k in sorted(taken, key=lambda image: (image[0].satellite, image[0].window)):
            ends = ((instance.epoch + timedelta(seconds=t)).strftime(TIME) for t in look.window)
            table.writerow((look.satellite, look.task, k, *ends))


def judge(instance: Instance, path: Path) -> float:
    """The profit of a written solution, by plain code that reads the instance alone."""
    offered = {
        (look, k): revisit.gain(look.window[0])
        for look in instance.looks
        if look.window[0] < look.window[1]
        for k, revisit in enumerate(instance.tasks[look.task])
    }
    served: set[tuple[str, int]] = set()
    own: dict[str, list[Interval]] = {}
    gains = []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            window = _interval(instance.epoch, row["start"], row["end"])
            look = Look(satellite=row["satellite"], task=row["task"], window=window)
            name = (look.task, int(row["revisit"]))
            gain = offered.get((look, name[1]), 0.0)
            if gain == 0:
                raise ValueError(f"{path}: {look} is no window that serves revisit {name[1]}")
            if name in served:
                raise ValueError(f"{path}: task {name[0]} has two images of revisit {name[1]}")
            served.add(name)
            own.setdefault(look.satellite, []).append(window)
            gains.append(gain)
    for satellite, taken in own.items():
        broken = _broken(instance.satellites[satellite], sorted(taken))
        if broken:
            raise ValueError(f"{path}: satellite {satellite}: {broken}")
    return math.fsum(gains)


def _broken(satellite: Satellite, taken: list[Interval]) -> str:
    """What a satellite's images (in order) break, in words; empty where they hold."""
    for (_, end_s), (start_s, _) in pairwise(taken):
        if start_s - end_s < satellite.transition_s - SLACK_S:
            return f"{start_s - end_s} s between two images, expected {satellite.transition_s}"
    free_s = satellite.storage_s
    edges = sorted({t for window in (*taken, *satellite.downlinks) for t in window})
    for low, high in pairwise(edges):
        if any(a <= low and high <= b for a, b in taken):
            free_s -= high - low
        elif any(a <= low and high <= b for a, b in satellite.downlinks):
            free_s = min(free_s + high - low, satellite.storage_s)
        if free_s < -SLACK_S:
            return f"{-free_s} s more than its storage holds at {high} s"
    return ""


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "eossp_mrt"
    main(
        Adapter(
            family="EOSSP-MRT", read=read, problem=problem, write=write, judge=judge, greedy=greedy
        ),
        [str(data / name) for name in FOLDERS],
    )
