"""The missions and places that benchmarks search: SPOT 6 and SPOT 7, and fleets of any size."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import shapely

from humay.arrays import FloatArray
from humay.mission import Mission, Request, load_mission

START = datetime(2019, 11, 1, tzinfo=UTC)
OFF_NADIR_DEG, SUN_DEG = 30.0, 15.0
FARTHEST_DEG = 86.0  # of latitude: at 30 deg off nadir these orbits look no further than 85.6
PLASTIC = 1.324717957244746  # the real root of x^3 = x + 1
FIRST_PLANE_MIN, PLANE_MIN = 8 * 60, 45  # local times of a fleet's planes, by day
Camera = Literal["naomi", "half-metre"]

_MISSION = """
[mission]
name = "benchmark"
[camera.naomi]
focal_length_m = 4.216
aperture_m = 0.2
[camera.naomi.band.pan]
pixels = 28000
pixel_pitch_m = 13e-6
bits = 12
response_nm = [450, 745]
[camera.half-metre]
focal_length_m = 8.75
aperture_m = 0.5
[camera.half-metre.band.pan]
pixels = 25000
pixel_pitch_m = 7e-6
bits = 12
response_nm = [450, 800]
"""
_SATELLITE = """
[satellite.{name}]
{orbit}
camera = "{camera}"
max_off_nadir_deg = {off_nadir_deg}
min_sun_elevation_deg = {sun_deg}
slew_rate_deg_s = 3.75
slew_acceleration_deg_s2 = 1.25
settle_s = 3.0
orbit_sigma_m = {{at_epoch = 20, per_day = 120}}
pointing_sigma_deg = 0.005
preparation_s = 3600
command_lead_s = 600
memory_gbit = 1000.0
downlink_mbit_s = 300.0
"""
_SUN_SYNCHRONOUS = (
    "sun_synchronous = {{altitude_km = 600, local_time = '{hour:02d}:{minute:02d}',"
    " phase_deg = {phase_deg:g}, epoch = {epoch:%Y-%m-%dT%H:%M:%SZ}}}"
)


def orbit_data() -> Path:
    """The folder of test orbits: HUMAY_TEST_DATA, or ../shared/data beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "orbits"


def spot_elements() -> list[str]:
    """Name, line 1, line 2 of SPOT 6, then of SPOT 7, as published on 2019-10-30."""
    return (orbit_data() / "spot67_2019-10-30.tle").read_text().splitlines()


def spot_mission(folder: Path) -> Mission:
    """Both satellites with the limits of the task. Its files are written to `folder`."""
    (folder / "spot67.tle").write_text("\n".join(spot_elements()) + "\n")
    tle = 'tle = "spot67.tle"'
    return mission_of(folder, {"spot-6": tle, "spot-7": tle}, camera="naomi")


def fleet_mission(
    folder: Path, planes: int, per_plane: int, *, camera: Camera = "half-metre"
) -> Mission:
    """Sun-synchronous planes 45 minutes apart from 08:00 on, their satellites evenly spread."""
    orbits = {}
    for plane in range(planes):
        hour, minute = divmod((FIRST_PLANE_MIN + PLANE_MIN * plane) % (24 * 60), 60)
        for place in range(per_plane):
            phase_deg = 360.0 * (place + plane / planes) / per_plane
            orbits[f"p{plane}-s{place}"] = _SUN_SYNCHRONOUS.format(
                hour=hour, minute=minute, phase_deg=phase_deg, epoch=START
            )
    return mission_of(folder, orbits, camera=camera)


def mission_of(folder: Path, orbits: Mapping[str, str], *, camera: Camera) -> Mission:
    """A mission of satellites by name, each with the orbit's lines of its table."""
    tables = [
        _SATELLITE.format(
            name=name, orbit=orbit, camera=camera, off_nadir_deg=OFF_NADIR_DEG, sun_deg=SUN_DEG
        )
        for name, orbit in orbits.items()
    ]
    path = folder / "mission.toml"
    path.write_text(_MISSION + "".join(tables))
    return load_mission(path)


def chosen_places(count: int, seed: int | None) -> tuple[FloatArray, int | None]:
    """The published places where 500 are wanted, else random ones; and the seed that repeats them.

    Without a seed they are others each time.
    """
    if seed is None and count == 500:
        return published_places(), None
    seed = fresh_seed() if seed is None else seed
    return random_places(count, np.random.default_rng(seed)), seed


def fresh_seed() -> int:
    """Another one each time."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def published_places() -> FloatArray:
    """The 500 land points of the test data (500, 3): lon_deg, lat_deg, height_m."""
    with (orbit_data() / "targets_500.csv").open() as file:
        rows = [(float(row["lon"]), float(row["lat"]), 0.0) for row in csv.DictReader(file)]
    return np.array(rows)


def random_places(count: int, random: np.random.Generator) -> FloatArray:
    """Places (count, 3) spread evenly over the Earth as far as the satellites look, up to 4 km
    high."""
    sine = math.sin(math.radians(FARTHEST_DEG))
    lat_deg = np.degrees(np.arcsin(random.uniform(-sine, sine, count)))
    return np.stack(
        [random.uniform(-180, 180, count), lat_deg, random.uniform(0, 4000, count)], axis=-1
    )


def even_places(count: int) -> FloatArray:
    """Places (count, 3) at sea level of which the first few already spread evenly over the Earth.

    M. Roberts' sequence R2 (2018): steps by the powers of the plastic number.
    """
    first, second = np.modf(0.5 + np.arange(count)[:, None] / PLASTIC ** np.array([1, 2]))[0].T
    sine = math.sin(math.radians(FARTHEST_DEG)) * (2 * first - 1)
    return np.stack([360 * second - 180, np.degrees(np.arcsin(sine)), np.zeros(count)], axis=-1)


def requests_at(places: FloatArray) -> tuple[Request, ...]:
    """A request for each place (n, 3), named by its number."""
    return tuple(
        Request(name=f"{i}", geometry=shapely.Point(lon, lat), kind="point", height_m=float(height))
        for i, (lon, lat, height) in enumerate(places)
    )
