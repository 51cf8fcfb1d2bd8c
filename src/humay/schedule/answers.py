"""What whoever asked for something urgent is told: when it comes, and what made room for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from humay.schedule.difference import Json, plan_difference
from humay.schedule.recorded import recorded
from humay.time import format_utc, parse_utc


def answers_document(old: Json, new: Json) -> dict[str, Any]:
    """The answer to each urgent request of a plan that follows another, for JSON: when its first
    command is up, its first strip imaged and delivered, the acquisitions of the plan before that
    made room and what became of them, and why nothing, or not all of it, is planned."""
    urgent, withdrawn = new["previous"]["urgent"], new["previous"]["withdrawn"]
    found = plan_difference(old, new, {each["name"]: each["was"] for each in withdrawn})
    became = {one["id"]: two for one, two in found.moved}
    before = {entry["id"]: entry for entry in recorded(old)}
    asked = {entry["name"]: entry for entry in new["requests"]}
    return {
        "most_changed": urgent["most_changed"],
        "changed": found.changed,
        "of": found.changed + len(found.kept),
        "requests": [
            {
                "name": each["name"],
                "outcome": asked[each["name"]]["outcome"],
                **asked[each["name"]]["first"],
                "displaced": [_displaced(before[name], became) for name in each["displaced"]],
                "reason": asked[each["name"]]["reason"],
            }
            for each in urgent["requests"]
        ],
    }


def _displaced(entry: Json, became: Mapping[str, Json]) -> dict[str, Any]:
    other = became.get(entry["id"])
    place = {key: entry[key] for key in ("request", "strip", "satellite", "start")}
    now = None if other is None else {key: other[key] for key in ("satellite", "start")}
    return {"acquisition": entry["id"], **place, "now": now}


def answers_text(told: Json) -> str:
    """The answers, as `answers_document` makes them, for people."""
    asked = told["requests"]
    planned = sum(each["outcome"] != "left out" for each in asked)
    lines = [
        f"{planned} of {len(asked)} urgent requests planned; {told['changed']} of {told['of']}"
        " acquisitions of the previous plan changed"
    ]
    for each in asked:
        lines.append(f"  {each['name']}: {_answer(each)}")
        lines += [f"    in the place of {_room(one)}" for one in each["displaced"]]
    return "\n".join(lines)


def _answer(each: Json) -> str:
    reason = each["reason"]
    why = "" if reason is None else f"{reason['code']}: {reason['text']}"
    if each["outcome"] == "left out":
        return f"not planned ({why})"
    up, imaged, down = (_to_the_second(each[key]) for key in ("uplink", "image", "delivery"))
    delivered = "not delivered in this plan" if down is None else f"delivered by {down}"
    part = "" if reason is None else f"; only in part ({why})"
    return f"commanded by {up}, imaged by {imaged}, {delivered}{part}"


def _to_the_second(text: str | None) -> str | None:
    """The first whole second that is not before an instant."""
    if text is None:
        return None
    instant = parse_utc(text)
    rest = timedelta(microseconds=-instant.microsecond % 1_000_000)
    return format_utc(instant + rest)


def _room(one: Json) -> str:
    became = "dropped"
    if one["now"] is not None:
        became = f"now {one['now']['satellite']} at {one['now']['start']}"
    return f"{one['strip']}, {one['satellite']} at {one['start']}: {became}"
