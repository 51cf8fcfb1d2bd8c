"""Memory that is freed when reception is acknowledged, by the rule of docs/reference/plan.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from humay.arrays import FloatArray
from humay.check.case import Case, Json, Pass
from humay.check.violations import Violation
from humay.mission import Satellite

FREEING_S = 1e-3
AT_ONCE_S = 1e-4  # passes nearer than this follow each other at once
GBIT_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Release:
    """What was sent in a pass leaves the memory evenly over a span; `uplink` is the pass before."""

    pass_id: str
    uplink: str
    bits: float
    start_s: float

    @property
    def end_s(self) -> float:
        return self.start_s + FREEING_S


def waits(satellite: Satellite) -> bool:
    """Whether what was sent stays on board until it is acknowledged."""
    return satellite.memory_release == "acknowledged"


def releases(case: Case, satellite: Satellite) -> list[Release]:
    """What is freed in the plan of one satellite whose memory waits, and when."""
    found: list[Release] = []
    if not waits(satellite):
        return found
    for name, (end_s, bits) in _sent(case, satellite).items():
        uplink = _uplink(case, satellite, end_s)
        if uplink is not None:
            found.append(Release(pass_id=name, uplink=uplink.id, bits=bits, start_s=uplink.end_s))
    return found


def _sent(case: Case, satellite: Satellite) -> dict[str, tuple[float, float]]:
    """When each pass ends in which data went down that are not freed, and how many bits did: in the
    plan, and before it."""
    sent: dict[str, tuple[float, float]] = {}
    for entry in case.plan.get("previous", {}).get("aboard", ()):
        if entry["satellite"] == satellite.name and entry["pass"] is not None:
            _, bits = sent.get(entry["pass"], (0.0, 0.0))
            end_s = case.clock.seconds(entry["pass_end"])
            sent[entry["pass"]] = end_s, bits + entry["gbit"] * 1e9
    for downlink in case.of(satellite)[1]:
        if downlink.booked is not None:
            _, bits = sent.get(downlink.booked.id, (0.0, 0.0))
            sent[downlink.booked.id] = downlink.booked.end_s, bits + downlink.bits
    return sent


def _uplink(case: Case, satellite: Satellite, end_s: float) -> Pass | None:
    """The pass that tells what was received until an instant: the first to end of those that begin
    late enough."""
    first: Pass | None = None
    for p in case.passes:
        late = p.start_s >= end_s + satellite.acknowledge_s - AT_ONCE_S
        if p.satellite is satellite and p.station.uplink and p.entry["uplink"] and late:
            first = p if first is None or p.end_s < first.end_s else first
    return first


def left_bit(case: Case, satellite: Satellite, t_s: FloatArray) -> FloatArray:
    """Bits (n,) that have left the memory by times (n,): as they are sent, or when told."""
    if waits(satellite):
        return progress_bit(releases(case, satellite), t_s)
    return progress_bit(case.of(satellite)[1], t_s)


class Moved(Protocol):
    """Data that are recorded, sent or freed at a constant rate."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def bits(self) -> float: ...


def progress_bit(moved: Sequence[Moved], t_s: FloatArray) -> FloatArray:
    """Bits (n,) moved by times (n,)."""
    bits = np.zeros(t_s.shape)
    for each in moved:
        share = (t_s - each.start_s) / (each.end_s - each.start_s)
        bits += each.bits * np.clip(share, 0.0, 1.0)
    return bits


def check_acknowledged(case: Case) -> Iterator[Violation]:
    """[memory] What a plan says is freed, and when, is so."""
    for satellite in case.mission.satellites:
        entries = case.plan["resources"].get(satellite.name, {}).get("freed")
        if (entries is not None) != waits(satellite):
            said = "not told" if entries is None else "told"
            expected = "a list" if waits(satellite) else "none: memory is freed as data are sent"
            message = f"what is freed is {said}, expected {expected}"
            yield case.at("memory", f"resources[{satellite.name!r}].freed", message)
        elif entries is not None:
            yield from _stated(case, satellite, entries)


def _stated(case: Case, satellite: Satellite, entries: list[Json]) -> Iterator[Violation]:
    sent = _sent(case, satellite)
    told = {each.pass_id: each for each in releases(case, satellite)}
    where = f"resources[{satellite.name!r}].freed"
    if sorted(entry["pass"] for entry in entries) != sorted(sent):
        message = f"is of {len(entries)} passes, expected the {len(sent)} in which data went down"
        yield case.at("memory", where, message)
        return
    for entry in entries:
        release, bits = told.get(entry["pass"]), sent[entry["pass"]][1]
        at_s = None if entry["time"] is None else case.clock.seconds(entry["time"])
        if abs(entry["gbit"] - bits / 1e9) > GBIT_TOLERANCE:
            message = (
                f"{entry['gbit']:.6f} Gbit sent in {entry['pass']!r}, expected {bits / 1e9:.6f}"
            )
            yield case.at("memory", where, message, at_s)
        expected = None if release is None else release.uplink
        late = release is not None and (at_s is None or abs(at_s - release.start_s) > AT_ONCE_S)
        if entry["uplink"] != expected or late or (release is None and at_s is not None):
            when = "never" if release is None else f"after {release.uplink!r}"
            message = f"{entry['pass']!r} is freed by {entry['uplink']!r}, expected {when}"
            yield case.at("memory", where, message, at_s)
