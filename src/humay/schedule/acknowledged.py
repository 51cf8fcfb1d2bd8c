"""Memory that is freed only when the ground has told that it received what went down.

What went down in a pass stays in the memory until the end of the first pass with uplink, to any
station, that begins `acknowledge_s` or more after the end of that pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from humay.schedule.ground import Pass
from humay.schedule.resources import Downlink

FREE_S = 1e-3
"""How long freeing takes: curves are continuous."""
SAME_S = 1e-4
"""Files tell times to the microsecond: passes nearer than this follow at once."""


@dataclass(frozen=True, kw_only=True)
class Freed:
    """What went down in a pass, and the pass whose uplink frees its memory from `start_s` to
    `end_s`; none, and never, where no such pass follows."""

    pass_id: str
    uplink: str | None
    start_s: float
    end_s: float
    bits: float


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What had gone down before the plan in a pass that ends at `end_s`, and was not acknowledged:
    it is still in the memory."""

    pass_id: str
    end_s: float
    bits: float


def uplink_after(end_s: float, passes: Iterable[Pass], acknowledge_s: float) -> Pass | None:
    """The pass that tells the satellite what was received in one that ended at `end_s`."""
    told = [p for p in passes if p.uplink and p.start_s >= end_s + acknowledge_s - SAME_S]
    return min(told, key=lambda p: (p.end_s, p.pass_id), default=None)


def freed(
    downlinks: Sequence[Downlink],
    before: Sequence[Sent],
    uplinks: Mapping[str, Pass | None],
) -> list[Freed]:
    """What of the memory is freed by which pass, in order of the passes in which it was sent;
    `uplinks` gives the pass that acknowledges each."""
    bits: dict[str, float] = {}
    for sent in before:
        bits[sent.pass_id] = bits.get(sent.pass_id, 0.0) + sent.bits
    for downlink in downlinks:
        bits[downlink.pass_id] = bits.get(downlink.pass_id, 0.0) + downlink.bits
    return [_freed(name, amount, uplinks[name]) for name, amount in bits.items()]


def _freed(pass_id: str, bits: float, uplink: Pass | None) -> Freed:
    if uplink is None:
        return Freed(pass_id=pass_id, uplink=None, start_s=math.inf, end_s=math.inf, bits=bits)
    return Freed(
        pass_id=pass_id,
        uplink=uplink.pass_id,
        start_s=uplink.end_s,
        end_s=uplink.end_s + FREE_S,
        bits=bits,
    )
