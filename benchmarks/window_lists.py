"""Lists of windows held against each other: which the other lacks, and how far edges differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray

SHORTEST_S = 0.2  # a window shorter than that depends on half a metre of orbit or place


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowList:
    """Windows (n,) of places by satellites, both numbered, seconds after any one instant.

    They stand in order of place, satellite and start; those of one place and satellite do not
    overlap.
    """

    place: IntArray
    satellite: IntArray
    start_s: FloatArray
    end_s: FloatArray

    def __post_init__(self) -> None:
        later = np.lexsort((self.start_s, self.satellite, self.place))
        if not np.array_equal(later, np.arange(len(self))):
            raise ValueError("windows lack order, expected that of place, satellite and start")
        if np.any(self.end_s < self.start_s):
            raise ValueError("a window ends before it starts")
        same = (np.diff(self.place) == 0) & (np.diff(self.satellite) == 0)
        if np.any(same & (self.end_s[:-1] > self.start_s[1:])):
            raise ValueError("windows of one place and satellite overlap")

    @staticmethod
    def sorted(
        place: IntArray, satellite: IntArray, start_s: FloatArray, end_s: FloatArray
    ) -> WindowList:
        order = np.lexsort((start_s, satellite, place))
        return WindowList(
            place=place[order], satellite=satellite[order],
            start_s=start_s[order], end_s=end_s[order],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.place)

    def take(self, which: IntArray | BoolArray) -> WindowList:
        """The rows of an index in order, or of a mask."""
        return WindowList(**{name: getattr(self, name)[which] for name in _COLUMNS})

    @property
    def length_s(self) -> FloatArray:
        return np.asarray(self.end_s - self.start_s)


_COLUMNS = ("place", "satellite", "start_s", "end_s")


def overlapping(a: WindowList, b: WindowList) -> IntArray:
    """Rows (k, 2) of windows of `a` and `b` that overlap, place and satellite alike."""
    first, last = _on_one_axis(a, b)
    low = np.searchsorted(last[len(a) :], first[: len(a)], side="right")
    high = np.searchsorted(first[len(a) :], last[: len(a)], side="left")
    count = np.maximum(high - low, 0)
    before = np.cumsum(count) - count
    row = np.repeat(np.arange(len(a)), count)
    return np.stack([row, low[row] + np.arange(len(row)) - before[row]], axis=-1)


def _on_one_axis(a: WindowList, b: WindowList) -> tuple[FloatArray, FloatArray]:
    """Starts and ends of both lists with one place and satellite laid after the other."""
    place, satellite = (
        np.concatenate([a.place, b.place]),
        np.concatenate([a.satellite, b.satellite]),
    )
    start, end = np.concatenate([a.start_s, b.start_s]), np.concatenate([a.end_s, b.end_s])
    if not len(start):
        return start, end
    low, span = start.min(), end.max() - start.min() + 1.0
    lane = (place * (satellite.max() + 1) + satellite) * span - low
    return lane + start, lane + end


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Our windows against theirs.

    `pairs` (k, 2) rows of ours and of theirs that overlap; `missed` rows of theirs without any of
    ours, `extra` the other way round; both without windows shorter than `SHORTEST_S`, which
    `short` counts.
    """

    ours: WindowList
    theirs: WindowList
    pairs: IntArray
    missed: IntArray
    extra: IntArray
    short: int

    @cached_property
    def edge_s(self) -> FloatArray:
        """How much later our edges are, (k, 2): starts and ends."""
        mine, other = self.pairs.T
        return np.stack(
            [
                self.ours.start_s[mine] - self.theirs.start_s[other],
                self.ours.end_s[mine] - self.theirs.end_s[other],
            ],
            axis=-1,
        )


def compare(ours: WindowList, theirs: WindowList) -> Comparison:
    """Pair up what overlaps, and list what is left over."""
    pairs = overlapping(ours, theirs)
    missed = np.setdiff1d(np.arange(len(theirs)), pairs[:, 1])
    extra = np.setdiff1d(np.arange(len(ours)), pairs[:, 0])
    long_missed = theirs.length_s[missed] >= SHORTEST_S
    long_extra = ours.length_s[extra] >= SHORTEST_S
    return Comparison(
        ours=ours,
        theirs=theirs,
        pairs=pairs,
        missed=missed[long_missed],
        extra=extra[long_extra],
        short=int(np.sum(~long_missed) + np.sum(~long_extra)),
    )


def percentiles_ms(difference_s: FloatArray) -> dict[str, float]:
    """Median, 99th percentile and largest of differences, milliseconds."""
    if not difference_s.size:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    ms = 1e3 * np.abs(difference_s)
    return {
        "p50": round(float(np.median(ms)), 4),
        "p99": round(float(np.percentile(ms, 99)), 4),
        "max": round(float(ms.max()), 4),
    }
