"""What a previous plan comes to where not all went as planned: what was flown and received of it,
and what failed.

A lost uplink means that its commands never got on board: what they were to do was not done, and the
satellite flew what it had been told before. A satellite in safe mode does nothing it was told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from humay.errors import PlanError
from humay.mission import Mission, Outage, Outcomes
from humay.schedule.aboard import ROUNDED_GBIT, aboard_at, gone_with
from humay.schedule.previous import beginnings
from humay.schedule.recorded import recorded, without
from humay.time import format_utc, parse_utc

Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Aftermath:
    """The previous plan as it was `flown`: without acquisitions that were not taken, and what was
    to be sent of them. `failed` are all acquisitions before the new start that came to nothing;
    nothing was received in `lost_passes`, nothing commanded in `lost_uplinks`."""

    outcomes: Outcomes
    flown: Json
    failed: frozenset[str] = frozenset()
    lost_passes: frozenset[str] = frozenset()
    lost_uplinks: frozenset[str] = frozenset()

    @property
    def bad_images(self) -> frozenset[tuple[str, str]]:
        """Strip and end of images of earlier plans that came to nothing."""
        return frozenset((each.strip, format_utc(each.end)) for each in self.outcomes.images)


def aftermath(
    document: Json, outcomes: Outcomes, start: datetime, lost: AbstractSet[str] = frozenset()
) -> Aftermath:
    """What is known of a plan at the start of the next; nothing was received in passes `lost`.

    Raises `PlanError` for outcomes of what the plan does not have, or of what is not over by then,
    and for images that came down damaged while something of them is still to be sent.
    """
    _refuse_unknown(document, outcomes, start)
    struck = {
        entry["id"]
        for entry in _passes(document)
        if _in_safe_mode(outcomes, entry["satellite"], entry["start"], entry["end"])
    }
    up = frozenset(struck | {each.id for each in outcomes.passes if each.up})
    down = frozenset(struck | {each.id for each in outcomes.passes if each.down} | lost)
    missed = _missed(document, outcomes, up)
    flown = _flown(document, outcomes, missed, up, start)
    _refuse_unsent(document, outcomes, aboard_at(flown, start, down), start)
    told = {each.id for each in outcomes.acquisitions}
    over = {a["id"] for a in recorded(document) if parse_utc(a["end"]) <= start}
    return Aftermath(
        outcomes=outcomes,
        flown=flown,
        failed=frozenset((missed | told | gone_with(flown, down)) & over),
        lost_passes=down,
        lost_uplinks=up,
    )


def mission_with(mission: Mission, outcomes: Outcomes) -> Mission:
    """The mission with safe modes among its outages."""
    more = tuple(each for each in outcomes.safe_modes if each not in mission.outages)
    return replace(mission, outages=(*mission.outages, *more)) if more else mission


def _passes(document: Json) -> list[Json]:
    return [*document.get("previous", {}).get("uplinks", []), *document["passes"]]


def _in_safe_mode(outcomes: Outcomes, satellite: str, start: str, end: str) -> bool:
    low, high = parse_utc(start), parse_utc(end)
    return any(
        each.satellite == satellite and low < each.end and high > each.start
        for each in outcomes.safe_modes
    )


def _missed(document: Json, outcomes: Outcomes, up: AbstractSet[str]) -> set[str]:
    """Acquisitions that were never taken: told so, not commanded, or in a safe mode from the slew
    to them on."""
    begun = {
        acquisition: text
        for segments in document["attitude"].values()
        for acquisition, text in beginnings(segments)
    }
    return {each.id for each in outcomes.acquisitions if each.what == "missed"} | {
        entry["id"]
        for entry in recorded(document)
        if entry["uplink"] in up
        or _in_safe_mode(
            outcomes, entry["satellite"], str(begun.get(entry["id"], entry["start"])), entry["end"]
        )
    }


def _flown(
    document: Json,
    outcomes: Outcomes,
    missed: AbstractSet[str],
    up: AbstractSet[str],
    start: datetime,
) -> Json:
    """The document of what was flown: nothing acknowledged in lost uplinks, nothing but the idle
    attitude in a safe mode at the new start."""
    at = format_utc(start)
    idle = {
        name: [] if _in_safe_mode(outcomes, name, at, at) else segments
        for name, segments in document["attitude"].items()
    }
    return {
        **document,
        **without(document, missed),
        "downlinks": [_sent(each, missed) for each in document["downlinks"]],
        "attitude": idle,
        "resources": {name: _unfreed(curves, up) for name, curves in document["resources"].items()},
    }


def _sent(downlink: Json, missed: AbstractSet[str]) -> dict[str, Any]:
    items = [item for item in downlink["items"] if item["acquisition"] not in missed]
    if len(items) == len(downlink["items"]):
        return {**downlink}
    return {**downlink, "items": items, "gbit": sum(item["gbit"] for item in items)}


def _unfreed(curves: Json, up: AbstractSet[str]) -> Json:
    if "freed" not in curves:
        return curves
    freed = [
        {**entry, "time": None} if entry["uplink"] in up else entry for entry in curves["freed"]
    ]
    return {**curves, "freed": freed}


def _refuse_unknown(document: Json, outcomes: Outcomes, start: datetime) -> None:
    ends = {entry["id"]: entry["end"] for entry in recorded(document)}
    for each in outcomes.acquisitions:
        _refuse_late("acquisition", each.id, ends.get(each.id), start)
    booked = {entry["id"]: entry["end"] for entry in _passes(document)}
    for lost in outcomes.passes:
        _refuse_late("pass", lost.id, booked.get(lost.id), start)
    imaged = [
        (each["strip"], parse_utc(each["end"]))
        for each in document.get("previous", {}).get("imaged", [])
    ]
    for image in outcomes.images:
        if (image.strip, image.end) not in imaged:
            raise PlanError(
                f"outcomes: image of {image.strip!r} until {format_utc(image.end)} found, expected"
                " one that the previous plan names in previous.imaged"
            )
    satellites = [entry["name"] for entry in document["satellites"]]
    for mode in outcomes.safe_modes:
        if mode.satellite not in satellites:
            raise PlanError(
                f"outcomes: safe mode of {mode.satellite!r} found, expected one of"
                f" {', '.join(satellites)}"
            )
        _refuse_elsewhen(document, mode, start)


def _refuse_elsewhen(document: Json, mode: Outage, start: datetime) -> None:
    """A safe mode is one of the plan that flew; one still to come is an outage."""
    what = f"outcomes: safe mode of {mode.satellite!r}"
    if mode.start >= start:
        raise PlanError(
            f"{what} begins at {format_utc(mode.start)}, expected before the new plan,"
            f" {format_utc(start)}: tell what is to come as an [[outage]] of the mission"
        )
    first = min(parse_utc(each["start"]) for each in [document, *_passes(document)])
    if mode.end <= first:
        raise PlanError(
            f"{what} ends at {format_utc(mode.end)}, expected after the previous plan begins,"
            f" {format_utc(first)}"
        )


def _refuse_late(what: str, name: str, end: str | None, start: datetime) -> None:
    if end is None:
        raise PlanError(
            f"outcomes: {what} {name!r} is not in the previous plan, expected one of it"
        )
    if parse_utc(end) > start:
        raise PlanError(
            f"outcomes: {what} {name!r} ends at {end}, expected before the new plan begins,"
            f" {format_utc(start)}: begin it later"
        )


def _refuse_unsent(
    document: Json, outcomes: Outcomes, aboard: Sequence[Json], start: datetime
) -> None:
    """That an image came down damaged is known when all of it came down."""
    images = {a["id"]: (a["strip"], parse_utc(a["end"])) for a in recorded(document)}
    damaged = [
        (f"acquisition {each.id!r}", images[each.id])
        for each in outcomes.acquisitions
        if each.what == "lost"
    ]
    damaged += [
        (f"image of {each.strip!r} until {format_utc(each.end)}", (each.strip, each.end))
        for each in outcomes.images
        if each.what == "lost"
    ]
    for what, (strip, end) in damaged:
        left = sum(
            each["gbit"]
            for each in aboard
            if each["pass"] is None and each["strip"] == strip and parse_utc(each["end"]) == end
        )
        if left > ROUNDED_GBIT:
            raise PlanError(
                f"outcomes: {what} is told to have come down damaged, and {left:.3f} Gbit of it are"
                f" on board as the new plan begins, {format_utc(start)}; the last of it comes down"
                f" {_last_sent(document, strip, end)}: expected one of which all has come down"
            )


def _last_sent(document: Json, strip: str, end: datetime) -> str:
    """When the last data of an image come down by a plan, in words."""
    older = document.get("previous", {}).get("aboard", [])
    names = {
        each["id"]
        for each in [*older, *recorded(document)]
        if each["strip"] == strip and parse_utc(each["end"]) == end
    }
    ends = [
        downlink["end"]
        for downlink in document["downlinks"]
        if any((item.get("aboard") or item["acquisition"]) in names for item in downlink["items"])
    ]
    return f"at {max(ends, key=parse_utc)} by the previous plan" if ends else "after that plan"


# For people ---------------------------------------------------------------------------------------


def aftermath_text(previous: Json, found: Json) -> str:
    """What became of a previous plan, as the section `previous` of the next one tells it."""
    again = sorted({a["request"] for a in recorded(previous) if a["id"] in found["failed"]})
    strips = {each["strip"] for each in found.get("outcomes", {}).get("images", [])}
    earlier = previous.get("previous", {}).get("imaged", [])
    again += sorted({each["request"] for each in earlier if each["strip"] in strips} - set(again))
    waiting = [each for each in found.get("aboard", []) if each["pass"] is None]
    lines = [
        f"images that failed: {len(found['failed']) + len(strips)}; asked for again:"
        f" {', '.join(again) or 'nothing'}",
        f"  {len(found.get('lost_passes', []))} passes without downlink,"
        f" {len(found.get('lost_uplinks', []))} without commands;"
        f" {sum(each['gbit'] for each in waiting):.1f} Gbit wait on board to be sent",
    ]
    if found["lost"]:
        lines.append(f"  lost after the start, too: {', '.join(found['lost'])}")
    return "\n".join(lines)
