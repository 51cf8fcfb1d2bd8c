"""Memory that waits for acknowledgement, as the abstract problem knows it.

A store empties by itself, whatever was sent. So it frees, at the end of each acknowledging pass,
all that the passes it acknowledges could have brought down; and between the last of those and the
next acknowledgement no more is recorded than the whole memory holds. What this leaves out (a pass
that had less to send than it could) is found when the plan is put together.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.schedule.acknowledged import FREE_S
from humay.schedule.core import Budget, Store
from humay.schedule.ground import Pass
from humay.schedule.planner import Lane


def waiting_store(lane: Lane, number: int, use_bit_s: FloatArray) -> Store:
    """Free memory, which grows in bursts."""
    low, high = lane.span
    at_s = np.array([uplink.end_s for _, uplink, _ in _told(lane)], dtype=np.float64)
    bits = np.array([bits for _, _, bits in _told(lane)], dtype=np.float64)
    edges = np.concatenate([[low, high], at_s, at_s + FREE_S])
    t_s = np.unique(np.clip(edges, low, high))
    share = np.clip((t_s[:, None] - at_s) / FREE_S, 0.0, 1.0)
    memory = lane.satellite.memory_bit
    return Store(
        lane=number,
        t_s=t_s,
        income=np.diff(share @ bits) / np.diff(t_s),
        initial=memory - lane.satellite.memory_used_bit,
        capacity=memory,
        use=use_bit_s,
    )


def waiting_budgets(
    lane: Lane, own: IntArray, first_end_s: FloatArray, last_end_s: FloatArray, bits: FloatArray
) -> Iterator[Budget]:
    """No more than the memory holds is recorded while nothing of it can be freed: candidates `own`
    (n,), which end between two instants and make `bits` (n,)."""
    newest: dict[float, float] = {}
    for end_s, uplink, _ in _told(lane):
        newest[uplink.end_s] = max(newest.get(uplink.end_s, -np.inf), end_s)
    untils = [*sorted(newest)[1:], lane.span[1]]
    for at_s, until_s in zip(sorted(newest), untils, strict=False):
        inside = (first_end_s > newest[at_s]) & (last_end_s <= until_s)
        if np.sum(bits[inside]) > lane.satellite.memory_bit:
            yield Budget(candidates=own[inside], use=bits[inside], most=lane.satellite.memory_bit)


def _told(lane: Lane) -> list[tuple[float, Pass, float]]:
    """Of every pass that is acknowledged its end, the pass that does it, and what could have come
    down in it, or has before the plan."""
    told = []
    for p in lane.passes:
        uplink = lane.acknowledging[p.pass_id]
        if uplink is not None:
            bits = sum((s.end_s - s.start_s) * s.bit_s for s in p.stretches)
            told.append((p.end_s, uplink, min(bits, lane.satellite.memory_bit)))
    for sent in lane.aboard.sent:
        uplink = lane.acknowledging[sent.pass_id]
        if uplink is not None:
            told.append((sent.end_s, uplink, sent.bits))
    return told
