"""Code `downlink`, of the order in which data go down: oldest first, or by priority."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from humay.check.aboard import entries_of
from humay.check.case import Acquisition, Case
from humay.check.violations import Violation
from humay.mission import Satellite

AT_ONCE_S = 1e-3
LEAST_GBIT = 1e-5


@dataclass(kw_only=True, eq=False)
class _Waiting:
    """Data that wait to be sent."""

    name: str
    rank: int
    end_s: float
    gbit: float

    def goes_before(self, other: _Waiting) -> bool:
        if self.rank != other.rank:
            return self.rank > other.rank
        return self.end_s < other.end_s - AT_ONCE_S


def check_order(case: Case) -> Iterator[Violation]:
    """[downlink] Nothing is sent while something waits that goes before it."""
    for satellite in case.mission.satellites:
        waiting = {each.name: each for each in _waiting(case, satellite)}
        for downlink in case.of(satellite)[1]:
            stated, at_s = downlink.entry["gbit"], downlink.start_s
            for item in downlink.entry["items"]:
                if stated > 0:
                    at_s += (downlink.end_s - downlink.start_s) * item["gbit"] / stated
                own = waiting.get(item.get("aboard") or item["acquisition"] or "")
                if own is None:
                    continue  # nobody knows of what it is
                first = next(
                    (
                        each
                        for each in waiting.values()
                        if each.gbit > LEAST_GBIT
                        and each.end_s < at_s - AT_ONCE_S
                        and each.goes_before(own)
                    ),
                    None,
                )
                if first is not None:
                    message = f"carries {own.name!r} while {first.name!r} waits, expected it first"
                    yield case.at("downlink", downlink.where, message, downlink.start_s)
                    return
                own.gbit -= item["gbit"]


def _waiting(case: Case, satellite: Satellite) -> Iterator[_Waiting]:
    """All that the satellite has or will have to send, but for what no plan knows of: that has no
    age."""
    by_rank = satellite.downlink_order == "priority"
    entries = [
        entry for entry in entries_of(case, satellite) if entry["pass"] is None and entry["end"]
    ]
    for entry in entries:
        rank, end_s = entry["priority"] if by_rank else 0, case.clock.seconds(entry["end"])
        yield _Waiting(name=entry["id"], rank=rank, end_s=end_s, gbit=entry["gbit"])
    for look in case.recorded:
        if look.satellite is satellite:
            of = look.request if isinstance(look, Acquisition) else look.calibration
            rank = of.priority if by_rank else 0
            yield _Waiting(name=look.id, rank=rank, end_s=look.end_s, gbit=look.entry["data_gbit"])
