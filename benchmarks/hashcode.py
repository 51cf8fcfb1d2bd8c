"""Collections of pictures from many satellites, the final of Hash Code 2016:
`benchmarks/hashcode.py [FILE ...]`, options as in `solving`.

A picture of a place by a satellite, in one pass over it and in a stretch of time that counts for
the same collections, is a candidate; a collection is a goal that is worth nothing before all of it
is there. Rules: "Satellites", problem statement for the final round, Hash Code 2016. Time is in
turns, angles are in arcseconds. Solutions are written in the contest's own format.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.solving import Adapter, main

from humay.arrays import IntArray
from humay.schedule.core import (
    WHOLE,
    Bundles,
    Goals,
    Poses,
    Problem,
    Ragged,
    Solution,
    Turn,
    no_conflicts,
)

POLE, AROUND, EARTH_TURN = 324_000, 1_296_000, 15  # arcsec: its latitude, a circle, in one turn
FILES = ("forever_alone.in", "constellation.in")

Place: TypeAlias = tuple[int, int]
"""Latitude and longitude."""


@dataclass(frozen=True, kw_only=True)
class Satellite:
    """Where it starts and the latitude it gains a turn; its camera looks at most `reach` to each
    side along both axes, and moves at most `camera_speed` a turn along each."""

    lat: int
    lon: int
    speed: int
    camera_speed: int
    reach: int


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Pictures of all its places are wanted, each in one of the ranges of turns, ends included."""

    value: int
    places: list[Place]
    ranges: list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Instance:
    turns: int
    satellites: list[Satellite]
    collections: list[Collection]


def read(path: Path) -> Instance:
    numbers = iter([int(word) for word in path.read_text().split()])
    turns = next(numbers)
    satellites = [_satellite(numbers) for _ in range(next(numbers))]
    collections = [_collection(numbers) for _ in range(next(numbers))]
    if next(numbers, None) is not None:
        raise ValueError(f"{path}: numbers after the last collection")
    for satellite in satellites:
        if EARTH_TURN * 2 * POLE // max(abs(satellite.speed), 1) + 2 * satellite.reach >= AROUND:
            raise ValueError(f"{path}: {satellite} sees a place twice in a pass")
    return Instance(turns=turns, satellites=satellites, collections=collections)


def _satellite(numbers: Iterator[int]) -> Satellite:
    lat, lon, speed, camera_speed, reach = (next(numbers) for _ in range(5))
    return Satellite(lat=lat, lon=lon, speed=speed, camera_speed=camera_speed, reach=reach)


def _collection(numbers: Iterator[int]) -> Collection:
    value, places, ranges = (next(numbers) for _ in range(3))
    return Collection(
        value=value,
        places=[(next(numbers), next(numbers)) for _ in range(places)],
        ranges=[(next(numbers), next(numbers)) for _ in range(ranges)],
    )


# ---------------------------------------------------------------- candidates


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Places (by number) in reach of satellites, from turn `first` to `last`, all (n,): at
    `first` the camera looks `north` and `east`; a turn later `north_rate` further north and
    `EARTH_TURN` further east."""

    place: IntArray
    satellite: IntArray
    first: IntArray
    last: IntArray
    north: IntArray
    east: IntArray
    north_rate: IntArray

    def cut(self, rows: IntArray, first: IntArray, last: IntArray) -> Looks:
        """Those of `rows`, from later firsts to earlier lasts."""
        later = first - self.first[rows]
        return Looks(
            place=self.place[rows],
            satellite=self.satellite[rows],
            first=first,
            last=last,
            north=self.north[rows] + self.north_rate[rows] * later,
            east=self.east[rows] + EARTH_TURN * later,
            north_rate=self.north_rate[rows],
        )


def looks(instance: Instance, lat_lon: IntArray) -> Looks:
    """Every pass of every satellite over places (n, 2), by satellite, pass and place."""
    found = [
        _looks_in(leg, number, satellite, lat_lon)
        for number, satellite in enumerate(instance.satellites)
        for leg in legs(satellite, instance.turns)
    ]
    names = Looks.__dataclass_fields__
    return Looks(**{name: np.concatenate([getattr(f, name) for f in found]) for name in names})


@dataclass(frozen=True, kw_only=True)
class Leg:
    """From one pole to the other: where a satellite is at turn `first`, and what it gains."""

    first: int
    last: int
    lat: int
    lon: int
    speed: int


def legs(satellite: Satellite, turns: int) -> Iterator[Leg]:
    """Beyond a pole it comes back on the other side."""
    turn, lat, lon, speed = 0, satellite.lat, satellite.lon, satellite.speed
    while turn < turns:
        ahead = 1 if speed > 0 else -1
        there = (POLE - ahead * lat) // abs(speed)
        yield Leg(first=turn, last=min(turn + there, turns - 1), lat=lat, lon=lon, speed=speed)
        turn += there + 1
        lat = ahead * 2 * POLE - (lat + (there + 1) * speed)
        lon += 2 * POLE - (there + 1) * EARTH_TURN
        speed = -speed


def _looks_in(leg: Leg, number: int, satellite: Satellite, lat_lon: IntArray) -> Looks:
    """Solved, not scanned: both offsets change evenly."""
    reach, length = satellite.reach, leg.last - leg.first
    west = leg.lon - EARTH_TURN * length - reach
    from_west = (lat_lon[:, 1] - west) % AROUND
    place = np.flatnonzero(from_west <= leg.lon + reach - west)
    north, east = lat_lon[place, 0] - leg.lat, west + from_west[place] - leg.lon
    ahead = north if leg.speed > 0 else -north
    speed = abs(leg.speed)
    begin = np.maximum(-((reach - ahead) // speed), -((reach + east) // EARTH_TURN))
    end = np.minimum((ahead + reach) // speed, (reach - east) // EARTH_TURN)
    begin, end = np.maximum(begin, 0), np.minimum(end, length)
    seen = Looks(
        place=place,
        satellite=np.full(len(place), number),
        first=np.full(len(place), leg.first),
        last=np.full(len(place), leg.last),
        north=north,
        east=east,
        north_rate=np.full(len(place), -leg.speed),
    )
    kept = np.flatnonzero(begin <= end)
    return seen.cut(kept, leg.first + begin[kept], leg.first + end[kept])


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretches:
    """When pictures of places count, and for which parts: place i has the rows `first_row[i]` to
    `first_row[i + 1]`, from turn `first` to `last`, for the parts `parts`."""

    first_row: IntArray
    first: IntArray
    last: IntArray
    parts: Ragged


def stretches(instance: Instance, number: dict[Place, int]) -> Stretches:
    wanted: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    part = 0
    for collection in instance.collections:
        for place in collection.places:
            wanted[number[place]] += [(part, first, last) for first, last in collection.ranges]
            part += 1
    of_place = [_stretches_of(wanted[i]) for i in range(len(number))]
    rows = [row for found in of_place for row in found]
    return Stretches(
        first_row=np.concatenate([[0], np.cumsum([len(found) for found in of_place])]),
        first=np.array([first for first, _, _ in rows], np.int64),
        last=np.array([last for _, last, _ in rows], np.int64),
        parts=Ragged.from_rows([parts for _, _, parts in rows]),
    )


def _stretches_of(wanted: list[tuple[int, int, int]]) -> list[tuple[int, int, list[int]]]:
    """Turns without a break in which the same parts are served."""
    edges = sorted({edge for _, first, last in wanted for edge in (first, last + 1)})
    found: list[tuple[int, int, list[int]]] = []
    for begin, end in pairwise(edges):
        parts = sorted({part for part, first, last in wanted if first <= begin <= last})
        if parts and found and found[-1][1] == begin - 1 and found[-1][2] == parts:
            found[-1] = (found[-1][0], end - 1, parts)
        elif parts:
            found.append((begin, end - 1, parts))
    return found


def candidates(instance: Instance) -> tuple[Looks, Ragged]:
    """Looks cut to stretches that count, and the parts that each serves."""
    places = sorted({place for c in instance.collections for place in c.places})
    seen = looks(instance, np.array(places))
    counted = stretches(instance, {place: i for i, place in enumerate(places)})
    lengths = np.diff(counted.first_row)[seen.place]
    rows = np.repeat(np.arange(len(seen.place)), lengths)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    stretch = counted.first_row[seen.place[rows]] + within
    first = np.maximum(seen.first[rows], counted.first[stretch])
    last = np.minimum(seen.last[rows], counted.last[stretch])
    kept = first <= last
    return seen.cut(rows[kept], first[kept], last[kept]), _taken(counted.parts, stretch[kept])


def _taken(rows: Ragged, which: IntArray) -> Ragged:
    lengths = np.diff(rows.first)[which]
    first = np.concatenate([[0], np.cumsum(lengths)])
    within = np.arange(first[-1]) - np.repeat(first[:-1], lengths)
    return Ragged(first=first, of=rows.of[np.repeat(rows.first[which], lengths) + within])


# ---------------------------------------------------------------- problem and solution


def problem(instance: Instance) -> Problem:
    """A lane a satellite. Before its pictures come, one to each lane, acts that are done at turn
    0 in every solution: looking straight down."""
    seen, parts = candidates(instance)
    lanes, pictures = len(instance.satellites), len(seen.place)
    n = lanes + pictures
    start = np.zeros(lanes, np.int64)
    return Problem(
        lanes=tuple(Turn(measure="axes", rate=s.camera_speed) for s in instance.satellites),
        lane=np.concatenate([np.arange(lanes), seen.satellite]),
        low_s=np.concatenate([start, seen.first]),
        high_s=np.concatenate([start, seen.last]),
        duration_s=np.zeros(n),
        poses=_poses(lanes, seen),
        bundles=Bundles(
            members=Ragged.singles(np.arange(lanes, n)),
            serves=parts,
            quality=np.ones(len(parts.of)),
        ),
        goals=_goals(instance),
        bonus=np.zeros(n),
        fixed=np.arange(n) < lanes,
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
        grid_s=1.0,
    )


def _poses(lanes: int, seen: Looks) -> Poses:
    """Offsets change evenly, so the first and the last turn say it all."""
    length = seen.last - seen.first
    two = np.stack([seen.north, seen.east], axis=1)
    end = two + length[:, None] * np.stack(
        [seen.north_rate, np.full_like(length, EARTH_TURN)], axis=1
    )
    first = np.concatenate([np.arange(lanes), lanes + 2 * np.arange(len(length) + 1)])
    pose = np.zeros((int(first[-1]), 4))
    pose[lanes::2, :2], pose[lanes + 1 :: 2, :2] = two, end
    nothing = np.zeros(len(pose))
    return Poses(
        first=first,
        from_s=np.concatenate([np.zeros(lanes), seen.first]),
        step_s=np.concatenate([np.ones(lanes), np.maximum(length, 1)]),
        arrive=pose, leave=pose, arrive_s=nothing, leave_s=nothing,
    )  # fmt: skip


def _goals(instance: Instance) -> Goals:
    sizes = np.array([len(c.places) for c in instance.collections])
    return Goals(
        weight=np.array([c.value for c in instance.collections]),
        curve=np.zeros(len(sizes), np.int64),
        part_goal=np.repeat(np.arange(len(sizes)), sizes),
        part_share=np.repeat(1.0 / sizes, sizes),
        curves=(WHOLE,),
    )


def write(instance: Instance, problem: Problem, solution: Solution, path: Path) -> None:
    """`latitude longitude turn satellite` by satellite and turn, after their number."""
    places = [place for c in instance.collections for place in c.places]
    bundle = {int(i): b for b, i in enumerate(problem.bundles.members.of)}
    rows = []
    for i, start in zip(solution.candidates.tolist(), solution.start_s, strict=True):
        if i in bundle:
            lat, lon = places[problem.bundles.serves[bundle[i]][0]]
            rows.append((int(problem.lane[i]), round(float(start)), lat, lon))
    lines = [f"{lat} {lon} {turn} {satellite}" for satellite, turn, lat, lon in sorted(rows)]
    path.write_text("\n".join([str(len(lines)), *lines]) + "\n")


# ---------------------------------------------------------------- judge


def judge(instance: Instance, path: Path) -> float:
    """The value of a file of pictures: satellites are moved turn by turn, as the rules say."""
    first, *rows = [[int(word) for word in line.split()] for line in path.read_text().splitlines()]
    if first != [len(rows)]:
        raise ValueError(f"{path}: {len(rows)} pictures, expected {first}")
    by_satellite: defaultdict[int, list[tuple[int, Place]]] = defaultdict(list)
    taken: defaultdict[Place, list[int]] = defaultdict(list)
    for lat, lon, turn, satellite in rows:
        if not (0 <= turn < instance.turns and 0 <= satellite < len(instance.satellites)):
            raise ValueError(f"{path}: no satellite {satellite} at turn {turn}")
        by_satellite[satellite].append((turn, (lat, lon)))
        taken[lat, lon].append(turn)
    for number, pictures in by_satellite.items():
        _fly(instance.satellites[number], sorted(pictures), where=f"{path}: satellite {number}")
    return float(sum(c.value for c in instance.collections if _complete(c, taken)))


def _complete(collection: Collection, taken: dict[Place, list[int]]) -> bool:
    return all(
        any(a <= turn <= b for turn in taken.get(place, []) for a, b in collection.ranges)
        for place in collection.places
    )


def _fly(satellite: Satellite, pictures: list[tuple[int, Place]], *, where: str) -> None:
    """Raise ValueError where a picture is out of reach, or the camera too slow for it."""
    lat, lon, speed = satellite.lat, satellite.lon, satellite.speed
    now, looked, looked_at = 0, (0, 0), 0
    for turn, (place_lat, place_lon) in pictures:
        while now < turn:
            lat, lon, now = lat + speed, lon - EARTH_TURN, now + 1
            if not -POLE <= lat <= POLE:
                lat, lon, speed = (2 * POLE if lat > 0 else -2 * POLE) - lat, lon + 2 * POLE, -speed
        look = (place_lat - lat, (place_lon - lon + AROUND // 2) % AROUND - AROUND // 2)
        if max(map(abs, look)) > satellite.reach:
            raise ValueError(f"{where}: looks {look} at turn {turn}, at most {satellite.reach}")
        moved = max(abs(look[0] - looked[0]), abs(look[1] - looked[1]))
        if moved > satellite.camera_speed * (turn - looked_at):
            raise ValueError(f"{where}: moves {moved} from turn {looked_at} to {turn}")
        looked, looked_at = look, turn


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "hashcode2016"
    main(
        Adapter(family="Hash Code 2016", read=read, problem=problem, write=write, judge=judge),
        [str(data / name) for name in FILES],
    )
