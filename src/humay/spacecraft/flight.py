"""`fly`: a plan carried out by satellites that are not quite where, nor quite how, they think."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from humay.errors import SpacecraftError
from humay.mission import Mission, Satellite
from humay.orbit import Ephemeris
from humay.spacecraft.attitude import commanded_attitude, sweep_law
from humay.spacecraft.chance import generator
from humay.spacecraft.control import ControlError, draw_control
from humay.spacecraft.knowledge import (
    KnowledgeError,
    draw_jitter,
    draw_knowledge,
    measure,
    middle_s,
    turned,
)
from humay.spacecraft.orbit_error import OrbitError, draw_orbit_error, true_orbit
from humay.spacecraft.orders import Orders, Task, read_orders
from humay.spacecraft.swath import Sweep, ground_swept
from humay.spacecraft.telemetry import Event, Telemetry, record
from humay.spacecraft.trajectory import Trajectory
from humay.time import Epoch, format_utc

MEASURED_RATE_HZ = 32
TRUE_RATE_HZ = 128  # follows the jitter to 1 % of its sigma: see docs/design/flight.md
MARGIN_S = 1.0  # before the first line and after the last: bands look ahead of and behind PAN


@dataclass(frozen=True, kw_only=True, eq=False)
class Acquisition:
    """One strip as it was flown, from `start_s`, its first PAN line, to `end_s`.

    The trajectories reach `MARGIN_S` further on both sides. In `true` lies what happened, 128 times
    a second; in `measured` what the satellite tells of it, 32 times a second. `control` and
    `knowledge` are what was drawn to tell them apart from the command and from each other.
    """

    id: str
    satellite: str
    request: str
    strip: str
    opportunity: str
    camera: str
    start_s: float
    end_s: float
    line_period_s: float
    epoch: Epoch
    orbit: int
    anx_offset_s: float
    true: Trajectory
    measured: Trajectory
    sweep: Sweep
    control: ControlError
    knowledge: KnowledgeError

    @property
    def missed(self) -> bool:
        return self.sweep.missed

    @property
    def miss_m(self) -> float:
        return self.sweep.miss_m


@dataclass(frozen=True, kw_only=True, eq=False)
class Flight:
    """A plan as flown: acquisitions in order of time, telemetry and orbits by satellite."""

    mission: str
    seed: int
    epoch: Epoch
    start_s: float
    end_s: float
    acquisitions: tuple[Acquisition, ...]
    telemetry: Mapping[str, Telemetry]
    orbit_errors: Mapping[str, OrbitError]
    orbits: Mapping[str, Ephemeris]

    def acquisition(self, name: str) -> Acquisition:
        for acquisition in self.acquisitions:
            if acquisition.id == name:
                return acquisition
        raise SpacecraftError(
            f"flight of {self.mission!r}: no acquisition {name!r} among {len(self.acquisitions)}"
        )


def fly(
    mission: Mission, document: Mapping[str, Any], orbits: Mapping[str, Ephemeris], *, seed: int
) -> Flight:
    """Carry out the plan in `document` (plan.json) with the predicted `orbits`.

    The same seed makes the same errors, whatever else is flown. Raises `PlanError` for a plan that
    is not one of this mission, or that no satellite could follow.
    """
    epoch = orbits[mission.satellites[0].name].epoch
    every = read_orders(mission, document, epoch)
    errors, true, telemetry = {}, {}, {}
    acquisitions: list[Acquisition] = []
    for satellite, orders in zip(mission.satellites, every, strict=True):
        name, predicted = satellite.name, orbits[satellite.name]
        errors[name] = draw_orbit_error(satellite, seed)
        true[name] = true_orbit(predicted, errors[name])
        commanded = commanded_attitude(orders, satellite, predicted, mission.stations)
        own = [
            _acquire(task, orders, satellite, predicted, true[name], seed) for task in orders.tasks
        ]
        acquisitions += own
        telemetry[name] = _with_misses(record(orders, satellite, true[name], commanded), own)
    acquisitions.sort(key=lambda a: (a.start_s, a.satellite))
    return Flight(
        mission=mission.name,
        seed=seed,
        epoch=epoch,
        start_s=every[0].start_s,
        end_s=every[0].end_s,
        acquisitions=tuple(acquisitions),
        telemetry=telemetry,
        orbit_errors=errors,
        orbits=true,
    )


def _acquire(
    task: Task,
    orders: Orders,
    satellite: Satellite,
    predicted: Ephemeris,
    true_orbit: Ephemeris,
    seed: int,
) -> Acquisition:
    """One strip flown. Chance is keyed by satellite and start: no two strips share them."""
    moment = format_utc(true_orbit.epoch.utc(task.start_s))
    as_ordered = _ordered_way(task, predicted, true_orbit)
    origin_s = middle_s(as_ordered)

    def chance(purpose: str) -> np.random.Generator:
        return generator(seed, purpose, satellite.name, moment)

    control = draw_control(
        satellite, chance("control"), middle_s=origin_s, first_line_s=task.start_s
    )
    jitter = draw_jitter(satellite.navigation.jitter_sigma_rad, chance("jitter"), origin_s)
    knowledge = draw_knowledge(satellite.navigation, chance("knowledge"), origin_s)
    calm = turned(as_ordered, control.turn_rad(as_ordered.t_s))
    dense = _denser(calm)
    return Acquisition(
        **{
            name: getattr(task, name)
            for name in (
                "id", "satellite", "request", "strip", "opportunity", "start_s", "end_s",
                "line_period_s", "orbit", "anx_offset_s",
            )
        },
        camera=satellite.camera.name,
        epoch=true_orbit.epoch,
        true=turned(dense, jitter.turn_rad(dense.t_s)),
        measured=measure(calm, knowledge),
        sweep=ground_swept(calm, task, satellite, orders.allowed_along_m(task.start_s)),
        control=control,
        knowledge=knowledge,
    )  # fmt: skip


def _ordered_way(task: Task, predicted: Ephemeris, true_orbit: Ephemeris) -> Trajectory:
    """The true way with the attitude commanded, sampled as it is measured, with margins."""
    first_s = task.start_s - MARGIN_S
    count = int(np.ceil((task.end_s + MARGIN_S - first_s) * MEASURED_RATE_HZ)) + 1
    t_s = first_s + np.arange(count) / MEASURED_RATE_HZ
    r, v = true_orbit.state_itrf(t_s)
    return Trajectory(
        epoch=true_orbit.epoch,
        t_s=t_s,
        r_itrf=r,
        v_itrf=v,
        body_from_gcrf=sweep_law(task, predicted)(t_s),
    )


def _denser(calm: Trajectory) -> Trajectory:
    """The same way at the true rate."""
    ratio = TRUE_RATE_HZ // MEASURED_RATE_HZ
    t_s = calm.start_s + np.arange((len(calm.t_s) - 1) * ratio + 1) / TRUE_RATE_HZ
    r, v = calm.state(t_s)
    return replace(calm, t_s=t_s, r_itrf=r, v_itrf=v, body_from_gcrf=calm.attitude(t_s))


def _with_misses(telemetry: Telemetry, acquisitions: list[Acquisition]) -> Telemetry:
    """Telemetry with an event for each strip that was missed."""
    misses = [
        Event(
            start_s=a.start_s,
            end_s=a.end_s,
            kind="missed",
            text=f"{a.id} {a.strip}: {a.miss_m:.0f} m of the strip lie outside",
        )
        for a in acquisitions
        if a.missed
    ]
    events = sorted(
        [*telemetry.events, *misses], key=lambda event: (event.start_s, event.kind, event.text)
    )
    return replace(telemetry, events=tuple(events))
