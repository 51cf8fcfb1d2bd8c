"""Star trackers of which some must see: what blinds them, in plans and before the checker."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.access import Timeline, find_timeline
from humay.arrays import FloatArray, angle_between, norm, unit
from humay.chain import planned, survey
from humay.check import check_plan
from humay.errors import MissionError, PlanError
from humay.frames import matrix_from_quaternion
from humay.mission import Mission, Request, StarTracker, load_mission, load_requests
from humay.schedule import Effort
from humay.schedule.keep_outs import Guard
from tests.chain.small import untold
from tests.conftest import REPOSITORY

START = datetime(2026, 6, 3, 6, tzinfo=UTC)
END = START + timedelta(hours=5)
EXAMPLE = REPOSITORY / "examples" / "azersky2"
BUSY = ("slew", "settle", "image")


def tracker(name: str, *axis: float, sun: float = 35.0, earth: float = 35.0) -> StarTracker:
    x, y, z = unit(np.array(axis)).tolist()
    return StarTracker(
        name=name, axis=(x, y, z), sun_rad=math.radians(sun), earth_rad=math.radians(earth)
    )


LEFT, RIGHT = tracker("left", 0.0, -0.9, -0.4), tracker("right", 0.0, 0.9, -0.4)


@cache
def world() -> tuple[Mission, tuple[Request, ...]]:
    mission = load_mission(EXAMPLE / "mission.toml")
    [satellite, *_] = mission.satellites
    mission = replace(mission, satellites=(replace(satellite, idle_attitude="nadir", power=None),))
    return mission, load_requests(EXAMPLE / "requests.geojson", mission)[:40]


def with_trackers(*trackers: StarTracker, **fields: Any) -> Mission:
    mission = world()[0]
    fields = {"tracker_modes": BUSY, **fields}
    changed = replace(mission.satellites[0], star_trackers=trackers, **fields)
    return replace(mission, satellites=(changed,))


def plan_of(mission: Mission) -> dict[str, Any]:
    requests = world()[1]
    found = survey(mission, requests, start=START, end=END, step=untold)
    return planned(
        mission, requests, found, start=START, end=END, release=START, seed=1, step=untold,
        effort=Effort(iterations=300),
    )  # fmt: skip


@cache
def timeline() -> Timeline:
    [found] = find_timeline(world()[0], start=START, end=END).values()
    return found


def sees_by_hand(each: StarTracker, i: int, attitude: FloatArray) -> float:
    """How far (rad) a tracker is from being blind at a node: angles in space, one by one."""
    at = timeline()
    axis = matrix_from_quaternion(attitude).T @ np.array(each.axis)
    r = at.r_gcrf_m[i]
    disc = math.asin(6_378_137.0 / float(norm(r)))
    room = float(angle_between(axis, -r)) - disc - (each.earth_rad or 0.0)
    behind = float(angle_between(at.sun_gcrf[i], -r)) < disc - math.radians(1.05)
    if not behind:  # the Sun is seen
        room = min(room, float(angle_between(axis, at.sun_gcrf[i])) - (each.sun_rad or 0.0))
    return room


@given(
    node=st.integers(60, 1700),
    turn=st.tuples(*4 * [st.floats(-1, 1)]).filter(lambda q: math.hypot(*q) > 0.1),
    needed=st.integers(1, 3),
)
def test_an_attitude_is_clear_where_enough_trackers_see(
    node: int, turn: tuple[float, ...], needed: int
) -> None:
    three = (LEFT, RIGHT, tracker("up", 0.0, 0.0, -1.0, sun=50))
    attitude = unit(np.array(turn))
    rooms = sorted(sees_by_hand(each, node, attitude) for each in three)
    decides = rooms[-needed]  # the room of the last tracker that is needed
    if abs(decides) < math.radians(0.2):  # the guard's own margin, and the Sun's parallax
        return
    guard = Guard(
        keep_outs=(), timeline=timeline(), trackers=three, needed=needed, tracker_modes=("slew",)
    )
    t_s = timeline().t_s[node : node + 1]
    assert bool(guard.clear("slew", t_s, attitude[None])[0]) == (decides > 0)
    assert bool(guard.clear("image", t_s, attitude[None])[0])  # not asked for in this mode


def test_a_tracker_that_takes_over_must_see_before_the_other_is_blind() -> None:
    guard = Guard(
        keep_outs=(), timeline=timeline(), trackers=(LEFT, RIGHT), needed=1, tracker_modes=("slew",)
    )
    at_once = np.array([[True, True, False, False], [False, False, True, True]])
    overlap = np.array([[True, True, True, False], [False, False, True, True]])
    assert guard._handed_over("slew", at_once).tolist() == [True, False, True]
    assert guard._handed_over("slew", overlap).tolist() == [True, True, True]


def test_one_of_two_sees_where_both_do_not() -> None:
    either = plan_of(with_trackers(LEFT, RIGHT))
    both = plan_of(with_trackers(LEFT, RIGHT, trackers_needed=2))
    assert either["objective"]["value"] >= both["objective"]["value"]
    assert len(either["acquisitions"]) >= 1
    reasons = [r["reason"]["code"] for r in both["requests"] if r["reason"]]
    assert "keep_out" in reasons  # a look to the side turns one of them to the Earth


def test_the_checker_finds_slews_and_looks_that_too_few_trackers_see() -> None:
    plan = plan_of(world()[0])
    blind = with_trackers(tracker("ahead", 0.4, 0.0, 0.9, earth=20.0))  # at the Earth itself
    found = check_plan(blind, world()[1], plan)
    assert {v.code for v in found} == {"tracking"}
    segments = [s for s in plan["attitude"]["azersky-2a"] if s["mode"] in BUSY]
    assert len(found) == len(segments)
    assert "0 of 1 star trackers see, expected at least 1" in found[0].message


def test_without_trackers_nothing_is_asked() -> None:
    assert plan_of(with_trackers()) == plan_of(world()[0])


def test_an_idle_attitude_in_which_they_are_blind_is_refused() -> None:
    blind = with_trackers(tracker("down", 0.0, 0.0, 1.0), tracker_modes=("idle",))
    why = r"idle attitude \('nadir'\) brings less than 1 of 1 star trackers to see"
    with pytest.raises(PlanError, match=why):
        plan_of(blind)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(MissionError, match="trackers_needed is 3, expected at most as many as"):
        with_trackers(LEFT, RIGHT, trackers_needed=3)
    with pytest.raises(MissionError, match="has none of sun_deg, moon_deg and earth_deg"):
        StarTracker(name="x", axis=(1.0, 0.0, 0.0))
    with pytest.raises(MissionError, match="sun_rad is 4"):
        StarTracker(name="x", axis=(1.0, 0.0, 0.0), sun_rad=4.0)
