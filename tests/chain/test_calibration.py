"""Calibration looks from the mission to the flight: planned, checked by other code, flown."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from humay.arrays import FloatArray, angle_between, dot, unit
from humay.chain import planned, survey
from humay.chain.planning import Survey
from humay.check import check_plan
from humay.earth import ellipsoid_normal, itrf_from_geodetic, moon_gcrf, up_at
from humay.frames import itrf_from_gcrf, matrix_from_quaternion
from humay.mission import (
    Calibration,
    CloudModel,
    ImagingLimit,
    Mission,
    Objective,
    Request,
    load_mission,
    load_requests,
)
from humay.orbit import Ephemeris
from humay.schedule import Effort
from humay.spacecraft import Flight, fly
from humay.time import parse_utc
from tests.chain.small import untold

Json = dict[str, Any]

START = datetime(2026, 6, 3, 6, tzinfo=UTC)
END = START + timedelta(hours=16)
EVERY: Json = {"every_days": 30.0, "tolerance_days": 2.0, "last": START - timedelta(days=30)}
LOOKS = (
    Calibration(name="moon", kind="moon", scan_rad_s=0.004, duration_s=6.0, **EVERY),
    Calibration(name="star", kind="star", targets=("Alkaid",), **EVERY),
    Calibration(name="sand", kind="desert", **EVERY),
    Calibration(name="yaw", kind="side_slither", duration_s=20.0, **EVERY),
)


def made(
    repository: Path, change: Callable[[Mission], Mission]
) -> tuple[Mission, tuple[Request, ...]]:
    mission = load_mission(repository / "examples" / "azersky2" / "mission.toml")
    requests = load_requests(repository / "examples" / "azersky2" / "requests.geojson", mission)
    mission = replace(mission, satellites=mission.satellites[:1], calibrations=LOOKS)
    return change(mission), requests[:40]


def plan_of(mission: Mission, requests: tuple[Request, ...], **given: Any) -> tuple[Survey, Json]:
    found = survey(mission, requests, start=START, end=END, step=untold, **given)
    effort = Effort(iterations=500)
    return found, planned(
        mission, requests, found, start=START, end=END, release=START, seed=1, step=untold,
        effort=effort,
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(repository: Path) -> tuple[Mission, tuple[Request, ...]]:
    return made(repository, lambda mission: mission)


@pytest.fixture(scope="module")
def case(world: tuple[Mission, tuple[Request, ...]]) -> tuple[Survey, Json]:
    return plan_of(*world)


@pytest.fixture(scope="module")
def orbit(case: tuple[Survey, Json]) -> Ephemeris:
    [orbit] = case[0].orbits.values()
    return orbit


def due(plan: Json, name: str) -> Json:
    [found] = [each for each in plan["calibrations"] if each["calibration"] == name]
    return dict(found)


def axes(flight: Flight, orbit: Ephemeris, moment: str) -> FloatArray:
    """Body axes (3, 3) as rows, on axes of the GCRF, flown at an instant."""
    [telemetry] = flight.telemetry.values()
    t_s = orbit.epoch.seconds(parse_utc(moment))
    i = int(np.argmin(np.abs(telemetry.t_s - t_s)))
    assert abs(telemetry.t_s[i] - t_s) < 1e-4
    return matrix_from_quaternion(telemetry.body_from_gcrf[i])


@pytest.fixture(scope="module")
def flight(world: tuple[Mission, tuple[Request, ...]], case: tuple[Survey, Json]) -> Flight:
    return fly(world[0], case[1], case[0].orbits, seed=3)


def test_every_look_that_is_due_is_in_the_plan_which_the_checker_accepts(
    world: tuple[Mission, tuple[Request, ...]], case: tuple[Survey, Json]
) -> None:
    plan = case[1]
    assert check_plan(*world, plan) == []
    assert [(d["calibration"], d["outcome"]) for d in plan["calibrations"]] == [
        ("moon", "met"), ("star", "met"), ("sand", "met"), ("yaw", "met"),
    ]  # fmt: skip
    assert due(plan, "moon")["next_due"] == "2026-07-03T06:00:00Z"  # 30 days on
    assert len(plan["acquisitions"]) >= 1
    names = [r["name"] for r in plan["requests"]]
    assert not any("due" in name for name in names)


def test_the_value_counts_the_looks(case: tuple[Survey, Json]) -> None:
    plan = case[1]
    imaged = sum(r["fraction"] * r["weight"] * 2 ** (r["priority"] - 5) for r in plan["requests"])
    assert plan["objective"]["value"] == pytest.approx(imaged + 4 * 1.0, abs=1e-6)


def test_the_camera_looks_at_a_star_where_the_catalogue_has_it(
    case: tuple[Survey, Json], flight: Flight, orbit: Ephemeris
) -> None:
    """Alkaid, HIP 67301: 206.88516 +49.31327 deg (ICRS, J2000.0), motion -121, -15 mas a year
    (ESA SP-1200); aberration is at most 20.5 arcsec by the Earth and 5.3 by the satellite."""
    look = due(case[1], "star")["look"]
    ra, dec = np.radians([206.88516, 49.31327])
    camera = axes(flight, orbit, look["start"])[2]
    off_deg = np.degrees(angle_between(camera, ellipsoid_normal(ra, dec)))
    assert off_deg < (20.5 + 5.3 + 26.5 * 0.12 + 1) / 3600
    still = axes(flight, orbit, look["end"])
    assert np.allclose(still, axes(flight, orbit, look["start"]), atol=1e-8)


def test_the_camera_sweeps_over_the_moon_at_the_rate_asked_for(
    case: tuple[Survey, Json], flight: Flight, orbit: Ephemeris
) -> None:
    look = due(case[1], "moon")["look"]
    before, after = (axes(flight, orbit, look[end]) for end in ("start", "end"))
    assert angle_between(before[2], after[2]) == pytest.approx(0.004 * 6.0, rel=1e-6)
    t_s = np.array([orbit.epoch.seconds(parse_utc(look["start"])) + 3.0])
    turn = itrf_from_gcrf(orbit.epoch, t_s)[0]
    sight = unit(moon_gcrf(orbit.epoch, t_s)[0] - turn.T @ orbit.position_itrf(t_s)[0])
    assert math.degrees(angle_between(unit(before[2] + after[2]), sight)) < 8 / 3600
    assert dot(after[2] - before[2], before[0]) > 0  # towards +x, as over the ground
    assert look["data_gbit"] > 0


def test_turned_across_the_detectors_lie_along_the_way_over_the_ground(
    case: tuple[Survey, Json], flight: Flight, orbit: Ephemeris
) -> None:
    """Body y is the line of detectors; 5 deg off nadir and 20 s leave it some degrees to turn."""
    look = due(case[1], "yaw")["look"]
    t_s = np.array([orbit.epoch.seconds(parse_utc(look["start"]))])
    r, v = orbit.state_itrf(t_s)
    up = up_at(r)[0]
    ahead = unit(v[0] - dot(v[0], up) * up)
    x, y, _ = axes(flight, orbit, look["start"]) @ itrf_from_gcrf(orbit.epoch, t_s)[0].T
    assert abs(dot(y, ahead)) > math.cos(math.radians(6))
    assert abs(dot(x, ahead)) < math.sin(math.radians(6))


def test_a_desert_look_passes_the_middle_of_the_desert(
    case: tuple[Survey, Json], flight: Flight, orbit: Ephemeris
) -> None:
    look = due(case[1], "sand")["look"]
    sites = {"Libya 3": (23.1, 23.15, 558), "Libya 4": (23.39, 28.55, 160)}  # docs, table of sites
    lon, lat, height = sites.get(look["target"], (math.nan,) * 3)
    assert math.isfinite(lon), look["target"]
    lon_rad, lat_rad = np.radians([lon, lat])
    place = itrf_from_geodetic(lon_rad, lat_rad, np.array(float(height)))
    start_s, end_s = (orbit.epoch.seconds(parse_utc(look[end])) for end in ("start", "end"))
    sights = []
    for t_s, moment in ((start_s, look["start"]), (end_s, look["end"])):
        to_gcrf = itrf_from_gcrf(orbit.epoch, np.array([t_s]))[0].T
        sights.append((to_gcrf @ unit(place - orbit.position_itrf(np.array([t_s]))[0]), moment))
    begun, ended = (dot(axes(flight, orbit, at)[2], sight) for sight, at in sights)
    assert begun == pytest.approx(ended, abs=1e-4)  # as far before it as after
    assert 0.99 < begun < 1 - 1e-6


def test_a_flight_fills_the_memory_and_exposes_nothing(
    case: tuple[Survey, Json], flight: Flight
) -> None:
    [telemetry] = flight.telemetry.values()
    plan = case[1]
    recorded = sum(a["data_gbit"] for a in plan["acquisitions"])
    recorded += sum(d["look"]["data_gbit"] for d in plan["calibrations"])
    sent = sum(d["gbit"] for d in plan["downlinks"])
    gained = (telemetry.memory_bit[-1] - telemetry.memory_bit[0]) / 1e9
    assert gained == pytest.approx(recorded - sent, abs=1e-6)
    assert {a.id for a in flight.acquisitions} == {a["id"] for a in plan["acquisitions"]}
    events = [event.text for event in telemetry.events if event.kind == "image"]
    assert any(text.endswith("Moon") for text in events)


def test_a_plan_from_files_finds_the_looks_again(
    world: tuple[Mission, tuple[Request, ...]], case: tuple[Survey, Json]
) -> None:
    found = case[0]
    given: Json = {
        "opportunities": found.opportunities, "pointing": found.pointing,
        "contacts": found.contacts, "timelines": found.timelines,
    }  # fmt: skip
    assert plan_of(*world, **given)[1] == case[1]


def test_a_look_that_a_limit_keeps_out_is_missed_with_the_reason(repository: Path) -> None:
    def no_time(mission: Mission) -> Mission:
        [satellite] = mission.satellites
        limit = ImagingLimit(seconds=5.0, per_s=6_000)  # less than any of the looks lasts
        moon, *_ = LOOKS
        overdue = replace(moon, name="again", last=START - timedelta(days=33), tolerance_days=1.0)
        return replace(
            mission,
            satellites=(replace(satellite, imaging_limits=(limit,)),),
            calibrations=(moon, overdue),
        )

    world = made(repository, no_time)
    _, plan = plan_of(*world)
    assert due(plan, "moon")["outcome"] == "open"  # two days are left
    missed = due(plan, "again")
    assert missed["outcome"] == "missed"
    assert missed["next_due"] == missed["due"]
    assert missed["reason"]["code"] == "imaging_time"
    assert check_plan(*world, plan) == []


def test_a_look_after_its_deadline_is_late(repository: Path) -> None:
    late = replace(LOOKS[0], last=START - timedelta(days=33), tolerance_days=1.0)
    world = made(repository, lambda mission: replace(mission, calibrations=(late,)))
    _, plan = plan_of(*world)
    assert due(plan, "moon")["outcome"] == "late"
    assert check_plan(*world, plan) == []


def test_clouds_that_count_leave_calibration_looks_as_they_are(repository: Path) -> None:
    """What is looked at under clouds is chosen by them; sand, stars and the Moon are not."""
    half = np.full((1, 180, 360), 0.5, dtype=np.float32)
    clouds = CloudModel(
        path=Path("clouds.tif"), probabilities=half, west_deg=-180.0, north_deg=90.0,
        cell_lon_deg=1.0, cell_lat_deg=1.0,
    )  # fmt: skip
    mission, requests = made(
        repository,
        lambda m: replace(
            m, clouds=clouds, objective=Objective(clouds="expected"), calibrations=LOOKS[:3]
        ),
    )
    _, plan = plan_of(mission, requests[:5])
    assert check_plan(mission, requests[:5], plan) == []
    assert [d["outcome"] for d in plan["calibrations"]] == ["met"] * 3
    looks = [r["worth"]["expected"] for r in plan["requests"]]
    assert plan["objective"]["value"] == pytest.approx(3.0 + sum(looks), abs=1e-6)


def test_what_never_stands_in_the_sky_has_no_window(repository: Path) -> None:
    """On 3 June 2026 the Sun stands at 4.8 h, +22 deg; Alcyone-side stars are lost in its light:
    zeta Persei (3.9 h, +32 deg) never rises over a satellite in the shadow."""
    lost = replace(LOOKS[1], targets=("zeta Per",), tolerance_days=0.25)
    world = made(repository, lambda mission: replace(mission, calibrations=(lost,)))
    _, plan = plan_of(*world)
    assert due(plan, "star")["outcome"] == "missed"
    assert due(plan, "star")["reason"]["code"] == "no_opportunity"
    assert check_plan(*world, plan) == []


# ---------------------------------------------------------------- what the checker must find


def moved(plan: Json, name: str, **change: Any) -> Json:
    other = copy.deepcopy(plan)
    [entry] = [each for each in other["calibrations"] if each["calibration"] == name]
    for key, value in change.items():
        (entry["look"] if key in entry["look"] else entry)[key] = value
    return other


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("moon", {"outcome": "late"}, "outcome is 'late', expected 'met'"),
        ("moon", {"next_due": "2026-06-03T06:00:00Z"}, "next_due is"),
        ("moon", {"due": "2026-06-03T06:00:01Z"}, "due is"),
        ("moon", {"target": "Mars"}, "looks at 'Mars', expected 'Moon'"),
        ("star", {"target": "Mizar"}, "looks at 'Mizar', expected one of Alkaid"),
        ("star", {"dec_deg": 49.33}, "off its target"),
        ("sand", {"target": "Gobabeb"}, "looks at 'Gobabeb', expected a site for 'desert'"),
        ("sand", {"target": "Mauritania 1"}, "off the site"),
        ("yaw", {"law": "strip"}, "law is 'strip', expected 'across'"),
        ("yaw", {"value": 2.0}, "value is 2, expected 1"),
    ],
)
def test_a_look_that_is_told_falsely_is_found(
    world: tuple[Mission, tuple[Request, ...]],
    case: tuple[Survey, Json],
    name: str,
    change: Json,
    said: str,
) -> None:
    found = check_plan(*world, moved(case[1], name, **change))
    assert any(v.code == "calibration" and said in v.message for v in found), found


def test_a_look_that_is_left_out_of_the_list_is_found(
    world: tuple[Mission, tuple[Request, ...]], case: tuple[Survey, Json]
) -> None:
    plan = copy.deepcopy(case[1])
    del plan["calibrations"][0]
    assert any(v.code == "calibration" for v in check_plan(*world, plan))
    mission, requests = world
    other = replace(mission, calibrations=LOOKS[1:])
    assert any(v.code == "calibration" for v in check_plan(other, requests, case[1]))


def test_a_look_of_another_duration_or_attitude_is_found(
    world: tuple[Mission, tuple[Request, ...]], case: tuple[Survey, Json]
) -> None:
    mission, requests = world
    longer = replace(mission, calibrations=(replace(LOOKS[0], duration_s=7.0), *LOOKS[1:]))
    found = check_plan(longer, requests, case[1])
    assert any("lasts 6.000000 s, expected 7 s" in v.message for v in found)
    faster = replace(mission, calibrations=(replace(LOOKS[0], scan_rad_s=0.008), *LOOKS[1:]))
    assert {v.code for v in check_plan(faster, requests, case[1])} >= {"attitude", "slew"}
