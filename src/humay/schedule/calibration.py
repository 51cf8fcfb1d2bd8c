"""Calibration looks among the requests of a plan: each that is due is one, with rows of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from shapely.geometry import Point

from humay.access import Opportunities, PlannableLooks, Pointing
from humay.errors import PlanError
from humay.mission import Calibration, Due, Mission, Request
from humay.schedule.looks import Looks
from humay.time import format_utc


@dataclass(frozen=True, kw_only=True)
class DueLook:
    """A look that a satellite is to take in a plan, under the name it has among the requests."""

    name: str
    calibration: Calibration
    satellite: str
    due: Due

    def request(self) -> Request:
        """What stands for it among the requests; it lies nowhere."""
        return Request(
            name=self.name,
            geometry=Point(0.0, 0.0),
            kind="point",
            height_m=0.0,
            priority=self.calibration.priority,
            weight=self.calibration.weight,
            purpose="calibration",
            satellites=(self.satellite,),
        )


def due_name(calibration: str, satellite: str, due: datetime) -> str:
    """How a plan names a look that is due."""
    return f"{calibration} of {satellite}, due {format_utc(due)}"


def due_looks(mission: Mission, start: datetime, end: datetime) -> tuple[DueLook, ...]:
    """All looks that are due in a plan, by calibration, satellite and time."""
    return tuple(
        DueLook(
            name=due_name(calibration.name, satellite.name, due.due),
            calibration=calibration,
            satellite=satellite.name,
            due=due,
        )
        for calibration in mission.calibrations
        for satellite in mission.satellites
        if calibration.allows(satellite.name)
        for due in calibration.dues(start, end)
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """What stands behind all that is asked: a request for each look that is due, its windows, and
    why some have none."""

    requests: list[Request]
    opportunities: Opportunities
    pointing: list[Pointing | None]
    absences: dict[str, tuple[str, str]]


def wanted_looks(
    dues: Sequence[DueLook],
    looks: PlannableLooks | None,
    requests: Sequence[Request],
    opportunities: Opportunities,
) -> Wanted:
    """The looks that are due as requests, and windows for them behind those there are.

    Raises `PlanError` where their windows were not looked for, or a request has the name of one.
    """
    if looks is None:
        raise PlanError("calibration looks are due, expected their windows (`find_plannable`)")
    taken = {request.name for request in requests}
    pointing: list[Pointing | None] = []
    absences = {}
    for each in dues:
        if each.name in taken:
            raise PlanError(f"request {each.name!r} has the name of a calibration look")
        rows, samples = _rows(each, looks)
        if len(rows):
            opportunities = opportunities.and_then(rows)
        else:
            absences[each.name] = ("no_opportunity", _no_window(each))
        pointing += samples
    return Wanted(
        requests=[each.request() for each in dues],
        opportunities=opportunities,
        pointing=pointing,
        absences=absences,
    )


def _rows(each: DueLook, looks: PlannableLooks) -> tuple[Opportunities, list[Pointing | None]]:
    """The windows of one look that is due, cut to the time in which it may be made."""
    o = looks.opportunities
    own = (o.request == each.calibration.name) & (o.satellite == each.satellite)
    begin_s, end_s = o.epoch.seconds(each.due.begin), o.epoch.seconds(each.due.end)
    low = np.maximum(o.plan_start_s, begin_s)
    high = np.minimum(o.plan_end_s, end_s - o.scan_s)
    which = np.flatnonzero(own & (high > low))
    name = np.full(len(which), each.name, dtype=object)
    rows = replace(
        o.take(which),
        request=name,
        strip=name,
        best_s=np.clip(o.best_s[which], low[which], high[which]),
        plan_start_s=low[which],
        plan_end_s=high[which],
    )
    return rows, [looks.pointing[row] for row in which.tolist()]


def looked_at(opportunity: str) -> str | None:
    """The target in the id of a calibration look's window, which is `name:satellite:kind:target:
    orbit`; None in another id."""
    parts = opportunity.rsplit(":", 4)
    return parts[3] if len(parts) == 5 else None


def _no_window(each: DueLook) -> str:
    kind, targets = each.calibration.kind, each.calibration.targets
    at = "any target" if targets is None else " or ".join(targets)
    return f"{each.satellite} has no window for a look of kind {kind!r} at {at} while it is due"


def without_clouds(looks: Looks, dues: Sequence[DueLook]) -> Looks:
    """Looks that calibrate count as clear: no clouds are known for them."""
    if not dues or not looks.counts_clouds:
        return looks
    names = {each.name for each in dues}
    calibrates = np.array([str(name) in names for name in looks.opportunities.request], dtype=bool)
    return replace(looks, clear=np.where(calibrates, 1.0, looks.clear))
