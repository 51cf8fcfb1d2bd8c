"""Data that go down by the priority of their requests, not by their age."""

from __future__ import annotations

import math
from collections.abc import Sequence

from humay.schedule.resources import (
    LEAST_BITS,
    SHORTEST_DOWNLINK_S,
    Downlink,
    Recording,
    Sending,
    one_downlink,
)


def send_urgent_first(
    recordings: Sequence[Recording], sendings: Sequence[Sending]
) -> list[Downlink]:
    """Everything recorded goes down as soon as a stretch allows, at every instant the most urgent
    of what has ended, the oldest of equals.

    What is being sent stops for something more urgent that ends meanwhile, and goes on after it.
    """
    queue = sorted(recordings, key=lambda r: (-r.urgency, r.end_s, r.acquisition or ""))
    left = [recording.bits for recording in queue]
    downlinks: list[Downlink] = []
    free_s = -math.inf
    for stretch in sorted(sendings, key=lambda s: s.start_s):
        now = began = max(stretch.start_s, free_s)
        items: list[tuple[str | None, float]] = []
        while stretch.end_s - now >= SHORTEST_DOWNLINK_S:
            best = _first_ready(queue, left, now)
            if best is None:  # nothing to send yet: close, and wait for what ends next
                downlinks += one_downlink(stretch, began, now, items)
                ends = [r.end_s for r, bits in zip(queue, left, strict=True) if bits >= LEAST_BITS]
                items, now = [], min(ends, default=math.inf)
                began = now
                continue
            until_s = _next_above(queue, left, best, now, stretch.end_s)
            bits = min(left[best], (until_s - now) * stretch.bit_s)
            now = now + bits / stretch.bit_s if bits == left[best] else until_s
            left[best] -= bits
            items = _and_then(items, queue[best].acquisition, bits)
        downlinks += one_downlink(stretch, began, min(now, stretch.end_s), items)
        free_s = max(free_s, downlinks[-1].end_s if downlinks else free_s)
    return downlinks


def _first_ready(queue: Sequence[Recording], left: Sequence[float], now_s: float) -> int | None:
    ready = (i for i, r in enumerate(queue) if r.end_s <= now_s and left[i] >= LEAST_BITS)
    return next(ready, None)


def _next_above(
    queue: Sequence[Recording], left: Sequence[float], best: int, now_s: float, end_s: float
) -> float:
    """When something ends that goes before what is being sent, or the stretch."""
    above = [
        r.end_s
        for r, bits in zip(queue[:best], left, strict=False)
        if r.end_s > now_s and bits >= LEAST_BITS
    ]
    return min([end_s, *above])


def _and_then(
    items: list[tuple[str | None, float]], name: str | None, bits: float
) -> list[tuple[str | None, float]]:
    """Items with some more bits of one of them at the end."""
    if items and items[-1][0] == name:
        return [*items[:-1], (name, items[-1][1] + bits)]
    return [*items, (name, bits)]
