"""From a mission to a checked plan: what `humay plan` does, and the first half of `humay run`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from humay.access import (
    Contacts,
    Nadir,
    Opportunities,
    PlannableLooks,
    Pointing,
    StereoSets,
    Timeline,
    accuracy_notes,
    explain_absences,
    find_contacts,
    find_links,
    find_opportunities,
    find_plannable,
    find_pointing,
    find_stereo,
    find_timeline,
)
from humay.chain.timing import Step
from humay.check import check_plan, verdict
from humay.errors import AccessError, HumayError, PlanError
from humay.mission import Mission, Request
from humay.orbit import Ephemeris, ephemerides
from humay.schedule import Effort, Plan, PlanInput, Previous, make_plan, plan_document
from humay.time import parse_utc

USUAL = Effort()


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """All a plan is made from, found once for a mission and a span."""

    orbits: Mapping[str, Ephemeris]
    opportunities: Opportunities
    pointing: Sequence[Pointing | None]
    contacts: Contacts
    timelines: Mapping[str, Timeline]
    notes: tuple[str, ...]
    stereo: StereoSets | None = None
    calibrations: PlannableLooks | None = None


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
    stars: AbstractSet[str] = frozenset(),
    threads: int = 1,
    cut_as: tuple[datetime, datetime] | None = None,
) -> Survey:
    """Opportunities, contacts and timelines over [start, end]; what is given is not found again.
    Calibration looks are offered at the `stars` named, however short they are in sight. Areas are
    cut as over the span `cut_as`, if given. The same on any number of `threads`."""
    if orbits is None:
        with step("orbits"):
            orbits = ephemerides(mission, start, end)
    if opportunities is None:
        with step("opportunities"):
            opportunities = find_opportunities(
                mission, requests, start=start, end=end, nadir=nadir, orbits=orbits,
                threads=threads, cut_as=cut_as,
            )  # fmt: skip
    _refuse_several_cuts(opportunities)
    opportunities, pointing = _allowed(opportunities, pointing, requests)
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
            pointing = find_pointing(opportunities, mission, orbits, threads=threads)
    stereo = None
    if any(request.stereo is not None for request in requests):
        with step("stereo"):
            stereo = find_stereo(opportunities, mission, requests, orbits)
    calibrations = None
    if mission.calibrations:
        with step("calibration"):
            calibrations = find_plannable(
                mission, start=start, end=end, orbits=orbits, offered=stars
            )
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
        stereo=stereo,
        calibrations=calibrations,
    )


def _allowed(
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None] | None,
    requests: Sequence[Request],
) -> tuple[Opportunities, Sequence[Pointing | None] | None]:
    """Without windows of satellites that requests do not allow: a file may be older than they."""
    asked = {request.name: request for request in requests if request.satellites is not None}
    rows = [
        row
        for row, (name, satellite) in enumerate(
            zip(opportunities.request, opportunities.satellite, strict=True)
        )
        if name not in asked or asked[name].allows(str(satellite))
    ]
    if len(rows) == len(opportunities):
        return opportunities, pointing
    kept = None if pointing is None else [pointing[row] for row in rows]
    return opportunities.take(np.array(rows, dtype=np.int64)), kept


def _refuse_several_cuts(opportunities: Opportunities) -> None:
    """A plan covers an area by the strips of one decomposition."""
    first: dict[str, str] = {}
    for strip in opportunities.strips:
        if first.setdefault(strip.request, strip.decomposition) != strip.decomposition:
            raise AccessError(
                f"request {strip.request!r} is cut into strips in several ways"
                f" ({first[strip.request]}, {strip.decomposition}), expected opportunities of one:"
                " find them without --decompositions"
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
    effort: Effort = USUAL,
    previous: Previous | None = None,
    look: Callable[[Plan], None] | None = None,
) -> dict[str, Any]:
    """A plan that has passed the independent checker, as the dictionary of plan.json.

    A plan that fails is never handed out: `PlanError` with what the checker found. With a
    `previous` plan, mission, requests and survey are those of `surveyed_again`. `look` is
    called with the plan once it has passed.
    """
    with step("reasons"):
        present = {str(name) for name in found.opportunities.request}
        imaged = {} if previous is None else previous.imaged_requests
        present |= set(imaged)
        absences = imaged | explain_absences(
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
            links=find_links(found.contacts, mission, found.orbits),
            timelines=found.timelines,
            absences=absences,
            notes=found.notes,
            stereo=found.stereo,
            calibrations=found.calibrations,
        )
        plan = make_plan(
            given, start=start, end=end, release=release, seed=seed, effort=effort,
            previous=previous,
        )  # fmt: skip
        document = plan_document(plan)
    with step("check"):
        flown, outcomes = None, None
        if previous is not None:
            flown, outcomes = previous.document, previous.outcomes
        violations = check_plan(mission, requests, document, flown, outcomes)
    if violations:
        raise PlanError(
            f"the plan failed the independent check and is not written:\n{verdict(violations)}"
        )
    if look is not None:
        look(plan)
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


def plan_orbits(mission: Mission, document: Mapping[str, Any]) -> dict[str, Ephemeris]:
    """The predicted orbits over the span of a plan. Raises `PlanError` where it says none."""
    try:
        start, end = (parse_utc(document[key]) for key in ("start", "end"))
    except (KeyError, TypeError, HumayError) as error:
        raise PlanError(f"the plan has no start and end in UTC: {error}") from error
    if not start < end:
        raise PlanError(f"the plan ends at {document['end']}, expected after {document['start']}")
    return dict(ephemerides(mission, start, end))
