"""A day of a large fleet, from orbits to a checked plan: `benchmarks/fleet.py [--satellites N]
[--targets N] [--seconds S] [--seed N]`.

Twenty sun-synchronous satellites in five planes, 10,000 places with weights 1 to 10 of which three
in five lie in hot spots, twelve stations, 24 hours. Agility and imaging time are those of the agile
family (0.5 deg/s2, 3.5 deg/s, 5 s of settling, 220 s of imaging in an orbit), memory, power and
links those of the example missions. All of it goes through the product: orbits, opportunities,
pointing, contacts, timelines, the greedy plan, the search for `--seconds`, and the independent
check of the plan's document.

`--urgent N` plans greedily and then puts N requests of the highest priority that nobody knew of
into the plan, one at a time: `seconds` is the longest that one of them takes, its windows included,
`changed` the share of the acquisitions that had to go or to move for all of them, `placed` how many
found a place. The plan is released before it begins, so that nothing is on board yet.

The last line is one JSON object: `value` and `bound` of the plan, `greedy` that of the plan without
a search and `gain` over it, `seconds` of each stage (kernels are compiled before), `peak_mb` of the
process.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.missions import START, fresh_seed

from humay.access import find_links, find_opportunities, find_pointing
from humay.arrays import FloatArray
from humay.chain import Survey, planned, survey
from humay.mission import Mission, Request, load_mission
from humay.schedule import Effort, PlanInput, insert_urgent, make_plan

PLANES, FIRST_PLANE_MIN, PLANE_MIN = 5, 9 * 60 + 30, 30
HOT_SHARE, HOT_SPOTS, HOT_SPREAD_DEG = 0.6, 40, 3.0
STATIONS = {  # places of commercial networks, to a tenth of a degree
    "svalbard": (15.4, 78.2), "inuvik": (-133.5, 68.3), "punta-arenas": (-70.9, -52.9),
    "hartebeesthoek": (27.7, -25.9), "awarua": (168.4, -46.5), "baku": (49.9, 40.4),
    "hawaii": (-155.7, 19.0), "cordoba": (-64.5, -31.5), "dubai": (55.3, 25.2),
    "seoul": (127.0, 37.5), "dublin": (-6.3, 53.3), "troll": (2.5, -72.0),
}  # fmt: skip

_HEAD = """
[mission]
name = "fleet"
[camera.half-metre]
focal_length_m = 8.75
aperture_m = 0.5
line_period_s = 70e-6
scene_length_km = 50.0
compression = 4.0
[camera.half-metre.band.pan]
pixels = 25000
pixel_pitch_m = 7e-6
bits = 12
response_nm = [450, 800]
"""
_STATION = """
[station.{name}]
lon_deg = {lon_deg}
lat_deg = {lat_deg}
height_m = 0.0
min_elevation_deg = 5.0
setup_s = 60.0
"""
_SATELLITE = """
[satellite.{name}]
camera = "half-metre"
max_off_nadir_deg = 30.0
min_sun_elevation_deg = 15.0
slew_rate_deg_s = 3.5
slew_acceleration_deg_s2 = 0.5
settle_s = 5.0
imaging_limits = [{{seconds = 220, per_s = 5800}}]
orbit_sigma_m = {{at_epoch = 20, per_day = 120}}
pointing_sigma_deg = 0.005
preparation_s = 1800
command_lead_s = 300
memory_gbit = 1000.0
downlink_mbit_s = 800.0
idle_attitude = "sun"
[satellite.{name}.sun_synchronous]
altitude_km = 600.0
local_time = "{hour:02d}:{minute:02d}"
phase_deg = {phase_deg:g}
epoch = {epoch:%Y-%m-%dT%H:%M:%SZ}
[satellite.{name}.power]
battery_wh = 650.0
max_depth_of_discharge = 0.3
initial_charge = 1.0
panel_area_m2 = 2.0
panel_efficiency = 0.2
panel_normal = [0.0, 0.0, -1.0]
platform_w = 180.0
imaging_w = 300.0
downlink_w = 90.0
slew_w = 120.0
"""


def fleet(folder: Path, satellites: int) -> Mission:
    """Satellites spread over five planes half an hour apart, evenly along each, and stations."""
    text = _HEAD
    for i in range(satellites):
        plane, place = i % PLANES, i // PLANES
        hour, minute = divmod(FIRST_PLANE_MIN + PLANE_MIN * plane, 60)
        per_plane = math.ceil(satellites / PLANES)
        text += _SATELLITE.format(
            name=f"p{plane}-s{place}", hour=hour, minute=minute, epoch=START,
            phase_deg=360.0 * (place + plane / PLANES) / per_plane,
        )  # fmt: skip
    for name, (lon_deg, lat_deg) in STATIONS.items():
        text += _STATION.format(name=name, lon_deg=lon_deg, lat_deg=lat_deg)
    path = folder / "mission.toml"
    path.write_text(text)
    return load_mission(path)


def book(count: int, seed: int) -> tuple[Request, ...]:
    """Requests for points between 60 deg south and north, weights 1 to 10 evenly."""
    rng = np.random.default_rng(seed)
    hot = rng.uniform([-180, -60], [180, 60], (HOT_SPOTS, 2))
    places: FloatArray = rng.uniform([-180, -60], [180, 60], (count, 2))
    near = rng.random(count) < HOT_SHARE
    around = hot[rng.integers(0, HOT_SPOTS, count)] + rng.normal(0, HOT_SPREAD_DEG, (count, 2))
    places = np.where(near[:, None], around, places)
    lon_deg = (places[:, 0] + 180) % 360 - 180
    weights = rng.integers(1, 11, count)
    return tuple(
        Request(
            name=f"r{i}", geometry=shapely.Point(lon_deg[i], places[i, 1]), kind="point",
            height_m=0.0, weight=float(weights[i]),
        )
        for i in range(count)
    )  # fmt: skip


class Stages:
    """Wall seconds of every stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def found(
    mission: Mission, requests: tuple[Request, ...], hours: float, threads: int, step: Stages
) -> Survey:
    end = START + timedelta(hours=hours)
    return survey(mission, requests, start=START, end=end, step=step, threads=threads)


def plan(
    mission: Mission, requests: tuple[Request, ...], seen: Survey, hours: float, effort: Effort,
    step: Stages,
) -> dict[str, Any]:  # fmt: skip
    end = START + timedelta(hours=hours)
    return planned(
        mission, requests, seen, start=START, end=end, release=START, seed=1, step=step,
        effort=effort,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="a day of a large fleet, planned")
    parser.add_argument("--satellites", type=int, default=20)
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seconds", type=float, default=120.0, help="of the search")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--urgent", type=int, metavar="N", help="put N urgent requests in")
    given = parser.parse_args()
    seed = fresh_seed() if given.seed is None else given.seed
    with tempfile.TemporaryDirectory() as folder:
        mission = fleet(Path(folder), given.satellites)
        few = fleet(Path(folder), 2)
    requests = book(given.targets, seed)
    warm_up(few, requests[:200])
    told = (
        searched(mission, requests, given)
        if given.urgent is None
        else urgent(mission, requests, given.hours, given.threads, book(given.urgent, seed + 1))
    )
    told |= {"satellites": given.satellites, "targets": given.targets, "seed": seed}
    print(json.dumps(told))


def searched(
    mission: Mission, requests: tuple[Request, ...], given: argparse.Namespace
) -> dict[str, Any]:
    """The plan after a search beside the greedy one."""
    stages, greedy_stages = Stages(), Stages()
    began = time.perf_counter()
    seen = found(mission, requests, given.hours, given.threads, stages)
    document = plan(mission, requests, seen, given.hours, until(given), stages)
    wall_s = time.perf_counter() - began
    greedy = plan(
        mission, requests, seen, given.hours, Effort(iterations=0), greedy_stages
    )["objective"]["value"]  # fmt: skip
    value = document["objective"]["value"]
    return {
        "value": value,
        "bound": document["objective"]["bound"],
        "greedy": greedy,
        "gain": round(value / greedy - 1, 4),
        "seconds": round(wall_s, 1),
        "stages": {name: round(s, 1) for name, s in stages.seconds.items()},
        "greedy_stages": {name: round(s, 1) for name, s in greedy_stages.seconds.items()},
        "peak_mb": peak_mb(),
        "windows": len(seen.opportunities),
        "acquisitions": len(document["acquisitions"]),
        "iterations": document["iterations"],
    }


def urgent(
    mission: Mission,
    requests: tuple[Request, ...],
    hours: float,
    threads: int,
    late: tuple[Request, ...],
) -> dict[str, Any]:
    """Requests that come in when the plan is made."""
    stages, end = Stages(), START + timedelta(hours=hours)
    seen = found(mission, requests, hours, threads, stages)
    release = START - timedelta(hours=2)
    given = PlanInput(
        mission=mission, requests=requests, opportunities=seen.opportunities,
        pointing=seen.pointing, contacts=seen.contacts,
        links=find_links(seen.contacts, mission, seen.orbits), timelines=seen.timelines,
        absences={request.name: ("no_opportunity", "") for request in requests},
    )  # fmt: skip
    with stages("plan"):
        made = make_plan(given, start=START, end=end, release=release)
    acts = sum(len(part.acts) for part in made.satellites.values())
    seconds, changed, placed = [], 0, 0
    for number, request in enumerate(late):
        asked = replace(request, name=f"urgent {number}", priority=10)
        began = time.perf_counter()
        o = find_opportunities(mission, [asked], start=START, end=end, orbits=seen.orbits)
        looks = find_pointing(o, mission, seen.orbits)
        done = insert_urgent(made, [asked], o, looks, release=release)
        seconds.append(time.perf_counter() - began)
        changed += len(done.dropped) + len(done.moved)
        placed += done.answers[asked.name].image_s is not None
    return {
        "value": max(seconds),
        "unit": "wall seconds",
        "mean": sum(seconds) / len(seconds),
        "changed": changed / acts,
        "placed": placed,
        "urgent": len(late),
        "acquisitions": acts,
        "stages": {name: round(s, 1) for name, s in stages.seconds.items()},
        "peak_mb": peak_mb(),
    }


def peak_mb() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def warm_up(mission: Mission, requests: tuple[Request, ...]) -> None:
    """Compile every kernel."""
    stages = Stages()
    seen = found(mission, requests, 6.0, 2, stages)
    plan(mission, requests, seen, 6.0, Effort(iterations=4_000), stages)


def until(given: argparse.Namespace) -> Effort:
    """A search of so many seconds, counted from its first question on."""
    return Effort(stop=_clock(given.seconds), threads=given.threads)


def _clock(seconds: float) -> Callable[[], bool]:
    began: list[float] = []

    def over() -> bool:
        if not began:
            began.append(time.perf_counter())
        return time.perf_counter() - began[0] >= seconds

    return over


if __name__ == "__main__":
    main()
