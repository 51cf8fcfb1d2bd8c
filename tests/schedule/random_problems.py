"""Small random missions whose every part can bind: agility, memory, power, ground, requests."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from humay.access import (
    explain_absences,
    find_contacts,
    find_links,
    find_opportunities,
    find_pointing,
    find_stereo,
    find_timeline,
)
from humay.earth import geodetic_from_itrf
from humay.mission import Mission, RateStep, Request, Station, load_mission, load_requests
from humay.orbit import ephemerides
from humay.schedule import Effort, Plan, PlanInput, make_plan
from humay.time import format_utc

T = TypeVar("T")

START = datetime(2026, 6, 1, tzinfo=UTC)
CAMERA = """
[camera.eye]
focal_length_m = {focal_m:.3f}
aperture_m = 0.3
scene_length_km = {scene_km:.1f}
compression = 3.0
[camera.eye.band.pan]
pixels = {pixels}
pixel_pitch_m = 10e-6
bits = 12
response_nm = [450, 745]
[camera.eye.band.red]
pixels = {quarter}
pixel_pitch_m = 40e-6
bits = 12
response_nm = [625, 695]
along_track_offset_mrad = 5.0
"""


GREEDY = Effort(iterations=0)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A mission, its requests, and the span to plan."""

    mission: Mission
    requests: tuple[Request, ...]
    end: datetime


def random_problem(seed: int, folder: Path, requests: tuple[int, int] = (0, 9)) -> Problem:
    """The problem of a seed: one or two satellites, one or two stations, from so many requests on
    to less than so many."""
    rng = np.random.default_rng(seed)
    hours = float(rng.uniform(3.0, 7.0))
    satellites = int(rng.integers(1, 3))
    bare = folder / f"bare-{seed}.toml"
    orbits = [_orbit(rng) for _ in range(satellites)]
    if satellites == 2 and rng.random() < 0.3:  # a pair over one antenna
        orbits[1] = orbits[0] | {"phase_deg": orbits[0]["phase_deg"] - rng.uniform(4, 20)}
    camera = _camera(rng)
    parts = [_satellite(f"sat-{i}", orbit, rng) for i, orbit in enumerate(orbits)]
    bare.write_text('[mission]\nname = "random"\n' + "".join(parts) + camera)
    tracks = _tracks(load_mission(bare), hours)
    path = folder / f"mission-{seed}.toml"
    stations = "".join(_station(i, rng, tracks) for i in range(int(rng.integers(1, 3))))
    names = [f"sat-{i}" for i in range(satellites)]
    lots = np.random.default_rng([seed, 1])
    path.write_text(bare.read_text() + stations + _outages(lots, hours, names))
    mission = _with_ground_limits(load_mission(path), lots)
    wanted = folder / f"requests-{seed}.geojson"
    wanted.write_text(json.dumps(_requests(rng, tracks, requests)))
    return Problem(
        mission=mission,
        requests=load_requests(wanted, mission),
        end=START + timedelta(hours=hours),
    )


def plan_of(problem: Problem, release_early_s: float = 0.0, effort: Effort = GREEDY) -> Plan:
    """The plan of a problem through every stage."""
    release = START - timedelta(seconds=release_early_s)
    return make_plan(
        given_of(problem), start=START, end=problem.end, release=release, effort=effort
    )


def given_of(problem: Problem) -> PlanInput:
    """All that a plan of a problem is made from."""
    mission, end = problem.mission, problem.end
    orbits = ephemerides(mission, START, end)
    found = find_opportunities(mission, problem.requests, start=START, end=end, orbits=orbits)
    absent = [r for r in problem.requests if r.name not in set(found.request)]
    contacts = find_contacts(mission, start=START, end=end, orbits=orbits)
    return PlanInput(
        mission=mission,
        requests=problem.requests,
        opportunities=found,
        pointing=find_pointing(found, mission, orbits),
        contacts=contacts,
        links=find_links(contacts, mission, orbits),
        timelines=find_timeline(mission, start=START, end=end, orbits=orbits),
        absences=explain_absences(mission, absent, start=START, end=end, orbits=orbits),
        stereo=find_stereo(found, mission, problem.requests, orbits),
    )


def _orbit(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "altitude_km": round(float(rng.uniform(450, 800)), 2),
        "hour": int(rng.integers(8, 15)),
        "phase_deg": float(rng.uniform(0, 360)),
    }


def _satellite(name: str, orbit: dict[str, Any], rng: np.random.Generator) -> str:
    powered = rng.random() < 0.7
    rate = rng.uniform(0.8, 4.0)
    limits = ""
    if rng.random() < 0.5:
        seconds, per_s = rng.uniform(8, 60), rng.uniform(300, 6000)
        limits = f"imaging_limits = [{{seconds = {seconds:.1f}, per_s = {per_s:.0f}}}]"
    memory = rng.uniform(2, 60)
    text = f"""
[satellite.{name}]
camera = "eye"
max_off_nadir_deg = {rng.uniform(15, 45):.2f}
min_sun_elevation_deg = {rng.uniform(-10, 15):.1f}
slew_rate_deg_s = {rate:.3f}
slew_acceleration_deg_s2 = {rng.uniform(0.2, 2.0):.3f}
settle_s = {rng.choice([0.0, 1.0, 5.0])}
{limits}
orbit_sigma_m = {{at_epoch = {rng.uniform(0, 400):.0f}, per_day = {rng.uniform(0, 800):.0f}}}
pointing_sigma_deg = {rng.uniform(0, 0.05):.4f}
preparation_s = {rng.choice([0, 300, 1200])}
command_lead_s = {rng.choice([0, 120, 600])}
memory_gbit = {memory:.3f}
memory_used_gbit = {memory * rng.choice([0.0, 0.0, 0.5, 0.95]):.3f}
downlink_mbit_s = {rng.uniform(10, 800):.1f}
antenna = "{rng.choice(["steerable", "fixed"])}"
idle_attitude = "{rng.choice(["nadir", "sun"]) if powered else "nadir"}"
[satellite.{name}.sun_synchronous]
altitude_km = {orbit["altitude_km"]}
local_time = "{orbit["hour"]:02d}:30"
phase_deg = {orbit["phase_deg"] % 360:.4f}
epoch = 2026-06-01T00:00:00Z
"""
    if powered:
        text += f"""
[satellite.{name}.power]
battery_wh = {rng.uniform(250, 900):.1f}
max_depth_of_discharge = {rng.uniform(0.3, 0.6):.2f}
initial_charge = 1.0
panel_area_m2 = {rng.uniform(1.2, 3.0):.2f}
panel_efficiency = 0.28
panel_normal = [{rng.choice(["0, 0, -1", "0, 1, 0", "0, -1, -1", "-1, 0, 0"])}]
platform_w = {rng.uniform(30, 60):.1f}
imaging_w = {rng.uniform(50, 3000):.1f}
downlink_w = {rng.uniform(20, 150):.1f}
slew_w = {rng.uniform(10, 300):.1f}
"""
    return text


def _camera(rng: np.random.Generator) -> str:
    pixels = 4 * int(rng.integers(1500, 9000))
    return CAMERA.format(
        focal_m=rng.uniform(2.0, 8.0),
        scene_km=rng.uniform(5, 30),
        pixels=pixels,
        quarter=pixels // 4,
    )


def _tracks(mission: Mission, hours: float) -> np.ndarray:
    """Sub-satellite points (n, 3) of all satellites: share of the span, lon_deg, lat_deg."""
    end = START + timedelta(hours=hours)
    rows = []
    for ephemeris in ephemerides(mission, START, end).values():
        t = ephemeris.epoch.seconds(START) + np.linspace(0, hours * 3600, 400)
        r, v = ephemeris.state_itrf(t)
        lon, lat, _ = geodetic_from_itrf(r)
        lit = v[:, 2] < 0  # local times before noon belong to descending nodes
        rows.append(
            np.stack([np.linspace(0, 1, 400), np.degrees(lon), np.degrees(lat)], axis=-1)[lit]
        )
    return np.concatenate(rows)


def _place(
    rng: np.random.Generator, tracks: np.ndarray, low: float, high: float
) -> tuple[float, float]:
    """A place a few degrees from where a satellite passes between two shares of the span."""
    share = tracks[:, 0]
    _, lon, lat = tracks[rng.choice(np.flatnonzero((share >= low) & (share <= high)))]
    lat = float(np.clip(lat + rng.uniform(-2, 2), -84, 84))
    lon = float((lon + rng.uniform(-3, 3) / max(np.cos(np.radians(lat)), 0.1) + 180) % 360 - 180)
    return round(lon, 5), round(lat, 5)


def _station(i: int, rng: np.random.Generator, tracks: np.ndarray) -> str:
    lon, lat = _place(rng, tracks, 0.0, 0.3 if i == 0 else 1.0)
    return f"""
[station.ground-{i}]
lon_deg = {lon}
lat_deg = {lat}
height_m = {rng.uniform(0, 2000):.0f}
min_elevation_deg = {rng.uniform(0, 15):.1f}
setup_s = {rng.choice([0, 30, 120])}
uplink = {"true" if i == 0 or rng.random() < 0.5 else "false"}
downlink = {"true" if i == 1 or rng.random() < 0.85 else "false"}
"""


def _outages(rng: np.random.Generator, hours: float, satellites: list[str]) -> str:
    """Up to three outages."""
    text = ""
    for _ in range(int(rng.choice([0, 0, 1, 2, 3]))):
        begin_h = rng.uniform(-0.5, hours)
        end_h = begin_h + rng.choice([0.02, 0.1, 1.0]) * rng.uniform(0.5, 2.0)
        who = (
            'station = "ground-0"' if rng.random() < 0.4
            else f'satellite = "{rng.choice(satellites)}"'
        )  # fmt: skip
        start, end = (format_utc(START + timedelta(hours=float(h))) for h in (begin_h, end_h))
        text += f'[[outage]]\n{who}\nstart = {start}\nend = {end}\nreason = "test"\n'
    return text


def _with_ground_limits(mission: Mission, rng: np.random.Generator) -> Mission:
    """Each limit of the ground in some of the missions."""
    stations = tuple(_with_antenna_limits(station, rng) for station in mission.stations)
    satellites = tuple(
        replace(
            satellite,
            commands_per_pass=_sometimes(rng, lambda: int(rng.integers(1, 4))),
            command_queue=_sometimes(rng, lambda: int(rng.integers(1, 4))),
            image_while_downlinking=bool(rng.random() < 0.6),
        )
        for satellite in mission.satellites
    )
    return replace(mission, stations=stations, satellites=satellites)


def _with_antenna_limits(station: Station, rng: np.random.Generator) -> Station:
    low = math.degrees(station.min_elevation_rad)
    top_deg = rng.uniform(low + 5, 90) if rng.random() < 0.4 else 90.0
    steps = np.sort(rng.uniform(low - 5, low + 40, size=int(rng.integers(0, 4))))
    rates = tuple(
        RateStep(
            elevation_rad=math.radians(step), rate_bit_s=float(rng.choice([0, 5e6, 60e6, 1e9]))
        )
        for step in steps
    )
    return replace(
        station,
        max_elevation_rad=math.radians(top_deg),
        antenna_rate_rad_s=_sometimes(rng, lambda: math.radians(rng.choice([0.3, 2.0, 10.0]))),
        passes_per_day=_sometimes(rng, lambda: int(rng.integers(1, 5))),
        rate_by_elevation=rates,
    )


def _sometimes(rng: np.random.Generator, drawn: Callable[[], T]) -> T | None:
    return drawn() if rng.random() < 0.4 else None


def _requests(
    rng: np.random.Generator, tracks: np.ndarray, number: tuple[int, int]
) -> dict[str, Any]:
    features = []
    corner = _place(rng, tracks, 0.2, 1.0)
    for i in range(int(rng.integers(*number))):
        crowd = rng.random() < 0.6  # most requests lie together, so that they compete
        lon, lat = corner if crowd else _place(rng, tracks, 0.1, 1.0)
        spread = 1.5 / max(np.cos(np.radians(lat)), 0.1)
        lon = round(float(np.clip(lon + rng.uniform(-spread, spread), -179, 179)), 5)
        lat = round(lat + float(rng.uniform(-1.5, 1.5)), 5)
        features.append(
            {"type": "Feature", "geometry": _geometry(rng, lon, lat), "properties": _wishes(rng, i)}
        )
    return {"type": "FeatureCollection", "features": features}


def _geometry(rng: np.random.Generator, lon: float, lat: float) -> dict[str, Any]:
    kind = rng.choice(["point", "point", "area", "line"])
    if kind == "point":
        return {"type": "Point", "coordinates": [lon, lat]}
    wide, high = rng.uniform(0.1, 0.6) / max(np.cos(np.radians(lat)), 0.1), rng.uniform(0.1, 0.8)
    if kind == "line":
        return {"type": "LineString", "coordinates": [[lon, lat], [lon + wide, lat + high]]}
    ring = [
        [lon, lat],
        [lon + wide, lat],
        [lon + 1.2 * wide, lat + high],
        [lon, lat + high],
        [lon, lat],
    ]
    return {"type": "Polygon", "coordinates": [ring]}


def _wishes(rng: np.random.Generator, i: int) -> dict[str, Any]:
    wishes: dict[str, Any] = {
        "name": f"request {i}",
        "priority": int(rng.integers(1, 11)),
        "weight": round(float(rng.uniform(0.5, 5.0)), 2),
        "purpose": "test",
    }
    if rng.random() < 0.2:
        wishes["max_off_nadir_deg"] = round(float(rng.uniform(10, 40)), 1)
    if rng.random() < 0.2:
        wishes["end"] = format_utc(START + timedelta(hours=float(rng.uniform(1, 5))))
    return wishes
