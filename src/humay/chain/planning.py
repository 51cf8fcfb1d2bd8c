"""The whole chain for one mission: what `humay run` and `humay plan` do between their files."""

from __future__ import annotations

import math
import platform
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from humay import __version__
from humay.access import (
    Contacts,
    Nadir,
    Opportunities,
    Pointing,
    Timeline,
    accuracy_notes,
    explain_absences,
    find_contacts,
    find_opportunities,
    find_pointing,
    find_timeline,
    opportunities_table,
    table_bytes,
)
from humay.check import check_plan, verdict
from humay.errors import MissionError, PlanError
from humay.files import json_bytes
from humay.mission import Mission, Request
from humay.orbit import Ephemeris, ephemerides
from humay.report import report_html
from humay.schedule import PlanInput, make_plan, plan_document
from humay.time import format_utc

Step: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""Told the name of each step while it runs: a progress bar, or nothing."""


@dataclass
class Timings:
    """Wall and CPU seconds of each step, for run.json; passes the step on to a progress bar."""

    show: Step
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        with self.show(name):
            yield
        self.seconds[name] = {
            "wall_s": round(time.perf_counter() - wall, 3),
            "cpu_s": round(time.process_time() - cpu, 3),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """All a plan is made from, found once for a mission and a span."""

    orbits: Mapping[str, Ephemeris]
    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    contacts: Contacts
    timelines: Mapping[str, Timeline]
    notes: tuple[str, ...]


def survey(
    mission: Mission,
    requests: Sequence[Request],
    *,
    start: datetime,
    end: datetime,
    step: Step,
    nadir: Nadir = "geodetic",
    opportunities: Opportunities | None = None,
    pointing: Sequence[Pointing | None] | None = None,
    contacts: Contacts | None = None,
    timelines: Mapping[str, Timeline] | None = None,
    orbits: Mapping[str, Ephemeris] | None = None,
) -> Survey:
    """Opportunities, contacts and timelines over [start, end]; what is given is not found again."""
    if orbits is None:
        with step("orbits"):
            orbits = ephemerides(mission, start, end)
    if opportunities is None:
        with step("opportunities"):
            opportunities = find_opportunities(
                mission, requests, start=start, end=end, nadir=nadir, orbits=orbits
            )
    span = [opportunities.epoch.seconds(t) for t in (start, end)]
    if opportunities.span_s[0] < span[0] or opportunities.span_s[1] > span[1]:  # from a longer file
        opportunities, rows = opportunities.within(*span)
        pointing = None if pointing is None else [pointing[row] for row in rows]
    if contacts is not None:
        contacts = contacts.within(
            max(span[0], contacts.span_s[0]), min(span[1], contacts.span_s[1])
        )
    if pointing is None:
        with step("pointing"):
            pointing = find_pointing(opportunities, mission, orbits)
    if contacts is None:
        with step("contacts"):
            contacts = find_contacts(mission, start=start, end=end, orbits=orbits)
    if timelines is None:
        with step("timeline"):
            timelines = find_timeline(mission, start=start, end=end, orbits=orbits)
    return Survey(
        orbits=orbits,
        opportunities=opportunities,
        pointing=pointing,
        contacts=contacts,
        timelines=timelines,
        notes=tuple(accuracy_notes(mission, orbits, requests, start, end)),
    )


def planned(
    mission: Mission,
    requests: Sequence[Request],
    found: Survey,
    *,
    start: datetime,
    end: datetime,
    release: datetime,
    seed: int,
    step: Step,
) -> dict[str, Any]:
    """A plan that has passed the independent checker, as the dictionary of plan.json.

    A plan that fails is never handed out: `PlanError` with what the checker found.
    """
    with step("reasons"):
        present = {str(name) for name in found.opportunities.request}
        absences = explain_absences(
            mission,
            [request for request in requests if request.name not in present],
            start=start,
            end=end,
            orbits=found.orbits,
        )
    with step("plan"):
        given = PlanInput(
            mission=mission,
            requests=requests,
            opportunities=found.opportunities,
            pointing=found.pointing,
            contacts=found.contacts,
            timelines=found.timelines,
            absences=absences,
            notes=found.notes,
        )
        plan = make_plan(given, start=start, end=end, release=release, seed=seed)
        document = plan_document(plan)
    with step("check"):
        violations = check_plan(mission, requests, document)
    if violations:
        raise PlanError(
            f"the plan failed the independent check and is not written:\n{verdict(violations)}"
        )
    return document


def figures_of(mission: Mission, document: Mapping[str, Any]) -> dict[str, Any]:
    """What the report shows beside the plan: limits and stations, counts, the checker's verdict."""
    outcomes = [request["outcome"] for request in document["requests"]]
    return {
        "check": [],
        "limits": {
            satellite.name: {
                "memory_gbit": satellite.memory_bit / 1e9,
                "imaging": [
                    {"seconds": limit.seconds, "per_s": limit.per_s}
                    for limit in satellite.imaging_limits
                ],
                **_battery_limits(satellite.power),
            }
            for satellite in mission.satellites
        },
        "stations": [
            {
                "name": station.name,
                "lon_deg": round(math.degrees(station.lon_rad), 6),
                "lat_deg": round(math.degrees(station.lat_rad), 6),
            }
            for station in mission.stations
        ],
        "counts": {
            "requests": len(outcomes),
            "with opportunities": sum(1 for r in document["requests"] if r["opportunities"]),
            "served": outcomes.count("served"),
            "partly": outcomes.count("partly"),
            "left out": outcomes.count("left out"),
            "acquisitions": len(document["acquisitions"]),
            "downlinks": len(document["downlinks"]),
        },
    }


def _battery_limits(power: Any) -> dict[str, float]:
    if power is None:
        return {}
    watt_hours = power.battery_j / 3_600.0
    return {
        "battery_wh": watt_hours,
        "battery_floor_wh": (1 - power.max_depth_of_discharge) * watt_hours,
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """The files of a run, by name, and its plan."""

    contents: Mapping[str, bytes]
    document: Mapping[str, Any]


def run_mission(
    mission: Mission, requests: Sequence[Request], *, seed: int | None, step: Step, now: datetime
) -> Results:
    """The whole chain over the span of the mission's `[run]`; nothing is written here.

    `now` is only told in run.json; everything else is the same for the same input. Raises
    `HumayError` where a stage does.
    """
    if mission.run is None:
        raise MissionError(f"{mission.path}: no [run] table, expected requests, start and days")
    settings, timings = mission.run, Timings(show=step)
    started, cpu = time.perf_counter(), time.process_time()
    found = survey(mission, requests, start=settings.start, end=settings.end, step=timings)
    document = planned(
        mission,
        requests,
        found,
        start=settings.start,
        end=settings.end,
        release=settings.release,
        seed=settings.seed if seed is None else seed,
        step=timings,
    )
    figures = figures_of(mission, document)
    with timings("report"):
        contents = {
            "opportunities.parquet": table_bytes(
                opportunities_table(found.opportunities, found.notes, found.pointing), ".parquet"
            ),
            "plan.json": json_bytes(document),
            "report.html": report_html(document, figures),
        }
    total = {
        "wall_s": round(time.perf_counter() - started, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
    }
    run = {
        "humay": __version__,
        "mission": mission.name,
        "started": format_utc(now),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": figures["counts"] | {"objective": document["objective"]},
        "notes": list(found.notes),
        "timings": timings.seconds | {"total": total},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    contents["run.json"] = json_bytes(run, indent=2)
    return Results(contents=contents, document=document)
