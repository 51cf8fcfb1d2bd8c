"""What is on board as a plan begins, acquisition by acquisition: unsent, or sent and not known to
have been received.

A plan that begins in the middle of another takes over what that one has recorded and not sent. What
went down in a pass that was lost is sent again, where the satellite still has it: with memory that
waits for acknowledgement. With memory that is freed as data are sent it is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from humay.schedule.acknowledged import Sent
from humay.schedule.recorded import recorded
from humay.schedule.resources import Recording
from humay.time import Epoch, parse_utc

Json: TypeAlias = Mapping[str, Any]

LEAST_GBIT = 1e-6
"""Less is rounding."""
ROUNDED_GBIT = 6e-5
"""Curves of plan.json tell the memory to 1e-4 Gbit."""


@dataclass(frozen=True, kw_only=True)
class Aboard:
    """What one satellite has on board: `unsent` in the order of imaging, and what was `sent`, pass
    by pass, and waits to be acknowledged."""

    unsent: tuple[Recording, ...] = ()
    sent: tuple[Sent, ...] = ()

    @property
    def sent_bit(self) -> float:
        """What needs no pass any more but an uplink."""
        return sum(each.bits for each in self.sent)


EMPTY = Aboard()
"""Nothing on board, or nothing known of what is."""


def aboard_of(entries: Sequence[Json], satellite: str, epoch: Epoch, start_s: float) -> Aboard:
    """What entries of `aboard_at` say of one satellite, at the start of a plan."""
    own = [entry for entry in entries if entry["satellite"] == satellite]
    waiting: dict[tuple[str, float], float] = defaultdict(float)
    for entry in own:
        if entry["pass"] is not None:
            end_s = epoch.seconds(parse_utc(entry["pass_end"]))
            waiting[entry["pass"], end_s] += entry["gbit"] * 1e9
    ends = [parse_utc(entry["end"]) for entry in own if entry["end"] is not None]
    first_s = min([start_s, *(epoch.seconds(end) for end in ends)])
    unsent = [_recording(entry, epoch, first_s - 1.0) for entry in own if entry["pass"] is None]
    return Aboard(
        unsent=tuple(unsent),
        sent=tuple(
            Sent(pass_id=name, end_s=end_s, bits=bits) for (name, end_s), bits in waiting.items()
        ),
    )


def _recording(entry: Json, epoch: Epoch, oldest_s: float) -> Recording:
    at_s = oldest_s if entry["end"] is None else epoch.seconds(parse_utc(entry["end"]))
    return Recording(
        acquisition=entry["id"],
        start_s=at_s,
        end_s=at_s,
        bits=entry["gbit"] * 1e9,
        urgency=entry["priority"],
    )


# Read off a plan file -----------------------------------------------------------------------------


def aboard_at(
    document: Json, start: datetime, lost: AbstractSet[str] = frozenset()
) -> list[dict[str, Any]]:
    """What every satellite has on board at an instant of a plan, of whose passes some were `lost`:
    the entries of `previous.aboard` in plan.json, in order of imaging."""
    if parse_utc(document["start"]) == start:
        before = document.get("previous", {}).get("aboard", [])
        return [{**entry, "delivered": None} for entry in before]
    found = [
        entry
        for name in document["resources"]
        for entry in _Ledger(document, name, start, lost).entries()
    ]
    found.sort(
        key=lambda e: (e["end"] is not None, e["end"] or "", e["satellite"], e["strip"] or "")
    )
    return [{"id": f"B{i:04d}", **entry} for i, entry in enumerate(found, start=1)]


def gbit_aboard(entries: Sequence[Json], satellite: str) -> float:
    """All that one satellite has on board."""
    own = [float(entry["gbit"]) for entry in entries if entry["satellite"] == satellite]
    return round(sum(own), 9)


def gone_with(document: Json, lost: AbstractSet[str]) -> frozenset[str]:
    """The acquisitions of a plan of which something is lost for good with passes: sent in one by a
    satellite that freed its memory at once."""
    return frozenset(
        item["acquisition"]
        for downlink in document["downlinks"]
        if downlink["pass"] in lost and "freed" not in document["resources"][downlink["satellite"]]
        for item in downlink["items"]
        if item["acquisition"] is not None
    )


class _Ledger:
    """One satellite of a plan until an instant: what was recorded, what sent, what freed."""

    def __init__(
        self, document: Json, satellite: str, start: datetime, lost: AbstractSet[str]
    ) -> None:
        self.document, self.satellite, self.start, self.lost = document, satellite, start, lost
        self.curves = document["resources"][satellite]
        self.waits = "freed" in self.curves
        self.priority = {each["name"]: each["priority"] for each in document["requests"]}

    def entries(self) -> Iterator[dict[str, Any]]:
        """Of each acquisition what is unsent, and what was sent in which pass and is not freed."""
        sent = self._sent()
        told = self._told()
        older = self._gbit_before()
        for name, (entry, gbit) in self._recorded(older).items():
            left = gbit
            for booked, part in sent.get(name, {}).items():
                again = booked in self.lost and self.waits
                left -= 0.0 if again else part
                if self.waits and not again and booked not in told and part > LEAST_GBIT:
                    yield self._entry(entry, part, booked)
            if left > LEAST_GBIT:
                yield self._entry(entry, left, None)
        yield from self._earlier(told)

    def _recorded(self, older: float) -> dict[str | None, tuple[Json, float]]:
        """What there was to be sent, by the name that downlinks have for it."""
        found: dict[str | None, tuple[Json, float]] = {
            entry["id"]: (entry, entry["gbit"])
            for entry in self._before()
            if entry["pass"] is None or entry["pass"] in self.lost
        }
        if older > ROUNDED_GBIT:
            nothing = {"request": None, "strip": None, "end": None, "value": 0.0, "priority": 0}
            found[None] = nothing, older
        for entry in recorded(self.document):
            if entry["satellite"] == self.satellite and parse_utc(entry["end"]) <= self.start:
                found[entry["id"]] = entry, entry["data_gbit"]
        return found

    def _before(self) -> list[Json]:
        """What the plan itself had on board as it began."""
        entries = self.document.get("previous", {}).get("aboard", [])
        return [entry for entry in entries if entry["satellite"] == self.satellite]

    def _gbit_before(self) -> float:
        """What was on board as the plan began, and of nobody knows what."""
        known = sum(float(entry["gbit"]) for entry in self._before())
        state = self.document.get("previous", {}).get("state", {}).get(self.satellite, {})
        return float(state.get("memory_gbit", self.curves["memory_gbit"][0])) - known

    def _sent(self) -> dict[str | None, dict[str, float]]:
        """Gbit sent until the instant, by what they are of and by pass; items go one by one."""
        sent: dict[str | None, dict[str, float]] = {}
        for downlink in self.document["downlinks"]:
            begin, end = parse_utc(downlink["start"]), parse_utc(downlink["end"])
            if downlink["satellite"] != self.satellite or begin >= self.start:
                continue
            share = min((self.start - begin) / (end - begin), 1.0)
            left = share * downlink["gbit"]
            for item in downlink["items"]:
                part = min(item["gbit"], left)
                left -= part
                own = sent.setdefault(item.get("aboard") or item["acquisition"], {})
                own[downlink["pass"]] = own.get(downlink["pass"], 0.0) + part
        return sent

    def _told(self) -> set[str]:
        """The passes whose reception the satellite knows of: told by a pass that was not lost."""
        return {
            entry["pass"]
            for entry in self.curves.get("freed", [])
            if entry["time"] is not None
            and parse_utc(entry["time"]) <= self.start
            and entry["uplink"] not in self.lost
        }

    def _earlier(self, told: AbstractSet[str]) -> Iterator[dict[str, Any]]:
        """What was sent before the plan began, and is still not acknowledged."""
        for entry in self._before():
            if entry["pass"] is not None and entry["pass"] not in told | self.lost:
                yield self._entry(entry, entry["gbit"], entry["pass"], entry["pass_end"])

    def _entry(
        self, of: Json, gbit: float, booked: str | None, pass_end: str | None = None
    ) -> dict[str, Any]:
        if booked is not None and pass_end is None:
            pass_end = next(p["end"] for p in self.document["passes"] if p["id"] == booked)
        return {
            "satellite": self.satellite,
            "request": of["request"],
            "strip": of["strip"],
            "end": of["end"],
            "gbit": round(gbit, 9),
            "value": of["value"],
            "priority": of["priority"] if "priority" in of else self.priority[of["request"]],
            "pass": booked,
            "pass_end": pass_end,
            "delivered": None,
        }
