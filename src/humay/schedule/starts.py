"""When opportunities could begin if each stood alone in its lane: many at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from humay.access import Opportunities, Pointing
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.schedule.attitude import sweep_states
from humay.schedule.outages import Span
from humay.schedule.planner import Lane
from humay.schedule.slews import State


def lone_starts(
    lane: Lane, rows: Sequence[int], o: Opportunities, pointing: Sequence[Pointing]
) -> list[tuple[int, float, float]]:
    """The stretches of starts (row, first, last) in which opportunities `rows` of a lane, with
    their samples, could stand alone: time to come from idle and to go back to it."""
    spans = [(k, span) for k, row in enumerate(rows) for span in lane.free_starts(row, o)]
    if not spans:
        return []
    tried = [_tried(pointing[k], span) for k, span in spans]
    first = np.concatenate([[0], np.cumsum([len(starts) for starts in tried])])
    starts = np.concatenate(tried)
    scan_s = np.repeat([lane.scan_s(rows[k], o) for k, _ in spans], np.diff(first))
    samples = [pointing[k] for k, _ in spans]
    settle, last = _states(samples, tried, "settle"), _states(samples, tried, "last")
    settle_from_s = starts - lane.satellite.settle_s
    fits = lane.stands_alone(settle_from_s, starts + scan_s, settle, last)
    found = []
    for s, (k, _) in enumerate(spans):
        own = slice(first[s], first[s + 1])
        clear = _clear(lane, samples[s], tried[s], float(scan_s[first[s]]))
        for low, high in _runs(fits[own] & clear):
            found.append((rows[k], float(tried[s][low]), float(tried[s][high])))
    return found


def _tried(samples: Pointing, span: Span) -> FloatArray:
    """The ends of a stretch and the sampled starts inside it."""
    inside = (samples.start_s > span[0]) & (samples.start_s < span[1])
    return np.concatenate([[span[0]], samples.start_s[inside], [span[1]]])


def _states(samples: Sequence[Pointing], tried: Sequence[FloatArray], kind: str) -> State:
    """The states of every sweep at the starts tried, `attitude.interpolate` for all at once."""
    nodes = np.concatenate([each.start_s for each in samples])
    counts = [len(each.start_s) for each in samples]
    begin = np.concatenate([[0], np.cumsum(counts)])
    left = np.concatenate(
        [
            begin[k] + np.clip(np.searchsorted(each.start_s, starts), 1, counts[k] - 1) - 1
            for k, (each, starts) in enumerate(zip(samples, tried, strict=True))
        ]
    )
    at_s = np.concatenate(tried)
    share = ((at_s - nodes[left]) / (nodes[left + 1] - nodes[left]))[:, None]
    turns = np.concatenate([getattr(each, f"{kind}_attitude") for each in samples])
    rates = np.concatenate([getattr(each, f"{kind}_rate_rad_s") for each in samples])
    inside = np.clip(share, 0.0, 1.0)
    return State(
        attitude=_between(turns, left, share),
        rate_rad_s=(1 - inside) * rates[left] + inside * rates[left + 1],
    )


def _between(quaternions: FloatArray, left: IntArray, share: FloatArray) -> FloatArray:
    a, b = quaternions[left], quaternions[left + 1]
    near = np.where(np.sum(a * b, axis=-1, keepdims=True) < 0, -b, b)
    mixed = (1 - share) * a + share * near
    return np.asarray(mixed / np.sqrt(np.sum(mixed * mixed, axis=-1, keepdims=True)))


def _clear(lane: Lane, samples: Pointing, starts: FloatArray, scan_s: float) -> BoolArray:
    if not lane.choreography.guard:
        return np.ones(len(starts), dtype=bool)
    return lane.clear(starts, scan_s, sweep_states(samples, starts))


def _runs(fits: BoolArray) -> list[tuple[int, int]]:
    """The first and the last of each run of what fits."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], fits, [False]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
