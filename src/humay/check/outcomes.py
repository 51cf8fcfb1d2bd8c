"""Code `previous`, where not all of the last plan went as planned: what failed is told, and what
follows from it. The rule is that of docs/guide/schedule.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from humay.check.case import Case, Json
from humay.check.earlier import images_of
from humay.check.violations import Violation
from humay.mission import Outage, Outcomes
from humay.time import parse_utc

LEAST_GBIT = 1e-4  # the curves that the rest is read off are told to that


def check_outcomes(
    case: Case, told: Json, old: Json, outcomes: Outcomes | None
) -> Iterator[Violation]:
    """What the plan says of the last one's outcomes is what the file says, and all that follows."""

    def fault(key: str, found: Any, expected: Any) -> Violation:
        message = f"is {found}, expected {expected}"
        return case.at("previous", f"plan.previous.{key}", message)

    if outcomes is not None and told.get("outcomes") != outcomes.document():
        yield fault("outcomes", "another", "what the file of outcomes says")
        return
    if "outcomes" not in told:
        return
    yield from _damaged(case, told, old)
    failed = missed(told, old) | {e["id"] for e in told["outcomes"]["acquisitions"]}
    failed |= _gone(told, old)
    over = {a["id"] for a in images_of(old) if case.clock.seconds(a["end"]) <= case.start_s}
    for key, expected in (
        ("failed", failed & over),
        ("lost_uplinks", lost_in(told, old, "uplink")),
        ("lost_passes", lost_in(told, old, "downlink")),
    ):
        if set(told[key]) != expected:
            yield fault(key, ", ".join(sorted(told[key])) or "none", ", ".join(sorted(expected)))


def _damaged(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """What came down damaged has come down: nothing of it waits to be sent."""
    waiting = {
        (e["strip"], parse_utc(e["end"])): e["gbit"]
        for e in told.get("aboard", ())
        if e["pass"] is None and e["end"] is not None
    }
    images = {e["id"]: (e["strip"], parse_utc(e["end"])) for e in images_of(old)}
    bad = [(e["id"], images.get(e["id"])) for e in told["outcomes"]["acquisitions"] if _lost(e)]
    bad += [
        (e["strip"], (e["strip"], parse_utc(e["end"])))
        for e in told["outcomes"]["images"]
        if _lost(e)
    ]
    for name, image in bad:
        if image is not None and waiting.get(image, 0.0) > LEAST_GBIT:
            message = f"{name!r} came down damaged, expected no more of it on board unsent, found"
            message += f" {waiting[image]:.6f} Gbit"
            yield case.at("previous", "plan.previous.outcomes", message)


def _lost(entry: Json) -> bool:
    return bool(entry["what"] == "lost")


def safe_modes(told: Json) -> list[Outage]:
    """The safe modes that a plan tells of, as outages."""
    return [
        Outage(
            satellite=each["satellite"],
            start=parse_utc(each["start"]),
            end=parse_utc(each["end"]),
            reason=each["reason"],
        )
        for each in told.get("outcomes", {}).get("safe_modes", [])
    ]


def lost_in(told: Json, old: Json, way: str) -> set[str]:
    """The passes in which nothing went `uplink`, or came `downlink`."""
    booked = [*old.get("previous", {}).get("uplinks", []), *old["passes"]]
    lost = {
        each["id"]
        for each in told.get("outcomes", {}).get("passes", [])
        if each["lost"] in ("both", way)
    }
    return lost | {
        entry["id"]
        for entry in booked
        if _safe(told, entry["satellite"], parse_utc(entry["start"]), parse_utc(entry["end"]))
    }


def _safe(told: Json, satellite: str, low: datetime, high: datetime) -> bool:
    """Whether a satellite was in safe mode at any time between two instants."""
    own = [mode for mode in safe_modes(told) if mode.satellite == satellite]
    return any(mode.start < high and mode.end > low for mode in own)


def missed(told: Json, old: Json) -> set[str]:
    """The acquisitions of the last plan that were never taken."""
    if "outcomes" not in told:
        return set()
    dead = lost_in(told, old, "uplink")
    found = {e["id"] for e in told["outcomes"]["acquisitions"] if e["what"] == "missed"}
    for entry in images_of(old):
        begin = _slews_from(old["attitude"].get(entry["satellite"], []), entry)
        end = parse_utc(entry["end"])
        if entry["uplink"] in dead or _safe(told, entry["satellite"], begin, end):
            found.add(entry["id"])
    return found


def _slews_from(segments: Any, entry: Json) -> datetime:
    """When the slew to an acquisition begins."""
    place = next((i for i, s in enumerate(segments) if s.get("acquisition") == entry["id"]), None)
    if place is None:
        return parse_utc(entry["start"])
    while place > 0 and segments[place - 1]["mode"] in ("slew", "settle"):
        place -= 1
    return parse_utc(segments[place]["start"])


def _gone(told: Json, old: Json) -> set[str]:
    """What was sent in a lost pass by a satellite that does not wait to hear that it arrived."""
    lost = lost_in(told, old, "downlink")
    return {
        item["acquisition"]
        for downlink in old["downlinks"]
        if downlink["pass"] in lost and "freed" not in old["resources"][downlink["satellite"]]
        for item in downlink["items"]
        if item["acquisition"] is not None
    }


def as_flown(case: Case, told: Json, old: Json) -> Json:
    """The last plan without what was never taken, acknowledged, or turned to."""
    if "outcomes" not in told:
        return old
    never, dead = missed(told, old), lost_in(told, old, "uplink")
    flown: dict[str, Any] = dict(old)
    flown["acquisitions"] = [a for a in old["acquisitions"] if a["id"] not in never]
    if "calibrations" in old:
        flown["calibrations"] = [
            {**due, "look": None} if due["look"] and due["look"]["id"] in never else due
            for due in old["calibrations"]
        ]
    flown["downlinks"] = []
    for downlink in old["downlinks"]:
        items = [item for item in downlink["items"] if item["acquisition"] not in never]
        if items:
            gbit = downlink["gbit"] - sum(i["gbit"] for i in downlink["items"])
            gbit += sum(i["gbit"] for i in items)
            flown["downlinks"].append({**downlink, "items": items, "gbit": gbit})
    flown["resources"] = {
        name: curves
        if "freed" not in curves
        else {
            **curves,
            "freed": [
                f if f["uplink"] not in dead else {**f, "time": None} for f in curves["freed"]
            ],
        }
        for name, curves in old["resources"].items()
    }
    start = case.clock.start
    flown["attitude"] = {
        name: segments
        for name, segments in old["attitude"].items()
        if not _safe(told, name, start, start)
    }
    return flown
