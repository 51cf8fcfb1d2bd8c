"""Code `previous`, where requests just came in: little of the plan before is changed for them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from humay.check.case import TIME_TOLERANCE_S, Case, Json
from humay.check.earlier import asked_of, images_of
from humay.check.violations import Violation


def check_urgent(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """Nothing is imaged that the last plan did not promise but what is urgent; what made room for
    that is named, is not as it was, and is no more than may be."""
    urgent = told.get("urgent")
    if urgent is None:
        return

    def fault(message: str) -> Violation:
        return case.at("previous", "plan.previous.urgent", message)

    names = {each["name"] for each in urgent["requests"]}
    asked = {request.name for request in case.requests}
    known = {entry["name"] for entry in old["requests"]}
    for name in sorted(names - (asked - known)):
        yield fault(f"{name!r} found, expected a request that the last plan did not have")
    left = {
        entry["id"]: entry
        for entry in images_of(old)
        if case.clock.seconds(entry["end"]) > case.start_s
    }
    made_room = [one for each in urgent["requests"] for one in each["displaced"]]
    for one, count in Counter(made_room).items():
        if count > 1 or one not in left or _stays(case, left[one]):
            yield fault(
                f"{one!r} made room, expected once, and an acquisition of the last plan that is"
                " not in this one as it was"
            )
    most = math.floor(urgent["most_changed"] * len(left))
    if len(made_room) > most:
        yield fault(f"{len(made_room)} acquisitions made room, expected at most {most}")
    was = {each["name"]: each["was"] for each in told["withdrawn"]}
    promised = Counter(entry["request"] for entry in left.values())
    for name, count in Counter(asked_of(a)[0] for a in case.recorded).items():
        if name not in names and count > promised[was.get(name, name)]:
            yield fault(
                f"{count} acquisitions of {name!r}, which is not urgent, expected at most the"
                f" {promised[was.get(name, name)]} of the last plan"
            )


def _stays(case: Case, entry: Json) -> bool:
    """Whether an acquisition of the last plan is flown as it was."""
    start_s = case.clock.seconds(entry["start"])
    return any(
        a.satellite.name == entry["satellite"]
        and asked_of(a) == (entry["request"], entry["strip"])
        and abs(a.start_s - start_s) <= TIME_TOLERANCE_S
        for a in case.recorded
    )
