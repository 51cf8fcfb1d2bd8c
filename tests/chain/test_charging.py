"""The idle attitude that charges: where it turns, what it refuses, planned, checked and flown."""

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
from humay.arrays import angle_between, dot, norm, unit
from humay.chain import planned, survey
from humay.check import check_plan
from humay.errors import MissionError, PlanError
from humay.frames import matrix_from_quaternion
from humay.mission import (
    KeepOut,
    Mission,
    Request,
    SunSynchronousOrbit,
    load_mission,
    load_requests,
)
from humay.schedule import Effort
from humay.schedule.attitude import charging_pointing, idle_law
from humay.spacecraft import fly
from tests.chain.small import untold
from tests.conftest import REPOSITORY

START = datetime(2026, 6, 3, 6, tzinfo=UTC)
END = START + timedelta(hours=5)
EXAMPLE = REPOSITORY / "examples" / "azersky2"
DOWN = np.array([0.0, 0.0, -1.0])


@cache
def world() -> tuple[Mission, tuple[Request, ...]]:
    """One satellite that charges, with panels away from the ground."""
    mission = load_mission(EXAMPLE / "mission.toml")
    [satellite, *_] = mission.satellites
    assert satellite.power is not None
    power = replace(satellite.power, panel_normal=(0.0, 0.0, -1.0))
    charging = replace(satellite, idle_attitude="charging", power=power)
    mission = replace(mission, satellites=(charging,))
    return mission, load_requests(EXAMPLE / "requests.geojson", mission)[:40]


@cache
def timeline() -> Timeline:
    [found] = find_timeline(world()[0], start=START, end=END).values()
    return found


def changed(**fields: Any) -> Mission:
    mission = world()[0]
    return replace(mission, satellites=(replace(mission.satellites[0], **fields),))


def plan_of(mission: Mission) -> dict[str, Any]:
    requests = world()[1]
    found = survey(mission, requests, start=START, end=END, step=untold)
    return planned(
        mission, requests, found, start=START, end=END, release=START, seed=1, step=untold,
        effort=Effort(iterations=200),
    )  # fmt: skip


directions = st.tuples(*3 * [st.floats(-1, 1)]).filter(lambda v: math.hypot(*v) > 0.1)


@given(normal=directions, roll_deg=st.floats(-180, 180))
def test_the_panels_face_the_sun_whatever_the_turn(
    normal: tuple[float, float, float], roll_deg: float
) -> None:
    n = unit(np.array(normal))
    try:
        axes = charging_pointing(timeline(), n, math.radians(roll_deg))
    except PlanError:
        assert abs(n[1]) > math.sqrt(0.5)  # along the flight; the orbit's normal is 45 deg away
        return
    assert np.allclose(np.einsum("kij,i->kj", axes, n), timeline().sun_gcrf, atol=1e-9)
    assert np.allclose(axes @ np.swapaxes(axes, -1, -2), np.eye(3), atol=1e-9)


def test_the_side_is_as_near_as_it_can_be_to_the_orbit_normal() -> None:
    """At right angles with the Sun, y comes as near to a direction a from it as 90 deg - a."""
    axes = charging_pointing(timeline(), DOWN, 0.0)
    orb = matrix_from_quaternion(timeline().nadir_attitude)
    apart = angle_between(timeline().sun_gcrf, orb[:, 1])
    assert np.allclose(dot(axes[:, 1], orb[:, 1]), np.sin(apart), atol=1e-9)


def test_a_roll_turns_the_body_about_the_panels() -> None:
    still, turned = (charging_pointing(timeline(), DOWN, roll) for roll in (0.0, math.radians(30)))
    between = np.einsum("kij,klj->kil", turned, still)  # about -z by 30 deg: x towards -y
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    expected = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    assert np.allclose(between, expected, atol=1e-9)


def test_it_hardly_turns_among_the_stars() -> None:
    """The orbit's normal precesses by a degree a day, and so does the Sun move."""
    law = idle_law("charging", timeline(), DOWN)
    assert float(np.max(norm(law.rates_rad_s))) < math.radians(30) / 86_400


def test_it_is_refused_where_the_sun_leaves_the_turn_undefined() -> None:
    """Local time 06:00: in March the Sun stands by the orbit's normal, some 8 deg off at most."""
    orbit = SunSynchronousOrbit(
        altitude_m=600e3, local_time_s=6 * 3600.0, phase_rad=0.0, epoch=START.replace(month=3)
    )
    mission = changed(orbit=orbit)
    begin = START.replace(month=3)
    reached = []
    for day in (0, 30, 60):
        start = begin + timedelta(days=day)
        mission = changed(orbit=replace(orbit, epoch=start))
        [found] = find_timeline(mission, start=start, end=start + timedelta(hours=2)).values()
        off = angle_between(found.sun_gcrf, matrix_from_quaternion(found.nadir_attitude)[:, 1])
        least_deg = float(np.degrees(np.min(np.minimum(off, np.pi - off))))
        if least_deg < 5.0:
            with pytest.raises(PlanError, match="off the orbit's normal, expected at least 5"):
                charging_pointing(found, DOWN, 0.0)
        else:
            charging_pointing(found, DOWN, 0.0)
        reached.append(least_deg < 5.0)
    assert True in reached


@pytest.mark.parametrize("roll_deg", [0.0, 50.0, -120.0])
def test_a_plan_that_charges_is_valid_and_is_flown(roll_deg: float) -> None:
    mission = changed(charging_roll_rad=math.radians(roll_deg))
    plan = plan_of(mission)
    assert len(plan["acquisitions"]) >= 1
    idle = [s for s in plan["attitude"]["azersky-2a"] if s["mode"] == "idle"]
    assert {s["law"] for s in idle} == {"charging"}
    found = survey(mission, world()[1], start=START, end=END, step=untold)
    flight = fly(mission, plan, found.orbits, seed=1)
    [telemetry] = flight.telemetry.values()
    at = timeline()
    i = int(np.argmin(np.abs(telemetry.t_s - telemetry.t_s[0] - 60.0)))
    sun = np.array([np.interp(telemetry.t_s[i], at.t_s, c) for c in at.sun_gcrf.T])
    panel = -matrix_from_quaternion(telemetry.body_from_gcrf[i])[2]
    assert math.degrees(angle_between(panel, sun)) < 0.01


def test_the_checker_finds_another_roll_or_law() -> None:
    plan = plan_of(world()[0])
    for wrong in (changed(charging_roll_rad=0.1), changed(idle_attitude="sun")):
        codes = {v.code for v in check_plan(wrong, world()[1], plan)}
        assert codes & {"attitude", "slew"}


def test_a_keep_out_that_forbids_it_is_told_with_a_roll_that_keeps_off() -> None:
    """Body x sweeps round the Earth with the orbit; turned to where y was it never sees it."""
    tracker = KeepOut(
        name="tracker", axis=(1.0, 0.0, 0.0), body="earth", angle_rad=math.radians(1),
        modes=("idle",),
    )  # fmt: skip
    with pytest.raises(PlanError, match=r"charging_roll_deg = (-?\d+) would keep off") as caught:
        plan_of(changed(keep_out=(tracker,)))
    roll_deg = int(str(caught.value).split("charging_roll_deg = ")[1].split()[0])
    assert 30 < abs(roll_deg) < 150
    plan = plan_of(changed(keep_out=(tracker,), charging_roll_rad=math.radians(roll_deg)))
    assert len(plan["acquisitions"]) >= 1


def test_it_wants_panels_and_a_roll_wants_it() -> None:
    [satellite] = world()[0].satellites
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"power": None}, "idle_attitude is 'charging' without a power table"),
        ({"idle_attitude": "sun", "charging_roll_rad": 0.1}, "charging_roll_deg is given with"),
        ({"charging_roll_rad": 4.0}, "charging_roll_rad is 4"),
    )
    for fields, why in refused:
        with pytest.raises(MissionError, match=why):
            replace(satellite, **fields)
