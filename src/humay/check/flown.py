"""What satellites imaged before a plan begins that follows another: it counts for their limits."""

from __future__ import annotations

from collections.abc import Iterator

from humay.check.case import TIME_TOLERANCE_S, Case, Json
from humay.check.earlier import images_of
from humay.check.violations import Violation
from humay.mission import Satellite

ORBIT_S = 7_200.0
"""How far back limits by orbit reach: longer than an orbit takes."""


def flown_of(case: Case, satellite: Satellite) -> list[tuple[float, float]]:
    """When a satellite imaged before, as the plan tells it."""
    entries = case.plan.get("previous", {}).get("flown", {}).get(satellite.name, ())
    return [(case.clock.seconds(e["start"]), case.clock.seconds(e["end"])) for e in entries]


def check_flown(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """[previous] What the last plan imaged and limits still reach is told, and nothing else."""
    earlier = old.get("previous", {}).get("flown", {})
    for satellite in case.mission.satellites:
        reach_s = max([limit.per_s for limit in satellite.imaging_limits], default=0.0)
        if satellite.orbit_limit is not None:
            reach_s = max(reach_s, ORBIT_S)
        own = [a for a in images_of(old) if a["satellite"] == satellite.name]
        spans = [
            (case.clock.seconds(e["start"]), case.clock.seconds(e["end"]))
            for e in [*earlier.get(satellite.name, ()), *own]
        ]
        expected = sorted(s for s in spans if case.start_s - reach_s < s[1] <= case.start_s)
        found = sorted(flown_of(case, satellite))
        same = len(found) == len(expected) and all(
            abs(a - b) <= TIME_TOLERANCE_S
            for one, two in zip(found, expected, strict=True)
            for a, b in zip(one, two, strict=True)
        )
        if not same:
            message = f"{len(found)} images before found, expected the {len(expected)} of it"
            yield case.at("previous", f"previous.flown of {satellite.name!r}", message)
    strangers = set(told["flown"]) - {satellite.name for satellite in case.mission.satellites}
    if strangers:
        message = f"found {min(strangers)!r}, expected a satellite of the mission"
        yield case.at("previous", "previous.flown", message)


def check_separation(case: Case, told: Json) -> Iterator[Violation]:
    """[previous] Looks at a strip begin as far from those of earlier plans as is asked for."""
    imaged = {
        (each["strip"], case.clock.seconds(each["start"]))
        for each in told["imaged"]
        if each.get("start") is not None
    }
    for a in case.acquisitions:
        apart_s = 0.0 if a.request.repeat is None else a.request.repeat.separation_s
        before = [start_s for strip, start_s in imaged if strip == a.entry["strip"]]
        least_s = min((abs(a.start_s - start_s) for start_s in before), default=apart_s)
        if least_s < apart_s - TIME_TOLERANCE_S and a.id not in told["frozen"]:
            message = (
                f"begins {least_s:.0f} s from a look of an earlier plan, expected {apart_s:g} s or"
                " more"
            )
            yield case.at("previous", a.where, message, a.start_s)
