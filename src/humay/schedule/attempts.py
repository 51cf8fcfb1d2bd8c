"""Which looks at a strip exclude each other: too near, of the same clouds, or more than count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from humay.arrays import IntArray
from humay.mission import SAME_CLOUDS_S, Repeat, Request
from humay.schedule.core import Budget
from humay.schedule.looks import Looks


def at_most(requests: Sequence[Request], looks: Looks) -> tuple[Budget, ...]:
    """No more looks at a strip than are asked for."""
    asked, found = {request.name: request for request in requests}, []
    for name, own in by_strip(looks):
        request = asked[name]
        for rows, most in _caps(request, own, looks):
            if len(rows) > most or request.repeat is not None:
                use = np.ones(len(rows))
                found.append(Budget(candidates=np.array(rows), use=use, most=float(most)))
    return tuple(found)


def too_near(requests: Sequence[Request], looks: Looks) -> IntArray:
    """Pairs (k, 2) of looks at one strip that may begin nearer to each other than is asked, or see
    the same clouds and would count as two attempts."""
    o, found = looks.opportunities, []
    asked = {request.name: request for request in requests}
    for name, own in by_strip(looks):
        request = asked[name]
        apart_s = request.repeat.separation_s if request.repeat is not None else 0.0
        if looks.counts_clouds and request.stereo is None:
            apart_s = max(apart_s, SAME_CLOUDS_S)
        if apart_s == 0:
            continue
        free_s = o.plan_start_s[own] - o.plan_end_s[own][:, None]  # from i to j
        near = ~((free_s >= apart_s) | (apart_s <= free_s.T))
        i, j = np.nonzero(np.triu(near, k=1))
        found += [(own[a], own[b]) for a, b in zip(i.tolist(), j.tolist(), strict=True)]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _caps(
    request: Request, own: Sequence[int], looks: Looks
) -> Iterator[tuple[Sequence[int], int]]:
    """Looks at a strip of which only so many are done, where more would count."""
    repeat, stereo, most = request.repeat, request.stereo, request.most_attempts
    each = repeat.count if repeat is not None and is_monitoring(repeat) else 1
    if not looks.counts_clouds:
        if each > 1:
            yield own, each
        return
    if stereo is not None:
        each = stereo.looks
        for rows in under_one_sky(own, looks):
            yield rows, stereo.looks
    if repeat is not None and not is_monitoring(repeat) and most is not None:
        for places in grouped(looks.slot[list(own)]).values():
            yield [own[k] for k in places.tolist()], most
    elif most is not None:
        yield own, each * most


def under_one_sky(own: Sequence[int], looks: Looks) -> list[list[int]]:
    """The rows of stereo sets at a strip, together where the sets may see the same clouds or lie
    within each other: of them, one set is an attempt."""
    o, mine = looks.opportunities, set(own)
    sets = [list(rows) for rows in looks.sets if rows[0] in mine]
    found: list[list[int]] = []
    clear_s = -math.inf
    for rows in sorted(sets, key=lambda rows: float(np.min(o.plan_start_s[rows]))):
        if float(np.min(o.plan_start_s[rows])) < clear_s:
            found[-1] += rows
        else:
            found.append(rows)
        clear_s = max(clear_s, float(np.max(o.plan_end_s[rows])) + SAME_CLOUDS_S)
    return found


def by_strip(looks: Looks) -> list[tuple[str, list[int]]]:
    """Request and rows of every strip."""
    rows: dict[tuple[str, str], list[int]] = {}
    names = zip(looks.opportunities.request, looks.opportunities.strip, strict=True)
    for row, (request, strip) in enumerate(names):
        rows.setdefault((str(request), str(strip)), []).append(row)
    return [(request, own) for (request, _), own in rows.items()]


def is_monitoring(repeat: Repeat | None) -> bool:
    """Whether as many looks as possible are asked for."""
    return repeat is not None and repeat.every_h is None


def grouped(of: IntArray) -> dict[int, IntArray]:
    """The positions of each number."""
    order = np.argsort(of, kind="stable")
    met, first = np.unique(of[order], return_index=True)
    return {int(n): own for n, own in zip(met, np.split(order, first)[1:], strict=True)}
