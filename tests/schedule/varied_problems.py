"""Random missions that have every feature of a satellite, of requests and of what counts, each in
some of them: those of `random_problems` with more requests, and changed by what is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from humay.chain import Flying, planned, survey, surveyed_again
from humay.errors import PlanError
from humay.mission import (
    AxisLimits,
    Calibration,
    CloudModel,
    Completion,
    ImagingLimit,
    KeepOut,
    OrbitLimit,
    Outcomes,
    Repeat,
    Request,
    Satellite,
    SlewTable,
    StarTracker,
    StereoLimits,
    Thermal,
    Wheels,
    outcomes_from,
)
from humay.schedule import Effort
from humay.time import parse_utc
from tests.chain.small import untold
from tests.schedule.random_problems import START, Problem, random_problem

Rng: TypeAlias = np.random.Generator
MINUTE = timedelta(minutes=1)
REFUSALS = ("even without imaging", "idle_attitude is 'charging', and at")
"""What a mission may be refused with: it cannot even fly with nothing to do."""
NO_ROOM = "what stays of the previous plan cannot be flown any more: the memory"
"""What a plan may be refused with that follows lost passes: what they were to free is there."""
PAIR = StereoLimits(
    min_convergence_rad=math.radians(8), max_convergence_rad=math.radians(45),
    max_asymmetry_rad=math.radians(40), min_overlap=0.4,
)  # fmt: skip
CURVE: Completion = ((0.0, 0.0), (0.3, 0.1), (0.8, 0.9), (1.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class Varied:
    """A problem, and the names of what was drawn for it."""

    problem: Problem
    features: tuple[str, ...]
    seed: int


# Satellites ---------------------------------------------------------------------------------------


def _uniform(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _sluggish(rng: Rng, s: Satellite) -> Satellite:
    """Slews of small angles, which never reach the largest rate."""
    acceleration = math.radians(_uniform(rng, 0.03, 0.2))
    return replace(s, slew_acceleration_rad_s2=acceleration, slew_rate_rad_s=math.radians(5))


def _axis_limits(rng: Rng, s: Satellite) -> Satellite:
    rates = tuple(math.radians(_uniform(rng, 0.3, 3.0)) for _ in range(3))
    roll, pitch, yaw = rates
    return replace(s, axis_limits=AxisLimits(rate_rad_s=(roll, pitch, yaw)))


def _wheels(rng: Rng, s: Satellite) -> Satellite:
    return replace(
        s,
        wheels=Wheels(
            inertia_kg_m2=(100.0, 200.0, 150.0),
            momentum_n_m_s=_uniform(rng, 2, 15),
            torque_n_m=_uniform(rng, 0.3, 2.0),
        ),
    )


def _slew_table(rng: Rng, s: Satellite) -> Satellite:
    scale = _uniform(rng, 0.5, 2.0)
    rows = ((5, 9), (30, 22), (90, 41), (180, 75))
    table = tuple((math.radians(angle), scale * seconds) for angle, seconds in rows)
    return replace(s, slew_law=SlewTable(rows=table))


def _small_memory(rng: Rng, s: Satellite) -> Satellite:
    return replace(s, memory_bit=1e9 * _uniform(rng, 0.5, 6), memory_used_bit=0.0)


def _sliding(rng: Rng, s: Satellite) -> Satellite:
    limits = (
        ImagingLimit(seconds=_uniform(rng, 8, 30), per_s=_uniform(rng, 60, 600)),
        ImagingLimit(seconds=_uniform(rng, 20, 90), per_s=_uniform(rng, 2_000, 9_000)),
    )
    return replace(s, imaging_limits=limits)


def _orbit_limit(rng: Rng, s: Satellite) -> Satellite:
    count = int(rng.integers(1, 4)) if rng.random() < 0.6 else None
    seconds = _uniform(rng, 10, 60) if count is None or rng.random() < 0.5 else None
    return replace(s, orbit_limit=OrbitLimit(imaging_s=seconds, acquisitions=count))


def _thermal(rng: Rng, s: Satellite) -> Satellite:
    thermal = Thermal(
        heating_k_s=_uniform(rng, 0.5, 2), time_constant_s=_uniform(rng, 300, 4_000),
        limit_k=_uniform(rng, 8, 40), initial_k=_uniform(rng, 0, 8),
    )  # fmt: skip
    return replace(s, thermal=thermal)


def _keep_out(rng: Rng, s: Satellite) -> Satellite:
    camera = KeepOut(
        name="camera", axis=(0.0, 0.0, 1.0), body="sun", angle_rad=math.radians(30),
        modes=("slew", "settle", "image"),
    )  # fmt: skip
    side = (0.0, float(rng.choice([-0.8, 0.8])), -0.6)
    angle = math.radians(_uniform(rng, 10, 50))
    cold = KeepOut(name="cold plate", axis=side, body="sun", angle_rad=angle, modes=("image",))
    return replace(s, keep_out=(camera, cold))


def _trackers(rng: Rng, s: Satellite) -> Satellite:
    sun, earth = math.radians(_uniform(rng, 15, 35)), math.radians(_uniform(rng, 10, 25))
    both = tuple(
        StarTracker(name=name, axis=(0.0, y, -0.6), sun_rad=sun, earth_rad=earth)
        for name, y in (("left", -0.8), ("right", 0.8))
    )
    modes = ("settle", "image")
    return replace(
        s, star_trackers=both, trackers_needed=int(rng.integers(1, 3)), tracker_modes=modes
    )


def _fixed_antenna(rng: Rng, s: Satellite) -> Satellite:
    tilted = (0.0, 0.6, 0.8) if rng.random() < 0.5 else None
    return replace(s, antenna="fixed", antenna_axis=tilted)


def _acknowledged(rng: Rng, s: Satellite) -> Satellite:
    return replace(s, memory_release="acknowledged", acknowledge_s=float(rng.choice([0, 600])))


def _by_priority(_: Rng, s: Satellite) -> Satellite:
    return replace(s, downlink_order="priority")


def _charging(_: Rng, s: Satellite) -> Satellite:
    return s if s.power is None else replace(s, idle_attitude="charging")


OF_SATELLITES: dict[str, tuple[float, Callable[[Rng, Satellite], Satellite]]] = {
    "small slews": (0.25, _sluggish),
    "axis limits": (0.15, _axis_limits),
    "wheels": (0.15, _wheels),
    "slew table": (0.15, _slew_table),
    "small memory": (0.25, _small_memory),
    "sliding limits": (0.25, _sliding),
    "orbit limit": (0.2, _orbit_limit),
    "thermal": (0.2, _thermal),
    "keep-out": (0.15, _keep_out),
    "star trackers": (0.15, _trackers),
    "fixed antenna": (0.15, _fixed_antenna),
    "acknowledged": (0.25, _acknowledged),
    "downlink order": (0.25, _by_priority),
    "charging": (0.15, _charging),
}


# Requests -----------------------------------------------------------------------------------------


def _stereo(_: Rng, r: Request) -> Request:
    """Of points alone: the sets of areas are so many that they would take most of the time."""
    return r if r.several_looks or r.kind != "point" else replace(r, stereo=PAIR)


def _series(rng: Rng, r: Request) -> Request:
    series = Repeat(
        count=int(rng.integers(2, 4)), every_h=_uniform(rng, 1.6, 4), min_separation_h=0.5
    )
    return r if r.several_looks else replace(r, start=START, end=None, repeat=series)


def _monitoring(rng: Rng, r: Request) -> Request:
    often = Repeat(count=int(rng.integers(2, 5)), min_separation_h=_uniform(rng, 0.1, 2))
    return r if r.several_looks else replace(r, repeat=often)


def _curve(_: Rng, r: Request) -> Request:
    return replace(r, completion=CURVE)


def _whole(_: Rng, r: Request) -> Request:
    return replace(r, completion="whole")


def _attempts(rng: Rng, r: Request) -> Request:
    if r.several_looks or rng.random() < 0.5:
        return replace(r, attempts=int(rng.integers(1, 4)))
    return replace(r, min_attempts=int(rng.integers(2, 4)))


def _chosen(_: Rng, r: Request) -> Request:
    return replace(r, satellites=("sat-0",))


OF_REQUESTS: dict[str, tuple[float, Callable[[Rng, Request], Request]]] = {
    "stereo": (0.2, _stereo),
    "series": (0.2, _series),
    "monitoring": (0.2, _monitoring),
    "curve": (0.25, _curve),
    "whole": (0.25, _whole),
    "attempts": (0.3, _attempts),
    "chosen satellites": (0.2, _chosen),
}


# Missions -----------------------------------------------------------------------------------------


def _clouds(rng: Rng, problem: Problem) -> Problem:
    """Clouds that differ from one cell of half a degree to the next, here and there for sure."""
    cells = np.clip(rng.uniform(-0.1, 1.1, size=(1, 360, 720)), 0, 1)
    clouds = CloudModel(
        path=Path("clouds.tif"), probabilities=cells.astype(np.float32), west_deg=-180.0,
        north_deg=90.0, cell_lon_deg=0.5, cell_lat_deg=0.5,
    )  # fmt: skip
    objective = replace(problem.mission.objective, clouds="expected")
    return replace(problem, mission=replace(problem.mission, clouds=clouds, objective=objective))


def _age(rng: Rng, problem: Problem) -> Problem:
    objective = replace(problem.mission.objective, age_half_life_h=_uniform(rng, 0.1, 3))
    return replace(problem, mission=replace(problem.mission, objective=objective))


def _calibrations(rng: Rng, problem: Problem) -> Problem:
    last = START - timedelta(days=30)
    every: dict[str, Any] = {"every_days": 30.0, "tolerance_days": 2.0, "last": last}
    looks = (
        Calibration(name="moon", kind="moon", scan_rad_s=0.004, duration_s=6.0, **every),
        Calibration(name="star", kind="star", targets=("Alkaid",), **every),
        Calibration(name="sand", kind="desert", **every),
        Calibration(name="yaw", kind="side_slither", duration_s=20.0, **every),
    )
    drawn = tuple(each for each in looks if rng.random() < 0.5)
    return replace(problem, mission=replace(problem.mission, calibrations=drawn))


OF_MISSIONS: dict[str, tuple[float, Callable[[Rng, Problem], Problem]]] = {
    "clouds": (0.35, _clouds),
    "age": (0.25, _age),
    "calibration": (0.1, _calibrations),
}


def varied_problem(seed: int, folder: Path) -> Varied:
    """The problem of a seed: 12 to 30 requests, and of each feature whether it is there."""
    problem = random_problem(seed, folder, requests=(12, 31))
    rng = np.random.default_rng([seed, 7])
    if rng.random() < 0.6:
        problem = _easy_to_command(problem)
    drawn = [name for name, (chance, _) in OF_SATELLITES.items() if rng.random() < chance]
    asked = [name for name, (chance, _) in OF_REQUESTS.items() if rng.random() < chance]
    counted = [name for name, (chance, _) in OF_MISSIONS.items() if rng.random() < chance]
    satellites = [_wide(s) for s in problem.mission.satellites]
    for name in drawn:
        satellites = [OF_SATELLITES[name][1](rng, s) for s in satellites]
    requests = list(problem.requests)
    for name in asked:
        change = OF_REQUESTS[name][1]
        requests = [change(rng, r) if rng.random() < 0.5 else r for r in requests]
    mission = replace(problem.mission, satellites=tuple(satellites))
    problem = replace(problem, mission=mission, requests=tuple(requests))
    for name in counted:
        problem = OF_MISSIONS[name][1](rng, problem)
    return Varied(
        problem=problem, features=(*drawn, *asked, *counted, *_of_itself(problem)), seed=seed
    )


def _easy_to_command(problem: Problem) -> Problem:
    """Commands go up from the first contact on, as many as there are."""
    satellites = tuple(
        replace(
            s, preparation_s=0.0, command_lead_s=0.0, commands_per_pass=None, command_queue=None
        )
        for s in problem.mission.satellites
    )
    stations = tuple(
        replace(s, uplink=True, downlink=True, passes_per_day=None, antenna_rate_rad_s=None)
        for s in problem.mission.stations
    )
    mission = replace(problem.mission, satellites=satellites, stations=stations)
    return replace(problem, mission=mission)


def _wide(satellite: Satellite) -> Satellite:
    """One that sees enough to have a choice."""
    return replace(
        satellite,
        max_off_nadir_rad=max(satellite.max_off_nadir_rad, math.radians(30)),
        max_roll_rad=math.inf,
        max_pitch_rad=math.inf,
        min_sun_elevation_rad=min(satellite.min_sun_elevation_rad, 0.0),
    )


def _of_itself(problem: Problem) -> list[str]:
    """What the random problem has of itself."""
    satellites, stations = problem.mission.satellites, problem.mission.stations
    found = {
        "battery": any(s.power is not None for s in satellites),
        "outages": bool(problem.mission.outages),
        "two satellites": len(satellites) > 1,
        "command limits": any(s.commands_per_pass or s.command_queue for s in satellites),
        "antenna limits": any(s.antenna_rate_rad_s or s.passes_per_day for s in stations),
        "areas and lines": any(r.kind != "point" for r in problem.requests),
    }
    return [name for name, has in found.items() if has]


# Plans --------------------------------------------------------------------------------------------


def first_plan(varied: Varied, effort: Effort) -> dict[str, Any]:
    """The plan of a problem, accepted by the checker."""
    problem = varied.problem
    span: dict[str, Any] = {"start": START, "end": problem.end}
    found = survey(problem.mission, problem.requests, **span, step=untold)
    return planned(
        problem.mission, problem.requests, found, **span, release=START - timedelta(hours=1),
        seed=1, step=untold, effort=effort,
    )  # fmt: skip


def next_plan(varied: Varied, old: dict[str, Any], effort: Effort) -> dict[str, Any] | None:
    """A plan that follows one that flies and did not go as planned, accepted by the checker; none
    where no instant is idle, or data of lost passes leave no room for what is commanded."""
    problem, rng = varied.problem, np.random.default_rng([varied.seed, 8])
    wished = START + _uniform(rng, 0.2, 0.7) * (problem.end - START)
    start = _idle(problem, old, wished.replace(microsecond=0))
    if start is None:
        return None
    frozen = start + _uniform(rng, 0, 1) * (problem.end - start) if rng.random() < 0.5 else None
    outcomes = _outcomes(rng, old, start)
    flying = Flying(
        document=old, frozen_until=frozen, outcomes=outcomes,
        stability=float(rng.choice([0.0, 0.1, 1.0])),
    )  # fmt: skip
    release = start + float(rng.choice([0.0, 0.5])) * timedelta(hours=1)
    span: dict[str, Any] = {"start": start, "end": problem.end, "release": release}
    given = surveyed_again(problem.mission, problem.requests, flying, **span, step=untold)
    try:
        return planned(
            given.mission, given.requests, given.found, **span, seed=1, step=untold, effort=effort,
            previous=given.previous,
        )  # fmt: skip
    except PlanError as error:
        if NO_ROOM not in str(error) or not outcomes.passes:
            raise
        return None


def _idle(problem: Problem, old: dict[str, Any], wished: datetime) -> datetime | None:
    """The instant, or a near one at which every satellite is idle."""
    span: dict[str, Any] = {"start": wished, "end": problem.end, "release": wished}
    try:
        surveyed_again(problem.mission, problem.requests, Flying(document=old), **span, step=untold)
    except PlanError as error:
        if "all satellites are idle: " not in str(error):
            raise
        nearest = str(error).split()[-1]
        return None if nearest == "none" else parse_utc(nearest)
    return wished


def _outcomes(rng: Rng, old: dict[str, Any], start: datetime) -> Outcomes:
    """Some images are missed or cloudy, some passes lost."""
    looks = [a["id"] for a in _over(old["acquisitions"], start) if rng.random() < 0.3]
    passes = [p["id"] for p in _over(old["passes"], start) if rng.random() < 0.2]
    lost = ["downlink", "uplink"]
    return outcomes_from(
        {
            "format": "humay-outcomes-1",
            "acquisitions": [
                {"id": name, "what": str(rng.choice(["cloudy", "missed"]))} for name in looks
            ],
            "passes": [{"id": name, "lost": str(rng.choice(lost))} for name in passes],
        },
        "outcomes",
    )


def _over(entries: Sequence[dict[str, Any]], start: datetime) -> list[dict[str, Any]]:
    return [entry for entry in entries if parse_utc(entry["end"]) <= start]
