"""What a plan tells of the one before it: the section `previous` of plan.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from humay.errors import PlanError
from humay.schedule.difference import Difference, Json, plan_difference
from humay.schedule.held import Held
from humay.schedule.insertion import Displaced
from humay.schedule.previous import Previous
from humay.schedule.takeover import counted_from, cut_until
from humay.time import format_utc


def previous_document(
    held: Held,
    displaced: Sequence[Displaced],
    names: Mapping[int, str],
    document: Json,
    delivered: Mapping[str, str],
) -> dict[str, Any]:
    """Which plan flew before `document`, what of it stays, and what became of the rest. `names`
    gives the acquisition of each opportunity that is one; `displaced` made room for what is urgent;
    `delivered` says when what was on board is on the ground."""
    previous, frozen = held.previous, held.freeze
    if previous is None or frozen is None:
        raise PlanError("there is no previous plan to tell of")
    found = plan_difference(previous.document, document, previous.withdrawn)
    carriers = {promise.uplink for promise, _ in held.frozen}
    here = {entry["id"] for entry in document["passes"]}
    until = previous.frozen_until
    return {
        "sha256": previous.sha256,
        "start": previous.document["start"],
        "end": previous.document["end"],
        "release": previous.document["release"],
        "counted_from": counted_from(previous.document),
        "cut_until": cut_until(previous.document),
        "frozen_until": None if until is None else format_utc(until),
        "frozen": [names[row] for _, row in held.frozen],
        "lost": [promise.id for promise in frozen.lost],
        "kept": len(found.kept),
        "moved": len(found.moved),
        "dropped": len(found.dropped),
        "added": len(found.added),
        "stability": previous.stability,
        "cost": round(previous.stability * _broken(held, found), 9),
        "withdrawn": [{"name": new, "was": old} for new, old in previous.withdrawn.items()],
        "imaged": [dict(each) for each in previous.imaged],
        "failed": sorted(previous.failed),
        "uplinks": [
            dict(booked.entry)
            for name, booked in frozen.uplinks.items()
            if name in carriers and name not in here
        ],
        "lost_passes": sorted(previous.lost_passes),
        "flown": {
            name: [{"start": low, "end": high} for low, high in spans]
            for name, spans in previous.flown.items()
        },
        **_outcomes(previous),
        "aboard": [{**entry, "delivered": delivered.get(entry["id"])} for entry in previous.aboard],
        "state": {name: dict(each) for name, each in previous.state.items()},
        **_urgent(held, displaced),
    }


def _outcomes(previous: Previous) -> dict[str, Any]:
    """What did not go as planned, as it was told, and the passes in which nothing was commanded."""
    if previous.outcomes is None:
        return {}
    return {
        "lost_uplinks": sorted(previous.lost_uplinks),
        "outcomes": previous.outcomes.document(),
    }


def _urgent(held: Held, displaced: Sequence[Displaced]) -> dict[str, Any]:
    """The requests that just came in, and the acquisitions that made room for each."""
    urgency = None if held.previous is None else held.previous.urgent
    if urgency is None:
        return {}
    was = {row: promise.id for promise, row in held.wished}
    return {
        "urgent": {
            "most_changed": urgency.most_changed,
            "requests": [
                {
                    "name": name,
                    "displaced": sorted(was[d.act.row] for d in displaced if d.request == name),
                }
                for name in urgency.names
            ],
        }
    }


def _broken(held: Held, found: Difference) -> float:
    """What the promises are worth that could be broken and are: imaged by another satellite, in
    another window, or not at all."""
    assert held.freeze is not None
    elsewhere = [one for one, two in found.moved if one["opportunity"] != two["opportunity"]]
    return math.fsum(
        float(entry["value"])
        for entry in [*elsewhere, *found.dropped]
        if entry["id"] in held.freeze.priced
    )
