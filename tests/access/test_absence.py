"""Reasons why there is no window: the kind of limit that takes the last one away."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shapely.geometry import Point, Polygon, box

from humay.access import explain_absences, find_opportunities
from humay.mission import (
    CloudModel,
    Inside,
    Mission,
    PassDirection,
    Request,
    Within,
    load_mission,
)
from humay.mission.geometry import RequestKind
from humay.orbit import ephemerides
from tests.access.conftest import START, mission_file, satellite_text

END = START + timedelta(days=3)
BAKU = Point(49.87, 40.41)  # SPOT 6 and 7 look at it by day and by night


def asked(name: str = "baku", geometry: Any = BAKU, **more: Any) -> Request:
    kind: RequestKind = "point" if isinstance(geometry, Point) else "area"
    return Request(name=name, geometry=geometry, kind=kind, height_m=0.0, **more)


def reason(mission: Mission, request: Request) -> tuple[str, str]:
    """The reason of a request that has no window, as it must be."""
    orbits = ephemerides(mission, START, END)
    found = find_opportunities(mission, [request], start=START, end=END, orbits=orbits)
    assert len(found) == 0
    told = explain_absences(mission, [request], start=START, end=END, orbits=orbits)
    return told[request.name]


def count(mission: Mission, request: Request) -> int:
    return len(find_opportunities(mission, [request], start=START, end=END))


def test_a_request_of_another_time_is_told_its_period(spot: Mission) -> None:
    code, text = reason(spot, asked(end=START - timedelta(days=1)))
    assert (code, text) == (
        "period", "its own time (until 2019-10-31T00:00:00Z) does not meet the plan's",
    )  # fmt: skip


@pytest.mark.parametrize("place", [BAKU, BAKU.buffer(0.2)])
def test_an_excluded_place_is_told_so(spot: Mission, place: Any) -> None:
    here = replace(spot, exclusions=(box(49, 40, 51, 41),))
    assert reason(here, asked(geometry=place)) == (
        "no_opportunity", "it lies where the mission takes no images (`exclusions`)",
    )  # fmt: skip


def wide(mission: Mission, tilt_rad: float = 1.0) -> Mission:
    """The same by night and further to the side."""
    satellites = tuple(
        replace(s, max_off_nadir_rad=tilt_rad, max_roll_rad=tilt_rad, max_pitch_rad=tilt_rad,
                min_sun_elevation_rad=-math.pi / 2)
        for s in mission.satellites
    )  # fmt: skip
    return replace(mission, satellites=satellites)


def test_a_pass_too_far_aside_is_told_with_its_angle(spot: Mission) -> None:
    """The same angle as that of the nearest window of a search without the limit."""
    passes = find_opportunities(wide(spot), [asked()], start=START, end=END)
    nearest = math.degrees(passes.off_nadir_rad.min())
    told = reason(spot, asked(max_off_nadir_rad=math.radians(nearest) - 1e-3))
    assert told[1].endswith(f"deg off-nadir in this time, the nearest pass needs {nearest:.1f}")


def test_a_narrower_satellite_that_comes_nearer_is_named(spot: Mission) -> None:
    passes = find_opportunities(wide(spot), [asked()], start=START, end=END)
    least = {
        s.name: float(passes.off_nadir_rad[passes.satellite == s.name].min())
        for s in spot.satellites
    }
    near, far = sorted(least, key=lambda name: least[name])
    limit = {near: 0.5 * least[near], far: 0.5 * (least[near] + least[far])}
    mission = replace(
        spot, satellites=tuple(wide(spot, limit[s.name]).satellite(s.name) for s in spot.satellites)
    )
    needed = math.degrees(least[near])
    text = reason(mission, asked())[1]
    assert text == f"never in reach in this time, {near!r} would need {needed:.1f} deg off-nadir"


def test_roll_and_pitch_are_told_where_off_nadir_would_allow(tmp_path: Path) -> None:
    more = "max_roll_deg = 0.01\nmax_pitch_deg = 0.01"
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-7", more=more)))
    text = reason(mission, asked())[1]
    assert text == "never within the limits of roll and pitch in this time"


def test_the_highest_sun_of_all_passes_is_told(spot: Mission) -> None:
    free = find_opportunities(spot, [asked()], start=START, end=END)
    highest = math.degrees(
        max(free.sun_elevation_start_rad.max(), free.sun_elevation_end_rad.max())
    )
    nights = count(wide(spot, math.radians(30)), asked())
    text = reason(spot, asked(min_sun_elevation_rad=math.radians(60)))[1]
    assert text == (
        f"in reach {nights} times, but the Sun is at most {highest:.2f} deg high then, it must be"
        " 60"
    )


def test_a_tree_that_never_holds_is_named(spot: Mission) -> None:
    tree = Within(quantity="gsd_m", high=1.0) & PassDirection(ascending=False)
    windows = count(spot, asked())
    assert reason(spot, asked(constraints=tree))[1] == (
        f"in reach {windows} times with the Sun high enough, but its conditions never hold then:"
        " gsd at most 1 m and descending"
    )


def test_trees_of_satellites_are_named_with_them(spot: Mission) -> None:
    first, second = spot.satellites
    trees = replace(
        spot,
        satellites=(
            replace(first, constraints=Within(quantity="gsd_m", high=1.0)),
            replace(second, constraints=Inside(geometry=Polygon([(0, 0), (1, 0), (0, 1)]))),
        ),
    )
    text = reason(trees, asked())[1]
    assert text.endswith(
        "gsd at most 1 m ('spot-6'); inside a polygon of lon 0 to 1, lat 0 to 1 ('spot-7')"
    )


def cloudy(mission: Mission, chance: float) -> Mission:
    model = CloudModel(
        path=Path("clouds.tif"), probabilities=np.full((1, 18, 36), chance, dtype=np.float32),
        west_deg=-180.0, north_deg=90.0, cell_lon_deg=10.0, cell_lat_deg=10.0,
    )  # fmt: skip
    return replace(mission, clouds=model)


def test_clouds_are_told_with_their_probability(spot: Mission) -> None:
    windows = count(spot, asked())
    assert reason(cloudy(spot, 0.625), asked(max_cloud=0.3))[1] == (
        f"in reach {windows} times under all other conditions, but clouds are at least 0.625 likely"
        " then, at most 0.3 is asked for"
    )


def test_the_first_kind_that_leaves_nothing_is_the_reason(spot: Mission) -> None:
    """Dark and cloudy, with a tree that never holds: no window is left once the Sun counts."""
    tree = Within(quantity="gsd_m", high=1.0)
    text = reason(
        cloudy(spot, 1.0),
        asked(min_sun_elevation_rad=1.2, constraints=tree, max_cloud=0.1),
    )[1]
    assert "but the Sun is at most" in text


def test_an_area_of_which_only_the_middle_may_be_seen_is_told_so(spot: Mission) -> None:
    middle = Inside(geometry=box(49.4, 39.9, 50.4, 40.9))
    area = asked(geometry=box(49.8, 38.0, 50.0, 42.8), constraints=middle)
    assert reason(spot, area) == (
        "no_opportunity", "its strips are in reach only in part, none of them whole",
    )  # fmt: skip


def test_reasons_of_many_are_those_of_each(spot: Mission) -> None:
    many = [
        asked("dark", min_sun_elevation_rad=1.2),
        asked("past", end=START - timedelta(days=1)),
        asked("near the pole", Point(0.0, 89.0)),
        asked("aside", max_off_nadir_rad=1e-4),
        asked("fine", constraints=Within(quantity="gsd_m", high=1.0)),
    ]
    orbits = ephemerides(spot, START, END)
    together = explain_absences(spot, many, start=START, end=END, orbits=orbits)
    assert together == {request.name: reason(spot, request) for request in many}
    assert len({text for _, text in together.values()}) == 5


def test_nobody_absent_needs_no_reason(spot: Mission) -> None:
    orbits = ephemerides(spot, START, END)
    assert explain_absences(spot, [], start=START, end=END, orbits=orbits) == {}
