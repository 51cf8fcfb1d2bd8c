"""The rules of the AEOSSP standard benchmark in plain code: what a written schedule is worth.

Read from the README and the verifier of the benchmark; nothing here knows of `humay.schedule`.
Times are seconds after the horizon's start.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from benchmarks.aeossp_case import (
    Case,
    Satellite,
    Task,
    gcrf_from_itrf,
    positions_itrf,
)
from benchmarks.brahe_sky import shadow_margin_m

from humay.arrays import FloatArray

ANGLE_SLACK_DEG, TIME_SLACK_S, ENERGY_SLACK_WH = 1e-6, 1e-9, 1e-9  # the benchmark's own


@dataclass(frozen=True, kw_only=True)
class Action:
    """One observation."""

    satellite: Satellite
    task: Task
    start_s: int
    end_s: int

    def __str__(self) -> str:
        return f"{self.satellite.name} {self.task.name} at {self.start_s} s"


def weight_done(case: Case, path: Path) -> float:
    """The weight of the tasks done; ValueError where the schedule breaks a rule."""
    actions = _read(case, path)
    for satellite in case.satellites:
        own = sorted((a for a in actions if a.satellite is satellite), key=lambda a: a.start_s)
        for action in own:
            check_alone(case, action)
        slews_s = _slews_s(case, satellite, own)
        _check_battery(case, satellite, own, slews_s)
    return math.fsum({action.task.name: action.task.weight for action in actions}.values())


def moment(case: Case, t_s: int) -> str:
    """ISO 8601."""
    return f"{case.start + timedelta(seconds=t_s):%Y-%m-%dT%H:%M:%SZ}"


def _read(case: Case, path: Path) -> list[Action]:
    satellites = {satellite.name: satellite for satellite in case.satellites}
    tasks = {task.name: task for task in case.tasks}
    actions = []
    for entry in json.loads(path.read_text())["actions"]:
        if entry["type"] != "observation":
            raise ValueError(f"{path}: {entry['type']!r}, expected an observation")
        if entry["satellite_id"] not in satellites or entry["task_id"] not in tasks:
            raise ValueError(f"{path}: {entry['satellite_id']} or {entry['task_id']} is not known")
        actions.append(
            Action(
                satellite=satellites[entry["satellite_id"]],
                task=tasks[entry["task_id"]],
                start_s=_seconds(case, entry["start_time"]),
                end_s=_seconds(case, entry["end_time"]),
            )
        )
    return actions


def _seconds(case: Case, text: str) -> int:
    given = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
    seconds = (given - case.start).total_seconds()
    if seconds % case.action_s:
        raise ValueError(f"{text} is off the grid of {case.action_s} s")
    return round(seconds)


def check_alone(case: Case, action: Action) -> None:
    """What concerns one observation: its task's window, duration and sensor, and the geometry."""
    task = action.task
    if action.start_s < 0 or action.end_s > case.horizon_s:
        raise ValueError(f"{action}: beyond the horizon")
    if action.start_s < task.release_s or action.end_s > task.due_s:
        raise ValueError(f"{action}: outside of {task.release_s} to {task.due_s} s")
    if action.end_s - action.start_s != task.duration_s:
        raise ValueError(f"{action}: until {action.end_s} s, expected {task.duration_s} s")
    if action.satellite.sensor != task.sensor:
        raise ValueError(f"{action}: {action.satellite.sensor}, expected {task.sensor}")
    step = case.geometry_s
    inner = range((action.start_s // step + 1) * step, action.end_s, step)
    t_s = np.array([action.start_s, *inner, action.end_s], dtype=np.float64)
    target = np.array(task.r_itrf)
    for r_itrf in positions_itrf(case, action.satellite, t_s):
        if np.dot(r_itrf - target, target) <= 0:
            raise ValueError(f"{action}: below the horizon")
        tilt_deg = _angle_deg(-r_itrf, target - r_itrf)
        if tilt_deg > action.satellite.off_nadir_deg + ANGLE_SLACK_DEG:
            raise ValueError(f"{action}: {tilt_deg} deg off nadir")


def _slews_s(case: Case, satellite: Satellite, actions: list[Action]) -> list[float]:
    """Seconds of slew and settling before each action; from nadir before the first."""
    needed = []
    for before, action in pairwise([None, *actions]):
        assert action is not None
        start = _sight_gcrf(case, action, action.start_s)
        if before is None:
            free_s = action.start_s
            origin = -_place_gcrf(case, satellite, action.start_s)
        else:
            free_s = action.start_s - before.end_s
            origin = _sight_gcrf(case, before, before.end_s)
        needed.append(satellite.slew_s(_angle_deg(origin, start)) + satellite.settle_s)
        if free_s + TIME_SLACK_S < needed[-1]:
            raise ValueError(f"{action}: {free_s} s before it, its slew takes {needed[-1]}")
    return needed


def _place_gcrf(case: Case, satellite: Satellite, at_s: int) -> FloatArray:
    t_s = np.array([float(at_s)])
    return np.asarray(gcrf_from_itrf(case, t_s)[0] @ positions_itrf(case, satellite, t_s)[0])


def _sight_gcrf(case: Case, action: Action, at_s: int) -> FloatArray:
    """From the satellite to the target."""
    turned = gcrf_from_itrf(case, np.array([float(at_s)]))[0]
    target = turned @ np.array(action.task.r_itrf)
    return np.asarray(target - _place_gcrf(case, action.satellite, at_s))


def _angle_deg(a: FloatArray, b: FloatArray) -> float:
    cosine = float(np.dot(a, b)) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


def _check_battery(
    case: Case, satellite: Satellite, actions: list[Action], slews_s: list[float]
) -> None:
    """Between all edges of the resource grid, actions and slews; the Sun at each middle."""
    slews = [(a.start_s - s, a.start_s) for a, s in zip(actions, slews_s, strict=True)]
    edges = {float(t) for t in range(0, case.horizon_s + 1, case.resource_s)}
    edges |= {float(t) for a in actions for t in (a.start_s, a.end_s)} | {t for t, _ in slews}
    t_s = np.array(sorted(edges))
    middle = 0.5 * (t_s[1:] + t_s[:-1])
    r_itrf = positions_itrf(case, satellite, middle)
    power_w = np.where(shadow_margin_m(case.start, middle, r_itrf) >= 0, satellite.charge_w, 0.0)
    power_w -= satellite.idle_w
    for action in actions:
        power_w -= satellite.imaging_w * ((middle >= action.start_s) & (middle < action.end_s))
    for start_s, end_s in slews:
        power_w -= satellite.slew_w * ((middle >= start_s) & (middle < end_s))
    level_wh = satellite.initial_wh
    for at_s, flow_wh in zip(
        middle.tolist(), (power_w * np.diff(t_s) / 3600).tolist(), strict=True
    ):
        level_wh += flow_wh
        if level_wh < -ENERGY_SLACK_WH:
            raise ValueError(f"{satellite.name}: a battery of {level_wh} Wh at {at_s} s")
        level_wh = min(level_wh, satellite.capacity_wh)
