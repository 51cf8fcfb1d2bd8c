"""`find_stereo`: which opportunities make pairs and triples, and when each look may be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from humay.access.records import Opportunities
from humay.access.stereo.best import COMPARED, find_best
from humay.access.stereo.describe import Found, described
from humay.access.stereo.limits import Pair, pair_of, parts_of
from humay.access.stereo.motion import PITCH
from humay.access.stereo.records import StereoSets
from humay.access.stereo.regions import (
    Region,
    area_of,
    nodes,
    region_of_pair,
    region_of_three,
    slices,
    table_of,
)
from humay.access.stereo.spans import MOST_SPANS, Work, work_for
from humay.access.stereo.sweeps import PLACE, PLACE_SIZE, Sweep, sweeps_of
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.errors import AccessError
from humay.mission import Mission, PairLimits, Request, StereoLimits
from humay.orbit import Ephemeris

PASS_S = 1_800.0  # windows of one satellite that are nearer to each other are of one pass


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """The opportunities (n,) of one point or strip, in order of time."""

    rows: IntArray
    limits: StereoLimits
    sweeps: list[Sweep]
    tables: list[FloatArray]
    parts: int
    work: Work
    one_pass: BoolArray  # (n, n)
    one_satellite: BoolArray

    def pair(self, a: int, b: int, limits: PairLimits, max_pitch_rad: float = math.pi / 2) -> Pair:
        return pair_of(
            self.sweeps[a],
            self.sweeps[b],
            limits,
            one_satellite=bool(self.one_satellite[a, b]),
            max_pitch_rad=max_pitch_rad,
        )


def find_stereo(
    opportunities: Opportunities,
    mission: Mission,
    requests: Sequence[Request],
    orbits: Mapping[str, Ephemeris],
) -> StereoSets:
    """Every pair or triple of opportunities of requests that ask for stereo, with its region.

    Looks follow each other in time, from one window or from several, of any satellite; one that
    takes two looks also has the time to slew. A region has an instant of the first look a second,
    and exact edges of the last: none of its parts that is longer than a second in the first look is
    missed. Limits hold where each look is imaged; of a strip at its middle and at both ends, change
    of the Sun and overlap in the middle.
    """
    found: list[Found] = []
    for group in _groups(opportunities, mission, requests, orbits):
        found += _pairs(group) if group.limits.looks == 2 else _triples(group)
    return described(found, opportunities, orbits)


def _groups(
    opportunities: Opportunities,
    mission: Mission,
    requests: Sequence[Request],
    orbits: Mapping[str, Ephemeris],
) -> Iterator[_Group]:
    asked = {request.name: request for request in requests if request.stereo is not None}
    rows = np.flatnonzero([name in asked for name in opportunities.request])
    o = opportunities.take(rows)
    is_point = np.array([asked[name].kind == "point" for name in o.request], dtype=bool)
    sweeps = sweeps_of(o, {s.name: s for s in mission.satellites}, orbits, is_point)
    by_strip: dict[str, list[int]] = {}
    for i in np.lexsort((o.opportunity_id, o.start_s)):
        by_strip.setdefault(o.strip[i], []).append(int(i))
    work = work_for(float(np.max(o.end_s - o.start_s, initial=0.0)))
    for own in by_strip.values():
        limits = asked[o.request[own[0]]].stereo
        assert limits is not None
        parts = _parts(limits, sweeps[own[0]])
        one_satellite = o.satellite[own][:, None] == o.satellite[own]
        near = np.abs(o.best_s[own][:, None] - o.best_s[own]) < PASS_S
        yield _Group(
            rows=rows[own],
            limits=limits,
            sweeps=[sweeps[i] for i in own],
            tables=[table_of(sweeps[i], nodes(o.start_s[i], o.end_s[i]), parts) for i in own],
            parts=parts,
            work=work,
            one_pass=one_satellite & near,
            one_satellite=one_satellite,
        )


def _parts(limits: StereoLimits, sweep: Sweep) -> int:
    """The parts of looks that these limits, and the search for the best instants, compare."""
    each = [
        pair_of(sweep, sweep, part, one_satellite=True) for part in (limits, limits.neighbouring)
    ]
    return parts_of(*each) | COMPARED | (PITCH if limits.looks == 3 else 0)


def _pairs(group: _Group) -> Iterator[Found]:
    for a, b in _candidates(group, group.limits):
        pair = group.pair(a, b, group.limits)
        region = region_of_pair(pair, group.tables[a], group.tables[b], group.parts)
        yield from _found(group, (a, None, b), region)


def _triples(group: _Group) -> Iterator[Found]:
    """Every two windows next to each other make a pair, and so do the first and the last."""
    limits = group.limits
    pitch = math.pi / 2 if limits.max_middle_pitch_rad is None else limits.max_middle_pitch_rad
    outer = set(_candidates(group, limits))
    near = list(_candidates(group, limits.neighbouring))
    for a, b in near:
        for c in (c for middle, c in near if middle == b and (a, c) in outer):
            region = region_of_three(
                group.pair(a, c, limits),
                group.pair(a, b, limits.neighbouring, pitch),
                group.pair(b, c, limits.neighbouring),
                (group.tables[a], group.tables[b], group.tables[c]),
                group.parts,
            )
            yield from _found(group, (a, b, c), region)


def _candidates(group: _Group, limits: PairLimits) -> Iterator[tuple[int, int]]:
    """Windows that can follow each other within the limits of separation."""
    start = np.array([table[0, 0] for table in group.tables])
    end = np.array([table[-1, 0] for table in group.tables])
    soonest, latest = start - end[:, None], end - start[:, None]
    fit = (soonest <= limits.max_separation_s) & (latest >= limits.min_separation_s) & (latest > 0)
    yield from ((int(a), int(b)) for a, b in np.argwhere(fit))


def _found(group: _Group, looks: tuple[int, int | None, int], region: Region) -> Iterator[Found]:
    """The region of these windows, if it has any instants."""
    rows = _slices(region, group.work)
    if not len(rows):
        return
    before, after = np.empty((0, 3)), np.empty((0, 3))
    if region.has_middle:
        back = region.after._replace(forward=False)
        sides = (
            (region.before, _about(region.held, rows[:, 0])),
            (back, _about(region.moved, rows[:, 1:])),
        )
        before, after = (
            _slices(
                region_of_pair(pair, held, region.middle, region.parts, region.level), group.work
            )
            for pair, held in sides
        )
    best = np.full(7, np.nan)
    if not find_best(region, rows, before, group.work, best):
        raise ArithmeticError("a region of stereo has no instants that meet its limits")
    yield Found(
        rows=tuple(None if k is None else int(group.rows[k]) for k in looks),
        place=group.sweeps[looks[0]].fixed[PLACE + 1 : PLACE + PLACE_SIZE],
        later_s=tuple(
            math.nan if k is None else float(group.sweeps[k].fixed[PLACE]) for k in looks
        ),
        same_pass=bool(group.one_pass[looks[0], looks[2]]),
        area_s2=area_of(rows, region.held[:, 0]),
        best=best,
        region=rows,
        before=before,
        after=after,
    )


def _about(table: FloatArray, instants: FloatArray) -> FloatArray:
    """The looks of a table that enclose these instants."""
    first, last = np.searchsorted(table[:, 0], [instants.min(), instants.max()])
    return table[max(first - 1, 0) : last + 1]


def _slices(region: Region, work: Work) -> FloatArray:
    """The slices (m, 3) of a region."""
    out = np.empty((2 * len(region.held) * MOST_SPANS, 3))
    n = slices(region, work, out)
    if n < 0:
        raise AccessError(
            f"stereo: a region has more than {MOST_SPANS} spans of one look for an instant of the"
            " other, expected wider limits"
        )
    return out[:n].copy()
