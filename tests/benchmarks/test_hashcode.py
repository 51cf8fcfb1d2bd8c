"""The Hash Code 2016 adapter: looks as by stepping through every turn, and the contest's toy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.hashcode import (
    Collection,
    Instance,
    Place,
    Satellite,
    candidates,
    judge,
    looks,
    problem,
    read,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.schedule.core import Problem, Solution, value, violations
from humay.schedule.core.search import search
from tests.benchmarks.trivial import one_after_another

DEGREE = 3600


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return data_dir / "scheduling" / "hashcode2016"


def track(satellite: Satellite, turns: int) -> list[Place]:
    """Where it is at each turn, as the statement says it, longitudes from -180 to 180 degrees."""
    lat, lon, speed = satellite.lat, satellite.lon, satellite.speed
    found = []
    for _ in range(turns):
        found.append((lat, lon))
        if lat + speed > 90 * DEGREE:
            lat, lon, speed = 180 * DEGREE - (lat + speed), lon - 180 * DEGREE, -speed
        elif lat + speed < -90 * DEGREE:
            lat, lon, speed = -180 * DEGREE - (lat + speed), lon - 180 * DEGREE, -speed
        else:
            lat += speed
        lon -= 15
        if lon < -180 * DEGREE:
            lon += 360 * DEGREE
    return found


SATELLITES = st.builds(
    Satellite,
    lat=st.integers(-90 * DEGREE, 90 * DEGREE),
    lon=st.integers(-180 * DEGREE, 180 * DEGREE - 1),
    speed=st.integers(100, 500).flatmap(lambda v: st.sampled_from([v, -v])),
    camera_speed=st.integers(1, 200),
    reach=st.integers(0, 10_000),
)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    """Places lie under the tracks, or a little beside them."""
    turns = draw(st.integers(1, 6000))
    satellites = draw(st.lists(SATELLITES, min_size=1, max_size=2))
    tracks = [track(s, turns) for s in satellites]
    beside, moment = st.integers(-6000, 6000), st.integers(0, turns - 1)

    def place() -> Place:
        lat, lon = draw(st.sampled_from(tracks))[draw(moment)]
        lat = max(-85 * DEGREE, min(85 * DEGREE, lat + draw(beside)))
        return lat, (lon + draw(beside) + 180 * DEGREE) % (360 * DEGREE) - 180 * DEGREE

    places = [place() for _ in range(draw(st.integers(1, 6)))]
    ranges = st.tuples(moment, moment).map(lambda pair: (min(pair), max(pair)))
    collection = st.builds(
        Collection,
        value=st.integers(1, 100),
        places=st.lists(st.sampled_from(places), min_size=1, max_size=3, unique=True),
        ranges=st.lists(ranges, min_size=1, max_size=3),
    )
    wanted = draw(st.lists(collection, min_size=1, max_size=4))
    return Instance(turns=turns, satellites=satellites, collections=wanted)


def east_of(lon: int, of: int) -> int:
    return (lon - of + 180 * DEGREE) % (360 * DEGREE) - 180 * DEGREE


@settings(max_examples=50)
@given(of=instances())
def test_looks_are_those_met_turn_by_turn(of: Instance) -> None:
    places = sorted({place for c in of.collections for place in c.places})
    met = set()
    for number, satellite in enumerate(of.satellites):
        for turn, (lat, lon) in enumerate(track(satellite, of.turns)):
            for i, (place_lat, place_lon) in enumerate(places):
                look = (place_lat - lat, east_of(place_lon, lon))
                if max(map(abs, look)) <= satellite.reach:
                    met.add((number, i, turn, *look))
    seen = looks(of, np.array(places))
    solved = []
    for j in range(len(seen.place)):
        for later in range(int(seen.last[j] - seen.first[j]) + 1):
            look = (seen.north[j] + later * seen.north_rate[j], seen.east[j] + later * 15)
            solved.append((seen.satellite[j], seen.place[j], seen.first[j] + later, *look))
    assert len(solved) == len(set(solved))
    assert {tuple(map(int, row)) for row in solved} == met


@settings(max_examples=50)
@given(of=instances())
def test_candidates_are_the_looks_in_the_ranges_of_their_collections(of: Instance) -> None:
    places = sorted({place for c in of.collections for place in c.places})
    part_of = [(c, place) for c in of.collections for place in c.places]
    seen = looks(of, np.array(places))
    wanted = {
        (int(seen.satellite[j]), places[seen.place[j]], turn, part)
        for j in range(len(seen.place))
        for turn in range(int(seen.first[j]), int(seen.last[j]) + 1)
        for part, (c, place) in enumerate(part_of)
        if place == places[seen.place[j]] and any(a <= turn <= b for a, b in c.ranges)
    }
    cut, parts = candidates(of)
    offered = {
        (int(cut.satellite[j]), places[cut.place[j]], turn, int(part))
        for j in range(len(cut.place))
        for turn in range(int(cut.first[j]), int(cut.last[j]) + 1)
        for part in parts[j]
    }
    assert offered == wanted


@settings(max_examples=50)
@given(of=instances())
def test_a_plain_schedule_is_worth_the_same_once_written(
    of: Instance, tmp_path_factory: pytest.TempPathFactory
) -> None:
    mapped, path = problem(of), tmp_path_factory.mktemp("hashcode") / "solution"
    solution = one_after_another(mapped)
    assert violations(mapped, solution) == []
    write(of, mapped, solution, path)
    assert judge(of, path) == value(mapped, solution)


@pytest.mark.parametrize("name", ["toy", "forever_alone"])
def test_a_plain_schedule_of_the_contest_earns_something(
    folder: Path, name: str, tmp_path: Path
) -> None:
    of = read(folder / f"{name}.in")
    mapped = problem(of)
    solution = one_after_another(mapped)
    assert violations(mapped, solution) == []
    write(of, mapped, solution, tmp_path / "solution")
    earned = judge(of, tmp_path / "solution")
    assert earned == value(mapped, solution)
    assert earned >= 100


# ---------------------------------------------------------------- the toy, by hand

# Satellite 0 starts at (170000, 8300) and gains 300 a turn: at turn 20 it is at (176000, 8000), so
# (175958, 8387) lies 42 south and 387 east. Satellite 1 comes down from (180000, 8300): at turn 14
# it is at (175800, 8090), so (175889, 8260) lies 89 north and 170 east.
FIRST, SECOND = "175958 8387 20 0", "175889 8260 14 1"


@pytest.fixture
def toy(folder: Path) -> Instance:
    return read(folder / "toy.in")


def judged(of: Instance, folder: Path, *pictures: str) -> float:
    path = folder / "solution"
    path.write_text("\n".join([str(len(pictures)), *pictures]) + "\n")
    return judge(of, path)


def taken(of: Problem, *pictures: tuple[int, int, int]) -> Solution:
    """Pictures by satellite, turn and part, after the two satellites' looks down."""
    found = [0, 1]
    for satellite, turn, part in pictures:
        offered = (of.lane == satellite) & (of.low_s <= turn) & (turn <= of.high_s)
        found += [
            i
            for i in np.flatnonzero(offered).tolist()
            if i > 1 and part in of.bundles.serves[i - 2]
        ]
    assert len(found) == 2 + len(pictures)
    turns = np.array([0, 0, *(turn for _, turn, _ in pictures)])
    return Solution(candidates=np.array(found), start_s=turns)


def with_satellites(of: Instance, *, reach: int = 500, camera_speed: int = 50) -> Instance:
    changed = [replace(s, reach=reach, camera_speed=camera_speed) for s in of.satellites]
    return replace(of, satellites=changed)


def test_the_toy_pays_what_is_whole_and_in_time(toy: Instance, tmp_path: Path) -> None:
    """Collection 2 wants both in turns 3300 to 3599, when nobody comes by."""
    assert judged(toy, tmp_path, FIRST, SECOND) == 200
    assert judged(toy, tmp_path, FIRST) == 100
    early = replace(toy.collections[1], ranges=[(0, 13), (15, 3599)])
    missed = replace(toy, collections=[toy.collections[0], early, toy.collections[2]])
    assert judged(missed, tmp_path, FIRST, SECOND) == 100


def test_one_picture_counts_for_every_collection_that_wants_it(
    toy: Instance, tmp_path: Path
) -> None:
    any_time = replace(toy.collections[2], ranges=[(0, 3599)])
    shared = replace(toy, collections=[*toy.collections[:2], any_time])
    assert judged(shared, tmp_path, FIRST, SECOND) == 500
    mapped = problem(shared)
    assert value(mapped, taken(mapped, (0, 20, 0), (1, 14, 1))) == 500


def test_a_picture_out_of_reach_is_refused(toy: Instance, tmp_path: Path) -> None:
    assert judged(with_satellites(toy, reach=387), tmp_path, FIRST) == 100
    with pytest.raises(ValueError, match="looks"):
        judged(with_satellites(toy, reach=386), tmp_path, FIRST)


def test_cameras_look_straight_down_at_turn_0(toy: Instance, tmp_path: Path) -> None:
    """387 to the east in 20 turns are 19.35 a turn."""
    assert judged(with_satellites(toy, camera_speed=20), tmp_path, FIRST) == 100
    with pytest.raises(ValueError, match="moves 387"):
        judged(with_satellites(toy, camera_speed=19), tmp_path, FIRST)
    for camera_speed, good in ((20, True), (19, False)):
        mapped = problem(with_satellites(toy, camera_speed=camera_speed))
        assert (violations(mapped, taken(mapped, (0, 20, 0))) == []) is good


def test_a_camera_that_moves_too_fast_between_pictures_is_refused(
    toy: Instance, tmp_path: Path
) -> None:
    """Satellite 0 at turn 19, (175700, 8015), sees the second place 189 north and 245 east; from
    there to 42 south and 387 east it is 231."""
    other = "175889 8260 19 0"
    with pytest.raises(ValueError, match="moves 231"):
        judged(toy, tmp_path, other, FIRST)
    assert judged(with_satellites(toy, camera_speed=231), tmp_path, other, FIRST) == 200


def test_what_does_not_exist_is_refused(toy: Instance, tmp_path: Path) -> None:
    for picture in ("175958 8387 20 2", "175958 8387 3600 0"):
        with pytest.raises(ValueError, match="no satellite"):
            judged(toy, tmp_path, picture)
    (tmp_path / "solution").write_text(f"2\n{FIRST}\n")
    with pytest.raises(ValueError, match="1 pictures, expected"):
        judge(toy, tmp_path / "solution")


def test_files_with_more_than_they_say_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more.in").write_text((folder / "toy.in").read_text() + " 1\n")
    with pytest.raises(ValueError, match="after the last collection"):
        read(tmp_path / "more.in")


@pytest.mark.slow
def test_collections_are_taken_whole(folder: Path, tmp_path: Path) -> None:
    """The best published for the constellation is 61,631, in five minutes."""
    of = read(folder / "constellation.in")
    mapped, path = problem(of), tmp_path / "solution"
    write(of, mapped, search(mapped, seed=1, iterations=20_000).solution, path)
    assert judge(of, path) >= 250_000
