"""The search over many places: approaches, then rows, in buffers of a fixed size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from humay.access.search.approaches import Hunt, scan
from humay.access.search.conditions import LOOK_SIZE
from humay.access.search.programs import Programs
from humay.access.search.rows import COLUMNS, Craft, Passes, Subjects, fill
from humay.access.search.spans import LOBES, Scratch, scratch
from humay.access.search.tables import Sky, Track
from humay.arrays import FloatArray, IntArray, norm
from humay.errors import AccessError

PASSES_AT_ONCE = 16_384
ROWS_AT_ONCE = 8_192
_SUN_RATE_RAD_S = 7.4e-5
_LEAN_RAD = 0.0045  # of the ellipsoid's normal from the radius, and the Sun's parallax


class Sought(NamedTuple):
    """One satellite's search: what it flies, what it is asked, and the Sun's least elevation (n,)
    that is worth a closer look."""

    track: Track
    sky: Sky
    craft: Craft
    programs: Programs
    subjects: Subjects
    place: FloatArray
    cap_rad: FloatArray
    min_sun_rad: FloatArray


Clouds = Callable[[IntArray, FloatArray], FloatArray]
"""Cloud probability of subjects (k,) at instants (k,)."""


def hunt(
    sought: Sought, first: int, last: int, clouds: Clouds
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Rows of subjects [first, last): which subject (k,) and their columns (k, COLUMNS).

    Batches come in order of the subjects, each subject's in order of time.
    """
    room, look = scratch(), np.zeros(LOOK_SIZE)
    for passes in _approaches(sought, first, last, clouds):
        done = 0
        while done < len(passes.t_s):
            which = np.zeros(ROWS_AT_ONCE, dtype=np.int64)
            out = np.empty((ROWS_AT_ONCE + 1, COLUMNS))
            found, done = fill(
                sought.track, sought.sky, sought.craft, sought.programs, sought.subjects, passes,
                done, look, room, which, out,
            )  # fmt: skip
            _refuse_overflow(room)
            yield which[:found], out[:found]


def _refuse_overflow(room: Scratch) -> None:
    if room.fault[0]:
        raise AccessError(
            f"a tree of conditions splits one pass into over {LOBES} spans, expected a simpler one"
        )


def _approaches(sought: Sought, first: int, last: int, clouds: Clouds) -> Iterator[Passes]:
    subjects = sought.subjects
    area = slice(first, last)
    reach_s = float(np.max(_longest_half_s(sought, area), initial=0.0)) + 2 * sought.track.step_s
    aim = Hunt(
        place=sought.place[area],
        cap_rad=sought.cap_rad[area],
        least_sun=_least_sun(sought, area),
        begin_s=float(np.min(subjects.low_s[area], initial=math.inf)) - reach_s,
        end_s=float(np.max(subjects.high_s[area], initial=-math.inf)) + reach_s,
    )
    room = max(PASSES_AT_ONCE, 4 * sought.track.arc.shape[0])
    which, t_s = np.zeros(room, dtype=np.int64), np.zeros(room)
    at = 0
    while at < last - first:
        found, at = scan(sought.track, sought.sky.sun, aim, at, which, t_s)
        own, when = which[:found] + first, t_s[:found].copy()
        yield Passes(which=own, t_s=when, cloud=clouds(own, when))


def _least_sun(sought: Sought, area: slice) -> FloatArray:
    """Sines of the Sun's elevation below which no instant near a node can be light enough."""
    limit = sought.min_sun_rad[area]
    move = _SUN_RATE_RAD_S * (_longest_half_s(sought, area) + 2 * sought.track.step_s)
    sines = np.sin(np.maximum(limit, -0.5 * math.pi)) - move - _LEAN_RAD
    return np.where(limit <= -0.5 * math.pi, -2.0, sines)


def _longest_half_s(sought: Sought, area: slice) -> FloatArray:
    """How far a window reaches from its approach, a strip's lines included (s, at most)."""
    track = sought.track
    slowest = 2 * track.least_half_step_rad / track.step_s
    length = np.arccos(np.clip(_ends_apart(sought.subjects.line[area]), -1, 1))
    return np.asarray((sought.cap_rad[area] + 0.01 + 0.6 * length) / (0.9 * slowest) + 10.0)


def _ends_apart(line: FloatArray) -> FloatArray:
    """Cosine of the angle between both ends of a line (n, 8); 1 for points, whose end is zero."""
    point = norm(line[:, 3:6]) == 0
    return np.where(point, 1.0, np.sum(line[:, :3] * line[:, 3:6], axis=1))


def cap_of(track: Track, off_nadir_rad: FloatArray, place_m: FloatArray) -> FloatArray:
    """Largest central angle (n,) at which a place can be in reach anywhere on a track."""
    far = track.farthest_m
    tilt = np.minimum(off_nadir_rad + 0.0034, 0.5 * math.pi)
    sine = far * np.sin(tilt) / place_m
    horizon = np.arccos(np.clip(place_m / far, -1, 1)) + 0.005
    inside = np.arcsin(np.clip(sine, -1, 1)) - tilt
    return np.where(sine < 1, np.minimum(inside, horizon), horizon) + 0.002
