"""The best instants of a region; compiled."""

from __future__ import annotations

import math

import numpy as np

from humay.access.stereo.limits import (
    FARTHEST,
    NEAREST,
    POLYGON,
    TILT,
    Pair,
    margin,
    overlap,
    slack,
)
from humay.access.stereo.motion import (
    END,
    PITCH,
    PITCH_AT,
    SETTLING,
    SUN,
    SWATH,
    TIME,
    VIEW,
    look_at,
)
from humay.access.stereo.regions import Region
from humay.access.stereo.spans import Work
from humay.arrays import FloatArray
from humay.compiled import inner, kernel

AT = POLYGON + 3  # rows of the room to work in: looks at the first, middle and last instant
COMPARED = VIEW | SUN | SWATH  # parts of looks that slack is made of
_INSTANTS = 10  # of the held look that are tried
_PLACES, _MOST_PLACES = 5, 20_000  # in each span of the others
_ROUNDING_S = 1e-6


@kernel
def find_best(
    region: Region, rows: FloatArray, before: FloatArray, work: Work, best: FloatArray
) -> bool:
    """Fill `best` (7,): first, middle and last instant, their slack, and the overlap of first and
    last, first and middle, middle and last; whether any were found.

    `rows` are the slices of the region and `before`, with a middle look, those of first and middle.
    The best is the one with most slack of all tried: some of the region's, with more middle looks
    until there is one that fits, then steps from the best of those, in every direction, halved
    until they are 1/16 s.
    """
    best[3] = -math.inf
    places = _PLACES
    while best[3] == -math.inf and places <= _MOST_PLACES:
        try_some(region, rows, before, places, work, best)
        places *= 4
    step_s = 2.0
    while step_s > 0.06:
        if not improve(region, step_s, work, best):
            step_s *= 0.5
    share_best(region, work.room, best)
    return bool(best[3] > -math.inf)


@inner
def try_some(
    region: Region, rows: FloatArray, before: FloatArray, places: int, work: Work, best: FloatArray
) -> None:
    """Try looks of the region, the middle one at so many places of each of its spans."""
    for i in range(0, rows.shape[0], max(1, rows.shape[0] // _INSTANTS)):
        for k in range(_PLACES):
            last_s = rows[i, 1] + (rows[i, 2] - rows[i, 1]) * (k / (_PLACES - 1))
            if not region.has_middle:
                keep_better(region, rows[i, 0], last_s, last_s, work, best)
            j = np.searchsorted(before[:, 0], rows[i, 0])
            while j < before.shape[0] and before[j, 0] == rows[i, 0]:
                for h in range(places):
                    share = h / (places - 1)
                    middle_s = before[j, 1] + (before[j, 2] - before[j, 1]) * share
                    keep_better(region, rows[i, 0], middle_s, last_s, work, best)
                j += 1


@inner
def share_best(region: Region, room: FloatArray, best: FloatArray) -> None:
    """Fill in the overlaps of the best looks."""
    first, middle, last = room[AT], room[AT + 1], room[AT + 2]
    look_at(region.pair.first, best[0], SWATH, first)
    look_at(region.pair.second, best[2], SWATH, last)
    best[4] = overlap(region.pair.first, first, region.pair.second, last, room)
    if region.has_middle:
        look_at(region.before.second, best[1], SWATH, middle)
        best[5] = overlap(region.before.first, first, region.before.second, middle, room)
        best[6] = overlap(region.after.first, middle, region.after.second, last, room)


@inner
def improve(region: Region, step_s: float, work: Work, best: FloatArray) -> bool:
    """Move the best instants by a step in the direction that gains most; whether any gains."""
    first_s, middle_s, last_s, before = best[0], best[1], best[2], best[3]
    moves = 1 if region.has_middle else 0
    for i in range(-1, 2):
        for j in range(-moves, moves + 1):
            for k in range(-1, 2):
                middle = middle_s + j * step_s if region.has_middle else last_s + k * step_s
                keep_better(region, first_s + i * step_s, middle, last_s + k * step_s, work, best)
    return bool(best[3] > before + 1e-9)


@inner
def keep_better(
    region: Region, first_s: float, middle_s: float, last_s: float, work: Work, best: FloatArray
) -> None:
    """Take instants that meet every limit with more slack than the best so far.

    Without a middle look its instant counts for nothing.
    """
    if not within(region, first_s, middle_s, last_s):
        return
    first, middle, last = work.room[AT], work.room[AT + 1], work.room[AT + 2]
    look_at(region.pair.first, first_s, COMPARED, first)
    look_at(region.pair.second, last_s, COMPARED, last)
    found = slack(region.pair, first, last, work.room)
    if region.has_middle and found > best[3]:
        look_at(region.before.second, middle_s, COMPARED | PITCH, middle)
        found = min(found, slack(region.before, first, middle, work.room))
        found = min(found, slack(region.after, middle, last, work.room))
        found = min(found, 1.0 - abs(math.asin(middle[PITCH_AT])) / region.before.bounds[TILT])
    if found > best[3] and flyable(region, first, middle, last, work.room):
        best[0], best[1], best[2], best[3] = first_s, middle_s, last_s, found


@inner
def flyable(
    region: Region, first: FloatArray, middle: FloatArray, last: FloatArray, room: FloatArray
) -> bool:
    """Whether looks, compared already, meet every limit; what only slews need is filled in."""
    look_at(region.pair.first, first[TIME], END, first)
    look_at(region.pair.second, last[TIME], SETTLING, last)
    if not meets(region.pair, first, last, room):
        return False
    if not region.has_middle:
        return True
    look_at(region.before.second, middle[TIME], END | SETTLING, middle)
    return meets(region.before, first, middle, room) and meets(region.after, middle, last, room)


@inner
def within(region: Region, first_s: float, middle_s: float, last_s: float) -> bool:
    """Whether each instant lies in its window."""
    first, middle, last = region.held, region.middle, region.moved
    between = middle[0, TIME] <= middle_s <= middle[middle.shape[0] - 1, TIME]
    return (
        (between or not region.has_middle)
        and first[0, TIME] <= first_s <= first[first.shape[0] - 1, TIME]
        and last[0, TIME] <= last_s <= last[last.shape[0] - 1, TIME]
    )


@inner
def meets(pair: Pair, look_1: FloatArray, look_2: FloatArray, room: FloatArray) -> bool:
    """Whether two looks meet every limit of a pair."""
    apart_s = look_2[TIME] - look_1[TIME]
    if not pair.bounds[NEAREST] - _ROUNDING_S <= apart_s <= pair.bounds[FARTHEST] + _ROUNDING_S:
        return False
    for k in range(pair.asked.shape[0]):
        if margin(pair, pair.asked[k, 0], pair.asked[k, 1], look_1, look_2, room) < 0:
            return False
    return True
