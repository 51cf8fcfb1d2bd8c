"""All that a plan file says is recorded, in one form: acquisitions, and calibration looks as they
would tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]


def recorded(document: Json) -> list[Json]:
    """Acquisitions of a plan, then its calibration looks: request and strip of a look are the name
    of what is due."""
    return [*document["acquisitions"], *map(_as_acquisition, _taken(document))]


def without(document: Json, names: Iterable[str]) -> dict[str, Any]:
    """What a plan has in `acquisitions` and `calibrations`, without those of some ids."""
    gone = set(names)
    left: dict[str, Any] = {
        "acquisitions": [a for a in document["acquisitions"] if a["id"] not in gone]
    }
    if "calibrations" in document:
        left["calibrations"] = [
            {**due, "look": None} if due["look"] and due["look"]["id"] in gone else due
            for due in document["calibrations"]
        ]
    return left


def _taken(document: Json) -> list[Json]:
    return [due for due in document.get("calibrations", ()) if due["look"] is not None]


def _as_acquisition(due: Json) -> Json:
    own = {"satellite": due["satellite"], "request": due["name"], "strip": due["name"]}
    return {**due["look"], **own, "priority": due["priority"]}
