"""Cases of the AEOSSP standard benchmark: https://github.com/Mtrya/astro-reason (MIT)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import erfa
import numpy as np
import yaml  # type: ignore[import-untyped]
from benchmarks.brahe_sky import states_itrf, tt, utc

from humay.arrays import FloatArray


@dataclass(frozen=True, kw_only=True)
class Satellite:
    """One entry of satellites.yaml, powers and energies in watts and watt-hours."""

    name: str
    lines: tuple[str, str]
    sensor: str
    rate_deg_s: float
    acceleration_deg_s2: float
    settle_s: float
    off_nadir_deg: float
    capacity_wh: float
    initial_wh: float
    idle_w: float
    imaging_w: float
    slew_w: float
    charge_w: float

    def slew_s(self, angle_deg: float) -> float:
        """From rest to rest, without settling: bang, coast, bang."""
        rate, acceleration = self.rate_deg_s, self.acceleration_deg_s2
        if angle_deg <= rate**2 / acceleration:
            return 2 * math.sqrt(angle_deg / acceleration)
        return angle_deg / rate + rate / acceleration


@dataclass(frozen=True, kw_only=True)
class Task:
    """One entry of tasks.yaml; times in seconds after the horizon's start, the place in ITRF."""

    name: str
    r_itrf: tuple[float, float, float]
    release_s: int
    due_s: int
    duration_s: int
    sensor: str
    weight: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A case: its grids in whole seconds, its satellites and its tasks."""

    folder: Path
    start: datetime
    horizon_s: int
    action_s: int
    geometry_s: int
    resource_s: int
    satellites: tuple[Satellite, ...]
    tasks: tuple[Task, ...]

    @cached_property
    def total_weight(self) -> float:
        return math.fsum(task.weight for task in self.tasks)


def read(folder: Path) -> Case:
    """A case from the folder that holds mission.yaml, satellites.yaml and tasks.yaml."""
    mission = _load(folder / "mission.yaml")["mission"]
    start = _moment(mission["horizon_start"])
    case = Case(
        folder=folder,
        start=start,
        horizon_s=_seconds(mission["horizon_end"], start),
        action_s=mission["action_time_step_s"],
        geometry_s=mission["geometry_sample_step_s"],
        resource_s=mission["resource_sample_step_s"],
        satellites=tuple(map(_satellite, _load(folder / "satellites.yaml")["satellites"])),
        tasks=tuple(_task(task, start) for task in _load(folder / "tasks.yaml")["tasks"]),
    )
    if case.action_s % case.geometry_s:
        raise ValueError(
            f"{folder}: actions start every {case.action_s} s, expected a multiple of the"
            f" geometry's {case.geometry_s} s"
        )
    return case


def _load(path: Path) -> Any:
    with path.open() as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def _satellite(entry: dict[str, Any]) -> Satellite:
    attitude, resource = entry["attitude_model"], entry["resource_model"]
    return Satellite(
        name=entry["satellite_id"],
        lines=(entry["tle_line1"], entry["tle_line2"]),
        sensor=entry["sensor"]["sensor_type"],
        rate_deg_s=attitude["max_slew_velocity_deg_per_s"],
        acceleration_deg_s2=attitude["max_slew_acceleration_deg_per_s2"],
        settle_s=attitude["settling_time_s"],
        off_nadir_deg=attitude["max_off_nadir_deg"],
        capacity_wh=resource["battery_capacity_wh"],
        initial_wh=resource["initial_battery_wh"],
        idle_w=resource["idle_power_w"],
        imaging_w=resource["imaging_power_w"],
        slew_w=resource["slew_power_w"],
        charge_w=resource["sunlit_charge_power_w"],
    )


def _task(entry: dict[str, Any], start: datetime) -> Task:
    lon_rad, lat_rad = math.radians(entry["longitude_deg"]), math.radians(entry["latitude_deg"])
    x, y, z = erfa.gd2gc(1, lon_rad, lat_rad, entry["altitude_m"]).tolist()
    return Task(
        name=entry["task_id"],
        r_itrf=(x, y, z),
        release_s=_seconds(entry["release_time"], start),
        due_s=_seconds(entry["due_time"], start),
        duration_s=entry["required_duration_s"],
        sensor=entry["required_sensor_type"],
        weight=float(entry.get("weight", 1.0)),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _seconds(text: str, start: datetime) -> int:
    seconds = (_moment(text) - start).total_seconds()
    if seconds != int(seconds):
        raise ValueError(f"{text} is not a whole number of seconds after {start}")
    return int(seconds)


def positions_itrf(case: Case, satellite: Satellite, t_s: FloatArray) -> FloatArray:
    """Positions (n, 3) m at t_s (n,)."""
    return states_itrf(satellite.lines, case.start, t_s)[0]


def gcrf_from_itrf(case: Case, t_s: FloatArray) -> FloatArray:
    """Rotations (n, 3, 3), the pole at rest."""
    itrf_from_gcrf = erfa.c2t06a(*tt(case.start, t_s), *utc(case.start, t_s), 0.0, 0.0)
    return np.asarray(np.swapaxes(itrf_from_gcrf, -1, -2))
