"""A fixed antenna kept on a station: directions by geometry, whole plans, the flight after them."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from humay.access import find_timeline
from humay.arrays import angle_between, norm, unit
from humay.check import check_plan, verdict
from humay.earth import itrf_from_geodetic
from humay.errors import MissionError
from humay.frames import inertial_velocity, itrf_from_gcrf, quaternion_inverse, rotate
from humay.mission import Mission
from humay.orbit import ephemerides
from humay.schedule import plan_document
from humay.schedule.tracking import position_gcrf, tracking_law
from humay.spacecraft import fly
from tests.check.valid_plan import MISSION, START, STATION
from tests.schedule.random_problems import Problem, plan_of, random_problem
from tests.schedule.test_random_problems import plan_or_refusal

AXIS = (0.0, 0.6, 0.8)


def test_the_antenna_looks_at_the_station_and_x_flies_ahead() -> None:
    orbits = ephemerides(MISSION, START, START + timedelta(hours=2))
    timeline = find_timeline(MISSION, start=START, end=START + timedelta(hours=2), orbits=orbits)[
        "alpha"
    ]
    orbit = orbits["alpha"]
    t_s = orbit.epoch.seconds(START) + np.arange(3_000.0, 3_600.0, 7.3)
    r_itrf, v_itrf = orbit.state_itrf(t_s)
    turn = np.swapaxes(itrf_from_gcrf(orbit.epoch, t_s), -1, -2)
    r = np.einsum("nij,nj->ni", turn, r_itrf)
    assert norm(position_gcrf(timeline, t_s) - r).max() < 1.0  # m
    place = itrf_from_geodetic(
        np.array(STATION.lon_rad), np.array(STATION.lat_rad), np.array(STATION.height_m)
    )
    there = unit(np.einsum("nij,nj->ni", turn, place - r_itrf))
    law = tracking_law(STATION, np.array(AXIS), timeline, float(t_s[0]), float(t_s[-1]))
    back = quaternion_inverse(law.attitude(t_s))
    antenna = rotate(back, np.array(AXIS))
    assert np.degrees(angle_between(antenna, there)).max() < 0.002
    x = rotate(back, np.array([1.0, 0.0, 0.0]))
    ahead = np.einsum("nij,nj->ni", turn, inertial_velocity(r_itrf, v_itrf))
    nearest = unit(ahead - np.sum(ahead * there, axis=-1, keepdims=True) * there)
    # The flight climbs or sinks by 0.1 deg, and geodetic nadir lies up to 0.2 deg off the centre.
    assert np.degrees(angle_between(x, nearest)).max() < 1.0


def test_an_axis_without_a_fixed_antenna_is_refused() -> None:
    with pytest.raises(MissionError, match="antenna_axis is given with a steerable antenna"):
        replace(MISSION.satellites[0], antenna_axis=AXIS)


def with_axis(problem: Problem) -> Problem:
    satellites = tuple(
        replace(s, antenna="fixed", antenna_axis=AXIS) for s in problem.mission.satellites
    )
    return replace(problem, mission=replace(problem.mission, satellites=satellites))


def without_axis(mission: Mission) -> Mission:
    satellites = tuple(replace(s, antenna_axis=None) for s in mission.satellites)
    return replace(mission, satellites=satellites)


def test_a_plan_keeps_the_antenna_on_the_station_and_can_be_flown(tmp_path: Path) -> None:
    problem = with_axis(random_problem(1, tmp_path))
    document = plan_document(plan_of(problem))
    assert verdict(check_plan(problem.mission, problem.requests, document)) == "valid"
    assert document["downlinks"]
    told = [s for segments in document["attitude"].values() for s in segments if "station" in s]
    assert {s["mode"] for s in told} == {"downlink"}
    other = check_plan(without_axis(problem.mission), problem.requests, document)
    assert "attitude" in {v.code for v in other}
    untold = copy.deepcopy(document)
    for segments in untold["attitude"].values():
        for segment in segments:
            segment.pop("station", None)
    assert "attitude" in {v.code for v in check_plan(problem.mission, problem.requests, untold)}
    lost = copy.deepcopy(document)
    for segments in lost["attitude"].values():
        for segment in segments:
            if "station" in segment:
                segment["station"] = "nowhere"
    assert "span" in {v.code for v in check_plan(problem.mission, problem.requests, lost)}
    orbits = ephemerides(problem.mission, START.replace(month=6), problem.end)
    fly(problem.mission, document, orbits, seed=1)  # refuses jumps of a tenth of a degree


@pytest.mark.slow
def test_every_plan_with_antennas_on_stations_is_accepted(tmp_path: Path) -> None:
    sent = 0
    for seed in range(30):
        problem = with_axis(random_problem(seed, tmp_path))
        plan = plan_or_refusal(problem)
        if plan is None:
            continue
        document = plan_document(plan)
        violations = check_plan(problem.mission, problem.requests, document)
        assert not violations, f"seed {seed}: {verdict(violations)}"
        sent += len(document["downlinks"])
    assert sent > 10
