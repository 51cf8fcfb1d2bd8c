"""Windows as looks: each row once more for every slot of a series, or box of a stereo set, in which
it can be used, with its start times narrowed to it.

A box is an interval of start times for each look of a set, such that every start in one goes with
every start in the others: what is chosen inside needs no further test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from humay.access import Opportunities, Pointing, StereoSets
from humay.arrays import FloatArray, IntArray
from humay.errors import PlanError
from humay.mission import CloudModel, Repeat, Request
from humay.schedule.chances import clear_chances
from humay.time import Epoch

MOST_BOXES = 12
"""Of one set of windows."""
EDGE_S = 0.1
"""Kept from the edges of a region: they bend between the instants at which they are known."""
_SHORTEST_S, _LONGEST_S = 0.5, 10.0
_MIDDLE_S = 4.0
NO_SLOT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Rows (n,) to choose from; `slot` (n,) is that of a series, `sets` are rows of stereo looks
    that belong together, in order of time. `clear` (n,) are chances, 1 where clouds do not count.
    """

    opportunities: Opportunities
    pointing: tuple[Pointing | None, ...]
    slot: IntArray
    sets: tuple[tuple[int, ...], ...]
    clear: FloatArray
    counts_clouds: bool = False


@dataclass(frozen=True, kw_only=True)
class _Look:
    """A row of the windows and what is left of its start times, None for all."""

    row: int
    span_s: tuple[float, float] | None = None
    slot: int = NO_SLOT


def looks_of(
    requests: Sequence[Request],
    opportunities: Opportunities,
    pointing: Sequence[Pointing | None],
    stereo: StereoSets | None = None,
    clouds: CloudModel | None = None,
) -> Looks:
    """The looks that windows offer: as they are where a request asks for one look."""
    asked = {request.name: request for request in requests}
    in_stereo = {name for name, request in asked.items() if request.stereo is not None}
    if in_stereo and stereo is None:
        raise PlanError("requests ask for stereo, expected the sets of windows that make it")
    looks: list[_Look] = []
    for row, name in enumerate(opportunities.request.tolist()):
        if name in in_stereo:
            continue
        repeat = asked[name].repeat
        if repeat is None or repeat.every_h is None:
            looks.append(_Look(row=row))
        else:
            looks += _in_slots(asked[name], repeat, row, opportunities)
    sets = []
    if stereo is not None:
        for members in _stereo_looks(opportunities, stereo, in_stereo):
            sets.append(tuple(range(len(looks), len(looks) + len(members))))
            looks += members
    narrowed = _narrowed(opportunities, looks)
    return Looks(
        opportunities=narrowed,
        pointing=tuple(pointing[look.row] for look in looks),
        slot=np.array([look.slot for look in looks], dtype=np.int64),
        sets=tuple(sets),
        clear=clear_chances(clouds, narrowed),
        counts_clouds=clouds is not None,
    )


def _narrowed(o: Opportunities, looks: Sequence[_Look]) -> Opportunities:
    """The windows of looks."""
    if all(look.span_s is None for look in looks) and len(looks) == len(o):
        return o
    taken = o.take(np.array([look.row for look in looks], dtype=np.int64))
    low, high, best = (c.copy() for c in (taken.plan_start_s, taken.plan_end_s, taken.best_s))
    for i, look in enumerate(looks):
        if look.span_s is not None:
            low[i], high[i] = look.span_s
            best[i] = np.clip(best[i], low[i], high[i])
    return replace(taken, plan_start_s=low, plan_end_s=high, best_s=best)


# Series ------------------------------------------------------------------------------------------


def slots_of(request: Request, repeat: Repeat, epoch: Epoch) -> list[tuple[float, float]]:
    """Begin and end of every slot of a series."""
    if request.start is None:
        raise AssertionError(f"a series without a start: {request.name!r}")
    start_s = epoch.seconds(request.start)
    return [(start_s + low, start_s + high) for low, high in repeat.slots_s()]


def _in_slots(request: Request, repeat: Repeat, row: int, o: Opportunities) -> Iterator[_Look]:
    """A window in every slot that leaves it a start; one without starts in that of its best one."""
    low, high, scan_s = float(o.plan_start_s[row]), float(o.plan_end_s[row]), float(o.scan_s[row])
    for slot, (begin_s, end_s) in enumerate(slots_of(request, repeat, o.epoch)):
        if np.isnan(high):
            if begin_s <= o.best_s[row] <= end_s:
                yield _Look(row=row, slot=slot)
            continue
        span = max(low, begin_s), min(high, end_s - scan_s)
        if span[0] <= span[1]:
            yield _Look(row=row, span_s=span, slot=slot)


# Stereo ------------------------------------------------------------------------------------------


def _stereo_looks(
    o: Opportunities, stereo: StereoSets, wanted: set[str]
) -> Iterator[tuple[_Look, ...]]:
    """The boxes of every set whose windows are all there."""
    row_of = {str(name): row for row, name in enumerate(o.opportunity_id)}
    for number, request in enumerate(stereo.request.tolist()):
        ids = [name for name in stereo.opportunity[number] if name is not None]
        if request not in wanted or not all(name in row_of for name in ids):
            continue
        rows = [row_of[name] for name in ids]
        # the instant of a point's look is the middle of its sweep, that of a strip its begin
        late_s = [0.5 * float(o.scan_s[r]) if o.strip[r] == request else 0.0 for r in rows]
        boxes = _nearest(list(_boxes(stereo, number)), stereo.at_s[number])
        for box in boxes[:MOST_BOXES]:
            looks = [
                _cut(row, (low - late, high - late), o)
                for row, (low, high), late in zip(rows, box, late_s, strict=True)
            ]
            if all(look is not None for look in looks):
                yield tuple(look for look in looks if look is not None)


def _cut(row: int, span: tuple[float, float], o: Opportunities) -> _Look | None:
    """What a window's own trim leaves of an interval of starts."""
    low, high = max(span[0], float(o.plan_start_s[row])), min(span[1], float(o.plan_end_s[row]))
    return _Look(row=row, span_s=(low, high)) if high - low > 0 else None


def _nearest(boxes: list[FloatArray], best_s: FloatArray) -> list[FloatArray]:
    """Boxes (looks, 2), those about the best instants first."""
    best = best_s[~np.isnan(best_s)]
    return sorted(boxes, key=lambda box: float(np.max(np.abs(box.mean(axis=1) - best))))


def _boxes(stereo: StereoSets, number: int) -> Iterator[FloatArray]:
    """Intervals of instants for the two or three looks of a set."""
    region = stereo.region.of(number)
    nodes = np.unique(region[:, 0])
    width = float(np.clip(np.median(region[:, 2] - region[:, 1]) / 3, 1.0, _LONGEST_S))
    cuts = np.arange(nodes[0], nodes[-1], width)
    for begin in cuts:
        inside = nodes[(nodes >= begin) & (nodes <= begin + width)]
        if len(inside) < 2:
            continue
        first = float(inside[0]), float(inside[-1])
        middle = inside[len(inside) // 2]
        for _, low, high in region[region[:, 0] == middle]:
            last = _common(region, first, 0.5 * (low + high))
            if last is None:
                continue
            if stereo.looks(number) == 2:
                yield np.array([first, last])
            else:
                yield from _with_middle(stereo, number, first, last)


def _with_middle(
    stereo: StereoSets, number: int, first: tuple[float, float], last: tuple[float, float]
) -> Iterator[FloatArray]:
    """The box with the middle looks that go with all of both others."""
    centre = 0.5 * (last[0] + last[1])
    last = max(last[0], centre - 0.5 * _MIDDLE_S), min(last[1], centre + 0.5 * _MIDDLE_S)
    before, after = stereo.before.of(number), stereo.after.of(number)
    for _, low, high in after[np.abs(after[:, 0] - centre) <= 0.5]:
        for share in (0.5, 0.25, 0.75):
            seed = low + share * (high - low)
            spans = _common(before, first, seed), _common(after, last, seed)
            if spans[0] is not None and spans[1] is not None:
                both = max(spans[0][0], spans[1][0]), min(spans[0][1], spans[1][1])
                yield np.array([first, both, last])
                return


def _common(
    slices: FloatArray, at: tuple[float, float], seed_s: float
) -> tuple[float, float] | None:
    """The span about `seed_s` that goes with every instant in `at`, those next to it included."""
    nodes = np.unique(slices[:, 0])
    first = max(int(np.searchsorted(nodes, at[0], side="right")) - 1, 0)
    last = min(int(np.searchsorted(nodes, at[1], side="left")), len(nodes) - 1)
    if nodes[first] > at[0] or nodes[last] < at[1]:
        return None
    near = slices[(slices[:, 0] >= nodes[first]) & (slices[:, 0] <= nodes[last])]
    near = near[(near[:, 1] <= seed_s) & (near[:, 2] >= seed_s)]
    if len(np.unique(near[:, 0])) < last - first + 1:
        return None
    low, high = float(np.max(near[:, 1])) + EDGE_S, float(np.min(near[:, 2])) - EDGE_S
    return (low, high) if high - low >= _SHORTEST_S else None
