"""The difference of two plans, from their files: what is kept, moved, dropped and added.

What is compared is what both could do: acquisitions that begin in the span of both, calibration
looks among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from humay.schedule.recorded import recorded
from humay.time import parse_utc

Json: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[str, str]

SAME_S = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class Difference:
    """Acquisitions as both plans tell them: those kept, pairs (before, after) of those moved,
    dropped and added ones; `value` before and after, and pairs (before, after) of requests whose
    delivery changed."""

    kept: Sequence[tuple[Json, Json]]
    moved: Sequence[tuple[Json, Json]]
    dropped: Sequence[Json]
    added: Sequence[Json]
    value: tuple[float, float]
    deliveries: Sequence[tuple[str, str | None, str | None]]

    @property
    def changed(self) -> int:
        """How many acquisitions of the first plan are not those of the second."""
        return len(self.moved) + len(self.dropped)


def plan_difference(old: Json, new: Json, withdrawn: Mapping[str, str] | None = None) -> Difference:
    """What the second plan does otherwise than the first. An acquisition is moved if its strip is
    imaged at another time or by another satellite; `withdrawn` names requests of the second plan by
    what the first calls them."""
    span = _shared(old, new)
    before, after = _acquired(old, span, {}), _acquired(new, span, withdrawn or {})
    both: list[tuple[Json, Json]] = []
    for same_window in (True, False):
        both += _paired(before, after, same_window=same_window)
    return Difference(
        kept=[pair for pair in both if _same(*pair)],
        moved=[pair for pair in both if not _same(*pair)],
        dropped=[entry for own in before.values() for entry in own],
        added=[entry for own in after.values() for entry in own],
        value=(float(old["objective"]["value"]), float(new["objective"]["value"])),
        deliveries=_deliveries(old, new),
    )


def _paired(
    before: Mapping[Key, list[Json]], after: Mapping[Key, list[Json]], *, same_window: bool
) -> list[tuple[Json, Json]]:
    """Pairs of acquisitions of one strip, of the same window or in order of time, taken out of
    both."""
    pairs = []
    for key, own in before.items():
        others = after.get(key, [])
        for one in list(own):
            for two in others:
                if not same_window or one["opportunity"] == two["opportunity"]:
                    pairs.append((one, two))
                    own.remove(one)
                    others.remove(two)
                    break
    return pairs


def _shared(old: Json, new: Json) -> tuple[datetime, datetime]:
    starts, ends = ([parse_utc(plan[key]) for plan in (old, new)] for key in ("start", "end"))
    return max(starts), min(ends)


def _acquired(
    plan: Json, span: tuple[datetime, datetime], withdrawn: Mapping[str, str]
) -> dict[Key, list[Json]]:
    """Acquisitions that begin in a span, by request and strip, in order of time."""
    found: dict[Key, list[Json]] = {}
    for entry in sorted(recorded(plan), key=lambda entry: parse_utc(entry["start"])):
        if span[0] <= parse_utc(entry["start"]) < span[1]:
            name = str(entry["request"])
            was = withdrawn.get(name, name)
            strip = was + str(entry["strip"])[len(name) :]
            found.setdefault((was, strip), []).append(entry)
    return found


def _same(one: Json, two: Json) -> bool:
    return one["satellite"] == two["satellite"] and abs(seconds_later(one, two)) <= SAME_S


def seconds_later(one: Json, two: Json) -> float:
    """How much later the second of two acquisitions begins."""
    return (parse_utc(two["start"]) - parse_utc(one["start"])).total_seconds()


def _deliveries(old: Json, new: Json) -> list[tuple[str, str | None, str | None]]:
    """Requests of both plans that are first delivered at another time."""
    before = {entry["name"]: _delivery(entry) for entry in old["requests"]}
    return [
        (entry["name"], before[entry["name"]], _delivery(entry))
        for entry in new["requests"]
        if entry["name"] in before and before[entry["name"]] != _delivery(entry)
    ]


def _delivery(request: Json) -> str | None:
    first: Mapping[str, str | None] = request.get("first") or {}
    return first.get("delivery")


# As documents and sentences ----------------------------------------------------------------------


def difference_document(found: Difference, new: Json) -> dict[str, Any]:
    """The difference for JSON; what is dropped with the reason that the second plan gives."""
    wanted = [*new["requests"], *new.get("calibrations", ())]
    reasons = {entry["name"]: entry["reason"] for entry in wanted}
    return {
        "kept": len(found.kept),
        "moved": [
            {
                "request": one["request"],
                "strip": one["strip"],
                "from": _place(one),
                "to": _place(two),
                "later_s": round(seconds_later(one, two), 3),
            }
            for one, two in found.moved
        ],
        "dropped": [
            {
                "request": entry["request"],
                "strip": entry["strip"],
                **_place(entry),
                "reason": reasons.get(entry["request"]),
            }
            for entry in found.dropped
        ],
        "added": [
            {"request": entry["request"], "strip": entry["strip"], **_place(entry)}
            for entry in found.added
        ],
        "value": {
            "from": found.value[0],
            "to": found.value[1],
            "more": round(found.value[1] - found.value[0], 9),
        },
        "deliveries": [
            {"request": name, "from": before, "to": after}
            for name, before, after in found.deliveries
        ],
    }


def _place(entry: Json) -> dict[str, str]:
    return {"satellite": entry["satellite"], "start": entry["start"]}


def told(found: Mapping[str, Any]) -> str:
    """A difference, as `difference_document` makes it, for people."""
    value = found["value"]
    lines = [
        f"{found['kept']} kept, {len(found['moved'])} moved, {len(found['dropped'])} dropped,"
        f" {len(found['added'])} added; value {value['from']:.2f} to {value['to']:.2f}"
        f" ({value['more']:+.2f})"
    ]
    for each in found["moved"]:
        one, two = each["from"], each["to"]
        other = f" from {one['satellite']}" if one["satellite"] != two["satellite"] else ""
        lines.append(
            f"  moved {each['strip']}: to {two['satellite']} at {two['start']}{other}"
            f" ({each['later_s']:+.3f} s)"
        )
    for each in found["dropped"]:
        reason = each["reason"]
        why = "not asked for any more" if reason is None else f"{reason['code']}: {reason['text']}"
        lines.append(f"  dropped {each['strip']}: {each['satellite']} at {each['start']} ({why})")
    for each in found["added"]:
        lines.append(f"  added {each['strip']}: {each['satellite']} at {each['start']}")
    for each in found["deliveries"]:
        before, after = each["from"] or "never", each["to"] or "never"
        lines.append(f"  first delivery of {each['request']}: {before} to {after}")
    return "\n".join(lines)
